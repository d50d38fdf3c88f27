"""The audit trail: an append-only, hash-chained record of every act, written in the act's own transaction."""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Index, String, Text, event, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import clock
from docctl.database import Base, Instant, Kept, iso
from docctl.people import Account

GENESIS = "0" * 64
READERS = ("auditor", "controller", "admin")  # The roles that read the whole trail.


class Action(StrEnum):
    """What can happen, as `noun.past`: the words of the trail, of search's follower and of the reports."""

    SIGNED_IN = "account.signed_in"
    SIGNED_OUT = "account.signed_out"
    SIGN_IN_REFUSED = "account.sign_in_refused"
    ACCOUNT_ADDED = "account.added"
    ACCOUNT_DISABLED = "account.disabled"
    MAIL_CHOSEN = "account.mail_chosen"
    PASSWORD_CHANGED = "account.password_changed"  # noqa: S105 - the name of an act, not a password.
    UNIT_ADDED = "unit.added"
    UNIT_RENAMED = "unit.renamed"
    UNIT_MERGED = "unit.merged"
    UNIT_SPLIT = "unit.split"
    TYPE_ADDED = "document_type.added"
    WORKFLOW_REGISTERED = "workflow.registered"
    ACT_REFUSED = "act.refused"
    DOCUMENT_ADDED = "document.added"
    DOCUMENT_RENAMED = "document.renamed"
    DOCUMENT_MOVED = "document.moved"
    CODE_SETTLED = "document.code_settled"
    CONFIDENTIALITY_SET = "document.confidentiality_set"
    REVISION_DRAFTED = "revision.drafted"
    REVISION_IMPORTED = "revision.imported"
    REVISION_EDITED = "revision.edited"
    REVISION_MOVED = "revision.moved"
    REVISION_SUPERSEDED = "revision.superseded"
    HISTORY_IMPORTED = "history_event.imported"
    TEXT_EXTRACTED = "content.extracted"
    TEXT_ASKED_AGAIN = "content.asked_again"
    RENDITION_SETTLED = "rendition.settled"
    RENDITION_MADE = "rendition.made"
    DECISION_DRAFTED = "decision.drafted"
    DECISION_EDITED = "decision.edited"
    DECISION_MOVED = "decision.moved"
    DECISION_SCANNED = "decision_scan.attached"
    DECISION_CORRECTED = "correction.made"
    OBLIGATION_BEGUN = "obligation.begun"
    OBLIGATION_CLOSED = "obligation.closed"
    DECISION_POSTED = "posting.made"
    DISTRIBUTION_LISTED = "distribution_entry.listed"
    DISTRIBUTION_UNLISTED = "distribution_entry.unlisted"
    DISTRIBUTION_MADE = "distribution.made"
    DISTRIBUTION_EXTENDED = "distribution.extended"
    READ_TASK_ASKED = "read_task.asked"
    READ_TASK_MOVED = "read_task.moved"
    COPY_PREPARED = "controlled_copy.prepared"
    COPY_MOVED = "controlled_copy.moved"
    RECALL_OPENED = "recall.opened"
    RECALL_EDITED = "recall.edited"
    RECALL_MOVED = "recall.moved"
    TYPE_CHANGED = "document_type.changed"
    HOLD_PLACED = "retention_hold.placed"
    HOLD_RELEASED = "retention_hold.released"
    DISPOSAL_DRAFTED = "disposal.drafted"
    DISPOSAL_EDITED = "disposal.edited"
    DISPOSAL_MOVED = "disposal.moved"
    CONTENT_DISPOSED = "content.disposed"
    COPY_HANDED_OVER = "controlled_copy.handed_over"
    REQUEST_DRAFTED = "change_request.drafted"
    REQUEST_EDITED = "change_request.edited"
    REQUEST_MOVED = "change_request.moved"
    REQUEST_OPENED_DRAFT = "change_request.opened_draft"
    OPINION_GIVEN = "opinion.given"
    DELEGATION_MADE = "delegation.made"
    DELEGATION_ENDED = "delegation.ended"
    TRAIL_RESTORED = "trail.restored"
    CONFIGURATION_KEPT = "configuration.kept"
    SCHEMA_UPGRADED = "schema.upgraded"
    TRAIL_READ = "trail.read"
    TRAIL_EXPORTED = "trail.exported"
    EVIDENCE_TAKEN = "evidence.taken"
    INDEX_REBUILD_ASKED = "index.rebuild_asked"
    HOLIDAY_LISTED = "holiday.listed"
    HOLIDAY_REMOVED = "holiday.removed"
    EXTERNAL_ADDED = "external_document.added"
    EXTERNAL_CHANGED = "external_document.changed"
    PROCEDURE_ADDED = "procedure.added"
    PROCEDURE_CHANGED = "procedure.changed"
    PROCEDURE_LINKED = "procedure_link.made"
    PROCEDURE_UNLINKED = "procedure_link.ended"
    ASSESSMENT_OPENED = "legal_assessment.opened"
    ASSESSMENT_MOVED = "legal_assessment.moved"
    ASSESSMENT_REQUESTED = "legal_assessment.requested"
    CITATION_JUDGED = "citation_verdict.given"
    INTERNAL_AUDIT_OPENED = "internal_audit.opened"
    INTERNAL_AUDIT_EDITED = "internal_audit.edited"
    INTERNAL_AUDIT_MOVED = "internal_audit.moved"
    AUDIT_DRAWN = "audit_draw.drawn"
    AUDIT_SAMPLED = "audit_sample.taken"
    AUDIT_WALKED = "audit_sample.walked"
    NONCONFORMITY_RAISED = "nonconformity.raised"
    NONCONFORMITY_EDITED = "nonconformity.edited"
    NONCONFORMITY_MOVED = "nonconformity.moved"
    NONCONFORMITY_EVIDENCED = "nonconformity_evidence.linked"
    REVIEW_DONE = "review.done"
    FIGURE_TYPED = "typed_figure.typed"
    POINTS_CLAIMED = "claim.made"
    TOKEN_MADE = "token.made"  # noqa: S105 - the name of an act, not a password.
    TOKEN_ENDED = "token.ended"  # noqa: S105 - the name of an act, not a password.


class AuditEntry(Base):
    """One act: who, with which title that day, did what to which record, with the changed values in `detail`."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_record", "noun", "record_id"),)

    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant, index=True)
    actor_id: Mapped[int | None]
    actor: Mapped[str] = mapped_column(String(200))
    actor_title: Mapped[str] = mapped_column(String(200))
    action: Mapped[str] = mapped_column(String(60), index=True)
    noun: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int | None]
    document_id: Mapped[int | None] = mapped_column(index=True)
    detail: Mapped[str] = mapped_column(Text)
    prev_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64), unique=True)

    @property
    def values(self) -> dict[str, Any]:
        """The detail as a dictionary."""
        loaded: dict[str, Any] = json.loads(self.detail)
        return loaded


@dataclass(frozen=True)
class Head:
    """The end of the trail: print it, keep it, and a cut tail or a rewritten history shows."""

    sequence: int
    hash: str


class Anchored:
    """Mixed into the tables of papers on which the end of the trail is printed, as it was when they were signed."""

    head_sequence: Mapped[int | None]
    head_hash: Mapped[str] = mapped_column(String(64), default="")

    @property
    def head(self) -> Head | None:
        """The end of the trail that is printed; None until the paper is signed."""
        return Head(self.head_sequence, self.head_hash) if self.head_sequence is not None else None


def record(
    session: Session,
    action: str,
    *,
    by: Account | None,
    noun: str = "",
    record_id: int | None = None,
    document_id: int | None = None,
    **detail: Any,
) -> AuditEntry:
    """Append one entry in the caller's transaction, which must hold the write lock."""
    hold(session)
    session.flush()
    if written := session.info.pop("written", None):
        detail["kept"] = _kept(session, written)
    last = head(session)
    entry = AuditEntry(
        sequence=last.sequence + 1,
        at=clock.now(),
        actor_id=by.id if by else None,
        actor=by.full_name if by else "docctl",
        actor_title=by.title_vi if by else "",
        action=str(action),
        noun=noun,
        record_id=record_id,
        document_id=document_id,
        detail=canonical(detail),
        prev_hash=last.hash,
    )
    entry.hash = entry_hash(entry)
    session.add(entry)
    session.flush()
    return entry


def edited(
    session: Session,
    action: str,
    row: Any,
    *,
    by: Account | None,
    before: dict[str, Any],
    after: dict[str, Any],
    document_id: int | None = None,
) -> bool:
    """Tell what was written anew on a record, with what stood there before, and raise its lock; False when nothing changed."""
    changed = {name: value for name, value in after.items() if value != before[name]}
    if not changed:
        return False
    row.lock += 1
    session.flush()
    was = {name: before[name] for name in changed}
    record(session, action, by=by, noun=row.NOUN, record_id=row.id, document_id=document_id, before=was, **changed)
    return True


@event.listens_for(Session, "before_commit")
def _tell_written(session: Session) -> None:
    """Tell of kept rows that were written without an entry of the act: none goes into the database untold."""
    session.flush()
    if session.info.get("written"):
        record(session, Action.CONFIGURATION_KEPT, by=None, noun="configuration")


def take_stock(session: Session, schema: str) -> None:
    """Record that the schema came to a version, and every kept row of which the trail does not tell yet, as it was found."""
    record(session, Action.SCHEMA_UPGRADED, by=None, noun="schema", schema=schema)
    found: list[tuple[str, tuple[Any, ...], type[Kept]]] = []
    for name, table in kept_tables().items():
        known = told_of(session, name)
        columns = Base.metadata.tables[name].primary_key.columns
        keys = (tuple(row) for row in session.execute(select(*columns).order_by(*columns)))
        found += [(name, key, table) for key in keys if key_text(key) not in known]
    for begin in range(0, len(found), 500):
        session.info["written"] = {(name, key): table for name, key, table in found[begin : begin + 500]}
        record(session, Action.CONFIGURATION_KEPT, by=None, noun="configuration", found=True)


def kept_tables() -> dict[str, type[Kept]]:
    """Return the tables whose rows the trail repeats, by name."""
    kept = (mapper for mapper in Base.registry.mappers if issubclass(mapper.class_, Kept))
    return {mapper.local_table.description: mapper.class_ for mapper in kept}


def told_of(session: Session, table: str) -> set[str]:
    """Return the keys of a table's rows that the trail has told of, those that are gone too."""
    telling = select(AuditEntry.detail).where(AuditEntry.detail.contains('"kept":{'))
    found: set[str] = set()
    for detail in session.scalars(telling.execution_options(yield_per=500)):
        found |= (json.loads(detail).get("kept") or {}).get(table, {}).keys()
    return found


def key_text(key: Iterable[Any]) -> str:
    """Return the key of a row as one text."""
    return "|".join(_plain(part) for part in key)


def sealed(value: Any) -> Any:
    """Return the SHA-256 of a value that the trail keeps to itself; nothing for nothing."""
    return hashlib.sha256(str(value).encode()).hexdigest() if value else value


def hold(session: Session) -> None:
    """Wait until nobody else writes: one writer of the chain at a time. SQLite's BEGIN IMMEDIATE already says so."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(7235920)"))


_HEAD = select(AuditEntry.sequence, AuditEntry.hash).order_by(AuditEntry.sequence.desc()).limit(1)


def head(session: Session) -> Head:
    """Return the sequence and hash of the newest entry; sequence 0 for an empty trail."""
    newest = session.execute(_HEAD).first()
    return Head(newest.sequence, newest.hash) if newest else Head(0, GENESIS)


def entry_hash(entry: AuditEntry) -> str:
    """Return the SHA-256, in hex, over every column of the entry and the hash of the entry before it."""
    return hash_of(
        [
            entry.sequence,
            iso(entry.at),
            entry.actor_id,
            entry.actor,
            entry.actor_title,
            entry.action,
            entry.noun,
            entry.record_id,
            entry.document_id,
            entry.detail,
            entry.prev_hash,
        ]
    )


def hash_of(columns: list[Any]) -> str:
    """Return the SHA-256, in hex, over the columns of an entry, from its sequence to the hash before it."""
    return hashlib.sha256(canonical(columns).encode()).hexdigest()


def canonical(value: Any) -> str:
    """Write a value as JSON in one way only: sorted keys, no spaces, dates as ISO text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)


def entries(session: Session, *, after: int = 0) -> Iterator[AuditEntry]:
    """Yield the entries past a sequence, oldest first, in chunks so that a long trail needs little memory."""
    query = select(AuditEntry).where(AuditEntry.sequence > after).order_by(AuditEntry.sequence)
    yield from session.scalars(query.execution_options(yield_per=500))


def past(session: Session, after: int, *, document_id: int | None = None, limit: int = 50) -> list[AuditEntry]:
    """Return some entries past a sequence, oldest first, of one document or of everything."""
    query = select(AuditEntry).where(AuditEntry.sequence > after).order_by(AuditEntry.sequence).limit(limit)
    if document_id is not None:
        query = query.where(AuditEntry.document_id == document_id)
    return list(session.scalars(query))


def of_document(session: Session, document_id: int) -> list[AuditEntry]:
    """Return every entry about a document, its revisions and their decisions' acts on it, oldest first."""
    return list(
        session.scalars(select(AuditEntry).where(AuditEntry.document_id == document_id).order_by(AuditEntry.sequence))
    )


def of_record(session: Session, noun: str, record_id: int) -> list[AuditEntry]:
    """Return every entry about one record, oldest first."""
    query = select(AuditEntry).where(AuditEntry.noun == noun, AuditEntry.record_id == record_id)
    return list(session.scalars(query.order_by(AuditEntry.sequence)))


def as_dict(entry: AuditEntry) -> dict[str, Any]:
    """Return every column of an entry as stored, for an export that can be hashed again."""
    return {column.name: _simple(getattr(entry, column.name)) for column in AuditEntry.__table__.columns}


def page(
    session: Session,
    *,
    actor_id: int | None = None,
    action: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    document_ids: Collection[int] | None = None,
    limit: int | None = 50,
    offset: int = 0,
) -> tuple[int, list[AuditEntry]]:
    """Return how many entries there are of a person, of an act, in `since <= at < until`, and some, newest first."""
    wanted: list[ColumnElement[bool]] = []
    if document_ids is not None:
        wanted.append(AuditEntry.document_id.in_(document_ids))
    if actor_id is not None:
        wanted.append(AuditEntry.actor_id == actor_id)
    if action:
        wanted.append(AuditEntry.action == action)
    if since is not None:
        wanted.append(AuditEntry.at >= since)
    if until is not None:
        wanted.append(AuditEntry.at < until)
    total = session.scalar(select(func.count()).select_from(AuditEntry).where(*wanted)) or 0
    query = select(AuditEntry).where(*wanted).order_by(AuditEntry.sequence.desc()).limit(limit).offset(offset)
    return total, list(session.scalars(query))


def documents_touched(session: Session, *, after: int) -> tuple[int, set[int]]:
    """Return the trail's position and the ids of the documents that entries past `after` are about."""
    position = session.scalar(select(func.max(AuditEntry.sequence))) or 0
    touched = session.scalars(
        select(AuditEntry.document_id)
        .where(AuditEntry.sequence > after, AuditEntry.sequence <= position, AuditEntry.document_id.is_not(None))
        .distinct()
    )
    return position, {document_id for document_id in touched if document_id is not None}


def _kept(session: Session, written: dict[tuple[str, tuple[Any, ...]], type[Kept]]) -> dict[str, dict[str, Any]]:
    """Return rows as they now are, by table and key; None for one that is gone."""
    told: dict[str, dict[str, Any]] = {}
    for (name, key), kind in sorted(written.items(), key=lambda item: (item[0][0], key_text(item[0][1]))):
        table = Base.metadata.tables[name]
        columns = [column for column in table.columns if column.name not in kind.UNTOLD]
        same = (column == part for column, part in zip(table.primary_key.columns, key, strict=True))
        row = session.execute(select(*columns).where(*same)).mappings().first()
        rows = told.setdefault(name, {})
        if row is None:
            rows[key_text(key)] = None
            continue
        said = {column: sealed(value) if column in kind.SEALED else value for column, value in row.items()}
        rows[key_text(key)] = said | kind.beside(session.connection(), key_text(key))
    return told


def _simple(value: Any) -> Any:
    return iso(value) if isinstance(value, datetime) else value


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
