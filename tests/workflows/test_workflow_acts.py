"""What a page asks of a workflow: buttons, refusals, who acts next; and that asking and doing always agree."""

import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from docctl import workflow
from docctl.rules import ROLES, RULES, Facts, NoRole, Refused, Sentence

FILES = workflow.load_folder(Path(__file__).parents[2] / "workflows")
REVISION = FILES["revision"]
DECISION = FILES["decision"]
BOTH = frozenset({"content", "format"})
AUTHOR, HEAD, SECRETARY, APPROVER = 1, 2, 3, 4


def facts(actor: int, *roles: str, **given: object) -> Facts:
    """A revision by AUTHOR in good order, seen by an actor."""
    usual: dict[str, object] = {
        "author": AUTHOR,
        "has_file": True,
        "change_rows": 1,
        "content_hash": "c0ffee",
        "frozen_hash": "c0ffee",
        "open_seats": BOTH,
    }
    return Facts(actor=actor, roles=frozenset(roles), **(usual | given))  # type: ignore[arg-type]


people = some.one_of(some.none(), some.integers(1, 4))
hashes = some.sampled_from([None, "old", "new"])
any_facts = some.builds(
    Facts,
    actor=people,
    roles=some.frozensets(some.sampled_from(sorted(ROLES))),
    author=people,
    endorsers=some.frozensets(some.integers(1, 4)),
    open_seats=some.frozensets(some.sampled_from(["content", "format"])),
    has_file=some.booleans(),
    change_rows=some.integers(0, 2),
    content_hash=hashes,
    frozen_hash=hashes,
    authority=some.sampled_from([None, Sentence("Ủy quyền đã hết hạn.", "The delegation has expired.")]),
    executing=some.booleans(),
    in_decision=some.booleans(),
    code_clash=some.booleans(),
    lines=some.integers(0, 2),
    errors=some.integers(0, 2),
    numbered=some.booleans(),
    dated=some.booleans(),
    signer=people,
    checked_hash_equal=some.booleans(),
    reason=some.sampled_from(["", "  ", "Sai căn cứ"]),
)


@settings(max_examples=1000, deadline=None, database=None)
@given(data=some.data(), seen=any_facts, name=some.sampled_from(sorted(FILES)))
def test_an_act_succeeds_exactly_when_it_is_not_refused_and_what_it_asks_is_answered(
    data: some.DataObject, seen: Facts, name: str
) -> None:
    flow = FILES[name]
    state = data.draw(some.sampled_from([None, *flow.states]))
    here = [trigger.name for trigger in flow.leaving(state)]
    trigger = data.draw(some.sampled_from([*here, *here, *flow.triggers, "no_such_act"]))
    why = workflow.refusal(flow, state, trigger, seen)
    answered = why is None and ("reason" not in flow.triggers[trigger].asks or bool(seen.reason.strip()))
    if answered:
        assert workflow.fire(flow, state, trigger, seen) in {flow.triggers[trigger].target, state}
        return
    with pytest.raises(Refused) as refused:
        workflow.fire(flow, state, trigger, seen)
    assert refused.value.sentence == (why or Sentence("Hãy ghi lý do.", "Give the reason."))
    assert refused.value.field == (None if why else "reason")


def test_a_round_ends_when_its_last_seat_is_signed_and_not_before() -> None:
    first = facts(HEAD, "reviewer")
    assert workflow.fire(REVISION, "in_review", "endorse", first) == "in_review"
    last = facts(SECRETARY, "format_reviewer", endorsers=frozenset({HEAD}), open_seats=frozenset({"format"}))
    assert workflow.fire(REVISION, "in_review", "endorse", last) == "in_approval"


def test_a_person_with_both_reviewing_roles_fills_one_seat_of_a_round() -> None:
    both = facts(HEAD, "reviewer", "format_reviewer")
    seat = workflow.seat_for(REVISION.triggers["endorse"], both)
    assert seat is not None
    assert seat.name == "content"
    again = facts(HEAD, "reviewer", "format_reviewer", endorsers=frozenset({HEAD}), open_seats=frozenset({"format"}))
    with pytest.raises(Refused, match="mỗi người chỉ ký một lần"):
        workflow.fire(REVISION, "in_review", "endorse", again)


def test_a_second_unit_head_finds_the_seat_taken_and_reads_what_is_still_open() -> None:
    late = facts(9, "reviewer", endorsers=frozenset({HEAD}), open_seats=frozenset({"format"}))
    why = workflow.refusal(REVISION, "in_review", "endorse", late)
    assert why is not None
    assert "thư ký ISO" in why.vi
    assert "ISO secretary" in why.en


def test_who_endorsed_in_the_round_may_not_approve() -> None:
    with pytest.raises(Refused, match="đã ký xem xét trong lượt này không được phê duyệt"):
        workflow.fire(REVISION, "in_approval", "approve", facts(HEAD, "approver", endorsers=frozenset({HEAD})))


def test_content_that_changed_after_submission_is_neither_endorsed_approved_nor_issued() -> None:
    for state, trigger, role in [
        ("in_review", "endorse", "reviewer"),
        ("in_approval", "approve", "approver"),
        ("approved", "issue", "controller"),
    ]:
        assert workflow.fire(REVISION, state, trigger, facts(9, role, executing=True))
        for now in ("decaf", None):
            with pytest.raises(Refused, match="không còn đúng như lúc trình"):
                workflow.fire(REVISION, state, trigger, facts(9, role, executing=True, content_hash=now))


def test_an_approver_without_authority_reads_why() -> None:
    expired = Sentence("Ủy quyền hết hạn ngày 25/10/2022.", "The delegation expired on 25/10/2022.")
    assert (
        workflow.refusal(REVISION, "in_approval", "approve", facts(APPROVER, "approver", authority=expired)) == expired
    )


def test_a_draft_without_file_or_change_row_is_told_what_is_missing() -> None:
    with pytest.raises(Refused, match="chưa có tệp"):
        workflow.fire(REVISION, "draft", "submit", facts(AUTHOR, "author", has_file=False))
    with pytest.raises(Refused, match="ít nhất một dòng"):
        workflow.fire(REVISION, "draft", "submit", facts(AUTHOR, "author", change_rows=0))


def test_a_revision_in_a_signed_decision_is_not_reopened() -> None:
    assert workflow.fire(REVISION, "approved", "reopen", facts(APPROVER, "approver", reason="Sai căn cứ")) == "draft"
    with pytest.raises(Refused, match="không mở lại được"):
        workflow.fire(REVISION, "approved", "reopen", facts(APPROVER, "approver", reason="Sai", in_decision=True))


def test_sending_back_without_a_reason_points_at_the_reason() -> None:
    with pytest.raises(Refused) as refused:
        workflow.fire(REVISION, "in_review", "send_back", facts(HEAD, "reviewer", reason=" \n"))
    assert refused.value.field == "reason"


def test_an_act_of_another_role_is_told_apart_from_an_act_against_a_rule() -> None:
    with pytest.raises(NoRole, match="Chỉ người phê duyệt được thực hiện “Phê duyệt”"):
        workflow.fire(REVISION, "in_approval", "approve", facts(9, "staff"))
    for state, seen in [("draft", facts(9, "staff")), ("in_approval", facts(AUTHOR, "approver"))]:
        with pytest.raises(Refused) as refused:
            workflow.fire(REVISION, state, "approve", seen)
        assert not isinstance(refused.value, NoRole)


def test_an_act_in_the_wrong_state_names_the_state_and_what_is_possible() -> None:
    why = workflow.refusal(REVISION, "draft", "approve", facts(APPROVER, "approver"))
    assert why is not None
    assert why.vi == "Không thể “Phê duyệt” ở trạng thái “Dự thảo”; lúc này chỉ có thể: Trình xem xét, Bỏ dự thảo."
    ended = workflow.refusal(DECISION, "executed", "cancel", facts(APPROVER, "approver"))
    assert ended is not None
    assert "which is final" in ended.en


@pytest.mark.parametrize(
    ("state", "trigger", "role", "broken", "piece"),
    [
        ("draft", "check", "controller", {"lines": 0}, "no lines"),
        ("draft", "check", "controller", {"errors": 3}, "found 3 error(s)"),
        ("checked", "sign", "approver", {"numbered": False}, "no number"),
        ("checked", "sign", "approver", {"dated": False}, "no date"),
        ("checked", "sign", "approver", {"signer": 9}, "another signer"),
        ("checked", "sign", "approver", {"checked_hash_equal": False}, "changed after the check"),
        ("signed", "execute", "controller", {"checked_hash_equal": False}, "changed after the check"),
        ("signed", "execute", "controller", {"errors": 1}, "found 1 error(s)"),
        ("signed", "execute", "controller", {"signer": None}, "no signer"),
    ],
)
def test_a_decision_that_lacks_something_says_what(
    state: str, trigger: str, role: str, broken: dict[str, object], piece: str
) -> None:
    order: dict[str, object] = {"lines": 1, "numbered": True, "dated": True, "signer": 4, "checked_hash_equal": True}
    assert workflow.refusal(DECISION, state, trigger, facts(4, role, **order)) is None
    why = workflow.refusal(DECISION, state, trigger, facts(4, role, **(order | broken)))
    assert why is not None
    assert piece in why.en


def test_a_decision_that_names_no_signer_is_signed_by_whoever_has_the_authority() -> None:
    order = facts(4, "approver", lines=1, numbered=True, dated=True, checked_hash_equal=True, signer=None)
    assert workflow.fire(DECISION, "checked", "sign", order) == "signed"


def test_an_executed_decision_never_reopens() -> None:
    assert DECISION.leaving("executed") == ()


def test_the_page_of_a_revision_in_review_offers_the_unit_head_one_main_act() -> None:
    offered = {act.trigger: act for act in workflow.acts(REVISION, "in_review", facts(HEAD, "reviewer"))}
    assert list(offered) == ["endorse", "send_back", "take_back"]
    assert [name for name, act in offered.items() if act.main] == ["endorse"]
    assert offered["endorse"].refusal is None
    assert offered["endorse"].asks == ("password",)
    assert offered["send_back"].asks == ("reason",)
    assert offered["take_back"].refusal is not None
    assert not offered["take_back"].mine


def test_issue_and_withdraw_have_no_button() -> None:
    assert [act.trigger for act in workflow.acts(REVISION, "approved", facts(9, "controller"))] == ["reopen"]
    assert workflow.acts(REVISION, "issued", facts(9, "controller")) == []


def test_the_page_says_who_acts_next_by_the_seats_still_open() -> None:
    waiting = workflow.waiting_for(REVISION, "in_review", facts(9, open_seats=frozenset({"format"})))
    assert waiting.vi == "Chờ ký xem xét: thư ký ISO (xem xét hình thức)."
    assert "unit head" in workflow.waiting_for(REVISION, "in_review", facts(9)).en
    assert workflow.waiting_for(REVISION, "in_approval", facts(9)).vi == "Chờ người phê duyệt."


def test_a_form_goes_to_the_approver_after_the_unit_head_alone() -> None:
    short = FILES["revision-short"]
    assert workflow.fire(short, "in_review", "endorse", facts(HEAD, "reviewer", open_seats=frozenset({"content"}))) == (
        "in_approval"
    )


def test_every_rule_explains_itself_and_has_a_sentence_in_both_languages() -> None:
    for name, rule in RULES.items():
        assert rule.test.__doc__, name
        assert rule.sentence.vi.endswith(".")
        assert rule.sentence.en.endswith(".")
        assert isinstance(rule.test(Facts()), bool), name


def test_every_rule_is_used_or_offered_to_sites_on_purpose() -> None:
    used = {rule for flow in FILES.values() for trigger in flow.triggers.values() for rule in trigger.rules}
    assert set(RULES) - used == {"code_is_its_own"}


def test_an_office_that_forbids_repeated_codes_can_say_so_in_its_own_file() -> None:
    text = REVISION.source.replace('"changes_settled"]', '"changes_settled", "code_is_its_own"]')
    own = workflow.parse(text, path=REVISION.path)
    assert workflow.fire(own, "draft", "submit", facts(AUTHOR, "author")) == "in_review"
    with pytest.raises(Refused, match="đang trùng"):
        workflow.fire(own, "draft", "submit", facts(AUTHOR, "author", code_clash=True))


def test_many_threads_share_one_machine() -> None:
    wrong: list[str] = []

    def review(odd: bool) -> None:
        seats = frozenset({"content"}) if odd else BOTH
        for _ in range(300):
            after = workflow.fire(REVISION, "in_review", "endorse", facts(HEAD, "reviewer", open_seats=seats))
            if after != ("in_approval" if odd else "in_review"):
                wrong.append(after)

    threads = [threading.Thread(target=review, args=(n % 2 == 0,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
