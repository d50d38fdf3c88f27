"""Histories: what a document went through elsewhere, line by line, and the editions and intervals that follow from it."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from docctl import audit, clock, documents, lifecycle, revisions
from docctl.audit import Action
from docctl.contents import Content
from docctl.database import Base, Instant
from docctl.documents import Document, DocumentType, checked_title
from docctl.people import Reader
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Refused, Sentence
from docctl.units import Unit

CREATED, REVISED, RENAMED, WITHDRAWN, REINSTATED = "created", "revised", "renamed", "withdrawn", "reinstated"
KINDS = (CREATED, REVISED, RENAMED, WITHDRAWN, REINSTATED)
EDITIONS = (CREATED, REVISED, REINSTATED)
SHOWN_HERE = Sentence("Hủy bỏ theo hồ sơ nhập từ {source}.", "Withdrawn by the history of {source}.")

# What is odd in a line and was kept all the same: each flag with the sentence that a person reads.
FLAGS: dict[str, Sentence] = {
    "out_of_order": Sentence(
        "Ngày hiệu lực sớm hơn dòng trước của cùng tài liệu. Đã nhận theo đúng ngày ghi; hãy đối chiếu với bản gốc.",
        "Its date is before that of the line above it. It was taken with the date it says; compare it with the original.",
    ),
    "same_instant": Sentence(
        "Cùng thời điểm với lần trước nên lần trước chưa từng có hiệu lực. Hãy đối chiếu với bản gốc.",
        "It begins at the same instant as the edition before, which so was never in force. Compare it with the original.",
    ),
    "after_withdrawal": Sentence(
        "Sửa đổi sau khi tài liệu đã bị hủy bỏ mà không có dòng khôi phục. Hãy đối chiếu với bản gốc.",
        "It revises what was withdrawn, and no line reinstates it. Compare it with the original.",
    ),
    "nothing_to_withdraw": Sentence(
        "Hủy bỏ khi không có lần ban hành nào còn hiệu lực. Hãy đối chiếu với bản gốc.",
        "It withdraws where nothing was in force. Compare it with the original.",
    ),
}
WENT_ON_HERE = Sentence(
    "Từ {day} tài liệu đã có lần ban hành theo quyết định ở đây, nên dòng này chưa được nhận. Hãy sửa bằng một quyết định.",
    "Since {day} the document has an edition by a decision made here, so the line was not taken. Correct it by a decision.",
)


class HistoryEvent(Base):
    """One line of an imported history, as it was read, with the edition that it brought, if any; never changed."""

    __tablename__ = "history_event"
    __table_args__ = (UniqueConstraint("source", "line_sha256"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"), index=True)
    source: Mapped[str] = mapped_column(String(200))
    doc: Mapped[str] = mapped_column(String(200))
    kind: Mapped[str] = mapped_column(String(40))
    effective_at: Mapped[datetime] = mapped_column(Instant)
    author: Mapped[str] = mapped_column(String(200))
    subject: Mapped[str] = mapped_column(Text, default="")
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text, default="")
    rev: Mapped[int]
    flags: Mapped[str] = mapped_column(String(200), default="")
    line: Mapped[str] = mapped_column(Text)
    line_sha256: Mapped[str] = mapped_column(String(64))
    imported_at: Mapped[datetime] = mapped_column(Instant)

    revision: Mapped[Revision | None] = relationship()

    @property
    def kinds(self) -> list[str]:
        """The kinds that a line joins: `renamed+revised` is two."""
        return self.kind.split("+")

    @property
    def flagged(self) -> list[Sentence]:
        """What is odd about the line, as sentences."""
        return [FLAGS[flag] for flag in self.flags.split() if flag in FLAGS]


@dataclass
class Told:
    """A line of a history as it was read, with its file when it brings one."""

    doc: str
    kinds: list[str]
    effective_at: datetime
    author: str
    subject: str
    name: str
    path: str
    rev: int
    given: dict[str, Any]
    content: Content | None = None
    file_name: str = ""
    flags: list[str] = field(default_factory=list)
    revision: Revision | None = None

    @property
    def brings_edition(self) -> bool:
        """Whether an edition begins with the line."""
        return any(kind in EDITIONS for kind in self.kinds)


def line_hash(given: dict[str, Any]) -> str:
    """Return the SHA-256, in hex, by which a line is known again, whatever the order of its fields."""
    return hashlib.sha256(audit.canonical(given).encode()).hexdigest()


def known_lines(session: Session, source: str) -> set[str]:
    """Return the hashes of the lines that were taken from a source already."""
    return set(session.scalars(select(HistoryEvent.line_sha256).where(HistoryEvent.source == source)))


def of_document(session: Session, document: Document) -> list[HistoryEvent]:
    """Return the lines about a document, oldest date first, in the order in which they were read."""
    query = select(HistoryEvent).where(HistoryEvent.document_id == document.id)
    return list(session.scalars(query.order_by(HistoryEvent.effective_at, HistoryEvent.id)))


def of_revision(session: Session, revision: Revision) -> HistoryEvent | None:
    """Return the line that brought a revision, None for one that no history brought."""
    return session.scalars(select(HistoryEvent).where(HistoryEvent.revision_id == revision.id)).first()


def totals(session: Session, source: str) -> dict[str, int]:
    """Return how many documents, editions, renames and withdrawals of a source are here."""
    rows = session.execute(select(HistoryEvent.doc, HistoryEvent.kind).where(HistoryEvent.source == source)).all()
    kinds = [row.kind.split("+") for row in rows]
    return {
        "documents": len({row.doc for row in rows}),
        "revisions": sum(any(kind in EDITIONS for kind in joined) for joined in kinds),
        "renames": sum(RENAMED in joined for joined in kinds),
        "withdrawals": sum(WITHDRAWN in joined for joined in kinds),
    }


def find_document(session: Session, source: str, doc: str) -> Document | None:
    """Return the document that a source knows under a name of its own, whatever it is called here by now."""
    query = select(HistoryEvent.document_id).where(HistoryEvent.source == source, HistoryEvent.doc == doc)
    found = session.scalar(query.limit(1))
    return session.get(Document, found) if found else None


def take(
    session: Session, source: str, lines: list[Told], *, by: Reader, type: DocumentType, unit: Unit
) -> tuple[Document, list[tuple[Told, Sentence]]]:
    """Take the new lines of one document, in the order of the history; returns it, and the lines that must wait.

    Intervals follow the dates alone: what is in force at an instant is what began last before it. Lines out of order
    are flagged and kept. What is here already is only ever shortened.
    """
    doc = lines[0].doc
    document = find_document(session, source, doc) or documents.add(
        session, by=by, title=lines[0].name, type=type, unit=unit, field=source, code=doc, allow_clash=True
    )
    known = of_document(session, document)
    refused = _gone_on_here(session, document, lines)
    taken = [line for line in lines if line not in [row for row, _ in refused]]
    _flag(known, taken)
    _place(session, source, document, known, taken, by=by)
    for line in sorted(taken, key=lambda row: row.effective_at):
        if RENAMED in line.kinds:
            _rename(session, document, line, by=by)
    return document, refused


def _gone_on_here(session: Session, document: Document, lines: Iterable[Told]) -> list[tuple[Told, Sentence]]:
    begun = _here_since(session, document)
    if begun is None:
        return []
    sentence = WENT_ON_HERE.fill(day=f"{clock.local(begun):%d/%m/%Y}")
    return [(line, sentence) for line in lines if line.effective_at >= begun and line.kinds != [RENAMED]]


def _here_since(session: Session, document: Document) -> datetime | None:
    """Return the first instant that a decision made here governs: from then on no line has a say."""
    query = select(Revision).where(Revision.document_id == document.id, Revision.state.in_(WAS_ISSUED))
    rows = list(session.scalars(query))
    acts = [row.effective_from for row in rows if row.origin != "import"]
    acts += [_withdrawn_here(session, row) for row in rows]
    return min((at for at in acts if at is not None), default=None)


def _withdrawn_here(session: Session, revision: Revision) -> datetime | None:
    """Return the instant from which a decision made here withdraws a revision, one that never began included."""
    if revision.withdrawn_by_id is None:
        return None
    # The table of decisions is right of histories, so it is asked by name and not imported.
    query = text("SELECT effective_from FROM decision WHERE id = :id")
    day = session.scalar(query, {"id": revision.withdrawn_by_id})
    return clock.midnight(day if isinstance(day, date) else date.fromisoformat(str(day)))


def _flag(known: list[HistoryEvent], lines: list[Told]) -> None:
    """Note what is odd in the order and the dates of the lines."""
    newest = max((row.effective_at for row in known), default=None)
    for line in lines:
        if newest is not None and line.effective_at < newest:
            line.flags.append("out_of_order")
        newest = line.effective_at if newest is None else max(newest, line.effective_at)
    standing, begun = False, None
    ever = False
    told: list[HistoryEvent | Told] = [*known, *lines]
    for row in sorted(told, key=lambda row: row.effective_at):
        brings = any(kind in EDITIONS for kind in row.kinds)
        if isinstance(row, Told):
            if brings and begun == row.effective_at:
                row.flags.append("same_instant")
            if brings and ever and not standing and not {REINSTATED, CREATED} & set(row.kinds):
                row.flags.append("after_withdrawal")
            if WITHDRAWN in row.kinds and not standing:
                row.flags.append("nothing_to_withdraw")
        if brings:
            standing, begun, ever = True, row.effective_at, True
        if WITHDRAWN in row.kinds:
            standing = False


@dataclass
class _Piece:
    """An edition with the interval that the dates give it."""

    begins: datetime
    revision: Revision | None
    line: Told | None
    ends: datetime | None = None
    withdrawn: bool = False


def _place(
    session: Session, source: str, document: Document, known: list[HistoryEvent], lines: list[Told], *, by: Reader
) -> None:
    pieces = _pieces(session, document, known, lines)
    gone = [line for line in lines if WITHDRAWN in line.kinds]
    for line in gone:
        if not line.brings_edition:
            # Written first: the database lets nothing be withdrawn that no line or decision withdraws.
            _keep(session, source, document, line, by=by)
    for piece in pieces:
        if piece.revision is not None:
            _shorten(session, piece, source, by=by)
    last: Content | None = None
    for piece in pieces:
        if piece.line is not None:
            piece.line.content = piece.line.content or last
            piece.line.revision = _edition(session, source, document, piece, by=by)
        elif piece.revision is not None:
            last = piece.revision.content
        last = piece.line.content if piece.line else last
    for line in lines:
        if line not in gone or line.brings_edition:
            _keep(session, source, document, line, by=by)


def _pieces(session: Session, document: Document, known: list[HistoryEvent], lines: list[Told]) -> list[_Piece]:
    """Return every edition, those that are here and those to come, each until the next date ends it."""
    query = select(Revision).where(Revision.document_id == document.id, Revision.state.in_(WAS_ISSUED))
    begun = _here_since(session, document)
    # Of what begins and ends at one instant the line that was read later has the last word.
    order = {event.revision_id: event.id for event in known}
    newest = max(order.values(), default=0) + 1
    marks: list[tuple[datetime, int, _Piece | None]] = []
    for row in session.scalars(query.order_by(Revision.id)):
        assert row.effective_from is not None  # A constraint of the table says so.
        if begun is not None and row.effective_from >= begun:
            continue  # From here on decisions made here govern, and no line has a say.
        if row.effective_to is None or row.effective_to > row.effective_from:
            # What was withdrawn before it began never stood, and ends nothing.
            marks.append((row.effective_from, order.get(row.id, 0), _Piece(row.effective_from, row, None)))
    marks += [
        (event.effective_at, event.id, None)
        for event in known
        if WITHDRAWN in event.kinds and (begun is None or event.effective_at < begun)
    ]
    for place, line in enumerate(lines, start=newest):
        if line.brings_edition:
            marks.append((line.effective_at, place, _Piece(line.effective_at, None, line)))
        if WITHDRAWN in line.kinds:
            marks.append((line.effective_at, place, None))
    marks.sort(key=lambda mark: mark[:2])
    pieces: list[_Piece] = []
    for at, _, piece in marks:
        if pieces and pieces[-1].ends is None:
            pieces[-1].ends, pieces[-1].withdrawn = at, piece is None
        if piece is not None:
            pieces.append(piece)
    if pieces and pieces[-1].ends is None:
        pieces[-1].ends = begun
    return pieces


def _shorten(session: Session, piece: _Piece, source: str, *, by: Reader) -> None:
    revision, ends = piece.revision, piece.ends
    assert revision is not None
    if ends is None or (revision.effective_to is not None and revision.effective_to <= ends):
        return
    if piece.withdrawn and revision.state != WITHDRAWN:
        lifecycle.move(
            session,
            revision,
            "withdraw",
            by=by,
            facts=revisions.facts(
                session, revision, by=by, executing=True, reason=SHOWN_HERE.fill(source=source).get("vi")
            ),
            document_id=revision.document_id,
            changes={"effective_to": ends},
            history=source,
        )
        return
    before, revision.effective_to = revision.effective_to, ends
    session.flush()
    audit.record(
        session,
        Action.REVISION_SUPERSEDED,
        by=by.account,
        noun="revision",
        record_id=revision.id,
        document_id=revision.document_id,
        before={"effective_to": before},
        effective_to=ends,
        history=source,
    )


def _edition(session: Session, source: str, document: Document, piece: _Piece, *, by: Reader) -> Revision:
    line = piece.line
    assert line is not None
    if line.content is None:
        raise Refused(
            Sentence(
                "Dòng {rev} của {doc} không có tệp và trước đó cũng không có bản nào. Hãy bổ sung tệp rồi nhập lại.",
                "Line {rev} of {doc} has no file, and no edition before it has one. Add the file, then import again.",
            ).fill(rev=line.rev, doc=line.doc)
        )
    follows = lifecycle.newest(session, document.type.workflow)
    amendment = 0
    while revisions.with_edition(session, document, line.rev, amendment):
        amendment += 1
    revision = Revision(
        document_id=document.id,
        edition=line.rev,
        amendment=amendment,
        major=revisions.is_major_by_default(amendment),
        title=checked_title(line.name),
        state=WITHDRAWN if piece.withdrawn else "issued",
        **lifecycle.begun(follows),
        author_id=by.id,
        file_sha256=line.content.sha256,
        file_name=line.file_name,
        change_summary=line.subject,
        effective_from=piece.begins,
        effective_to=piece.ends,
        origin="import",
        source=f"{source}: {line.given.get('file') or line.path}",
        created_at=clock.now(),
    )
    revision.document, revision.author = document, by.account
    revision.content_hash = revisions.content_hash(revision)
    session.add(revision)
    session.flush()
    audit.record(
        session,
        Action.REVISION_IMPORTED,
        by=by.account,
        noun="revision",
        record_id=revision.id,
        document_id=document.id,
        history=source,
        **revisions.recorded(revision),
    )
    return revision


def _keep(session: Session, source: str, document: Document, line: Told, *, by: Reader) -> None:
    event = HistoryEvent(
        document_id=document.id,
        revision_id=line.revision.id if line.revision else None,
        source=source,
        doc=line.doc,
        kind="+".join(line.kinds),
        effective_at=line.effective_at,
        author=line.author,
        subject=line.subject,
        name=line.name,
        path=line.path,
        rev=line.rev,
        flags=" ".join(dict.fromkeys(line.flags)),
        line=json.dumps(line.given, ensure_ascii=False, sort_keys=True),
        line_sha256=line_hash(line.given),
        imported_at=clock.now(),
    )
    session.add(event)
    session.flush()
    audit.record(
        session,
        Action.HISTORY_IMPORTED,
        by=by.account,
        noun="history_event",
        record_id=event.id,
        document_id=document.id,
        **{
            name: getattr(event, name)
            for name in ("revision_id", "source", "doc", "kind", "effective_at", "author", "subject", "name", "path")
        },
        **{name: getattr(event, name) for name in ("rev", "flags", "line", "line_sha256", "imported_at")},
    )


def _rename(session: Session, document: Document, line: Told, *, by: Reader) -> None:
    title = checked_title(line.name)
    if title == document.title:
        return
    before, document.title = document.title, title
    session.flush()
    audit.record(
        session,
        Action.DOCUMENT_RENAMED,
        by=by.account,
        noun="document",
        record_id=document.id,
        document_id=document.id,
        before={"title": before},
        title=title,
    )
