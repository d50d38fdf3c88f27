"""F1 as a list: every change request with what it asks for, who said what of it, and the decision that took it up."""

from collections.abc import Collection
from datetime import date

from sqlalchemy.orm import Session

from docctl import audit, clock, deadlines, holidays, lifecycle, requests, units
from docctl.exporting.paper import Block, Cell, Paper
from docctl.people import Reader
from docctl.register import Asked
from docctl.requests import CONCLUSIONS, KINDS, ChangeRequest
from docctl.rules import Sentence

TITLE = Sentence("Sổ theo dõi phiếu yêu cầu", "Register of change requests")
HEADINGS = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Số phiếu", "Request"),
    Sentence("Loại", "Kind"),
    Sentence("Lần đề xuất", "Edition proposed"),
    Sentence("Ngày hiệu lực đề xuất", "Effective date proposed"),
    Sentence("Người đề nghị", "Requester"),
    Sentence("Đơn vị", "Unit"),
    Sentence("Ngày", "Date"),
    Sentence("Lý do", "Reason"),
    Sentence("Nội dung (mục: cũ → mới)", "Content (section: old → new)"),
    Sentence("Đơn vị bị tác động", "Units affected"),
    Sentence("Người soạn thảo", "Author"),
    Sentence("Hạn", "Due"),
    Sentence("Ý kiến", "Opinions"),
    Sentence("Tình trạng", "State"),
    Sentence("Quyết định", "Decision"),
    Sentence("Văn bản pháp luật", "Law"),
    Sentence("Hiệu lực văn bản", "Law effective from"),
    Sentence("Hạn 3 tháng", "Three-month term"),
)


def build(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return the requests that the reader may see, newest first, narrowed by words and unit."""
    found = requests.find(session, requests.Asked(words=asked.words, unit=asked.unit), by=by)
    if asked.type:
        found = [row for row in found if _type(row) == asked.type]
    off = holidays.days(session)
    rows = [_row(session, number, row, off, locale) for number, row in enumerate(found, start=1)]
    return Paper(
        title=TITLE.get(locale),
        office=units.office(session).name(locale),
        code="F1",
        made_at=clock.now(),
        blocks=[Block("", [heading.get(locale) for heading in HEADINGS], rows)],
        head=audit.head(session),
        locale=locale,
    )


def _type(row: ChangeRequest) -> str:
    named = row.document.type if row.document else row.type
    return named.code if named else ""


def _row(session: Session, number: int, row: ChangeRequest, off: Collection[date], locale: str) -> list[Cell]:
    said = [
        f"{each.signature.title}: {CONCLUSIONS[each.conclusion].get(locale)}"
        + (f" ({each.remark})" if each.remark else "")
        + f", {clock.local(each.signature.signed_at):%d/%m/%Y %H:%M}"
        for each in requests.opinions(session, row)
    ]
    law = row.law_effective_on
    return [
        number,
        row.about_code,
        row.subject,
        row.number_text,
        KINDS[row.kind].get(locale),
        row.edition_text,
        row.effective_on,
        row.requester.title(locale),
        row.requester_unit.name(locale),
        clock.local(row.created_at).date(),
        row.why,
        "\n".join(f"{each.section}: {each.old} → {each.new}" for each in row.change_rows),
        row.affected,
        row.drafter.title(locale) if row.drafter else "",
        row.draft_due,
        "\n".join(said),
        lifecycle.label(session, row).get(locale),
        requests.number_of_decision(session, row),
        row.legal_basis,
        law,
        deadlines.deadline(law, holidays=off) if law else None,
    ]
