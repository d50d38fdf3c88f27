"""Recalls: a decision ends an edition, its copies come back or are declared lost, and signed minutes say that all add up."""

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, clock, lifecycle, workflow
from docctl.audit import Action, Anchored
from docctl.database import Base, Instant
from docctl.distribution import HELD, ControlledCopy, Ledger, copies
from docctl.documents import Document
from docctl.lifecycle import Stale, Subject
from docctl.people import Reader, Reauthenticated
from docctl.revisions import Revision
from docctl.rules import Facts, NoRole, Refused, Sentence, lacks
from docctl.text import clean_name
from docctl.workflow import Act

BUCKETS = ("returned", "destroyed", "archived", "lost")
ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được ghi thu hồi và sửa biên bản.",
    "Only a document controller may record returns and change the minutes.",
)

ONLY_KEEPERS = Sentence(
    "Chỉ người kiểm soát tài liệu, đánh giá viên và người xem xét, phê duyệt mới xem được đợt thu hồi.",
    "Only document controllers, auditors, reviewers and approvers see recalls.",
)


class Recall(Subject, Anchored, Base):
    """The recall that a decision opened, and its minutes (F6); from reconciling on its words and numbers are fixed."""

    __tablename__ = "recall"
    NOUN: ClassVar[str] = "recall"
    MOVED: ClassVar[Action] = Action.RECALL_MOVED
    __table_args__ = (
        CheckConstraint("state IN ('open', 'reconciled', 'closed')", name="state"),
        CheckConstraint(
            "state = 'open' OR (number <> '' AND held_on IS NOT NULL AND participants <> '' AND content_hash IS NOT NULL "
            "AND issued IS NOT NULL AND issued = returned + destroyed + archived + lost)",
            name="balance",
        ),
        CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed"),
        Index("uq_recall_decision", "decision_id", unique=True),
        Index(
            "uq_recall_number",
            "year",
            "number",
            unique=True,
            sqlite_where=text("state <> 'open'"),
            postgresql_where=text("state <> 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"))
    number: Mapped[str] = mapped_column(String(80), default="")
    year: Mapped[int | None]
    held_on: Mapped[date | None]
    basis: Mapped[str] = mapped_column(Text)
    participants: Mapped[str] = mapped_column(Text, default="")
    due_on: Mapped[date]
    state: Mapped[str] = mapped_column(String(12))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    issued: Mapped[int | None]
    returned: Mapped[int | None]
    destroyed: Mapped[int | None]
    archived: Mapped[int | None]
    lost: Mapped[int | None]
    opened_at: Mapped[datetime] = mapped_column(Instant)
    closed_at: Mapped[datetime | None] = mapped_column(Instant)


class RecallLine(Base):
    """A copy that a recall asks back, and by when."""

    __tablename__ = "recall_line"

    copy_id: Mapped[int] = mapped_column(ForeignKey("controlled_copy.id"), primary_key=True, autoincrement=False)
    recall_id: Mapped[int] = mapped_column(ForeignKey("recall.id"), index=True)
    due_on: Mapped[date]

    copy: Mapped[ControlledCopy] = relationship()

    @property
    def late(self) -> bool:
        """Whether the copy came back after its day, or is still out past it."""
        settled = clock.local(self.copy.settled_at).date() if self.copy.settled_at else clock.today()
        return settled > self.due_on


def begin(
    session: Session, *, by: Reader, decision_id: int, number: str, ends: datetime, ended: Sequence[Revision]
) -> Recall | None:
    """Ask every outstanding copy of what a decision ended back, in the decision's transaction; None where none is out."""
    held = copies.held_of(session, [row.id for row in ended])
    if not held:
        return None
    follows = lifecycle.newest(session, "recall")
    known = Facts(actor=by.id, roles=by.roles_in(None), executing=True)
    first = max(clock.local(ends).date(), clock.today())
    due = {copy.id: first + timedelta(days=copy.revision.document.type.recall_days) for copy in held}
    recall = Recall(
        decision_id=decision_id,
        basis=Sentence("Quyết định số {number}", "Decision {number}").fill(number=number).vi,
        due_on=max(due.values()),
        state=workflow.fire(follows, None, "begin", known),
        **lifecycle.begun(follows),
        opened_at=clock.now(),
    )
    session.add(recall)
    session.flush()
    session.add_all(RecallLine(copy_id=copy.id, recall_id=recall.id, due_on=due[copy.id]) for copy in held)
    session.flush()
    audit.record(
        session,
        Action.RECALL_OPENED,
        by=by.account,
        noun=recall.NOUN,
        record_id=recall.id,
        decision=number,
        lines=[[copy.id, due[copy.id].isoformat()] for copy in sorted(held, key=lambda copy: copy.id)],
        **recorded(recall),
    )
    for copy in held:
        copies.act(session, copy, "recall", by=by, executing=True, due_on=due[copy.id], recall_id=recall.id)
    return recall


def edit(
    session: Session,
    recall: Recall,
    *,
    by: Reader,
    number: str,
    held_on: date | None,
    participants: str,
    basis: str | None = None,
    seen: int | None = None,
) -> None:
    """Write what the minutes say: their number, the day, on what basis, and who took part."""
    refuse_unless_controller(by)
    if seen is not None and seen != recall.lock:
        raise Stale
    if recall.state != "open":
        raise Refused(
            Sentence(
                "Biên bản đã ký nên không sửa được; hãy mở lại trước.",
                "The minutes are signed and cannot be changed; reopen them first.",
            )
        )
    before = _words(recall)
    recall.number = " ".join(clean_name(number).split())[:80]
    recall.held_on, recall.year = held_on, held_on.year if held_on else None
    recall.participants = clean_name(participants).strip()
    recall.basis = clean_name(basis).strip() if basis is not None and basis.strip() else recall.basis
    audit.edited(session, Action.RECALL_EDITED, recall, by=by.account, before=before, after=_words(recall))


def take_back(session: Session, recall: Recall, typed: str, *, by: Reader, condition: str = "") -> ControlledCopy:
    """Record the return of a copy that was scanned or typed; of an electronic one, that it is destroyed."""
    copy = copies.find(session, typed)
    return settle(session, recall, copy, by=by, condition=condition)


def settle(
    session: Session, recall: Recall, copy: ControlledCopy, *, by: Reader, condition: str = "", lost: str = ""
) -> ControlledCopy:
    """Record what became of one copy of a recall: it came back, or (`lost`: the reason) it never will."""
    refuse_unless_controller(by)
    line = session.get(RecallLine, copy.id)
    name = f"{copy.revision.document.code} {copy.revision.edition_text} {copy.number_text}"
    if line is None or line.recall_id != recall.id:
        raise Refused(
            Sentence(
                "Bản {name} không thuộc đợt thu hồi này; hãy để riêng và xem sổ phân phối.",
                "Copy {name} does not belong to this recall; put it aside and look at its distribution.",
            ).fill(name=name),
            field="copy",
        )
    if copy.state not in HELD:
        raise Refused(
            Sentence("Bản {name} đã ghi rồi: {state}.", "Copy {name} is recorded already: {state}.").fill(
                name=name, state=lifecycle.label(session, copy)
            ),
            field="copy",
        )
    trigger = "declare_lost" if lost else "confirm_destroyed" if copy.medium == "electronic" else "return"
    copies.act(session, copy, trigger, by=by, reason=lost, condition=condition)
    return copy


def dispose(session: Session, recall: Recall, trigger: str, *, by: Reader) -> int:
    """Destroy or archive every returned copy of a recall; returns how many."""
    refuse_unless_controller(by)
    waiting = [line.copy for line in lines_of(session, recall) if line.copy.state == "returned"]
    for copy in waiting:
        copies.act(session, copy, trigger, by=by)
    return len(waiting)


def act(
    session: Session,
    recall: Recall,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> str:
    """Take a recall through reconcile, witness or reopen; the minutes refuse while a copy is unaccounted for."""
    known = facts(session, recall, by=by, reason=reason)
    changes: dict[str, Any] = {}
    content = recall.content_hash or ""
    if trigger == "reconcile":
        content = content_hash(session, recall)
        found, head = ledger(session, recall), audit.head(session)
        changes = {"content_hash": content, "issued": found.issued}
        changes |= {name: getattr(found, name) for name in BUCKETS}
        changes |= {"head_sequence": head.sequence, "head_hash": head.hash}
    elif trigger == "reopen":
        changes = dict.fromkeys(("content_hash", "issued", *BUCKETS, "head_sequence")) | {"head_hash": ""}
        changes["round"] = recall.round + 1
    elif trigger == "witness":
        changes = {"closed_at": clock.now()}
    return lifecycle.move(
        session,
        recall,
        trigger,
        by=by,
        facts=known,
        signing=signing,
        seen=seen,
        content_hash=content,
        changes=changes,
    )


def facts(session: Session, recall: Recall, *, by: Reader, reason: str = "") -> Facts:
    """Gather everything that a rule may ask about a recall and a person."""
    signed = lifecycle.signed_in_round(session, recall)
    return Facts(
        actor=by.id,
        roles=by.roles_in(None) | {role for role in by.reach if role == "reviewer"},
        endorsers=frozenset(row.account_id for row in signed),
        ledger=imbalance(session, recall),
        minutes=_missing(recall),
        reason=reason.strip(),
    )


def acts(session: Session, recall: Recall, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on the page of a recall."""
    return workflow.acts(lifecycle.workflow_of(session, recall), recall.state, facts(session, recall, by=by))


def ledger(session: Session, recall: Recall) -> Ledger:
    """Count where the copies of a recall are; issued are the lines of the recall, whatever the copies say."""
    issued = session.scalar(select(func.count()).where(RecallLine.recall_id == recall.id)) or 0
    wanted = select(RecallLine.copy_id).where(RecallLine.recall_id == recall.id)
    return copies.counted(session, ControlledCopy.id.in_(wanted), issued=issued)


def imbalance(session: Session, recall: Recall) -> Sentence | None:
    """Return why the minutes cannot be signed: copies that are still out, or a ledger that does not add up; else None."""
    held = [line.copy for line in lines_of(session, recall) if line.copy.state in HELD]
    if held:
        names = ", ".join(f"{copy.revision.document.code} {copy.number_text}" for copy in held[:5])
        return Sentence(
            "Còn {n} bản chưa thu hồi và chưa khai mất: {names}{more}. Hãy thu hoặc khai mất từng bản rồi ký.",
            "{n} copies are neither returned nor declared lost: {names}{more}. Take each back or declare it lost, then sign.",
        ).fill(n=len(held), names=names, more=" …" if len(held) > 5 else "")
    if ledger(session, recall).balances and not _unbalanced(session, recall):
        return None
    return Sentence(
        "Số bản đã phát không bằng số bản đã thu, hủy, lưu và mất. Hãy chạy docctl verify.",
        "The copies issued are not those returned, destroyed, archived and lost. Run docctl verify.",
    )


def content_hash(session: Session, recall: Recall) -> str:
    """Return the SHA-256, in hex, of what the minutes say: their words, and every copy with what became of it."""
    lines = [
        [line.copy_id, line.copy.state, line.copy.condition, line.copy.settled_at] for line in lines_of(session, recall)
    ]
    return hashlib.sha256(audit.canonical({**_words(recall), "lines": lines}).encode()).hexdigest()


def is_open(recall: Recall) -> bool:
    """Say whether copies can still be recorded and the minutes be written."""
    return recall.state == "open"


def lines_of(session: Session, recall: Recall) -> list[RecallLine]:
    """Return the copies of a recall by code and number, with where each is."""
    query = (
        select(RecallLine)
        .join(ControlledCopy, ControlledCopy.id == RecallLine.copy_id)
        .join(Revision, Revision.id == ControlledCopy.revision_id)
        .join(Document, Document.id == Revision.document_id)
        .where(RecallLine.recall_id == recall.id)
        .options(
            joinedload(RecallLine.copy)
            .joinedload(ControlledCopy.revision)
            .joinedload(Revision.document)
            .joinedload(Document.unit),
            joinedload(RecallLine.copy).joinedload(ControlledCopy.unit),
            joinedload(RecallLine.copy).joinedload(ControlledCopy.account),
            joinedload(RecallLine.copy).joinedload(ControlledCopy.settled_by),
        )
    )
    return list(session.scalars(query.order_by(Document.code_key, ControlledCopy.revision_id, ControlledCopy.number)))


def is_held(line: RecallLine) -> bool:
    """Say whether the copy of a line is still out."""
    return line.copy.state in HELD


def decision_number(session: Session, recall: Recall) -> str:
    """Return the number of the decision that opened a recall."""
    # The table of decisions is right of recalls, so it is asked by name and not imported.
    return str(session.scalar(text("SELECT number FROM decision WHERE id = :id"), {"id": recall.decision_id}) or "")


def of_decision(session: Session, decision_id: int) -> Recall | None:
    """Return the recall that a decision opened, if any."""
    return session.scalars(select(Recall).where(Recall.decision_id == decision_id)).first()


def all_recalls(session: Session) -> list[Recall]:
    """Return every recall, those that are not closed first, then the newest."""
    return list(session.scalars(select(Recall).order_by(Recall.state == "closed", Recall.id.desc())))


def load(session: Session, recall_id: int, *, by: Reader) -> Recall | None:
    """Return a recall as far as the person may see it."""
    return session.get(Recall, recall_id) if may_see(by) else None


def may_see(by: Reader) -> bool:
    """Say whether somebody may see recalls: whoever keeps, reviews or audits."""
    return by.has("controller", "auditor", "reviewer", "format_reviewer", "approver")


def refuse_unless_seeing(by: Reader) -> None:
    """Raise NoRole unless somebody may see recalls."""
    if not may_see(by):
        raise NoRole(ONLY_KEEPERS)


def keeps(by: Reader) -> bool:
    """Say whether somebody records returns and writes the minutes."""
    return "controller" in by.roles_in(None)


def refuse_unless_controller(by: Reader) -> None:
    """Raise NoRole unless somebody keeps the copies of the whole office."""
    if not keeps(by):
        raise NoRole(ONLY_CONTROLLER)


def still_out(session: Session, *, due_by: date) -> list[RecallLine]:
    """Return the copies that are still out and have to be back by a day, those due first before others."""
    query = (
        select(RecallLine)
        .join(ControlledCopy, ControlledCopy.id == RecallLine.copy_id)
        .where(ControlledCopy.state.in_(HELD), RecallLine.due_on <= due_by)
        .options(joinedload(RecallLine.copy))
    )
    return list(session.scalars(query.order_by(RecallLine.due_on, RecallLine.copy_id)))


def next_number(session: Session) -> str:
    """Return the number that the next minutes of the year would have: `02/BB-TH`."""
    year = clock.today().year
    signed = session.scalar(select(func.count()).where(Recall.year == year, Recall.state != "open")) or 0
    return f"{signed + 1:02d}/BB-TH"


def recorded(recall: Recall) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a recall begins."""
    return {
        "state": recall.state,
        "round": recall.round,
        "decision_id": recall.decision_id,
        "due_on": recall.due_on,
        "workflow": recall.workflow,
        "workflow_version": recall.workflow_version,
        "opened_at": recall.opened_at,
        "closed_at": recall.closed_at,
        "content_hash": recall.content_hash,
        **dict.fromkeys(("issued", *BUCKETS, "head_sequence")),
        "head_hash": recall.head_hash or "",
        **_words(recall),
    }


def _words(recall: Recall) -> dict[str, Any]:
    return {
        "number": recall.number or "",
        "held_on": recall.held_on.isoformat() if recall.held_on else None,
        "basis": recall.basis,
        "participants": recall.participants or "",
    }


def _missing(recall: Recall) -> Sentence | None:
    return lacks(
        Sentence("Biên bản còn thiếu: {what}.", "The minutes still lack: {what}."),
        (
            (Sentence("số biên bản", "its number"), recall.number),
            (Sentence("ngày lập", "its date"), recall.held_on),
            (Sentence("thành phần tham dự", "who took part"), recall.participants),
        ),
    )


def _unbalanced(session: Session, recall: Recall) -> bool:
    """Say whether a distribution says another number of copies than there are, for any revision of the recall."""
    return bool(session.scalar(text(UNBALANCED), {"recall": recall.id}))


UNBALANCED = (
    "SELECT 1 FROM distribution WHERE distribution.revision_id IN (SELECT controlled_copy.revision_id FROM recall_line "
    "JOIN controlled_copy ON controlled_copy.id = recall_line.copy_id WHERE recall_line.recall_id = :recall) "
    "AND distribution.issued <> (SELECT count(*) FROM controlled_copy "
    "WHERE controlled_copy.revision_id = distribution.revision_id)"
)
