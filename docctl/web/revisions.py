"""Pages of revisions: read, act, see the history, edit a draft, fetch the file."""

import io
from types import SimpleNamespace

from flask import Blueprint, abort, flash, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import (
    audit,
    comparison,
    histories,
    lifecycle,
    openings,
    register,
    renditions,
    reorganising,
    requests,
    retention,
    revisions,
    workflow,
)
from docctl.distribution import reading
from docctl.exporting import template
from docctl.files.kinds import Kind
from docctl.revisions import Revision
from docctl.rules import MEANINGS, Refused
from docctl.web import acting, asking, edge, errors, forms, language, telling
from docctl.workflow import Act

blueprint = Blueprint("revisions", __name__)


@blueprint.get("/revisions/<int:revision_id>")
def show(revision_id: int) -> str:
    """Show a revision: what it is now, what can be done, what it holds, and its history."""
    _opened(revision_id)
    return _page(revision_id)


@blueprint.post("/revisions/<int:revision_id>/transitions")
def act(revision_id: int) -> Response:
    """Take a revision through one trigger of its workflow."""
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _page(revision_id, refused, trigger))
    signing = edge.signing(request.form.get("password"))
    revision = _load(revision_id, writing=True)
    seen = asking.seen()
    revisions.act(edge.writing(), revision, trigger, by=edge.me(), reason=reason, signing=signing, seen=seen)
    edge.commit()
    flash(_("Done. This is how the revision stands now."), "success")
    return redirect(_url(revision_id), 303)


@blueprint.get("/revisions/<int:revision_id>/original")
def original(revision_id: int) -> Response:
    """Give the file exactly as it was uploaded."""
    _opened(revision_id)
    revision = _load(revision_id)
    if revision.content is None:
        abort(404)
    if sentence := retention.gone(edge.reading(), revision):
        raise Refused(sentence)
    answer = send_file(
        edge.site().store.path(revision.content.sha256),
        mimetype=Kind(revision.content.kind).media_type,
        as_attachment=True,
        download_name=revision.file_name or f"{revision.document.code}.{revision.content.kind}",
        etag=revision.content.sha256,
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@blueprint.post("/revisions/<int:revision_id>/text")
def read_again(revision_id: int) -> Response:
    """Ask for another reading of a file whose text could not be read."""
    revisions.read_again(edge.writing(), _load(revision_id, writing=True), by=edge.me())
    edge.commit()
    flash(_("The file is being read again; reload the page in a while."), "success")
    return redirect(_url(revision_id), 303)


@blueprint.post("/documents/<int:document_id>/revisions")
def begin(document_id: int) -> Response:
    """Begin a revision; a form sent twice leads to the draft that the first one made."""
    session, me = edge.writing(), edge.me()
    document = register.load(session, document_id, by=me) or abort(404)
    begun = revisions.open_revision(session, document)
    if begun is None or revisions.editing_refusal(begun, by=me):
        begun = revisions.draft(session, document, by=me)
        edge.commit()
    return redirect(url_for("revisions.edit", revision_id=begun.id), 303)


@blueprint.get("/revisions/<int:revision_id>/edit")
def edit(revision_id: int) -> str:
    """Show the form of a draft."""
    revision = _load(revision_id)
    if refusal := revisions.editing_refusal(revision, by=edge.me()):
        raise Refused(refusal)
    return _edit_page(revision_id, _form_of(revision))


@blueprint.get("/revisions/<int:revision_id>/template")
def template_(revision_id: int) -> Response:
    """Give the Word file that a draft begins with: cover and change table filled from the record."""
    revision = _load(revision_id)
    if refusal := revisions.editing_refusal(revision, by=edge.me()):
        raise Refused(refusal)
    cover = template.cover_of(edge.reading(), revision, by=edge.me(), locale=language.locale())
    return send_file(
        io.BytesIO(template.write(cover)),
        mimetype=Kind.DOCX.media_type,
        as_attachment=True,
        download_name=template.file_name(revision),
    )


@blueprint.post("/revisions/<int:revision_id>")
def save(revision_id: int) -> str | Response:
    """Save a draft."""
    form = forms.RevisionForm()
    errors.show_again(lambda refused: _edit_page(revision_id, form, refused))
    _load(revision_id)
    kept = forms.upload(form)
    if forms.wants_rows():
        return _edit_page(revision_id, form)
    numbers = {"edition": forms.whole_number(form.edition), "amendment": forms.whole_number(form.amendment)}
    revision = _load(revision_id, writing=True)
    forms.refuse_overtaken(form, revision.lock)
    given = {"title": form.title.data or "", **numbers, **forms.content_of(form, kept), "major": form.major.data}
    revisions.edit(edge.writing(), revision, by=edge.me(), seen=revision.lock, **given)
    edge.commit()
    flash(_("The draft was saved."), "success")
    return redirect(_url(revision_id), 303)


def _opened(revision_id: int) -> None:
    """Note the first opening by somebody who is asked to read the revision: only then can he or she confirm it."""
    if request.method == "GET" and reading.waits_to_be_opened(edge.reading(), _load(revision_id), by=edge.me()):
        reading.opened(edge.writing(), _load(revision_id, writing=True), by=edge.me())
        edge.commit()


def _load(revision_id: int, *, writing: bool = False) -> Revision:
    session = edge.writing() if writing else edge.reading()
    return revisions.load(session, revision_id, by=edge.me()) or abort(404)


def _url(revision_id: int) -> str:
    return url_for("revisions.show", revision_id=revision_id)


def _page(revision_id: int, refused: Refused | None = None, trigger: str = "") -> str:
    revision, session, me = _load(revision_id), edge.reading(), edge.me()
    follows = lifecycle.workflow_of(session, revision)
    shown = [acting.shown(act, refused if act.trigger == trigger else None) for act in _mine(revision)]
    open_panel = any(act.errors for act in shown)
    return render_template(
        "revisions/show.html",
        revision=revision,
        document=revision.document,
        status=revision.status(),
        state_label=None if revision.effective_from else follows.states[revision.state].label.get(language.locale()),
        opening=openings.of_revision(session, revision, by=me),
        tone=openings.TONES.get(revision.status(), "wait"),
        missing=openings.missing(session, revision),
        told=histories.of_revision(session, revision) if revision.origin == "import" else None,
        acts=shown,
        error=refused.sentence.get(language.locale()) if refused and not open_panel else "",
        may_edit=revisions.editing_refusal(revision, by=me) is None,
        editing=revisions.editing_refusal(revision, by=me),
        kind=Kind(revision.content.kind).label if revision.content else None,
        bears_signatures=_bears_signatures(revision),
        readable=openings.of_text(session, revision),
        may_reread=revisions.rereading_refusal(session, revision, by=me) is None,
        decision=revisions.decision_of(session, revision),
        unit_then=_unit_then(revision),
        withdrawal=revisions.withdrawal_of(session, revision),
        against=revisions.compared_with(session, revision) if revisions.is_open(revision) else None,
        comparable=revision.content is not None and comparison.usual(session, revision, by=me) is not None,
        signatures=[_signature(row, revision, follows) for row in lifecycle.signatures(session, revision)],
        follows=follows,
        drawing=workflow.draw(follows, current=revision.state, locale=language.locale()),
        history=_history(revision),
        asked=requests.of_revision(session, revision, by=me),
        task=_task(revision),
        gone=retention.gone(session, revision),
        sees_distribution=me.has("controller", "auditor", "reviewer", "format_reviewer", "approver"),
    )


def _task(revision: Revision) -> SimpleNamespace | None:
    """Return what the person is asked to read of this revision: the sentence, and the act that confirms it."""
    session, me = edge.reading(), edge.me()
    task = reading.task_of(session, revision, by=me)
    if task is None:
        return None
    label = reading.label(session, task).get(language.locale())
    shown = [acting.shown(given, None) for given in reading.acts(session, task, by=me) if given.trigger == "understand"]
    return SimpleNamespace(
        id=task.id, lock=task.lock, label=label, at=task.understood_at, acts=[act for act in shown if not act.refusal]
    )


def _mine(revision: Revision) -> list[Act]:
    """Return the acts of the person's roles; the others' buttons would only be in the way."""
    return [act for act in revisions.acts(edge.reading(), revision, by=edge.me()) if act.mine]


def _signature(row: lifecycle.Signature, revision: Revision, follows: workflow.Workflow) -> SimpleNamespace:
    locale = language.locale()
    seats = {seat.name: seat.label for trigger in follows.triggers.values() for seat in trigger.seats}
    return SimpleNamespace(
        meaning=MEANINGS[row.meaning].get(locale),
        seat=seats[row.seat].get(locale) if row.seat in seats else "",
        person=row.person,
        title=row.title,
        authority=row.authority,
        at=row.signed_at,
        hash=row.content_hash,
        round=row.round,
        void=row.round != revision.round,
    )


def _bears_signatures(revision: Revision) -> bool:
    """Say whether the file bears digital signatures, or is a PDF that nobody has looked into yet."""
    made = renditions.of(edge.reading(), revision.file_sha256)
    return made.signatures > 0 if made else revision.content is not None and revision.content.kind == Kind.PDF


def _history(revision: Revision) -> list[SimpleNamespace]:
    """Return the revision's entries with those of the decisions that issued and withdrew it, in order."""
    session = edge.reading()
    entries = audit.of_record(session, "revision", revision.id)
    links: dict[int, tuple[str, str]] = {}
    for decision_id, number in revisions.decisions_about(session, revision):
        link = (url_for("decisions.show", decision_id=decision_id), number)
        moves = [row for row in audit.of_record(session, "decision", decision_id) if row.values.get("meaning")]
        entries += moves
        links |= {
            row.sequence: link for row in (*moves, *entries) if row.values.get("decision") == number or row in moves
        }
    entries.sort(key=lambda row: row.sequence)
    lines = telling.history(entries)
    for entry, line in zip(entries, lines, strict=True):
        line.evidence_url, line.evidence_label = links.get(entry.sequence, ("", ""))
    return lines


def _form_of(revision: Revision) -> forms.RevisionForm:
    rows = [
        {"section": row.section, "old": row.old, "new": row.new, "basis": row.basis} for row in revision.change_rows
    ]
    return forms.RevisionForm(
        formdata=None,
        title=revision.title,
        edition=str(revision.edition),
        amendment=str(revision.amendment),
        major=revision.major,
        change_summary=revision.change_summary,
        changes=rows,
        lock=str(revision.lock),
    )


def _edit_page(revision_id: int, form: forms.RevisionForm, refused: Refused | None = None) -> str:
    revision = _load(revision_id)
    form.grow()
    if refused is not None:
        # Whoever sends the form again has seen what the page now says of the record.
        form.lock.data = str(revision.lock)
    return render_template(
        "revisions/edit.html",
        revision=revision,
        document=revision.document,
        form=form,
        error=form.mark(refused),
        asked_before=refused is not None or forms.wants_rows(),
        kept=forms.kept_name(form),
        accepted=forms.ACCEPTED,
        limit=edge.site().settings.max_upload_mb,
    )


def _unit_then(revision: Revision) -> str:
    """Return the name of the unit on the day of issue: old names stay on old records."""
    if revision.effective_from is None:
        return ""
    at = max(revision.created_at, revision.effective_from)
    return reorganising.unit_then(edge.reading(), revision.document, at, language.locale())
