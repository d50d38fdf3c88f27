"""Read tasks: each asks one person to read one revision; opened only by opening it, understood only after that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, cast

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    and_,
    case,
    func,
    not_,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, clock, lifecycle, revisions, workflow
from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.distribution.lists import may_see
from docctl.documents import Document
from docctl.lifecycle import Subject
from docctl.people import Account, Reader
from docctl.revisions import IN_FORCE, Revision
from docctl.rules import Facts, Sentence
from docctl.units import Unit
from docctl.workflow import Act

OPEN = ("waiting", "opened")
STATES = ("waiting", "opened", "understood", "exempt", "superseded")
SUPERSEDED = "superseded"  # Derived: the revision ended before its reader had understood it.
NEGATIVE = Sentence("Hết hiệu lực khi chưa xác nhận", "Ended before it was confirmed")


LEFT = Sentence("Đã nghỉ; người kế nhiệm: {heir}.", "Left; the successor is {heir}.")


class ReadTask(Subject, Base):
    """One person is asked to read one revision."""

    __tablename__ = "read_task"
    NOUN: ClassVar[str] = "read_task"
    MOVED: ClassVar[Action] = Action.READ_TASK_MOVED
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'opened', 'understood', 'exempt')", name="state"),
        CheckConstraint("state = 'exempt' OR (opened_at IS NULL) = (state = 'waiting')", name="opened"),
        CheckConstraint("(understood_at IS NOT NULL) = (state = 'understood')", name="understood"),
        CheckConstraint("(state = 'exempt') = (exempt_reason <> '')", name="exempt"),
        Index("uq_read_task_reader", "revision_id", "account_id", unique=True),
        Index("ix_read_task_pending", "account_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(12))
    asked_at: Mapped[datetime] = mapped_column(Instant)
    opened_at: Mapped[datetime | None] = mapped_column(Instant)
    understood_at: Mapped[datetime | None] = mapped_column(Instant)
    exempt_reason: Mapped[str] = mapped_column(Text, default="")

    revision: Mapped[Revision] = relationship()
    account: Mapped[Account] = relationship()

    def status(self, at: datetime | None = None) -> str:
        """Return the stored state, or `superseded` where the revision ended unconfirmed: a negative receipt."""
        ended = self.revision.effective_to
        closed = self.state in OPEN and ended is not None and ended <= (at or clock.now())
        return SUPERSEDED if closed else self.state

    @property
    def since(self) -> datetime:
        """From when on the reading waits: the revision takes effect first."""
        return max(self.asked_at, self.revision.effective_from or self.asked_at)


@dataclass(frozen=True)
class UnitReading:
    """How far a unit is with reading what is in force: tasks asked, opened, understood, exempt, and still to do."""

    unit: Unit
    asked: int
    opened: int
    understood: int
    exempt: int

    @property
    def missing(self) -> int:
        """How many confirmations are still missing."""
        return self.asked - self.understood - self.exempt


def pending(session: Session, *, by: Reader) -> list[ReadTask]:
    """Return what a person has still to read of what is in force, oldest first."""
    return _loaded(session, ReadTask.account_id == by.id, ReadTask.state.in_(OPEN), revisions.in_force_at(clock.now()))


def coming(session: Session, *, by: Reader) -> list[ReadTask]:
    """Return what a person will have to read once it takes effect."""
    later = Revision.effective_from > clock.now()
    return _loaded(session, ReadTask.account_id == by.id, ReadTask.state.in_(OPEN), later)


def settled(session: Session, *, by: Reader, limit: int = 50) -> list[ReadTask]:
    """Return a person's receipts, negative ones included, newest first."""
    ended = Revision.effective_to <= clock.now()
    found = _loaded(session, ReadTask.account_id == by.id, ReadTask.state.not_in(OPEN) | ended)
    return sorted(found, key=lambda row: row.understood_at or row.revision.effective_to or row.asked_at, reverse=True)[
        :limit
    ]


def task_of(session: Session, revision: Revision, *, by: Reader) -> ReadTask | None:
    """Return the person's own task to read a revision, if any."""
    query = select(ReadTask).where(ReadTask.revision_id == revision.id, ReadTask.account_id == by.id)
    return session.scalars(query.options(joinedload(ReadTask.revision))).first()


def tasks_of(session: Session, revision: Revision) -> list[ReadTask]:
    """Return every task to read a revision, by unit and name."""
    query = select(ReadTask).join(Account, Account.id == ReadTask.account_id).join(Unit, Unit.id == Account.unit_id)
    loaded = query.options(joinedload(ReadTask.account).joinedload(Account.unit), joinedload(ReadTask.revision))
    ordered = loaded.where(ReadTask.revision_id == revision.id).order_by(Unit.code, Account.full_name)
    return list(session.scalars(ordered))


def load(session: Session, task_id: int, *, by: Reader) -> ReadTask | None:
    """Return a task: the person's own, or anybody's for those who see everything."""
    found = session.get(ReadTask, task_id)
    return found if found and (found.account_id == by.id or by.sees_everything) else None


def seen_by(
    session: Session, *, by: Reader, revision_id: int | None = None, state: str = "", first: int = 0, limit: int = 50
) -> tuple[list[ReadTask], int]:
    """Return tasks, oldest first, and how many there are: one's own, or everybody's of a revision that one may see."""
    others = revision_id is not None and may_see(by)
    mine = ReadTask.account_id == by.id
    wanted: list[Any] = [or_(mine, revisions.visible(by)) if others else mine]
    wanted += [ReadTask.revision_id == revision_id] if revision_id is not None else []
    ended = and_(ReadTask.state.in_(OPEN), Revision.effective_to.is_not(None), Revision.effective_to <= clock.now())
    if state:
        wanted.append(ended if state == SUPERSEDED else and_(ReadTask.state == state, not_(ended)))
    query = _query(*wanted)
    found = select(func.count()).select_from(query.with_only_columns(ReadTask.id).subquery())
    return list(session.scalars(query.offset(first).limit(limit))), session.scalar(found) or 0


def waits_to_be_opened(session: Session, revision: Revision, *, by: Reader) -> bool:
    """Say whether opening the revision now would be the person's first opening of it."""
    return revision.status() == IN_FORCE and bool(
        session.scalar(
            select(ReadTask.id).where(
                ReadTask.revision_id == revision.id, ReadTask.account_id == by.id, ReadTask.state == "waiting"
            )
        )
    )


def opened(session: Session, revision: Revision, *, by: Reader) -> bool:
    """Note that a person opened a revision which he or she is asked to read; says whether anything was noted."""
    task = task_of(session, revision, by=by)
    if task is None or task.state != "waiting" or revision.status() != IN_FORCE:
        return False
    act(session, task, "open", by=by)
    return True


def act(
    session: Session, task: ReadTask, trigger: str, *, by: Reader, reason: str = "", seen: int | None = None
) -> str:
    """Take a task through one trigger of its workflow: open, understand or exempt; returns the new state."""
    changes: dict[str, Any] = {}
    if trigger == "open":
        changes["opened_at"] = clock.now()
    elif trigger == "understand":
        changes["understood_at"] = clock.now()
    elif trigger == "exempt":
        changes["exempt_reason"] = reason.strip()
    return lifecycle.move(
        session,
        task,
        trigger,
        by=by,
        facts=facts(task, by=by, reason=reason),
        seen=seen,
        document_id=task.revision.document_id,
        changes=changes,
    )


def hand_over(session: Session, leaving: Account, heir: Account, *, by: Account | None) -> int:
    """Exempt somebody who leaves from what is not read yet, and ask the successor who was not asked; returns how many.

    Having read is each person's own, so what was read and what ended unread stays with whoever left.
    """
    left = open_of(session, leaving)
    for task in left:
        moved = Facts(
            actor=by.id if by else None, roles=frozenset({"controller"}), reason=LEFT.fill(heir=heir.full_name).vi
        )
        changes = {"exempt_reason": moved.reason}
        # The one door takes a reader; nobody in particular is an account that is none.
        actor = Reader(cast(Account, by), {})
        lifecycle.move(
            session, task, "exempt", by=actor, facts=moved, document_id=task.revision.document_id, changes=changes
        )
        known = select(ReadTask.id).where(ReadTask.revision_id == task.revision_id, ReadTask.account_id == heir.id)
        if session.scalar(known) is None:
            _ask_anew(session, task, heir, by=by)
    return len(left)


def open_of(session: Session, account: Account) -> list[ReadTask]:
    """Return what somebody has still to read, of what is in force and of what is to come."""
    lasting = or_(Revision.effective_to.is_(None), Revision.effective_to > clock.now())
    return _loaded(session, ReadTask.account_id == account.id, ReadTask.state.in_(OPEN), lasting)


def _ask_anew(session: Session, task: ReadTask, heir: Account, *, by: Account | None) -> None:
    follows = lifecycle.newest(session, task.NOUN)
    asked = ReadTask(
        revision_id=task.revision_id,
        account_id=heir.id,
        state=workflow.fire(follows, None, "ask", Facts(roles=frozenset({"controller"}), executing=True)),
        **lifecycle.begun(follows),
        asked_at=clock.now(),
    )
    session.add(asked)
    session.flush()
    audit.record(
        session,
        Action.READ_TASK_ASKED,
        by=by,
        noun=asked.NOUN,
        record_id=asked.id,
        document_id=task.revision.document_id,
        revision_id=asked.revision_id,
        account_id=asked.account_id,
        state=asked.state,
        workflow=asked.workflow,
        workflow_version=asked.workflow_version,
        asked_at=asked.asked_at,
        opened_at=None,
        understood_at=None,
        exempt_reason="",
    )


def facts(task: ReadTask, *, by: Reader, reason: str = "") -> Facts:
    """Gather everything that a rule may ask about a task and a person."""
    mine = task.account_id == by.id
    keeps = by.roles_in(task.revision.document.unit_id) & {"controller"}
    return Facts(
        actor=by.id,
        roles=keeps | (frozenset(by.reach) - {"controller"} if mine else frozenset()),
        reader=mine,
        in_force=task.revision.status() == IN_FORCE,
        reason=reason.strip(),
    )


def is_waiting(task: ReadTask) -> bool:
    """Say whether a task was not opened yet and still can be."""
    return task.status() == "waiting"


def acts(session: Session, task: ReadTask, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on a task; opening is done by opening, and is no button."""
    follows = lifecycle.workflow_of(session, task)
    found = workflow.acts(follows, task.state, facts(task, by=by))
    return [given for given in found if given.trigger != "open"]


def by_unit(session: Session, *, unit_ids: frozenset[int] | None = None) -> list[UnitReading]:
    """Return for each unit how far its people are with what is in force; units whose people are asked nothing are left out."""
    counted = (
        select(
            Account.unit_id,
            func.count(),
            func.sum(case((ReadTask.state == "opened", 1), else_=0)),
            func.sum(case((ReadTask.state == "understood", 1), else_=0)),
            func.sum(case((ReadTask.state == "exempt", 1), else_=0)),
        )
        .select_from(ReadTask)
        .join(Account, Account.id == ReadTask.account_id)
        .join(Revision, Revision.id == ReadTask.revision_id)
        .where(revisions.in_force_at(clock.now()))
        .group_by(Account.unit_id)
    )
    counts = {row[0]: row[1:] for row in session.execute(counted)}
    wanted = set(counts) if unit_ids is None else set(counts) & unit_ids
    rows = session.scalars(select(Unit).where(Unit.id.in_(wanted)).order_by(Unit.parent_id.is_not(None), Unit.code))
    return [UnitReading(unit, *counts[unit.id]) for unit in rows]


def unread_in(session: Session, unit: Unit) -> list[ReadTask]:
    """Return who of a unit has not confirmed which revision in force: by person, oldest first. Reminders begin here."""
    people = select(Account.id).where(Account.unit_id == unit.id)
    found = _loaded(
        session, ReadTask.account_id.in_(people), ReadTask.state.in_(OPEN), revisions.in_force_at(clock.now())
    )
    return sorted(found, key=lambda row: (row.account.full_name, row.since))


def overdue(session: Session, *, before: datetime) -> list[ReadTask]:
    """Return every unconfirmed reading of what is in force that was asked before an instant, for reminders to be sent."""
    return _loaded(session, ReadTask.state.in_(OPEN), ReadTask.asked_at < before, revisions.in_force_at(clock.now()))


def understood_before(session: Session, document_ids: Sequence[int]) -> dict[int, set[int]]:
    """Return by document who has understood, or was exempted from, one of its revisions."""
    query = (
        select(Revision.document_id, ReadTask.account_id)
        .join(Revision, Revision.id == ReadTask.revision_id)
        .where(Revision.document_id.in_(document_ids), ReadTask.state.in_(("understood", "exempt")))
    )
    found: dict[int, set[int]] = {}
    for document_id, account_id in session.execute(query):
        found.setdefault(document_id, set()).add(account_id)
    return found


def label(session: Session, task: ReadTask) -> Sentence:
    """Return the word for where a task stands."""
    if task.status() == SUPERSEDED:
        return NEGATIVE
    return lifecycle.label(session, task)


def _loaded(session: Session, *wanted: Any) -> list[ReadTask]:
    return list(session.scalars(_query(*wanted)))


def _query(*wanted: Any) -> Any:
    query = (
        select(ReadTask)
        .join(Revision, Revision.id == ReadTask.revision_id)
        .join(Document)
        .where(*wanted)
        .options(
            joinedload(ReadTask.revision).joinedload(Revision.document).joinedload(Document.unit),
            joinedload(ReadTask.account).joinedload(Account.unit),
        )
    )
    return query.order_by(ReadTask.asked_at, ReadTask.id)
