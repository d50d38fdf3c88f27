"""The pages of the yearly report: its figures with the lists behind them, what people add, the points, the contradictions."""

from types import SimpleNamespace

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import StringField
from wtforms.validators import InputRequired

from docctl import clock, reports
from docctl.exporting import report as paper
from docctl.reports import Report
from docctl.rules import Refused, Sentence
from docctl.web import asking, edge, errors, kept, language, show

blueprint = Blueprint("reports", __name__)

TALLEST, WIDEST = 120, 360


class FigureForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """A figure that the records cannot give."""

    name = StringField(lazy_gettext("What it is about"), [InputRequired()])
    value = StringField(
        lazy_gettext("Figure"), [InputRequired()], description=lazy_gettext("As in the report: 950/1000 = 95 %.")
    )
    source = StringField(
        lazy_gettext("Source"), [InputRequired()], description=lazy_gettext("Where it was taken from.")
    )


@blueprint.get("/reports")
def index() -> Response:
    """Go to the report of the last year that has ended."""
    return redirect(url_for("reports.show", year=clock.today().year - 1), 303)


@blueprint.get("/reports/<int:year>", endpoint="show")
def show_one(year: int) -> str | Response:
    """Show the report of a year with the list behind each figure, or give it as a Word document."""
    if request.args.get("format") in ("docx", "pdf"):
        found = reports.of_year(edge.reading(), _year(year))
        return kept.file(paper.build(edge.reading(), found, locale=language.locale()), str(request.args["format"]))
    return _page(_year(year))


@blueprint.post("/reports/<int:year>/figures")
def type_figure(year: int) -> Response:
    """Keep a figure with its source."""
    form = FigureForm()
    errors.show_again(lambda refused: _page(_year(year), form, refused))
    given = {name: form[name].data or "" for name in ("name", "value", "source")}
    reports.type_figure(edge.writing(), _year(year), by=edge.me(), **given)
    edge.commit()
    flash(_("The figure is kept with its source."), "success")
    return redirect(url_for("reports.show", year=year, _anchor="typed"), 303)


@blueprint.post("/reports/<int:year>/points")
def claim(year: int) -> Response:
    """Claim points for the rows of the annex, and its total as it was written."""
    errors.show_again(lambda refused: _page(_year(year), None, refused))
    session, me, said = edge.writing(), edge.me(), 0
    reports.refuse_others(me)
    for code in (*(row.code for row in reports.annex().rows), reports.TOTAL):
        typed = (request.form.get(f"points-{code}") or "").strip()
        if typed:
            evidence = request.form.get(f"evidence-{code}") or ""
            reports.claim(session, _year(year), code, _points(typed, code), by=me, evidence=evidence)
            said += 1
    edge.commit()
    flash(_("%(n)s rows are saved.", n=said), "success")
    return redirect(url_for("reports.show", year=year, _anchor="annex"), 303)


def _year(year: int) -> int:
    return year if year in clock.YEARS and year <= clock.today().year else abort(404)


def _points(typed: str, code: str) -> int:
    try:
        return round(float(typed.replace(",", ".")) * 100)
    except (ValueError, OverflowError):
        raise Refused(
            Sentence(
                "Dòng {code}: ghi điểm bằng số, ví dụ 1,5 (bạn đã ghi “{typed}”).",
                "Row {code}: write the points as a number, for example 1.5 (you wrote “{typed}”).",
            ).fill(code=code, typed=typed[:20])
        ) from None


def _page(year: int, form: FigureForm | None = None, refused: Refused | None = None) -> str:
    found = reports.of_year(edge.reading(), year)
    locale = language.locale()
    form = form or FigureForm(formdata=None)
    typed = request.form if refused else {}
    return render_template(
        "reports/show.html",
        report=found,
        sections=[show.say(sentence) for sentence in paper.sections(found, locale)],
        months=_months(found),
        tallest=TALLEST,
        types=_widths([(vi if locale == "vi" else en, n, 0) for vi, en, n in found.year.by_type]),
        units=_widths(found.year.by_unit),
        fields=found.year.coverage.by_field,
        rows=[_row(row, typed) for row in found.sheet.rows],
        total=reports.written(found.sheet.total),
        claimed_total=typed.get("points-total")
        or ("" if found.sheet.claimed_total is None else reports.written(found.sheet.claimed_total)),
        form=form,
        error=asking.mark(form, refused),
        years=range(clock.today().year, clock.today().year - 6, -1),
        may_keep=reports.keeping_refusal(by=edge.me()) is None,
    )


def _row(row: reports.scoring.Scored, typed: object) -> SimpleNamespace:
    get = typed.get if hasattr(typed, "get") else lambda name: None
    code = row.row.code
    return SimpleNamespace(
        code=code,
        title=row.row.title,
        most=reports.written(row.row.most),
        points=get(f"points-{code}") or ("" if row.claimed is None else reports.written(row.claimed)),
        evidence=get(f"evidence-{code}") or row.evidence,
        fact=row.fact,
        is_sum=row.is_sum,
        depth=code.count(".") + code[-1:].isalpha(),
    )


def _months(found: Report) -> list[SimpleNamespace]:
    most = max((max(row.issued, row.withdrawn) for row in found.year.months), default=0) or 1
    bars = []
    for row in found.year.months:
        heights = [round(TALLEST * n / most, 1) for n in (row.issued, row.withdrawn)]
        bars.append(SimpleNamespace(month=row.month, issued=row.issued, withdrawn=row.withdrawn, heights=heights))
    return bars


def _widths(rows: list[tuple[str, int, int]]) -> list[SimpleNamespace]:
    most = max((one + other for _, one, other in rows), default=0) or 1
    return [
        SimpleNamespace(
            name=name, n=n, gone=gone, width=round(WIDEST * n / most, 1), rest=round(WIDEST * gone / most, 1)
        )
        for name, n, gone in rows
    ]
