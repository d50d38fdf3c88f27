"""What the cover of a document says of it: code, title, edition, amendment and date, or a doubt for a person to settle."""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date as Day
from pathlib import PurePosixPath
from typing import TypeVar

from docctl.rules import Sentence

MISSING = {
    "code": Sentence("Bìa không ghi mã tài liệu.", "The cover gives no code."),
    "edition": Sentence("Bìa không ghi lần ban hành.", "The cover gives no edition."),
    "date": Sentence("Bìa không ghi ngày ban hành.", "The cover gives no date of issue."),
}
CONTRADICTING = {
    "code": Sentence("Bìa ghi nhiều mã khác nhau: {values}.", "The cover gives several codes: {values}."),
    "edition": Sentence(
        "Bìa ghi nhiều lần ban hành khác nhau: {values}.", "The cover gives several editions: {values}."
    ),
    "amendment": Sentence(
        "Bìa ghi nhiều lần sửa đổi khác nhau: {values}.", "The cover gives several amendments: {values}."
    ),
    "date": Sentence(
        "Bìa ghi nhiều ngày ban hành khác nhau: {values}.", "The cover gives several dates of issue: {values}."
    ),
    "effective": Sentence(
        "Bìa ghi nhiều ngày hiệu lực khác nhau: {values}.", "The cover gives several effective dates: {values}."
    ),
}
FROM_FILE_NAME = Sentence(
    "Không đọc được tên tài liệu trên bìa; tạm lấy theo tên tệp: “{title}”.",
    "The title cannot be read off the cover; it is taken from the file name: “{title}”.",
)
REVISION = Sentence(
    "Bìa chỉ ghi “Revision {value}”: chưa rõ là lần ban hành hay lần sửa đổi.",
    "The cover only says “Revision {value}”, which may mean the edition or the amendment.",
)
NO_CODE = Sentence(
    "“{value}” trên bìa không giống một mã tài liệu.", "“{value}” on the cover does not look like a code."
)
NO_NUMBER = Sentence("“{value}” trên bìa không phải là số lần.", "“{value}” on the cover is not a whole number.")
NO_DATE = Sentence(
    "“{value}” trên bìa không phải là một ngày đầy đủ.", "“{value}” on the cover is not a complete date."
)
NO_SUCH_DAY = Sentence(
    "Bìa ghi ngày {value}, là ngày không tồn tại.", "The cover says {value}, a day that does not exist."
)
DAY_OR_MONTH = Sentence(
    "Ngày {value} trên bìa có thể đọc theo ngày/tháng hoặc theo tháng/ngày.",
    "The cover says {value}, which may be read as day/month or as month/day.",
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A field of the cover (`code`, `title`, `edition`, `amendment`, `date`, `effective`) that a person must look at."""

    field: str
    sentence: Sentence


@dataclass(frozen=True, slots=True)
class Cover:
    """What a cover says; a value is there only when it is certain, and what is not certain is among the doubts.

    The one exception is the title, which falls back on the file name and says so. `date` is the date of issue, or the
    effective date where the cover has no other; `effective` is the effective date where the cover names it.
    """

    code: str | None
    title: str
    edition: int | None
    amendment: int | None
    date: Day | None
    effective: Day | None = None
    doubts: list[Doubt] = field(default_factory=list)


def read_cover(text: str, file_name: str) -> Cover:
    """Read the cover off a document's text (its first page); pure, and never guesses in silence."""
    cells = _first_page(text)
    _pair(cells)
    doubts: list[Doubt] = []
    code = _settle("code", cells, _code, doubts)
    edition = _settle("edition", cells, _number, doubts)
    amendment = _settle("amendment", cells, _number, doubts)
    effective = _settle("effective", cells, _date, doubts)
    issued = _settle("date", cells, _date, doubts)
    if not any(doubt.field in {"date", "effective"} for doubt in doubts):
        issued = issued or effective or _date_of_place(cells)
    title = _title(cells)
    if not title:
        title = title_of_file(file_name)
        doubts.append(Doubt("title", FROM_FILE_NAME.fill(title=title)))
    revisions = [found.value for found in _found(cells, "revision") if found.value]
    if edition is None and revisions:
        doubts.append(Doubt("edition", REVISION.fill(value=revisions[0])))
    doubted = {doubt.field for doubt in doubts}
    missing = {"code": code, "edition": edition, "date": issued}
    doubts += [Doubt(name, MISSING[name]) for name, value in missing.items() if value is None and name not in doubted]
    return Cover(code, title, edition, amendment, issued, effective, doubts)


def title_of_file(file_name: str) -> str:
    """Return a file's name as a title: without its extension and without the number that sorts it in its folder."""
    stem = " ".join(unicodedata.normalize("NFC", PurePosixPath(file_name).stem).split())
    return re.sub(r"^\d{1,3}[.)\-_ ]+(?=\w)", "", stem) or stem


# What a cover calls each field; the first that fits wins, so the longer name stands before the shorter.
_LABELS = (
    ("both", r"lần ban hành ?/ ?(?:lần )?sửa đổi|edition ?/ ?(?:amendment|revision)"),
    (
        "code",
        r"mã hiệu|mã số tài liệu|mã tài liệu|mã quy trình|mã số|ký hiệu|document (?:code|no\.?|number|id)|doc\.? ?(?:no\.?|id)|code",
    ),
    ("edition", r"lần ban hành|ban hành lần(?: thứ)?|phiên bản|edition|issue (?:no\.?|number)|version"),
    ("amendment", r"lần sửa đổi|sửa đổi lần(?: thứ)?|amendment"),
    ("revision", r"revision(?: no\.?| number)?|rev\.?"),
    ("effective", r"ngày (?:có )?hiệu lực|(?:có )?hiệu lực (?:kể )?từ(?: ngày)?|effective(?: date| from)?"),
    ("date", r"ngày ban hành|ban hành ngày|date of issue|issue date|issued(?: on)?"),
    ("title", r"tên (?:tài liệu|quy trình|biểu mẫu|hướng dẫn)|document title|title"),
    ("other", r"(?:số )?trang|pages?"),
)
_ANY_LABEL = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _LABELS)
# A second name may follow in brackets or after a slash: `Mã hiệu (Code):`.
_LABEL = re.compile(
    rf"(?<!\w)(?:{_ANY_LABEL})(?!\w)(?P<rest>(?: ?/ ?[^\W\d_]+| ?\([^):]*\))? ?(?P<colon>[:：]))?", re.IGNORECASE
)
_END = re.compile(
    r"(?:trang|bảng|phiếu) theo dõi\b.*(?:sửa|thay) đổi|revision history|change (?:history|log|table)", re.IGNORECASE
)
_HEADING = re.compile(
    r"(?:QUY TRÌNH|QUY ĐỊNH|QUY CHẾ|QUYẾT ĐỊNH|HƯỚNG DẪN(?: CÔNG VIỆC)?|BIỂU MẪU|SỔ TAY|CHÍNH SÁCH|MỤC TIÊU"
    r"|TÀI LIỆU BÊN NGOÀI|PROCEDURE|WORK INSTRUCTION|FORM|MANUAL|POLICY)\b"
)
_MAX_CELLS, _MAX_TITLE_CELLS, _MAX_TITLE = 80, 12, 1500


@dataclass(slots=True)
class _Found:
    """A label met on the page, and its value when there is one; `foreign` is an English label."""

    name: str
    value: str = ""
    foreign: bool = False


@dataclass(slots=True)
class _Cell:
    """A line, or a cell of a table, on the first page."""

    text: str
    heading: bool  # Of Markdown, first level.
    found: list[_Found] = field(default_factory=list)
    taken: bool = False  # Is the value of a label that stands before it.


def _first_page(text: str) -> list[_Cell]:
    """Return what stands on the first page, up to the table of changes, whose columns bear the same names."""
    cells: list[_Cell] = []
    page = unicodedata.normalize("NFC", text).lstrip("\f\n ").split("\f", 1)[0]
    for raw in re.split(r"[\n\t|]", page[:20_000]):
        line = " ".join(re.sub(r"\*\*|__+|`|\.{3,}|…", " ", raw).split())
        clean = re.sub(r"^(?:#+|[>*+•\-–]) ", "", line)
        # Before the first label such a line is the title of a form about changes.
        if clean.lower() == "stt" or len(cells) == _MAX_CELLS or (_END.match(clean) and any(c.found for c in cells)):
            break
        if clean:
            cells.append(_Cell(clean, line.startswith("# "), _labels(clean)))
    return cells


def _labels(line: str) -> list[_Found]:
    """Return the labels of a line that begins with one, each with what follows it."""
    first = _LABEL.match(line)
    if not first:
        return []
    matches = [first, *(match for match in _LABEL.finditer(line, first.end()) if match["colon"])]
    ends = [match.start() for match in matches[1:]] + [len(line)]
    found = []
    for match, end in zip(matches, ends, strict=True):
        value = line[match.end() : end].strip(" ,;|_-–")
        name = match.lastgroup if match.lastgroup not in {"rest", "colon"} else ""
        name = name or next(label for label, _ in _LABELS if match[label])
        if not match["colon"] and value and not _SHAPES[name](value):
            return []  # A sentence that happens to begin with such a word.
        found += _split(name, value, match[name].isascii())
    return found


def _split(name: str, value: str, foreign: bool) -> list[_Found]:
    """Return the one label, or the two of `Lần ban hành/sửa đổi: 01/02`."""
    if name != "both":
        return [_Found(name, value, foreign)]
    edition, _, amendment = value.partition("/")
    return [_Found("edition", edition.strip(), foreign), _Found("amendment", amendment.strip(), foreign)]


def _pair(cells: list[_Cell]) -> None:
    """Give labels without a value the cells that follow: one label and its value, or a row of labels over a row of values."""
    at = 0
    while at < len(cells):
        waiting = []
        while at < len(cells) and cells[at].found and not cells[at].found[-1].value:
            waiting.append(cells[at].found[-1])
            at += 1
        for number, found in enumerate(waiting):
            cell = cells[at + number] if at + number < len(cells) else None
            if cell is None or cell.found:
                break
            if _SHAPES[found.name](cell.text) and (found.name != "code" or re.search(r"\d", cell.text)):
                found.value, cell.taken = cell.text, True
        at += 0 if waiting else 1


def _found(cells: list[_Cell], name: str) -> Iterator[_Found]:
    return (found for cell in cells for found in cell.found if found.name == name)


class _Doubtful(Exception):
    """A value that is there and cannot be taken."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence


_T = TypeVar("_T", str, int, Day)


def _settle(name: str, cells: list[_Cell], read: Callable[[_Found], _T], doubts: list[Doubt]) -> _T | None:
    """Return the value that all labels of a field agree on, or None, with a doubt for each that cannot be taken."""
    values: list[_T] = []
    for found in _found(cells, name):
        try:
            if found.value:
                values.append(read(found))
        except _Doubtful as doubtful:
            doubt = Doubt(name, doubtful.sentence)
            doubts += [] if doubt in doubts else [doubt]
    different = list(dict.fromkeys(values))
    if len(different) > 1:
        doubts.append(Doubt(name, CONTRADICTING[name].fill(values=", ".join(map(_shown, different)))))
    return different[0] if len(different) == 1 and all(doubt.field != name for doubt in doubts) else None


def _shown(value: object) -> str:
    return f"{value:%d/%m/%Y}" if isinstance(value, Day) else str(value)


def _looks_like_code(value: str) -> bool:
    """Say whether a value may be a code: short, in capitals, with a figure or at least a joint in it, all filled in."""
    if len(value) > 40 or not re.fullmatch(r"\w[\w .,/\\&()+\-–]*", value) or not re.search(r"[^\W\d_]", value):
        return False
    if re.search(r"[a-zà-ỹđ]{4}", value) or re.search(r"(?<![^\W\d_])x{2,}(?![^\W\d_])", value, re.IGNORECASE):
        return False
    return bool(re.search(r"\d", value) or re.fullmatch(r"[A-ZĐ]+(?:[-/.][A-ZĐ]+)*", value))


def _code(found: _Found) -> str:
    value = found.value.strip(" .,;")
    if not _looks_like_code(value):
        raise _Doubtful(NO_CODE.fill(value=found.value))
    return value


_ORDINALS = {"nhất": 1, "một": 1, "hai": 2, "ba": 3, "tư": 4, "bốn": 4, "năm": 5}
_NUMBER = re.compile(r"(?:lần )?(?:thứ )?(\d{1,3}|nhất|một|hai|ba|tư|bốn|năm)\.?", re.IGNORECASE)


def _number(found: _Found) -> int:
    match = _NUMBER.fullmatch(found.value)
    if not match:
        raise _Doubtful(NO_NUMBER.fill(value=found.value))
    return _ORDINALS.get(match[1].lower()) or int(match[1])


_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, 1)}
_MONTH = rf"(?P<{{}}>{'|'.join(_MONTH_NAMES)})[a-z]*\.?"
_DATE = re.compile(
    r"(?<!\d)(?:"
    r"(?P<d1>\d{1,2}) ?(?P<s>[/.\-]) ?(?P<m1>\d{1,2}) ?(?P=s) ?(?P<y1>\d{4})"
    r"|(?P<y2>\d{4})-(?P<m2>\d{1,2})-(?P<d2>\d{1,2})"
    r"|(?P<d3>\d{1,2}) tháng (?P<m3>\d{1,2}) năm (?P<y3>\d{4})"
    rf"|(?P<d4>\d{{1,2}}) {_MONTH.format('m4')},? (?P<y4>\d{{4}})"
    rf"|{_MONTH.format('m5')} (?P<d5>\d{{1,2}}),? (?P<y5>\d{{4}})"
    r")(?!\d)",
    re.IGNORECASE,
)


def _date(found: _Found) -> Day:
    """Read one date, the day before the month as in Vietnam; an English label over 03/04/2020 may mean either."""
    matches = list(_DATE.finditer(found.value))
    if len(matches) != 1:
        raise _Doubtful(NO_DATE.fill(value=found.value))
    match = matches[0]
    day, month, year = (next(v for k, v in match.groupdict().items() if v and k[0] == part) for part in "dmy")
    number = _MONTHS.get(month[:3].lower()) or int(month)
    if found.foreign and match["d1"] and int(day) <= 12 and int(day) != number:
        raise _Doubtful(DAY_OR_MONTH.fill(value=match[0]))
    try:
        return Day(int(year), number, int(day))
    except ValueError as error:
        raise _Doubtful(NO_SUCH_DAY.fill(value=match[0])) from error


def _date_of_place(cells: list[_Cell]) -> Day | None:
    """Return the date of `Hà Nội, ngày 26 tháng 10 năm 2022`, the line that dates an official paper (Decree 30/2020/NĐ-CP)."""
    for cell in cells:
        if re.fullmatch(r"[^\d,]{2,40}, ngày \d{1,2} tháng \d{1,2} năm \d{4}\.?", cell.text, re.IGNORECASE):
            try:
                return _date(_Found("date", cell.text))
            except _Doubtful:
                return None
    return None


_SHAPES: dict[str, Callable[[str], bool]] = {
    "both": lambda value: bool(re.fullmatch(r"\d{1,3} ?/ ?\d{1,3}", value)),
    "code": _looks_like_code,
    "edition": lambda value: bool(_NUMBER.fullmatch(value)),
    "amendment": lambda value: bool(_NUMBER.fullmatch(value)),
    "revision": lambda value: bool(re.fullmatch(r"\w?\d{1,3}(?:\.\d+)*", value)),
    "effective": lambda value: bool(_DATE.search(value)),
    "date": lambda value: bool(_DATE.search(value)),
    "title": lambda value: False,
    "other": lambda value: bool(re.fullmatch(r"\d+(?: ?/ ?\d+)?", value)),
}


def _title(cells: list[_Cell]) -> str:
    """Return the title: the lines between the kind of document and its edition or date, else the one so labelled."""
    for number, cell in enumerate(cells):
        if _HEADING.match(cell.text):
            title = _title_below(cell.text, cells[number + 1 :])
            if title:
                return title
    labelled = {found.value for found in _found(cells, "title") if found.value}
    if len(labelled) == 1:
        return labelled.pop()
    return next((cell.text for cell in cells if cell.heading), "")


def _title_below(heading: str, cells: list[_Cell]) -> str:
    kind = _HEADING.match(heading)
    # A heading that says more than the kind of document, such as SỔ TAY CHẤT LƯỢNG, is the title or begins it.
    lines = [heading] if kind and kind.end() < len(heading) else []
    for cell in cells[:_MAX_TITLE_CELLS]:
        if any(found.name not in {"code", "title"} for found in cell.found):
            return " ".join(lines) if sum(map(len, lines)) <= _MAX_TITLE else ""
        if not cell.found and not cell.taken and re.search(r"[^\W\d_]", cell.text) and cell.text[0] != "(":
            lines.append(cell.text)
    return ""
