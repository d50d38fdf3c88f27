"""Calls about documents: list, add, look at, and begin a revision."""

from flask import abort, request

from docctl import documents, register, revisions, units
from docctl.api import calling, shapes
from docctl.api import revisions as revision_calls
from docctl.api.calling import Answer, Operation
from docctl.documents import Document
from docctl.exporting import plain
from docctl.register import STATES, Asked
from docctl.rules import Sentence
from docctl.text import code_key
from docctl.web import edge

FULL = {**shapes.DOCUMENT, "properties": {**shapes.DOCUMENT["properties"], "in_force": shapes.maybe(shapes.REVISION)}}


def index() -> Answer:
    """List documents by code; without `state` also those that never had a revision."""
    session, me, asked = edge.reading(), edge.me(), request.args
    state = asked.get("state", "").replace("-", "_") or register.EVERY
    if state not in STATES:
        raise calling.Wrong(
            Sentence(
                "Không có trạng thái “{state}”. Hãy dùng: {known}.", "There is no state {state}. Use: {known}."
            ).fill(state=state[:40], known=", ".join(STATES)),
            field="state",
        )
    query = Asked(words=asked.get("q", ""), unit=asked.get("unit", ""), type=asked.get("type", ""), state=state)
    rows = register.find(session, query, by=me, limit=None).rows
    found = list({row.document.id: row.document for row in rows}.values())
    if code := asked.get("code", ""):
        found = [row for row in found if row.code_key == code_key(code)]
    first = calling.cursor()
    shown = [_full(row) for row in found[first : first + calling.limit()]]
    return calling.page(shown, first=first, total=len(found))


def add() -> Answer:
    """Add a document; without a code it gets the next one of its type's pattern."""
    session = edge.writing()
    made = documents.add(
        session,
        by=edge.me(),
        title=calling.text("title", required=True),
        type=documents.find_type(session, calling.text("type", default="QT")),
        unit=units.find(session, calling.text("unit")) if calling.text("unit") else units.office(session),
        field=calling.text("field"),
        code=calling.text("code"),
    )
    return Answer(plain.document(made), 201, {"Location": f"{calling.PREFIX}/documents/{made.id}"})


def show(document_id: int) -> Answer:
    """Give a document with its revision in force."""
    return Answer(_full(_load(document_id)))


def history(document_id: int) -> Answer:
    """List the revisions of a document that the token's person may see, oldest first."""
    found = revisions.of_document(edge.reading(), _load(document_id), by=edge.me())
    return calling.page([plain.revision(row) for row in found], first=0, total=len(found))


def begin(document_id: int) -> Answer:
    """Begin a draft, with its file: multipart with `file`, or JSON for a draft whose file comes later."""
    _load(document_id)
    calling.day("effective_from")
    kept = revision_calls.upload()
    document = _load(document_id, writing=True)
    summary = calling.text("change_summary")
    made = revisions.draft(
        edge.writing(),
        document,
        by=edge.me(),
        edition=calling.number("edition"),
        amendment=calling.number("amendment"),
        title=calling.text("title"),
        change_summary=summary,
        content=kept.keep() if kept else None,
        file_name=kept.name if kept else "",
        changes=revision_calls.changes() or revision_calls.whole(summary),
    )
    headers = {"Location": f"{calling.PREFIX}/revisions/{made.id}", **calling.tag(made.lock)}
    return Answer(plain.revision(made), 201, headers)


def _load(document_id: int, *, writing: bool = False) -> Document:
    session = edge.writing() if writing else edge.reading()
    return register.load(session, document_id, by=edge.me()) or abort(404)


def _full(row: Document) -> dict[str, object]:
    standing = revisions.in_force(edge.reading(), document=row)
    return plain.document(row) | {"in_force": plain.revision(standing[0]) if standing else None}


NEW = {"title*": shapes.TEXT, "code": shapes.TEXT, "type": shapes.TEXT, "unit": shapes.TEXT, "field": shapes.TEXT}
ASKED = {
    "q": shapes.TEXT,
    "state": {"type": "string", "enum": list(STATES)},
    "unit": shapes.TEXT,
    "type": shapes.TEXT,
    "code": shapes.TEXT,
    "cursor": shapes.TEXT,
    "limit": shapes.NUMBER,
}
OPERATIONS = [
    Operation("GET", "/documents", "List documents.", shapes.listed(FULL), index, query=ASKED),
    Operation("POST", "/documents", "Add a document.", shapes.DOCUMENT, add, body=NEW, status=201),
    Operation("GET", "/documents/<int:document_id>", "Give a document with its revision in force.", FULL, show),
    Operation(
        "GET",
        "/documents/<int:document_id>/revisions",
        "List the revisions of a document.",
        shapes.listed(shapes.REVISION),
        history,
    ),
    Operation(
        "POST",
        "/documents/<int:document_id>/revisions",
        "Begin a draft with its file.",
        shapes.REVISION,
        begin,
        body={"file": shapes.BINARY, **revision_calls.WRITABLE},
        files=True,
        status=201,
    ),
]
