"""Controlled copies: numbered, each with a holder, and a ledger in which every one of them is accounted for."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    case,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, clock, lifecycle, revisions, workflow
from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.distribution.lists import ELECTRONIC, may_see
from docctl.documents import Document
from docctl.lifecycle import Subject
from docctl.people import Account, Reader
from docctl.revisions import Revision
from docctl.rules import Facts, Refused, Sentence
from docctl.text import code_key
from docctl.units import Unit
from docctl.workflow import Act

STATES = ("prepared", "delivered", "received", "return_requested", "returned", "lost", "destroyed", "archived")
HELD = ("prepared", "delivered", "received", "return_requested")
_NUMBER = re.compile(r"^(?P<code>.+?)\s*[|;#]\s*(?P<edition>\d+)(?:/(?P<amendment>\d+))?\s*[|;#]\s*(?P<number>\d+)")
_MARK = re.compile(r"(?:^|[/:#])C(?P<id>\d+)$")


class ControlledCopy(Subject, Base):
    """One numbered copy of a revision, and where it is."""

    __tablename__ = "controlled_copy"
    NOUN: ClassVar[str] = "controlled_copy"
    MOVED: ClassVar[Action] = Action.COPY_MOVED
    __table_args__ = (
        CheckConstraint(f"state IN ({', '.join(repr(state) for state in STATES)})", name="state"),
        CheckConstraint("medium IN ('electronic', 'paper', 'posted')", name="medium"),
        CheckConstraint("(unit_id IS NULL) <> (account_id IS NULL)", name="holder"),
        CheckConstraint("number BETWEEN 1 AND total", name="number"),
        CheckConstraint("state <> 'lost' OR condition <> ''", name="lost"),
        CheckConstraint(
            "(settled_at IS NOT NULL) = (state IN ('returned', 'lost', 'destroyed', 'archived'))", name="settled"
        ),
        Index("uq_controlled_copy_number", "revision_id", "number", unique=True),
        Index("ix_controlled_copy_holder", "unit_id", "account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"))
    number: Mapped[int]
    total: Mapped[int]
    medium: Mapped[str] = mapped_column(String(10))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    state: Mapped[str] = mapped_column(String(16), index=True)
    made_at: Mapped[datetime] = mapped_column(Instant)
    delivered_at: Mapped[datetime | None] = mapped_column(Instant)
    delivered_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    received_at: Mapped[datetime | None] = mapped_column(Instant)
    received_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    settled_at: Mapped[datetime | None] = mapped_column(Instant)
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    condition: Mapped[str] = mapped_column(Text, default="")

    revision: Mapped[Revision] = relationship()
    unit: Mapped[Unit | None] = relationship()
    account: Mapped[Account | None] = relationship(foreign_keys=[account_id])
    delivered_by: Mapped[Account | None] = relationship(foreign_keys=[delivered_by_id])
    received_by: Mapped[Account | None] = relationship(foreign_keys=[received_by_id])
    settled_by: Mapped[Account | None] = relationship(foreign_keys=[settled_by_id])

    @property
    def number_text(self) -> str:
        """The number as it stands on the copy: `001/010`."""
        return f"{self.number:03d}/{self.total:03d}"

    @property
    def mark(self) -> str:
        """What the QR of the copy says, and what may be typed in its place: `C` and the copy's own number in docctl."""
        return f"C{self.id}"

    @property
    def holder(self) -> Sentence:
        """The unit or the person that holds the copy, in words."""
        if self.unit is not None:
            return Sentence(self.unit.name("vi"), self.unit.name("en"))
        assert self.account is not None  # A constraint of the table says so.
        return Sentence(self.account.title("vi"), self.account.title("en"))


@dataclass(frozen=True)
class Ledger:
    """Where the copies are: issued = held + returned + destroyed + archived + lost, or something is wrong."""

    issued: int = 0
    held: int = 0
    returned: int = 0
    destroyed: int = 0
    archived: int = 0
    lost: int = 0

    @property
    def balances(self) -> bool:
        """Whether every issued copy is somewhere."""
        return self.issued == self.held + self.returned + self.destroyed + self.archived + self.lost


def act(
    session: Session,
    copy: ControlledCopy,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    condition: str = "",
    seen: int | None = None,
    executing: bool = False,
    **detail: Any,
) -> str:
    """Take a copy through one trigger of its workflow; returns the new state.

    `condition` is the state in which a copy came back, in words; a loss keeps its reason there.
    """
    now = clock.now()
    changes: dict[str, Any] = {}
    if trigger == "deliver":
        changes |= {"delivered_at": now, "delivered_by_id": by.id}
    elif trigger == "receive":
        changes |= {"received_at": now, "received_by_id": by.id}
    elif trigger in ("return", "confirm_destroyed", "declare_lost"):
        said = (reason if trigger == "declare_lost" else condition).strip()
        changes |= {"settled_at": now, "settled_by_id": by.id, "condition": said}
    return lifecycle.move(
        session,
        copy,
        trigger,
        by=by,
        facts=facts(copy, by=by, reason=reason, executing=executing),
        seen=seen,
        document_id=copy.revision.document_id,
        changes=changes,
        **detail,
    )


def facts(copy: ControlledCopy, *, by: Reader, reason: str = "", executing: bool = False) -> Facts:
    """Gather everything that a rule may ask about a copy and a person."""
    holds = copy.account_id == by.id or (copy.unit_id is not None and copy.unit_id == by.account.unit_id)
    keeps = by.roles_in(copy.revision.document.unit_id) & {"controller"}
    return Facts(
        actor=by.id,
        roles=keeps | (frozenset(by.reach) - {"controller"} if holds else frozenset()),
        holder=holds,
        electronic=copy.medium == ELECTRONIC,
        executing=executing,
        reason=reason.strip(),
    )


def acts(session: Session, copy: ControlledCopy, *, by: Reader) -> list[Act]:
    """Return every act that a person could press for a copy."""
    found = workflow.acts(lifecycle.workflow_of(session, copy), copy.state, facts(copy, by=by))
    # Of the two ways back only the one of the copy's medium is of interest.
    unfit = "return" if copy.medium == ELECTRONIC else "confirm_destroyed"
    return [given for given in found if given.trigger != unfit]


def to_label(session: Session, revision: Revision) -> list[ControlledCopy]:
    """Return the copies on paper of a revision that are still out, by number: those that bear a label."""
    return [copy for copy in copies_of(session, revision) if copy.medium != ELECTRONIC and copy.state in HELD]


def is_prepared(copy: ControlledCopy) -> bool:
    """Say whether a copy has still to be handed out."""
    return copy.state == "prepared"


def is_returned(copy: ControlledCopy) -> bool:
    """Say whether a copy came back and waits to be destroyed or archived."""
    return copy.state == "returned"


def copies_of(session: Session, revision: Revision) -> list[ControlledCopy]:
    """Return the copies of a revision by number."""
    return list(
        session.scalars(_loaded().where(ControlledCopy.revision_id == revision.id).order_by(ControlledCopy.number))
    )


def held_of(session: Session, revision_ids: list[int]) -> list[ControlledCopy]:
    """Return the copies of revisions that are still out, by revision and number."""
    query = _loaded().where(ControlledCopy.revision_id.in_(revision_ids), ControlledCopy.state.in_(HELD))
    return list(session.scalars(query.order_by(ControlledCopy.revision_id, ControlledCopy.number)))


def count_held(session: Session, revision_ids: list[int]) -> int:
    """Return how many copies of revisions are still out: what a decision would recall."""
    query = select(func.count()).where(ControlledCopy.revision_id.in_(revision_ids), ControlledCopy.state.in_(HELD))
    return session.scalar(query) or 0


def to_receive(session: Session, *, by: Reader) -> list[ControlledCopy]:
    """Return the copies that were handed to a person, or to the person's unit, and wait for the receipt."""
    return _mine(session, by, ("delivered",))


def to_return(session: Session, *, by: Reader) -> list[ControlledCopy]:
    """Return the copies that a person, or the person's unit, has to bring back."""
    return _mine(session, by, ("return_requested",))


def to_deliver(session: Session, *, by: Reader) -> list[ControlledCopy]:
    """Return the copies that a document controller has still to hand out, by code and number."""
    if not by.has("controller"):
        return []
    found = session.scalars(_loaded().where(ControlledCopy.state == "prepared"))
    mine = [row for row in found if "controller" in by.roles_in(row.revision.document.unit_id)]
    return sorted(mine, key=lambda row: (row.revision.document.code_key, row.revision_id, row.number))


def load(session: Session, copy_id: int, *, by: Reader) -> ControlledCopy | None:
    """Return a copy: of one's own holding, or any for those who see everything."""
    found = session.scalars(_loaded().where(ControlledCopy.id == copy_id)).first()
    return found if found and (by.sees_everything or facts(found, by=by).roles) else None


def seen_by(
    session: Session, *, by: Reader, revision_id: int | None = None, state: str = "", first: int = 0, limit: int = 50
) -> tuple[list[ControlledCopy], int]:
    """Return copies by revision and number, and how many there are: what one may see, or else what one holds."""
    own = _held_by(by)
    wanted = [or_(own, revisions.visible(by)) if may_see(by) else own]
    wanted += [ControlledCopy.revision_id == revision_id] if revision_id is not None else []
    wanted += [ControlledCopy.state == state] if state else []
    query = _loaded().join(Revision, Revision.id == ControlledCopy.revision_id).join(Document).where(*wanted)
    found = select(func.count()).select_from(query.with_only_columns(ControlledCopy.id).subquery())
    ordered = query.order_by(ControlledCopy.revision_id, ControlledCopy.number)
    return list(session.scalars(ordered.offset(first).limit(limit))), session.scalar(found) or 0


def find(session: Session, typed: str) -> ControlledCopy:
    """Return the copy that a scanner or a person named: `C12`, an address ending in it, or `code|edition|number`.

    Raises Refused with what can be typed.
    """
    typed = typed.strip()
    wanted = _loaded()
    if mark := _MARK.search(typed.upper()):
        found = session.scalars(wanted.where(ControlledCopy.id == int(mark["id"][:9]))).all()
    elif parts := _NUMBER.match(typed):
        found = session.scalars(
            wanted.join(Revision, Revision.id == ControlledCopy.revision_id)
            .join(Document)
            .where(
                Document.code_key == code_key(parts["code"]),
                Revision.edition == int(parts["edition"]),
                Revision.amendment == int(parts["amendment"] or 0),
                ControlledCopy.number == int(parts["number"]),
            )
        ).all()
    else:
        found = []
    if len(found) != 1:
        raise Refused(
            Sentence(
                "Không có bản kiểm soát nào ứng với “{typed}”. Hãy quét mã trên bản giấy, ghi C và số của bản (ví dụ C12), "
                "hoặc mã|lần|số (ví dụ QT-TP-01|02/00|003).",
                "No controlled copy answers to “{typed}”. Scan the mark on the copy, type C and its number (such as C12), "
                "or code|edition|number (such as QT-TP-01|02/00|003).",
            ).fill(typed=typed[:80]),
            field="copy",
        )
    copy: ControlledCopy = found[0]
    return copy


def counted(session: Session, *wanted: Any, issued: int) -> Ledger:
    """Count copies by where they are."""

    def among(*states: str) -> Any:
        return func.coalesce(func.sum(case((ControlledCopy.state.in_(states), 1), else_=0)), 0)

    row = session.execute(
        select(among(*HELD), among("returned"), among("destroyed"), among("archived"), among("lost")).where(*wanted)
    ).one()
    return Ledger(issued, *row)


def hand_over(session: Session, leaving: Account, heir: Account, *, by: Account | None) -> int:
    """Give the copies that somebody who leaves still holds to a successor; returns how many."""
    held = held_by(session, person=leaving)
    for copy in held:
        _give(session, copy, by=by, account_id=heir.id)
    return len(held)


def hand_over_unit(session: Session, ending: Unit, heir: Unit, *, by: Account | None) -> int:
    """Give the copies that a unit holds to the unit in which its work goes on; returns how many."""
    held = held_by(session, unit=ending)
    for copy in held:
        _give(session, copy, by=by, unit_id=heir.id)
    return len(held)


def held_by(session: Session, *, person: Account | None = None, unit: Unit | None = None) -> list[ControlledCopy]:
    """Return the copies that are still out with a person or with a unit, oldest first."""
    whose = ControlledCopy.account_id == person.id if person else ControlledCopy.unit_id == (unit.id if unit else None)
    query = select(ControlledCopy).where(whose, ControlledCopy.state.in_(HELD)).order_by(ControlledCopy.id)
    return list(session.scalars(query))


def _give(session: Session, copy: ControlledCopy, *, by: Account | None, **to: int) -> None:
    before = {name: getattr(copy, name) for name in to}
    for name, value in to.items():
        setattr(copy, name, value)
    copy.lock += 1
    session.flush()
    session.expire(copy, ["unit", "account"])
    audit.record(
        session,
        Action.COPY_HANDED_OVER,
        by=by,
        noun=copy.NOUN,
        record_id=copy.id,
        document_id=copy.revision.document_id,
        before=before,
        **to,
    )


def recorded(copy: ControlledCopy) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a copy begins."""
    return {
        "revision_id": copy.revision_id,
        "number": copy.number,
        "total": copy.total,
        "medium": copy.medium,
        "unit_id": copy.unit_id,
        "account_id": copy.account_id,
        "state": copy.state,
        "workflow": copy.workflow,
        "workflow_version": copy.workflow_version,
        "made_at": copy.made_at,
        "delivered_at": copy.delivered_at,
        "delivered_by_id": copy.delivered_by_id,
        "received_at": copy.received_at,
        "received_by_id": copy.received_by_id,
        "settled_at": copy.settled_at,
        "settled_by_id": copy.settled_by_id,
        "condition": copy.condition or "",
    }


def _mine(session: Session, by: Reader, states: tuple[str, ...]) -> list[ControlledCopy]:
    query = _loaded().where(_held_by(by), ControlledCopy.state.in_(states))
    return list(session.scalars(query.order_by(ControlledCopy.revision_id, ControlledCopy.number)))


def _held_by(by: Reader) -> Any:
    return or_(ControlledCopy.account_id == by.id, ControlledCopy.unit_id == by.account.unit_id)


def _loaded() -> Any:
    return select(ControlledCopy).options(
        joinedload(ControlledCopy.revision).joinedload(Revision.document).joinedload(Document.unit),
        joinedload(ControlledCopy.unit),
        joinedload(ControlledCopy.account),
    )
