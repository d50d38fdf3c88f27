"""Reading in the browser and the controlled PDF: pages as pictures, the stamped copy, and what its author must settle."""

import io
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, make_response, render_template, request, send_file, url_for
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import contents, jobs, openings, renditions, retention, revisions
from docctl.distribution import copies
from docctl.files import check, pages, pdf
from docctl.files.kinds import Kind
from docctl.renditions import Rendition
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.web import asking, edge, errors, language

blueprint = Blueprint("renditions", __name__)
ZOOMS = {"fit": pages.WIDTHS[1], "150": pages.WIDTHS[1], "200": pages.WIDTHS[2]}
WAIT_SECONDS = 3


@blueprint.get("/revisions/<int:revision_id>/read")
def read(revision_id: int) -> Response:
    """Show a revision page by page, or why it cannot be read yet; `q` marks words, `page` and `zoom` are in the address."""
    return _read(revision_id)


@blueprint.get("/revisions/<int:revision_id>/pages/<int:number>")
def picture(revision_id: int, number: int) -> Response:
    """Give one page as a picture; every request is checked anew, and only the reader's own browser may keep it."""
    revision = _load(revision_id)
    row = _ready(revision) or abort(404)
    drawn = _drawn(row, number, asking.read_number(request.args.get("width"), default=ZOOMS["fit"]))
    answer = send_file(drawn.path, mimetype="image/png", etag=f"{row.sha256}-{number}-{drawn.width}", conditional=True)
    answer.headers["Cache-Control"] = "private, no-cache"
    return answer


@blueprint.get("/revisions/<int:revision_id>/rendition")
def show(revision_id: int) -> Response:
    """Give the PDF, stamped with what holds at this moment; `copy` names a controlled copy, whose number it then bears."""
    revision = _load(revision_id)
    row = _ready(revision)
    if row is None:
        return redirect(url_for("renditions.read", revision_id=revision_id), 303)
    site = edge.site()
    stamped = renditions.printed(
        edge.reading(),
        site.store,
        site.settings,
        revision,
        row,
        url=status_url(revision),
        copy=_copy_number(revision),
    )
    name = f"{revision.document.code} {revision.edition_text}".replace("/", "-")
    answer = send_file(io.BytesIO(stamped), mimetype="application/pdf", download_name=f"{name}.pdf")
    answer.headers["Cache-Control"] = "private, no-store"
    return answer


@blueprint.get("/revisions/<int:revision_id>/signatures")
def signed(revision_id: int) -> str:
    """List the digital signatures that the file brought with it, each checked offline at this moment."""
    revision = _load(revision_id)
    row = renditions.of(edge.reading(), revision.file_sha256)
    sha256 = row.sha256 if row else None
    if sha256 is None and revision.content is not None and revision.content.kind == Kind.PDF:
        sha256 = revision.content.sha256
    site, problem, found = edge.site(), "", []
    try:
        found = renditions.signatures(site.store.path(sha256), site.settings.trust) if sha256 else []
    except pdf.CannotBeShown as error:
        problem = error.sentence.get(language.locale())
    return render_template(
        "renditions/signatures.html", revision=revision, document=revision.document, found=found, problem=problem
    )


@blueprint.post("/revisions/<int:revision_id>/rendition")
def supply(revision_id: int) -> Response:
    """Take the PDF that a person made of the file, where this server could not or need not make one."""
    errors.show_again(lambda refused: _read(revision_id, refused).get_data(as_text=True))
    revision = _load(revision_id)
    row = renditions.of(edge.reading(), revision.file_sha256)
    if sentence := renditions.supplying_refusal(revision, row, by=edge.me()):
        raise Refused(sentence)
    sent = request.files.get("file")
    if sent is None or not sent.filename or not sent.filename.lower().endswith(".pdf"):
        raise Refused(renditions.NO_PDF_BESIDE, field="file")
    name = check.clean_name(sent.filename)
    limit = edge.site().settings.max_upload_mb * 1024 * 1024
    stored = edge.site().store.put(
        sent.stream,  # type: ignore[arg-type]  # Werkzeug's stream is a binary one.
        limit_bytes=limit,
        inspect=lambda path: check.check(path, name),
    )
    facts = pdf.examine(edge.site().store.path(stored.sha256))
    session = edge.writing()
    made = contents.keep_made(session, sha256=stored.sha256, size=stored.size)
    revision = _load(revision_id, writing=True)
    renditions.supply(session, revision, by=edge.me(), made=made, pages=facts.pages, signatures=facts.signatures)
    edge.commit()
    flash(_("The PDF was taken: this is how the revision is read and printed."), "success")
    return _back(revision_id)


@blueprint.post("/revisions/<int:revision_id>/rendition/choice")
def settle(revision_id: int) -> Response:
    """Accept or refuse the tracked changes of a draft's file."""
    errors.show_again(lambda refused: _read(revision_id, refused).get_data(as_text=True))
    revision = _load(revision_id, writing=True)
    renditions.settle(edge.writing(), revision, by=edge.me(), choice=request.form.get("choice", ""))
    edge.commit()
    flash(_("Settled. The PDF is being made; the file itself stays as it is."), "success")
    return _back(revision_id)


@blueprint.post("/revisions/<int:revision_id>/rendition/attempts")
def again(revision_id: int) -> Response:
    """Try once more to make a PDF that could not be made."""
    revision = _load(revision_id, writing=True)
    renditions.try_again(edge.writing(), revision.file_sha256 or "")
    edge.commit()
    return _back(revision_id)


def status_url(revision: Revision) -> str:
    """Return the full address of a revision's status page, as a print must bear it."""
    base = edge.site().settings.base_url or request.url_root.rstrip("/")
    return base + url_for("status.show", token=revision.status_token)


def _copy_number(revision: Revision) -> str:
    """Return the number of the controlled copy that was asked for: one of this revision that is still out, or nothing."""
    if "copy" not in request.args:
        return ""
    copy = copies.load(edge.reading(), asking.read_number(request.args["copy"]), by=edge.me())
    if copy is None or copy.revision_id != revision.id or copy.settled_at is not None:
        abort(404)
    return copy.number_text


def _back(revision_id: int) -> Response:
    return redirect(url_for("renditions.read", revision_id=revision_id), 303)


def _load(revision_id: int, *, writing: bool = False) -> Revision:
    session = edge.writing() if writing else edge.reading()
    return revisions.load(session, revision_id, by=edge.me()) or abort(404)


def _ready(revision: Revision) -> Rendition | None:
    """Return the rendition of a revision's file when it is there; asks for it when nobody has yet."""
    if sentence := retention.gone(edge.reading(), revision):
        raise Refused(sentence)
    row = renditions.of(edge.reading(), revision.file_sha256)
    if row is None and revision.content is not None:
        site, sha256, kind = edge.site(), revision.content.sha256, Kind(revision.content.kind)
        renditions.ask(site.database, site.store, sha256, kind)
        jobs.wake(site)
        edge.close()
    return row if row is not None and row.status == renditions.READY else None


def _drawn(row: Rendition, number: int, width: int) -> pages.Drawn:
    sha256 = str(row.sha256)
    source = edge.site().store.path(sha256)
    try:
        return edge.site().pages.page(source, sha256, number, row.pages, width=width, forms=row.signatures > 0)
    except LookupError:
        abort(404)


def _read(revision_id: int, refused: Refused | None = None) -> Response:
    revision = _load(revision_id)
    if revision.content is None:
        abort(404)
    row = _ready(revision)
    revision = _load(revision_id)
    known = renditions.of(edge.reading(), revision.file_sha256)
    given: dict[str, Any] = {"row": known, "leaf": None}
    if row is not None:
        try:
            given["leaf"] = _leaf(revision, row)
        except pdf.CannotBeShown as error:
            given["problem"] = error.sentence.get(language.locale())
    answer = make_response(render_template("renditions/read.html", **_common(revision, known, refused), **given))
    if known is not None and known.status == renditions.WAITING and refused is None:
        answer.headers["Refresh"] = str(WAIT_SECONDS)
    return answer


def _common(revision: Revision, row: Rendition | None, refused: Refused | None) -> dict[str, Any]:
    session, me, status = edge.reading(), edge.me(), revision.status()
    return {
        "revision": revision,
        "document": revision.document,
        "status": status,
        "opening": openings.of_revision(session, revision, by=me)[:1],
        "tone": openings.TONES.get(status, "wait"),
        "may_settle": renditions.settling_refusal(revision, row, by=me) is None,
        "may_supply": renditions.supplying_refusal(revision, row, by=me) is None,
        "why": row.reason(language.locale()) if row else "",
        "error": refused.sentence.get(language.locale()) if refused else "",
    }


def _leaf(revision: Revision, row: Rendition) -> SimpleNamespace:
    """Return one page to look at: its picture, its marked words, and the addresses around it."""
    number = min(max(asking.read_number(request.args.get("page"), default=1), 1), row.pages)
    zoom = request.args.get("zoom", "fit")
    zoom = zoom if zoom in ZOOMS else "fit"
    words = request.args.get("q", "")[:200]
    drawn = _drawn(row, number, ZOOMS[zoom])
    site = edge.site()
    found = site.pages.found(site.store.path(str(row.sha256)), str(row.sha256), words) if words.strip() else []

    def url(**changed: Any) -> str:
        asked: dict[str, Any] = {"page": number, "zoom": zoom, "q": words or None, **changed}
        return url_for("renditions.read", revision_id=revision.id, **asked)

    after = next((page for page in found if page > number), None)
    return SimpleNamespace(
        number=number,
        of=row.pages,
        zoom=zoom,
        q=words,
        width=drawn.width,
        height=drawn.height,
        picture=url_for("renditions.picture", revision_id=revision.id, number=number, width=ZOOMS[zoom]),
        hits=[
            SimpleNamespace(
                x=x0 * drawn.width, y=y0 * drawn.height, width=(x1 - x0) * drawn.width, height=(y1 - y0) * drawn.height
            )
            for x0, y0, x1, y1 in pages.hits(drawn.words, words)
        ],
        text=" ".join(word for word, *_box in drawn.words),
        found=found,
        next_found=url(page=after) if after else "",
        first_found=url(page=found[0]) if found else "",
        previous=url(page=number - 1) if number > 1 else "",
        next=url(page=number + 1) if number < row.pages else "",
        zooms=[SimpleNamespace(name=name, url=url(zoom=name), current=name == zoom) for name in ZOOMS],
    )
