"""Who the sample office is and which papers it issued, withdrew and is working on; pure data, the same at every run."""

import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cache
from importlib.resources import files

OFFICE = "UBND"


@dataclass(frozen=True, slots=True)
class SampleUnit:
    """A unit of the sample office; `head` is the title of who leads it."""

    code: str
    name_vi: str
    name_en: str
    kind: str
    head: str


@dataclass(frozen=True, slots=True)
class SampleType:
    """A document type with its code pattern; reviews in months, retention in years, level 1 the highest."""

    code: str
    name_vi: str
    name_en: str
    level: int
    code_pattern: str
    workflow: str
    review_months: int
    retention_years: int
    posting: str


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """An account of the sample office: one role each, a title instead of an invented name."""

    name: str
    role: str
    title_vi: str
    title_en: str
    unit: str


@dataclass(frozen=True, slots=True)
class SampleDecision:
    """A decision of the sample office: its number in the year and its date."""

    number: str
    date: date
    title: str


@dataclass(frozen=True, slots=True)
class Change:
    """A row of the change table (form F8)."""

    section: str
    old: str
    new: str
    basis: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What a paper is about: its result (or where a form is used), working days, and what it takes."""

    result: str
    days: int
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """What papers of one field share: laws by year, terms, points to verify and cautions."""

    name: str
    laws: tuple[str, ...]
    laws_2022: tuple[str, ...]
    terms: tuple[str, ...]
    checks: tuple[str, ...]
    notes: tuple[str, ...]
    internal: bool = False
    fee: bool = False


@dataclass(frozen=True, slots=True)
class Paper:
    """One edition of one document, ready to be written; `issued` is None while no decision has issued it."""

    code: str
    title: str
    type: str
    unit: str
    field: str
    edition: int
    amendment: int
    issued: date | None
    basis: tuple[str, ...]
    changes: tuple[Change, ...]
    topic: Topic


@dataclass(frozen=True, slots=True)
class OpenPaper:
    """A paper on its way: the state its revision stands in, and the reason where that state has one."""

    paper: Paper
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of papers.txt with its section, its code, and the code that replaced it."""

    mark: str
    type: str
    unit: str
    field: str
    title: str
    topic: Topic
    reason: str = ""
    code: str = ""
    replaced_by: str = ""
    replaces: tuple[str, ...] = ()


FIRST_DECISION = SampleDecision("2115", date(2020, 9, 8), "Ban hành tài liệu hệ thống quản lý chất lượng")
DECISION_2804 = SampleDecision(
    "2804", date(2022, 10, 26), "Ban hành mới và hủy bỏ tài liệu hệ thống quản lý chất lượng"
)
LATER_DECISION = SampleDecision(
    "1962", date(2023, 9, 15), "Ban hành lại và sửa đổi một số tài liệu hệ thống quản lý chất lượng"
)

UNITS = (
    SampleUnit(
        OFFICE, "Ủy ban nhân dân huyện Sông Lam Hạ", "People's Committee of Song Lam Ha District", "office", "Chủ tịch"
    ),
    SampleUnit(
        "VP",
        "Văn phòng HĐND và UBND huyện",
        "Office of the People's Council and People's Committee",
        "department",
        "Chánh Văn phòng",
    ),
    SampleUnit("NV", "Phòng Nội vụ", "Home Affairs Division", "department", "Trưởng phòng"),
    SampleUnit("TP", "Phòng Tư pháp", "Justice Division", "department", "Trưởng phòng"),
    SampleUnit("TCKH", "Phòng Tài chính – Kế hoạch", "Finance and Planning Division", "department", "Trưởng phòng"),
    SampleUnit(
        "TNMT",
        "Phòng Tài nguyên và Môi trường",
        "Natural Resources and Environment Division",
        "department",
        "Trưởng phòng",
    ),
    SampleUnit(
        "LDTBXH",
        "Phòng Lao động – Thương binh và Xã hội",
        "Labour, Invalids and Social Affairs Division",
        "department",
        "Trưởng phòng",
    ),
    SampleUnit("VHTT", "Phòng Văn hóa và Thông tin", "Culture and Information Division", "department", "Trưởng phòng"),
    SampleUnit("GDDT", "Phòng Giáo dục và Đào tạo", "Education and Training Division", "department", "Trưởng phòng"),
    SampleUnit("YT", "Phòng Y tế", "Health Division", "department", "Trưởng phòng"),
    SampleUnit("TTr", "Thanh tra huyện", "District Inspectorate", "department", "Chánh Thanh tra"),
    SampleUnit(
        "NNPTNT",
        "Phòng Nông nghiệp và Phát triển nông thôn",
        "Agriculture and Rural Development Division",
        "department",
        "Trưởng phòng",
    ),
    SampleUnit("KTHT", "Phòng Kinh tế và Hạ tầng", "Economy and Infrastructure Division", "department", "Trưởng phòng"),
    SampleUnit("DT", "Phòng Dân tộc", "Ethnic Minority Affairs Division", "department", "Trưởng phòng"),
    SampleUnit("X-BL", "Thị trấn Bến Lam Hạ", "Ben Lam Ha Township", "commune", "Chủ tịch"),
    SampleUnit("X-CS", "Xã Cồn Sậy Vàng", "Con Say Vang Commune", "commune", "Chủ tịch"),
    SampleUnit("X-DM", "Xã Đồng Mía Thượng", "Dong Mia Thuong Commune", "commune", "Chủ tịch"),
    SampleUnit("X-GL", "Xã Gò Lụa", "Go Lua Commune", "commune", "Chủ tịch"),
    SampleUnit("X-NT", "Xã Ngàn Trúc Đông", "Ngan Truc Dong Commune", "commune", "Chủ tịch"),
)

TYPES = (
    SampleType("CS", "Chính sách", "Policy", 1, "CS-{unit}-{number:02d}", "revision", 24, 20, "content"),
    SampleType("MT", "Mục tiêu", "Objectives", 1, "MT-{unit}-{number:02d}", "revision", 12, 5, "content"),
    SampleType("ST", "Sổ tay", "Manual", 1, "ST-{unit}-{number:02d}", "revision", 24, 20, "listed"),
    SampleType("QT", "Quy trình", "Procedure", 2, "QT-{unit}-{number:02d}", "revision", 12, 10, "content"),
    SampleType("HD", "Hướng dẫn", "Instruction", 3, "HD-{unit}-{number:02d}", "revision", 24, 5, "listed"),
    SampleType("BM", "Biểu mẫu", "Form", 4, "BM-{unit}-{number:02d}", "revision-short", 24, 3, "content"),
    SampleType("QD", "Quyết định", "Decision", 1, "QD-{unit}-{number:02d}", "revision", 36, 20, "nothing"),
    SampleType(
        "BN",
        "Tài liệu bên ngoài",
        "External document",
        4,
        "BN-{unit}-{number:02d}",
        "revision-short",
        12,
        10,
        "nothing",
    ),
)

PEOPLE = (
    SamplePerson("author", "author", "Chuyên viên tổng hợp", "General officer", "VP"),
    SamplePerson("reviewer", "reviewer", "Chánh Văn phòng", "Chief of office", "VP"),
    SamplePerson(
        "format-reviewer", "format_reviewer", "Thư ký Ban Chỉ đạo ISO", "Secretary of the ISO steering board", "VP"
    ),
    SamplePerson(
        "approver", "approver", "Chủ tịch Ủy ban nhân dân huyện", "Chair of the district People's Committee", OFFICE
    ),
    SamplePerson("controller", "controller", "Văn thư, kiểm soát tài liệu", "Clerk, document controller", "VP"),
    SamplePerson(
        "staff", "staff", "Công chức Bộ phận Tiếp nhận và Trả kết quả", "Officer of the one-stop reception desk", "VP"
    ),
    SamplePerson("auditor", "auditor", "Đánh giá viên nội bộ", "Internal auditor", "TTr"),
    SamplePerson("admin", "admin", "Quản trị hệ thống", "System administrator", "VP"),
)


def unit(code: str) -> SampleUnit:
    """Return the unit with a code; raises KeyError when there is none."""
    return {each.code: each for each in UNITS}[code]


def document_type(code: str) -> SampleType:
    """Return the document type with a code; raises KeyError when there is none."""
    return {each.code: each for each in TYPES}[code]


@cache
def fields() -> dict[str, Field]:
    """Return what is known of each field, by name."""
    table = tomllib.loads(_read("fields.toml"))
    return {name: _field(name, entry) for name, entry in table.items()}


def first_set() -> list[Paper]:
    """Return the 252 papers in force under the edition of 08/09/2020."""
    return [_first(line) for line in _lines() if line.mark in "=-~"]


def decision_2804() -> tuple[list[Paper], list[tuple[str, str, str | None]]]:
    """Return the 101 papers that decision 2804 issues, and its 80 withdrawals: code, reason, code that replaces it."""
    old = {line.code: line for line in _lines()}
    issued = [_issued(line, [old[code] for code in line.replaces]) for line in _lines() if line.mark in ">+"]
    withdrawn = [(line.code, line.reason, line.replaced_by or None) for line in _lines() if line.mark in "-~"]
    return issued, withdrawn


def in_force_after_2804() -> dict[str, Paper]:
    """Return the 273 papers in force after decision 2804, by code."""
    issued, withdrawn = decision_2804()
    gone = {code for code, _, _ in withdrawn}
    return {paper.code: paper for paper in [*first_set(), *issued] if paper.code not in gone}


def second_editions() -> list[Paper]:
    """Return the papers of the later, small decision: rewritten or amended editions of documents in force, same codes."""
    return [
        _rewritten("Kiểm soát tài liệu", days=4, item="Bản so sánh cũ – mới", basis="Kết quả đánh giá nội bộ năm 2023"),
        _rewritten("Đăng ký kết hôn có yếu tố nước ngoài", days=10, basis="Nghị định số 123/2015/NĐ-CP"),
        _rewritten(
            "Cấp giấy phép môi trường", days=25, item="Bản vẽ mặt bằng thoát nước", basis="Nghị định số 08/2022/NĐ-CP"
        ),
        _rewritten("Tiếp công dân", item="Giấy ủy quyền (nếu có)", basis="Luật Tiếp công dân số 42/2013/QH13"),
        _rewritten(
            "Phiếu yêu cầu viết mới, sửa đổi, hủy bỏ tài liệu",
            item="Văn bản pháp luật và hạn 3 tháng",
            basis="Kết quả đánh giá nội bộ năm 2023",
        ),
        _amended("Đăng ký lại khai sinh", days=4, basis="Nghị định số 87/2020/NĐ-CP"),
        _amended("Gia hạn giấy phép xây dựng", days=4, basis="Nghị định số 15/2021/NĐ-CP"),
    ]


def open_work(today: date) -> list[OpenPaper]:
    """Return the papers on their way, at least one in each state that is not in force; only `scheduled` follows today.

    The scheduled paper is dated today; its decision lets it take effect on `scheduled_from(today)`.
    """
    new = [
        OpenPaper(_issued(line, [], issued=None), line.mark[1:], _OPEN_REASONS.get(line.mark[1:], ""))
        for line in _lines()
        if line.mark.startswith("?")
    ]
    again = [
        OpenPaper(
            _rewritten("Cấp bản sao trích lục hộ tịch", item="Mã số định danh", issued=None, basis=_DIGITAL), "draft"
        ),
        OpenPaper(_rewritten("Giải quyết khiếu nại lần đầu", days=28, issued=None, basis=_ROUND), "in_review"),
        OpenPaper(
            _amended("Chứng thực bản sao từ bản chính", item="Phiếu hẹn", issued=None, basis=_ROUND), "in_approval"
        ),
        OpenPaper(_amended("Cấp lại giấy phép xây dựng", days=4, issued=today, basis=_ROUND), "scheduled"),
    ]
    return new + again


def scheduled_from(today: date) -> date:
    """Return the day a scheduled paper takes effect: the first day of a month, 30 to 61 days ahead."""
    ahead = today + timedelta(days=30)
    return ahead if ahead.day == 1 else (ahead.replace(day=1) + timedelta(days=32)).replace(day=1)


_DIGITAL = "Nghị định số 45/2020/NĐ-CP về thực hiện thủ tục hành chính trên môi trường điện tử"
_ROUND = "Kết quả soát xét tài liệu định kỳ"
_OPEN_REASONS = {"discarded": "Nội dung đã được quy định ở tài liệu khác, không cần viết mới."}
_OBJECTIVES = "Mục tiêu chất lượng"
_ORDER = ("=-~", ">+", "?")


def _read(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")


def _field(name: str, entry: dict[str, object]) -> Field:
    texts = {key: tuple(value) for key, value in entry.items() if isinstance(value, list)}
    return Field(
        name=name,
        laws=texts["laws"],
        laws_2022=texts.get("laws_2022", texts["laws"]),
        terms=texts["terms"],
        checks=texts["checks"],
        notes=texts["notes"],
        internal=bool(entry.get("internal")),
        fee=bool(entry.get("fee")),
    )


@cache
def _lines() -> tuple[Line, ...]:
    """Read papers.txt, add the objectives of every department, number the codes and tie each old paper to its successor."""
    lines = [*_parsed(_read("papers.txt")), *_objectives()]
    counted: dict[tuple[str, str], int] = defaultdict(int)
    codes: dict[int, str] = {}
    for marks in _ORDER:
        for position, line in enumerate(lines):
            if line.mark[0] in marks:
                counted[line.type, line.unit] += 1
                number = counted[line.type, line.unit]
                codes[position] = document_type(line.type).code_pattern.format(unit=line.unit, number=number)
    return tuple(_tied([replace(line, code=codes[position]) for position, line in enumerate(lines)]))


def _parsed(text: str) -> Iterator[Line]:
    kind = unit_code = field_name = ""
    for raw in text.splitlines():
        if raw.startswith("["):
            kind, unit_code, field_name = raw[1:-1].split(" ", 2)
        elif raw and not raw.startswith("#"):
            mark, rest = raw.split(" ", 1)
            content, _, reason = rest.partition(" # ")
            title, result, days, items = (part.strip() for part in content.split("|"))
            topic = Topic(result, int(days), tuple(item.strip() for item in items.split(";")))
            yield Line(mark, kind, unit_code, field_name, title, topic, reason.strip())


def _objectives() -> Iterator[Line]:
    """Yield the objectives of the office and of each department: those of 2020 to 2021, then those that replace them."""
    for each in UNITS:
        if each.kind != "commune":
            for mark, years in (("~", "2020–2021"), (">", "2022–2025")):
                title = f"{_OBJECTIVES} giai đoạn {years} của {each.name_vi}"
                yield Line(mark, "MT", each.code, _OBJECTIVES, title, Topic(years, 0, ()))


def _tied(lines: list[Line]) -> Iterator[Line]:
    waiting: list[Line] = []
    for line in lines:
        if line.mark == "~":
            waiting.append(line)
        elif line.mark == ">":
            for old in waiting:
                how = "Gộp vào" if len(waiting) > 1 else "Được thay thế bằng"
                yield replace(old, reason=f"{how} tài liệu {line.code} “{line.title}”", replaced_by=line.code)
            yield replace(line, replaces=tuple(old.code for old in waiting))
            waiting = []
        else:
            # An old paper may stand apart from its successor only by lines that are withdrawn for good.
            yield line


def _first(line: Line) -> Paper:
    laws = fields()[line.field].laws
    edition = 2 if line.field == "Hệ thống quản lý chất lượng" and line.type in {"CS", "ST", "QT"} else 1
    changes = [Change("Toàn bộ", "Chưa có", "Ban hành lần đầu", laws[0])]
    if edition == 2:
        changes = [
            Change("Toàn bộ", "Trình bày theo lần ban hành 01", "Viết lại theo lần ban hành 02", laws[-1]),
            Change("Mục 7", "Lưu bản giấy", "Lưu bản giấy và bản điện tử", "Kết quả đánh giá nội bộ năm 2019"),
        ]
    return _paper(line, edition, FIRST_DECISION.date, laws, changes)


def _issued(line: Line, old: list[Line], issued: date | None = DECISION_2804.date) -> Paper:
    laws = fields()[line.field].laws_2022
    changes = [Change("Toàn bộ", "Chưa có", "Ban hành mới", laws[0])]
    if old:
        codes = ", ".join(each.code for each in old)
        changes = [Change("Toàn bộ", f"Tài liệu {codes}", f"Thay thế bằng {line.code}", laws[0])]
        changes += _differences(old[0].topic, line.topic, laws[-1])
    return _paper(line, 1, issued, laws, changes)


def _paper(line: Line, edition: int, issued: date | None, basis: tuple[str, ...], changes: list[Change]) -> Paper:
    return Paper(
        code=line.code,
        title=line.title,
        type=line.type,
        unit=line.unit,
        field=line.field,
        edition=edition,
        amendment=0,
        issued=issued,
        basis=basis,
        changes=tuple(changes),
        topic=line.topic,
    )


def _differences(old: Topic, new: Topic, basis: str) -> list[Change]:
    found = []
    if old.items != new.items:
        found.append(Change("Mục 5.2", "; ".join(old.items), "; ".join(new.items), basis))
    if old.days != new.days:
        found.append(Change("Mục 5.4", f"{old.days} ngày làm việc", f"{new.days} ngày làm việc", basis))
    return found


def _rewritten(
    title: str, *, basis: str, days: int = 0, item: str = "", issued: date | None = LATER_DECISION.date
) -> Paper:
    paper = _changed(title, basis, days, item, issued)
    rewritten = Change("Toàn bộ", f"Lần ban hành {paper.edition:02d}", f"Lần ban hành {paper.edition + 1:02d}", basis)
    return replace(paper, edition=paper.edition + 1, amendment=0, changes=(rewritten, *paper.changes))


def _amended(
    title: str, *, basis: str, days: int = 0, item: str = "", issued: date | None = LATER_DECISION.date
) -> Paper:
    paper = _changed(title, basis, days, item, issued)
    return replace(paper, amendment=paper.amendment + 1)


def _changed(title: str, basis: str, days: int, item: str, issued: date | None) -> Paper:
    """Return the paper in force with a title, its topic changed, and a change row for each thing that changed."""
    paper = next(each for each in in_force_after_2804().values() if each.title == title)
    topic = replace(
        paper.topic, days=days or paper.topic.days, items=(*paper.topic.items, item) if item else paper.topic.items
    )
    changes = tuple(_differences(paper.topic, topic, basis))
    laws = fields()[paper.field].laws_2022
    return replace(paper, topic=topic, issued=issued, changes=changes, basis=laws)
