"""How the sample office distributes: its lists, and what its people do with the copies and readings of a decision."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import clock, documents, people, recall
from docctl.decisions import Decision
from docctl.distribution import ReadTask, copies, lists, reading
from docctl.people import Reader, Reauthenticated
from docctl.retention import schedule
from docctl.revisions import Revision

READ_AT_ONCE, READ_OF_ALL = 60, 3  # Of the readings of a decision, so many at the most, and two of three of them.
INTACT = "Nguyên vẹn"
MISLAID = "Thất lạc khi sắp xếp lại phòng làm việc; đơn vị đã có bản tường trình."
PRESENT = "Văn thư, kiểm soát tài liệu; Thư ký Ban Chỉ đạo ISO; đại diện các đơn vị"
TAKEN_BACK = "TH"
STILL_OPEN = "Còn một hồ sơ khiếu nại giải quyết theo quy trình này."
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
    replay.plan(office_instant(day, 1, 8, 40), lambda: _hand_out(replay, issued()))
    replay.plan(office_instant(day, 3, 14, 10), lambda: _receive(replay, issued()))
    replay.plan(office_instant(day, 5, 9, 20), lambda: _read(replay, issued()))


def plan_recall(
    replay: Replaying, day: date, decision: Callable[[], Decision], proof: Callable[[str], Reauthenticated]
) -> None:
    """Plan the recall of decision 2804: all but eight copies come back in ten days, five late, three are declared lost."""
    replay.plan(office_instant(day, 10, 9, 0), lambda: _take_back(replay, decision(), leave=8))
    replay.plan(office_instant(day, 27, 9, 0), lambda: _take_back(replay, decision(), leave=3))
    replay.plan(office_instant(day, 30, 10, 0), lambda: _close(replay, decision(), proof))
    replay.plan(office_instant(day, 31, 10, 0), lambda: _hold(replay, decision()))


def _take_back(replay: Replaying, decision: Decision, *, leave: int) -> None:
    session, found = replay.session, recall.of_decision(replay.session, decision.id)
    if found is None:
        return
    held = [line for line in recall.lines_of(session, found) if recall.is_held(line)]
    for line in held[: len(held) - leave]:
        recall.settle(session, found, line.copy, by=replay.person("controller"), condition=INTACT)


def _close(replay: Replaying, decision: Decision, proof: Callable[[str], Reauthenticated]) -> None:
    session, found = replay.session, recall.of_decision(replay.session, decision.id)
    if found is None:
        return
    controller = replay.person("controller")
    for line in recall.lines_of(session, found):
        if recall.is_held(line):
            recall.settle(session, found, line.copy, by=controller, lost=MISLAID)
    recall.dispose(session, found, "destroy", by=controller)
    recall.edit(
        session, found, by=controller, number=f"01/BB-{TAKEN_BACK}", held_on=clock.today(), participants=PRESENT
    )
    recall.act(session, found, "reconcile", by=controller, signing=proof("controller"))
    witness = replay.person("format-reviewer")
    recall.act(session, found, "witness", by=witness, signing=proof("format-reviewer"))


def _hold(replay: Replaying, decision: Decision) -> None:
    """One of the withdrawn procedures is kept beyond its period, since a case under it is still open."""
    line = next(line for line in decision.lines if line.revision is None)
    schedule.hold(replay.session, line.document, by=replay.person("controller"), reason=STILL_OPEN)


def office_instant(day: date, after: int, hour: int, minute: int = 0) -> datetime:
    """Return an instant so many days after a day, on the Monday after when that is a weekend."""
    then = day + timedelta(days=after)
    then += timedelta(days=max(0, 7 - then.weekday()) if then.weekday() > 4 else 0)
    return clock.midnight(then) + timedelta(hours=hour, minutes=minute)


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
