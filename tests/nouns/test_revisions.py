"""Revisions: from draft to approval in rounds, what is frozen when, and what an edition's number may be."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.orm import Session

from docctl import audit, clock, decisions, documents, lifecycle, people, revisions
from docctl.documents import Document
from docctl.lifecycle import Stale, signatures
from docctl.revisions import Change, Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import Cast, Made, keep, take

Make = Callable[..., Made]


def state(site: Site, made: Made) -> str:
    with site.database.reading() as session:
        return session.get_one(Revision, made.id).state


def act(session: Session, cast: Cast, made: Made, trigger: str, name: str, **given: Any) -> str:
    row = session.get_one(Revision, made.id)
    signing = cast.signing(session, name) if trigger in ("endorse", "approve") else None
    return revisions.act(session, row, trigger, by=cast.reader(session, name), **({"signing": signing} | given))


def test_a_revision_goes_from_draft_to_approved_by_four_acts_of_four_people(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("draft")
    with site.database.writing() as session:
        assert act(session, cast, made, "submit", "author") == "in_review"
        assert act(session, cast, made, "endorse", "reviewer") == "in_review"
        assert act(session, cast, made, "endorse", "format-reviewer") == "in_approval"
        assert act(session, cast, made, "approve", "approver") == "approved"
        signed = signatures(session, session.get_one(Revision, made.id))
        assert [(row.meaning, row.seat) for row in signed] == [
            ("endorsed", "content"),
            ("endorsed", "format"),
            ("approved", "approved"),
        ]
        assert len({row.content_hash for row in signed}) == 1
        assert [row.title for row in signed] == [f"Chức danh {n}" for n in ("reviewer", "format-reviewer", "approver")]


def test_every_act_is_one_entry_of_the_trail_with_who_what_and_both_states(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("approved")
    with site.database.reading() as session:
        told = [
            (entry.actor, entry.action, entry.values.get("before"), entry.values.get("state"))
            for entry in audit.of_record(session, "revision", made.id)
        ]
    assert told == [
        ("Chức danh author", "revision.drafted", None, "draft"),
        ("Chức danh author", "revision.moved", "draft", "in_review"),
        ("Chức danh reviewer", "revision.moved", "in_review", "in_review"),
        ("Chức danh format-reviewer", "revision.moved", "in_review", "in_approval"),
        ("Chức danh approver", "revision.moved", "in_approval", "approved"),
    ]


def test_a_draft_without_a_file_or_a_change_row_is_not_submitted_and_the_sentence_says_which(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("draft", bare=True)
    with site.database.writing() as session:
        with pytest.raises(Refused, match="tệp"):
            act(session, cast, made, "submit", "author")
        row = session.get_one(Revision, made.id)
        revisions.edit(
            session,
            row,
            by=cast.reader(session, "author"),
            seen=row.lock,
            content=keep(site, session, "x"),
            file_name="x.txt",
        )
        with pytest.raises(Refused, match="thay đổi"):
            act(session, cast, made, "submit", "author")


def test_sending_back_begins_a_round_in_which_the_old_signatures_are_kept_and_void(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session:
        assert act(session, cast, made, "send_back", "approver", reason="Thiếu căn cứ.") == "draft"
        row = session.get_one(Revision, made.id)
        assert (row.round, row.content_hash) == (2, None)
        assert len(signatures(session, session.get_one(Revision, made.id))) == 2
        assert lifecycle.signed_in_round(session, row) == []
        act(session, cast, made, "submit", "author")
        assert act(session, cast, made, "endorse", "reviewer") == "in_review", (
            "one of last round's seats counts no more"
        )
        with pytest.raises(Refused):
            act(session, cast, made, "approve", "approver")


@pytest.mark.parametrize(
    ("trigger", "name", "from_state"),
    [
        ("send_back", "reviewer", "in_review"),
        ("send_back", "approver", "in_approval"),
        ("take_back", "author", "in_review"),
        ("reopen", "approver", "approved"),
        ("discard", "author", "draft"),
        ("discard", "controller", "draft"),
    ],
)
def test_a_way_back_asks_for_a_reason_and_keeps_it(
    site: Site, cast: Cast, make_revision: Make, trigger: str, name: str, from_state: str
) -> None:
    made = make_revision(from_state)
    with site.database.writing() as session, pytest.raises(Refused) as refused:
        act(session, cast, made, trigger, name, reason="   ")
    assert refused.value.field == "reason"
    assert state(site, made) == from_state
    with site.database.writing() as session:
        act(session, cast, made, trigger, name, reason="Sai căn cứ pháp lý.")
    with site.database.reading() as session:
        assert audit.of_record(session, "revision", made.id)[-1].values["reason"] == "Sai căn cứ pháp lý."


def test_the_author_neither_reviews_nor_approves_even_when_given_those_roles(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_review")
    with site.database.writing() as session:
        author = people.find(session, "author")
        for role in ("reviewer", "format_reviewer", "approver"):
            people.grant(session, author, role)
    with site.database.writing() as session, pytest.raises(Refused, match="tự xem xét"):
        act(session, cast, made, "endorse", "author")
    for _ in range(2):
        take(site, cast, made.id, "endorse")
    with site.database.writing() as session, pytest.raises(Refused, match="tự phê duyệt"):
        act(session, cast, made, "approve", "author")
    assert state(site, made) == "in_approval"


def test_one_person_with_both_roles_signs_one_seat_and_does_not_approve(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_review")
    with site.database.writing() as session:
        for role in ("format_reviewer", "approver"):
            people.grant(session, people.find(session, "reviewer"), role)
    with site.database.writing() as session:
        assert act(session, cast, made, "endorse", "reviewer") == "in_review"
        with pytest.raises(Refused, match="một lần"):
            act(session, cast, made, "endorse", "reviewer")
        act(session, cast, made, "endorse", "format-reviewer")
        with pytest.raises(Refused, match="đã ký xem xét"):
            act(session, cast, made, "approve", "reviewer")


def test_an_act_that_signs_needs_ones_own_password_entered_moments_ago(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session:
        for signing in (None, cast.signing(session, "reviewer")):
            with pytest.raises(Refused) as refused:
                act(session, cast, made, "approve", "approver", signing=signing)
            assert refused.value.field == "password"
    assert state(site, made) == "in_approval"


def test_content_is_frozen_from_submission_on(site: Site, cast: Cast, make_revision: Make) -> None:
    for life in ("in_review", "in_approval", "approved", "in_force", "discarded"):
        made = make_revision(life)
        with site.database.writing() as session:
            row, author = session.get_one(Revision, made.id), cast.reader(session, "author")
            with pytest.raises(Refused):
                revisions.edit(session, row, by=author, seen=row.lock, title="Khác")


def test_only_its_author_edits_a_draft_and_an_old_page_is_told_so(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("draft")
    with site.database.writing() as session:
        row = session.get_one(Revision, made.id)
        with pytest.raises(Refused):
            revisions.edit(session, row, by=cast.reader(session, "controller"), seen=row.lock, title="Khác")
        seen = row.lock
        revisions.edit(session, row, by=cast.reader(session, "author"), seen=seen, title="Mới")
        with pytest.raises(Stale):
            revisions.edit(session, row, by=cast.reader(session, "author"), seen=seen, title="Cũ hơn")
        assert row.title == "Mới"


def test_the_content_hash_changes_with_everything_that_is_signed(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("draft")
    changes: list[dict[str, Any]] = [
        {"title": "Khác"},
        {"edition": 3},
        {"amendment": 4},
        {"change_summary": "Khác"},
        {"changes": [Change("5.2", "05 ngày làm việc", "04 ngày", "Luật")]},
    ]
    with site.database.writing() as session:
        row = session.get_one(Revision, made.id)
        seen = {revisions.content_hash(row)}
        author = cast.reader(session, "author")
        for change in changes:
            revisions.edit(session, row, by=author, seen=row.lock, **change)
            seen.add(revisions.content_hash(row))
        revisions.edit(
            session, row, by=author, seen=row.lock, content=keep(site, session, "khác"), file_name="Quy trình.txt"
        )
        seen.add(revisions.content_hash(row))
        row.document.code = "KHAC-01"
        seen.add(revisions.content_hash(row))
        session.rollback()
    assert len(seen) == len(changes) + 3


def test_a_code_settled_after_submission_stops_the_signatures_until_it_is_submitted_again(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session:
        documents.settle_code(
            session,
            session.get_one(Document, made.document_id),
            by=cast.reader(session, "controller"),
            code="QT-MOI",
            field="",
        )
    with site.database.writing() as session, pytest.raises(Refused, match="không còn đúng"):
        act(session, cast, made, "approve", "approver")


def test_a_document_has_one_open_revision_at_a_time(site: Site, cast: Cast, make_revision: Make) -> None:
    for life in ("draft", "in_review", "in_approval", "approved"):
        made = make_revision(life)
        with pytest.raises(Refused, match="chưa xong"):
            make_revision("draft", document_id=made.document_id)
    discarded = make_revision("discarded")
    assert make_revision("draft", document_id=discarded.document_id).id


def test_editions_go_on_from_the_newest_and_a_taken_number_is_refused(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    first = make_revision("in_force")
    with site.database.writing() as session:
        document = session.get_one(Document, first.document_id)
        author = cast.reader(session, "author")
        assert revisions.next_edition(session, document) == (1, 1)
        with pytest.raises(Refused) as refused:
            revisions.draft(session, document, by=author, edition=1, amendment=0)
        assert refused.value.field == "edition"
        rewritten = revisions.draft(session, document, by=author, edition=2)
        assert rewritten.edition_text == "02/00"
        revisions.discard(session, rewritten, by=author, reason="Chưa cần.")
        again = revisions.draft(session, document, by=author, edition=2)
        assert again.edition_text == "02/00", "a discarded draft gives its number back"
        revisions.discard(session, again, by=author, reason="Chưa cần.")


def test_an_approved_revision_in_a_signed_decision_is_not_reopened(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        decision = decisions.draft(
            session,
            by=controller,
            title="Ban hành",
            number="1/QĐ",
            signed_on=clock.today(),
            effective_from=clock.today(),
            lines=[decisions.Line("issue", revision=session.get_one(Revision, made.id))],
        )
        decisions.check(session, decision, by=controller)
        decisions.sign(
            session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
        )
        with pytest.raises(Refused, match="quyết định đã ký"):
            act(session, cast, made, "reopen", "approver", reason="Sai.")


@pytest.mark.parametrize("name", ["controller", "author", "approver", "admin", "auditor"])
@pytest.mark.parametrize("trigger", ["issue", "withdraw"])
def test_nobody_issues_or_withdraws_but_by_executing_a_decision(
    site: Site, cast: Cast, make_revision: Make, name: str, trigger: str
) -> None:
    made = make_revision("approved" if trigger == "issue" else "in_force")
    with site.database.writing() as session, pytest.raises(Refused):
        act(session, cast, made, trigger, name, reason="Vì vậy.")


def test_an_administrator_takes_no_business_act_at_all(site: Site, cast: Cast, make_revision: Make) -> None:
    for life in ("draft", "in_review", "in_approval", "approved"):
        made = make_revision(life)
        with site.database.reading() as session:
            row = session.get_one(Revision, made.id)
            assert all(
                offer.refusal and not offer.mine
                for offer in revisions.acts(session, row, by=cast.reader(session, "admin"))
            )
    made = make_revision("draft")
    with site.database.writing() as session, pytest.raises(NoRole):
        act(session, cast, made, "submit", "admin")


def test_readers_see_what_is_in_force_and_those_who_work_on_it_see_more(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    lives = {
        life: make_revision(life).id
        for life in ("draft", "in_review", "approved", "scheduled", "in_force", "withdrawn")
    }
    with site.database.reading() as session:
        seen = {
            name: {life for life, row in lives.items() if revisions.load(session, row, by=cast.reader(session, name))}
            for name in ("staff", "neighbour", "admin", "author", "auditor", "controller")
        }
    assert seen["staff"] == seen["neighbour"] == seen["admin"] == {"in_force"}
    assert seen["author"] == seen["auditor"] == seen["controller"] == set(lives)
