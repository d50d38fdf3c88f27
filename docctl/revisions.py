"""Revisions: the immutable editions of documents, from draft to withdrawal, and what is in force."""

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    Text,
    and_,
    false,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, authority, clock, contents, lifecycle, people, workflow
from docctl.audit import Action, AuditEntry
from docctl.contents import Content
from docctl.database import Base, Instant
from docctl.documents import Document, checked_title
from docctl.lifecycle import Stale, Subject
from docctl.people import Account, Reader, Reauthenticated
from docctl.rules import Facts, Refused, Sentence
from docctl.workflow import Act, Workflow

STATES = ("draft", "in_review", "in_approval", "approved", "issued", "withdrawn", "discarded")
OPEN = ("draft", "in_review", "in_approval", "approved")
WAS_ISSUED = ("issued", "withdrawn")
SCHEDULED, IN_FORCE, SUPERSEDED, WITHDRAWN = "scheduled", "in_force", "superseded", "withdrawn"


def _among(values: Sequence[str]) -> str:
    return f"({', '.join(repr(value) for value in values)})"


class Revision(Subject, Base):
    """One edition of a document; its content is frozen from submission on, its interval is set by decisions only."""

    __tablename__ = "revision"
    NOUN: ClassVar[str] = "revision"
    MOVED: ClassVar[Action] = Action.REVISION_MOVED
    __table_args__ = (
        CheckConstraint(f"state IN {_among(STATES)}", name="state"),
        CheckConstraint("origin IN ('workflow', 'import')", name="origin"),
        CheckConstraint("edition >= 0 AND amendment >= 0", name="edition"),
        CheckConstraint("effective_to IS NULL OR effective_to >= effective_from", name="interval"),
        CheckConstraint(f"(effective_from IS NOT NULL) = (state IN {_among(WAS_ISSUED)})", name="effective"),
        CheckConstraint("state <> 'withdrawn' OR effective_to IS NOT NULL", name="withdrawn"),
        CheckConstraint(
            f"state NOT IN {_among(WAS_ISSUED)} OR origin = 'import' OR decision_id IS NOT NULL", name="decision"
        ),
        CheckConstraint(
            "state IN ('draft', 'discarded') OR (file_sha256 IS NOT NULL AND content_hash IS NOT NULL)", name="content"
        ),
        Index(
            "uq_revision_in_force",
            "document_id",
            unique=True,
            sqlite_where=text("effective_from IS NOT NULL AND effective_to IS NULL"),
            postgresql_where=text("effective_from IS NOT NULL AND effective_to IS NULL"),
        ),
        Index(
            "uq_revision_open",
            "document_id",
            unique=True,
            sqlite_where=text(f"state IN {_among(OPEN)}"),
            postgresql_where=text(f"state IN {_among(OPEN)}"),
        ),
        Index(
            "uq_revision_edition",
            "document_id",
            "edition",
            "amendment",
            unique=True,
            sqlite_where=text("state <> 'discarded'"),
            postgresql_where=text("state <> 'discarded'"),
        ),
        Index("ix_revision_interval", "effective_from", "effective_to"),
        # Covers the question of what is in force, document by document: of 100,000 revisions few are read.
        Index("ix_revision_document_interval", "document_id", "effective_from", "effective_to"),
        Index(
            "uq_revision_status_token",
            "status_token",
            unique=True,
            sqlite_where=text("status_token <> ''"),
            postgresql_where=text("status_token <> ''"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    edition: Mapped[int]
    amendment: Mapped[int]
    title: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(12), index=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    file_sha256: Mapped[str | None] = mapped_column(ForeignKey("content.sha256"), index=True)
    file_name: Mapped[str] = mapped_column(String(400), default="")
    change_summary: Mapped[str] = mapped_column(Text, default="")
    major: Mapped[bool] = mapped_column(default=True, server_default=true())
    content_hash: Mapped[str | None] = mapped_column(String(64))
    effective_from: Mapped[datetime | None] = mapped_column(Instant)
    effective_to: Mapped[datetime | None] = mapped_column(Instant)
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), index=True)
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"))
    origin: Mapped[str] = mapped_column(String(10), default="workflow")
    origin_decision: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(Text, default="")
    cover_date: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Instant)
    # Names the status page that the papers of this revision point to; nothing can be guessed from it.
    status_token: Mapped[str] = mapped_column(String(32), default=lambda: secrets.token_urlsafe(16))

    document: Mapped[Document] = relationship()
    author: Mapped[Account] = relationship()
    content: Mapped[Content | None] = relationship()
    change_rows: Mapped[list["ChangeRow"]] = relationship(order_by="ChangeRow.position", cascade="all, delete-orphan")

    @property
    def edition_text(self) -> str:
        """Edition and amendment as the offices write them: `02/01`."""
        return edition_text(self.edition, self.amendment)

    @property
    def edition_code(self) -> str:
        """Edition, and the amendment only where there is one, as on covers and in JSON: `02`, `02/01`."""
        return edition_code(self.edition, self.amendment)

    def status(self, at: datetime | None = None) -> str:
        """Return the stored state, or for what was issued the state derived from the interval at an instant."""
        return status_at(self.state, self.effective_from, self.effective_to, at or clock.now())


class ChangeRow(Base):
    """One row of the change table (F8): the section, its old and new text, and the basis of the change."""

    __tablename__ = "change_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), index=True)
    position: Mapped[int]
    section: Mapped[str] = mapped_column(String(300))
    old: Mapped[str] = mapped_column(Text, default="")
    new: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(Text, default="")


@dataclass(frozen=True)
class Standing:
    """A revision in force, with its interval and its decision as they were known at an instant."""

    revision: Revision
    effective_from: datetime
    effective_to: datetime | None
    decision: str


@dataclass(frozen=True)
class Change:
    """A row of the change table as somebody typed it."""

    section: str
    old: str
    new: str
    basis: str = ""


def draft(
    session: Session,
    document: Document,
    *,
    by: Reader,
    edition: int | None = None,
    amendment: int | None = None,
    title: str = "",
    change_summary: str = "",
    major: bool | None = None,
    content: Content | None = None,
    file_name: str = "",
    changes: Iterable[Change] = (),
    source: str = "",
    cover_date: date | None = None,
    opened_by: Account | None = None,
) -> Revision:
    """Begin a revision of a document as its author; edition and amendment default to the next ones.

    Everybody reads a `major` change again; a new edition is one unless the author says otherwise, an amendment is not.
    `cover_date` is the date of issue that the cover already bears, `source` the file it came from in an import, and
    `opened_by` whoever opens it in the author's name: the trail names who acted.
    """
    follows = lifecycle.newest(session, document.type.workflow)
    state = workflow.fire(follows, None, "draft", Facts(actor=by.id, roles=by.roles_in(document.unit_id)))
    if other := open_revision(session, document):
        raise Refused(
            Sentence(
                "Tài liệu đang có phiên bản {edition} chưa xong. Hãy hoàn tất hoặc hủy bỏ bản đó trước.",
                "Revision {edition} of this document is still open. Finish or discard it first.",
            ).fill(edition=other.edition_text)
        )
    proposed = next_edition(session, document)
    numbers = (
        proposed[0] if edition is None else edition,
        proposed[1] if edition is None and amendment is None else amendment or 0,
    )
    _refuse_taken_edition(session, document, *numbers)
    revision = Revision(
        document_id=document.id,
        edition=numbers[0],
        amendment=numbers[1],
        title=checked_title(title) if title.strip() else document.title,
        state=state,
        **lifecycle.begun(follows),
        author_id=by.id,
        file_sha256=content.sha256 if content else None,
        file_name=file_name,
        change_summary=change_summary.strip(),
        major=is_major_by_default(numbers[1]) if major is None else major,
        source=source,
        cover_date=cover_date,
        created_at=clock.now(),
    )
    revision.document, revision.author = document, by.account
    session.add(revision)
    session.flush()
    _set_changes(session, revision, changes)
    audit.record(
        session,
        Action.REVISION_DRAFTED,
        by=opened_by or by.account,
        noun="revision",
        record_id=revision.id,
        document_id=document.id,
        **recorded(revision),
    )
    return revision


def import_in_force(
    session: Session,
    document: Document,
    *,
    by: Reader,
    edition: int,
    amendment: int,
    title: str,
    content: Content,
    file_name: str,
    source: str,
    effective_from: datetime,
    decision: str,
    cover_date: date | None = None,
) -> Revision:
    """Take in a revision that an earlier decision, made elsewhere, put in force; it never looks approved here.

    What the document had in force ends where this one begins.
    """
    _refuse_taken_edition(session, document, edition, amendment)
    for earlier in in_force(session, document=document, on=effective_from):
        earlier.effective_to = effective_from
        session.flush()
        audit.record(
            session,
            Action.REVISION_SUPERSEDED,
            by=by.account,
            noun="revision",
            record_id=earlier.id,
            document_id=document.id,
            before={"effective_to": None},
            effective_to=effective_from,
            decision=decision,
        )
    follows = lifecycle.newest(session, document.type.workflow)
    revision = Revision(
        document_id=document.id,
        edition=edition,
        amendment=amendment,
        title=checked_title(title),
        state="issued",
        **lifecycle.begun(follows),
        author_id=by.id,
        file_sha256=content.sha256,
        file_name=file_name,
        change_summary="",
        major=is_major_by_default(amendment),
        effective_from=effective_from,
        origin="import",
        origin_decision=decision,
        source=source,
        cover_date=cover_date,
        created_at=clock.now(),
    )
    revision.document, revision.author = document, by.account
    revision.content_hash = content_hash(revision)
    session.add(revision)
    session.flush()
    audit.record(
        session,
        Action.REVISION_IMPORTED,
        by=by.account,
        noun="revision",
        record_id=revision.id,
        document_id=document.id,
        decision=decision,
        **recorded(revision),
    )
    return revision


def edit(
    session: Session,
    revision: Revision,
    *,
    by: Reader,
    seen: int,
    title: str | None = None,
    edition: int | None = None,
    amendment: int | None = None,
    change_summary: str | None = None,
    major: bool | None = None,
    content: Content | None = None,
    file_name: str = "",
    changes: Iterable[Change] | None = None,
) -> None:
    """Change a draft; what is not given stays. Raises Stale when somebody else changed it since it was seen."""
    if sentence := editing_refusal(revision, by=by):
        raise Refused(sentence)
    if seen != revision.lock:
        raise Stale
    before = _editable(revision)
    numbers = (revision.edition if edition is None else edition, revision.amendment if amendment is None else amendment)
    if numbers != (revision.edition, revision.amendment):
        _refuse_taken_edition(session, revision.document, *numbers)
    revision.edition, revision.amendment = numbers
    revision.title = revision.title if title is None else checked_title(title)
    revision.change_summary = revision.change_summary if change_summary is None else change_summary.strip()
    revision.major = revision.major if major is None else major
    if content is not None:
        revision.file_sha256, revision.file_name = content.sha256, file_name
    if changes is not None:
        _set_changes(session, revision, changes)
    revision.lock += 1
    session.flush()
    after = _editable(revision)
    changed = {name: value for name, value in after.items() if value != before[name]}
    audit.record(
        session,
        Action.REVISION_EDITED,
        by=by.account,
        noun="revision",
        record_id=revision.id,
        document_id=revision.document_id,
        before={name: before[name] for name in changed},
        **changed,
    )


def editing_refusal(revision: Revision, *, by: Reader) -> Sentence | None:
    """Return why somebody may not edit a revision now, or None."""
    if revision.state == "draft" and revision.author_id == by.id:
        return None
    return Sentence(
        "Chỉ người soạn thảo được sửa, và chỉ khi còn là dự thảo.",
        "Only its author may edit a revision, and only while it is a draft.",
    )


def drafting_refusal(session: Session, document: Document, *, by: Reader) -> Sentence | None:
    """Return why somebody may not begin a revision of a document by his role, or None."""
    follows = lifecycle.newest(session, document.type.workflow)
    return workflow.refusal(follows, None, "draft", Facts(actor=by.id, roles=by.roles_in(document.unit_id)))


def act(
    session: Session,
    revision: Revision,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> str:
    """Take a revision through one trigger of its workflow by a person's own act; returns the new state."""
    follows = lifecycle.workflow_of(session, revision)
    known = facts(session, revision, by=by, reason=reason)
    changes: dict[str, Any] = {}
    if trigger == "submit":
        changes["content_hash"] = known.content_hash
    if trigger in ("send_back", "take_back", "reopen"):
        # A new round: the signatures of the old one are void, and kept.
        changes |= {"content_hash": None, "round": revision.round + 1}
    after = lifecycle.move(
        session,
        revision,
        trigger,
        by=by,
        facts=known,
        signing=signing,
        seen=seen,
        seat=_seat(follows, trigger, known),
        content_hash=known.content_hash or "",
        authority=_authority(session, revision, follows, trigger, by),
        document_id=revision.document_id,
        changes=changes,
    )
    if after == follows.initial:
        _to_successor(session, revision, by=by)
    return after


def submit(session: Session, revision: Revision, *, by: Reader, **given: Any) -> str:
    """Freeze the content and ask for review."""
    return act(session, revision, "submit", by=by, **given)


def endorse(session: Session, revision: Revision, *, by: Reader, signing: Reauthenticated, **given: Any) -> str:
    """Sign one seat of the round's review; the last seat hands the revision to the approver."""
    return act(session, revision, "endorse", by=by, signing=signing, **given)


def send_back(session: Session, revision: Revision, *, by: Reader, reason: str, **given: Any) -> str:
    """Return the revision to its author with a reason."""
    return act(session, revision, "send_back", by=by, reason=reason, **given)


def take_back(session: Session, revision: Revision, *, by: Reader, reason: str, **given: Any) -> str:
    """Take one's own revision back from review."""
    return act(session, revision, "take_back", by=by, reason=reason, **given)


def approve(session: Session, revision: Revision, *, by: Reader, signing: Reauthenticated, **given: Any) -> str:
    """Approve what the reviewers endorsed, unchanged."""
    return act(session, revision, "approve", by=by, signing=signing, **given)


def reopen(session: Session, revision: Revision, *, by: Reader, reason: str, **given: Any) -> str:
    """Take an approval back before any decision issues the revision."""
    return act(session, revision, "reopen", by=by, reason=reason, **given)


def discard(session: Session, revision: Revision, *, by: Reader, reason: str, **given: Any) -> str:
    """Give a draft up for good."""
    return act(session, revision, "discard", by=by, reason=reason, **given)


def facts(session: Session, revision: Revision, *, by: Reader, reason: str = "", executing: bool = False) -> Facts:
    """Gather everything that a rule may ask about a revision and a person."""
    follows = lifecycle.workflow_of(session, revision)
    signed = lifecycle.signed_in_round(session, revision)
    return Facts(
        actor=by.id,
        roles=by.roles_in(revision.document.unit_id),
        author=revision.author_id,
        endorsers=frozenset(row.account_id for row in signed if row.meaning == "endorsed"),
        open_seats=frozenset(seat.name for act in follows.triggers.values() for seat in act.seats)
        - {row.seat for row in signed},
        has_file=revision.file_sha256 is not None,
        change_rows=len(revision.change_rows),
        unsettled=unsettled(session, revision),
        content_hash=content_hash(revision),
        frozen_hash=revision.content_hash,
        authority=None if executing else authority.refusal(session, by, revision.document.unit_id),
        code_clash=revision.document.code_clash,
        in_decision=_in_signed_decision(session, revision),
        executing=executing,
        reason=reason.strip(),
    )


def acts(session: Session, revision: Revision, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on the page of a revision: allowed, or with the sentence why not."""
    follows = lifecycle.workflow_of(session, revision)
    return workflow.acts(follows, revision.state, facts(session, revision, by=by))


def waiting_for(session: Session, revision: Revision, *, by: Reader) -> Sentence:
    """Say who acts next on a revision."""
    follows = lifecycle.workflow_of(session, revision)
    return workflow.waiting_for(follows, revision.state, facts(session, revision, by=by))


def content_hash(revision: Revision) -> str:
    """Return the SHA-256, in hex, of what reviewers and approvers sign: code, title, numbers, file and change table.

    Whether the change is major is signed too where it is not what the numbers say already.
    """
    signed = {"code": revision.document.code, **_editable(revision)}
    if revision.major == is_major_by_default(revision.amendment):
        del signed["major"]
    return hashlib.sha256(audit.canonical(signed).encode()).hexdigest()


def edition_text(edition: int, amendment: int) -> str:
    """Write edition and amendment as the offices do: `02/01`."""
    return f"{edition:02d}/{amendment:02d}"


def edition_code(edition: int, amendment: int) -> str:
    """Write the edition, and the amendment only where there is one, as on covers and in JSON: `02`, `02/01`."""
    return edition_text(edition, amendment) if amendment else f"{edition:02d}"


def status_at(state: str, begins: datetime | None, ends: datetime | None, at: datetime) -> str:
    """Return what a revision of a stored state and an interval is at an instant."""
    if state not in WAS_ISSUED or begins is None:
        return state
    if ends is not None and ends <= max(at, begins):
        return WITHDRAWN if state == "withdrawn" else SUPERSEDED
    return SCHEDULED if at < begins else IN_FORCE


def is_major_by_default(amendment: int) -> bool:
    """Say whether everybody reads a revision again when nobody says otherwise: a new edition, not an amendment in it."""
    return amendment == 0


def in_force_at(at: datetime) -> ColumnElement[bool]:
    """Return the SQL condition for being in force at an instant: `effective_from <= at < effective_to`."""
    ends = or_(Revision.effective_to.is_(None), Revision.effective_to > at)
    return and_(Revision.effective_from <= at, ends)


def in_force(session: Session, *, on: datetime | None = None, document: Document | None = None) -> list[Revision]:
    """Return the revisions in force at an instant (now by default), by code; of one document, one at the most."""
    query = select(Revision).join(Document).where(in_force_at(on or clock.now()))
    if document is not None:
        query = query.where(Revision.document_id == document.id)
    query = query.options(joinedload(Revision.document).joinedload(Document.unit))
    return list(session.scalars(query.order_by(Document.code_key, Document.id)))


def count_in_force(session: Session, *, at: datetime) -> int:
    """Return how many revisions are in force at an instant."""
    return session.scalar(select(func.count()).select_from(Revision).where(in_force_at(at))) or 0


def count_open(session: Session) -> int:
    """Return how many revisions are on their way to being issued."""
    return session.scalar(select(func.count()).select_from(Revision).where(Revision.state.in_(OPEN))) or 0


def standing(
    session: Session, *, on: datetime, known_at: datetime | None = None, document: Document | None = None
) -> list[Standing]:
    """Return what is in force at an instant as it was known at another one (now by default), by code.

    The answer for `known_at` comes from the trail alone: what was recorded later does not change it.
    """
    if known_at is None:
        rows = in_force(session, on=on, document=document)
        return [Standing(row, row.effective_from or on, row.effective_to, decision_of(session, row)) for row in rows]
    found = []
    for revision_id, (begins, ends, decision) in intervals_known(session, known_at, document).items():
        if begins is not None and begins <= on and (ends is None or on < ends):
            found.append(Standing(session.get_one(Revision, revision_id), begins, ends, decision))
    return sorted(found, key=lambda row: (row.revision.document.code_key, row.revision.document_id))


def decision_of(session: Session, revision: Revision) -> str:
    """Return the number of the decision that issued a revision, here or, for an imported one, earlier."""
    if revision.decision_id is None:
        return revision.origin_decision
    # The table of decisions is right of revisions, so it is asked by name and not imported.
    number = session.scalar(text("SELECT number FROM decision WHERE id = :id"), {"id": revision.decision_id})
    return str(number or "")


def withdrawal_of(session: Session, revision: Revision) -> str:
    """Return the number of the decision that withdrew a revision, or nothing."""
    if revision.withdrawn_by_id is None:
        return ""
    number = session.scalar(text("SELECT number FROM decision WHERE id = :id"), {"id": revision.withdrawn_by_id})
    return str(number or "")


def successor(session: Session, revision: Revision) -> Revision | None:
    """Return the revision that began on the instant at which this one ended, if any."""
    if revision.effective_to is None:
        return None
    query = select(Revision).where(
        Revision.document_id == revision.document_id,
        Revision.effective_from == revision.effective_to,
        Revision.id != revision.id,
        Revision.state.in_(WAS_ISSUED),
    )
    return session.scalars(query.order_by(Revision.id.desc())).first()


def decisions_about(session: Session, revision: Revision) -> list[tuple[int, str]]:
    """Return id and number of the decisions that issued, superseded and withdrew a revision, in that order."""
    after = successor(session, revision)
    numbered = [
        (revision.decision_id, decision_of(session, revision)),
        (after.decision_id if after else None, decision_of(session, after) if after else ""),
        (revision.withdrawn_by_id, withdrawal_of(session, revision)),
    ]
    return [(decision_id, number) for decision_id, number in numbered if decision_id is not None]


def is_open(revision: Revision) -> bool:
    """Say whether a revision is still on its way to being issued."""
    return revision.state in OPEN


def intervals_known(
    session: Session, known_at: datetime, document: Document | None
) -> dict[int, tuple[datetime | None, datetime | None, str]]:
    """Return of every revision its interval and decision as the trail told them up to an instant."""
    """Return of every revision its interval and decision as the trail told them up to an instant."""
    known: dict[int, tuple[datetime | None, datetime | None, str]] = {}
    wanted = (Action.REVISION_MOVED, Action.REVISION_SUPERSEDED, Action.REVISION_IMPORTED)
    query = select(AuditEntry).where(AuditEntry.action.in_(wanted), AuditEntry.at <= known_at)
    if document is not None:
        query = query.where(AuditEntry.document_id == document.id)
    for entry in session.scalars(query.order_by(AuditEntry.sequence)):
        values = entry.values
        if entry.record_id is None or not {"effective_from", "effective_to"} & values.keys():
            continue
        begins, ends, decision = known.get(entry.record_id, (None, None, ""))
        begins = _instant(values["effective_from"]) if "effective_from" in values else begins
        ends = _instant(values["effective_to"]) if "effective_to" in values else ends
        decision = values.get("decision", "") if "effective_from" in values else decision
        known[entry.record_id] = (begins, ends, decision)
    return known


def _instant(text_of_instant: str | None) -> datetime | None:
    return datetime.fromisoformat(text_of_instant) if text_of_instant else None


def hand_over(session: Session, leaving: Account, heir: Account, *, by: Account | None) -> int:
    """Give the drafts of somebody who leaves to a successor; returns how many.

    Revisions under review stay his work; when one of them comes back to be mended, it goes to his successor.
    """
    drafts = session.scalars(select(Revision).where(Revision.author_id == leaving.id, Revision.state == "draft")).all()
    for revision in drafts:
        _give(session, revision, heir, by=by)
    return len(drafts)


def _to_successor(session: Session, revision: Revision, *, by: Reader) -> None:
    """Give what comes back to its author to the author's successor when the author has left."""
    author = session.get_one(Account, revision.author_id)
    heir = people.heir_of(session, author)
    if heir is not None and heir.id != author.id:
        _give(session, revision, heir, by=by.account)


def _give(session: Session, revision: Revision, heir: Account, *, by: Account | None) -> None:
    before, revision.author_id = revision.author_id, heir.id
    revision.author = heir
    revision.lock += 1
    session.flush()
    audit.record(
        session,
        Action.REVISION_EDITED,
        by=by,
        noun="revision",
        record_id=revision.id,
        document_id=revision.document_id,
        before={"author_id": before},
        author_id=heir.id,
    )


def visible(by: Reader | None, *, at: datetime | None = None) -> ColumnElement[bool]:
    """Return the SQL condition for what somebody may see; the query must join Document.

    Everybody sees what is in force; an author also what he wrote; people with a role that works on drafts also all
    of the units which that role reaches; controllers, auditors and approvers of the whole office see everything.
    """
    current = in_force_at(at or clock.now())
    if by is None:
        return current
    if by.sees_everything:
        return true()
    conditions: list[ColumnElement[bool]] = [current, Revision.author_id == by.id]
    for role in ("author", "reviewer", "format_reviewer", "approver", "controller", "auditor"):
        if role in by.reach:
            reached = by.reach[role]
            conditions.append(true() if reached is None else Document.unit_id.in_(reached or {-1}))
    return or_(false(), *conditions)


def load(session: Session, revision_id: int, *, by: Reader) -> Revision | None:
    """Return a revision as far as the person may see it, else None."""
    query = select(Revision).join(Document).where(Revision.id == revision_id, visible(by))
    return session.scalars(query).first()


def of_document(session: Session, document: Document, *, by: Reader) -> list[Revision]:
    """Return the revisions of a document that somebody may see, newest edition first."""
    query = select(Revision).join(Document).where(Revision.document_id == document.id, visible(by))
    return list(session.scalars(query.order_by(Revision.edition.desc(), Revision.amendment.desc(), Revision.id.desc())))


def open_revision(session: Session, document: Document) -> Revision | None:
    """Return the document's revision that is still on its way to issue, if any."""
    query = select(Revision).where(Revision.document_id == document.id, Revision.state.in_(OPEN))
    return session.scalars(query).first()


def next_edition(session: Session, document: Document) -> tuple[int, int]:
    """Return edition and amendment that follow the document's newest ones: 01/00 first, then 01/01 and so on."""
    newest = session.execute(
        select(Revision.edition, Revision.amendment)
        .where(Revision.document_id == document.id, Revision.state != "discarded")
        .order_by(Revision.edition.desc(), Revision.amendment.desc())
        .limit(1)
    ).first()
    return (newest.edition, newest.amendment + 1) if newest else (1, 0)


def compared_with(session: Session, revision: Revision) -> Revision | None:
    """Return the revision in force that an open revision would replace."""
    current = in_force(session, document=revision.document)
    return current[0] if current and current[0].id != revision.id else None


def _refuse_taken_edition(session: Session, document: Document, edition: int, amendment: int) -> None:
    if with_edition(session, document, edition, amendment):
        raise Refused(
            Sentence(
                "Lần ban hành {edition:02d}/{amendment:02d} đã có. Hãy chọn số khác.",
                "Edition {edition:02d}/{amendment:02d} exists already. Choose another number.",
            ).fill(edition=edition, amendment=amendment),
            field="edition",
        )


def checked_changes(changes: Iterable[Change]) -> list[Change]:
    """Return the rows of a change table that say something; refuses one without its section or its text."""
    rows = [change for change in changes if (change.section + change.old + change.new + change.basis).strip()]
    for number, change in enumerate(rows, start=1):
        if not change.section.strip() or not (change.new + change.old).strip():
            raise Refused(
                Sentence(
                    "Dòng {n} của bảng sửa đổi cần có mục và nội dung cũ hoặc mới.",
                    "Row {n} of the change table needs a section and its old or new text.",
                ).fill(n=number),
                field="changes",
            )
    return [Change(row.section.strip()[:300], row.old.strip(), row.new.strip(), row.basis.strip()) for row in rows]


def _set_changes(session: Session, revision: Revision, changes: Iterable[Change]) -> None:
    revision.change_rows = [
        ChangeRow(position=number, section=row.section, old=row.old, new=row.new, basis=row.basis)
        for number, row in enumerate(checked_changes(changes), start=1)
    ]
    session.flush()


def _editable(revision: Revision) -> dict[str, Any]:
    return {
        "title": revision.title,
        "edition": revision.edition,
        "amendment": revision.amendment,
        "change_summary": revision.change_summary,
        "major": revision.major,
        "file_sha256": revision.file_sha256,
        "file_name": revision.file_name,
        "cover_date": revision.cover_date,
        "changes": [[row.section, row.old, row.new, row.basis] for row in revision.change_rows],
    }


def recorded(revision: Revision) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a revision begins; later entries say what changed."""
    return {
        "state": revision.state,
        "round": revision.round,
        "workflow": revision.workflow,
        "workflow_version": revision.workflow_version,
        "author_id": revision.author_id,
        "content_hash": revision.content_hash,
        "effective_from": revision.effective_from,
        "effective_to": revision.effective_to,
        "decision_id": revision.decision_id,
        "withdrawn_by_id": revision.withdrawn_by_id,
        "origin": revision.origin,
        "origin_decision": revision.origin_decision or "",
        "source": revision.source,
        "created_at": revision.created_at,
        "status_token": revision.status_token,
        **_editable(revision),
    }


def _authority(session: Session, revision: Revision, follows: Workflow, trigger: str, by: Reader) -> str:
    asked = follows.triggers.get(trigger)
    if asked is None or "has_authority" not in asked.rules:
        return ""
    return authority.words(session, by, revision.document.unit_id)


def _seat(follows: Workflow, trigger: str, known: Facts) -> str:
    asked = follows.triggers.get(trigger)
    filled = workflow.seat_for(asked, known) if asked else None
    return filled.name if filled else ""


def _in_signed_decision(session: Session, revision: Revision) -> bool:
    # The tables of decisions are right of revisions, so they are asked by name and not imported.
    return bool(
        session.scalar(
            text(
                "SELECT 1 FROM decision_line JOIN decision ON decision.id = decision_line.decision_id "
                "WHERE decision_line.revision_id = :id AND decision.state IN ('signed', 'executed')"
            ),
            {"id": revision.id},
        )
    )


def unsettled(session: Session, revision: Revision) -> bool:
    """Say whether the revision's file holds tracked changes or comments that nobody accepted or refused."""
    # The table of renditions is right of revisions too.
    asks = text("SELECT 1 FROM rendition WHERE source_sha256 = :sha256 AND status = 'asks'")
    return revision.file_sha256 is not None and session.scalar(asks, {"sha256": revision.file_sha256}) is not None


def text_of(session: Session, revision: Revision) -> contents.ContentText | None:
    """Return the text that was read out of the revision's file."""
    return contents.text_of(session, revision.file_sha256)


def read_again(session: Session, revision: Revision, *, by: Reader) -> None:
    """Ask for another reading of a file whose text could not be read; the reading follows the commit."""
    if sentence := rereading_refusal(session, revision, by=by):
        raise Refused(sentence)
    assert revision.file_sha256 is not None
    contents.ask_again(session, revision.file_sha256)
    audit.record(
        session,
        Action.TEXT_ASKED_AGAIN,
        by=by.account,
        noun="content",
        document_id=revision.document_id,
        sha256=revision.file_sha256,
    )


def rereading_refusal(session: Session, revision: Revision, *, by: Reader) -> Sentence | None:
    """Return why somebody may not ask for another reading of a revision's file, or None."""
    row = text_of(session, revision)
    if row is None or row.status != contents.UNAVAILABLE or row.ocr == contents.SCANS_WAITING:
        return Sentence(
            "Chỉ đọc lại khi lần đọc trước không thành.", "A file is read again only when it could not be read before."
        )
    if revision.author_id == by.id or {"controller", "format_reviewer"} & by.roles_in(revision.document.unit_id):
        return None
    return Sentence(
        "Chỉ người soạn thảo, thư ký ISO hoặc người kiểm soát tài liệu được yêu cầu đọc lại tệp.",
        "Only the author, the ISO secretary or the document controller may have a file read again.",
    )


def documents_with(session: Session, sha256: str) -> list[int]:
    """Return the ids of the documents one of whose revisions has a content."""
    return list(session.scalars(select(Revision.document_id).where(Revision.file_sha256 == sha256).distinct()))


def with_edition(session: Session, document: Document, edition: int, amendment: int) -> Revision | None:
    """Return the document's revision that bears an edition and amendment, discarded ones left out."""
    query = select(Revision).where(
        Revision.document_id == document.id,
        Revision.edition == edition,
        Revision.amendment == amendment,
        Revision.state != "discarded",
    )
    return session.scalars(query).first()


def newest_issued(session: Session, document: Document) -> Revision | None:
    """Return the document's issued revision that began, or will begin, last."""
    query = select(Revision).where(Revision.document_id == document.id, Revision.state.in_(WAS_ISSUED))
    return session.scalars(query.order_by(Revision.effective_from.desc())).first()
