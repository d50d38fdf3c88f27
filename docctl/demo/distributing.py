"""How the sample office distributes: its lists, and what its people do with the copies and readings of a decision."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import clock, documents, people
from docctl.distribution import ReadTask, copies, lists, reading
from docctl.people import Reader
from docctl.revisions import Revision

READ_AT_ONCE, READ_OF_ALL = 60, 3  # Of the readings of a decision, so many at the most, and two of three of them.
EXEMPT = "Không giải quyết thủ tục thuộc lĩnh vực này."


class Replaying(Protocol):
    """The part of a replay that this needs."""

    session: Session

    def person(self, name: str) -> Reader:
        """Return one of the sample accounts."""

    def plan(self, at: datetime, act: Callable[[], object]) -> None:
        """Note an act for an instant."""


def set_up(session: Session) -> None:
    """Write the lists: a procedure goes on paper to its own unit, and the reception desk reads it."""
    controller = people.reader(session, people.find(session, "controller"))
    for code, number in (("QT", 1), ("HD", 0), ("ST", 1)):
        kind = documents.find_type(session, code)
        if lists.entries(session, type=kind):
            continue
        medium = lists.PAPER if number else lists.ELECTRONIC
        lists.add(session, by=controller, type=kind, target="own_unit", medium=medium, copies=number)
        lists.add(session, by=controller, type=kind, target="role", role="staff")


def plan(replay: Replaying, day: date, issued: Callable[[], list[Revision]]) -> None:
    """Plan what follows a decision: copies are handed out the next day and received two days later, then people read."""
    begins = clock.midnight(day)
    replay.plan(begins + timedelta(days=1, hours=8, minutes=40), lambda: _hand_out(replay, issued()))
    replay.plan(begins + timedelta(days=3, hours=14, minutes=10), lambda: _receive(replay, issued()))
    replay.plan(begins + timedelta(days=5, hours=9, minutes=20), lambda: _read(replay, issued()))


def _hand_out(replay: Replaying, issued: list[Revision]) -> None:
    for copy in copies.held_of(replay.session, [row.id for row in issued]):
        if copies.is_prepared(copy):
            copies.act(replay.session, copy, "deliver", by=replay.person("controller"))


def _receive(replay: Replaying, issued: list[Revision]) -> None:
    """Most units sign on paper for the controller to write down; one copy in nine still waits for its receipt."""
    for number, copy in enumerate(copies.held_of(replay.session, [row.id for row in issued])):
        if number % 9 != 4:
            copies.act(replay.session, copy, "receive", by=replay.person("controller"))


def _read(replay: Replaying, issued: list[Revision]) -> None:
    """The reception desk reads two of three; of another unit's business somebody is exempted once."""
    staff = replay.person("staff")
    query = select(ReadTask).where(
        ReadTask.account_id == staff.id, ReadTask.revision_id.in_([row.id for row in issued])
    )
    tasks = replay.session.scalars(query.order_by(ReadTask.id)).all()
    for number, task in enumerate(tasks[:READ_AT_ONCE]):
        if number % READ_OF_ALL == 2:
            continue
        if number == READ_OF_ALL:
            reading.act(replay.session, task, "exempt", by=replay.person("controller"), reason=EXEMPT)
            continue
        if reading.opened(replay.session, task.revision, by=staff) and number % 7 != 5:
            reading.act(replay.session, task, "understand", by=staff)
