"""The pages of decisions: drafting, lines, the dry run, signing, executing, and the annex on paper."""

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from docctl import audit, authority, clock, decisions, lifecycle, register, requests
from docctl.contents import Content
from docctl.decisions import Check, Decision, Unread
from docctl.exporting import decisions as papers
from docctl.files import sheets
from docctl.files.kinds import Kind
from docctl.register import Asked
from docctl.rules import Refused, Sentence
from docctl.web import acting, asking, edge, errors, forms, kept, language, telling
from docctl.workflow import Act

blueprint = Blueprint("decisions", __name__)

FORMS_OF_SIGNATURE = ("TM.", "KT.", "TL.", "TUQ.")
ASKED = (*acting.ASKED, "confirmed")
TYPED = ("issue", "withdraw", "keep", "reason")
MOST_FOUND = 30
A_DAY = {"autocomplete": "off", "inputmode": "numeric", "placeholder": "26/10/2022"}


class DecisionForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """What a decision says of itself."""

    title = TextAreaField(lazy_gettext("Title of the decision"), render_kw={"rows": 3}, validators=[InputRequired()])
    number = StringField(
        lazy_gettext("Number"),
        description=lazy_gettext("Such as 2804/QĐ-UBND; unique in its year. It may wait until the decision is signed."),
        render_kw={"autocomplete": "off"},
    )
    signed_on = StringField(lazy_gettext("Date of signature"), render_kw=A_DAY)
    effective_from = StringField(
        lazy_gettext("Effective from"),
        description=lazy_gettext("Every document of the decision begins or ends at 00:00 of this day."),
        render_kw=A_DAY,
    )
    signer_form = RadioField(
        lazy_gettext("Form of signature"),
        choices=[SelectChoice("", lazy_gettext("in one's own right")), *map(SelectChoice, FORMS_OF_SIGNATURE)],
    )
    lock = HiddenField()

    def said(self) -> dict[str, Any]:
        """Return what was typed, as the verbs take it; raises Refused for a day that does not exist."""
        return {
            "title": self.title.data or "",
            "number": self.number.data or "",
            "signed_on": asking.read_day(self.signed_on.data, "signed_on"),
            "effective_from": asking.read_day(self.effective_from.data, "effective_from"),
            "signer_form": self.signer_form.data if self.signer_form.data in FORMS_OF_SIGNATURE else "",
        }


@blueprint.get("/decisions")
def index() -> str:
    """List the decisions, open ones first."""
    found = decisions.all_decisions(edge.reading(), by=edge.me())
    return render_template(
        "decisions/index.html",
        open_ones=[decision for decision in found if decisions.is_open(decision)],
        closed_ones=[decision for decision in found if not decisions.is_open(decision)],
        may_draft=decisions.drafting_refusal(by=edge.me()) is None,
        sees_delegations=edge.me().has("controller", "approver", "auditor"),
        waiting=len(decisions.awaiting_issue(edge.reading())) if decisions.may_see(edge.me()) else 0,
    )


@blueprint.get("/decisions/new")
def new() -> str:
    """Ask what the decision is about."""
    decisions.refuse_unless_controller(edge.me())
    return _new_page(DecisionForm(formdata=None, signer_form=""))


@blueprint.post("/decisions")
def begin() -> Response:
    """Begin a decision, with everything that waits to be issued when asked for."""
    form = DecisionForm()
    errors.show_again(lambda refused: _new_page(form, refused))
    session = edge.writing()
    chosen = [row.id for row in decisions.awaiting_issue(session)] if request.form.get("everything") else []
    asked = [row.id for row in requests.withdrawals_waiting(session)] if request.form.get("everything") else []
    lines = decisions.read_lines(session, chosen=chosen, asked=asked) if chosen or asked else []
    decision = decisions.draft(session, by=edge.me(), lines=lines, **form.said())
    edge.commit()
    return redirect(_url(decision.id), 303)


@blueprint.get("/decisions/<int:decision_id>")
def show(decision_id: int) -> str:
    """Show a decision with its dry run, or with what it did."""
    return _page(decision_id)


@blueprint.post("/decisions/<int:decision_id>")
def edit(decision_id: int) -> Response:
    """Change what a decision says of itself."""
    _load(decision_id)
    form = DecisionForm()
    errors.show_again(lambda refused: _page(decision_id, refused, form=form))
    decision = _load(decision_id, writing=True)
    decisions.edit(edge.writing(), decision, by=edge.me(), seen=asking.seen(), **form.said())
    edge.commit()
    flash(_("The details are saved."), "success")
    return redirect(_url(decision_id), 303)


@blueprint.post("/decisions/<int:decision_id>/lines")
def add_lines(decision_id: int) -> Response:
    """Add lines: revisions that were ticked, and codes that were pasted."""
    _load(decision_id)
    errors.show_again(lambda refused: _page(decision_id, refused, adding=True))
    decision = _load(decision_id, writing=True)
    typed = {name: request.form.get(name, "") for name in TYPED}
    lines = decisions.read_lines(
        edge.writing(),
        chosen=_numbers("revision"),
        asked=_numbers("request"),
        found=_found_documents(),
        issue=typed["issue"],
        withdraw=typed["withdraw"],
        keep=typed["keep"],
        reason=typed["reason"],
    )
    decisions.add_lines(edge.writing(), decision, lines, by=edge.me(), seen=asking.seen())
    edge.commit()
    flash(_("%(n)s lines added.", n=len(lines)), "success")
    return redirect(_url(decision_id, "lines"), 303)


@blueprint.post("/decisions/<int:decision_id>/lines/sheet")
def add_sheet(decision_id: int) -> Response:
    """Add the lines of a spreadsheet; with a row that cannot be read nothing is added, and every such row is named."""
    _load(decision_id)
    errors.show_again(lambda refused: _page(decision_id, refused, adding=True))
    sent = request.files.get("sheet")
    if sent is None or not sent.filename:
        raise Refused(Sentence("Hãy chọn tệp bảng tính.", "Choose a spreadsheet."), field="sheet")
    with tempfile.NamedTemporaryFile(suffix=".xlsx") as file:
        sent.save(file)
        file.flush()
        rows = sheets.rows_of(Path(file.name), sent.filename)
    decision = _load(decision_id, writing=True)
    lines = decisions.read_sheet(edge.writing(), rows, reason=request.form.get("reason", "").strip())
    decisions.add_lines(edge.writing(), decision, lines, by=edge.me(), seen=asking.seen())
    edge.commit()
    flash(_("%(n)s lines added from the spreadsheet.", n=len(lines)), "success")
    return redirect(_url(decision_id, "check"), 303)


@blueprint.post("/decisions/<int:decision_id>/scan")
def attach_scan(decision_id: int) -> Response:
    """Attach the scan of the signed decision, once."""
    _load(decision_id)
    errors.show_again(lambda refused: _page(decision_id, refused, said="scan"))
    kept = forms.upload(forms.ContentForm())
    if kept is None:
        raise Refused(Sentence("Hãy chọn tệp bản quét.", "Choose the scanned file."), field="file")
    decision = _load(decision_id, writing=True)
    decisions.attach_scan(edge.writing(), decision, by=edge.me(), content=kept.keep(), file_name=kept.name)
    edge.commit()
    flash(_("The scan is attached."), "success")
    return redirect(_url(decision_id, "scan"), 303)


@blueprint.get("/decisions/<int:decision_id>/scan")
def scan(decision_id: int) -> Response:
    """Give the scan exactly as it was uploaded."""
    found = decisions.scan_of(edge.reading(), _load(decision_id)) or abort(404)
    return _original(found.content, found.file_name)


@blueprint.post("/decisions/<int:decision_id>/obligations/<int:obligation_id>")
def close_obligation(decision_id: int, obligation_id: int) -> Response:
    """Record that something owed after the decision is done, with its evidence."""
    _load(decision_id)
    errors.show_again(lambda refused: _page(decision_id, refused, said=f"obligation-{obligation_id}"))
    kept = forms.upload(forms.ContentForm())
    decision = _load(decision_id, writing=True)
    owed = {row.id: row for row in decisions.obligations(edge.writing(), decision)}
    decisions.close_obligation(
        edge.writing(),
        owed.get(obligation_id) or abort(404),
        by=edge.me(),
        done_on=asking.read_day(request.form.get("done_on"), "done_on"),
        evidence=request.form.get("evidence", ""),
        content=kept.keep() if kept else None,
        file_name=kept.name if kept else "",
    )
    edge.commit()
    flash(_("Recorded as done."), "success")
    return redirect(_url(decision_id, "obligations"), 303)


@blueprint.get("/decisions/<int:decision_id>/obligations/<int:obligation_id>/evidence")
def evidence(decision_id: int, obligation_id: int) -> Response:
    """Give the file that proves that something owed was done."""
    decision = _load(decision_id)
    rows = [row for row in decisions.obligations(edge.reading(), decision) if row.id == obligation_id and row.content]
    return _original(rows[0].content, rows[0].file_name) if rows else abort(404)


@blueprint.post("/decisions/<int:decision_id>/corrections")
def correct(decision_id: int) -> Response:
    """Record a correction of form of an executed decision."""
    _load(decision_id)
    errors.show_again(lambda refused: _page(decision_id, refused, said="correction"))
    signing = edge.signing(request.form.get("password"))
    decision = _load(decision_id, writing=True)
    typed = {name: request.form.get(name, "") for name in ("number", "place", "wrong", "corrected")}
    day = asking.read_day(request.form.get("signed_on"), "signed_on")
    decisions.correct(edge.writing(), decision, by=edge.me(), signed_on=day, signing=signing, **typed)
    edge.commit()
    flash(_("The correction is recorded."), "success")
    return redirect(_url(decision_id, "corrections"), 303)


@blueprint.get("/decisions/<int:decision_id>/paper/<name>.<format>")
def paper(decision_id: int, name: str, format: str) -> Response:
    """Give the decision, or one of its annexes, as a Word document or a PDF."""
    if format not in ("docx", "pdf", "xlsx") or name not in papers.PAPERS:
        abort(404)
    decision = _load(decision_id)
    made = papers.paper(edge.reading(), decision, name, by=edge.me(), locale=language.locale())
    return kept.file(made, format, papers.file_name(decision, name))


@blueprint.post("/decisions/<int:decision_id>/lines/removal")
def remove_lines(decision_id: int) -> Response:
    """Take the ticked lines out."""
    _load(decision_id)
    decision = _load(decision_id, writing=True)
    unwanted = _numbers("line")
    decisions.remove_lines(edge.writing(), decision, unwanted, by=edge.me(), seen=asking.seen())
    edge.commit()
    flash(_("%(n)s lines removed.", n=len(unwanted)), "success")
    return redirect(_url(decision_id, "lines"), 303)


@blueprint.post("/decisions/<int:decision_id>/lines/reasons")
def give_reasons(decision_id: int) -> Response:
    """Write the reasons of the withdrawals; one reason may stand in wherever none is given."""
    _load(decision_id)
    decision = _load(decision_id, writing=True)
    usual = request.form.get("usual", "").strip()
    typed = {line.position: request.form.get(f"reason-{line.position}") for line in decision.lines}
    reasons = {position: said.strip() or usual for position, said in typed.items() if said is not None}
    decisions.give_reasons(edge.writing(), decision, reasons, by=edge.me(), seen=asking.seen())
    edge.commit()
    flash(_("The reasons are saved."), "success")
    return redirect(_url(decision_id, "check"), 303)


@blueprint.post("/decisions/<int:decision_id>/transitions")
def act(decision_id: int) -> Response:
    """Check, sign, execute, or take a step back."""
    _load(decision_id)
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _page(decision_id, refused, trigger=trigger))
    signing = edge.signing(request.form.get("password"))
    decision = _load(decision_id, writing=True)
    found = decisions.act(
        edge.writing(),
        decision,
        trigger,
        by=edge.me(),
        reason=reason,
        signing=signing,
        seen=asking.seen(),
        confirmed=request.form.getlist("confirmed"),
    )
    edge.commit()
    return redirect(_url(decision_id, "check" if found and found.errors else ""), 303)


@blueprint.get("/decisions/<int:decision_id>/annex")
def annex(decision_id: int) -> str:
    """Show the lines as the annex that goes with the decision on paper."""
    decision = _load(decision_id)
    return render_template(
        "decisions/annex.html",
        decision=decision,
        lines=decisions.lines_of(edge.reading(), decision),
        replaced=decisions.replaced(edge.reading(), decision),
        kinds=decisions.kinds(edge.reading(), decision),
        kind_names=decisions.KINDS,
        head=audit.head(edge.reading()),
    )


def _page(
    decision_id: int,
    refused: Refused | None = None,
    *,
    form: DecisionForm | None = None,
    trigger: str = "",
    adding: bool = False,
    said: str = "",
) -> str:
    decision, session, me = _load(decision_id), edge.reading(), edge.me()
    open_one = decisions.is_open(decision)
    found = decisions.dry_run(session, decision) if open_one else None
    may_edit = decisions.editing_refusal(decision, by=me) is None
    adding = adding and may_edit
    shown_form = form or _form_of(decision)
    error = asking.mark(shown_form, refused) if form else _general(refused, trigger, adding)
    return render_template(
        "decisions/show.html",
        decision=decision,
        opening=decisions.opening(session, decision, by=me, found=found),
        lines=decisions.lines_of(session, decision),
        replaced=decisions.replaced(session, decision),
        visible=decisions.visible_revisions(session, decision, by=me),
        acts=_acts(decision, found, refused if trigger else None, trigger),
        form=shown_form,
        editing=form is not None,
        may_edit=may_edit,
        found=found,
        problems=_by_line(found),
        awaiting=decisions.awaiting_issue(session) if may_edit else [],
        adding=_adding(refused) if adding else None,
        error="" if said and refused and refused.field else error,
        said=_said(said, refused),
        kinds=decisions.kinds(session, decision),
        kind_names=decisions.KINDS,
        withdrawals=requests.withdrawals_waiting(session) if may_edit else [],
        searched=_searched() if may_edit else None,
        signers=_signers(decision) if open_one else [],
        signing_block=decision.signing_block.splitlines(),
        scan=decisions.scan_of(session, decision),
        keeps=decisions.drafting_refusal(by=me) is None,
        obligations=decisions.obligations(session, decision),
        corrections=decisions.corrections(session, decision),
        notice=_notice(decision),
        papers=papers.PAPERS,
        accepted=forms.ACCEPTED,
        mended_at=_mended_at,
        signatures=[row for row in lifecycle.signatures(session, decision) if row.meaning == "signed"],
        entries=telling.history(audit.of_record(session, "decision", decision.id)),
        content_hash=decisions.content_hash(decision),
    )


def _searched() -> SimpleNamespace | None:
    """Return the documents that the words of the address find, for lines to be made of them."""
    words = request.args.get("find", "").strip()
    if not words:
        return None
    session, me = edge.reading(), edge.me()
    found = register.find(session, Asked(words=words, state="every"), by=me, limit=MOST_FOUND)
    waits = {row.document_id for row in decisions.awaiting_issue(session)}
    rows = [
        SimpleNamespace(
            document=row.document,
            revision=row.revision,
            issue=row.document.id in waits,
            stands=row.revision is not None and row.revision.status() == "in_force",
        )
        for row in found.rows
    ]
    return SimpleNamespace(words=words, rows=[row for row in rows if row.issue or row.stands], total=found.total)


def _found_documents() -> dict[int, str]:
    """Return what was chosen for each document that was searched for."""
    chosen = {name: said for name, said in request.form.items() if name.startswith("found-") and said}
    return {asking.read_number(name.removeprefix("found-")): said for name, said in chosen.items()}


def _signers(decision: Decision) -> list[SimpleNamespace]:
    """Return who could sign on the day of the decision, or today when that has passed, with the lines above."""
    day = max(clock.today(), decision.signed_on or clock.today())
    found = authority.signers(edge.reading(), day, chosen=decision.signer_form)
    return [SimpleNamespace(title=account.title(language.locale()), block=block, day=day) for account, block in found]


def _said(place: str, refused: Refused | None) -> SimpleNamespace:
    """Return what was typed into one of the small forms and refused, with the field at fault."""
    typed = request.form if place else {}
    return SimpleNamespace(
        place=place,
        field=refused.field if refused and place else "",
        error=refused.sentence.get(language.locale()) if refused and place else "",
        typed=typed,
    )


def _notice(decision: Decision) -> str:
    """Return one paragraph with links that announces an executed decision, to be pasted into a chat or a mail."""
    if decisions.is_open(decision) or decision.effective_from is None or decision.executed_at is None:
        return ""
    lines = decisions.lines_of(edge.reading(), decision)
    site = (edge.site().settings.base_url or request.url_root).rstrip("/")
    return papers.notice(decision, lines, address=site + _url(decision.id), locale=language.locale())


def _mended_at(problem: decisions.Problem) -> str:
    """Return the address where an error is mended: a revision's page, the details, or the line itself."""
    noun, _space, key = problem.mend.partition(" ")
    if noun == "revision":
        return url_for("revisions.show", revision_id=int(key))
    return f"#{noun}" if noun else f"#line-{problem.line}" if problem.line else "#add"


def _original(content: Content | None, name: str) -> Response:
    if content is None:
        abort(404)
    path = edge.site().store.path(content.sha256)
    return send_file(path, mimetype=Kind(content.kind).media_type, as_attachment=True, download_name=name)


def _new_page(form: DecisionForm, refused: Refused | None = None) -> str:
    return render_template(
        "decisions/new.html",
        form=form,
        error=asking.mark(form, refused),
        waiting=len(decisions.awaiting_issue(edge.reading())) + len(requests.withdrawals_waiting(edge.reading())),
        everything=bool(request.form.get("everything")),
    )


def _form_of(decision: Decision) -> DecisionForm:
    return DecisionForm(
        formdata=None,
        data={
            "title": decision.title,
            "number": decision.number,
            "signed_on": decision.signed_on.strftime("%d/%m/%Y") if decision.signed_on else "",
            "effective_from": decision.effective_from.strftime("%d/%m/%Y") if decision.effective_from else "",
            "signer_form": decision.signer_form,
            "lock": decision.lock,
        },
    )


def _acts(decision: Decision, found: Check | None, refused: Refused | None, trigger: str) -> list[SimpleNamespace]:
    asked = decisions.acts(edge.reading(), decision, by=edge.me(), found=found)
    return [_act(given, found, refused if given.trigger == trigger else None) for given in asked if given.mine]


def _act(given: Act, found: Check | None, refused: Refused | None) -> SimpleNamespace:
    happens = given.happens.get(language.locale())
    executes = given.trigger == "execute" and found is not None
    if executes and found is not None:
        happens = " ".join((_will_happen(found), happens))
    left = found.uncovered if given.trigger == "check" and found is not None else []
    return acting.shown(
        given,
        refused,
        fields=ASKED,
        typed={"reason": request.form.get("reason", ""), "confirmed": request.form.getlist("confirmed")},
        happens=happens,
        confirm=executes or bool(left),
        confirmations=[SimpleNamespace(value=row.procedure, label=row.sentence.get(language.locale())) for row in left],
    )


def _will_happen(found: Check) -> str:
    sentence: str = _(
        "%(issued)s revisions are issued (%(superseded)s of them supersede an edition in force) and %(withdrawn)s documents "
        "are withdrawn; in force: %(before)s before, %(after)s after.",
        issued=found.issued,
        superseded=found.superseded,
        withdrawn=found.withdrawn,
        before=found.in_force_before,
        after=found.in_force_after,
    )
    return sentence


def _general(refused: Refused | None, trigger: str, adding: bool) -> str:
    """Return a refusal that belongs to no field that the page shows."""
    if refused is None or adding or (trigger and refused.field in ASKED):
        return ""
    return refused.sentence.get(language.locale())


def _adding(refused: Refused | None) -> SimpleNamespace:
    """Return what was chosen and typed to add, with what is wrong with it."""
    return SimpleNamespace(
        **{name: request.form.get(name, "") for name in TYPED},
        chosen=set(_numbers("revision")),
        asked=set(_numbers("request")),
        error=refused.sentence.get(language.locale()) if refused else "",
        field=refused.field if refused else "",
        problems=refused.problems if isinstance(refused, Unread) else {},
    )


def _by_line(found: Check | None) -> dict[int, list[decisions.Problem]]:
    by_line: dict[int, list[decisions.Problem]] = {}
    for problem in found.errors if found else []:
        by_line.setdefault(problem.line or 0, []).append(problem)
    return by_line


def _load(decision_id: int, *, writing: bool = False) -> Decision:
    session = edge.writing() if writing else edge.reading()
    return decisions.load(session, decision_id, by=edge.me()) or abort(404)


def _numbers(name: str) -> list[int]:
    return [number for number in map(asking.read_number, request.form.getlist(name)) if number]


def _url(decision_id: int, anchor: str = "") -> str:
    return url_for("decisions.show", decision_id=decision_id, _anchor=anchor or None)
