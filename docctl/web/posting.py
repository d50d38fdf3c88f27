"""The page of public posting: what is shown of each type, and the signed record that a decision was posted."""

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import decisions, documents, posting
from docctl.rules import NoRole, Refused, Sentence
from docctl.web import edge, errors, language

blueprint = Blueprint("posting", __name__)

NOT_YOURS = Sentence(
    "Chỉ người kiểm soát tài liệu và đánh giá viên mới xem được trang này.",
    "Only document controllers and auditors see this page.",
)


@blueprint.get("/posting")
def index() -> str:
    """Show what is posted of each type, which decisions wait to be posted, and which were."""
    return _page()


@blueprint.post("/posting/types/<int:type_id>")
def set_type(type_id: int) -> Response:
    """Say what people without sign-in are shown of a type."""
    _show_again()
    kind = next((row for row in documents.all_types(edge.writing()) if row.id == type_id), None) or abort(404)
    posting.set_type(edge.writing(), kind, by=edge.me(), posting=request.form.get("posting", ""))
    edge.commit()
    flash(_("Saved. The public pages show it from now on."), "success")
    return redirect(url_for("posting.index", _anchor="types"), 303)


@blueprint.post("/decisions/<int:decision_id>/posting")
def post(decision_id: int) -> Response:
    """Sign that a decision stands on the public pages; what was owed for it is ticked."""
    _show_again(decision_id)
    signing = edge.signing(request.form.get("password"))
    decision = decisions.load(edge.writing(), decision_id, by=edge.me()) or abort(404)
    address = (edge.site().settings.base_url or request.url_root.rstrip("/")) + url_for("public.index")
    posting.post(edge.writing(), decision, by=edge.me(), signing=signing, address=address)
    edge.commit()
    flash(_("Signed. The posting on the web is ticked in the decision."), "success")
    return redirect(url_for("posting.index", _anchor="posted"), 303)


def _show_again(decision_id: int = 0) -> None:
    """Answer a refusal with this page, where the person may see it at all."""
    if edge.me().has("controller", "auditor"):
        errors.show_again(lambda refused: _page(refused, decision_id))


def _page(refused: Refused | None = None, decision_id: int = 0) -> str:
    me = edge.me()
    if not me.has("controller", "auditor"):
        raise NoRole(NOT_YOURS)
    session = edge.reading()
    waiting = [(row, _counts(posting.what(session, row))) for row in posting.waiting(session, by=me)]
    return render_template(
        "posting/index.html",
        types=documents.all_types(session),
        postings=posting.POSTINGS,
        number=posting.number(session),
        waiting=waiting,
        made=posting.postings(session),
        may_keep=posting.keeping_refusal(by=me) is None,
        error=refused.sentence.get(language.locale()) if refused else "",
        open_at=decision_id,
    )


def _counts(lines: list[list[str]]) -> dict[str, int]:
    return {name: sum(row[-1] == name for row in lines) for name in (posting.ON_SHOW, posting.GONE, posting.WITHHELD)}
