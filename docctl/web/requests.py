"""Pages of change requests: the list, a request with its opinions and its draft, the form, and every act."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, SearchField, SelectField, StringField, TextAreaField

from docctl import (
    audit,
    clock,
    deadlines,
    documents,
    holidays,
    lifecycle,
    people,
    register,
    requests,
    revisions,
    units,
    workflow,
)
from docctl.documents import Document
from docctl.people import Account
from docctl.requests import ABOUT_A_DOCUMENT, CONCLUSIONS, KINDS, LEADS_TO_A_DRAFT, Asked, ChangeRequest, Words
from docctl.rules import MEANINGS, Refused, Sentence
from docctl.web import acting, asking, edge, errors, forms, language, telling
from docctl.workflow import Act

blueprint = Blueprint("requests", __name__)

A_DAY = {"autocomplete": "off", "inputmode": "numeric", "placeholder": "26/10/2022"}
A_NUMBER = {"autocomplete": "off", "inputmode": "numeric"}


class RequestForm(forms.ContentForm):
    """The form F1; a kind of request shows the questions that concern it."""

    change_summary = None
    document = StringField(
        lazy_gettext("Document"),
        description=lazy_gettext("Its code, such as QT 01/CX-HCTP."),
        render_kw={"autocomplete": "off"},
    )
    title = StringField(lazy_gettext("Proposed title"))
    type = SelectField(lazy_gettext("Document type"), validate_choice=False)
    unit = SelectField(lazy_gettext("Unit that keeps it"), validate_choice=False)
    code = StringField(
        lazy_gettext("Proposed code"),
        description=lazy_gettext("Left empty, it gets the next code of its type and unit."),
    )
    edition = StringField(
        lazy_gettext("Proposed edition"),
        description=lazy_gettext("Left empty, the next one: it rises at a full rewrite."),
        render_kw=A_NUMBER,
    )
    amendment = StringField(lazy_gettext("Proposed amendment"), render_kw=A_NUMBER)
    effective_on = StringField(lazy_gettext("Proposed effective date"), render_kw=A_DAY)
    reason = TextAreaField(lazy_gettext("Reason"), render_kw={"rows": 3})
    replaced_by = StringField(
        lazy_gettext("Replaced by"),
        description=lazy_gettext("The code of the document that takes its place, if any."),
        render_kw={"autocomplete": "off"},
    )
    affected = StringField(lazy_gettext("Units concerned"), render_kw={"autocomplete": "off"})
    drafter = SelectField(
        lazy_gettext("Who writes the draft"),
        description=lazy_gettext("Needed before the request is submitted."),
        validate_choice=False,
    )
    draft_due = StringField(lazy_gettext("Draft due on"), render_kw=A_DAY)
    legal_basis = TextAreaField(
        lazy_gettext("Legal basis"),
        description=lazy_gettext("The law, decree or standard that the change follows from."),
        render_kw={"rows": 2},
    )
    law_effective_on = StringField(lazy_gettext("Law effective from"), render_kw=A_DAY)
    lock = HiddenField()


class ListForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The questions of the list; they change nothing, so they carry no token."""

    class Meta:
        """No token in the address."""

        csrf = False

    q = SearchField(lazy_gettext("Number, code, title or reason"))
    kind = SelectField(lazy_gettext("Kind"), validate_choice=False)
    state = SelectField(lazy_gettext("State"), validate_choice=False)
    unit = SelectField(lazy_gettext("Unit"), validate_choice=False)
    year = SelectField(lazy_gettext("Year"), validate_choice=False)


@blueprint.get("/requests")
def index() -> str:
    """List the change requests, newest first, as far as the filters ask."""
    form, session, me, locale = ListForm(request.args), edge.reading(), edge.me(), language.locale()
    asked = Asked(
        words=form.q.data or "",
        kind=form.kind.data if form.kind.data in KINDS else "",
        state=form.state.data or "",
        unit=form.unit.data or "",
        year=asking.read_number(form.year.data) or None,
    )
    follows = lifecycle.newest(session, "change_request")
    states = [(name, state.label.get(locale)) for name, state in follows.states.items()]
    form.kind.choices = forms.choices([(name, kind.get(locale)) for name, kind in KINDS.items()], _("All kinds"))
    form.state.choices = forms.choices([("open", _("On their way")), *states], _("Every state"))
    form.unit.choices = forms.choices([(u.code, u.name(locale)) for u in units.all_units(session)], _("All units"))
    years = [(str(year), str(year)) for year in requests.years(session, by=me)]
    form.year.choices = forms.choices(years, _("All years"))
    found = requests.find(session, asked, by=me)
    return render_template(
        "requests/index.html",
        form=form,
        rows=[row_of(row) for row in found],
        may_ask=requests.drafting_refusal(session, by=me) is None,
        narrowed=any(request.args.get(name) for name in ("q", "kind", "state", "unit", "year")),
    )


@blueprint.get("/requests/new")
def new() -> str:
    """Ask which kind of request, then for what its form needs."""
    session, me = edge.reading(), edge.me()
    requests.refuse_unless_requester(session, by=me)
    kind = request.args.get("kind", "")
    document = _document_of_address()
    if kind not in KINDS:
        return render_template("requests/kinds.html", kinds=KINDS, document=document)
    unit = document.unit if document else me.account.unit
    drafter = me.account.name if "author" in me.roles_in(unit.id) else ""
    title = " ".join((request.args.get("title") or "").split())[:300]
    given = {"type": "QT", "unit": unit.code, "drafter": drafter, "document": _reference(document), "title": title}
    form = RequestForm(formdata=None, **given)
    return _form_page(form, kind)


@blueprint.post("/requests")
def make() -> str | Response:
    """Make a request under the next number of the year."""
    form, kind = RequestForm(), request.form.get("kind", "")
    requests.refuse_unless_requester(edge.reading(), by=edge.me())
    if kind not in KINDS:
        abort(404)
    errors.show_again(lambda refused: _form_page(form, kind, refused))
    kept = forms.upload(form)
    if forms.wants_rows():
        return _form_page(form, kind)
    made = requests.draft(edge.writing(), by=edge.me(), kind=kind, words=_words(form, kind, kept))
    edge.commit()
    flash(
        _("The request has the number %(number)s. Read it over, then sign and submit it.", number=made.number_text),
        "success",
    )
    return redirect(_url(made.id), 303)


@blueprint.get("/requests/<int:request_id>")
def show(request_id: int) -> str:
    """Show a request: what it asks for, the opinions on it, the draft and the decision that follow."""
    return _page(request_id)


@blueprint.get("/requests/<int:request_id>/edit")
def edit(request_id: int) -> str:
    """Show the form of a request that is a draft."""
    found = _load(request_id)
    if refusal := requests.editing_refusal(found, by=edge.me()):
        raise Refused(refusal)
    return _form_page(_form_of(found), found.kind, found=found)


@blueprint.post("/requests/<int:request_id>")
def save(request_id: int) -> str | Response:
    """Save a request that is a draft."""
    form, found = RequestForm(), _load(request_id)
    errors.show_again(lambda refused: _form_page(form, found.kind, refused, found=_load(request_id)))
    kept = forms.upload(form)
    if forms.wants_rows():
        return _form_page(form, found.kind, found=found)
    kind, found = found.kind, _load(request_id, writing=True)
    seen = asking.read_number(form.lock.data, default=-1)
    requests.edit(edge.writing(), found, by=edge.me(), words=_words(form, kind, kept), seen=seen)
    edge.commit()
    flash(_("The request was saved."), "success")
    return redirect(_url(request_id), 303)


@blueprint.post("/requests/<int:request_id>/transitions")
def act(request_id: int) -> Response:
    """Take a request through one trigger of its workflow."""
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _page(request_id, refused, trigger))
    signing = edge.signing(request.form.get("password"))
    found = _load(request_id, writing=True)
    requests.act(
        edge.writing(),
        found,
        trigger,
        by=edge.me(),
        reason=reason,
        conclusion=request.form.get("conclusion", ""),
        remark=request.form.get("remark", ""),
        signing=signing,
        seen=asking.seen(),
    )
    edge.commit()
    flash(_("Done. This is how the request stands now."), "success")
    return redirect(_url(request_id), 303)


def row_of(found: ChangeRequest) -> SimpleNamespace:
    """Return a request as a row of a list."""
    locale = language.locale()
    return SimpleNamespace(
        code=found.about_code or _("new"),
        title=found.subject or _("no title yet"),
        edition_text=found.edition_text,
        effective_from=found.effective_on,
        status=found.state,
        unit_name=found.unit.name(locale),
        url=_url(found.id),
        note=f"{found.number_text} · {KINDS[found.kind].get(locale)}",
    )


def _page(request_id: int, refused: Refused | None = None, trigger: str = "") -> str:
    found, session, me = _load(request_id), edge.reading(), edge.me()
    follows = lifecycle.workflow_of(session, found)
    asked = [given for given in requests.acts(session, found, by=me) if given.mine]
    shown = [_act(given, refused if given.trigger == trigger else None) for given in asked]
    panel = any(given.errors for given in shown)
    seen = found.revision and revisions.load(session, found.revision.id, by=me)
    law = found.law_effective_on
    law_due = deadlines.deadline(law, holidays=holidays.days(session)) if law else None
    return render_template(
        "requests/show.html",
        found=found,
        kind=KINDS[found.kind],
        opening=requests.opening(session, found, by=me),
        open_one=requests.is_open(found),
        missing=requests.missing(session, found) if requests.editing_refusal(found, by=me) is None else [],
        acts=shown,
        error=refused.sentence.get(language.locale()) if refused and not panel else "",
        may_edit=requests.editing_refusal(found, by=me) is None,
        document=found.document and register.load(session, found.document.id, by=me),
        revision=seen,
        decision=requests.number_of_decision(session, found),
        opinions=[_opinion(row, found, follows) for row in requests.opinions(session, found)],
        conclusions=CONCLUSIONS,
        law_due=law_due,
        law_may_move=law_due is not None and not holidays.announced(session, law_due.year),
        law_late=law_due is not None and requests.is_open(found) and law_due < clock.today(),
        signatures=[_signature(row, found) for row in lifecycle.signatures(session, found)],
        follows=follows,
        drawing=workflow.draw(follows, current=found.state, locale=language.locale()),
        history=telling.history(audit.of_record(session, "change_request", found.id)),
    )


def _act(given: Act, refused: Refused | None) -> SimpleNamespace:
    typed = {name: request.form.get(name, "") for name in ("reason", "conclusion", "remark")}
    conclusions = CONCLUSIONS if given.trigger == "opine" else {}
    fields = (*acting.ASKED, "conclusion", "remark")
    return acting.shown(given, refused, fields=fields, typed=typed, conclusions=conclusions)


def _opinion(row: requests.Opinion, found: ChangeRequest, follows: workflow.Workflow) -> SimpleNamespace:
    locale = language.locale()
    seats = {seat.name: seat.label for trigger in follows.triggers.values() for seat in trigger.seats}
    mark = row.signature
    return SimpleNamespace(
        seat=seats[mark.seat].get(locale) if mark.seat in seats else "",
        conclusion=CONCLUSIONS[row.conclusion].get(locale),
        agrees=row.conclusion == requests.AGREE,
        remark=row.remark,
        title=mark.title,
        person=mark.person,
        at=mark.signed_at,
        void=mark.round != found.round,
    )


def _signature(row: lifecycle.Signature, found: ChangeRequest) -> SimpleNamespace:
    return SimpleNamespace(
        meaning=MEANINGS[row.meaning].get(language.locale()),
        person=row.person,
        title=row.title,
        authority=row.authority,
        at=row.signed_at,
        hash=row.content_hash,
        round=row.round,
        void=row.round != found.round,
    )


def _form_page(
    form: RequestForm, kind: str, refused: Refused | None = None, *, found: ChangeRequest | None = None
) -> str:
    session, locale = edge.reading(), language.locale()
    form.type.choices = [(t.code, f"{t.code} – {t.name(locale)}") for t in documents.all_types(session)]
    form.unit.choices = [(unit.code, unit.name(locale)) for unit in units.all_units(session)]
    known = ", ".join(unit.code for unit in units.all_units(session))
    form.affected.description = _("Codes with commas between: %(known)s.", known=known)
    authors = [(a.name, f"{a.title(locale)} ({a.unit.name(locale)})") for a in _authors()]
    for needed in (form.reason, form.document if kind in ABOUT_A_DOCUMENT else form.title):
        needed.flags.required = True  # The browser asks for it; the verb says at submission what else is missing.
    form.drafter.choices = forms.choices(authors, _("choose"))
    form.grow()
    if refused is not None and found is not None:
        form.lock.data = str(found.lock)  # Whoever sends the form again has seen what the page now says.
    return render_template(
        "requests/form.html",
        form=form,
        kind=kind,
        kind_label=KINDS[kind],
        about_a_document=kind in ABOUT_A_DOCUMENT,
        leads_to_a_draft=kind in LEADS_TO_A_DRAFT,
        found=found,
        error=form.mark(refused),
        asked_before=refused is not None or forms.wants_rows(),
        kept=forms.kept_name(form),
        accepted=forms.ACCEPTED,
        limit=edge.site().settings.max_upload_mb,
    )


def _form_of(found: ChangeRequest) -> RequestForm:
    rows = [{"section": r.section, "old": r.old, "new": r.new, "basis": r.basis} for r in found.change_rows]
    return RequestForm(
        formdata=None,
        data={
            "document": _reference(found.document),
            "title": found.title,
            "type": found.type.code if found.type else "",
            "unit": found.unit.code,
            "code": found.code,
            "edition": "" if found.edition is None else str(found.edition),
            "amendment": "" if found.amendment is None else str(found.amendment),
            "effective_on": _day(found.effective_on),
            "reason": found.why,
            "replaced_by": _reference(found.replaced_by),
            "affected": found.affected,
            "drafter": found.drafter.name if found.drafter else "",
            "draft_due": _day(found.draft_due),
            "legal_basis": found.legal_basis,
            "law_effective_on": _day(found.law_effective_on),
            "changes": rows,
            "lock": str(found.lock),
        },
    )


def _words(form: RequestForm, kind: str, kept: forms.Upload | None) -> Words:
    """Return what was typed, as the verbs take it; raises Refused with the field at fault."""
    session = edge.writing()
    about = kind in ABOUT_A_DOCUMENT
    return Words(
        document=_document(form.document.data, "document") if about else None,
        type=documents.find_type(session, form.type.data) if form.type.data and not about else None,
        unit=units.find(session, form.unit.data) if form.unit.data and not about else None,
        code=form.code.data or "" if not about else "",
        title=form.title.data or "",
        edition=_number(form.edition),
        amendment=_number(form.amendment),
        effective_on=asking.read_day(form.effective_on.data, "effective_on"),
        reason=form.reason.data or "",
        affected=_codes(form.affected.data),
        replaced_by=_document(form.replaced_by.data, "replaced_by") if kind == requests.WITHDRAW else None,
        drafter=_account(form.drafter.data) if kind in LEADS_TO_A_DRAFT else None,
        draft_due=asking.read_day(form.draft_due.data, "draft_due"),
        content=kept.keep() if kept else None,
        file_name=kept.name if kept else "",
        legal_basis=form.legal_basis.data or "",
        law_effective_on=asking.read_day(form.law_effective_on.data, "law_effective_on"),
        changes=form.rows() if kind in LEADS_TO_A_DRAFT else (),
    )


def _codes(typed: str | None) -> list[str]:
    for code in (listed := [code.strip() for code in (typed or "").split(",") if code.strip()]):
        try:
            units.find(edge.writing(), code)
        except Refused as refused:
            raise Refused(refused.sentence, field="affected") from refused
    return listed


def _document(typed: str | None, field: str) -> Document | None:
    """Return the document that was named, as far as whoever asks may see it."""
    if not (typed or "").strip():
        return None
    try:
        named = documents.find(edge.writing(), typed or "")
    except Refused as refused:
        raise Refused(refused.sentence, field=field) from refused
    if register.load(edge.writing(), named.id, by=edge.me()) is None:
        raise Refused(
            Sentence(
                "Không có tài liệu “{code}”. Hãy xem lại mã.", "There is no document {code}. Look the code up."
            ).fill(code=(typed or "").strip()),
            field=field,
        )
    return named


def _account(name: str | None) -> Account | None:
    if not name:
        return None
    try:
        return people.find(edge.writing(), name)
    except Refused as refused:
        raise Refused(refused.sentence, field="drafter") from refused


def _number(field: Any) -> int | None:
    return forms.whole_number(field) if (field.data or "").strip() else None


def _authors() -> list[Account]:
    session = edge.reading()
    return [
        a for a in people.all_accounts(session) if a.disabled_at is None and people.reader(session, a).has("author")
    ]


def _document_of_address() -> Document | None:
    wanted = asking.read_number(request.args.get("document"))
    return register.load(edge.reading(), wanted, by=edge.me()) if wanted else None


def _reference(document: Document | None) -> str:
    """Return what names a document alone: its code, or its number where others bear the code too."""
    if document is None:
        return ""
    same = documents.namesakes(edge.reading(), document.code, unit_id=document.unit_id, field=document.field)
    return document.code if len(same) == 1 else str(document.id)


def _day(value: Any) -> str:
    return value.strftime("%d/%m/%Y") if value else ""


def _load(request_id: int, *, writing: bool = False) -> ChangeRequest:
    session = edge.writing() if writing else edge.reading()
    return requests.load(session, request_id, by=edge.me()) or abort(404)


def _url(request_id: int) -> str:
    return url_for("requests.show", request_id=request_id)
