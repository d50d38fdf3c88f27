"""Import of registers that offices keep in spreadsheets: of their own documents, external documents, procedures."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import Session

from docctl import documents, units
from docctl.importing import external, procedures, tables
from docctl.importing.results import Result, importer
from docctl.importing.tables import Line
from docctl.people import Reader
from docctl.rules import Refused, Sentence
from docctl.site import Site
from docctl.text import code_key, fold

REGISTERS = ("documents", "external", "procedures")
HEADINGS: tables.Headings = {
    "code": ("Mã", "Mã tài liệu", "Mã số", "Mã hiệu", "Ký hiệu"),
    "title": ("Tên", "Tên tài liệu", "Tên quy trình"),
    "type": ("Loại", "Loại tài liệu"),
    "unit": ("Đơn vị", "Phòng"),
    "field": ("Lĩnh vực",),
}


def import_register(
    site: Site,
    path: Path,
    register: str,
    *,
    actor: str = "",
    dry_run: bool = False,
    locale: str = "vi",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Import a spreadsheet as one of the REGISTERS; safe to repeat."""
    if register == "external":
        return external.import_external(site, path, actor=actor, dry_run=dry_run, locale=locale, progress=progress)
    if register == "procedures":
        return procedures.import_procedures(site, path, actor=actor, dry_run=dry_run, locale=locale, progress=progress)
    lines = tables.read(path, HEADINGS, needed=("code", "title"))
    result = Result(read=len(lines))
    with site.database.session_for_writing() as session:
        by = importer(session, actor)
        for done, line in enumerate(lines, start=1):
            source = f"{line.number}: {line['code']}"
            try:
                with session.begin_nested():
                    _take(session, line, source, by=by, result=result, locale=locale)
            except Refused as refused:
                result.failed.append({"source": source, "reason": refused.sentence.get(locale)})
            progress(done, len(lines))
        if dry_run:
            session.rollback()
        else:
            session.commit()
    return result


def _take(session: Session, line: Line, source: str, *, by: Reader, result: Result, locale: str) -> None:
    unit = _unit(session, line["unit"])
    namesakes = documents.namesakes(session, line["code"], unit_id=unit.id, field=line["field"].strip())
    same = [row.document for row in namesakes if row.same_scope]
    if any(fold(row.title) == fold(line["title"]) for row in same):
        result.unchanged += 1
        return
    if same:
        said = Sentence(
            "Mã này là của “{title}” trong cùng đơn vị và lĩnh vực; dòng này chưa được nhận.",
            "“{title}” of the same unit and field has this code; the line was not taken.",
        ).fill(title=same[0].title)
        result.conflicts.append({"source": source, "code": line["code"], "reason": said.get(locale)})
        return
    documents.add(
        session,
        by=by,
        title=line["title"],
        type=documents.find_type(session, _type(session, line)),
        unit=unit,
        field=line["field"],
        code=line["code"],
    )
    result.created += 1


def _unit(session: Session, typed: str) -> units.Unit:
    if not typed:
        return units.office(session)
    for unit in units.all_units(session):
        if fold(typed) in (fold(unit.code), fold(unit.name_vi), fold(unit.name_en)):
            return unit
    return units.find(session, typed)


def _type(session: Session, line: Line) -> str:
    """Return the code of the type that the line names, by code or name, or that its own code begins with."""
    types = documents.all_types(session)
    for kind in types:
        if line["type"] and fold(line["type"]) in (fold(kind.code), fold(kind.name_vi), fold(kind.name_en)):
            return kind.code
    if not line["type"]:
        begins = code_key(line["code"])
        return next((kind.code for kind in types if begins.startswith(kind.code)), "QT")
    return line["type"]
