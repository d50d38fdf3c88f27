"""The pages of internal audits: the plan, the samples, the walk through one sample, and the report."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import InputRequired

from docctl import audit, chains, clock, documents, internal_audits, lifecycle, register, units
from docctl.exporting import internal_audits as papers
from docctl.internal_audits import GRADES, VERDICTS, InternalAudit, Sample, checklist, findings, sampling
from docctl.internal_audits import auditing as audits
from docctl.rules import NoRole, Refused, Sentence
from docctl.web import acting, asking, edge, errors, kept, language, show, slip_rows, telling

blueprint = Blueprint("internal_audits", __name__)

NOT_YOURS = Sentence(
    "Chỉ đánh giá viên, người kiểm soát tài liệu, thư ký ISO, lãnh đạo và trưởng đơn vị xem được đánh giá nội bộ.",
    "Only auditors, document controllers, the ISO secretary, approvers and unit heads see internal audits.",
)
PRINTED = ("docx", "pdf")
LOOKS = {"planned": "draft", "under_way": "in_review", "reported": "executed", "cancelled": "discarded"}
A_DAY = {"inputmode": "numeric", "placeholder": "26/10/2022", "autocomplete": "off"}
LINES = {"rows": 3}
NEEDED = [InputRequired()]  # Marks the field; the verbs refuse, in a sentence.
IN_THE_END = {"required": False}  # Needed before the next step, not to save what there is.


class AuditForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """What an audit says of itself."""

    title = StringField(lazy_gettext("Title of the audit"), NEEDED, render_kw={"autocomplete": "off"})
    scope = TextAreaField(
        lazy_gettext("Scope"),
        NEEDED,
        description=lazy_gettext("Units, documents and period that it covers."),
        render_kw=LINES | IN_THE_END,
    )
    criteria = TextAreaField(lazy_gettext("Criteria"), render_kw=LINES)
    first_day = StringField(lazy_gettext("First day"), NEEDED, render_kw=A_DAY | IN_THE_END)
    last_day = StringField(lazy_gettext("Last day"), NEEDED, render_kw=A_DAY | IN_THE_END)
    team = TextAreaField(lazy_gettext("Team"), description=lazy_gettext("Titles, one a line."), render_kw=LINES)
    plan = TextAreaField(
        lazy_gettext("Plan"), description=lazy_gettext("Which unit on which day, and by whom."), render_kw={"rows": 5}
    )
    conclusion = TextAreaField(
        lazy_gettext("Conclusion"), description=lazy_gettext("Needed before the report is signed."), render_kw=LINES
    )
    lock = HiddenField()


class DrawForm(FlaskForm):  # type: ignore[misc]
    """How many samples to draw, out of what, with which seed."""

    size = StringField(lazy_gettext("Number of samples"), NEEDED, render_kw={"inputmode": "numeric"})
    seed = StringField(
        lazy_gettext("Seed"),
        description=lazy_gettext("Leave it empty and one is made; it is printed, so that anybody can draw the same."),
        render_kw={"autocomplete": "off"},
    )
    unit = SelectField(lazy_gettext("Of the unit"), validate_choice=False)
    type = SelectField(lazy_gettext("Of the type"), validate_choice=False)


class ChooseForm(FlaskForm):  # type: ignore[misc]
    """Which documents the auditor takes on purpose."""

    codes = TextAreaField(
        lazy_gettext("Codes of documents"),
        NEEDED,
        description=lazy_gettext("One a line."),
        render_kw=LINES,
    )


class FindingForm(FlaskForm):  # type: ignore[misc]
    """A finding: where, how grave, what, whose, and by when."""

    grade = SelectField(lazy_gettext("Grade"), validate_choice=False)
    unit = SelectField(lazy_gettext("Unit that corrects it"), validate_choice=False)
    point = SelectField(lazy_gettext("Point of the checklist"), validate_choice=False)
    statement = TextAreaField(
        lazy_gettext("What does not conform"),
        NEEDED,
        description=lazy_gettext("What was seen, where and when, so that somebody who was not there understands."),
        render_kw=LINES,
    )
    due_on = StringField(
        lazy_gettext("Corrective report due on"), description=lazy_gettext("Two months by default."), render_kw=A_DAY
    )


@blueprint.get("/internal-audits")
def index() -> str:
    """List the audits and the findings that whoever asks may see, open ones first."""
    session, me = edge.reading(), edge.me()
    if not audits.may_see(me) and not me.has("reviewer"):
        raise NoRole(NOT_YOURS)
    slips = findings.visible(session, by=me)
    return render_template(
        "internal_audits/index.html",
        sees_audits=audits.may_see(me),
        audits=[_listed(row) for row in audits.all_audits(session, by=me)],
        may_open=me.has("auditor"),
        slips=[slip_rows.row_of(row) for row in slips],
        late=sum(findings.is_late(row) for row in slips),
        open=sum(findings.is_pending(row) for row in slips),
    )


@blueprint.get("/internal-audits/new")
def new() -> str:
    """Ask for the plan of a new audit."""
    audits.refuse_unless_auditor(edge.me())
    day = show.day(clock.today())
    return _new_page(AuditForm(formdata=None, data={"first_day": day, "last_day": day, "criteria": audits.CRITERIA}))


@blueprint.post("/internal-audits")
def begin() -> Response:
    """Open an audit."""
    form = AuditForm()
    errors.show_again(lambda refused: _new_page(form, refused))
    made = internal_audits.open_audit(edge.writing(), by=edge.me(), **_said(form))
    edge.commit()
    flash(_("The audit is open. Take samples, then begin."), "success")
    return redirect(url_for("internal_audits.show_one", audit_id=made.id), 303)


@blueprint.get("/internal-audits/<int:audit_id>")
def show_one(audit_id: int) -> str:
    """Show an audit: its plan, draws, samples and findings, and what can be done."""
    return _page(audit_id)


@blueprint.post("/internal-audits/<int:audit_id>")
def edit(audit_id: int) -> Response:
    """Write what an audit says of itself."""
    form = AuditForm()
    errors.show_again(lambda refused: _page(audit_id, refused, form=form))
    found = _load(audit_id, writing=True)
    seen = asking.read_number(form.lock.data, default=-1)
    audits.edit(edge.writing(), found, by=edge.me(), seen=seen, **_said(form))
    edge.commit()
    flash(_("The audit is saved."), "success")
    return redirect(url_for("internal_audits.show_one", audit_id=audit_id), 303)


@blueprint.post("/internal-audits/<int:audit_id>/transitions")
def act(audit_id: int) -> Response:
    """Begin an audit, sign its report, or cancel it."""
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _page(audit_id, refused, trigger=trigger))
    signing = edge.signing(request.form.get("password"))
    found = _load(audit_id, writing=True)
    seen = asking.seen()
    audits.act(edge.writing(), found, trigger, by=edge.me(), reason=reason, signing=signing, seen=seen)
    edge.commit()
    flash(_("Done. This is how the audit stands now."), "success")
    return redirect(url_for("internal_audits.show_one", audit_id=audit_id), 303)


@blueprint.post("/internal-audits/<int:audit_id>/draws")
def draw(audit_id: int) -> Response:
    """Draw samples at random from the master list."""
    form = DrawForm()
    errors.show_again(lambda refused: _page(audit_id, refused, drawing=form))
    found, session = _load(audit_id, writing=True), edge.writing()
    taken = internal_audits.draw(
        session,
        found,
        by=edge.me(),
        size=asking.read_number(form.size.data),
        seed=form.seed.data or "",
        unit=units.find(session, form.unit.data) if form.unit.data else None,
        type=documents.find_type(session, form.type.data) if form.type.data else None,
    )
    edge.commit()
    flash(_("%(n)s samples drawn.", n=len(taken)), "success")
    return redirect(url_for("internal_audits.show_one", audit_id=audit_id, _anchor="samples"), 303)


@blueprint.post("/internal-audits/<int:audit_id>/samples")
def choose(audit_id: int) -> Response:
    """Take documents that are named by their codes."""
    form = ChooseForm()
    errors.show_again(lambda refused: _page(audit_id, refused, choosing=form))
    found = _load(audit_id, writing=True)
    taken = internal_audits.choose(edge.writing(), found, (form.codes.data or "").splitlines(), by=edge.me())
    edge.commit()
    flash(_("%(n)s samples taken.", n=len(taken)), "success")
    return redirect(url_for("internal_audits.show_one", audit_id=audit_id, _anchor="samples"), 303)


@blueprint.get("/internal-audits/<int:audit_id>/samples/<int:sample_id>")
def sample(audit_id: int, sample_id: int) -> str:
    """Show a sample with the records to look at, and the checklist."""
    return _walk_page(audit_id, sample_id)


@blueprint.post("/internal-audits/<int:audit_id>/samples/<int:sample_id>")
def walk(audit_id: int, sample_id: int) -> Response:
    """Write down what was seen at a sample, point by point."""
    errors.show_again(lambda refused: _walk_page(audit_id, sample_id, refused))
    row = _sample(_load(audit_id, writing=True), sample_id, writing=True)
    answers = {
        point.point: (request.form.get(f"verdict-{point.point}", ""), request.form.get(f"note-{point.point}", ""))
        for point in row.answers
    }
    seen = {point.point: request.form.get(f"seen-{point.point}", "") for point in row.answers}
    internal_audits.walk(edge.writing(), row, answers, by=edge.me(), seen=seen)
    edge.commit()
    flash(_("The answers are saved."), "success")
    return redirect(url_for("internal_audits.sample", audit_id=audit_id, sample_id=sample_id), 303)


@blueprint.post("/internal-audits/<int:audit_id>/samples/<int:sample_id>/findings")
def raise_finding(audit_id: int, sample_id: int) -> Response:
    """Raise a finding at a sample; its slip goes to the unit."""
    form = FindingForm()
    errors.show_again(lambda refused: _walk_page(audit_id, sample_id, refused, form=form))
    found, session = _load(audit_id, writing=True), edge.writing()
    row = _sample(found, sample_id, writing=True)
    code = form.point.data if form.point.data in {answer.point for answer in row.answers} else ""
    made = internal_audits.raise_finding(
        session,
        found,
        by=edge.me(),
        unit=units.find(session, form.unit.data or ""),
        statement=form.statement.data or "",
        grade=form.grade.data or "",
        requirement=_requirement(found, code),
        due_on=asking.read_day(form.due_on.data, "due_on"),
        sample=row,
        point=code,
    )
    edge.commit()
    flash(_("The slip is raised. Link the evidence of the finding to it."), "success")
    return redirect(url_for("nonconformity.show_one", slip_id=made.id), 303)


@blueprint.get("/internal-audits/<int:audit_id>/report.<format>")
def report(audit_id: int, format: str) -> Response:
    """Give the report of an audit as a Word document or a PDF."""
    if format not in PRINTED:
        abort(404)
    paper = papers.report(edge.reading(), _load(audit_id), locale=language.locale())
    return kept.file(paper, format, paper.title)


def _page(
    audit_id: int,
    refused: Refused | None = None,
    *,
    form: AuditForm | None = None,
    drawing: DrawForm | None = None,
    choosing: ChooseForm | None = None,
    trigger: str = "",
) -> str:
    found, session, me = _load(audit_id), edge.reading(), edge.me()
    used: FlaskForm | None = form or drawing or choosing
    error = asking.mark(used, refused) if used else show.say(refused.sentence) if refused else ""
    acts = [given for given in audits.acts(session, found, by=me) if given.mine]
    samples, slips = audits.samples(session, found), findings.of_audit(session, found)
    return render_template(
        "internal_audits/show.html",
        audit=found,
        label=show.say(lifecycle.label(session, found)),
        look=LOOKS[found.state],
        waiting=show.say(audits.waiting_for(session, found, by=me)),
        error="" if refused is not None and refused.field in ("password", "reason") else error,
        acts=[acting.shown(given, refused if given.trigger == trigger else None) for given in acts],
        form=(form or _form_of(found)) if audits.may_edit(found, by=me) else None,
        editing=form is not None,
        drawing=_with_choices(drawing or DrawForm(formdata=None, data={"size": "10"})),
        choosing=choosing or ChooseForm(formdata=None),
        draws=[(row, sampling.reproduced(session, row)) for row in sampling.draws(session, found)],
        samples=[_sample_row(row) for row in samples],
        walked=sum(not row.open_points for row in samples),
        slips=[slip_rows.row_of(row) for row in slips],
        signatures=lifecycle.signatures(session, found),
        entries=telling.history(audit.of_record(session, found.NOUN, found.id)),
    )


def _walk_page(
    audit_id: int, sample_id: int, refused: Refused | None = None, *, form: FindingForm | None = None
) -> str:
    found, session, me = _load(audit_id), edge.reading(), edge.me()
    row = _sample(found, sample_id)
    error = asking.mark(form, refused) if form else show.say(refused.sentence) if refused else ""
    walking = audits.is_under_way(found) and me.has("auditor")
    steps = chains.of_revision(session, row.revision, by=me) if row.revision else []
    others = audits.samples(session, found)
    return render_template(
        "internal_audits/sample.html",
        audit=found,
        sample=row,
        number=len(others),
        before=next((other for other in reversed(others) if other.position < row.position), None),
        after=next((other for other in others if other.position > row.position), None),
        error=error if not refused or not refused.field or not refused.field.startswith("note-") else "",
        wrong=refused.field if refused and refused.field else "",
        wrong_says=show.say(refused.sentence) if refused else "",
        points=[_point_row(found, row, answer, refused if form is None else None) for answer in row.answers],
        verdicts=[(name, show.say(words)) for name, words in VERDICTS.items()],
        walking=walking,
        raising=_finding_form(form, found, row) if walking else None,
        typing=form is not None,
        steps=len(steps),
        flagged=chains.flagged(steps),
        status=row.revision.status() if row.revision else "",
        day=found.first_day or clock.today(),
        seen=register.load(session, row.document_id, by=me) is not None,
        slips=[slip_rows.row_of(each) for each in findings.of_audit(session, found) if each.audit_sample_id == row.id],
    )


def _point_row(found: InternalAudit, row: Sample, answer: Any, refused: Refused | None) -> SimpleNamespace:
    point = checklist.point(found.checklist, answer.point)
    typed = request.form if refused is not None else {}
    return SimpleNamespace(
        code=answer.point,
        words=show.say(point.words),
        url=_look(row, point.look),
        look=_looks().get(point.look, ""),
        seen=answer.verdict,
        verdict=typed.get(f"verdict-{answer.point}", answer.verdict),
        note=typed.get(f"note-{answer.point}", answer.note),
    )


def _looks() -> dict[str, str]:
    return {
        "document": _("the document"),
        "chain": _("the chain of evidence"),
        "in_force": _("what was in force"),
        "trail": _("the trail"),
        "distribution": _("the distribution"),
        "recall": _("the recalls"),
        "retention": _("the retention"),
        "external": _("what it cites"),
        "reviews": _("the reviews"),
    }


def _look(row: Sample, look: str) -> str:
    """Return the address of the record in which the answer to a point is found."""
    if look == "chain" and row.revision_id is not None:
        return url_for("chains.document", document_id=row.document_id, revision=row.revision_id)
    if look == "distribution" and row.revision_id is not None:
        return url_for("distribution.of_revision", revision_id=row.revision_id)
    if look in ("document", "chain", "distribution"):
        return url_for("documents.show", document_id=row.document_id)
    if look == "external":
        return url_for("watch.of_document", document_id=row.document_id)
    if look == "reviews":
        return url_for("reviews.of_document", document_id=row.document_id)
    if look == "trail":
        return url_for("trail.document", document_id=row.document_id)
    pages = {"in_force": "in_force.show", "recall": "recalls.index", "retention": "retention.index"}
    return url_for(pages[look]) if look in pages else ""


def _finding_form(form: FindingForm | None, found: InternalAudit, row: Sample) -> FindingForm:
    locale = language.locale()
    wrong = next((answer for answer in row.answers if answer.verdict == "nonconforming"), None)
    shown = form or FindingForm(
        formdata=None,
        data={
            "grade": "minor",
            "unit": row.document.unit.code,
            "point": wrong.point if wrong else "",
            "statement": wrong.note if wrong else "",
            "due_on": show.day(findings.due_date(edge.reading())),
        },
    )
    shown.grade.choices = [(name, show.say(words)) for name, words in GRADES.items()]
    shown.unit.choices = [(unit.code, unit.name(locale)) for unit in units.all_units(edge.reading()) if not unit.ended]
    points = [(answer.point, checklist.point(found.checklist, answer.point)) for answer in row.answers]
    shown.point.choices = [("", "–"), *((code, f"{code} {show.say(point.words)}") for code, point in points)]
    return shown


def _requirement(found: InternalAudit, code: str) -> str:
    return f"{code} {show.say(checklist.point(found.checklist, code).words)}" if code else ""


def _listed(row: InternalAudit) -> SimpleNamespace:
    session = edge.reading()
    samples, slips = audits.samples(session, row), findings.of_audit(session, row)
    return SimpleNamespace(
        id=row.id,
        number=row.number_text,
        title=row.title,
        first_day=row.first_day,
        last_day=row.last_day,
        look=LOOKS[row.state],
        label=show.say(lifecycle.label(session, row)),
        samples=len(samples),
        walked=sum(not each.open_points for each in samples),
        slips=len(slips),
        closed=sum(not findings.is_pending(each) for each in slips),
    )


def _sample_row(row: Sample) -> SimpleNamespace:
    count = sampling.tally(row)
    return SimpleNamespace(
        id=row.id,
        position=row.position,
        code=row.document.code,
        title=row.document.title,
        edition_text=row.revision.edition_text if row.revision else "–",
        effective_from=row.revision.effective_from if row.revision else None,
        status=row.revision.status() if row.revision else "",
        unit_name=row.document.unit.name(language.locale()),
        random=row.draw_id is not None,
        answered=len(row.answers) - row.open_points,
        points=len(row.answers),
        wrong=count["nonconforming"],
    )


def _with_choices(form: DrawForm) -> DrawForm:
    session, locale = edge.reading(), language.locale()
    form.unit.choices = [("", _("the whole office"))] + [
        (unit.code, unit.name(locale)) for unit in units.all_units(session) if not unit.ended and unit.parent_id
    ]
    form.type.choices = [("", _("every type"))] + [
        (kind.code, kind.name(locale)) for kind in documents.all_types(session)
    ]
    return form


def _new_page(form: AuditForm, refused: Refused | None = None) -> str:
    return render_template("internal_audits/new.html", form=form, error=asking.mark(form, refused))


def _form_of(found: InternalAudit) -> AuditForm:
    data: dict[str, Any] = {name: getattr(found, name) for name in audits.WORDS}
    data |= {name: show.day(getattr(found, name)) for name in ("first_day", "last_day")}
    return AuditForm(formdata=None, data=data | {"lock": str(found.lock)})


def _said(form: AuditForm) -> dict[str, Any]:
    """Return what the form says, as `open_audit` and `edit` take it."""
    return {name: form[name].data or "" for name in audits.WORDS} | _days(form)


def _days(form: AuditForm) -> dict[str, Any]:
    return {name: asking.read_day(form[name].data, name) for name in ("first_day", "last_day")}


def _load(audit_id: int, *, writing: bool = False) -> InternalAudit:
    session = edge.writing() if writing else edge.reading()
    return internal_audits.load(session, audit_id, by=edge.me()) or abort(404)


def _sample(found: InternalAudit, sample_id: int, *, writing: bool = False) -> Sample:
    session = edge.writing() if writing else edge.reading()
    return sampling.of_audit(session, found, sample_id) or abort(404)
