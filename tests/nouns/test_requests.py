"""Change requests: judged in signed opinions, accepted by the leadership, and followed to the decision that ends them."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import audit, clock, decisions, documents, people, requests, revisions, units
from docctl.documents import Document
from docctl.lifecycle import Stale, signatures
from docctl.requests import ChangeRequest, Words
from docctl.revisions import Change, Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from docctl.verify import verify
from tests.conftest import Cast, Made, decide, keep

Make = Callable[..., Made]
ROW = Change("5.2", "05 ngày làm việc", "03 ngày làm việc")


def asked(session: Session, cast: Cast, kind: str = "amend", *, by: str = "staff", **given: Any) -> ChangeRequest:
    usual: dict[str, Any] = {"reason": "Luật rút ngắn thời hạn.", "drafter": people.find(session, "author")}
    if kind == "amend":
        usual |= {"changes": [ROW]}
    return requests.draft(session, by=cast.reader(session, by), kind=kind, words=Words(**(usual | given)))


def take(session: Session, cast: Cast, request: ChangeRequest, trigger: str, who: str, **given: Any) -> str:
    proof = cast.signing(session, who) if trigger in ("submit", "opine", "accept", "return") else None
    return requests.act(session, request, trigger, by=cast.reader(session, who), signing=proof, **given)


def accepted(session: Session, cast: Cast, request: ChangeRequest, by: str = "staff") -> ChangeRequest:
    for trigger, who in (("submit", by), ("opine", "reviewer"), ("opine", "format-reviewer"), ("accept", "approver")):
        take(session, cast, request, trigger, who)
    return request


def document_of(session: Session, made: Made) -> Document:
    return session.get_one(Document, made.document_id)


def test_requests_are_numbered_in_their_year(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        first, second = (asked(session, cast, document=document_of(session, made)) for _ in range(2))
        assert (first.number_text, second.number_text) == (f"001/{clock.today().year}", f"002/{clock.today().year}")
    later = clock.midnight(date(clock.today().year + 1, 1, 1))
    with clock.at(later), site.database.writing() as session:
        assert asked(session, cast, document=document_of(session, made)).number_text == f"001/{later.year + 1}"


def test_an_accepted_request_opens_the_draft_with_its_change_table_and_ends_with_the_decision(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        content = keep(site, session, "Dự thảo kèm phiếu.")
        request = asked(
            session,
            cast,
            document=document_of(session, made),
            legal_basis="Nghị định 123/2026/NĐ-CP",
            content=content,
            file_name="du-thao.txt",
        )
        accepted(session, cast, request)
        draft = request.revision
        assert draft is not None
        assert (draft.state, draft.author.name, draft.edition_text) == ("draft", "author", "01/01")
        assert draft.file_sha256 == content.sha256
        assert [(r.section, r.old, r.new, r.basis) for r in draft.change_rows] == [
            ("5.2", "05 ngày làm việc", "03 ngày làm việc", "Nghị định 123/2026/NĐ-CP")
        ]
        drafted = audit.of_record(session, "revision", draft.id)[0]
        assert drafted.actor_id == people.find(session, "approver").id  # The trail names who acted.
        request_id, revision_id = request.id, draft.id
    from tests.conftest import STEPS
    from tests.conftest import take as step

    for trigger in STEPS["approved"]:
        step(site, cast, revision_id, trigger)
    state = stored(site, request_id)
    assert state.state == "accepted"
    decision_id = decide(site, cast, issue=[revision_id], on=clock.today(), until="sign")
    assert (stored(site, request_id).state, stored(site, request_id).decision_id) == ("in_decision", decision_id)
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        decisions.execute(session, session.get_one(decisions.Decision, decision_id), by=controller)
    assert stored(site, request_id).state == "done"
    assert verify(site).problems == []


def stored(site: Site, request_id: int) -> ChangeRequest:
    with site.database.reading() as session:
        return session.get_one(ChangeRequest, request_id)


def test_a_cancelled_decision_lets_its_requests_wait_for_another_one(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request_id = accepted(session, cast, asked(session, cast, "withdraw", document=document_of(session, made))).id
        assert [row.id for row in requests.withdrawals_waiting(session)] == [request_id]
    decision_id = decide(site, cast, withdraw=[made.document_id], on=clock.today(), until="sign")
    with site.database.writing() as session:
        assert requests.withdrawals_waiting(session) == []
        decision = session.get_one(decisions.Decision, decision_id)
        decisions.act(session, decision, "cancel", by=cast.reader(session, "approver"), reason="Ghi nhầm ngày.")
    assert (stored(site, request_id).state, stored(site, request_id).decision_id) == ("accepted", None)
    decide(site, cast, withdraw=[made.document_id], on=clock.today())
    assert stored(site, request_id).state == "done"
    assert verify(site).problems == []


@pytest.mark.parametrize("kind", ["new", "adopt"])
def test_a_request_for_a_new_document_adds_it_when_it_is_accepted(site: Site, cast: Cast, kind: str) -> None:
    with site.database.writing() as session:
        request = asked(
            session,
            cast,
            kind,
            title="Quy trình chứng thực",
            type=documents.find_type(session, "QT"),
            unit=units.find(session, "TP"),
            code="QT 09/CT",
        )
        accepted(session, cast, request)
        assert request.document is not None
        assert request.document.code == "QT 09/CT"
        assert request.revision is not None
        assert (request.revision.state, request.revision.title) == ("draft", "Quy trình chứng thực")
    assert verify(site).problems == []


def test_an_opinion_against_is_kept_with_its_remark_and_signature_and_the_leadership_decides(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request = asked(session, cast, document=document_of(session, made))
        take(session, cast, request, "submit", "staff")
        with pytest.raises(Refused) as refused:
            take(session, cast, request, "opine", "reviewer", conclusion="disagree")
        assert refused.value.field == "remark"
        take(session, cast, request, "opine", "reviewer", conclusion="disagree", remark="Luật chưa có hiệu lực.")
        assert request.state == "in_review"  # The ISO board has not spoken yet.
        take(session, cast, request, "opine", "format-reviewer")
        assert request.state == "in_approval"
        take(session, cast, request, "return", "approver", reason="Chờ luật có hiệu lực.")
        said = [(o.signature.title, o.conclusion, o.remark) for o in requests.opinions(session, request)]
        assert said == [
            ("Chức danh reviewer", "disagree", "Luật chưa có hiệu lực."),
            ("Chức danh format-reviewer", "agree", ""),
        ]
        marks = [row.meaning for row in signatures(session, request)]
        assert marks == ["requested", "opined", "opined", "returned"]
        assert request.state == "returned"
        assert revisions.open_revision(session, document_of(session, made)) is None
    assert verify(site).problems == []


def test_nobody_judges_his_own_request_and_whoever_gave_an_opinion_does_not_accept(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        own = asked(session, cast, by="reviewer", document=document_of(session, made))
        take(session, cast, own, "submit", "reviewer")
        with pytest.raises(Refused, match="phiếu của chính mình"):
            take(session, cast, own, "opine", "reviewer")
    with site.database.writing() as session:
        people.grant(session, people.find(session, "approver"), "reviewer")
        request = asked(session, cast, document=document_of(session, made))
        take(session, cast, request, "submit", "staff")
        take(session, cast, request, "opine", "approver")
        take(session, cast, request, "opine", "format-reviewer")
        with pytest.raises(Refused, match="Người đã cho ý kiến"):
            take(session, cast, request, "accept", "approver")


@pytest.mark.parametrize(
    ("kind", "without", "sentence"),
    [
        ("amend", {"document": None}, "Give the code of the document."),
        ("amend", {"reason": " "}, "Give the reason."),
        ("amend", {"changes": ()}, "Write at least one row"),
        ("amend", {"drafter": None}, "Choose who writes the draft."),
        ("amend", {"drafter": "neighbour"}, "is no author for the unit"),
        ("new", {"document": None, "title": "X"}, "Choose the document type."),
        ("new", {"document": None}, "Give the proposed title"),
    ],
)
def test_what_the_form_lacks_is_said_before_it_is_submitted(
    site: Site, cast: Cast, make_revision: Make, kind: str, without: dict[str, Any], sentence: str
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        given: dict[str, Any] = {"document": document_of(session, made)} | without
        if isinstance(given.get("drafter"), str):
            given["drafter"] = people.find(session, given["drafter"])
        request = asked(session, cast, kind, **given)
        assert any(sentence in lack.en for lack in requests.missing(session, request))
        with pytest.raises(Refused) as refused:
            take(session, cast, request, "submit", "staff")
        assert sentence in refused.value.sentence.en
        assert request.state == "draft"


def test_what_is_submitted_is_locked_and_a_sent_back_round_is_void_and_kept(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request = asked(session, cast, document=document_of(session, made))
        take(session, cast, request, "submit", "staff")
        with pytest.raises(Refused, match="chỉ khi còn là dự thảo"):
            requests.edit(session, request, by=cast.reader(session, "staff"), words=Words(reason="Khác"))
        take(session, cast, request, "opine", "reviewer")
        take(session, cast, request, "send_back", "format-reviewer", reason="Thiếu căn cứ.")
        assert (request.state, request.round) == ("draft", 2)
        words = Words(
            document=document_of(session, made),
            reason="Theo nghị định mới.",
            drafter=people.find(session, "author"),
            changes=[ROW],
        )
        with pytest.raises(Stale):
            requests.edit(session, request, by=cast.reader(session, "staff"), words=words, seen=1)
        requests.edit(session, request, by=cast.reader(session, "staff"), words=words, seen=request.lock)
        accepted(session, cast, request)
        assert len(signatures(session, request)) == 6
    assert verify(site).problems == []


def test_the_database_refuses_what_the_verbs_refuse(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request_id = asked(session, cast, document=document_of(session, made)).id
        take(session, cast, session.get_one(ChangeRequest, request_id), "submit", "staff")
    for sql in (
        f"UPDATE change_request SET why = 'x' WHERE id = {request_id}",
        f"UPDATE change_request SET state = 'accepted' WHERE id = {request_id}",
        f"UPDATE change_request SET state = 'in_approval', number = 9 WHERE id = {request_id}",
        f"DELETE FROM change_request WHERE id = {request_id}",
        f"DELETE FROM request_row WHERE change_request_id = {request_id}",
        "UPDATE signature SET change_request_id = NULL, revision_id = NULL",
        "INSERT INTO signature (round, seat, meaning, account_id, person, title, authority, signed_at, content_hash) "
        "VALUES (1, 'x', 'opined', 1, 'x', 'x', '', '2026-01-01T00:00:00.000000Z', 'x')",
    ):
        with pytest.raises(IntegrityError), site.database.writing() as session:
            session.connection().exec_driver_sql(sql)


def test_a_request_altered_behind_the_verbs_is_found_by_verify(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        asked(session, cast, document=document_of(session, made))
    with site.database.writing() as session:
        session.connection().exec_driver_sql("UPDATE change_request SET why = 'Khác'")
    assert [(p.what, p.record) for p in verify(site).problems] == [("state", "change_request 1")]


def test_only_people_of_the_business_make_requests(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        for who in ("admin", "auditor"):
            with pytest.raises(NoRole):
                asked(session, cast, by=who)


def test_who_sees_a_request(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request_id = asked(session, cast, document=document_of(session, made)).id
    with site.database.reading() as session:
        seen = {
            name: requests.load(session, request_id, by=cast.reader(session, name)) is not None
            for name in ("staff", "author", "neighbour", "reviewer", "approver", "controller", "auditor", "admin")
        }
    assert [name for name, sees in seen.items() if not sees] == ["neighbour", "admin"]


def test_the_drafter_who_left_is_noticed_before_the_draft_is_opened(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request = asked(session, cast, document=document_of(session, made))
        for trigger, who in (("submit", "staff"), ("opine", "reviewer"), ("opine", "format-reviewer")):
            take(session, cast, request, trigger, who)
        people.find(session, "author").disabled_at = clock.now() - timedelta(days=1)
        session.flush()
        with pytest.raises(Refused, match="không có vai trò soạn thảo"):
            take(session, cast, request, "accept", "approver")
        session.rollback()


def test_a_discarded_draft_is_told_on_its_request(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        request = accepted(session, cast, asked(session, cast, document=document_of(session, made)))
        author = cast.reader(session, "author")
        revisions.discard(session, session.get_one(Revision, request.revision_id), by=author, reason="Thôi.")
        assert "was discarded" in requests.opening(session, request, by=author).en
