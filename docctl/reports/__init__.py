"""The yearly report and the self-assessment: figures from queries, what people add with its source, and what contradicts."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock
from docctl.audit import Action
from docctl.people import Reader
from docctl.reports import contradictions, figures, scoring
from docctl.reports.contradictions import Contradiction
from docctl.reports.figures import Figure, Year
from docctl.reports.scoring import TOTAL, Sheet, annex, claim, keeping_refusal, refuse_others, written
from docctl.reports.table import Claim, TypedFigure
from docctl.rules import Refused, Sentence
from docctl.text import clean_name, code_key

__all__ = [
    "TOTAL",
    "Claim",
    "Contradiction",
    "Figure",
    "Report",
    "Sheet",
    "TypedFigure",
    "Year",
    "annex",
    "claim",
    "keeping_refusal",
    "of_year",
    "refuse_others",
    "type_figure",
    "written",
]


@dataclass(frozen=True)
class Report:
    """The report of a year: what the records say, what people typed, the self-assessment, and the contradictions."""

    year: Year
    typed: list[TypedFigure]
    sheet: Sheet
    contradictions: list[Contradiction]

    def as_dict(self, locale: str = "vi") -> dict[str, Any]:
        """Return the report as the JSON of the command line and of the interface."""
        return {
            "year": self.year.year,
            "on": self.year.on.isoformat(),
            "figures": [
                {
                    "query": row.name,
                    "label": row.label.get(locale),
                    "on": row.on.isoformat(),
                    "numerator": row.numerator,
                    "denominator": row.denominator,
                    "percent": row.percent,
                    "list": row.behind,
                }
                for row in self.year.figures
            ],
            "decisions": [
                {
                    "number": row.number,
                    "effective_from": row.effective_from,
                    "issued": row.issued,
                    "withdrawn": row.withdrawn,
                }
                for row in self.year.decisions
            ],
            "typed": [{"name": row.name, "value": row.value, "source": row.source} for row in self.typed],
            "self_assessment": {
                "version": self.sheet.version,
                "total": self.sheet.total / 100,
                "claimed_total": None if self.sheet.claimed_total is None else self.sheet.claimed_total / 100,
                "rows": [
                    {
                        "row": row.row.code,
                        "most": row.row.most / 100,
                        "points": None if row.claimed is None else row.claimed / 100,
                        "met": row.fact.met if row.fact else None,
                        "fact": row.fact.sentence.get(locale) if row.fact else "",
                        "list": row.fact.behind if row.fact else "",
                    }
                    for row in self.sheet.rows
                ],
            },
            "contradictions": [
                {"about": row.about, "said": row.said, "reason": row.sentence.get(locale)}
                for row in self.contradictions
            ],
        }


def of_year(session: Session, year: int) -> Report:
    """Return the report of a year."""
    computed = figures.of_year(session, year)
    typed = list(session.scalars(select(TypedFigure).where(TypedFigure.year == year).order_by(TypedFigure.id)))
    sheet = scoring.sheet(session, computed)
    return Report(computed, typed, sheet, contradictions.found(computed, typed, sheet))


def type_figure(session: Session, year: int, name: str, value: str, *, by: Reader, source: str) -> TypedFigure:
    """Keep a figure as typed, with where it comes from; the same name in a year is written over, and the trail keeps both."""
    refuse_others(by)
    name, value, source = (" ".join(clean_name(text).split()) for text in (name, value, source))
    for field, text in (("name", name), ("value", value), ("source", source)):
        if not text:
            raise Refused(
                Sentence(
                    "Hãy ghi đủ tên, giá trị và nguồn của số liệu.", "Give the figure a name, a value and its source."
                ),
                field=field,
            )
    row = session.scalars(
        select(TypedFigure).where(TypedFigure.year == year, TypedFigure.name_key == code_key(name)[:300])
    ).first()
    before = {"value": row.value, "source": row.source} if row else {}
    if row is None:
        row = TypedFigure(year=year, name=name[:300], name_key=code_key(name)[:300])
        session.add(row)
    row.value, row.source, row.typed_at, row.typed_by_id, row.typed_by = value, source, clock.now(), by.id, by.account
    session.flush()
    audit.record(
        session,
        Action.FIGURE_TYPED,
        by=by.account,
        noun="typed_figure",
        record_id=row.id,
        year=year,
        name=row.name,
        value=value,
        source=source,
        typed_at=row.typed_at,
        typed_by_id=row.typed_by_id,
        before=before,
    )
    return row
