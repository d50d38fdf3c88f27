"""F12 and F7 as lists: how long every edition that ended is kept and what holds it, and everything that was disposed of."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from docctl import audit, clock, lifecycle, units
from docctl.exporting.paper import Block, Cell, Paper, Row
from docctl.people import Reader
from docctl.register import Asked
from docctl.retention import disposal, schedule
from docctl.retention.schedule import STANDINGS, Record
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.text import code_key, fold

TITLE = Sentence("Danh mục hồ sơ và thời hạn lưu", "Records and their retention")
YEARS, FOREVER = Sentence("{n} năm", "{n} years"), Sentence("Vĩnh viễn", "For good")
HEADINGS = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Loại", "Type"),
    Sentence("Lần ban hành", "Edition"),
    Sentence("Đơn vị", "Unit"),
    Sentence("Ngày hết hiệu lực", "Ended on"),
    Sentence("Thời hạn lưu", "Kept for"),
    Sentence("Lưu đến", "Kept until"),
    Sentence("Tình trạng", "State"),
    Sentence("Giữ lại vì", "Held because"),
    Sentence("Biên bản hủy", "Disposal minutes"),
)

DISPOSALS = Sentence("Sổ theo dõi tiêu hủy tài liệu", "Register of disposals")
DISPOSAL_HEADINGS = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Lần ban hành", "Edition"),
    Sentence("Biên bản số", "Minutes no."),
    Sentence("Ngày", "Date"),
    Sentence("Hội đồng", "Council"),
    Sentence("Căn cứ", "Basis"),
    Sentence("Số bản", "Copies"),
    Sentence("Lý do", "Reason"),
    Sentence("Lưu đến", "Kept until"),
    Sentence("Phương pháp", "Method"),
    Sentence("Người làm", "Done by"),
    Sentence("Giám sát", "Witness"),
    Sentence("Tình trạng", "State"),
)


def disposals(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F7 over all disposals, newest first: a line for each edition; for those who may see retention."""
    known = disposal.all_disposals(session) if by.sees_everything or schedule.may_see(by) else []
    rows: list[Row] = []
    about: list[int] = []
    for each in known:
        lines = disposal.lines_of(session, each)
        archived = disposal.archived_copies(session, [line.revision_id for line in lines])
        for line in lines:
            if not _wanted(session, line.revision, asked):
                continue
            told = (line.revision.document.code, line.revision.title, line.revision.edition_text, each.number)
            what = (each.held_on, each.council, each.basis, 1 + archived.get(line.revision_id, 0), line.reason)
            how = (line.keep_until, each.method, each.done_by, each.witness, lifecycle.label(session, each).get(locale))
            rows.append([len(rows) + 1, *told, *what, *how])
            about.append(line.revision.document_id)
    return _paper(session, DISPOSALS, "F7", Block("", _said(DISPOSAL_HEADINGS, locale), rows, about), locale)


def build(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F12 for those who may see retention, narrowed by words, unit and type."""
    found = schedule.records(session) if by.sees_everything or schedule.may_see(by) else []
    shown = [row for row in found if _wanted(session, row.revision, asked)]
    rows = [_row(number, row, locale) for number, row in enumerate(shown, start=1)]
    documents = [row.revision.document_id for row in shown]
    return _paper(session, TITLE, "F12", Block("", _said(HEADINGS, locale), rows, documents), locale)


def _paper(session: Session, title: Sentence, code: str, block: Block, locale: str) -> Paper:
    return Paper(
        title=title.get(locale),
        office=units.office(session).name(locale),
        code=code,
        made_at=clock.now(),
        blocks=[block],
        head=audit.head(session),
        locale=locale,
    )


def _said(headings: Sequence[Sentence], locale: str) -> list[str]:
    return [heading.get(locale) for heading in headings]


def _wanted(session: Session, revision: Revision, asked: Asked) -> bool:
    document, title = revision.document, fold(revision.title)
    if asked.type and document.type.code != asked.type:
        return False
    if asked.unit and document.unit_id not in units.with_descendants(session, units.find(session, asked.unit).id):
        return False
    named = code_key(asked.words) in document.code_key or all(word in title for word in fold(asked.words).split())
    return named or not asked.words.strip()


def _row(number: int, row: Record, locale: str) -> list[Cell]:
    document = row.revision.document
    return [
        number,
        document.code,
        row.revision.title,
        document.type.name(locale),
        row.revision.edition_text,
        document.unit.name(locale),
        row.ended,
        YEARS.fill(n=row.years).get(locale) if row.years else FOREVER.get(locale),
        row.keep_until,
        STANDINGS[row.standing].get(locale),
        row.hold.reason if row.hold else "",
        row.disposal,
    ]
