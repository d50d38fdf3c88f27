"""The pages of recalls: taking copies back by scanning them, declaring lost ones, and the minutes with two signatures."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField, TextAreaField

from docctl import audit, clock, lifecycle, recall
from docctl.distribution import copies, lists
from docctl.exporting import minutes
from docctl.recall import Recall, RecallLine
from docctl.rules import Refused, Sentence
from docctl.web import acting, asking, edge, errors, kept, language, show, telling
from docctl.workflow import Act

blueprint = Blueprint("recalls", __name__)

PRINTED = ("docx", "pdf")


class MinutesForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """What the minutes say beside their lines."""

    number = StringField(lazy_gettext("Number of the minutes"), render_kw={"autocomplete": "off"})
    held_on = StringField(
        lazy_gettext("Date of the minutes"), render_kw={"inputmode": "numeric", "placeholder": "26/10/2022"}
    )
    basis = TextAreaField(lazy_gettext("Basis"), render_kw={"rows": 2})
    participants = TextAreaField(
        lazy_gettext("Participants"),
        description=lazy_gettext("Titles of those present, one a line or set apart by semicolons."),
        render_kw={"rows": 3},
    )
    lock = HiddenField()


@blueprint.get("/recalls")
def index() -> str:
    """List the recalls, open ones first."""
    recall.refuse_unless_seeing(edge.me())
    session = edge.reading()
    return render_template("recalls/index.html", rows=[_listed(row) for row in recall.all_recalls(session)])


@blueprint.get("/recalls/<int:recall_id>")
def show_one(recall_id: int) -> str:
    """Show a recall: what is still out, what came back, and its minutes."""
    return _page(recall_id)


@blueprint.get("/recalls/<int:recall_id>/minutes.<format>")
def minutes_file(recall_id: int, format: str) -> Response:
    """Give the minutes as a Word document or a PDF."""
    if format not in PRINTED:
        abort(404)
    found, locale = _load(recall_id), language.locale()
    paper = minutes.of_recall(edge.reading(), found, locale=locale)
    return kept.file(paper, format, f"F6 {paper.title} {found.number or found.id}")


@blueprint.post("/recalls/<int:recall_id>/returns")
def take_back(recall_id: int) -> Response:
    """Record the return of the copy that was scanned or typed, or that it is lost."""
    typed, condition = request.form.get("copy", ""), request.form.get("condition", "")
    errors.show_again(lambda refused: _page(recall_id, refused, typed=typed))
    found = _load(recall_id, writing=True)
    copy = recall.take_back(edge.writing(), found, typed, by=edge.me(), condition=condition)
    name = f"{copy.revision.document.code} {copy.number_text}"
    edge.commit()
    flash(_("Copy %(number)s: recorded.", number=name), "success")
    return redirect(url_for("recalls.show_one", recall_id=recall_id, _anchor="scan"), 303)


@blueprint.post("/recalls/<int:recall_id>/losses/<int:copy_id>")
def declare_lost(recall_id: int, copy_id: int) -> Response:
    """Declare a copy of the recall lost, with the reason."""
    reason = request.form.get("reason", "")
    errors.show_again(lambda refused: _page(recall_id, refused))
    found = _load(recall_id, writing=True)
    copy = copies.load(edge.writing(), copy_id, by=edge.me()) or abort(404)
    if not reason.strip():
        raise Refused(Sentence("Hãy ghi lý do.", "Give the reason."), field="reason")
    recall.settle(edge.writing(), found, copy, by=edge.me(), lost=reason)
    name = f"{copy.revision.document.code} {copy.number_text}"
    edge.commit()
    flash(_("Copy %(number)s: declared lost.", number=name), "success")
    return redirect(url_for("recalls.show_one", recall_id=recall_id, _anchor="held"), 303)


@blueprint.post("/recalls/<int:recall_id>/disposal")
def dispose(recall_id: int) -> Response:
    """Destroy or archive every returned copy."""
    trigger = request.form.get("trigger", "")
    if trigger not in ("destroy", "archive"):
        abort(400)
    found = _load(recall_id, writing=True)
    number = recall.dispose(edge.writing(), found, trigger, by=edge.me())
    edge.commit()
    flash(_("%(n)s copies recorded.", n=number), "success")
    return redirect(url_for("recalls.show_one", recall_id=recall_id), 303)


@blueprint.post("/recalls/<int:recall_id>")
def edit(recall_id: int) -> Response:
    """Write what the minutes say."""
    form = MinutesForm()
    errors.show_again(lambda refused: _page(recall_id, refused, form=form))
    found = _load(recall_id, writing=True)
    recall.edit(
        edge.writing(),
        found,
        by=edge.me(),
        number=form.number.data or "",
        held_on=asking.read_day(form.held_on.data, "held_on"),
        participants=form.participants.data or "",
        basis=form.basis.data or "",
        seen=asking.read_number(form.lock.data, default=-1),
    )
    edge.commit()
    flash(_("The minutes are saved."), "success")
    return redirect(url_for("recalls.show_one", recall_id=recall_id), 303)


@blueprint.post("/recalls/<int:recall_id>/transitions")
def act(recall_id: int) -> Response:
    """Sign the minutes, witness them, or reopen them."""
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _page(recall_id, refused, trigger=trigger))
    signing = edge.signing(request.form.get("password"))
    found = _load(recall_id, writing=True)
    seen = asking.seen()
    recall.act(edge.writing(), found, trigger, by=edge.me(), reason=reason, signing=signing, seen=seen)
    edge.commit()
    flash(_("Done. This is how the recall stands now."), "success")
    return redirect(url_for("recalls.show_one", recall_id=recall_id), 303)


def _page(
    recall_id: int,
    refused: Refused | None = None,
    *,
    form: MinutesForm | None = None,
    trigger: str = "",
    typed: str = "",
) -> str:
    found, session, me = _load(recall_id), edge.reading(), edge.me()
    lines = recall.lines_of(session, found)
    shown = form or _form_of(found)
    error = asking.mark(shown, refused) if form else refused.sentence.get(language.locale()) if refused else ""
    asked = refused is not None and refused.field == "password"
    keeps = recall.keeps(me)
    return render_template(
        "recalls/show.html",
        recall=found,
        label=show.say(lifecycle.label(session, found)),
        decision=recall.decision_number(session, found),
        error="" if asked else error,
        imbalance=recall.imbalance(session, found),
        ledger=recall.ledger(session, found),
        held=[_line(line) for line in lines if recall.is_held(line)],
        settled=[_line(line) for line in lines if not recall.is_held(line)],
        returned=sum(line.copy.settled_at is not None and copies.is_returned(line.copy) for line in lines),
        late=sum(line.late and not recall.is_held(line) for line in lines),
        acts=[acting.shown(given, refused if given.trigger == trigger else None) for given in _mine(found)],
        form=shown if keeps and recall.is_open(found) else None,
        editing=form is not None,
        keeps=keeps and recall.is_open(found),
        keeps_copies=keeps,
        typed=typed,
        signatures=lifecycle.signatures(session, found),
        entries=telling.history(audit.of_record(session, "recall", found.id)),
    )


def _mine(found: Recall) -> list[Act]:
    return [given for given in recall.acts(edge.reading(), found, by=edge.me()) if given.mine]


def _listed(row: Recall) -> SimpleNamespace:
    session = edge.reading()
    return SimpleNamespace(
        id=row.id,
        decision=recall.decision_number(session, row),
        opened_at=row.opened_at,
        due_on=row.due_on,
        label=show.say(lifecycle.label(session, row)),
        number=row.number,
        ledger=recall.ledger(session, row),
        overdue=row.due_on < clock.today(),
    )


def _line(line: RecallLine) -> SimpleNamespace:
    copy, locale = line.copy, language.locale()
    return SimpleNamespace(
        id=copy.id,
        mark=copy.mark,
        number=copy.number_text,
        document=copy.revision.document,
        revision=copy.revision,
        holder=copy.holder.get(locale),
        medium=show.say(lists.MEDIA[copy.medium]),
        due_on=line.due_on,
        late=line.late,
        settled_at=copy.settled_at,
        label=show.say(lifecycle.label(edge.reading(), copy)),
        condition=copy.condition,
    )


def _form_of(found: Recall) -> MinutesForm:
    data: dict[str, Any] = {
        "number": found.number or recall.next_number(edge.reading()),
        "held_on": show.day(found.held_on or clock.today()),
        "basis": found.basis,
        "participants": found.participants,
        "lock": str(found.lock),
    }
    return MinutesForm(formdata=None, data=data)


def _load(recall_id: int, *, writing: bool = False) -> Recall:
    session = edge.writing() if writing else edge.reading()
    return recall.load(session, recall_id, by=edge.me()) or abort(404)
