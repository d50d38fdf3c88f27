"""The pages of external documents: the register, one document on its days, and what changed it."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, SearchField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from docctl import audit, clock, deadlines, external, holidays, register, units, watch
from docctl.exporting import law
from docctl.external import Asked, Change, Entry, ExternalDocument, Found
from docctl.rules import Refused, Sentence
from docctl.web import asking, edge, errors, forms, kept, language, paging, show, telling

blueprint = Blueprint("external", __name__)

# The shapes of states that lists already have.
LOOKS = {"in_force": "in_force", "not_yet": "scheduled", "expired": "withdrawn", "unknown": "draft"}


class Filters(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The questions of the register."""

    class Meta:
        """No token in the address."""

        csrf = False

    q = SearchField(lazy_gettext("Number or words"))
    kind = SelectField(lazy_gettext("Kind"), validate_choice=False)
    category = SelectField(lazy_gettext("Group"), validate_choice=False)
    unit = SelectField(lazy_gettext("Unit"), validate_choice=False)
    state = SelectField(lazy_gettext("State"), validate_choice=False)
    on = StringField(lazy_gettext("On the day"), render_kw=kept.A_DAY)


class EntryForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """What the register says of an external document."""

    number = StringField(lazy_gettext("Number"), [InputRequired()], description=lazy_gettext("As 123/2015/NĐ-CP."))
    kind = StringField(lazy_gettext("Kind"))
    title = TextAreaField(lazy_gettext("Title"), render_kw={"rows": 3})
    issuer = StringField(lazy_gettext("Issuer"))
    category = StringField(lazy_gettext("Group"))
    issued_on = StringField(lazy_gettext("Date of issue"), render_kw=kept.A_DAY)
    effective_from = StringField(lazy_gettext("Effective from"), render_kw=kept.A_DAY)
    ends_on = StringField(lazy_gettext("No longer in force from"), render_kw=kept.A_DAY)
    clauses = TextAreaField(lazy_gettext("Clauses applied"), render_kw={"rows": 3})
    units = StringField(lazy_gettext("Units concerned"), description=lazy_gettext("Codes with commas between them."))
    check_months = StringField(lazy_gettext("Months between checks"), render_kw={"inputmode": "numeric"})
    lock = HiddenField()

    def said(self) -> Entry:
        """Return what was typed; raises Refused for a day that does not exist."""
        days: dict[str, Any] = {
            name: asking.read_day(self[name].data, name) for name in ("issued_on", "effective_from", "ends_on")
        }
        texts: dict[str, Any] = {
            name: self[name].data or "" for name in ("number", "kind", "title", "issuer", "category", "clauses")
        }
        months = forms.whole_number(self.check_months) if (self.check_months.data or "").strip() else 0
        return Entry(units=self.units.data or "", check_months=months or None, **texts, **days)


class ChangeForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """What another act did to this one."""

    changed_by = StringField(lazy_gettext("Number of the act"), [InputRequired()])
    change = SelectField(lazy_gettext("What it does"), validate_choice=False)
    effective_from = StringField(lazy_gettext("Takes effect on"), [InputRequired()], render_kw=kept.A_DAY)


@blueprint.get("/external-documents")
def index() -> str | Response:
    """Show the register of external documents, or give it as a workbook."""
    form = Filters(request.args)
    errors.show_again(lambda refused: _index(form, Found([], 0, 0), refused))
    asked = _asked(form)
    if request.args.get("format") == "xlsx":
        return kept.file(law.of_external(edge.reading(), asked, locale=language.locale()), "xlsx")
    first = (paging.number() - 1) * external.PAGE
    return _index(form, external.find(edge.reading(), asked, first=first), asked=asked)


@blueprint.get("/external-documents/new")
def new() -> str:
    """Ask for a new external document."""
    external.refuse_others(edge.me())
    return _form(EntryForm(formdata=None, number=request.args.get("number", "")))


@blueprint.post("/external-documents")
def add() -> Response:
    """Enter an external document."""
    form = EntryForm()
    errors.show_again(lambda refused: _form(form, refused))
    row = external.add(edge.writing(), form.said(), by=edge.me())
    edge.commit()
    flash(_("%(number)s is in the register.", number=row.number), "success")
    return redirect(url_for("external.show", external_id=row.id), 303)


@blueprint.get("/external-documents/<int:external_id>", endpoint="show")
def show_one(external_id: int) -> str:
    """Show an external document: what it is now, what changed it, what is odd about it."""
    return _page(_load(external_id))


@blueprint.get("/external-documents/<int:external_id>/edit")
def edit(external_id: int) -> str:
    """Show the form of an external document."""
    external.refuse_others(edge.me())
    row = _load(external_id)
    texts = ("number", "kind", "title", "issuer", "category", "clauses", "units")
    days = ("issued_on", "effective_from", "ends_on")
    given: dict[str, Any] = {name: getattr(row, name) for name in texts}
    given |= {name: show.day(getattr(row, name)) for name in days}
    return _form(EntryForm(formdata=None, check_months=row.check_months or "", lock=row.lock, **given), row=row)


@blueprint.post("/external-documents/<int:external_id>")
def save(external_id: int) -> Response:
    """Save what the register says of an external document."""
    form = EntryForm()
    errors.show_again(lambda refused: _form(form, refused, row=_load(external_id)))
    row = _load(external_id, writing=True)
    seen = asking.read_number(form.lock.data, default=-1)
    external.edit(edge.writing(), row, form.said(), by=edge.me(), seen=seen)
    edge.commit()
    flash(_("The entry is saved."), "success")
    return redirect(url_for("external.show", external_id=external_id), 303)


@blueprint.post("/external-documents/<int:external_id>/changes")
def change(external_id: int) -> Response:
    """Note that another act amends, replaces or repeals it."""
    form = ChangeForm()
    errors.show_again(lambda refused: _page(_load(external_id), form, refused))
    row = _load(external_id, writing=True)
    day = asking.read_day(form.effective_from.data, "effective_from")
    kind = kept.chosen(form.change.data, external.KINDS_OF_CHANGE, external.AMENDED)
    made = watch.amend(edge.writing(), row, Change(form.changed_by.data or "", day, kind), by=edge.me())
    edge.commit()
    flash(_("The change is noted; %(n)s assessments are open.", n=len(made)), "success")
    return redirect(url_for("external.show", external_id=external_id), 303)


@blueprint.post("/external-documents/<int:external_id>/checks")
def check(external_id: int) -> Response:
    """Note that the entry was looked at today and is right."""
    row = _load(external_id, writing=True)
    external.check(edge.writing(), row, by=edge.me())
    edge.commit()
    flash(_("Today's check is noted."), "success")
    return redirect(url_for("external.show", external_id=external_id), 303)


def _load(external_id: int, *, writing: bool = False) -> ExternalDocument:
    session = edge.writing() if writing else edge.reading()
    return external.load(session, external_id) or abort(404)


def _asked(form: Filters) -> Asked:
    return Asked(
        words=form.q.data or "",
        kind=form.kind.data or "",
        category=form.category.data or "",
        unit=form.unit.data or "",
        state=kept.chosen(form.state.data, external.ASKED_STATES, external.EVERY),
        on=asking.read_day(form.on.data, "on"),
    )


def _index(form: Filters, found: Found, refused: Refused | None = None, asked: Asked | None = None) -> str:
    session, locale = edge.reading(), language.locale()
    form.kind.choices = forms.choices([(kind, kind) for kind in external.kinds(session)], _("All kinds"))
    form.category.choices = forms.choices([(each, each) for each in external.categories(session)], _("All groups"))
    form.unit.choices = forms.choices([(u.code, u.name(locale)) for u in units.all_units(session)], _("All units"))
    form.state.choices = list(_states().items())
    form.state.data = kept.chosen(form.state.data, external.ASKED_STATES, external.EVERY)
    day = (asked.on if asked else None) or clock.today()
    return render_template(
        "external/index.html",
        form=form,
        rows=[_row(row, day) for row in found.rows],
        found=found,
        day=day,
        error=asking.mark(form, refused),
        page=paging.of(found.total, external.PAGE),
        narrowed=any(request.args.get(name) for name in ("q", "kind", "category", "unit", "state", "on")),
        may_keep=external.keeping_refusal(by=edge.me()) is None,
        xlsx_url=kept.again("external.index", format="xlsx"),
    )


def _row(row: ExternalDocument, day: Any) -> SimpleNamespace:
    state = row.state_on(day)
    return SimpleNamespace(
        id=row.id,
        number=row.number,
        title=row.title or row.number,
        kind=row.kind,
        issuer=row.issuer,
        issued_on=row.issued_on,
        effective_from=row.effective_from,
        look=LOOKS[state],
        state=show.say(law.EXTERNAL_STATES[state]),
        amended=[each for each in row.amended_by(day) if each.kind == external.AMENDED],
        odd=external.warnings(row),
    )


def _states() -> dict[str, str]:
    return {
        "every": _("Every state"),
        "in_force": _("In force"),
        "not_yet": _("Not yet in force"),
        "expired": _("Expired"),
        "unknown": _("Unknown"),
        "amended": _("In force, amended"),
        "odd": _("Odd dates or numbers"),
        "to_check": _("Due for a check"),
    }


def _form(form: EntryForm, refused: Refused | None = None, row: ExternalDocument | None = None) -> str:
    return render_template("external/form.html", form=form, row=row, error=asking.mark(form, refused))


def _page(row: ExternalDocument, form: ChangeForm | None = None, refused: Refused | None = None) -> str:
    session, today = edge.reading(), clock.today()
    form = form or ChangeForm(formdata=None)
    form.change.choices = [
        ("amended", _("amends it")),
        ("replaced", _("replaces it")),
        ("repealed", _("repeals it")),
    ]
    off, seen = holidays.days(session), register.visible_ids(session, by=edge.me())
    return render_template(
        "external/show.html",
        row=_row(row, today),
        document=row,
        opening=show.say(_opening(row)),
        tone={"in_force": "good", "expired": "stop"}.get(row.state_on(today), "wait"),
        warnings=external.warnings(row),
        known=external.changers(session, row),
        changes=[
            SimpleNamespace(
                number=each.number,
                key=each.number_key,
                kind=show.say(law.CHANGES[each.kind]),
                effective_from=each.effective_from,
                deadline=deadlines.deadline(each.effective_from, holidays=off) if each.effective_from else None,
            )
            for each in sorted(row.changes, key=lambda each: each.effective_from or today)
        ],
        changes_others=external.changed_by(session, row),
        citing=[each for each in watch.citing.citing(session, row) if each.document.id in seen],
        standing=watch.board.of_law(session, row.id, by=edge.me()),
        check_due=external.check_due(row),
        deadline=deadlines.deadline(row.effective_from, holidays=off) if row.effective_from else None,
        form=form,
        error=asking.mark(form, refused),
        changing=refused is not None,
        may_keep=external.keeping_refusal(by=edge.me()) is None,
        entries=telling.history(audit.of_record(session, "external_document", row.id)),
    )


def _opening(row: ExternalDocument) -> Sentence:
    state = row.state_on(clock.today())
    ended, changed = row.ended_on(), len(row.amended_by(clock.today()))
    if state == external.EXPIRED and ended:
        return Sentence("Hết hiệu lực từ {day}.", "No longer in force since {day}.").fill(day=show.day(ended))
    if state == external.NOT_YET:
        return Sentence("Chưa có hiệu lực; có hiệu lực từ {day}.", "Not yet in force; it takes effect on {day}.").fill(
            day=show.day(row.effective_from)
        )
    if state == external.UNKNOWN:
        return Sentence("Chưa rõ hiệu lực: chưa có ngày hiệu lực.", "Its state is not known: it has no effective date.")
    if changed:
        return Sentence(
            "Còn hiệu lực từ {day}; đã được sửa đổi {n} lần.", "In force since {day}; amended {n} times."
        ).fill(day=show.day(row.effective_from), n=changed)
    return Sentence("Còn hiệu lực từ {day}.", "In force since {day}.").fill(day=show.day(row.effective_from))
