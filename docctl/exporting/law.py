"""F3 and F14 as papers: the external documents, and the administrative procedures with their coverage."""

from datetime import date

from sqlalchemy.orm import Session

from docctl import audit, clock, deadlines, external, holidays, lifecycle, procedures, register, reviews, units, watch
from docctl.exporting.paper import Block, Cell, Paper
from docctl.people import Reader
from docctl.procedures import Row, Share
from docctl.register import Asked
from docctl.rules import Sentence

EXTERNAL = Sentence("Danh mục tài liệu bên ngoài", "Register of external documents")
COVERAGE = Sentence("Danh mục thủ tục hành chính và quy trình", "Administrative procedures and their documents")
ON = Sentence("Tình hình ngày {day}", "As of {day}")
EXTERNAL_STATES = {
    external.IN_FORCE: Sentence("Còn hiệu lực", "In force"),
    external.NOT_YET: Sentence("Chưa có hiệu lực", "Not yet in force"),
    external.EXPIRED: Sentence("Hết hiệu lực", "Expired"),
    external.UNKNOWN: Sentence("Chưa rõ", "Unknown"),
}
PROCEDURE_STATES = {
    "live": Sentence("Đang áp dụng", "Applies"),
    "excluded": Sentence("Không áp dụng", "Does not apply"),
    "repealed": Sentence("Đã bãi bỏ", "Repealed"),
    "not_yet": Sentence("Chưa công bố", "Not published yet"),
}
CHANGES = {
    external.AMENDED: Sentence("sửa đổi", "amended"),
    external.REPLACED: Sentence("thay thế", "replaced"),
    external.REPEALED: Sentence("bãi bỏ", "repealed"),
}
_EXTERNAL_HEADS = (
    *(Sentence("STT", "No."), Sentence("Nhóm", "Group"), Sentence("Số hiệu", "Number"), Sentence("Cơ quan", "Issuer")),
    *(Sentence("Tên", "Title"), Sentence("Loại", "Kind"), Sentence("Ngày ban hành", "Date of issue")),
    *(Sentence("Ngày hiệu lực", "Effective from"), Sentence("Tình trạng", "State")),
    *(Sentence("Sửa đổi, thay bởi", "Changed by"), Sentence("Điều khoản áp dụng", "Clauses applied")),
    *(Sentence("Đơn vị", "Units"), Sentence("Tần suất soát xét (tháng)", "Months between checks")),
    *(Sentence("Ngày soát xét", "Last check"), Sentence("Người kiểm", "Checked by")),
    Sentence("Hạn cập nhật 3 tháng", "Three-month deadline"),
)
_COVERAGE_HEADS = (
    *(Sentence("STT", "No."), Sentence("Mã TTHC", "Code"), Sentence("Tên thủ tục", "Title")),
    *(Sentence("Đối tượng", "Audience"), Sentence("Lĩnh vực", "Field"), Sentence("Cấp", "Level")),
    *(Sentence("Quyết định công bố", "Published by"), Sentence("Tình trạng", "State"), Sentence("Lý do", "Reason")),
    *(Sentence("Quy trình", "Documents"), Sentence("Có quy trình", "Covered")),
)
_SHARE_HEADS = (
    Sentence("Lĩnh vực", "Field"),
    Sentence("Có quy trình", "Covered"),
    Sentence("Áp dụng", "Applied"),
    Sentence("Tỷ lệ (%)", "Percent"),
)
REVIEWS = Sentence("Sổ soát xét tài liệu định kỳ", "Periodic reviews")
_REVIEW_HEADS = (
    *(Sentence("STT", "No."), Sentence("Mã", "Code"), Sentence("Tên", "Title"), Sentence("Lần ban hành", "Edition")),
    *(Sentence("Đơn vị", "Unit"), Sentence("Hạn soát xét", "Due on"), Sentence("Quá hạn", "Overdue")),
    *(Sentence("Soát xét ngày", "Reviewed on"), Sentence("Kết quả", "Outcome"), Sentence("Lý do", "Reason")),
    Sentence("Người soát xét", "Reviewer"),
)
WATCH = Sentence("Sổ theo dõi cập nhật văn bản pháp luật", "Legal watch register")
BUCKETS = {
    "on_time": Sentence("Đúng hạn", "On time"),
    "due": Sentence("Trong hạn", "Due"),
    "late": Sentence("Quá hạn", "Late"),
}
_WATCH_HEADS = (
    *(Sentence("STT", "No."), Sentence("Văn bản", "Law"), Sentence("Trích yếu", "Title of the law")),
    *(Sentence("Sửa đổi, thay bởi", "Changed by"), Sentence("Ngày hiệu lực", "Effective from")),
    *(Sentence("Hạn 3 tháng", "Three-month deadline"), Sentence("Mã", "Code"), Sentence("Tài liệu, TTHC", "Document")),
    *(Sentence("Đơn vị", "Unit"), Sentence("Kết luận", "State"), Sentence("Nội dung", "Finding")),
    *(Sentence("Phiếu yêu cầu", "Request"), Sentence("Ngày hoàn thành", "Finished on")),
    *(Sentence("Tình trạng", "Standing"), Sentence("Số ngày", "Days")),
)
_ALL = Sentence("Tất cả", "All")
_YES, _NO = Sentence("Có", "Yes"), Sentence("Không", "No")
_LIST = Sentence("Danh mục", "Catalogue")
_SHARES = Sentence("Tỷ lệ thủ tục có quy trình theo lĩnh vực", "Coverage by field")


def external_list(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F3 on a day; everybody reads it whole."""
    day = _day(asked)
    return of_external(session, external.Asked(on=day, words=asked.words, unit=asked.unit), locale=locale)


def of_external(session: Session, asked: external.Asked, *, locale: str) -> Paper:
    """Return F3 narrowed by the questions of its page."""
    day, off = asked.on or clock.today(), holidays.days(session)
    rows: list[list[Cell]] = []
    for number, row in enumerate(external.find(session, asked, limit=None).rows, start=1):
        changed = row.amended_by(day)
        newest = max((change.effective_from for change in changed if change.effective_from), default=row.effective_from)
        rows.append(
            [
                number,
                row.category,
                row.number,
                row.issuer,
                row.title,
                row.kind,
                row.issued_on,
                row.effective_from,
                EXTERNAL_STATES[row.state_on(day)].get(locale),
                "; ".join(f"{change.number} ({CHANGES[change.kind].get(locale)})" for change in changed),
                row.clauses,
                row.units,
                row.check_months,
                row.checked_on,
                row.checked_by,
                deadlines.deadline(newest, holidays=off) if newest else None,
            ]
        )
    return _paper(session, EXTERNAL, "F3", day, [Block("", _said(_EXTERNAL_HEADS, locale), rows)], locale)


def coverage(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F14 on a day; everybody reads it whole."""
    return of_procedures(session, procedures.Asked(on=_day(asked), unit=asked.unit, words=asked.words), locale=locale)


def of_procedures(session: Session, asked: procedures.Asked, *, locale: str) -> Paper:
    """Return F14 narrowed by the questions of its page, with the coverage by field of the whole catalogue."""
    day = asked.on or clock.today()
    found = procedures.find(session, asked, limit=None).rows
    rows = [_procedure(number, row, locale) for number, row in enumerate(found, start=1)]
    share = procedures.coverage.on(session, day)
    shares = [_share(each, each.name) for each in share.by_field] + [_share(share.all, _ALL.get(locale))]
    blocks = [
        Block(_SHARES.get(locale), _said(_SHARE_HEADS, locale), shares),
        Block(_LIST.get(locale), _said(_COVERAGE_HEADS, locale), rows),
    ]
    return _paper(session, COVERAGE, "F14", day, blocks, locale)


def legal_watch(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F13 as it stands on a day, as far as the reader may see it."""
    day = _day(asked)
    rows: list[list[Cell]] = []
    for number, row in enumerate(watch.board.all_standing(session, by=by, day=day), start=1):
        about = row.assessment
        follows = lifecycle.workflow_of(session, about)
        rows.append(
            [
                number,
                about.law.number,
                about.law.title,
                f"{about.cause_number} ({CHANGES[about.cause_kind].get(locale)})",
                about.effective_from,
                about.deadline,
                about.code,
                about.title,
                about.unit.name(locale) if about.unit else "",
                follows.states[about.state].label.get(locale),
                about.finding,
                about.change_request.number_text if about.change_request else "",
                about.finished_on,
                BUCKETS[row.bucket].get(locale),
                row.days,
            ]
        )
    return _paper(session, WATCH, "F13", day, [Block("", _said(_WATCH_HEADS, locale), rows)], locale)


def reviews_list(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F11: every document in force that the reader may see, with its due date and its last review."""
    day, seen = _day(asked), register.visible_ids(session, by=by)
    rows: list[list[Cell]] = []
    for due in reviews.all_due(session, on=day):
        document = due.revision.document
        if document.id in seen:
            rows.append(
                [
                    len(rows) + 1,
                    document.code,
                    due.revision.title,
                    due.revision.edition_text,
                    document.unit.name(locale),
                    due.due_on,
                    (_YES if due.overdue(day) else _NO).get(locale),
                    due.last.done_on if due.last else None,
                    reviews.OUTCOMES[due.last.outcome].get(locale) if due.last else "",
                    due.last.reason if due.last else "",
                    due.last.reviewer_title if due.last else "",
                ]
            )
    return _paper(session, REVIEWS, "F11", day, [Block("", _said(_REVIEW_HEADS, locale), rows)], locale)


def _procedure(number: int, row: Row, locale: str) -> list[Cell]:
    procedure = row.procedure
    return [
        number,
        procedure.code,
        procedure.title,
        procedure.audience,
        procedure.field,
        procedure.level,
        "; ".join(event.number for event in procedure.events if event.kind == "published"),
        PROCEDURE_STATES[row.state].get(locale),
        procedure.exclusion_reason,
        "; ".join(link.document.code for link in row.covering),
        (_YES if row.covered else _NO).get(locale),
    ]


def _share(share: Share, name: str) -> list[Cell]:
    percent = "" if share.percent is None else f"{share.percent:.1f}".replace(".", ",")
    return [name, share.covered, share.applied, percent]


def _paper(session: Session, title: Sentence, code: str, day: date, blocks: list[Block], locale: str) -> Paper:
    return Paper(
        title=title.get(locale),
        subtitle=ON.fill(day=day.strftime("%d/%m/%Y")).get(locale),
        office=units.office(session).name(locale),
        code=code,
        made_at=clock.now(),
        blocks=blocks,
        head=audit.head(session),
        locale=locale,
    )


def _said(heads: tuple[Sentence, ...], locale: str) -> list[str]:
    return [head.get(locale) for head in heads]


def _day(asked: Asked) -> date:
    return clock.local(asked.at).date() if asked.at else clock.today()
