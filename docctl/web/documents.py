"""Pages of documents: the register, a new document, a document over its whole life, and the settling of its code."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import (
    clock,
    decisions,
    documents,
    histories,
    intervals,
    openings,
    register,
    requests,
    reviews,
    revisions,
    units,
)
from docctl.documents import Document
from docctl.exporting import Cell
from docctl.register import Asked, Found, Row
from docctl.rules import Refused
from docctl.units import Unit
from docctl.web import asking, edge, errors, forms, kept, language, paging

blueprint = Blueprint("documents", __name__)


@blueprint.get("/documents")
def index() -> str | Response:
    """Show the register, or give it as a workbook."""
    form = forms.RegisterForm(request.args)
    errors.show_again(lambda refused: _register(form, Found([], 0, 0), refused))
    everything = _as_workbook() or request.args.get("rows") == "all"
    first, limit = (0, None) if everything else ((paging.number() - 1) * register.PAGE, register.PAGE)
    found = register.find(edge.reading(), _asked(form), by=edge.me(), first=first, limit=limit)
    return _workbook(found) if _as_workbook() else _register(form, found)


@blueprint.get("/documents/new")
def new() -> str:
    """Ask for a new document."""
    if not _units_to_add():
        abort(403)
    unit = edge.me().account.unit
    return _new_page(forms.DocumentForm(formdata=None, type="QT", unit=unit.code))


@blueprint.post("/documents")
def add() -> str | Response:
    """Add a document and, when a file or a change is given too, its first draft."""
    form = forms.DocumentForm()
    errors.show_again(lambda refused: _new_page(form, refused))
    kept = forms.upload(form)
    if forms.wants_rows():
        return _new_page(form)
    session, me = edge.writing(), edge.me()
    given = _given(form)
    if twin := None if form.code.data else documents.just_added(session, by=me, **given):
        return redirect(url_for("documents.show", document_id=twin.id), 303)
    document = documents.add(
        session, by=me, code=form.code.data or "", confidential=bool(form.confidential.data), **given
    )
    answer = url_for("documents.show", document_id=document.id)
    if kept or any(row.section or row.new for row in form.rows()):
        revision = revisions.draft(session, document, by=me, **forms.content_of(form, kept))
        answer = url_for("revisions.show", revision_id=revision.id)
    edge.commit()
    flash(_("%(code)s was added.", code=document.code), "success")
    return redirect(answer, 303)


@blueprint.get("/documents/<int:document_id>")
def show(document_id: int) -> str:
    """Show a document over its whole life."""
    return _page(_load(document_id))


@blueprint.post("/documents/<int:document_id>/code")
def settle(document_id: int) -> Response:
    """Settle a clash of codes."""
    form = forms.CodeForm()
    errors.show_again(lambda refused: _page(_load(document_id), form, refused))
    document = _load(document_id, writing=True)
    documents.settle_code(
        edge.writing(), document, by=edge.me(), code=form.code.data or "", field=form.field.data or ""
    )
    edge.commit()
    flash(_("The code is now %(code)s.", code=document.code), "success")
    return redirect(url_for("documents.show", document_id=document_id), 303)


@blueprint.post("/documents/<int:document_id>/confidentiality")
def circulate(document_id: int) -> Response:
    """Say whether the title is kept from people who are not signed in."""
    errors.show_again(lambda refused: _page(_load(document_id), None, refused))
    document = _load(document_id, writing=True)
    confidential = request.form.get("confidential") == "1"
    documents.set_confidential(edge.writing(), document, by=edge.me(), confidential=confidential)
    edge.commit()
    flash(_("The title is now kept from the public.") if confidential else _("The title may now be told."), "success")
    return redirect(url_for("documents.show", document_id=document_id), 303)


def _load(document_id: int, *, writing: bool = False) -> Document:
    session = edge.writing() if writing else edge.reading()
    return register.load(session, document_id, by=edge.me()) or abort(404)


def _asked(form: forms.RegisterForm) -> Asked:
    day = asking.read_day(form.on.data, "on")
    sort = form.sort.data or "code"
    return Asked(
        words=form.q.data or "",
        unit=form.unit.data or "",
        type=form.type.data or "",
        field=form.field.data or "",
        state=form.state.data if form.state.data in register.STATES else revisions.IN_FORCE,
        at=clock.midnight(day) if day else None,
        sort=sort.lstrip("-"),
        descending=sort.startswith("-"),
    )


def _register(form: forms.RegisterForm, found: Found, refused: Refused | None = None) -> str:
    session, me, locale = edge.reading(), edge.me(), language.locale()
    form.unit.choices = forms.choices([(u.code, u.name(locale)) for u in units.all_units(session)], _("All units"))
    form.type.choices = forms.choices([(t.code, t.name(locale)) for t in documents.all_types(session)], _("All types"))
    form.field.choices = forms.choices([(field, field) for field in register.fields(session, by=me)], _("All fields"))
    form.state.choices = list(_states().items())
    form.state.data = form.state.data if form.state.data in register.STATES else revisions.IN_FORCE
    if not register.sees_more(me):
        del form.state, form.on
    return render_template(
        "documents/index.html",
        form=form,
        rows=[_row(row) for row in found.rows],
        found=found,
        error=asking.mark(form, refused),
        caption=_caption(form, found),
        sort=_sorting(form.sort.data or "code"),
        page=paging.of(found.total, max(register.PAGE, len(found.rows))),
        all_url=_index_url(rows="all"),
        may_add=bool(_units_to_add()),
        narrowed=any(request.args.get(name) for name in ("q", "unit", "type", "field", "state", "on")),
        xlsx_url=_index_url(format="xlsx"),
    )


def _caption(form: forms.RegisterForm, found: Found) -> str:
    state = form.state.data if "state" in form else revisions.IN_FORCE
    day = form.on.data if "on" in form else ""
    label = _states()[str(state)]
    if day and state in register.DERIVED:
        return str(_("%(state)s on %(day)s: %(n)s", state=label, day=day, n=found.total))
    return str(_("%(state)s: %(n)s", state=label, n=found.total))


def _states() -> dict[str, str]:
    return {
        "in_force": _("In force"),
        "scheduled": _("Scheduled"),
        "superseded": _("Superseded"),
        "withdrawn": _("Withdrawn"),
        "draft": _("Draft"),
        "in_review": _("In review"),
        "in_approval": _("In approval"),
        "approved": _("Approved"),
        "discarded": _("Discarded"),
        "open": _("On their way"),
        "none": _("No revision yet"),
        "every": _("Every state"),
    }


def _sorting(sort: str) -> dict[str, SimpleNamespace]:
    """Return the sorting links of the heads: a second click turns the order round."""
    links = {}
    for column in register.SORTS:
        ascending = sort == column
        link = _index_url(sort=f"-{column}" if ascending else column)
        direction = "ascending" if ascending else "descending" if sort == f"-{column}" else None
        links[column] = SimpleNamespace(url=link, direction=direction)
    return links


def _index_url(**changed: str) -> str:
    """Return the address of the same questions with something else asked besides, from the first page."""
    asked: dict[str, Any] = {**request.args.to_dict(), **changed}
    return url_for("documents.index", **{name: value for name, value in asked.items() if name != "page"})


def _row(row: Row) -> SimpleNamespace:
    revision, document = row.revision, row.document
    return SimpleNamespace(
        code=document.code,
        title=revision.title if revision else document.title,
        edition_text=revision.edition_text if revision else "",
        effective_from=revision.effective_from if revision else None,
        status=revision.status() if revision else _("no revision yet"),
        unit_name=document.unit.name(language.locale()),
        url=url_for("documents.show", document_id=document.id),
    )


def _as_workbook() -> bool:
    return request.args.get("format") == "xlsx"


def _workbook(found: Found) -> Response:
    locale, labels = language.locale(), _states()
    heads = [_("No."), _("Code"), _("Title"), _("Edition"), _("Effective from"), _("Effective until"), _("State")]
    heads += [_("Unit"), _("Document type"), _("Field"), _("Decision")]
    lines: list[list[Cell]] = []
    for number, row in enumerate(found.rows, start=1):
        revision, document = row.revision, row.document
        lines.append(
            [
                number,
                document.code,
                revision.title if revision else document.title,
                revision.edition_text if revision else "",
                clock.local(revision.effective_from).date() if revision and revision.effective_from else None,
                clock.local(revision.effective_to).date() if revision and revision.effective_to else None,
                labels[revision.status() if revision else "none"],
                document.unit.name(locale),
                document.type.name(locale),
                document.field,
                revisions.decision_of(edge.reading(), revision) if revision else "",
            ]
        )
    return kept.workbook(_("Register"), heads, lines)


def _units_to_add() -> list[Unit]:
    return [unit for unit in units.all_units(edge.reading()) if documents.may_add(unit, by=edge.me())]


def _given(form: forms.DocumentForm) -> dict[str, Any]:
    session = edge.writing()
    return {
        "title": form.title.data or "",
        "type": documents.find_type(session, form.type.data or ""),
        "unit": units.find(session, form.unit.data or ""),
        "field": form.field.data or "",
    }


def _new_page(form: forms.DocumentForm, refused: Refused | None = None) -> str:
    session, locale = edge.reading(), language.locale()
    form.type.choices = [(t.code, f"{t.code} – {t.name(locale)}") for t in documents.all_types(session)]
    form.unit.choices = [(unit.code, unit.name(locale)) for unit in _units_to_add()]
    form.grow()
    return render_template(
        "documents/new.html",
        form=form,
        error=form.mark(refused),
        asked_before=refused is not None or forms.wants_rows(),
        kept=forms.kept_name(form),
        accepted=forms.ACCEPTED,
        limit=edge.site().settings.max_upload_mb,
        drafts=edge.me().has("author"),
    )


def _page(document: Document, form: forms.CodeForm | None = None, refused: Refused | None = None) -> str:
    session, me = edge.reading(), edge.me()
    seen = revisions.of_document(session, document, by=me)
    same = documents.namesakes(session, document.code, unit_id=document.unit_id, field=document.field)
    code_form = form or forms.CodeForm(formdata=None, code=document.code, field=document.field)
    return render_template(
        "documents/show.html",
        document=document,
        review_overdue=(due := reviews.of_document(session, document)[0]) is not None and due.overdue(clock.today()),
        opening=openings.of_document(session, document, by=me),
        tone=openings.tone_of_document(session, document),
        rows=[_revision_row(revision) for revision in seen],
        intervals=[row for row in reversed(seen) if row.effective_from],
        strip=intervals.strip(seen),
        namesakes=[
            row.document
            for row in same
            if row.document.id != document.id and register.load(session, row.document.id, by=me)
        ],
        may_circulate=documents.may_settle(document, by=me),
        may_settle=document.code_clash and documents.may_settle(document, by=me),
        form=code_form,
        error=asking.mark(code_form, refused),
        lines=decisions.of_document(session, document, by=me),
        asked=requests.of_document(session, document, by=me),
        may_ask=requests.drafting_refusal(session, by=me) is None,
        kinds=requests.KINDS,
        decision_of=lambda line: session.get_one(decisions.Decision, line.decision_id),
        history=_history(document, {row.id for row in seen}) if register.sees_more(me) else [],
        open_revision=next((row for row in seen if revisions.is_open(row)), None),
        draft_refusal=revisions.drafting_refusal(session, document, by=me),
        may_search=bool(seen) and register.sees_more(me),
    )


def _history(document: Document, seen: set[int]) -> list[SimpleNamespace]:
    words = {
        "created": _("created"),
        "revised": _("revised"),
        "renamed": _("renamed or moved"),
        "withdrawn": _("withdrawn"),
        "reinstated": _("reinstated"),
    }
    return [
        SimpleNamespace(
            event=event,
            what=", ".join(words[kind] for kind in event.kinds),
            url=url_for("revisions.show", revision_id=event.revision_id) if event.revision_id in seen else "",
        )
        for event in histories.of_document(edge.reading(), document)
    ]


def _revision_row(revision: revisions.Revision) -> SimpleNamespace:
    return SimpleNamespace(
        code=revision.document.code,
        title=revision.title,
        edition_text=revision.edition_text,
        effective_from=revision.effective_from,
        status=revision.status(),
        unit_name=revision.document.unit.name(language.locale()),
        url=url_for("revisions.show", revision_id=revision.id),
    )
