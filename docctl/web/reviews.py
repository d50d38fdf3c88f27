"""The pages of periodic reviews: what is due, and what was found."""

from types import SimpleNamespace

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import clock, register, reviews
from docctl.documents import Document
from docctl.exporting import law
from docctl.reviews import Due
from docctl.rules import Refused
from docctl.web import edge, errors, kept, language, paging, show

blueprint = Blueprint("reviews", __name__)

PAGE = 50
CHOICES = ("overdue", "soon", "all")


@blueprint.get("/reviews")
def index() -> str | Response:
    """List the documents in force by the day on which their review is due, or give the list as a workbook."""
    session, me = edge.reading(), edge.me()
    if request.args.get("format") == "xlsx":
        return kept.file(law.reviews_list(session, register.Asked(), by=me, locale=language.locale()), "xlsx")
    seen, today = register.visible_ids(session, by=me), clock.today()
    every = [row for row in reviews.all_due(session) if row.revision.document_id in seen]
    which = kept.chosen(request.args.get("which"), CHOICES, "overdue")
    listed = [row for row in every if _asked(row, which)]
    first = (paging.number() - 1) * PAGE
    return render_template(
        "reviews/index.html",
        rows=[_row(row) for row in listed[first : first + PAGE]],
        which=which,
        counts={name: sum(_asked(row, name) for row in every) for name in CHOICES},
        page=paging.of(len(listed), PAGE),
        today=today,
        xlsx_url=kept.again("reviews.index", format="xlsx"),
    )


@blueprint.get("/documents/<int:document_id>/reviews")
def of_document(document_id: int) -> str:
    """Show the reviews of a document, and ask for the next one."""
    return _page(_load(document_id))


@blueprint.post("/documents/<int:document_id>/reviews")
def record(document_id: int) -> Response:
    """Keep what a review found: keep, amend or withdraw, with the reason."""
    errors.show_again(lambda refused: _page(_load(document_id), refused))
    document = _load(document_id, writing=True)
    outcome, reason = request.form.get("outcome", ""), request.form.get("reason", "")
    reviews.record(edge.writing(), document, by=edge.me(), outcome=outcome, reason=reason)
    edge.commit()
    flash(_("The review is kept."), "success")
    return redirect(url_for("reviews.of_document", document_id=document_id), 303)


def _load(document_id: int, *, writing: bool = False) -> Document:
    session = edge.writing() if writing else edge.reading()
    return register.load(session, document_id, by=edge.me()) or abort(404)


def _asked(row: Due, which: str) -> bool:
    today = clock.today()
    if which == "all":
        return True
    if row.due_on is None:
        return False
    return row.due_on < today if which == "overdue" else 0 <= (row.due_on - today).days <= reviews.SOON


def _row(row: Due) -> SimpleNamespace:
    revision = row.revision
    return SimpleNamespace(
        code=revision.document.code,
        title=revision.title,
        edition_text=revision.edition_text,
        effective_from=revision.effective_from,
        unit_name=revision.document.unit.name(language.locale()),
        due_on=row.due_on,
        overdue=row.overdue(clock.today()),
        last=row.last,
        outcome=show.say(reviews.OUTCOMES[row.last.outcome]) if row.last else "",
        url=url_for("reviews.of_document", document_id=revision.document_id),
    )


def _page(document: Document, refused: Refused | None = None) -> str:
    due, done = reviews.of_document(edge.reading(), document)
    return render_template(
        "reviews/document.html",
        document=document,
        due=due,
        overdue=due is not None and due.overdue(clock.today()),
        done=[(row, show.say(reviews.OUTCOMES[row.outcome])) for row in done],
        outcomes={name: show.say(label) for name, label in reviews.OUTCOMES.items()},
        may_review=due is not None and reviews.refusal(document, by=edge.me()) is None,
        error=show.say(refused.sentence) if refused else "",
        field=refused.field if refused else "",
        typed={name: request.form.get(name, "") for name in ("outcome", "reason")},
    )
