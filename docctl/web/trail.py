"""The pages of the audit trail: of a document, as one chain, and of everything, from the newest entry."""

import json
from datetime import timedelta
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField

from docctl import audit, clock, decisions, documents, notices, people, register, revisions
from docctl.audit import Action
from docctl.people import Reader
from docctl.rules import NoRole, Refused, Sentence
from docctl.web import asking, edge, errors, paging, telling

blueprint = Blueprint("trail", __name__)

PAGE = 50


class TrailFilters(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """Who, what and when."""

    class Meta:
        """Filters change nothing, so they carry no token."""

        csrf = False

    who = SelectField(lazy_gettext("Who"), validate_choice=False)
    what = SelectField(lazy_gettext("What"), validate_choice=False)
    document = StringField(lazy_gettext("Code of the document"))
    since = StringField(
        lazy_gettext("From day"), render_kw={"inputmode": "numeric", "placeholder": "01/10/2022", "autocomplete": "off"}
    )
    until = StringField(
        lazy_gettext("To day"), render_kw={"inputmode": "numeric", "placeholder": "31/10/2022", "autocomplete": "off"}
    )

    def ask(self) -> "TrailFilters":
        """Fill in the people and acts to choose from, and return the form."""
        everybody = people.all_accounts(edge.reading())
        self.who.choices = [("", _("everybody"))] + [
            (str(row.id), f"{row.full_name} ({row.name})") for row in everybody
        ]
        self.what.choices = [("", _("everything"))] + [(str(name), word) for name, word in telling.actions().items()]
        return self


@blueprint.get("/trail")
def index() -> str | Response:
    """List the entries of the trail from the newest, as far as the filters ask."""
    _refuse_unless_reader(edge.me())
    if request.args.get("format") == "jsonl":
        return _exported()
    form = TrailFilters(formdata=request.args).ask()
    errors.show_again(lambda refused: _page(form, 0, [], refused))
    number = paging.number()
    if number == 1:
        # Before the list is read, so that it shows this reading too and the pages after it begin where it ends.
        _log_read(Action.TRAIL_READ)
    total, entries = audit.page(edge.reading(), **_asked(form), limit=PAGE, offset=(number - 1) * PAGE)
    return _page(form, total, entries)


@blueprint.get("/documents/<int:document_id>/trail")
def document(document_id: int) -> str:
    """Show everything that happened to a document, oldest first, with its decisions."""
    session, me = edge.reading(), edge.me()
    found = register.load(session, document_id, by=me) or abort(404)
    mine = revisions.of_document(session, found, by=me)
    entries = decisions.chain(session, found, by=me)
    return render_template(
        "trail/document.html",
        document=found,
        revisions=mine,
        entries=telling.told(entries),
        head=audit.head(session),
    )


def _asked(form: TrailFilters) -> dict[str, Any]:
    since, until = asking.read_day(form.since.data, "since"), asking.read_day(form.until.data, "until")
    code = (form.document.data or "").strip()
    return {
        "actor_id": asking.read_number(form.who.data) or None,
        "action": form.what.data or "",
        "since": clock.midnight(since) if since else None,
        "until": clock.midnight(until + timedelta(days=1)) if until else None,
        "document_ids": documents.with_code(edge.reading(), code) if code else None,
    }


def _exported() -> Response:
    """Give every entry that the filters ask for, oldest first, a JSON object a line."""
    form = TrailFilters(formdata=request.args)
    _, entries = audit.page(edge.reading(), **_asked(form), limit=None)
    lines = [json.dumps(audit.as_dict(entry), ensure_ascii=False, sort_keys=True) for entry in reversed(entries)]
    _log_read(Action.TRAIL_EXPORTED, entries=len(lines))
    return Response(
        "".join(f"{line}\n" for line in lines),
        mimetype="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="trail {clock.today().isoformat()}.jsonl"'},
    )


def _log_read(action: Action, **detail: Any) -> None:
    """Note that an auditor read or exported the trail, and with which questions: the watcher is watched too."""
    if not edge.me().has("auditor"):
        return
    asked = {
        name: value for name, value in request.args.items() if name in ("who", "what", "document", "since", "until")
    }
    with edge.site().database.writing() as session:
        by = session.get_one(people.Account, edge.me().id)
        audit.record(session, action, by=by, noun="trail", asked=asked, **detail)
    edge.close()


def _page(form: TrailFilters, total: int, entries: list[audit.AuditEntry], refused: Refused | None = None) -> str:
    return render_template(
        "trail/index.html",
        form=form,
        error=asking.mark(form, refused),
        entries=telling.told(entries),
        page=paging.of(total, PAGE),
        total=total,
        head=audit.head(edge.reading()),
        heads_by_mail=edge.me().has(notices.HEADS_GO_TO),
        clear_url=url_for("trail.index"),
        export_url=_export_url(),
    )


def _export_url() -> str:
    names = ("who", "what", "document", "since", "until")
    asked: dict[str, Any] = {name: value for name in names if (value := request.args.get(name))}
    return url_for("trail.index", format="jsonl", **asked)


def _refuse_unless_reader(by: Reader) -> None:
    if not by.has(*audit.READERS):
        raise NoRole(
            Sentence(
                "Chỉ đánh giá viên, người kiểm soát tài liệu và quản trị được xem toàn bộ nhật ký.",
                "Only auditors, document controllers and administrators read the whole trail.",
            )
        )
