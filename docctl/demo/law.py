"""The sample office's laws and administrative procedures: 319 procedures, 264 of them covered, and a law that changed."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import documents, external, procedures, units
from docctl.demo import organisation
from docctl.external import Change, ExternalDocument
from docctl.people import Reader
from docctl.procedures import Entry, Event, Procedure

COVERED, ALL = 264, 319
INWARD = ("Hệ thống quản lý chất lượng", "Văn phòng")  # Fields whose procedures serve the office itself.
AUDIENCES = ("đối với cá nhân, hộ gia đình", "đối với tổ chức")
PUBLISHED = Event("published", "2115/QĐ-UBND", date(2020, 9, 8))


@dataclass(frozen=True)
class SampleProcedure:
    """An administrative procedure of the sample office, and the code of the paper that covers it, if any."""

    code: str
    title: str
    field: str
    unit: str
    covered_by: str = ""


def catalogue() -> list[SampleProcedure]:
    """Return the 319 procedures, those that are covered first."""
    found = list(_covered())
    return found + list(_bare(len(found)))


def is_loaded(session: Session) -> bool:
    """Say whether the catalogue is there: it comes in one transaction, whole."""
    return session.scalars(select(Procedure.id).limit(1)).first() is not None


def load(session: Session, by: Reader) -> None:
    """Enter the laws, the procedures and the links between procedures and documents."""
    for law in _data()["laws"]:
        if external.with_number(session, law["number"]) is None:
            external.add(session, external.Entry(**law), by=by)
    known = {unit.code: unit for unit in units.all_units(session)}
    for sample in catalogue():
        entry = Entry(
            code=sample.code,
            title=sample.title,
            field=sample.field,
            unit=known[sample.unit],
            events=[PUBLISHED],
        )
        row = procedures.add(session, entry, by=by)
        if sample.covered_by:
            procedures.link(session, row, documents.find(session, sample.covered_by), by=by, origin="imported")


def changed(session: Session) -> tuple[ExternalDocument, Change]:
    """Return the law that changed, and what changed it."""
    given = _data()["change"]
    law = external.with_number(session, given["law"])
    if law is None:
        raise LookupError(given["law"])
    return law, Change(given["number"], given["effective_from"])


def _covered() -> Iterator[SampleProcedure]:
    papers = [
        (code, paper)
        for code, paper in organisation.in_force_after_2804().items()
        if paper.type == "QT" and paper.field not in INWARD
    ]
    twice = COVERED - len(papers)
    number = 0
    for position, (code, paper) in enumerate(papers):
        titles = [f"{paper.title} {audience}" for audience in AUDIENCES] if position < twice else [paper.title]
        for title in titles:
            number += 1
            yield SampleProcedure(_code(number), title, paper.field, paper.unit, code)


def _bare(after: int) -> Iterator[SampleProcedure]:
    """Yield what the office applies and has no document for: five acts on each of eleven permits."""
    data = _data()
    acts = [(act, permit) for permit in data["permits"] for act in data["acts"]]
    for number, (act, permit) in enumerate(acts[: ALL - after], start=after + 1):
        yield SampleProcedure(_code(number), f"{act} {permit['name']}", permit["field"], permit["unit"])


def _code(number: int) -> str:
    return f"9.{number:06d}"


def _data() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "law.toml").read_text(encoding="utf-8"))
