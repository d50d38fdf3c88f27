"""Pages around the search: suggestions while typing, one's own saved searches, and one's own latest words."""

from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, abort, flash, jsonify, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField

from docctl import notices, register, searches, text
from docctl.rules import Refused
from docctl.search import finding, suggesting
from docctl.searches import SavedSearch, Wish
from docctl.web import asking, edge, errors

blueprint = Blueprint("searches", __name__)

EVERYTHING = "all"
RECENT_SHOWN, RECENT_ALONE = 3, 7
LONGEST = 200


class SaveForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The name of a search, with what it looks for."""

    name = StringField(lazy_gettext("Name"), render_kw={"maxlength": LONGEST, "autocomplete": "off"})
    q = HiddenField()
    scope = HiddenField()
    unit = HiddenField()
    type = HiddenField()
    field = HiddenField()
    state = HiddenField()
    year = HiddenField()


@blueprint.get("/search/suggestions")
def suggest() -> Response:
    """Suggest one's own latest words, and documents by title or code, for what was typed so far."""
    typed, me = (request.args.get("q") or "")[:LONGEST], edge.me()
    scope = EVERYTHING if request.args.get("scope") == EVERYTHING and register.sees_more(me) else "in-force"
    found = suggesting.suggest(edge.reading(), edge.site().engine, typed, reader=me, scope=scope)
    documents = [
        {
            "kind": "document",
            "code": one.code,
            "text": one.title,
            "url": url_for("revisions.show", revision_id=one.revision),
        }
        for one in found
    ]
    return jsonify({"items": [*_recent(typed, scope), *documents]})


@blueprint.get("/saved-searches")
def index() -> str:
    """List one's own saved searches."""
    return _list()


@blueprint.post("/saved-searches")
def save() -> str | Response:
    """Save a search; what matches it anew is told."""
    form = SaveForm()
    errors.show_again(lambda refused: _list(form, refused))
    scope = EVERYTHING if form.scope.data == EVERYTHING and register.sees_more(edge.me()) else "in-force"
    wish = Wish(
        form.q.data or "",
        scope,
        form.unit.data or "",
        form.type.data or "",
        form.field.data or "",
        form.state.data or "" if scope == EVERYTHING else "",
        asking.read_number(form.year.data),
    )
    made = searches.save(edge.writing(), edge.site().engine, wish, by=edge.me(), name=form.name.data or "")
    address = _address(made)
    edge.commit()
    flash(_("The search is saved. When something new matches it, you are told."), "success")
    return redirect(address, 303)


@blueprint.get("/saved-searches/<int:search_id>")
def show(search_id: int) -> Response:
    """Go to what a saved search of one's own finds now."""
    return redirect(_address(_load(search_id)), 303)


@blueprint.post("/saved-searches/<int:search_id>/removal")
def remove(search_id: int) -> Response:
    """Forget a saved search of one's own."""
    edge.writing()
    row = _load(search_id)
    name = row.name
    searches.remove(edge.writing(), row)
    edge.commit()
    flash(_("The saved search “%(name)s” is removed.", name=name), "success")
    return redirect(url_for("searches.index"), 303)


@blueprint.post("/search/recent/removal")
def forget() -> Response:
    """Forget the words that one searched for lately."""
    searches.forget(edge.writing(), edge.site().heard, by=edge.me())
    edge.commit()
    flash(_("Your latest searches are forgotten."), "success")
    return redirect(url_for("searches.index"), 303)


def _load(search_id: int) -> SavedSearch:
    return searches.load(edge.reading(), search_id, by=edge.me()) or abort(404)


def _list(form: SaveForm | None = None, refused: Refused | None = None) -> str:
    session, me = edge.reading(), edge.me()
    form = form or SaveForm(formdata=None)
    return render_template(
        "searches/index.html",
        form=form,
        error=asking.mark(form, refused),
        again=refused is not None,
        rows=[_row(row) for row in searches.of_person(session, by=me)],
        recent=[(words, _found(q=words)) for words in searches.recent(session, edge.site().heard, by=me)],
        mailed=bool(me.account.email) and notices.FOUND not in notices.refused_kinds(session, me.account),
    )


def _row(row: SavedSearch) -> SimpleNamespace:
    return SimpleNamespace(
        id=row.id,
        name=row.name,
        words=row.words,
        narrowed=_narrowed(row),
        status=row.state,
        at=row.created_at,
        hits=_hits(row),
        url=_address(row),
    )


def _narrowed(row: SavedSearch) -> str:
    parts = [_("everything")] if row.scope == EVERYTHING else []
    parts += [part for part in (row.unit, row.type, row.field) if part]
    return " · ".join([*parts, *([str(row.year)] if row.year else [])])


def _hits(row: SavedSearch) -> int | None:
    """Return how many it finds now; None when a unit or type of it is gone."""
    given: dict[str, Any] = {name: getattr(row, name) or None for name in ("unit", "type", "field", "state", "year")}
    scope = row.scope if register.sees_more(edge.me()) else "in-force"
    try:
        total, _some = finding.matching(
            edge.reading(), edge.site().engine, row.words, reader=edge.me(), limit=1, scope=scope, **given
        )
    except Refused:
        return None
    return total


def _address(row: SavedSearch) -> str:
    asked = {"q": row.words, "scope": row.scope if row.scope == EVERYTHING else ""}
    asked |= {name: str(getattr(row, name) or "") for name in ("unit", "type", "field", "state", "year")}
    return _found(**asked)


def _found(**asked: str) -> str:
    return f"{url_for('search.show')}?{urlencode({name: value for name, value in asked.items() if value})}"


def _recent(typed: str, scope: str) -> list[dict[str, str]]:
    words = [token.folded for token in text.tokens(typed)]
    kept = searches.recent(edge.reading(), edge.site().heard, by=edge.me())
    fitting = [one for one in kept if _continues(one, words) and text.fold(one).strip() != text.fold(typed).strip()]
    more = {"scope": scope} if scope == EVERYTHING else {}
    return [
        {"kind": "recent", "code": "", "text": one, "url": _found(q=one, **more)}
        for one in fitting[: RECENT_SHOWN if words else RECENT_ALONE]
    ]


def _continues(kept: str, words: list[str]) -> bool:
    offered = [token.folded for token in text.tokens(kept)]
    return all(any(one.startswith(word) for one in offered) for word in words)
