"""The pages of notices: what concerns me and was not read yet, and which letters I want."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import EmailField, SelectMultipleField

from docctl import notices
from docctl.notices import Notice
from docctl.rules import Refused
from docctl.web import asking, edge, errors, language, paging

PAGE = 50
PAGES = {
    "revision": ("revisions.show", "revision_id"),
    "decision": ("decisions.show", "decision_id"),
    "change_request": ("requests.show", "request_id"),
    "nonconformity": ("nonconformity.show_one", "slip_id"),
    "saved_search": ("searches.show", "search_id"),
}
KINDS = {
    notices.WAITS: lazy_gettext("waits for you"),
    notices.RESULT: lazy_gettext("result"),
    notices.FOUND: lazy_gettext("saved search"),
}

blueprint = Blueprint("notices", __name__)


class MailForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """One's own address, and the kinds of letters that are wanted."""

    email = EmailField(
        lazy_gettext("Address for mail"),
        description=lazy_gettext("Left empty, no letters come; the notices in the page come all the same."),
        render_kw={"autocomplete": "email"},
    )
    kinds = SelectMultipleField(lazy_gettext("Letters"), validate_choice=False)


@blueprint.get("/notices")
def index() -> str:
    """List one's own notices, unread ones first."""
    found, total = notices.of_reader(edge.reading(), by=edge.me(), first=(paging.number() - 1) * PAGE, limit=PAGE)
    return render_template("notices/index.html", rows=[_row(row) for row in found], page=paging.of(total, PAGE))


@blueprint.post("/notices/read")
def read() -> Response:
    """Mark one notice as read, or all of them."""
    chosen = asking.read_number(request.form.get("notice"))
    notices.mark_read(edge.writing(), by=edge.me(), notice_id=chosen or None)
    edge.commit()
    return redirect(url_for("notices.index"), 303)


@blueprint.route("/account/notices", methods=["GET", "POST"])
def choose() -> str | Response:
    """Choose one's own address for mail and which letters come."""
    if request.method == "GET":
        me = edge.me().account
        refused = notices.refused_kinds(edge.reading(), me)
        kinds = [kind for kind in notices.offered(edge.me()) if kind not in refused]
        return _choice_page(MailForm(formdata=None, email=me.email, kinds=kinds))
    form = MailForm()
    errors.show_again(lambda refused: _choice_page(form, refused))
    notices.choose(edge.writing(), by=edge.me(), email=form.email.data or "", wanted=form.kinds.data or [])
    edge.commit()
    flash(_("Your choice is kept."), "success")
    return redirect(url_for("notices.choose"), 303)


def _choice_page(form: MailForm, refused: Refused | None = None) -> str:
    error = asking.mark(form, refused)
    server = bool(edge.site().settings.smtp_url)
    kinds = notices.offered(edge.me())
    return render_template("notices/choice.html", form=form, error=error, kinds=kinds, server=server)


def _row(row: Notice) -> SimpleNamespace:
    return SimpleNamespace(
        id=row.id,
        at=row.at,
        words=row.words.get(language.locale()),
        kind=KINDS[row.kind],
        unread=row.read_at is None,
        url=_url(row),
    )


def _url(row: Notice) -> str:
    page, key = PAGES.get(row.noun, ("", ""))
    given: dict[str, Any] = {key: row.record_id}
    return url_for(page, **given) if page else ""
