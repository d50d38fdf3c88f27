"""The pages of the legal watch: the board, one assessment with its acts, and the citations of documents in force."""

from types import SimpleNamespace

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import audit, clock, external, lifecycle, register, watch
from docctl.exporting import law
from docctl.rules import NoRole, Refused
from docctl.watch import Cited, LegalAssessment, Standing
from docctl.web import acting, asking, edge, errors, kept, language, show, telling

blueprint = Blueprint("watch", __name__)

LOOKS = {"on_time": "in_force", "due": "scheduled", "late": "withdrawn"}
EVERY = "every"
TALLEST = 120


@blueprint.get("/legal-watch")
def index() -> str | Response:
    """Show the board of the legal watch, or give it as a workbook."""
    session, me = edge.reading(), edge.me()
    if request.args.get("format") == "xlsx":
        return kept.file(law.legal_watch(session, register.Asked(), by=me, locale=language.locale()), "xlsx")
    every = watch.board.all_standing(session, by=me)
    bucket = kept.chosen(request.args.get("bucket"), watch.board.BUCKETS, EVERY)
    month = request.args.get("month", "")
    rows = [row for row in every if bucket in (EVERY, row.bucket) and (not month or _month(row) == month)]
    year = clock.today().year
    keeps = external.keeping_refusal(by=me) is None
    return render_template(
        "watch/index.html",
        rows=[_row(row) for row in rows],
        total=len(every),
        counts={name: sum(row.bucket == name for row in every) for name in watch.board.BUCKETS},
        bucket=bucket,
        month=month,
        words=_buckets(),
        looks=LOOKS,
        bars=_bars(every),
        tallest=TALLEST,
        scores=[watch.score(session, each) for each in (year - 1, year)],
        unassessed=watch.unassessed(session) if keeps else [],
        may_keep=keeps,
        xlsx_url=kept.again("watch.index", format="xlsx"),
    )


@blueprint.post("/legal-watch/unassessed")
def open_unassessed() -> Response:
    """Open the assessments of changes that took effect after the editions citing the law, and were never assessed."""
    external.refuse_others(edge.me())
    made = watch.open_unassessed(edge.writing(), by=edge.me())
    edge.commit()
    flash(_("%(n)s assessments are open.", n=len(made)), "success")
    return redirect(url_for("watch.index"), 303)


@blueprint.get("/legal-watch/citations")
def citations() -> str:
    """List what documents in force cite that is not in the register, or no longer in force."""
    session, me = edge.reading(), edge.me()
    seen = register.visible_ids(session, by=me)
    return render_template(
        "watch/citations.html",
        unknown=_by_label([row for row in watch.citing.unknown(session) if row.document.id in seen]),
        expired=_by_label([row for row in watch.citing.expired(session) if row.document.id in seen]),
        may_keep=external.keeping_refusal(by=me) is None,
        may_judge=me.has("controller", "reviewer", "author"),
    )


@blueprint.post("/documents/<int:document_id>/citations")
def judge(document_id: int) -> Response:
    """Say that a document does cite a law, or that what was read is no citation."""
    document = register.load(edge.writing(), document_id, by=edge.me()) or abort(404)
    verdict = "rejected" if request.form.get("verdict") == "rejected" else "confirmed"
    watch.judge(edge.writing(), document, request.form.get("label", ""), verdict, by=edge.me())
    edge.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("watch.of_document", document_id=document_id), 303)


@blueprint.get("/documents/<int:document_id>/citations")
def of_document(document_id: int) -> str:
    """Show which laws a document in force cites, as read from its text, for a person to confirm."""
    session, me = edge.reading(), edge.me()
    document = register.load(session, document_id, by=me) or abort(404)
    found = watch.citing.all_cited(session, [document_id])
    return render_template(
        "watch/document.html",
        document=document,
        rows=[_cited(row) for row in found],
        standing=[_row(watch.standing(row)) for row in watch.board.of_document(session, document)],
        may_judge=bool({"controller", "reviewer", "author"} & me.roles_in(document.unit_id)),
    )


@blueprint.get("/legal-watch/<int:assessment_id>", endpoint="show")
def show_one(assessment_id: int) -> str:
    """Show an assessment: what changed, what it is about, who acts next and until when."""
    return _page(_load(assessment_id))


@blueprint.post("/legal-watch/<int:assessment_id>/transitions")
def act(assessment_id: int) -> Response:
    """Judge an assessment, or end it."""
    _load(assessment_id)
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _page(_load(assessment_id), refused, trigger=trigger))
    signing = edge.signing(request.form.get("password"))
    row = _load(assessment_id, writing=True)
    seen = asking.seen()
    watch.act(edge.writing(), row, trigger, by=edge.me(), reason=reason, signing=signing, seen=seen)
    edge.commit()
    return redirect(url_for("watch.show", assessment_id=assessment_id), 303)


@blueprint.post("/legal-watch/<int:assessment_id>/request")
def open_request(assessment_id: int) -> Response:
    """Open a change request that is filled in with the law, the day and the finding."""
    errors.show_again(lambda refused: _page(_load(assessment_id), refused))
    row = _load(assessment_id, writing=True)
    made = watch.open_request(edge.writing(), row, by=edge.me(), locale=language.locale())
    edge.commit()
    flash(_("The request is filled in. Look it over and submit it."), "success")
    return redirect(url_for("requests.show", request_id=made.id), 303)


def _load(assessment_id: int, *, writing: bool = False) -> LegalAssessment:
    session = edge.writing() if writing else edge.reading()
    return watch.load(session, assessment_id, by=edge.me()) or abort(404)


def _month(row: Standing) -> str:
    return row.assessment.deadline.strftime("%Y-%m")


def _buckets() -> dict[str, str]:
    return {"due": _("Due"), "late": _("Late"), "on_time": _("On time")}


def _row(row: Standing) -> SimpleNamespace:
    about, session = row.assessment, edge.reading()
    follows = lifecycle.workflow_of(session, about)
    return SimpleNamespace(
        id=about.id,
        law=about.law,
        cause=f"{about.cause_number} ({show.say(law.CHANGES[about.cause_kind])})",
        effective_from=about.effective_from,
        deadline=about.deadline,
        code=about.code,
        title=about.title,
        unit_name=about.unit.name(language.locale()) if about.unit else "",
        state=show.say(follows.states[about.state].label),
        bucket=_buckets()[row.bucket],
        look=LOOKS[row.bucket],
        days=_days(row),
    )


def _days(row: Standing) -> str:
    if row.bucket == "due":
        return str(_("%(n)s days left", n=row.days))
    if row.bucket == "late":
        return str(_("%(n)s days late", n=row.days))
    return str(_("ended %(day)s", day=show.day(row.assessment.finished_on)))


def _bars(rows: list[Standing]) -> list[SimpleNamespace]:
    """Return a bar for each month, its parts from the foot up, in units of the chart."""
    months = watch.board.by_month(rows)[-18:]
    most = max((month.total for month in months), default=0)
    bars = []
    for month in months:
        foot, parts = float(TALLEST), []
        for bucket in ("on_time", "late", "due"):
            height = round(TALLEST * month.counts[bucket] / most, 1)
            foot -= height
            parts.append(SimpleNamespace(bucket=bucket, y=round(foot, 1), height=height, n=month.counts[bucket]))
        name = f"{month.month:02d}/{month.year}"
        url = url_for("watch.index", month=f"{month.year}-{month.month:02d}")
        bars.append(SimpleNamespace(name=name, parts=parts, total=month.total, url=url))
    return bars


def _by_label(rows: list[Cited]) -> list[SimpleNamespace]:
    """Group citations by what they name, the most cited first."""
    grouped: dict[str, list[Cited]] = {}
    for row in rows:
        grouped.setdefault(row.law.number if row.law else row.citation.label, []).append(row)
    listed = sorted(grouped.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [
        SimpleNamespace(
            label=label, rows=found, law=found[0].law, ended=found[0].law.ended_on() if found[0].law else None
        )
        for label, found in listed
    ]


def _cited(row: Cited) -> SimpleNamespace:
    state = row.law.state_on(clock.today()) if row.law else ""
    return SimpleNamespace(
        label=row.citation.label,
        law=row.law,
        state=show.say(law.EXTERNAL_STATES[state]) if state else "",
        look={"in_force": "in_force", "not_yet": "scheduled", "expired": "withdrawn"}.get(state, "draft"),
        verdict=row.verdict,
    )


def _page(row: LegalAssessment, refused: Refused | None = None, *, trigger: str = "") -> str:
    session, me = edge.reading(), edge.me()
    standing = watch.standing(row)
    given = [each for each in watch.acts(session, row, by=me) if each.mine]
    request_refusal = watch.request_refusal(session, row, by=me)
    return render_template(
        "watch/show.html",
        assessment=row,
        row=_row(standing),
        tone={"on_time": "good", "late": "stop"}.get(standing.bucket, "wait"),
        waiting=show.say(watch.waiting_for(session, row, by=me)),
        acts=[acting.shown(each, refused if each.trigger == trigger else None) for each in given],
        may_request=request_refusal is None,
        may_see_document=row.document_id is not None,
        error=_general(refused, trigger),
        signatures=lifecycle.signatures(session, row),
        entries=telling.history(audit.of_record(session, "legal_assessment", row.id)),
    )


def _general(refused: Refused | None, trigger: str) -> str:
    if refused is None or isinstance(refused, NoRole) or (trigger and refused.field in ("reason", "password")):
        return ""
    return refused.sentence.get(language.locale())
