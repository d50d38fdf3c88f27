"""F2, the internal master list: what is in force on a day, and what no longer is, with the columns of the offices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock, register, reviews, revisions, units
from docctl.decisions import Decision
from docctl.exporting import holdings
from docctl.exporting.paper import Block, Cell, Paper
from docctl.lifecycle import Signature
from docctl.people import Reader
from docctl.procedures import linking
from docctl.register import Asked
from docctl.revisions import IN_FORCE, SUPERSEDED, WITHDRAWN, Revision
from docctl.rules import Sentence

FORM_LEVEL = 4  # Of the document types: forms and records.
TITLE = Sentence("Danh mục tài liệu nội bộ", "Internal master list")
CURRENT = Sentence("I. Tài liệu còn hiệu lực ({n})", "I. Documents in force ({n})")
OVER = Sentence("II. Tài liệu hết hiệu lực ({n})", "II. Documents no longer in force ({n})")
ON = Sentence("Tình hình ngày {day}", "As of {day}")
KEPT = Sentence("Kho tệp docctl", "File store of docctl")
IMPORTED = Sentence("Nhập từ hồ sơ đã có", "Imported from existing records")
CLASH = Sentence("Mã trùng, chờ xử lý", "The code clashes and waits to be settled")
ENDED = Sentence("Hết hiệu lực từ {day}", "No longer in force since {day}")
WITHDRAWN_BY = Sentence("hủy bỏ theo {number}", "withdrawn by {number}")
REPLACED_BY = Sentence("thay bằng lần {edition}", "replaced by edition {edition}")
HEADINGS = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Loại", "Type"),
    Sentence("Lần ban hành/ sửa đổi", "Edition/ amendment"),
    Sentence("Ngày ban hành", "Date of issue"),
    Sentence("Ngày hiệu lực", "Effective from"),
    Sentence("Người duyệt", "Approved by"),
    Sentence("Nơi lưu bản gốc", "Original kept at"),
    Sentence("Phát cho", "Distributed to"),
    Sentence("Biểu mẫu kèm", "Forms attached"),
    Sentence("Quyết định", "Decision"),
    Sentence("TTHC", "Procedures"),
    Sentence("Hạn soát xét", "Review due"),
    Sentence("Ghi chú", "Notes"),
)


@dataclass(frozen=True)
class _Known:
    """What stands behind the rows, looked up once for all of them."""

    decisions: Mapping[int, Decision]
    approvers: Mapping[int, str]
    following: Mapping[tuple[int, str], str]
    holders: Mapping[int, str]
    forms: Mapping[int, str]
    procedures: Mapping[int, str]
    due: Mapping[int, date | None]
    at: datetime
    locale: str


def build(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return the list as the reader may see it, narrowed by the questions; `asked.at` None is now."""
    at = asked.at or clock.now()
    current = _rows(session, asked, by, IN_FORCE)
    over = _rows(session, asked, by, SUPERSEDED) + _rows(session, asked, by, WITHDRAWN)
    over.sort(key=lambda row: (row.document.code_key, row.document_id, row.effective_from or at))
    known = _known(session, [*current, *over], at, locale)
    return Paper(
        title=TITLE.get(locale),
        subtitle=ON.fill(day=clock.local(at).strftime("%d/%m/%Y")).get(locale),
        office=units.office(session).name(locale),
        code="F2",
        made_at=clock.now(),
        blocks=[_block(CURRENT, current, known), _block(OVER, over, known)],
        head=audit.head(session),
        locale=locale,
    )


def _rows(session: Session, asked: Asked, by: Reader, state: str) -> list[Revision]:
    found = register.find(session, replace(asked, state=state, sort="code", descending=False), by=by, limit=None)
    return [row.revision for row in found.rows if row.revision is not None]


def _known(session: Session, rows: Sequence[Revision], at: datetime, locale: str) -> _Known:
    signed = select(Signature).where(Signature.meaning == "approved", Signature.revision_id.is_not(None))
    rounds = {row.id: row.round for row in rows}
    approvers = {
        row.revision_id: f"{row.person}, {row.title}" if row.person != row.title else row.title
        for row in session.scalars(signed)
        if row.revision_id is not None and rounds.get(row.revision_id) == row.round
    }
    begun = select(Revision).where(
        Revision.effective_from.is_not(None), Revision.document_id.in_({row.document_id for row in rows})
    )
    following = {
        (row.document_id, str(row.effective_from)): row.edition_code
        for row in session.scalars(begun)
        if row.effective_to is None or row.effective_from is None or row.effective_to > row.effective_from
    }
    return _Known(
        {row.id: row for row in session.scalars(select(Decision))},
        approvers,
        following,
        holdings.holders(session, list(rounds), locale),
        _forms(session, at),
        _procedures(session),
        {row.revision.id: row.due_on for row in reviews.all_due(session, on=clock.local(at).date())},
        at,
        locale,
    )


def _forms(session: Session, at: datetime) -> dict[int, str]:
    """Return by document the forms in force that go with it: those whose code holds its code, and no longer one."""
    standing = [(row.document.code_key, row) for row in revisions.in_force(session, on=at) if row.document.code_key]
    owners = [(key, row) for key, row in standing if row.document.type.level < FORM_LEVEL]
    found: dict[int, list[str]] = {}
    for key, form in standing:
        if form.document.type.level != FORM_LEVEL:
            continue
        holding = [(len(owner), row) for owner, row in owners if owner in key]
        if holding:
            _length, nearest = max(holding, key=lambda pair: pair[0])
            found.setdefault(nearest.document_id, []).append(form.document.code)
    return {document_id: "; ".join(sorted(codes)) for document_id, codes in found.items()}


def _procedures(session: Session) -> dict[int, str]:
    """Return by document the codes of the administrative procedures that it covers."""
    codes: dict[int, list[str]] = {}
    for link in linking.links(session):
        codes.setdefault(link.document_id, []).append(link.procedure.code)
    return {document_id: ", ".join(sorted(found)) for document_id, found in codes.items()}


def _block(caption: Sentence, rows: Sequence[Revision], known: _Known) -> Block:
    return Block(
        caption.fill(n=len(rows)).get(known.locale),
        [heading.get(known.locale) for heading in HEADINGS],
        [_row(number, revision, known) for number, revision in enumerate(rows, start=1)],
        [revision.document_id for revision in rows],
    )


def _row(number: int, revision: Revision, known: _Known) -> list[Cell]:
    document, locale = revision.document, known.locale
    decision = known.decisions.get(revision.decision_id or 0)
    return [
        number,
        document.code,
        revision.title,
        document.type.name(locale),
        revision.edition_text,
        decision.signed_on if decision else revision.cover_date,
        _day(revision),
        known.approvers.get(revision.id, ""),
        KEPT.get(locale) if revision.file_sha256 else "",
        known.holders.get(revision.id, ""),
        known.forms.get(revision.document_id, "") if revision.status(known.at) == IN_FORCE else "",
        decision.number if decision else revision.origin_decision,
        known.procedures.get(document.id, ""),
        known.due.get(revision.id),
        "; ".join(note.get(locale) for note in _notes(revision, known)),
    ]


def _notes(revision: Revision, known: _Known) -> list[Sentence]:
    notes = []
    if revision.effective_to is not None:
        notes.append(ENDED.fill(day=clock.local(revision.effective_to).strftime("%d/%m/%Y")))
        if by := known.decisions.get(revision.withdrawn_by_id or 0):
            notes.append(WITHDRAWN_BY.fill(number=by.number))
        elif edition := known.following.get((revision.document_id, str(revision.effective_to))):
            notes.append(REPLACED_BY.fill(edition=edition))
    if revision.origin == "import":
        notes.append(IMPORTED)
    if revision.document.code_clash:
        notes.append(CLASH)
    return notes


def _day(revision: Revision) -> date | None:
    return clock.local(revision.effective_from).date() if revision.effective_from else None
