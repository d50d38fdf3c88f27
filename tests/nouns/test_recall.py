"""Recalls: every copy of what a decision ends is asked back, and the minutes close only when all of them add up."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import clock, distribution, documents, recall, units, verify
from docctl.distribution import ControlledCopy, copies, lists
from docctl.people import Reader
from docctl.recall import Recall
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import Cast, Made, decide

LEDGER = (
    "SELECT d.issued, sum(c.state IN ('prepared', 'delivered', 'received', 'return_requested')), "
    "sum(c.state = 'returned'), sum(c.state = 'destroyed'), sum(c.state = 'archived'), sum(c.state = 'lost') "
    "FROM distribution AS d JOIN controlled_copy AS c ON c.revision_id = d.revision_id GROUP BY d.revision_id"
)


@contextmanager
def acting(site: Site, cast: Cast, name: str = "controller") -> Iterator[tuple[Session, Reader]]:
    with site.database.writing() as session:
        yield session, cast.reader(session, name)


def on_paper(site: Site, cast: Cast, number: int, medium: str = "paper") -> None:
    with acting(site, cast) as (session, by):
        kind = documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium=medium, copies=number, reads=False)


def deliver(site: Site, cast: Cast) -> None:
    with acting(site, cast) as (session, by):
        for copy in copies.to_deliver(session, by=by):
            copies.act(session, copy, "deliver", by=by)
            copies.act(session, copy, "receive", by=by)


def minutes(session: Session, found: Recall, by: Reader) -> None:
    recall.edit(session, found, by=by, number="01/BB-TH", held_on=clock.today(), participants="Văn thư; trưởng đơn vị")


@pytest.fixture
def withdrawn(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> Callable[[int], Made]:
    """Return a function that puts a revision in force with so many paper copies, hands them out, and withdraws it."""

    def make(number: int, medium: str = "paper") -> Made:
        on_paper(site, cast, number, medium)
        made = make_revision("in_force")
        deliver(site, cast)
        decide(site, cast, withdraw=[made.document_id], on=clock.today())
        return made

    return make


def test_withdrawing_asks_every_copy_back_by_a_day_in_the_decisions_transaction(
    site: Site, cast: Cast, withdrawn: Callable[..., Made]
) -> None:
    withdrawn(3)
    with site.database.reading() as session:
        (found,) = recall.all_recalls(session)
        lines = recall.lines_of(session, found)
        assert [recall.is_held(line) for line in lines] == [True] * 3
        assert {line.due_on for line in lines} == {clock.today() + timedelta(days=15)}
        assert found.basis == "Quyết định số 2/QĐ-UBND"
        assert session.scalars(text("SELECT DISTINCT state FROM controlled_copy")).all() == ["return_requested"]


def test_superseding_asks_the_copies_of_the_old_edition_back_and_not_those_of_the_new(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    on_paper(site, cast, 2)
    made = make_revision("superseded")
    with site.database.reading() as session:
        (found,) = recall.all_recalls(session)
        assert {line.copy.revision_id for line in recall.lines_of(session, found)} == {made.id}
        assert session.scalar(text("SELECT count(*) FROM controlled_copy WHERE state = 'prepared'")) == 2


def test_a_decision_that_ends_nothing_held_opens_no_recall(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    make_revision("withdrawn")
    with site.database.reading() as session:
        assert recall.all_recalls(session) == []


def test_of_200_copies_3_lost_and_5_late_the_minutes_close_only_when_the_three_are_declared(
    site: Site, cast: Cast, withdrawn: Callable[..., Made]
) -> None:
    made = withdrawn(200)
    with acting(site, cast) as (session, by):
        (found,) = recall.all_recalls(session)
        lines = recall.lines_of(session, found)
        for line in lines[:192]:
            recall.take_back(session, found, line.copy.mark, by=by, condition="Nguyên vẹn")
        minutes(session, found, by)
    late = clock.midnight(clock.today() + timedelta(days=30))
    with clock.at(late), acting(site, cast) as (session, by):
        (found,) = recall.all_recalls(session)
        for line in recall.lines_of(session, found)[192:197]:
            recall.take_back(session, found, line.copy.mark, by=by)
        assert sum(line.late for line in recall.lines_of(session, found) if not recall.is_held(line)) == 5
        assert len(recall.still_out(session, due_by=clock.today() - timedelta(days=1))) == 3
        with pytest.raises(Refused, match="Còn 3 bản chưa thu hồi và chưa khai mất"):
            recall.act(session, found, "reconcile", by=by, signing=cast.signing(session, "controller"))
        for line in recall.lines_of(session, found)[197:]:
            recall.settle(session, found, line.copy, by=by, lost="Thất lạc khi chuyển trụ sở.")
        assert recall.dispose(session, found, "destroy", by=by) == 197
        recall.act(session, found, "reconcile", by=by, signing=cast.signing(session, "controller"))
        with pytest.raises(Refused):
            recall.act(session, found, "witness", by=by, signing=cast.signing(session, "controller"))
        witness = cast.reader(session, "auditor")
        assert recall.act(session, found, "witness", by=witness, signing=cast.signing(session, "auditor")) == "closed"
        assert (found.issued, found.returned, found.destroyed, found.lost) == (200, 0, 197, 3)
        assert found.head is not None
        revision = session.get_one(Revision, made.id)
        assert distribution.ledger(session, revision) == distribution.Ledger(200, 0, 0, 197, 0, 3)
    assert verify.verify(site).ok


def test_the_minutes_name_their_number_day_and_participants_before_anybody_signs(
    site: Site, cast: Cast, withdrawn: Callable[..., Made]
) -> None:
    withdrawn(1)
    with acting(site, cast) as (session, by):
        (found,) = recall.all_recalls(session)
        recall.take_back(session, found, recall.lines_of(session, found)[0].copy.mark, by=by)
        with pytest.raises(Refused, match="còn thiếu: số biên bản, ngày lập, thành phần tham dự"):
            recall.act(session, found, "reconcile", by=by, signing=cast.signing(session, "controller"))
        minutes(session, found, by)
        recall.act(session, found, "reconcile", by=by, signing=cast.signing(session, "controller"))
        with pytest.raises(Refused, match="mở lại trước"):
            minutes(session, found, by)
        recall.act(session, found, "reopen", by=by, reason="Ghi nhầm thành phần.")
        minutes(session, found, by)
        assert found.round == 2


def test_a_copy_of_another_recall_or_one_that_came_back_already_is_named(
    site: Site, cast: Cast, withdrawn: Callable[..., Made], make_revision: Callable[..., Made]
) -> None:
    withdrawn(1)
    other = make_revision("in_force", title="Quy trình khác")
    with acting(site, cast) as (session, by):
        (found,) = recall.all_recalls(session)
        copy = recall.lines_of(session, found)[0].copy
        stranger = copies.copies_of(session, session.get_one(Revision, other.id))[0]
        with pytest.raises(Refused, match="không thuộc đợt thu hồi này"):
            recall.take_back(session, found, stranger.mark, by=by)
        recall.take_back(session, found, copy.mark, by=by)
        with pytest.raises(Refused, match="đã ghi rồi"):
            recall.take_back(session, found, copy.mark, by=by)
    with acting(site, cast, "author") as (session, by), pytest.raises(NoRole):
        recall.take_back(session, recall.all_recalls(session)[0], "C1", by=by)


def test_an_electronic_copy_is_confirmed_as_destroyed_by_its_holder(
    site: Site, cast: Cast, withdrawn: Callable[..., Made]
) -> None:
    withdrawn(1, "electronic")
    with acting(site, cast, "author") as (session, by):
        (copy,) = copies.to_return(session, by=by)
        with pytest.raises(Refused):
            copies.act(session, copy, "return", by=by)
        assert copies.act(session, copy, "confirm_destroyed", by=by) == "destroyed"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("UPDATE recall SET state = 'reconciled', number = '1', held_on = '2026-01-01', participants = 'x', issued = 2, "
         "returned = 2, destroyed = 0, archived = 0, lost = 0, content_hash = 'x'", "before the minutes close"),
        ("UPDATE recall SET state = 'closed'", "before the minutes close"),
        ("DELETE FROM recall_line", "never deleted"),
        ("UPDATE recall_line SET due_on = '2030-01-01'", "never changed"),
        ("UPDATE recall SET decision_id = 1", "never change"),
    ],
)  # fmt: skip
def test_the_database_refuses_minutes_that_do_not_balance(
    site: Site, withdrawn: Callable[..., Made], wrong: str, says: str
) -> None:
    withdrawn(2)
    with pytest.raises(IntegrityError, match=says), site.database.writing() as session:
        session.execute(text(wrong))


def test_the_database_refuses_balanced_minutes_that_nobody_signed(
    site: Site, cast: Cast, withdrawn: Callable[..., Made]
) -> None:
    withdrawn(1)
    with acting(site, cast) as (session, by):
        (found,) = recall.all_recalls(session)
        recall.take_back(session, found, recall.lines_of(session, found)[0].copy.mark, by=by)
    unsigned = (
        "UPDATE recall SET state = 'reconciled', number = '1', year = 2026, held_on = '2026-01-01', participants = 'x', "
        "issued = 1, returned = 1, destroyed = 0, archived = 0, lost = 0, content_hash = 'x'"
    )
    with pytest.raises(IntegrityError, match="signatures of two"), site.database.writing() as session:
        session.execute(text(unsigned))


EVENTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(
            [
                "deliver",
                "receive",
                "recall",
                "return",
                "confirm_destroyed",
                "declare_lost",
                "destroy",
                "archive",
                "more",
            ]
        ),
    ),
    max_size=14,
)


@pytest.fixture
def ground(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> Iterator[tuple[Session, Reader, int]]:
    """One revision with three paper copies and an electronic one, in a transaction that every example rolls back."""
    with acting(site, cast) as (session, by):
        kind = documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=3, reads=False)
        lists.add(session, by=by, type=kind, target="own_unit", medium="electronic", copies=1, reads=False)
    made = make_revision("in_force")
    with site.database.session_for_writing() as session:
        yield session, cast.reader(session, "controller"), made.id


@settings(
    max_examples=2000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=EVENTS)
@pytest.mark.large
def test_issued_is_held_returned_destroyed_archived_and_lost_after_any_events(
    ground: tuple[Session, Reader, int], events: list[tuple[int, str]]
) -> None:
    session, by, revision_id = ground
    with session.begin_nested() as point:
        follow(session, by, revision_id, events)
        point.rollback()
    session.expire_all()


def test_the_balance_holds_in_a_few_hundred_of_those_sequences(ground: tuple[Session, Reader, int]) -> None:
    session, by, revision_id = ground
    everything = [(copy, event) for event in ("deliver", "receive", "recall", "return", "archive") for copy in range(4)]
    with session.begin_nested() as point:
        assert (
            follow(session, by, revision_id, [*everything, (3, "confirm_destroyed"), (0, "more"), (4, "declare_lost")])
            > 15
        )
        point.rollback()


def follow(session: Session, by: Reader, revision_id: int, events: list[tuple[int, str]]) -> int:
    """Play events, each refused or done, and ask the database after every one; returns how many were done."""
    revision = session.get_one(Revision, revision_id)
    done = 0
    for number, event in events:
        listed = copies.copies_of(session, revision)
        before = session.execute(text(LEDGER)).one()
        try:
            if event == "more":
                unit = units.find(session, "NV")
                distribution.issue_more(session, revision, by=by, medium="paper", count=1, unit=unit)
            else:
                copy = listed[number % len(listed)]
                copies.act(session, copy, event, by=by, reason="Mất.", executing=event == "recall")
            done += 1
        except Refused:
            assert session.execute(text(LEDGER)).one() == before, "what was refused changed nothing"
        issued, *rest = session.execute(text(LEDGER)).one()
        assert issued == sum(rest)
        assert distribution.ledger(session, revision).balances
    return done


def test_a_recall_in_the_future_waits_for_the_day_on_which_the_edition_ends(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    on_paper(site, cast, 1)
    made = make_revision("in_force")
    ends: date = clock.today() + timedelta(days=20)
    decide(site, cast, withdraw=[made.document_id], on=ends)
    with site.database.reading() as session:
        assert recall.all_recalls(session)[0].due_on == ends + timedelta(days=15)
        assert session.query(ControlledCopy).count() == 1
