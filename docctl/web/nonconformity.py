"""The pages of a nonconformity and corrective-action slip: the finding, its evidence, the corrective report, its closing."""

from flask import Blueprint, abort, flash, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, TextAreaField
from wtforms.validators import InputRequired

from docctl import audit, internal_audits, lifecycle
from docctl.exporting import internal_audits as papers
from docctl.files.kinds import Kind
from docctl.internal_audits import GRADES, SIDES, Evidence, Nonconformity, findings
from docctl.rules import Refused
from docctl.web import acting, asking, edge, errors, forms, kept, language, show, slip_rows, telling

blueprint = Blueprint("nonconformity", __name__)

PRINTED = ("docx", "pdf")
LINES = {"rows": 3, "required": False}
NEEDED = [InputRequired()]  # To sign, not to save what there is; the verbs refuse, in a sentence.


class ReportForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The corrective report of a unit."""

    cause = TextAreaField(
        lazy_gettext("Cause"), NEEDED, description=lazy_gettext("Why it came about."), render_kw=LINES
    )
    correction = TextAreaField(
        lazy_gettext("Correction at once"), description=lazy_gettext("What was put right."), render_kw=LINES
    )
    remedy = TextAreaField(
        lazy_gettext("Corrective action"),
        NEEDED,
        description=lazy_gettext("What keeps it from coming back."),
        render_kw=LINES,
    )
    proof = TextAreaField(
        lazy_gettext("What proves it"),
        NEEDED,
        description=lazy_gettext("In words; records and files are linked below."),
        render_kw=LINES,
    )
    lock = HiddenField()


@blueprint.get("/nonconformities/<int:slip_id>")
def show_one(slip_id: int) -> str:
    """Show a slip: the finding, its evidence, the corrective report, and what can be done."""
    return _page(slip_id)


@blueprint.post("/nonconformities/<int:slip_id>")
def write(slip_id: int) -> Response:
    """Write the corrective report."""
    form = ReportForm()
    errors.show_again(lambda refused: _page(slip_id, refused, form=form))
    found = _load(slip_id, writing=True)
    words = {name: form[name].data or "" for name in findings.WORDS}
    findings.write(edge.writing(), found, by=edge.me(), seen=asking.read_number(form.lock.data, default=-1), **words)
    edge.commit()
    flash(_("The corrective report is saved; sign it when it is complete."), "success")
    return redirect(url_for("nonconformity.show_one", slip_id=slip_id), 303)


@blueprint.post("/nonconformities/<int:slip_id>/transitions")
def act(slip_id: int) -> Response:
    """Sign the corrective report, verify and close it, send it back, or take the slip back."""
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _page(slip_id, refused, trigger=trigger))
    signing = edge.signing(request.form.get("password"))
    found = _load(slip_id, writing=True)
    seen = asking.seen()
    findings.act(edge.writing(), found, trigger, by=edge.me(), reason=reason, signing=signing, seen=seen)
    edge.commit()
    flash(_("Done. This is how the slip stands now."), "success")
    return redirect(url_for("nonconformity.show_one", slip_id=slip_id), 303)


@blueprint.post("/nonconformities/<int:slip_id>/evidence/<side>")
def link(slip_id: int, side: str) -> Response:
    """Link a record, or a file, to a slip: evidence of the finding, or proof of the correction."""
    if side not in SIDES:
        abort(404)
    _load(slip_id)
    errors.show_again(lambda refused: _page(slip_id, refused, linking=side))
    kept = forms.upload(forms.ContentForm())
    found, session, me = _load(slip_id, writing=True), edge.writing(), edge.me()
    note, reference = request.form.get("note", ""), request.form.get("reference", "").strip()
    if refusal := findings.linking_refusal(found, side, by=me):
        raise refusal
    if kept:
        findings.link(session, found, by=me, side=side, content=kept.keep(), file_name=kept.name, note=note)
    if reference or not kept:
        record = findings.look_up(session, reference, by=me)
        findings.link(session, found, by=me, side=side, note=note, **record)
    edge.commit()
    flash(_("The evidence is linked."), "success")
    return redirect(url_for("nonconformity.show_one", slip_id=slip_id, _anchor=side), 303)


@blueprint.get("/nonconformities/<int:slip_id>/evidence/<int:evidence_id>")
def evidence(slip_id: int, evidence_id: int) -> Response:
    """Give a file that was attached to a slip."""
    row = next((row for row in _load(slip_id).evidence if row.id == evidence_id and row.content), None)
    if row is None or row.content is None:
        abort(404)
    path = edge.site().store.path(row.content.sha256)
    return send_file(path, mimetype=Kind(row.content.kind).media_type, as_attachment=True, download_name=row.file_name)


@blueprint.get("/nonconformities/<int:slip_id>/slip.<format>")
def slip(slip_id: int, format: str) -> Response:
    """Give a slip as a Word document or a PDF."""
    if format not in PRINTED:
        abort(404)
    paper = papers.slip(edge.reading(), _load(slip_id), locale=language.locale())
    return kept.file(paper, format, paper.title)


def _page(
    slip_id: int,
    refused: Refused | None = None,
    *,
    form: ReportForm | None = None,
    linking: str = "",
    trigger: str = "",
) -> str:
    found, session, me = _load(slip_id), edge.reading(), edge.me()
    error = asking.mark(form, refused) if form else show.say(refused.sentence) if refused else ""
    acts = [given for given in findings.acts(session, found, by=me) if given.mine]
    row = slip_rows.row_of(found)
    return render_template(
        "nonconformity/show.html",
        slip=found,
        row=row,
        grade=show.say(GRADES[found.grade]),
        tone="warn" if row.late else "wait" if row.waits else "good",
        waiting=show.say(findings.waiting_for(session, found, by=me)),
        error="" if linking or (refused is not None and refused.field in ("password", "reason")) else error,
        acts=[acting.shown(given, refused if given.trigger == trigger else None) for given in acts],
        form=(form or _form_of(found)) if findings.writing_refusal(found, by=me) is None else None,
        sides=[
            (
                side,
                show.say(words),
                [(each, show.say(papers.named(each)), _url(each)) for each in found.evidence if each.side == side],
                findings.linking_refusal(found, side, by=me) is None,
            )
            for side, words in SIDES.items()
        ],
        linking=linking,
        linking_error=error if linking else "",
        typed={name: request.form.get(name, "") if linking else "" for name in ("reference", "note")},
        accepted=forms.ACCEPTED,
        sees_audits=internal_audits.may_see(me),
        signatures=lifecycle.signatures(session, found),
        entries=telling.history(audit.of_record(session, found.NOUN, found.id)),
    )


def _url(row: Evidence) -> str:
    if row.revision_id is not None:
        return url_for("revisions.show", revision_id=row.revision_id)
    if row.decision_id is not None:
        return url_for("decisions.show", decision_id=row.decision_id)
    if row.entry_sequence is not None:
        entry = edge.reading().get(audit.AuditEntry, row.entry_sequence)
        if entry is None or entry.document_id is None or not edge.me().has(*audit.READERS):
            return ""
        return url_for("trail.document", document_id=entry.document_id, _anchor=f"entry-{entry.sequence}")
    return url_for("nonconformity.evidence", slip_id=row.nonconformity_id, evidence_id=row.id)


def _form_of(found: Nonconformity) -> ReportForm:
    data = {name: getattr(found, name) for name in findings.WORDS} | {"lock": str(found.lock)}
    return ReportForm(formdata=None, data=data)


def _load(slip_id: int, *, writing: bool = False) -> Nonconformity:
    session = edge.writing() if writing else edge.reading()
    return findings.load(session, slip_id, by=edge.me()) or abort(404)
