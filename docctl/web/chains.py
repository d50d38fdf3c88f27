"""The pages of a chain of evidence: every step of a document's edition, and of a decision, on one page."""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _

from docctl import audit, chains, decisions, recall, register, revisions
from docctl.chains import Step
from docctl.web import asking, edge

blueprint = Blueprint("chains", __name__)

# The page of each record that a step is about, and what its address calls it.
PAGES = {
    "revision": ("revisions.show", "revision_id"),
    "decision": ("decisions.show", "decision_id"),
    "change_request": ("requests.show", "request_id"),
    "distribution": ("distribution.of_revision", "revision_id"),
    "recall": ("recalls.show_one", "recall_id"),
}


@blueprint.get("/documents/<int:document_id>/chain")
def document(document_id: int) -> str:
    """Show the chain of one edition of a document, the one in force unless another is asked for."""
    session, me = edge.reading(), edge.me()
    found = register.load(session, document_id, by=me) or abort(404)
    seen = revisions.of_document(session, found, by=me)
    wanted = asking.read_number(request.args.get("revision"))
    standing = [row for row in seen if row.id == wanted] or [row for row in seen if row.status() == "in_force"] or seen
    chosen = standing[0] if standing else None
    steps = chains.of_revision(session, chosen, by=me) if chosen else []
    return _page(
        _("Chain of %(code)s", code=found.code),
        f"{found.code} {chosen.edition_text if chosen else ''}",
        steps,
        back=url_for("documents.show", document_id=document_id),
        back_label=f"{found.code} {found.title}",
        chosen=chosen,
        others=[(row, url_for("chains.document", document_id=document_id, revision=row.id)) for row in seen],
    )


@blueprint.get("/decisions/<int:decision_id>/chain")
def decision(decision_id: int) -> str:
    """Show the chain of a decision."""
    session, me = edge.reading(), edge.me()
    found = decisions.load(session, decision_id, by=me) or abort(404)
    name = found.number or found.title
    return _page(
        _("Chain of decision %(number)s", number=name),
        name,
        chains.of_decision(session, found),
        back=url_for("decisions.show", decision_id=decision_id),
        back_label=_("Decision %(number)s", number=name),
    )


def _page(title: str, name: str, steps: list[Step], **more: Any) -> str:
    return render_template(
        "chains/show.html",
        title=title,
        name=name,
        steps=[(step, _url(step)) for step in steps],
        flagged=chains.flagged(steps),
        head=audit.head(edge.reading()),
        **{"chosen": None, "others": [], **more},
    )


def _url(step: Step) -> str:
    if step.record_id is None:
        return ""
    if step.noun not in PAGES or (step.noun == "recall" and not recall.may_see(edge.me())):
        return ""
    page, name = PAGES[step.noun]
    key: dict[str, Any] = {name: step.record_id}
    return url_for(page, **key)
