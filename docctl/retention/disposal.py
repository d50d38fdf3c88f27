"""Disposal: a council's minutes, under which contents are removed for good while every record of them stays."""

import hashlib
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, clock, lifecycle, workflow
from docctl.audit import Action, Anchored
from docctl.database import Base, Instant
from docctl.documents import Document
from docctl.lifecycle import Stale, Subject
from docctl.people import Reader, Reauthenticated
from docctl.retention import schedule, tombstones
from docctl.retention.schedule import DUE, STANDINGS, refuse_unless_controller
from docctl.revisions import Revision
from docctl.rules import Facts, Refused, Sentence, lacks
from docctl.text import clean_name
from docctl.workflow import Act

WORDS = ("number", "basis", "council", "method", "done_by", "witness")
GONE = Sentence(
    "Nội dung đã được tiêu hủy theo biên bản số {number}; thông tin và mã SHA-256 được lưu.",
    "The content was disposed of under minutes {number}; its record and SHA-256 are kept.",
)


class Disposal(Subject, Anchored, Base):
    """A disposal and its minutes (F7); from the first signature on its words and lines are fixed."""

    __tablename__ = "disposal"
    NOUN: ClassVar[str] = "disposal"
    MOVED: ClassVar[Action] = Action.DISPOSAL_MOVED
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'agreed', 'executed', 'cancelled')", name="state"),
        CheckConstraint(
            "state NOT IN ('agreed', 'executed') OR (number <> '' AND held_on IS NOT NULL AND basis <> '' AND council <> '' "
            "AND method <> '' AND done_by <> '' AND witness <> '' AND content_hash IS NOT NULL)",
            name="complete",
        ),
        CheckConstraint("(state = 'executed') = (executed_at IS NOT NULL)", name="executed"),
        Index(
            "uq_disposal_number",
            "year",
            "number",
            unique=True,
            sqlite_where=text("state IN ('agreed', 'executed')"),
            postgresql_where=text("state IN ('agreed', 'executed')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(80), default="")
    year: Mapped[int | None]
    held_on: Mapped[date | None]
    basis: Mapped[str] = mapped_column(Text, default="")
    council: Mapped[str] = mapped_column(Text, default="")
    method: Mapped[str] = mapped_column(Text, default="")
    done_by: Mapped[str] = mapped_column(Text, default="")
    witness: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(12))
    content_hash: Mapped[str | None] = mapped_column(String(64))
    drafted_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    executed_at: Mapped[datetime | None] = mapped_column(Instant)

    lines: Mapped[list["DisposalLine"]] = relationship(order_by="DisposalLine.position", cascade="all, delete-orphan")


class DisposalLine(Base):
    """One revision whose content is disposed of, why, and until when it had to be kept."""

    __tablename__ = "disposal_line"
    __table_args__ = (UniqueConstraint("disposal_id", "position"), UniqueConstraint("disposal_id", "revision_id"))

    id: Mapped[int] = mapped_column(primary_key=True)
    disposal_id: Mapped[int] = mapped_column(ForeignKey("disposal.id"))
    position: Mapped[int]
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id"), index=True)
    reason: Mapped[str] = mapped_column(Text)
    keep_until: Mapped[date]

    revision: Mapped[Revision] = relationship()


def draft(session: Session, *, by: Reader, revision_ids: Iterable[int]) -> Disposal:
    """Begin the minutes of a disposal with what was ticked of the due list."""
    follows = lifecycle.newest(session, "disposal")
    state = workflow.fire(follows, None, "draft", Facts(actor=by.id, roles=by.roles_in(None)))
    wanted = list(dict.fromkeys(revision_ids))
    listed = {row.revision.id: row for row in schedule.records(session, revision_ids=wanted)}
    chosen = [listed[key] for key in wanted if key in listed and listed[key].keep_until is not None]
    if not chosen:
        raise Refused(
            Sentence("Hãy đánh dấu ít nhất một dòng hết thời hạn lưu.", "Tick at least one line past its retention."),
            field="revision",
        )
    made = Disposal(
        state=state,
        **lifecycle.begun(follows),
        drafted_by_id=by.id,
        created_at=clock.now(),
    )
    made.lines = [
        DisposalLine(
            position=position,
            revision_id=row.revision.id,
            reason=_reason(row).vi,
            keep_until=row.keep_until,
        )
        for position, row in enumerate(chosen, start=1)
    ]
    session.add(made)
    session.flush()
    audit.record(session, Action.DISPOSAL_DRAFTED, by=by.account, noun=made.NOUN, record_id=made.id, **recorded(made))
    return made


def edit(
    session: Session,
    disposal: Disposal,
    *,
    by: Reader,
    held_on: date | None,
    seen: int | None = None,
    **words: str,
) -> None:
    """Write what the minutes say: number, day, basis, council, method, who carries it out and who witnesses it."""
    refuse_unless_controller(by)
    if seen is not None and seen != disposal.lock:
        raise Stale
    if disposal.state != "draft":
        raise Refused(
            Sentence(
                "Biên bản đã ký nên không sửa được; hãy mở lại trước.",
                "The minutes are signed and cannot be changed; reopen them first.",
            )
        )
    before = _words(disposal)
    for name in WORDS:
        setattr(disposal, name, clean_name(words.get(name, getattr(disposal, name) or "")).strip())
    disposal.held_on, disposal.year = held_on, held_on.year if held_on else None
    audit.edited(session, Action.DISPOSAL_EDITED, disposal, by=by.account, before=before, after=_words(disposal))


def act(
    session: Session,
    disposal: Disposal,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> str:
    """Take a disposal through agree, carry_out, reopen or cancel; carrying it out removes the contents after the commit."""
    content, changes = disposal.content_hash or "", {}
    if trigger == "agree":
        content, head = content_hash(disposal), audit.head(session)
        changes = {"content_hash": content, "head_sequence": head.sequence, "head_hash": head.hash}
    elif trigger == "reopen":
        changes = {"content_hash": None, "head_sequence": None, "head_hash": "", "round": disposal.round + 1}
    elif trigger == "carry_out":
        changes = {"executed_at": clock.now()}
    after = lifecycle.move(
        session,
        disposal,
        trigger,
        by=by,
        facts=facts(session, disposal, by=by, reason=reason),
        signing=signing,
        seen=seen,
        content_hash=content,
        changes=changes,
    )
    if trigger == "carry_out":
        _bury(session, disposal, by=by)
    return after


def facts(session: Session, disposal: Disposal, *, by: Reader, reason: str = "") -> Facts:
    """Gather everything that a rule may ask about a disposal and a person."""
    signed = lifecycle.signed_in_round(session, disposal)
    return Facts(
        actor=by.id,
        roles=by.roles_in(None) | {role for role in by.reach if role == "reviewer"},
        endorsers=frozenset(row.account_id for row in signed),
        kept=_kept(session, disposal),
        minutes=_missing(disposal),
        reason=reason.strip(),
    )


def acts(session: Session, disposal: Disposal, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on the page of a disposal."""
    return workflow.acts(lifecycle.workflow_of(session, disposal), disposal.state, facts(session, disposal, by=by))


def content_hash(disposal: Disposal) -> str:
    """Return the SHA-256, in hex, of what the minutes say: their words and every line."""
    return hashlib.sha256(audit.canonical({**_words(disposal), "lines": _plain_lines(disposal)}).encode()).hexdigest()


def is_draft(disposal: Disposal) -> bool:
    """Say whether the minutes can still be written."""
    return disposal.state == "draft"


def lines_of(session: Session, disposal: Disposal) -> list[DisposalLine]:
    """Return the lines in order, with their documents loaded at once."""
    query = select(DisposalLine).where(DisposalLine.disposal_id == disposal.id).order_by(DisposalLine.position)
    loaded = joinedload(DisposalLine.revision).joinedload(Revision.document)
    return list(session.scalars(query.options(loaded.joinedload(Document.unit), loaded.joinedload(Document.type))))


def archived_copies(session: Session, revision_ids: list[int]) -> dict[int, int]:
    """Return how many paper copies of each revision are in the archive, for the minutes to name."""
    query = text("SELECT revision_id, count(*) AS n FROM controlled_copy WHERE state = 'archived' GROUP BY revision_id")
    return {row.revision_id: row.n for row in session.execute(query) if row.revision_id in revision_ids}


def all_disposals(session: Session) -> list[Disposal]:
    """Return every disposal, the newest first."""
    return list(session.scalars(select(Disposal).order_by(Disposal.id.desc())))


def load(session: Session, disposal_id: int, *, by: Reader) -> Disposal | None:
    """Return a disposal as far as the person may see it."""
    return session.get(Disposal, disposal_id) if schedule.may_see(by) else None


def of_revision(session: Session, revision: Revision) -> Disposal | None:
    """Return the disposal under which a revision's content was removed, if any."""
    query = select(Disposal).join(DisposalLine, DisposalLine.disposal_id == Disposal.id)
    return session.scalars(query.where(DisposalLine.revision_id == revision.id, Disposal.state == "executed")).first()


def gone(session: Session, revision: Revision) -> Sentence | None:
    """Return the sentence that stands in place of a revision's content once it is disposed of, else None."""
    found = of_revision(session, revision)
    return GONE.fill(number=found.number) if found else None


def next_number(session: Session) -> str:
    """Return the number that the next minutes of the year would have: `01/BB-HĐTH`."""
    year = clock.today().year
    signed = session.scalar(
        select(func.count()).where(Disposal.year == year, Disposal.state.in_(("agreed", "executed")))
    )
    return f"{(signed or 0) + 1:02d}/BB-HĐTH"


def recorded(disposal: Disposal) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a disposal begins."""
    return {
        "state": disposal.state,
        "round": disposal.round,
        "workflow": disposal.workflow,
        "workflow_version": disposal.workflow_version,
        "content_hash": disposal.content_hash,
        "drafted_by_id": disposal.drafted_by_id,
        "created_at": disposal.created_at,
        "executed_at": disposal.executed_at,
        "head_sequence": None,
        "head_hash": "",
        **_words(disposal),
        "lines": _plain_lines(disposal),
    }


def _bury(session: Session, disposal: Disposal, *, by: Reader) -> None:
    """Leave a tombstone for every content of the lines that nothing else uses; a file shared with something else stays."""
    assert disposal.executed_at is not None  # It was carried out a moment ago.
    says, at = GONE.fill(number=disposal.number), disposal.executed_at
    for line in lines_of(session, disposal):
        revision = line.revision
        sha256 = revision.file_sha256
        goes = sha256 is not None and tombstones.bury(session, sha256, disposal_id=disposal.id, at=at, says=says)
        audit.record(
            session,
            Action.CONTENT_DISPOSED,
            by=by.account,
            noun="content",
            document_id=revision.document_id,
            revision_id=revision.id,
            sha256=sha256,
            removed=goes,
            disposal_id=disposal.id,
            number=disposal.number,
        )


def _kept(session: Session, disposal: Disposal) -> Sentence | None:
    ids = [line.revision_id for line in disposal.lines]
    listed = {row.revision.id: row for row in schedule.records(session, revision_ids=ids)}
    wrong = [row for key in ids if (row := listed.get(key)) is not None and row.standing != DUE]
    if not wrong and len(listed) == len(ids):
        return None
    names = ", ".join(f"{row.revision.document.code} {row.revision.edition_text}" for row in wrong[:5])
    return Sentence(
        "Chưa được tiêu hủy: {names} ({why}). Hãy lập biên bản khác không có các dòng này.",
        "May not be disposed of: {names} ({why}). Make other minutes without these lines.",
    ).fill(names=names or "–", why=STANDINGS[wrong[0].standing] if wrong else "–")


def _missing(disposal: Disposal) -> Sentence | None:
    return lacks(
        Sentence("Biên bản còn thiếu: {what}.", "The minutes still lack: {what}."),
        (
            (Sentence("số biên bản", "its number"), disposal.number),
            (Sentence("ngày lập", "its date"), disposal.held_on),
            (Sentence("căn cứ", "the basis"), disposal.basis),
            (Sentence("hội đồng", "the council"), disposal.council),
            (Sentence("phương pháp", "the method"), disposal.method),
            (Sentence("người thực hiện", "who carries it out"), disposal.done_by),
            (Sentence("người giám sát", "the witness"), disposal.witness),
        ),
    )


def _words(disposal: Disposal) -> dict[str, Any]:
    words = {name: getattr(disposal, name) or "" for name in WORDS}
    return words | {"held_on": disposal.held_on.isoformat() if disposal.held_on else None}


def _plain_lines(disposal: Disposal) -> list[list[Any]]:
    return [[row.position, row.revision_id, row.reason, row.keep_until.isoformat()] for row in disposal.lines]


def _reason(row: schedule.Record) -> Sentence:
    return Sentence("Hết thời hạn lưu {years} năm kể từ {day}", "Past its retention of {years} years from {day}").fill(
        years=row.years, day=row.ended.strftime("%d/%m/%Y")
    )
