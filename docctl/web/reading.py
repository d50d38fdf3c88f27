"""What is distributed to me: what I have to read and confirm, the copies I receive or bring back, and my receipts."""

from types import SimpleNamespace

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import revisions
from docctl.distribution import ControlledCopy, ReadTask, copies, reading
from docctl.rules import Refused
from docctl.web import acting, asking, edge, errors, language, security, show

blueprint = Blueprint("reading", __name__)


@blueprint.get("/reading")
def index() -> str:
    """Show what a person has to read and confirm, the copies that wait for him or her, and the receipts."""
    return _page()


@blueprint.post("/read-tasks/<int:task_id>/transitions")
def act(task_id: int) -> Response:
    """Confirm having read and understood, or exempt somebody from reading."""
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    task = reading.load(edge.writing(), task_id, by=edge.me()) or abort(404)
    if trigger == "open":
        abort(404)  # A task is opened by opening the document, and in no other way.
    errors.show_again(_page)
    reading.act(edge.writing(), task, trigger, by=edge.me(), reason=reason, seen=asking.seen())
    where, said = task.revision_id, task.revision.document.code
    edge.commit()
    flash(_("%(code)s: recorded.", code=said), "success")
    return redirect(_back() or url_for("revisions.show", revision_id=where), 303)


@blueprint.post("/copies/<int:copy_id>/transitions")
def act_on_copy(copy_id: int) -> Response:
    """Hand a copy out, confirm its receipt, take it back, declare it lost, destroy or archive it."""
    trigger, said = request.form.get("trigger", ""), request.form.get("reason", "")
    copy = copies.load(edge.writing(), copy_id, by=edge.me()) or abort(404)
    errors.show_again(_page)
    copies.act(edge.writing(), copy, trigger, by=edge.me(), reason=said, seen=asking.seen())
    name = f"{copy.revision.document.code} {copy.number_text}"
    edge.commit()
    flash(_("Copy %(number)s: recorded.", number=name), "success")
    return redirect(_back() or url_for("reading.index"), 303)


def _page(refused: Refused | None = None) -> str:
    session, me = edge.reading(), edge.me()
    return render_template(
        "reading/index.html",
        error=refused.sentence.get(language.locale()) if refused else "",
        pending=[_task_row(task) for task in reading.pending(session, by=me)],
        coming=[_task_row(task) for task in reading.coming(session, by=me)],
        receive=[_copy(copy) for copy in copies.to_receive(session, by=me)],
        give_back=[_copy(copy) for copy in copies.to_return(session, by=me)],
        settled=[_receipt(task) for task in reading.settled(session, by=me)],
    )


def _task_row(task: ReadTask) -> SimpleNamespace:
    revision = task.revision
    return SimpleNamespace(
        code=revision.document.code,
        title=revision.title,
        edition_text=revision.edition_text,
        effective_from=revision.effective_from,
        status=revision.status(),
        unit_name=revision.document.unit.name(language.locale()),
        url=url_for("revisions.show", revision_id=revision.id),
        note=show.say(reading.label(edge.reading(), task)),
    )


def _receipt(task: ReadTask) -> SimpleNamespace:
    row = _task_row(task)
    visible = revisions.load(edge.reading(), task.revision_id, by=edge.me()) is not None
    row.url = row.url if visible else url_for("documents.show", document_id=task.revision.document_id)
    at = task.understood_at or task.revision.effective_to
    row.note = f"{row.note}, {show.day(at)}" if at and task.exempt_reason == "" else row.note
    return row


def _copy(copy: ControlledCopy) -> SimpleNamespace:
    session, locale = edge.reading(), language.locale()
    return SimpleNamespace(
        id=copy.id,
        lock=copy.lock,
        document=copy.revision.document,
        revision=copy.revision,
        number=copy.number_text,
        mark=copy.mark,
        holder=copy.holder.get(locale),
        delivered_at=copy.delivered_at,
        acts=[
            acting.shown(given, primary=True, signs=False)
            for given in copies.acts(session, copy, by=edge.me())
            if given.mine and not given.asks and given.main
        ],
    )


def _back() -> str | None:
    return security.inside(request.args.get("next"))
