"""What issuing a revision distributes, in the decision's own transaction: read tasks and numbered copies."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from docctl import audit, clock, lifecycle, revisions, workflow
from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.distribution import copies, reading
from docctl.distribution.copies import ControlledCopy, Ledger
from docctl.distribution.lists import MOST_COPIES, Directory, Holding, refuse_unless_controller
from docctl.distribution.reading import ReadTask
from docctl.documents import Document
from docctl.people import Account, Reader
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Facts, Refused, Sentence
from docctl.units import Unit
from docctl.workflow import Workflow


class Distribution(Base):
    """How many copies of a revision were issued, and how many people were asked to read it: what its ledger must add up to."""

    __tablename__ = "distribution"
    NOUN: ClassVar[str] = "distribution"
    __table_args__ = (CheckConstraint("issued >= 0 AND asked >= 0", name="counts"),)

    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), primary_key=True, autoincrement=False)
    issued: Mapped[int]
    asked: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    revision: Mapped[Revision] = relationship()


class Issuing:
    """The distribution of what one decision issues: lists, people and workflows are read once for all its lines."""

    def __init__(self, session: Session, *, by: Reader) -> None:
        self.session, self.by = session, by
        self.directory = Directory(session)
        known = Facts(actor=by.id, roles=by.roles_in(None), executing=True)
        self.task_begins = _beginning(session, "read_task", "ask", known)
        self.copy_begins = _beginning(session, "controlled_copy", "prepare", known)

    def issue(self, revision: Revision) -> Distribution | None:
        """Make the read tasks and copies that the list of the revision's document asks for; None where it has no list.

        A change that is not marked major is not asked for again of those who have understood an earlier edition.
        """
        plan = self.directory.plan(revision.document)
        if not plan.readers and not plan.holdings:
            return None
        knows = set() if revision.major else self._knows(revision)
        readers = [account_id for account_id in plan.readers if account_id not in knows]
        made = Distribution(
            revision_id=revision.id,
            issued=len(plan.holdings),
            asked=len(readers),
            made_at=clock.now(),
            made_by_id=self.by.id,
        )
        self.session.add(made)
        self.session.flush()
        tasks = self._ask(revision, readers, made.made_at)
        audit.record(
            self.session,
            Action.DISTRIBUTION_MADE,
            by=self.by.account,
            noun=made.NOUN,
            record_id=revision.id,
            document_id=revision.document_id,
            issued=made.issued,
            asked=made.asked,
            made_at=made.made_at,
            made_by_id=made.made_by_id,
            workflow=self.task_begins[0].name,
            workflow_version=self.task_begins[0].version,
            tasks=[[task.id, task.account_id] for task in tasks],
        )
        for number, holding in enumerate(plan.holdings, start=1):
            self.prepare(revision, holding, number, len(plan.holdings))
        return made

    def prepare(self, revision: Revision, holding: Holding, number: int, total: int) -> ControlledCopy:
        """Make one numbered copy for its holder."""
        follows, state = self.copy_begins
        copy = ControlledCopy(
            revision_id=revision.id,
            number=number,
            total=total,
            medium=holding.medium,
            unit_id=holding.unit_id,
            account_id=holding.account_id,
            state=state,
            **lifecycle.begun(follows),
            made_at=clock.now(),
        )
        copy.revision = revision
        self.session.add(copy)
        self.session.flush()
        audit.record(
            self.session,
            Action.COPY_PREPARED,
            by=self.by.account,
            noun=copy.NOUN,
            record_id=copy.id,
            document_id=revision.document_id,
            **copies.recorded(copy),
        )
        return copy

    def _ask(self, revision: Revision, readers: list[int], at: datetime) -> list[ReadTask]:
        follows, state = self.task_begins
        tasks = [
            ReadTask(
                revision_id=revision.id,
                account_id=account_id,
                state=state,
                **lifecycle.begun(follows),
                asked_at=at,
            )
            for account_id in readers
        ]
        self.session.add_all(tasks)
        self.session.flush()
        return tasks

    def _knows(self, revision: Revision) -> set[int]:
        return reading.understood_before(self.session, [revision.document_id]).get(revision.document_id, set())


def issue_more(
    session: Session,
    revision: Revision,
    *,
    by: Reader,
    medium: str,
    count: int,
    unit: Unit | None = None,
    person: Account | None = None,
) -> list[ControlledCopy]:
    """Make further copies of a revision that is issued; their numbers go on where the others end."""
    refuse_unless_controller(by, revision.document)
    if revision.state not in WAS_ISSUED or (revision.effective_to and revision.effective_to <= clock.now()):
        raise Refused(
            Sentence(
                "Chỉ phát thêm bản của phiên bản đã ban hành và chưa hết hiệu lực.",
                "Further copies are made only of a revision that is issued and has not ended.",
            )
        )
    if (unit is None) == (person is None):
        raise Refused(Sentence("Hãy chọn một nơi giữ.", "Choose one holder."), field="holder")
    made = of_revision(session, revision)
    before = made.issued if made else 0
    if not 1 <= count <= MOST_COPIES:
        raise Refused(
            Sentence("Số bản từ 1 đến {n}.", "The number of copies is from 1 to {n}.").fill(n=MOST_COPIES),
            field="copies",
        )
    issuing = Issuing(session, by=by)
    total = before + count
    _count_more(session, revision, made, total, by=by)
    holding = Holding(medium, unit.id if unit else None, person.id if person else None)
    return [issuing.prepare(revision, holding, number, total) for number in range(before + 1, total + 1)]


def of_revision(session: Session, revision: Revision) -> Distribution | None:
    """Return what was distributed of a revision, None where nothing was."""
    return session.get(Distribution, revision.id)


def seen_by(session: Session, *, by: Reader, first: int = 0, limit: int = 50) -> tuple[list[Distribution], int]:
    """Return what was distributed of the revisions that somebody may see, newest first, and how many there are."""
    query = (
        select(Distribution)
        .join(Revision, Revision.id == Distribution.revision_id)
        .join(Document)
        .where(revisions.visible(by))
        .order_by(Distribution.made_at.desc(), Distribution.revision_id.desc())
    )
    found = select(func.count()).select_from(query.with_only_columns(Distribution.revision_id).subquery())
    return list(session.scalars(query.offset(first).limit(limit))), session.scalar(found) or 0


def recent(session: Session, *, limit: int, offset: int = 0) -> list[Distribution]:
    """Return what was distributed, newest first."""
    query = select(Distribution).order_by(Distribution.made_at.desc(), Distribution.revision_id.desc())
    return list(session.scalars(query.limit(limit).offset(offset)))


def total(session: Session) -> int:
    """Return how many revisions were distributed."""
    return int(session.scalar(text("SELECT count(*) FROM distribution")) or 0)


def ledger(session: Session, revision: Revision) -> Ledger:
    """Count where the copies of a revision are; what was issued is what its distribution says, whatever the copies say."""
    made = of_revision(session, revision)
    return copies.counted(
        session, ControlledCopy.revision_id == revision.id, issued=made.issued if made is not None else 0
    )


def _count_more(session: Session, revision: Revision, made: Distribution | None, total: int, *, by: Reader) -> None:
    detail: dict[str, Any] = {"issued": total}
    if made is None:
        made = Distribution(revision_id=revision.id, issued=total, asked=0, made_at=clock.now(), made_by_id=by.id)
        session.add(made)
        detail |= {"asked": 0, "made_at": made.made_at, "made_by_id": by.id, "tasks": []}
        action = Action.DISTRIBUTION_MADE
    else:
        detail["before"], made.issued = {"issued": made.issued}, total
        action = Action.DISTRIBUTION_EXTENDED
    session.flush()
    audit.record(
        session,
        action,
        by=by.account,
        noun=made.NOUN,
        record_id=revision.id,
        document_id=revision.document_id,
        **detail,
    )


def _beginning(session: Session, name: str, trigger: str, known: Facts) -> tuple[Workflow, str]:
    follows = lifecycle.newest(session, name)
    return follows, workflow.fire(follows, None, trigger, known)
