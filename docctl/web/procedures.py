"""The pages of administrative procedures: the catalogue with its coverage, one procedure, its documents and decisions."""

from types import SimpleNamespace

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, SearchField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from docctl import audit, clock, documents, procedures, register, revisions, units
from docctl.exporting import law
from docctl.procedures import Asked, Coverage, Event, Found, Procedure, Row, Share
from docctl.procedures.coverage import ASKED_STATES, EVERY, PAGE
from docctl.rules import Refused
from docctl.web import asking, edge, errors, forms, kept, language, paging, show, telling

blueprint = Blueprint("procedures", __name__)

LOOKS = {"live": "in_force", "excluded": "draft", "repealed": "withdrawn", "not_yet": "scheduled"}


class Filters(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The questions of the catalogue."""

    class Meta:
        """No token in the address."""

        csrf = False

    q = SearchField(lazy_gettext("Code or title"))
    field = SelectField(lazy_gettext("Field"), validate_choice=False)
    unit = SelectField(lazy_gettext("Unit"), validate_choice=False)
    state = SelectField(lazy_gettext("State"), validate_choice=False)
    on = StringField(lazy_gettext("On the day"), render_kw=kept.A_DAY)


class LinkForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """A document that covers a procedure."""

    document = StringField(
        lazy_gettext("Code of the document"), [InputRequired()], description=lazy_gettext("As in the register.")
    )
    origin = HiddenField()


class EventForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """A decision about a procedure."""

    event = SelectField(lazy_gettext("What the decision does"), validate_choice=False)
    number = StringField(lazy_gettext("Number of the decision"), [InputRequired()])
    on = StringField(lazy_gettext("From the day"), [InputRequired()], render_kw=kept.A_DAY)


class ExclusionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """Why the office does not apply a procedure."""

    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired()], render_kw={"rows": 2})


@blueprint.get("/procedures")
def index() -> str | Response:
    """Show the catalogue of administrative procedures with its coverage, or give it as a workbook."""
    form = Filters(request.args)
    errors.show_again(lambda refused: _index(form, Found([], 0, 0), Asked(), refused))
    asked = _asked(form)
    if request.args.get("format") == "xlsx":
        return kept.file(law.of_procedures(edge.reading(), asked, locale=language.locale()), "xlsx")
    found = procedures.find(edge.reading(), asked, first=(paging.number() - 1) * PAGE)
    return _index(form, found, asked)


@blueprint.get("/procedures/coverage")
def coverage() -> str:
    """Show how many procedures a document in force covers, by unit and field, and what alarms."""
    form = Filters(request.args)
    errors.show_again(lambda refused: _coverage(form, None, refused))
    return _coverage(form, _asked(form))


@blueprint.get("/procedures/matches")
def matches() -> str:
    """Offer, for procedures without a document, documents whose titles are like theirs."""
    session = edge.reading()
    bare = [row.procedure for row in procedures.find(session, Asked(state="uncovered"), limit=None).rows]
    found = procedures.linking.suggestions(session, bare)
    likely = [row for row in bare if found[row.id]]
    first = (paging.number() - 1) * PAGE
    return render_template(
        "procedures/matches.html",
        rows=[(row, found[row.id]) for row in likely[first : first + PAGE]],
        bare=len(bare),
        page=paging.of(len(likely), PAGE),
        total=len(likely),
        form=LinkForm(formdata=None),
        may_keep=procedures.keeping_refusal(by=edge.me()) is None,
    )


@blueprint.get("/procedures/<int:procedure_id>", endpoint="show")
def show_one(procedure_id: int) -> str:
    """Show an administrative procedure: whether it applies, what covers it, and the decisions about it."""
    return _page(_load(procedure_id))


@blueprint.post("/procedures/<int:procedure_id>/documents")
def link(procedure_id: int) -> Response:
    """Say that a document covers the procedure."""
    form = LinkForm()
    errors.show_again(lambda refused: _page(_load(procedure_id), refused, link_form=form))
    row = _load(procedure_id, writing=True)
    found = documents.find(edge.writing(), form.document.data or "")
    document = register.load(edge.writing(), found.id, by=edge.me()) or abort(404)
    origin = kept.chosen(form.origin.data, (procedures.linking.SUGGESTED,), procedures.linking.PERSON)
    procedures.link(edge.writing(), row, document, by=edge.me(), origin=origin)
    edge.commit()
    flash(_("%(code)s covers %(procedure)s now.", code=document.code, procedure=row.code), "success")
    if origin == procedures.linking.SUGGESTED:
        return redirect(url_for("procedures.matches"), 303)
    return redirect(url_for("procedures.show", procedure_id=procedure_id), 303)


@blueprint.post("/procedures/<int:procedure_id>/documents/<int:link_id>/end")
def unlink(procedure_id: int, link_id: int) -> Response:
    """Say that a document no longer covers the procedure."""
    _load(procedure_id, writing=True)
    found = procedures.linking.load_link(edge.writing(), link_id)
    if found is None or found.procedure_id != procedure_id:
        abort(404)
    procedures.unlink(edge.writing(), found, by=edge.me())
    edge.commit()
    flash(_("The link is ended."), "success")
    return redirect(url_for("procedures.show", procedure_id=procedure_id), 303)


@blueprint.post("/procedures/<int:procedure_id>/decisions")
def decide(procedure_id: int) -> Response:
    """Note a decision that publishes, amends or repeals the procedure."""
    form = EventForm()
    errors.show_again(lambda refused: _page(_load(procedure_id), refused, event_form=form))
    row = _load(procedure_id, writing=True)
    kind = kept.chosen(form.event.data, procedures.KINDS_OF_EVENT, "published")
    event = Event(kind, form.number.data or "", asking.read_day(form.on.data, "on"))
    procedures.decide(edge.writing(), row, event, by=edge.me())
    edge.commit()
    flash(_("The decision is noted."), "success")
    return redirect(url_for("procedures.show", procedure_id=procedure_id), 303)


@blueprint.post("/procedures/<int:procedure_id>/exclusion")
def exclude(procedure_id: int) -> Response:
    """Take the procedure out of what the office applies, with the reason, or back in."""
    form = ExclusionForm()
    errors.show_again(lambda refused: _page(_load(procedure_id), refused, exclusion_form=form))
    row = _load(procedure_id, writing=True)
    if "include" in request.form:
        procedures.include(edge.writing(), row, by=edge.me())
    else:
        procedures.exclude(edge.writing(), [row], by=edge.me(), reason=form.reason.data or "")
    edge.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("procedures.show", procedure_id=procedure_id), 303)


def _load(procedure_id: int, *, writing: bool = False) -> Procedure:
    session = edge.writing() if writing else edge.reading()
    return procedures.load(session, procedure_id) or abort(404)


def _asked(form: Filters) -> Asked:
    return Asked(
        words=form.q.data or "",
        field=form.field.data or "",
        unit=form.unit.data or "",
        state=kept.chosen(form.state.data, ASKED_STATES, EVERY),
        on=asking.read_day(form.on.data, "on"),
    )


def _index(form: Filters, found: Found, asked: Asked, refused: Refused | None = None) -> str:
    session, locale = edge.reading(), language.locale()
    every = procedures.coverage.fields(session)
    form.field.choices = forms.choices([(field, field) for field in every], _("All fields"))
    form.unit.choices = forms.choices([(u.code, u.name(locale)) for u in units.all_units(session)], _("All units"))
    form.state.choices = list(_states().items())
    form.state.data = kept.chosen(form.state.data, ASKED_STATES, EVERY)
    share = procedures.coverage.on(session, asked.on)
    return render_template(
        "procedures/index.html",
        form=form,
        rows=[_row(row) for row in found.rows],
        found=found,
        share=share,
        error=asking.mark(form, refused),
        page=paging.of(found.total, PAGE),
        narrowed=any(request.args.get(name) for name in ("q", "field", "unit", "state", "on")),
        xlsx_url=kept.again("procedures.index", format="xlsx"),
    )


def _coverage(form: Filters, asked: Asked | None, refused: Refused | None = None) -> str:
    session = edge.reading()
    found: Coverage | None = procedures.coverage.on(session, asked.on) if asked else None
    day = found.on if found else clock.today()
    alarms = procedures.alarms(session, day) if found else None
    return render_template(
        "procedures/coverage.html",
        form=form,
        found=found,
        alarms=alarms,
        bars=[_bar(share) for share in found.by_field] if found else [],
        by_unit=found.by_unit if found else [],
        error=asking.mark(form, refused),
    )


def _bar(share: Share) -> SimpleNamespace:
    """Return a share as a bar 100 wide."""
    width = round(100 * share.covered / share.applied, 1) if share.applied else 0
    url = url_for("procedures.index", field=share.name, on=request.args.get("on") or None)
    return SimpleNamespace(name=share.name or _("no field"), share=share, width=width, url=url)


def _row(row: Row) -> SimpleNamespace:
    procedure, locale = row.procedure, language.locale()
    return SimpleNamespace(
        id=procedure.id,
        code=procedure.code,
        title=procedure.title,
        field=procedure.field,
        unit=procedure.unit.name(locale) if procedure.unit else "",
        look=LOOKS[row.state],
        state=show.say(law.PROCEDURE_STATES[row.state]),
        covering=row.covering,
        others=[link for link in row.links if link not in row.covering],
    )


def _states() -> dict[str, str]:
    return {
        "every": _("Every state"),
        "covered": _("Covered"),
        "uncovered": _("Without a document"),
        "live": _("Applies"),
        "excluded": _("Does not apply"),
        "repealed": _("Repealed"),
        "not_yet": _("Not published yet"),
    }


def _page(
    procedure: Procedure,
    refused: Refused | None = None,
    *,
    link_form: LinkForm | None = None,
    event_form: EventForm | None = None,
    exclusion_form: ExclusionForm | None = None,
) -> str:
    session, me = edge.reading(), edge.me()
    row = procedures.coverage.row_of(session, procedure)
    asked = link_form or event_form or exclusion_form
    event_form = event_form or EventForm(formdata=None, event="published")
    event_form.event.choices = [("published", _("publishes")), ("amended", _("amends")), ("repealed", _("repeals"))]
    visible = {link.document_id for link in row.links if register.load(session, link.document_id, by=me)}
    found = procedures.linking.suggestions(session, [procedure])[procedure.id]
    linked = {link.document_id for link in row.links}
    return render_template(
        "procedures/show.html",
        procedure=procedure,
        row=_row(row),
        links=[link for link in row.links if link.document_id in visible],
        in_force={link.id: bool(revisions.in_force(session, document=link.document)) for link in row.links},
        suggestions=[each for each in found if each.document.id not in linked],
        details=_details(procedure),
        error=asking.mark(asked, refused) if asked else "",
        link_form=link_form or LinkForm(formdata=None),
        event_form=event_form,
        exclusion_form=exclusion_form or ExclusionForm(formdata=None),
        opened=asked.__class__.__name__ if refused else "",
        may_keep=procedures.keeping_refusal(by=me) is None,
        entries=telling.history(audit.of_record(session, "procedure", procedure.id)),
    )


def _details(procedure: Procedure) -> list[tuple[str, str]]:
    labels = {
        "trinh_tu_thuc_hien": _("Steps"),
        "thanh_phan_ho_so": _("Dossier"),
        "cach_thuc_thuc_hien": _("How to submit, time and fee"),
        "yeu_cau_dieu_kien": _("Conditions"),
        "ket_qua_xu_ly": _("Result"),
        "can_cu_phap_ly": _("Legal basis"),
    }
    parts = procedure.parts
    return [(label, str(parts[name])) for name, label in labels.items() if parts.get(name)]
