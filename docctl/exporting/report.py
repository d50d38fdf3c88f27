"""The yearly report on paper: its sections in the offices' own wording, each figure with its numbers and its day."""

from sqlalchemy.orm import Session

from docctl import audit, clock, units
from docctl.exporting.paper import Block, Cell, Paper, Signer
from docctl.reports import Report, written
from docctl.rules import Sentence

TITLE = Sentence(
    "Báo cáo tình hình áp dụng hệ thống quản lý chất lượng năm {year}",
    "Report on the quality management system in {year}",
)
_SAID = {
    "II.2": Sentence(
        "II.2. Phạm vi áp dụng. Đến ngày {day}, cơ quan áp dụng hệ thống quản lý chất lượng theo TCVN ISO 9001:2015 cho {applied} "
        "thủ tục hành chính, trong đó {covered} thủ tục đã có quy trình còn hiệu lực ({share}); {excluded} thủ tục không áp dụng, có lý do.",
        "II.2. Scope. On {day} the office applies its quality system to {applied} administrative procedures, of which {covered} "
        "are covered by a document in force ({share}); {excluded} are left out with a reason.",
    ),
    "II.3": Sentence(
        "II.3. Xây dựng, sửa đổi và ban hành tài liệu. Trong năm, cơ quan ban hành {issued} tài liệu và hủy bỏ {withdrawn} tài liệu{by}.",
        "II.3. Documents written, amended and issued. In the year {issued} documents were issued and {withdrawn} withdrawn{by}.",
    ),
    "II.5": Sentence(
        "II.5. Kiểm soát thông tin dạng văn bản. Đến ngày {day} có {current} tài liệu còn hiệu lực ({types}) và {external} tài liệu bên "
        "ngoài còn hiệu lực trên {laws} tài liệu bên ngoài đang theo dõi.",
        "II.5. Control of documented information. On {day} {current} documents were in force ({types}), and {external} of the {laws} "
        "external documents that are watched.",
    ),
    "II.8": Sentence(
        "II.8. Cập nhật văn bản quy phạm pháp luật vào quy trình. {on_time} trên {due} trường hợp đến hạn được cập nhật trong 03 tháng "
        "kể từ ngày văn bản có hiệu lực (tiêu chí 7.2d).",
        "II.8. Laws worked into the procedures. {on_time} of {due} cases that were due were worked in within three months (criterion 7.2d).",
    ),
    "II.11": Sentence(
        "II.11. Soát xét tài liệu. {reviewed} trên {to_review} tài liệu còn hiệu lực được soát xét đúng kỳ.",
        "II.11. Reviews. {reviewed} of {to_review} documents in force were reviewed within their period.",
    ),
    "II.12": Sentence(
        "II.12. Kết quả tự chấm điểm: {total} trên 100 điểm, là tổng điểm các tiêu chí trong phụ lục.",
        "II.12. Self-assessment: {total} of 100 points, the sum of the criteria in the annex.",
    ),
}
_BY = Sentence("; trong đó {items}", "; of these {items}")
_ONE = Sentence(
    "Quyết định số {number} ngày {day} ban hành {issued} và hủy bỏ {withdrawn} tài liệu",
    "decision {number} of {day} issued {issued} and withdrew {withdrawn}",
)
_FLAG = Sentence("Số liệu cần xem lại – {about} ({said}): {reason}", "To be looked at – {about} ({said}): {reason}")
_FIGURES = Sentence("Số liệu và nguồn", "Figures and their sources")
_MONTHS = Sentence("Ban hành và hủy bỏ theo tháng", "Issued and withdrawn by month")
_FIELDS = Sentence("Thủ tục có quy trình theo lĩnh vực", "Coverage by field")
_ANNEX = Sentence("Phụ lục tự chấm điểm", "Self-assessment annex")
_RECORDS = Sentence("Hồ sơ docctl, truy vấn {name}", "docctl records, query {name}")


def build(session: Session, report: Report, *, locale: str) -> Paper:
    """Return the report of a year; contradictions stand at its end, for whoever signs to settle them first."""
    year = report.year
    return Paper(
        title=TITLE.fill(year=year.year).get(locale),
        office=units.office(session).name(locale),
        code="BC",
        made_at=clock.now(),
        opening=[sentence.get(locale) for sentence in sections(report, locale)],
        blocks=[_figures(report, locale), _months(report, locale), _fields(report, locale), _annex(report, locale)],
        closing=[
            _FLAG.fill(about=row.about, said=row.said, reason=row.sentence).get(locale) for row in report.contradictions
        ],
        signers=[
            Signer({"vi": "Người lập báo cáo"}.get(locale, "Drawn up by")),
            Signer({"vi": "Thủ trưởng cơ quan"}.get(locale, "Head of the office")),
        ],
        head=audit.head(session),
        locale=locale,
        landscape=False,
        motto=True,
    )


def sections(report: Report, locale: str) -> list[Sentence]:
    """Return the sections that the records write, in the order of the report."""
    year = report.year
    coverage, laws = year.figure("coverage"), year.figure("external_in_force")
    score, due = year.figure("laws_worked_in_on_time"), year.figure("reviews_up_to_date")
    items = [
        _ONE.fill(
            number=row.number,
            day=row.signed_on.strftime("%d/%m/%Y") if row.signed_on else "",
            issued=row.issued,
            withdrawn=row.withdrawn,
        )
        for row in year.decisions
    ]
    joined = Sentence("; ".join(item.vi for item in items), "; ".join(item.en for item in items))
    filled = {
        "day": year.on.strftime("%d/%m/%Y"),
        "applied": coverage.denominator,
        "covered": coverage.numerator,
        "share": coverage.text,
        "excluded": year.coverage.excluded,
        "issued": year.figure("documents_issued").numerator,
        "withdrawn": year.figure("documents_withdrawn").numerator,
        "by": _BY.fill(items=joined) if items else Sentence("", ""),
        "current": year.figure("documents_in_force").numerator,
        "types": Sentence(
            "; ".join(f"{vi}: {n}" for vi, _, n in year.by_type), "; ".join(f"{en}: {n}" for _, en, n in year.by_type)
        ),
        "external": laws.numerator,
        "laws": laws.denominator,
        "on_time": score.numerator,
        "due": score.denominator,
        "reviewed": due.numerator,
        "to_review": due.denominator,
        "total": written(report.sheet.total),
    }
    return [sentence.fill(**filled) for sentence in _SAID.values()]


def _figures(report: Report, locale: str) -> Block:
    heads = (
        Sentence("Nội dung", "What"),
        Sentence("Ngày", "On"),
        Sentence("Số liệu", "Figure"),
        Sentence("Nguồn", "Source"),
    )
    rows: list[list[Cell]] = [
        [row.label.get(locale), row.on, row.text, _RECORDS.fill(name=row.name).get(locale)]
        for row in report.year.figures
    ]
    rows += [[row.name, clock.local(row.typed_at).date(), row.value, row.source] for row in report.typed]
    return Block(_FIGURES.get(locale), [head.get(locale) for head in heads], rows)


def _months(report: Report, locale: str) -> Block:
    heads = (Sentence("Tháng", "Month"), Sentence("Ban hành", "Issued"), Sentence("Hủy bỏ", "Withdrawn"))
    rows: list[list[Cell]] = [[row.month, row.issued, row.withdrawn] for row in report.year.months]
    return Block(_MONTHS.get(locale), [head.get(locale) for head in heads], rows)


def _fields(report: Report, locale: str) -> Block:
    heads = (Sentence("Lĩnh vực", "Field"), Sentence("Có quy trình", "Covered"), Sentence("Áp dụng", "Applied"))
    rows: list[list[Cell]] = [[row.name, row.covered, row.applied] for row in report.year.coverage.by_field]
    return Block(_FIELDS.get(locale), [head.get(locale) for head in heads], rows)


def _annex(report: Report, locale: str) -> Block:
    heads = (
        *(Sentence("TT", "No."), Sentence("Tiêu chí", "Criterion"), Sentence("Điểm tối đa", "Most")),
        *(Sentence("Tự chấm", "Claimed"), Sentence("Minh chứng", "Evidence")),
    )
    rows: list[list[Cell]] = [
        [
            row.row.code,
            row.row.title,
            written(row.row.most),
            "" if row.claimed is None else written(row.claimed),
            "; ".join(part for part in (row.evidence, row.fact.sentence.get(locale) if row.fact else "") if part),
        ]
        for row in report.sheet.rows
    ]
    return Block(_ANNEX.get(locale), [head.get(locale) for head in heads], rows)
