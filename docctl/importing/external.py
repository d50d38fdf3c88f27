"""Import of registers of external documents: every row is kept as it came, odd ones are named for a person to look at."""

import re
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from docctl import external
from docctl.external import Change, Entry, ExternalDocument
from docctl.importing import tables
from docctl.importing.results import Result, importer
from docctl.importing.tables import Line
from docctl.people import Reader
from docctl.rules import Refused, Sentence
from docctl.site import Site

HEADINGS: tables.Headings = {
    "number": ("Số ký hiệu", "Số hiệu", "so_ky_hieu", "Số, ký hiệu", "Số văn bản", "Mã số"),
    "kind": ("Loại", "Loại văn bản", "loai"),
    "title": ("Trích yếu", "Tên", "trich_yeu", "Tên văn bản", "Tên tài liệu", "Nội dung"),
    "issued_on": ("Ngày ban hành", "ngay_ban_hanh"),
    "issuer": ("Cơ quan", "Cơ quan ban hành", "co_quan", "Nơi ban hành"),
    "effective_from": ("Ngày hiệu lực", "ngay_hieu_luc", "Ngày có hiệu lực", "Hiệu lực từ"),
    "ends_on": ("Ngày hết hiệu lực", "Hết hiệu lực"),
    "changes": ("Sửa đổi bởi", "sua_doi_boi@hieu_luc", "Thay bởi", "Sửa đổi, thay thế bởi"),
    "category": ("Nhóm",),
    "clauses": ("Điều khoản áp dụng", "Điều khoản"),
    "units": ("Đơn vị", "Đơn vị áp dụng"),
    "check_months": ("Tần suất soát xét", "Tần suất"),
}
_DAY_UNREAD = Sentence("Không đọc được ngày “{typed}”.", "The day {typed} could not be read.")


def import_external(
    site: Site,
    path: Path,
    *,
    actor: str = "",
    dry_run: bool = False,
    locale: str = "vi",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Import a table of external documents in one transaction; numbers that differ in accents or case are one."""
    lines = tables.read(path, HEADINGS, needed=("number",))
    result = Result(read=len(lines))
    with site.database.session_for_writing() as session:
        by = importer(session, actor)
        external.refuse_others(by)
        known = {row.number_key: row for row in external.all_documents(session)}
        seen: dict[str, Line] = {}
        for done, line in enumerate(lines, start=1):
            _take(session, line, known, seen, by=by, result=result, locale=locale)
            if done % 100 == 0 or done == len(lines):
                progress(done, len(lines))
        if dry_run:
            session.rollback()
        else:
            session.commit()
    return result


def _take(
    session: Session,
    line: Line,
    known: dict[str, ExternalDocument],
    seen: dict[str, Line],
    *,
    by: Reader,
    result: Result,
    locale: str,
) -> None:
    key, source = external.number_key(line["number"]), f"{line.number}: {line['number']}"
    if key and key in seen:
        said = Sentence(
            "Cùng số hiệu với dòng {first} của tệp; dòng này chưa được nhận.",
            "Line {first} of the file has the same number; this one was not taken.",
        ).fill(first=seen[key].number)
        result.conflicts.append({"source": source, "code": line["number"], "reason": said.get(locale)})
        return
    seen[key] = line
    entry, doubts = _read(line)
    try:
        with session.begin_nested():
            row = known.get(key)
            if row is None:
                row, changed, fresh = external.add(session, entry, by=by), True, True
                known[key] = row
            else:
                changed, fresh = _revised(session, row, entry, line, by=by), False
    except Refused as refused:
        result.failed.append({"source": source, "reason": refused.sentence.get(locale)})
        return
    doubts += external.warnings(row)
    if not changed:
        result.unchanged += 1
    elif doubts:
        result.doubtful(source, "number, dates", doubts, locale)
    elif fresh:
        result.created += 1
    else:
        result.revised += 1


def _revised(session: Session, row: ExternalDocument, entry: Entry, line: Line, *, by: Reader) -> bool:
    """Change what the file says otherwise; columns that the file has not stay as they are."""
    merged = Entry(
        number=row.number,
        **{
            name: getattr(entry, name) if name in line.values else getattr(row, name)
            for name in (
                *("title", "kind", "category", "issuer", "issued_on", "effective_from", "ends_on", "clauses", "units"),
                "check_months",
            )
        },
    )
    changed = external.edit(session, row, merged, by=by)
    if "changes" in line.values and entry.changes:
        own = [Change(old.number, old.effective_from, old.kind) for old in row.changes]
        numbers = {external.number_key(change.number) for change in entry.changes}
        kept = [change for change in own if external.number_key(change.number) not in numbers]
        changed = external.set_changes(session, row, [*entry.changes, *kept], by=by) or changed
    return changed


def _read(line: Line) -> tuple[Entry, list[Sentence]]:
    doubts = []
    days = {}
    for name in ("issued_on", "effective_from", "ends_on"):
        days[name] = tables.day(line[name])
        if line[name] and days[name] is None:
            doubts.append(_DAY_UNREAD.fill(typed=line[name]))
    months = re.search(r"\d+", line["check_months"])
    entry = Entry(
        number=line["number"],
        title=line["title"],
        kind=line["kind"],
        category=line["category"],
        issuer=line["issuer"],
        clauses=line["clauses"],
        units=line["units"],
        check_months=int(months[0]) if months and 0 < int(months[0]) < 1000 else None,
        changes=[_change(part) for part in line["changes"].split(";") if part.strip()],
        **days,
    )
    return entry, doubts


def _change(part: str) -> Change:
    """Read `104/2022/NĐ-CP@01/01/2023`, the day after @ or in brackets."""
    number = re.split(r"[@(]", part)[0].strip()
    return Change(number or part.strip(), tables.day(part[len(number) :]))
