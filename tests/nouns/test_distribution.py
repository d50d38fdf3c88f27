"""Distribution: executing a decision asks people to read and makes numbered copies; each then has its own life."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import authority, clock, distribution, documents, people, revisions, units, verify
from docctl.decisions import dry_run
from docctl.decisions.table import Decision
from docctl.distribution import ControlledCopy, copies, lists, reading
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import CHEAP, PASSWORD, Cast, Made, decide


@pytest.fixture
def listed(site: Site, cast: Cast) -> None:
    """Procedures go on paper to their own unit (2) and the home affairs division (1), and everybody in the unit reads them."""
    with site.database.writing() as session:
        controller, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=controller, type=kind, target="own_unit", medium="paper", copies=2)
        lists.add(
            session, by=controller, type=kind, target="unit", unit=units.find(session, "NV"), medium="paper", copies=1,
            reads=False,
        )  # fmt: skip
        lists.add(session, by=controller, type=kind, target="role", role="staff")


@contextmanager
def acting(site: Site, cast: Cast, name: str) -> Iterator[tuple[Session, Reader]]:
    with site.database.writing() as session:
        yield session, cast.reader(session, name)


def test_issuing_asks_the_readers_and_numbers_the_copies(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with site.database.reading() as session:
        revision = session.get_one(Revision, made.id)
        asked = {task.account.name for task in reading.tasks_of(session, revision)}
        assert asked == {"author", "reviewer", "staff"}
        assert [copy.number_text for copy in copies.copies_of(session, revision)] == ["001/003", "002/003", "003/003"]
        assert [copy.holder.en for copy in copies.copies_of(session, revision)] == [
            "Justice division",
            "Justice division",
            "Home affairs division",
        ]
        assert distribution.ledger(session, revision) == distribution.Ledger(issued=3, held=3)
        entries = session.execute(
            text("SELECT DISTINCT at FROM audit_entry WHERE action LIKE 'distribution.made'")
        ).all()
        executed = session.execute(text("SELECT executed_at FROM decision")).all()
        assert len(entries) == len(executed) == 1


def test_what_no_list_names_is_distributed_to_nobody(site: Site, make_revision: Callable[..., Made]) -> None:
    made = make_revision("in_force")
    with site.database.reading() as session:
        assert distribution.of_revision(session, session.get_one(Revision, made.id)) is None
        assert distribution.ledger(session, session.get_one(Revision, made.id)).balances


def test_a_decision_that_fails_distributes_nothing(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("approved")
    with site.database.session_for_writing() as session:
        issuing = distribution.Issuing(session, by=cast.reader(session, "controller"))
        assert issuing.issue(session.get_one(Revision, made.id)) is not None
        session.rollback()  # As when a line after this one fails.
    decide(site, cast, issue=[made.id], on=clock.today() - timedelta(days=1))
    with site.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM controlled_copy")) == 3
        assert session.scalar(text("SELECT count(*) FROM read_task")) == 3


def test_a_documents_own_list_counts_in_place_of_its_types(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("approved")
    with acting(site, cast, "controller") as (session, by):
        document = session.get_one(Document, made.document_id)
        lists.add(
            session, by=by, document=document, target="person", person=people.find(session, "neighbour"), copies=1,
            medium="electronic",
        )  # fmt: skip
    decide(site, cast, issue=[made.id], on=clock.today())
    with site.database.reading() as session:
        revision = session.get_one(Revision, made.id)
        assert [task.account.name for task in reading.tasks_of(session, revision)] == ["neighbour"]
        assert [copy.medium for copy in copies.copies_of(session, revision)] == ["electronic"]


def test_nobody_understands_what_he_has_not_opened(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "staff") as (session, by):
        (task,) = reading.pending(session, by=by)
        with pytest.raises(Refused, match="Không thể"):
            reading.act(session, task, "understand", by=by)
        assert reading.opened(session, session.get_one(Revision, made.id), by=by)
        assert not reading.opened(session, session.get_one(Revision, made.id), by=by), "only the first opening counts"
        assert reading.act(session, task, "understand", by=by) == "understood"
        assert reading.pending(session, by=by) == []
    with acting(site, cast, "staff") as (session, by), pytest.raises(NoRole):
        reading.act(session, reading.tasks_of(session, session.get_one(Revision, made.id))[0], "exempt", by=by)


def test_nobody_confirms_in_another_persons_name(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "author") as (session, by):
        reading.opened(session, session.get_one(Revision, made.id), by=by)
        task = reading.task_of(session, session.get_one(Revision, made.id), by=by)
        assert task is not None
        with pytest.raises(Refused):
            reading.act(session, task, "understand", by=cast.reader(session, "controller"))


def test_what_ends_unread_is_a_negative_receipt_and_can_no_longer_be_confirmed(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("superseded")
    with acting(site, cast, "staff") as (session, by):
        old = reading.task_of(session, session.get_one(Revision, made.id), by=by)
        assert old is not None
        assert old.status() == reading.SUPERSEDED
        assert reading.label(session, old).en == "Ended before it was confirmed"
        assert [task.revision_id for task in reading.pending(session, by=by)] != [made.id]
        assert not reading.opened(session, session.get_one(Revision, made.id), by=by)
        with pytest.raises(Refused, match="không có hiệu lực"):
            reading.act(session, old, "open", by=by)


def test_a_minor_change_asks_only_those_who_have_not_confirmed_an_earlier_edition(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "staff") as (session, by):
        reading.opened(session, session.get_one(Revision, made.id), by=by)
        reading.act(session, reading.pending(session, by=by)[0], "understand", by=by)
    later = make_revision("approved", document_id=made.document_id, text="Sửa lỗi chính tả.")
    decide(site, cast, issue=[later.id], on=clock.today())
    with site.database.reading() as session:
        revision = session.get_one(Revision, later.id)
        assert not revision.major, "an amendment is minor unless its author says otherwise"
        assert {task.account.name for task in reading.tasks_of(session, revision)} == {"author", "reviewer"}


def test_a_major_change_asks_everybody_again(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "staff") as (session, by):
        reading.opened(session, session.get_one(Revision, made.id), by=by)
        reading.act(session, reading.pending(session, by=by)[0], "understand", by=by)
    draft = make_revision("draft", document_id=made.document_id, text="Viết lại.")
    with acting(site, cast, "author") as (session, by):
        row = session.get_one(Revision, draft.id)
        before = revisions.content_hash(row)
        revisions.edit(session, row, by=by, seen=row.lock, major=True)
        assert revisions.content_hash(row) != before, "the reviewers sign it"
    from tests.conftest import STEPS, take

    for step in STEPS["approved"]:
        take(site, cast, draft.id, step)
    decide(site, cast, issue=[draft.id], on=clock.today())
    with site.database.reading() as session:
        asked = {task.account.name for task in reading.tasks_of(session, session.get_one(Revision, draft.id))}
        assert asked == {"author", "reviewer", "staff"}


def test_an_exemption_needs_a_reason(site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "controller") as (session, by):
        task = reading.tasks_of(session, session.get_one(Revision, made.id))[0]
        with pytest.raises(Refused, match="lý do"):
            reading.act(session, task, "exempt", by=by)
        assert reading.act(session, task, "exempt", by=by, reason="Nghỉ thai sản.") == "exempt"


def test_a_unit_sees_who_has_not_confirmed(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    make_revision("in_force")
    with site.database.reading() as session:
        rows = {row.unit.code: row for row in reading.by_unit(session)}
        assert (rows["TP"].asked, rows["TP"].missing) == (2, 2)
        names = [task.account.name for task in reading.unread_in(session, rows["TP"].unit)]
        assert names == ["author", "reviewer"]
        assert len(reading.overdue(session, before=clock.now() + timedelta(days=1))) == 3


def test_the_holder_confirms_receipt_and_a_stranger_cannot(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "controller") as (session, by):
        for copy in copies.to_deliver(session, by=by):
            copies.act(session, copy, "deliver", by=by)
    with acting(site, cast, "author") as (session, by):
        assert [copy.number for copy in copies.to_receive(session, by=by)] == [1, 2]
        others = copies.copies_of(session, session.get_one(Revision, made.id))[2]
        with pytest.raises(NoRole):
            copies.act(session, others, "receive", by=by)
        mine = copies.to_receive(session, by=by)[0]
        assert copies.act(session, mine, "receive", by=by) == "received"
        assert mine.received_by_id == by.id


def test_further_copies_go_on_where_the_numbers_ended(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "controller") as (session, by):
        revision = session.get_one(Revision, made.id)
        more = distribution.issue_more(
            session, revision, by=by, medium="paper", count=2, unit=units.find(session, "NV")
        )
        assert [copy.number_text for copy in more] == ["004/005", "005/005"]
        assert distribution.ledger(session, revision) == distribution.Ledger(issued=5, held=5)


def test_a_copy_is_found_by_its_mark_its_address_or_its_number(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    with site.database.reading() as session:
        copy = copies.copies_of(session, session.get_one(Revision, made.id))[1]
        for typed in (
            copy.mark,
            f"  c{copy.id} ",
            f"http://docctl.example/copies/{copy.mark}",
            f"{made.code}|01/00|002",
        ):
            assert copies.find(session, typed).id == copy.id, typed
        with pytest.raises(Refused, match="Không có bản kiểm soát"):
            copies.find(session, "C999999")


def test_the_dry_run_counts_copies_and_readers(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made]
) -> None:
    old = make_revision("in_force")
    new = make_revision("approved", title="Quy trình khác")
    decision_id = decide(site, cast, issue=[new.id], withdraw=[old.document_id], on=clock.today(), until="draft")
    with site.database.reading() as session:
        found = dry_run(session, session.get_one(Decision, decision_id))
        assert (found.copies_to_recall, found.copies_to_issue, found.readers) == (3, 3, 3)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("DELETE FROM controlled_copy", "never deleted"),
        ("UPDATE controlled_copy SET state = 'received'", "cannot go"),
        ("UPDATE controlled_copy SET number = 9, total = 9", "never becomes another"),
        ("UPDATE distribution SET issued = issued - 1", "never fewer"),
        ("UPDATE read_task SET state = 'understood', understood_at = asked_at, opened_at = asked_at", "cannot go"),
        ("UPDATE distribution_entry SET copies = 9", "can be removed"),
        ("UPDATE revision SET major = NOT major", "only in a draft"),
        (
            "INSERT INTO controlled_copy SELECT id + 100, revision_id, 99, 99, medium, unit_id, account_id, state, round, "
            "lock, workflow, workflow_version, made_at, NULL, NULL, NULL, NULL, NULL, NULL, '' FROM controlled_copy",
            "a number that was issued",
        ),
    ],
)
def test_the_database_guards_what_was_distributed(
    site: Site, listed: None, make_revision: Callable[..., Made], wrong: str, says: str
) -> None:
    make_revision("in_force")
    with pytest.raises(IntegrityError, match=says), site.database.writing() as session:
        session.execute(text(wrong))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE controlled_copy SET unit_id = 1 WHERE number = 1",
        "UPDATE controlled_copy SET condition = 'ướt' WHERE number = 1",
        "UPDATE read_task SET state = 'opened', opened_at = asked_at WHERE id = 1",
        "UPDATE distribution SET issued = issued + 1",
    ],
)
def test_verify_replays_copies_and_reading_and_names_what_was_altered(
    site: Site, listed: None, make_revision: Callable[..., Made], change: str
) -> None:
    make_revision("in_force")
    assert [problem for problem in verify.verify(site).problems if problem.what == "state"] == []
    with site.database.writing() as session:
        session.execute(text(change))
    assert [problem for problem in verify.verify(site).problems if problem.what == "state"] != []


def test_whoever_leaves_hands_his_copies_over(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> None:
    made = make_revision("in_force")
    with acting(site, cast, "controller") as (session, by):
        leaving, heir = people.find(session, "staff"), people.find(session, "author")
        distribution.issue_more(
            session, session.get_one(Revision, made.id), by=by, medium="paper", count=2, person=leaving
        )
        assert copies.hand_over(session, leaving, heir, by=by.account) == 2
        assert {copy.account_id for copy in session.query(ControlledCopy)} == {heir.id}
    assert verify.verify(site).ok


def test_a_copy_for_a_role_has_no_holder_and_is_refused(site: Site, cast: Cast) -> None:
    with acting(site, cast, "controller") as (session, by):
        kind = documents.find_type(session, "QT")
        with pytest.raises(Refused, match="nơi giữ"):
            lists.add(session, by=by, type=kind, target="role", role="staff", medium="paper", copies=1)
        with pytest.raises(Refused, match="chưa phân phối gì"):
            lists.add(session, by=by, type=kind, target="everybody", reads=False)
    with acting(site, cast, "author") as (session, by), pytest.raises(NoRole):
        lists.add(session, by=by, type=documents.find_type(session, "QT"), target="everybody")


def test_administrators_and_closed_accounts_are_asked_nothing(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    with acting(site, cast, "controller") as (session, by):
        gone = people.add(
            session, name="gone", password=PASSWORD, roles=["staff"], unit=units.find(session, "TP"), title_vi="Cán bộ"
        )
        gone.password_hash = CHEAP.hash(PASSWORD)
        people.disable(session, gone)
        lists.add(session, by=by, type=documents.find_type(session, "QT"), target="everybody")
    made = make_revision("in_force")
    with site.database.reading() as session:
        asked = {task.account.name for task in reading.tasks_of(session, session.get_one(Revision, made.id))}
        assert asked == {
            "author",
            "neighbour",
            "reviewer",
            "format-reviewer",
            "approver",
            "controller",
            "staff",
            "auditor",
        }
        assert authority.reader(session, people.find(session, "admin")).reach.keys() == {"admin"}
