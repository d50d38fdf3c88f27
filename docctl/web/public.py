"""The public pages: what is posted, open to everybody without sign-in or cookie; nothing here writes anything."""

import io
import threading
from collections import OrderedDict
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Flask, abort, current_app, make_response, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import clock, jobs, posting, renditions, revisions, status, text
from docctl.files import pdf
from docctl.files.kinds import Kind
from docctl.posting import Change, Kept
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.search import finding
from docctl.web import edge, errors, language, paging, security
from docctl.web.show import hit_row
from docctl.web.throttle import Throttle

blueprint = Blueprint("public", __name__, url_prefix="/public")

PAGE, LATELY, FED = 20, 12, 50
LONGEST_QUERY = 200
# A person never notices; a program that takes the whole site at once does. A PDF is pressed anew, which costs.
COST = {"public.search": 3, "public.rendition": 20}
BURST, RATE = 300, 5
PRESSED_MOST, PRESSED_LARGEST, PRESSED_MINUTES = 16, 8 << 20, 10


class _Pressed:
    """The PDFs pressed lately, so that many readers of one document cost one pressing; a change of state makes another."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: tuple[Any, ...]) -> bytes | None:
        """Return a PDF that was kept."""
        with self.lock:
            return self.kept.get(key)

    def put(self, key: tuple[Any, ...], made: bytes) -> None:
        """Keep a PDF, and drop the oldest when there are too many."""
        with self.lock:
            if len(made) <= PRESSED_LARGEST:
                self.kept[key] = made
            while len(self.kept) > PRESSED_MOST:
                self.kept.popitem(last=False)


@blueprint.get("/")
@security.public
def index() -> Response:
    """Show what is posted by field, what changed lately, or the documents of one field."""
    session = edge.reading()
    field = request.args.get("field")
    rows = [_row(row) for row in posting.in_field(session, field)] if field is not None else []
    return _cached(
        render_template(
            "public/index.html",
            number=posting.number(session),
            fields=[(name, count, url_for("public.index", field=name)) for name, count in posting.fields(session)],
            field=field,
            rows=rows,
            changes=[_told(change) for change in posting.changes(session, most=LATELY)] if field is None else [],
        )
    )


@blueprint.get("/search")
@security.public
def search() -> Response:
    """Search what is posted: neither a hit, nor a number, nor a suggestion comes from anything else."""
    words = request.args.get("q", "").strip()[:LONGEST_QUERY]
    if not words:
        return redirect(url_for("public.index"), 303)
    session, first = edge.reading(), (paging.number() - 1) * PAGE
    listed = posting.listed_matching(session, words)
    named = [row for row in listed if _is_named(row, words)]
    others = [row for row in listed if row not in named]
    # First what the words name, then the hits, then the other listed rows: the place of each on the pages is fixed by the
    # numbers alone, so that every row stands on exactly one page, even when a hit went out of force meanwhile.
    top, start = named[first : first + PAGE], max(0, first - len(named))
    found = finding.find(
        session,
        edge.site().engine,
        words,
        reader=None,
        limit=PAGE - len(top),
        offset=start,
        posted=True,
        verbatim=bool(listed),  # The typed words stand in a posted title or code: no other spelling was meant.
    )
    rows = [_row(row) for row in top]
    rows += [hit_row(hit, url_for("public.show", document_id=hit.document)) for hit in found.hits]
    rows += [_row(row) for row in others[max(0, start - found.total) : max(0, start + PAGE - len(top) - found.total)]]
    total = found.total + len(listed)
    return _cached(
        render_template(
            "public/search.html",
            words=words,
            rows=rows,
            total=total,
            number=posting.number(session),
            building=finding.BEING_BUILT.get(language.locale()) if found.building else "",
            spelled=found.spelled if found.hits else "",
            suggestions=[(said, url_for("public.search", q=said)) for said in found.suggestions] if not total else [],
            page=paging.of(total, PAGE),
        )
    )


@blueprint.get("/procedures")
@security.public
def procedures() -> Response:
    """Show the administrative procedures that the office applies, by field, each with its posted documents."""
    words, field = request.args.get("q", "").strip()[:LONGEST_QUERY], request.args.get("field", "")
    found = posting.procedures_shown(edge.reading(), words, field)
    fields = sorted({row.field for row, _links in posting.procedures_shown(edge.reading()) if row.field})
    size = PAGE * 2
    first = (paging.number() - 1) * size
    return _cached(
        render_template(
            "public/procedures.html",
            words=words,
            field=field,
            fields=fields,
            rows=found[first : first + size],
            total=len(found),
            page=paging.of(len(found), size),
        )
    )


@blueprint.get("/documents/<int:document_id>")
@security.public
def show(document_id: int) -> Response:
    """Show a posted document: whether it is in force, what it is for, and where to read it."""
    session = edge.reading()
    kept = posting.load(session, document_id) or abort(404)
    revision = kept.revision
    row = renditions.of(session, revision.file_sha256) if kept.readable else None
    after = status.replacement(session, revision)
    if after is not None and not posting.is_posted(after.document):
        after = None
    return _cached(
        render_template(
            "public/document.html",
            kept=kept,
            document=kept.document,
            revision=revision,
            word=status.WORDS[revision.status()].get(language.locale()),
            tone="good" if kept.in_force else "stop",
            decision=revisions.withdrawal_of(session, revision) or revisions.decision_of(session, revision),
            procedures=_procedures(kept),
            readable=kept.readable,
            pages=row.pages if row is not None and row.status == renditions.READY else 0,
            after=after,
        )
    )


@blueprint.get("/documents/<int:document_id>/rendition")
@security.public
def rendition(document_id: int) -> Response:
    """Give the PDF of a posted document in force, marked as an uncontrolled print."""
    session = edge.reading()
    kept = posting.load(session, document_id)
    content = kept.revision.content if kept is not None and kept.readable else None
    if kept is None or content is None:
        abort(404)
    revision = kept.revision
    row = renditions.of(session, revision.file_sha256)
    if row is None:
        site, sha256, kind = edge.site(), content.sha256, Kind(content.kind)
        edge.close()
        renditions.ask(site.database, site.store, sha256, kind)
        jobs.wake(site)
    if row is None or row.status != renditions.READY:
        return _sorry(renditions.why_not(row).get(language.locale()), HTTPStatus.SERVICE_UNAVAILABLE, after=10)
    try:
        made = _press(revision, row)
    except pdf.CannotBeShown as error:
        return _sorry(error.sentence.get(language.locale()), HTTPStatus.SERVICE_UNAVAILABLE)
    except Refused as refused:
        return _sorry(refused.sentence.get(language.locale()), HTTPStatus.SERVICE_UNAVAILABLE)
    name = f"{kept.document.code} {revision.edition_text}".replace("/", "-")
    return _cached(send_file(io.BytesIO(made), mimetype="application/pdf", download_name=f"{name}.pdf"))


@blueprint.get("/feed.atom")
@security.public
def feed() -> Response:
    """Give what began and ended lately as an Atom feed."""
    changes = [_told(change, full=True) for change in posting.changes(edge.reading(), most=FED)]
    written = render_template(
        "public/feed.xml",
        changes=changes,
        root=_root(),
        updated=changes[0].at if changes else clock.midnight(clock.today()),
    )
    answer = make_response(written)
    answer.mimetype = "application/atom+xml"
    return _cached(answer)


@blueprint.url_defaults
def keep_language(endpoint: str, values: dict[str, Any]) -> None:
    """Carry the language of the address along, since no cookie does."""
    if request and request.args.get("lang") in language.LOCALES:
        values.setdefault("lang", request.args["lang"])


@blueprint.context_processor
def common() -> dict[str, Any]:
    """Give the frame the same questions in the other language."""
    asked = {name: value for name, value in request.args.items() if name != "lang"}
    return {"other_language": lambda other: urlencode({**asked, "lang": other})}


@blueprint.before_request
def throttle() -> Response | None:
    """Ask an address that takes too much to wait."""
    wait = _throttle(current_app).wait(edge.address(), COST.get(request.endpoint or "", 1))
    if not wait:
        return None
    return _sorry(_("Too many pages were asked for from your address."), HTTPStatus.TOO_MANY_REQUESTS, after=wait)


@blueprint.errorhandler(HTTPException)
def missing(error: HTTPException) -> Response:
    """Say that there is nothing, in the same words whether something is kept from the public or is not there."""
    return _sorry(errors.sentence_of(error.code or 500), error.code or 500)


def _throttle(app: Flask) -> Throttle:
    kept: Throttle = app.extensions.setdefault("public throttle", Throttle(burst=BURST, rate=RATE))
    return kept


def _press(revision: Revision, row: renditions.Rendition) -> bytes:
    site, now = edge.site(), clock.now()
    pressed: _Pressed = current_app.extensions.setdefault("public pressed", _Pressed())
    bucket = int(now.timestamp()) // (PRESSED_MINUTES * 60)
    key = (revision.id, revision.lock, row.sha256, revision.status(now), revision.effective_to, revision.title, bucket)
    made = pressed.get(key)
    if made is None:
        url = _root() + url_for("status.show", token=revision.status_token)
        made = renditions.printed(edge.reading(), site.store, site.settings, revision, row, url=url)
        pressed.put(key, made)
    return made


def _procedures(kept: Kept) -> list[Any]:
    shown = posting.procedures_shown(edge.reading()) if kept.in_force else []
    return [procedure for procedure, found in shown if any(row.id == kept.document.id for row in found)]


def _is_named(revision: Revision, words: str) -> bool:
    """Say whether somebody typed the whole code of a document, however it is separated, or its whole title."""
    typed, code = text.code_parts(words), text.code_parts(revision.document.code)
    return (bool(code) and typed == code) or _folded(words) == _folded(revision.title)


def _folded(words: str) -> list[str]:
    return [token.folded for token in text.tokens(words)]


def _row(revision: Revision) -> SimpleNamespace:
    return SimpleNamespace(
        code=revision.document.code,
        title=revision.title,
        edition_text=revision.edition_text,
        effective_from=revision.effective_from,
        status=revision.status(),
        unit_name=revision.document.unit.name(language.locale()),
        url=url_for("public.show", document_id=revision.document_id),
    )


def _told(change: Change, *, full: bool = False) -> SimpleNamespace:
    words = {"new": _("new"), "changed": _("new edition"), "ended": _("withdrawn")}
    revision = change.revision
    url = url_for("public.show", document_id=revision.document_id)
    return SimpleNamespace(
        at=change.at,
        word=words[change.kind],
        look={"new": "in_force", "changed": "in_force"}.get(change.kind, "withdrawn"),
        code=revision.document.code,
        title=revision.title,
        edition=revision.edition_text,
        decision=change.decision,
        url=_root() + url if full else url,
        id=f"tag:{request.host.split(':')[0]},2000:document-{revision.document_id}-revision-{revision.id}-{change.kind}",
    )


def _root() -> str:
    return edge.site().settings.base_url or request.url_root.rstrip("/")


def _cached(answer: str | Response) -> Response:
    """Let anybody keep an answer, and ask each time whether it still holds: what ended at midnight is not shown at one past."""
    answer = make_response(answer)
    answer.direct_passthrough = False
    answer.headers["Cache-Control"] = "public, no-cache"
    answer.vary.add("Accept-Language")
    answer.add_etag()
    return answer.make_conditional(request)


def _sorry(sentence: str, code: int, *, after: int = 0) -> Response:
    answer = make_response(render_template("public/sorry.html", sentence=sentence, status=int(code)), int(code))
    if after:
        answer.headers["Retry-After"] = str(after)
    return answer
