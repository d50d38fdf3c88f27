"""The pages of distribution: the lists, who has not read what in which unit, and who holds what of a revision."""

import io
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import BooleanField, SelectField, StringField

from docctl import distribution, documents, lifecycle, people, register, revisions, units
from docctl.distribution import ControlledCopy, DistributionEntry, ReadTask, copies, lists, reading
from docctl.documents import DocumentType
from docctl.exporting import labels
from docctl.revisions import Revision
from docctl.rules import ROLES, Refused, Sentence
from docctl.web import acting, asking, edge, errors, language, paging, show

blueprint = Blueprint("distribution", __name__)

SIZE = 50


class EntryForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """A line of a distribution list; the receiver's value says what it is: `unit:3`, `role:staff`, `person:7`."""

    whom = SelectField(lazy_gettext("Receiver"), validate_choice=False)
    medium = SelectField(lazy_gettext("Medium"), validate_choice=False)
    copies = StringField(
        lazy_gettext("Numbered copies"),
        default="0",
        description=lazy_gettext("Each gets a number such as 001/010 and is recalled when the edition ends."),
        render_kw={"inputmode": "numeric"},
    )
    reads = BooleanField(lazy_gettext("These people read every edition and confirm it"))


class CopiesForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """Further copies of one revision."""

    whom = SelectField(lazy_gettext("Holder"), validate_choice=False)
    medium = SelectField(lazy_gettext("Medium"), validate_choice=False)
    copies = StringField(lazy_gettext("Numbered copies"), default="1", render_kw={"inputmode": "numeric"})


@blueprint.get("/distribution")
def index() -> str:
    """Show who has not read what by unit, what was distributed lately, and the lists of every type."""
    return _index_page()


@blueprint.post("/distribution/types/<int:type_id>/entries")
def add_to_type(type_id: int) -> Response:
    """Add a line to the list of a type of document."""
    form = EntryForm()
    errors.show_again(lambda refused: _index_page(form, refused, type_id))
    kind = _type(type_id)
    lists.add(edge.writing(), by=edge.me(), type=kind, **_said(form))
    edge.commit()
    flash(_("The line was added. It counts from the next decision on."), "success")
    return redirect(url_for("distribution.index", _anchor=f"type-{type_id}"), 303)


@blueprint.post("/documents/<int:document_id>/distribution")
def add_to_document(document_id: int) -> Response:
    """Add a line to a document's own list, which then counts in place of its type's."""
    form = EntryForm()
    errors.show_again(lambda refused: _document_page(document_id, form, refused))
    document = register.load(edge.writing(), document_id, by=edge.me()) or abort(404)
    lists.add(edge.writing(), by=edge.me(), document=document, **_said(form))
    edge.commit()
    flash(_("The line was added. It counts from the next decision on."), "success")
    return redirect(url_for("distribution.of_document", document_id=document_id), 303)


@blueprint.get("/documents/<int:document_id>/distribution")
def of_document(document_id: int) -> str:
    """Show the list that counts for a document: its own, or its type's."""
    return _document_page(document_id)


@blueprint.post("/distribution/entries/<int:entry_id>/removal")
def remove(entry_id: int) -> Response:
    """Take a line out of its list."""
    entry = lists.find(edge.writing(), entry_id) or abort(404)
    lists.remove(edge.writing(), entry, by=edge.me())
    document_id, type_id = entry.document_id, entry.type_id
    edge.commit()
    flash(_("The line was removed. What was distributed stays as it is."), "success")
    if document_id:
        return redirect(url_for("distribution.of_document", document_id=document_id), 303)
    return redirect(url_for("distribution.index", _anchor=f"type-{type_id}"), 303)


@blueprint.get("/distribution/units/<int:unit_id>")
def unread(unit_id: int) -> str:
    """Show who of a unit has not read what."""
    lists.refuse_unless_seeing(edge.me())
    unit = next((row for row in units.all_units(edge.reading()) if row.id == unit_id), None) or abort(404)
    found = reading.unread_in(edge.reading(), unit)
    return render_template("distribution/unit.html", unit=unit, rows=[_task_row(task) for task in found])


@blueprint.get("/revisions/<int:revision_id>/distribution")
def of_revision(revision_id: int) -> str:
    """Show who reads a revision and who holds which copy of it (F4)."""
    return _revision_page(revision_id)


@blueprint.post("/revisions/<int:revision_id>/copies")
def issue_more(revision_id: int) -> Response:
    """Make further numbered copies of a revision in force."""
    form = CopiesForm()
    errors.show_again(lambda refused: _revision_page(revision_id, form, refused))
    revision = revisions.load(edge.writing(), revision_id, by=edge.me()) or abort(404)
    said = _said(form)
    made = distribution.issue_more(
        edge.writing(),
        revision,
        by=edge.me(),
        medium=said["medium"],
        count=said["copies"],
        unit=revision.document.unit if said["target"] == "own_unit" else said["unit"],
        person=said["person"],
    )
    edge.commit()
    flash(_("%(n)s copies made; they wait to be handed out.", n=len(made)), "success")
    return redirect(url_for("distribution.of_revision", revision_id=revision_id), 303)


@blueprint.get("/revisions/<int:revision_id>/copies/labels.pdf")
def label_sheet(revision_id: int) -> Response:
    """Give the labels of the copies on paper that are out, each with its QR code, to be printed and stuck on."""
    session, me, locale = edge.reading(), edge.me(), language.locale()
    revision = revisions.load(session, revision_id, by=me) or abort(404)
    lists.refuse_unless_controller(me, revision.document)
    made = labels.write(
        copies.to_label(session, revision) or abort(404),
        base=(edge.site().settings.base_url or request.url_root).rstrip("/"),
        office=units.office(session).name(locale),
        locale=locale,
    )
    name = f"{revision.document.code} {revision.edition_text} QR".replace("/", "-")
    return send_file(io.BytesIO(made), mimetype="application/pdf", as_attachment=True, download_name=f"{name}.pdf")


@blueprint.post("/revisions/<int:revision_id>/copies/delivery")
def deliver(revision_id: int) -> Response:
    """Hand out every copy of a revision that is still prepared."""
    revision = revisions.load(edge.writing(), revision_id, by=edge.me()) or abort(404)
    waiting = [copy for copy in copies.copies_of(edge.writing(), revision) if copies.is_prepared(copy)]
    for copy in waiting:
        copies.act(edge.writing(), copy, "deliver", by=edge.me())
    edge.commit()
    flash(_("%(n)s copies handed out; their holders confirm receipt.", n=len(waiting)), "success")
    return redirect(url_for("distribution.of_revision", revision_id=revision_id), 303)


def _index_page(form: EntryForm | None = None, refused: Refused | None = None, type_id: int = 0) -> str:
    lists.refuse_unless_seeing(edge.me())
    session, me = edge.reading(), edge.me()
    wanted = None if me.sees_everything else frozenset(unit for reach in me.reach.values() for unit in reach or ())
    forms_of = {}
    error = ""
    if lists.may_change(me):
        for kind in documents.all_types(session):
            mine = form if form is not None and kind.id == type_id else EntryForm(formdata=None, reads=True)
            error = asking.mark(mine, refused) if mine is form else error
            forms_of[kind.id] = _filled(mine)
    rows = distribution.recent(session, limit=SIZE, offset=(paging.number() - 1) * SIZE)
    return render_template(
        "distribution/index.html",
        error=error,
        readings=reading.by_unit(session, unit_ids=wanted),
        types=[
            SimpleNamespace(
                type=kind,
                entries=[_entry(row) for row in lists.entries(session, type=kind)],
                form=forms_of.get(kind.id),
                open=kind.id == type_id,
            )
            for kind in documents.all_types(session)
        ],
        recent=[_recent(row) for row in rows],
        page=paging.of(distribution.total(session), SIZE),
        to_deliver=len(copies.to_deliver(session, by=me)),
    )


def _document_page(document_id: int, form: EntryForm | None = None, refused: Refused | None = None) -> str:
    lists.refuse_unless_seeing(edge.me())
    session, me = edge.reading(), edge.me()
    document = register.load(session, document_id, by=me) or abort(404)
    shown = form or EntryForm(formdata=None, reads=True)
    own = lists.entries(session, document=document)
    return render_template(
        "distribution/document.html",
        document=document,
        error=asking.mark(shown, refused),
        own=[_entry(row) for row in own],
        of_type=[_entry(row) for row in lists.entries(session, type=document.type)],
        form=_filled(shown) if lists.may_change(me, document) else None,
    )


def _revision_page(revision_id: int, form: CopiesForm | None = None, refused: Refused | None = None) -> str:
    lists.refuse_unless_seeing(edge.me())
    session, me = edge.reading(), edge.me()
    revision = revisions.load(session, revision_id, by=me) or abort(404)
    shown = form or CopiesForm(formdata=None)
    held = copies.copies_of(session, revision)
    return render_template(
        "distribution/revision.html",
        revision=revision,
        document=revision.document,
        status=revision.status(),
        error=asking.mark(shown, refused),
        made=distribution.of_revision(session, revision),
        ledger=distribution.ledger(session, revision),
        tasks=[_task_row(task) for task in reading.tasks_of(session, revision)],
        copies=[_copy_row(copy) for copy in held],
        labels=len(copies.to_label(session, revision)),
        prepared=sum(copies.is_prepared(copy) for copy in held),
        keeps=lists.may_change(me, revision.document),
        form=_filled(shown, holders=True) if _may_issue(revision) else None,
    )


def _may_issue(revision: Revision) -> bool:
    return lists.may_change(edge.me(), revision.document) and revision.status() in (
        revisions.IN_FORCE,
        revisions.SCHEDULED,
    )


def _filled(form: Any, *, holders: bool = False) -> Any:
    session, locale = edge.reading(), language.locale()
    chosen = [
        (name, show.say(lists.TARGETS[name])) for name in ("own_unit", "everybody") if not holders or name == "own_unit"
    ]
    chosen += [(f"unit:{unit.id}", unit.name(locale)) for unit in units.all_units(session)]
    if not holders:
        chosen += [
            (f"role:{role}", _("Role: %(role)s", role=show.say(said)))
            for role, said in ROLES.items()
            if role != "admin"
        ]
    active = [account for account in people.all_accounts(session) if not account.disabled_at]
    chosen += [(f"person:{account.id}", f"{account.title(locale)} ({account.name})") for account in active]
    form.whom.choices = chosen
    form.medium.choices = [(name, show.say(said)) for name, said in lists.MEDIA.items()]
    return form


def _said(form: Any) -> dict[str, Any]:
    """Return what was typed, as the verbs take it."""
    session = edge.writing()
    target, _sep, rest = (form.whom.data or "").partition(":")
    typed = (form.copies.data or "0").strip()
    if not (typed.isascii() and typed.isdigit() and len(typed) < 6):
        raise Refused(
            Sentence("Hãy ghi số bản, ví dụ 2.", "Write the number of copies, for example 2."), field="copies"
        )
    key = asking.read_number(rest)
    unit = next((row for row in units.all_units(session) if row.id == key), None) if target == "unit" else None
    person = next((row for row in people.all_accounts(session) if row.id == key), None) if target == "person" else None
    said = {"target": target, "unit": unit, "person": person, "medium": form.medium.data or "", "copies": int(typed)}
    return said | (
        {"role": rest if target == "role" else "", "reads": bool(form.reads.data)} if "reads" in form else {}
    )


def _entry(entry: DistributionEntry) -> SimpleNamespace:
    return SimpleNamespace(
        id=entry.id,
        whom=show.say(entry.whom),
        medium=show.say(lists.MEDIA[entry.medium]),
        copies=entry.copies,
        reads=entry.reads,
    )


def _recent(row: distribution.Distribution) -> SimpleNamespace:
    revision = row.revision
    count = distribution.ledger(edge.reading(), revision)
    return SimpleNamespace(
        code=revision.document.code,
        title=revision.title,
        edition_text=revision.edition_text,
        effective_from=revision.effective_from,
        status=revision.status(),
        unit_name=revision.document.unit.name(language.locale()),
        url=url_for("distribution.of_revision", revision_id=revision.id),
        note=_("%(held)s/%(issued)s copies, %(asked)s readers", held=count.held, issued=row.issued, asked=row.asked),
    )


def _task_row(task: ReadTask) -> SimpleNamespace:
    session, locale = edge.reading(), language.locale()
    return SimpleNamespace(
        id=task.id,
        lock=task.lock,
        person=task.account.title(locale),
        unit=task.account.unit.name(locale),
        revision=task.revision,
        document=task.revision.document,
        asked_at=task.asked_at,
        opened_at=task.opened_at,
        understood_at=task.understood_at,
        reason=task.exempt_reason,
        label=show.say(reading.label(session, task)),
        acts=[
            acting.shown(given, primary=False, mine=given.mine)
            for given in reading.acts(session, task, by=edge.me())
            if given.trigger == "exempt"
        ],
    )


def _copy_row(copy: ControlledCopy) -> SimpleNamespace:
    session, locale = edge.reading(), language.locale()
    return SimpleNamespace(
        id=copy.id,
        lock=copy.lock,
        number=copy.number_text,
        mark=copy.mark,
        medium=show.say(lists.MEDIA[copy.medium]),
        holder=copy.holder.get(locale),
        label=show.say(lifecycle.label(session, copy)),
        delivered_at=copy.delivered_at,
        delivered_by=copy.delivered_by.title(locale) if copy.delivered_by else "",
        received_at=copy.received_at,
        received_by=copy.received_by.title(locale) if copy.received_by else "",
        settled_at=copy.settled_at,
        condition=copy.condition,
        acts=[
            acting.shown(given, primary=False, mine=given.mine)
            for given in copies.acts(session, copy, by=edge.me())
            if given.mine
        ],
    )


def _type(type_id: int) -> DocumentType:
    found = [kind for kind in documents.all_types(edge.writing()) if kind.id == type_id]
    return found[0] if found else abort(404)
