"""Import of the official lists of administrative procedures, as exported, and of full procedures as JSON lines."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from docctl import procedures, units
from docctl.importing import tables
from docctl.importing.results import Result, importer
from docctl.people import Reader
from docctl.procedures import Entry, Event, Procedure
from docctl.rules import Refused, Sentence
from docctl.site import Site
from docctl.text import fold, nfc
from docctl.units import Unit

HEADINGS: tables.Headings = {
    "code": ("Mã số", "Mã", "Mã thủ tục", "Mã TTHC", "ma_thu_tuc"),
    "title": ("Tên", "Tên thủ tục", "Tên thủ tục hành chính", "Tên TTHC", "ten_thu_tuc"),
    "issuer": ("Cơ quan ban hành",),
    "executor": ("Cơ quan thực hiện", "co_quan_thuc_hien"),
    "field": ("Lĩnh vực", "linh_vuc"),
    "level": ("Cấp", "Cấp thực hiện", "cap_thuc_hien"),
    "audience": ("Đối tượng", "Đối tượng thực hiện"),
    "basis": ("Căn cứ", "Căn cứ pháp lý"),
    "decision": ("Quyết định công bố", "Số quyết định", "so_quyet_dinh"),
    "decided_on": ("Ngày công bố", "Ngày quyết định"),
}
NOTHING = fold("Không có thông tin")
_OTHER_TITLE = Sentence(
    "Mã này trong danh mục là “{known}”, trong tệp là “{given}”. Danh mục giữ tên cũ; hãy đối chiếu mã với Cổng dịch vụ công.",
    "In the catalogue this code is “{known}”, in the file “{given}”. The catalogue keeps its title: compare with the portal.",
)
_NOT_JSON = Sentence("Dòng này không phải một đối tượng JSON.", "This line is not a JSON object.")
_TWICE = Sentence(
    "Cùng mã với dòng {first} của tệp nhưng tên khác; dòng này chưa được nhận.",
    "Line {first} of the file has the same code and another title; this one was not taken.",
)


def import_procedures(
    site: Site,
    path: Path,
    *,
    actor: str = "",
    unit: str = "",
    dry_run: bool = False,
    locale: str = "vi",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Import a list (.xlsx, .xls, .tsv, .csv) or full procedures (.jsonl, .jsonl.gz) in one transaction."""
    whole = any(suffix == ".jsonl" for suffix in path.suffixes)
    lines = list(_full(path) if whole else _listed(path))
    result = Result(read=len(lines))
    with site.database.session_for_writing() as session:
        by = importer(session, actor)
        procedures.refuse_others(by)
        hand = _Hand(session, by, units.find(session, unit) if unit else None, result, locale)
        for done, (number, entry) in enumerate(lines, start=1):
            hand.take(number, entry)
            if done % 100 == 0 or done == len(lines):
                progress(done, len(lines))
        if dry_run:
            session.rollback()
        else:
            session.commit()
    return result


class _Hand:
    """Takes one line after the other into the catalogue."""

    def __init__(self, session: Session, by: Reader, unit: Unit | None, result: Result, locale: str) -> None:
        self.session, self.by, self.unit, self.result, self.locale = session, by, unit, result, locale
        self.known = {row.code_key: row for row in procedures.coverage.all_procedures(session)}
        self.seen: dict[str, tuple[int, str]] = {}

    def take(self, number: int, entry: Entry | None) -> None:
        """Take a line, or say why not; a savepoint keeps a refused one from leaving anything behind."""
        if entry is None:
            self.result.failed.append({"source": str(number), "reason": _NOT_JSON.get(self.locale)})
            return
        source, key = f"{number}: {entry.code}", procedures.base_key(entry.code)
        try:
            with self.session.begin_nested():
                self._take(source, number, key, entry)
        except Refused as refused:
            self.result.failed.append({"source": source, "reason": refused.sentence.get(self.locale)})

    def _take(self, source: str, number: int, key: str, entry: Entry) -> None:
        first = self.seen.setdefault(key, (number, _same(entry.title)))
        if first[0] != number and first[1] != _same(entry.title):
            self._conflict(source, entry, _TWICE.fill(first=first[0]))
            return
        row = self.known.get(key)
        if row is None:
            self.known[key] = procedures.add(self.session, _in_unit(entry, self.unit), by=self.by)
            self.result.created += 1
            return
        if _same(row.title) != _same(entry.title):
            self._conflict(source, entry, _OTHER_TITLE.fill(known=row.title, given=entry.title))
        elif procedures.edit(self.session, row, _filling(row, entry), by=self.by):
            self.result.revised += 1
        else:
            self.result.unchanged += 1

    def _conflict(self, source: str, entry: Entry, sentence: Sentence) -> None:
        self.result.conflicts.append({"source": source, "code": entry.code, "reason": sentence.get(self.locale)})


def details(row: Procedure) -> dict[str, str]:
    """Return the parts of the full procedure that say something, under the names that the portal gives them."""
    return {name: str(value) for name, value in row.parts.items() if value and fold(str(value)) != NOTHING}


def _listed(path: Path) -> Iterator[tuple[int, Entry]]:
    for line in tables.read(path, HEADINGS, needed=("code", "title")):
        texts = {name: _lines(line[name]) for name in ("field", "level", "audience", "issuer", "executor", "basis")}
        given = {name: text or None for name, text in texts.items()}  # An empty cell says nothing.
        events = [Event("published", line["decision"], tables.day(line["decided_on"]))] if line["decision"] else []
        yield line.number, Entry(code=line["code"], title=line["title"], events=events, **given)  # type: ignore[arg-type]


def _full(path: Path) -> Iterator[tuple[int, Entry | None]]:
    for number, found in tables.read_json_lines(path):
        yield number, _entry(found) if found is not None else None


def _entry(found: dict[str, Any]) -> Entry:
    def said(name: str) -> str | None:
        text = _lines(nfc(str(found.get(name) or "")))
        return text if text and fold(text) != NOTHING else None

    decision = said("so_quyet_dinh")
    return Entry(
        code=str(found.get("ma_thu_tuc") or found.get("code") or ""),
        title=nfc(str(found.get("ten_thu_tuc") or found.get("title") or "")),
        field=said("linh_vuc"),
        level=said("cap_thuc_hien"),
        audience=said("doi_tuong_thuc_hien"),
        executor=said("co_quan_thuc_hien"),
        basis=said("can_cu_phap_ly"),
        detail=json.dumps(found, ensure_ascii=False, sort_keys=True),
        events=[Event("published", decision)] if decision else [],
    )


def _in_unit(entry: Entry, unit: Unit | None) -> Entry:
    return Entry(**{**vars(entry), "unit": unit}) if unit else entry


def _filling(row: Procedure, entry: Entry) -> Entry:
    """Return the entry with the catalogue's own title; a full text fills in what the list leaves empty, and no more."""
    own = {name: getattr(row, name) or getattr(entry, name) for name in ("field", "level", "executor", "audience")}
    return Entry(**{**vars(entry), "title": row.title, **(own if entry.detail is not None else {})})


def _lines(text: str) -> str:
    """Join the lines of a cell: each names an office of its own."""
    return "; ".join(part.strip() for part in text.splitlines() if part.strip())


def _same(title: str) -> str:
    return " ".join("".join(c if c.isalnum() else " " for c in fold(title)).split())
