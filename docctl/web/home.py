"""Home: what waits for me, what I wait for, what changed that I may read, and a few figures with lists behind them."""

from types import SimpleNamespace

from flask import Blueprint, render_template, url_for
from flask_babel import gettext as _
from markupsafe import Markup

from docctl import decisions, documents, register, reviews, tasks, units, watch
from docctl.distribution import ReadTask, reading
from docctl.internal_audits import Nonconformity
from docctl.register import Asked
from docctl.requests import ChangeRequest
from docctl.revisions import Revision
from docctl.tasks import Task
from docctl.web import edge, language, show

blueprint = Blueprint("home", __name__)

MOST_READ = 10


@blueprint.get("/", endpoint="show")
def page() -> str:
    """Show the to-do list of whoever asks."""
    session, me = edge.reading(), edge.me()
    mine = tasks.waiting_for_me(session, by=me)
    theirs = tasks.i_wait_for(session, by=me, mine=mine)
    news, news_total = tasks.changed(session, by=me)
    in_force = register.find(session, Asked(), by=me, limit=1)
    distributed = tasks.distributed(session, by=me)
    return render_template(
        "home/show.html",
        to_read=[_reading_row(task) for task in distributed.read[:MOST_READ]],
        distributed=distributed,
        tasks=[_row(task) for task in mine],
        waiting=[_row(task) for task in theirs],
        news=[row_of(revision) for revision in news],
        news_total=news_total,
        in_force=in_force.total,
        documents=in_force.documents,
        open_revisions=tasks.open_count(session, by=me),
        clashes=register.clashes(session, by=me),
        to_issue=len(decisions.awaiting_issue(session)) if decisions.drafting_refusal(by=me) is None else 0,
        works=register.sees_more(me),
        drafts=any(documents.may_add(unit, by=me) for unit in units.all_units(session)),
        reviews_overdue=len(reviews.overdue(session, by=me)),
        assessments=watch.board.waiting_for(session, by=me),
        keeps_accounts=me.has("admin"),
        owed=decisions.open_obligations(session, by=me),
    )


def row_of(revision: Revision) -> SimpleNamespace:
    """Return a revision as a row of a list."""
    return SimpleNamespace(
        code=revision.document.code,
        title=revision.title,
        edition_text=revision.edition_text,
        effective_from=revision.effective_from,
        status=revision.status(),
        unit_name=revision.document.unit.name(language.locale()),
        url=url_for("revisions.show", revision_id=revision.id),
    )


def _reading_row(task: ReadTask) -> SimpleNamespace:
    row = row_of(task.revision)
    row.note = show.say(reading.label(edge.reading(), task))
    return row


def _row(task: Task) -> SimpleNamespace:
    row = row_of(task.revision) if task.revision else _other_row(task)
    day = Markup('<time datetime="{}">{}</time>').format(task.since.isoformat(), show.day(task.since))
    since = Markup("{} {}").format(_("since"), day)
    row.note = Markup('<a href="{}">{}</a> · ').format(row.url, show.say(task.act)) + since if task.act else since
    row.snippet = [(show.say(task.waiting), False)] if task.waiting else None
    return row


def _other_row(task: Task) -> SimpleNamespace:
    if isinstance(task.subject, ChangeRequest):
        return _request_row(task.subject)
    if isinstance(task.subject, Nonconformity):
        return _slip_row(task.subject)
    decision = task.subject
    return SimpleNamespace(
        code=getattr(decision, "number", "") or _("decision"),
        title=decision.title,
        edition_text="",
        effective_from=getattr(decision, "effective_from", None),
        status=decision.state,
        unit_name="",
        url=url_for("decisions.show", decision_id=decision.id),
    )


def _slip_row(slip: Nonconformity) -> SimpleNamespace:
    day = show.day(slip.due_on)
    due = _("overdue since %(day)s", day=day) if slip.days_left < 0 else _("due on %(day)s", day=day)
    return SimpleNamespace(
        code=_("slip %(number)s", number=slip.number_text),
        title=f"{due}: {slip.statement[:120]}",
        edition_text="",
        effective_from=None,
        status={"open": "to_correct", "answered": "to_verify"}.get(slip.state, slip.state),
        unit_name=slip.unit.name(language.locale()),
        url=url_for("nonconformity.show_one", slip_id=slip.id),
    )


def _request_row(asked: ChangeRequest) -> SimpleNamespace:
    return SimpleNamespace(
        code=_("request %(number)s", number=asked.number_text),
        title=" – ".join(part for part in (asked.about_code, asked.subject) if part) or _("no title yet"),
        edition_text=asked.edition_text,
        effective_from=asked.effective_on,
        status=asked.state,
        unit_name=asked.unit.name(language.locale()),
        url=url_for("requests.show", request_id=asked.id),
    )
