"""The page of what was in force on a date, as known on another one, and of what differs between two dates."""

from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import StringField

from docctl import audit, clock, intervals, register
from docctl.exporting.paper import Cell
from docctl.intervals import Difference, Standing
from docctl.rules import NoRole, Refused, Sentence
from docctl.web import asking, edge, errors, kept, paging

blueprint = Blueprint("in_force", __name__)

PAGE = 50
TYPED = {"inputmode": "numeric", "placeholder": "26/10/2022", "autocomplete": "off"}


class Questions(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """Which day, as known when, and against which other day."""

    class Meta:
        """Questions change nothing, so they carry no token."""

        csrf = False

    on = StringField(lazy_gettext("In force on the day"), render_kw=TYPED)
    known = StringField(lazy_gettext("As it was known at the end of the day"), render_kw=TYPED)
    against = StringField(lazy_gettext("Compared with the day"), render_kw=TYPED)


@blueprint.get("/in-force")
def show() -> str | Response:
    """Show what was in force on a day, as known on another, or what differs between two days."""
    if not register.sees_more(edge.me()):
        raise NoRole(
            Sentence(
                "Trang này dành cho người soạn thảo, người kiểm soát tài liệu và đánh giá viên. Hãy xem sổ tài liệu.",
                "This page is for authors, document controllers and auditors. Look into the register instead.",
            )
        )
    form = Questions(formdata=request.args)
    errors.show_again(lambda refused: _page(form, refused=refused))
    on, known = asking.read_day(form.on.data, "on"), _end_of(asking.read_day(form.known.data, "known"))
    against = asking.read_day(form.against.data, "against")
    at = clock.midnight(on) if on else clock.now()
    session, me = edge.reading(), edge.me()
    if against is not None:
        first, second = sorted((clock.midnight(against), at))
        return _page(form, at=at, known=known, differs=intervals.difference(session, first, second, known, by=me))
    rows = intervals.in_force(session, at, known, by=me)
    return _workbook(rows) if request.args.get("format") == "xlsx" else _page(form, rows, at=at, known=known)


def _end_of(day: date | None) -> datetime | None:
    """Return the last instant of a day: what was recorded on it was known by then."""
    return clock.midnight(day + timedelta(days=1)) - timedelta(microseconds=1) if day else None


def _page(
    form: Questions,
    rows: list[Standing] | None = None,
    *,
    at: datetime | None = None,
    known: datetime | None = None,
    differs: Difference | None = None,
    refused: Refused | None = None,
) -> str:
    whole = request.args.get("rows") == "all"
    first = 0 if whole else (paging.number() - 1) * PAGE
    listed = rows or []
    return render_template(
        "in_force/show.html",
        form=form,
        error=asking.mark(form, refused),
        rows=[_row(row) for row in (listed if whole else listed[first : first + PAGE])],
        total=len(listed),
        page=paging.of(len(listed), max(1, len(listed)) if whole else PAGE),
        at=at,
        known=known,
        differs=differs,
        came=[_row(row) for row in differs.came] if differs else [],
        went=[_row(row) for row in differs.went] if differs else [],
        changed=[(_row(one), _row(other)) for one, other in differs.changed] if differs else [],
        head=audit.head(edge.reading()),
        clear_url=url_for("in_force.show"),
        all_url=_url(rows="all"),
        xlsx_url=_url(format="xlsx"),
    )


def _url(**changed: str) -> str:
    asked: dict[str, Any] = {name: request.args.get(name, "") for name in ("on", "known", "against")}
    return url_for("in_force.show", **{name: value for name, value in {**asked, **changed}.items() if value})


def _row(row: Standing) -> SimpleNamespace:
    return SimpleNamespace(**row._asdict(), edition_text=row.edition_text, url=_revision_url(row.revision_id))


def _revision_url(revision_id: int) -> str:
    return url_for("revisions.show", revision_id=revision_id)


def _workbook(rows: list[Standing]) -> Response:
    heads = [_("No."), _("Code"), _("Title"), _("Edition"), _("Effective from"), _("Effective until"), _("Unit")]
    heads += [_("Decision"), "SHA-256"]
    lines: list[list[Cell]] = [
        [
            number,
            row.code,
            row.title,
            row.edition_text,
            clock.local(row.effective_from).date(),
            clock.local(row.effective_to).date() if row.effective_to else None,
            row.unit,
            row.decision,
            row.sha256 or "",
        ]
        for number, row in enumerate(rows, start=1)
    ]
    return kept.workbook(_("In force"), heads, lines)
