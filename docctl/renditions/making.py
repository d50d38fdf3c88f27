"""How a file comes to its PDF: asked for once, tracked changes settled by the author, made outside of any request."""

import tempfile
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import audit, clock, contents, revisions
from docctl.audit import Action
from docctl.contents import Content
from docctl.database import Database
from docctl.files import convert, pdf, plain, tracked
from docctl.files.kinds import PLAIN, Kind
from docctl.files.store import Store
from docctl.people import Account, Reader
from docctl.renditions.table import (
    ACCEPT,
    ASKS,
    AUTHOR,
    ORIGINAL,
    READY,
    REFUSE,
    UNAVAILABLE,
    WAITING,
    Rendition,
)
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused, Sentence

AT_ONCE = 200  # Drafts whose files are looked into after one commit; the next one goes on.
LARGEST = 512 << 20  # Bytes of a PDF that was made of a file.

NOT_YOURS = Sentence(
    "Chỉ người soạn thảo, khi còn là dự thảo, mới được quyết định việc này.",
    "Only the author may settle this, and only in a draft.",
)
NOTHING_TO_SETTLE = Sentence(
    "Tệp này không còn gì phải quyết định; muốn khác, hãy tải lên một tệp khác.",
    "There is nothing to settle in this file; to have it otherwise, upload another file.",
)
UNKNOWN_CHOICE = Sentence("Hãy chọn chấp nhận hoặc bác bỏ các sửa đổi.", "Choose to accept or to refuse the changes.")
NOT_WANTED = Sentence(
    "Tệp này đã có bản PDF hoặc đang được chuyển đổi, nên không nhận bản PDF bên cạnh.",
    "This file has its PDF already, or is being converted, so no PDF beside it is taken.",
)
NO_PDF_BESIDE = Sentence("Hãy chọn một tệp PDF.", "Choose a PDF file.")
GONE = Sentence(
    "Tệp không còn trong kho lưu trữ. Hãy chạy `docctl verify`, khôi phục tệp từ bản sao lưu rồi thử lại.",
    "The file is not in the storage folder. Run `docctl verify`, bring it back from a backup, then try again.",
)
TOO_LONG = Sentence("Văn bản quá dài để tạo bản PDF; hãy tách tài liệu.", "The text is too long for a PDF; split it.")


def of(session: Session, sha256: str | None) -> Rendition | None:
    """Return what is known of the PDF of a file."""
    return session.scalars(select(Rendition).where(Rendition.source_sha256 == sha256)).first() if sha256 else None


def ask(database: Database, store: Store, sha256: str, kind: Kind) -> None:
    """Ask for the PDF of a stored file, once; a file with tracked changes or comments asks its author first."""
    with database.reading() as session:
        if of(session, sha256) is not None:
            return
    found = tracked.look(store.path(sha256), kind)
    try:
        with database.writing() as session:
            if of(session, sha256) is None:
                row = Rendition(
                    source_sha256=sha256,
                    status=ASKS if found else WAITING,
                    tracked=found.tracked,
                    comments=found.comments,
                    changed_at=clock.now(),
                )
                session.add(row)
                session.flush()
    except IntegrityError:
        pass  # Somebody else asked in the same moment.


def settling_refusal(revision: Revision, row: Rendition | None, *, by: Reader) -> Sentence | None:
    """Return why somebody may not settle the tracked changes of a revision's file, or None."""
    if revisions.editing_refusal(revision, by=by):
        return NOT_YOURS
    return None if row is not None and row.status == ASKS else NOTHING_TO_SETTLE


def settle(session: Session, revision: Revision, *, by: Reader, choice: str) -> None:
    """Decide, as the author of a draft, that its file is read with the tracked changes accepted, or with them refused.

    Comments are left out of the PDF either way. The file itself stays as it is.
    """
    row = of(session, revision.file_sha256)
    if sentence := settling_refusal(revision, row, by=by):
        raise Refused(sentence)
    if choice not in (ACCEPT, REFUSE):
        raise Refused(UNKNOWN_CHOICE, field="choice")
    assert row is not None
    row.choice, row.status, row.changed_at = choice, WAITING, clock.now()
    session.flush()
    _record(session, Action.RENDITION_SETTLED, row, by=by.account, document_id=revision.document_id)


def supplying_refusal(revision: Revision, row: Rendition | None, *, by: Reader) -> Sentence | None:
    """Return why somebody may not bring a PDF beside a revision's file, or None.

    The author may in a draft; a controller may for what was issued, where this server could make none.
    """
    if row is None or row.status not in (UNAVAILABLE, ASKS):
        return NOT_WANTED
    if revisions.editing_refusal(revision, by=by) is None:
        return None
    keeps = "controller" in by.roles_in(revision.document.unit_id)
    return None if keeps and row.status == UNAVAILABLE and not revisions.is_open(revision) else NOT_YOURS


def supply(session: Session, revision: Revision, *, by: Reader, made: Content, pages: int, signatures: int) -> None:
    """Take a PDF that a person made of the revision's file as what it is read and printed as."""
    row = of(session, revision.file_sha256)
    if sentence := supplying_refusal(revision, row, by=by):
        raise NoRole(sentence) if sentence is NOT_YOURS else Refused(sentence)
    assert row is not None
    row.sha256, row.engine, row.status, row.changed_at = made.sha256, AUTHOR, READY, clock.now()
    row.pages, row.signatures, row.reason_vi, row.reason_en = pages, signatures, "", ""
    session.flush()
    _record(session, Action.RENDITION_MADE, row, by=by.account, document_id=revision.document_id)


def try_again(session: Session, sha256: str) -> None:
    """Let a PDF that could not be made wait for another attempt."""
    again = update(Rendition).where(Rendition.source_sha256 == sha256, Rendition.status == UNAVAILABLE)
    session.execute(again.values({"status": WAITING, "changed_at": clock.now()}))


def waiting(session: Session, *, limit: int = 20) -> list[tuple[str, Kind, str]]:
    """Return SHA-256, kind and choice of the files whose PDF is to be made, first come first."""
    query = select(Content.sha256, Content.kind, Rendition.choice).join(
        Rendition, Rendition.source_sha256 == Content.sha256
    )
    found = session.execute(query.where(Rendition.status == WAITING).order_by(Rendition.id).limit(limit))
    return [(row.sha256, Kind(row.kind), row.choice) for row in found]


def counts(session: Session) -> dict[str, int]:
    """Return how many files have their PDF, wait for it, ask their author, or have none."""
    found = session.execute(select(Rendition.status, func.count().label("n")).group_by(Rendition.status))
    return dict.fromkeys((READY, WAITING, ASKS, UNAVAILABLE), 0) | {row.status: row.n for row in found}


def make(database: Database, store: Store, sha256: str, kind: Kind, choice: str) -> None:
    """Make the PDF of one file and keep it, or keep why there is none; nothing is locked while it is made.

    A crash on the way leaves the row waiting, so that the next round makes it; two that make the same keep one.
    """
    if not store.path(sha256).is_file():
        _failed(database, sha256, GONE)  # Else it would be tried for ever, before all the others.
        return
    try:
        with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
            found, engine = _made(store.path(sha256), kind, choice, Path(folder))
            if isinstance(found, Sentence):
                _failed(database, sha256, found)
                return
            facts = pdf.examine(found)
            if engine == ORIGINAL:
                kept, size = sha256, found.stat().st_size
            else:
                with found.open("rb") as file:
                    stored = store.put(file, limit_bytes=LARGEST)
                kept, size = stored.sha256, stored.size
    except pdf.CannotBeShown as error:
        _failed(database, sha256, error.sentence)
        return
    with database.writing() as session:
        row = of(session, sha256)
        if row is None or row.status != WAITING or row.choice != choice:
            return
        contents.keep_made(session, sha256=kept, size=size)
        row.sha256, row.engine, row.status, row.changed_at = kept, engine, READY, clock.now()
        row.pages, row.signatures, row.reason_vi, row.reason_en = facts.pages, facts.signatures, "", ""
        session.flush()
        about = revisions.documents_with(session, sha256)
        _record(session, Action.RENDITION_MADE, row, by=None, document_id=about[0] if about else None)


def _made(source: Path, kind: Kind, choice: str, folder: Path) -> tuple[Path | Sentence, str]:
    """Return the PDF of a file, or why there is none, and what made it."""
    if kind == Kind.PDF:
        return source, ORIGINAL
    if kind in PLAIN:
        try:
            plain.to_pdf(source, folder / "plain.pdf")
        except plain.TooLong:
            return TOO_LONG, ""
        return folder / "plain.pdf", "docctl"
    engine = convert.version()
    if choice:
        whole = source if kind == Kind.DOCX else convert.to_docx(source, kind, folder)
        if isinstance(whole, Sentence):
            return whole, engine
        settled = folder / "settled.docx"
        try:
            tracked.settle(whole, settled, accept=choice == ACCEPT)
        except ValueError:
            return convert.NO_PDF.fill(why=convert.NOT_CONVERTED), engine
        source, kind = settled, Kind.DOCX
    return convert.to_pdf(source, kind, folder), engine


def _failed(database: Database, sha256: str, why: Sentence) -> None:
    with database.writing() as session:
        failed = update(Rendition).where(Rendition.source_sha256 == sha256, Rendition.status == WAITING)
        told = {"status": UNAVAILABLE, "reason_vi": why.vi, "reason_en": why.en, "changed_at": clock.now()}
        session.execute(failed.values(told))


def _record(session: Session, action: Action, row: Rendition, *, by: Account | None, document_id: int | None) -> None:
    audit.record(
        session,
        action,
        by=by,
        noun="rendition",
        record_id=row.id,
        document_id=document_id,
        source_sha256=row.source_sha256,
        sha256=row.sha256,
        choice=row.choice,
        engine=row.engine,
        pages=row.pages,
        signatures=row.signatures,
    )


def every_source(session: Session, *, drafts: bool = False) -> list[tuple[str, Kind]]:
    """Return the files that have not asked for a PDF yet: of all revisions, what is in force first, or of drafts only."""
    query = (
        select(Content.sha256, Content.kind)
        .join(Revision, Revision.file_sha256 == Content.sha256)
        .outerjoin(Rendition, Rendition.source_sha256 == Content.sha256)
        .where(Rendition.id.is_(None))
        .order_by(Revision.effective_to.is_not(None), Revision.id)
    )
    if drafts:
        query = query.where(Revision.state == "draft").limit(AT_ONCE)
    return list(dict.fromkeys((row.sha256, Kind(row.kind)) for row in session.execute(query)))
