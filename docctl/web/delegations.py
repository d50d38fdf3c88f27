"""The page of delegations in writing: who may sign for whom, from when until when, by which act."""

from datetime import date

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired

from docctl import authority, clock, people, units
from docctl.people import Account
from docctl.rules import NoRole, Refused, Sentence
from docctl.web import asking, edge, errors, forms, language

blueprint = Blueprint("delegations", __name__)

A_DAY = {"autocomplete": "off", "inputmode": "numeric", "placeholder": "26/10/2022"}
SEEN_BY = ("controller", "approver", "auditor")


class DelegationForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """A delegation as the written act says it."""

    giver = SelectField(lazy_gettext("Giver"), [InputRequired()], validate_choice=False)
    to = SelectField(lazy_gettext("Deputy"), [InputRequired()], validate_choice=False)
    form = SelectField(lazy_gettext("Form of signature"), validate_choice=False)
    unit = SelectField(lazy_gettext("Scope"), validate_choice=False)
    document_number = StringField(lazy_gettext("Number of the written act"), [InputRequired()])
    document_date = StringField(lazy_gettext("Date of the written act"), [InputRequired()], render_kw=A_DAY)
    valid_from = StringField(lazy_gettext("First day"), [InputRequired()], render_kw=A_DAY)
    valid_to = StringField(lazy_gettext("Last day"), [InputRequired()], render_kw=A_DAY)


@blueprint.get("/delegations")
def index() -> str:
    """List the delegations in writing, newest first, with the form of a new one."""
    return _page()


@blueprint.post("/delegations")
def add() -> Response:
    """Record a delegation in writing; what was delegated to somebody is never passed on."""
    form = DelegationForm()
    errors.show_again(lambda refused: _page(form, refused))
    days = {name: _day(form, name) for name in ("document_date", "valid_from", "valid_to")}
    session = edge.writing()
    try:
        authority.delegate(
            session,
            by=edge.me(),
            giver=_account(form.giver.data, "giver"),
            deputy=_account(form.to.data, "to"),
            form=form.form.data or "",
            document_number=form.document_number.data or "",
            unit=units.find(session, form.unit.data) if form.unit.data else None,
            **days,
        )
    except NoRole:
        raise
    except Refused as refused:
        raise Refused(refused.sentence, field="giver" if refused.field == "from" else refused.field) from refused
    edge.commit()
    flash(_("The delegation is recorded."), "success")
    return redirect(url_for("delegations.index"), 303)


@blueprint.post("/delegations/<int:delegation_id>/end")
def end(delegation_id: int) -> Response:
    """End a delegation before it runs out; what was signed by it stays valid."""
    errors.show_again(lambda refused: _page(None, refused))
    session = edge.writing()
    found = next((row for row in authority.all_delegations(session) if row.id == delegation_id), None) or abort(404)
    authority.end(session, found, by=edge.me(), on=asking.read_day(request.form.get("on"), "on") or clock.today())
    edge.commit()
    flash(_("The delegation is ended."), "success")
    return redirect(url_for("delegations.index"), 303)


def _page(form: DelegationForm | None = None, refused: Refused | None = None) -> str:
    session, me, locale = edge.reading(), edge.me(), language.locale()
    if not me.has(*SEEN_BY):
        raise NoRole(
            Sentence(
                "Chỉ người kiểm soát tài liệu, người phê duyệt và đánh giá viên xem được ủy quyền.",
                "Only document controllers, approvers and auditors see the delegations.",
            )
        )
    shown = form or DelegationForm(formdata=None)
    active = [account for account in people.all_accounts(session) if account.disabled_at is None]
    named = [(a.name, f"{a.title(locale)} ({a.unit.name(locale)})") for a in active]
    shown.giver.choices = forms.choices(named, _("choose"))
    shown.to.choices = forms.choices(named, _("choose"))
    shown.form.choices = [(name, f"{name} – {act.get(locale)}") for name, act in authority.FORMS.items()]
    shown.unit.choices = forms.choices(
        [(u.code, u.name(locale)) for u in units.all_units(session)], _("All the giver may")
    )
    return render_template(
        "delegations/index.html",
        rows=authority.all_delegations(session),
        form=shown,
        error=asking.mark(shown, refused),
        opened=form is not None,
        may_add=me.has("controller", "approver"),
        today=clock.today(),
        me=me,
    )


def _day(form: DelegationForm, name: str) -> date:
    found = asking.read_day(form[name].data, name)
    if found is None:
        raise Refused(Sentence("Hãy ghi ngày.", "Give the day."), field=name)
    return found


def _account(name: str | None, field: str) -> Account:
    try:
        return people.find(edge.writing(), name or "")
    except Refused as refused:
        raise Refused(refused.sentence, field=field) from refused
