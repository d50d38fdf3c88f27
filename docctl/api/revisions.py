"""Calls about revisions: look, change a draft, fetch file and text, and every act of the workflow."""

from dataclasses import dataclass
from io import BytesIO

from flask import Response, abort, g, request, send_file

from docctl import comparison, contents, jobs, lifecycle, renditions, retention, revisions
from docctl.api import calling, shapes
from docctl.api.calling import Answer, Operation
from docctl.contents import Content
from docctl.distribution import reading
from docctl.exporting import plain
from docctl.files import check
from docctl.files.kinds import Kind
from docctl.revisions import Change, Revision
from docctl.rules import Refused, Sentence
from docctl.web import edge, language


@dataclass(frozen=True)
class Upload:
    """A file that was sent and lies in the store."""

    sha256: str
    size: int
    kind: str
    name: str

    def keep(self) -> Content:
        """Note the file in the act's own transaction."""
        return contents.keep(edge.writing(), sha256=self.sha256, size=self.size, kind=self.kind)


def upload() -> Upload | None:
    """Stream the file of the call to the store, before the write lock is taken; None when none was sent."""
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return None
    name, found = check.clean_name(sent.filename), []
    stored = edge.site().store.put(
        sent.stream,  # type: ignore[arg-type]  # Werkzeug's stream is a binary one.
        limit_bytes=edge.site().settings.max_upload_mb * 1024 * 1024,
        inspect=lambda path: found.append(check.check(path, name)),
    )
    return Upload(stored.sha256, stored.size, str(found[0]), name)


def changes() -> list[Change] | None:
    """Return the rows of the change table as they were sent, None when they were not."""
    rows = calling.items("changes")
    if rows is None:
        return None
    if not all(isinstance(value, str) for row in rows for value in row.values()):
        raise calling.wrong("changes", Sentence("một danh sách gồm các chuỗi", "a list of objects with text in them"))
    return [
        Change(row.get("section", ""), row.get("old", ""), row.get("new", ""), row.get("basis", "")) for row in rows
    ]


def whole(summary: str) -> list[Change]:
    """Return the change table that a summary alone stands for: one row about the whole document."""
    return [Change(WHOLE.get(language.locale()), "", summary)] if summary.strip() else []


def show(revision_id: int) -> Answer:
    """Give a revision: what it is, who acts next, its signatures and its change table."""
    revision = _load(revision_id)
    return Answer(_full(revision), headers=calling.tag(revision.lock))


def edit(revision_id: int) -> Answer:
    """Change a draft; what is not sent stays, and `If-Match` keeps one from writing over another's change."""
    _load(revision_id)
    kept = upload()
    revision = _load(revision_id, writing=True)
    calling.refuse_stale(revision.lock)
    sent = calling.body()
    revisions.edit(
        edge.writing(),
        revision,
        by=edge.me(),
        seen=revision.lock,
        title=calling.text("title") if "title" in sent else None,
        edition=calling.number("edition"),
        amendment=calling.number("amendment"),
        change_summary=calling.text("change_summary") if "change_summary" in sent else None,
        content=kept.keep() if kept else None,
        file_name=kept.name if kept else "",
        changes=changes(),
    )
    return Answer(plain.revision(revision), headers=calling.tag(revision.lock))


def original(revision_id: int) -> Response:
    """Give the uploaded bytes, unchanged; whoever is asked to read the revision has opened it with that."""
    revision = _opened(revision_id)
    if revision.content is None:
        abort(404)
    if sentence := retention.gone(edge.reading(), revision):
        raise Refused(sentence)
    return send_file(
        edge.site().store.path(revision.content.sha256),
        mimetype=Kind(revision.content.kind).media_type,
        as_attachment=True,
        download_name=revision.file_name or f"{revision.document.code}.{revision.content.kind}",
        etag=revision.content.sha256,
    )


def rendition(revision_id: int) -> Response:
    """Give the PDF, stamped with what holds at this moment; 409 while it is being made, or with why there is none."""
    revision, site = _opened(revision_id), edge.site()
    if revision.content is None:
        abort(404)
    if sentence := retention.gone(edge.reading(), revision):
        raise Refused(sentence)
    row = renditions.of(edge.reading(), revision.content.sha256)
    if row is None or row.status != renditions.READY:
        renditions.ask(site.database, site.store, revision.content.sha256, Kind(revision.content.kind))
        jobs.wake(site)
        raise Refused(renditions.why_not(row))
    base = site.settings.base_url or request.url_root.rstrip("/")
    url = f"{base}/s/{revision.status_token}"
    stamped = renditions.printed(edge.reading(), site.store, site.settings, revision, row, url=url)
    name = f"{revision.document.code} {revision.edition_text}".replace("/", "-")
    return send_file(BytesIO(stamped), mimetype="application/pdf", as_attachment=True, download_name=f"{name}.pdf")


def read_text(revision_id: int) -> Answer:
    """Give the text that was read out of the file, or the sentence why there is none."""
    found = revisions.text_of(edge.reading(), _opened(revision_id))
    if found is None:
        return Answer({"status": "none", "text": None, "reason": None})
    reason = found.reason(language.locale())
    return Answer({"status": found.status, "text": found.text or None, "reason": reason or None})


def redline(revision_id: int) -> Answer:
    """Give the redline against another revision, the one in force unless `?against=` names one."""
    session, me = edge.reading(), edge.me()
    revision, asked = _load(revision_id), request.args.get("against", "")
    choices = comparison.choices(session, revision, by=me)
    usual = comparison.usual(session, revision, by=me)
    against = next((row for row in choices if str(row.id) == asked), None) or abort(404) if asked else usual
    if against is None:
        raise calling.wrong(
            "against", Sentence("số của một phiên bản để so sánh", "the id of a revision to compare with")
        )
    found = comparison.between(session, against, revision)
    if isinstance(found, Sentence):
        raise Refused(found)
    return Answer(
        {
            "revision": revision.id,
            "against": against.id,
            "same": found.same.get(language.locale()) if found.same else None,
            "entries": [
                {
                    "kind": entry.kind,
                    "cells": [[list(piece) for piece in cell] for cell in entry.cells],
                    "move": entry.move,
                }
                for entry in found.entries
                if entry.kind != "same"
            ],
            "changed_sections": [row.section.title for row in found.changed],
            "forgotten": [row.section.title for row in found.forgotten.sections],
        }
    )


def transitions(revision_id: int) -> Answer:
    """List every trigger: allowed, or the sentence that refuses it."""
    acts = revisions.acts(edge.reading(), _load(revision_id), by=edge.me())
    found = [plain.act(act, language.locale()) for act in acts]
    return calling.page(found, first=0, total=len(found))


def act(revision_id: int) -> Answer:
    """Take a revision through one trigger; acts that sign ask for the password of the token's person."""
    trigger, reason = calling.text("trigger", required=True), calling.text("reason")
    signing = edge.signing(calling.text("password"))
    revision = _load(revision_id, writing=True)
    calling.refuse_stale(revision.lock)
    revisions.act(edge.writing(), revision, trigger, by=edge.me(), reason=reason, signing=signing)
    return Answer(plain.revision(revision), headers=calling.tag(revision.lock))


def _load(revision_id: int, *, writing: bool = False) -> Revision:
    session = edge.writing() if writing else edge.reading()
    return revisions.load(session, revision_id, by=edge.me()) or abort(404)


def _opened(revision_id: int) -> Revision:
    """Load what is about to be read; the first reading of somebody who is asked to read it is noted, as on its page."""
    revision = _load(revision_id)
    if not g.read_only and reading.waits_to_be_opened(edge.reading(), revision, by=edge.me()):
        reading.opened(edge.writing(), _load(revision_id, writing=True), by=edge.me())
        edge.commit()
    return _load(revision_id)


def _full(revision: Revision) -> dict[str, object]:
    session = edge.reading()
    signed = lifecycle.signatures(session, revision)
    return plain.revision(revision) | {
        "change_summary": revision.change_summary,
        "changes": [
            {"section": row.section, "old": row.old, "new": row.new, "basis": row.basis} for row in revision.change_rows
        ],
        "waiting_for": revisions.waiting_for(session, revision, by=edge.me()).get(language.locale()),
        "decision": revisions.decision_of(session, revision),
        "signatures": [plain.signature(row, revision.round) for row in signed],
    }


WHOLE = Sentence("Toàn bộ", "Whole document")
CHANGE = shapes.record(section=shapes.TEXT, old=shapes.TEXT, new=shapes.TEXT, basis=shapes.TEXT)
WRITABLE: dict[str, shapes.Schema] = {
    "title": shapes.TEXT,
    "edition": shapes.NUMBER,
    "amendment": shapes.NUMBER,
    "change_summary": shapes.TEXT,
    "changes": {"type": "array", "items": {**CHANGE, "required": ["section", "new"]}},
    "effective_from": {**shapes.DAY, "description": "Only checked: the day of effect is that of the decision."},
}
FULL = {
    **shapes.REVISION,
    "properties": {
        **shapes.REVISION["properties"],
        "change_summary": shapes.TEXT,
        "changes": {"type": "array", "items": CHANGE},
        "waiting_for": shapes.TEXT,
        "decision": shapes.TEXT,
        "signatures": {"type": "array", "items": shapes.SIGNATURE},
    },
}
READ = shapes.record(status=shapes.TEXT, text=shapes.maybe(shapes.TEXT), reason=shapes.maybe(shapes.TEXT))
REDLINE = shapes.record(
    revision=shapes.NUMBER,
    against=shapes.NUMBER,
    same=shapes.maybe(shapes.TEXT),
    entries={
        "type": "array",
        "items": shapes.record(kind=shapes.TEXT, cells={"type": "array"}, move=shapes.NUMBER),
        "description": "What changed; each cell is a list of [same | removed | added | accents, old, new].",
    },
    changed_sections={"type": "array", "items": shapes.TEXT},
    forgotten={"type": "array", "items": shapes.TEXT},
)
ACT = {"trigger*": shapes.TEXT, "reason": shapes.TEXT, "password": shapes.TEXT}
ONE = "/revisions/<int:revision_id>"
OPERATIONS = [
    Operation("GET", ONE, "Give a revision.", FULL, show),
    Operation(
        "PATCH",
        ONE,
        "Change a draft.",
        shapes.REVISION,
        edit,
        body={"file": shapes.BINARY, **WRITABLE},
        files=True,
    ),
    Operation("GET", f"{ONE}/original", "Give the uploaded bytes, unchanged.", shapes.BINARY, original),
    Operation(
        "GET", f"{ONE}/rendition", "Give the PDF, stamped with what holds at this moment.", shapes.PDF, rendition
    ),
    Operation("GET", f"{ONE}/text", "Give the text of the file.", READ, read_text),
    Operation("GET", f"{ONE}/changes", "Give the redline.", REDLINE, redline, query={"against": shapes.NUMBER}),
    Operation("GET", f"{ONE}/transitions", "List every trigger.", shapes.listed(shapes.ACT), transitions),
    Operation("POST", f"{ONE}/transitions", "Take a revision through one trigger.", shapes.REVISION, act, body=ACT),
]
