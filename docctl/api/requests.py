"""Calls about change requests: make, change, and every act up to the decision that takes them up."""

from typing import Any

from flask import abort, request

from docctl import documents, people, requests, units
from docctl.api import calling, shapes
from docctl.api import revisions as revision_calls
from docctl.api.calling import Answer, Operation
from docctl.exporting import plain
from docctl.requests import Asked, ChangeRequest, Words
from docctl.rules import Sentence
from docctl.web import edge, language


def index() -> Answer:
    """List the change requests that the token's person may see, newest first."""
    asked, year = request.args, request.args.get("year", "")
    wanted = Asked(
        words=asked.get("q", ""),
        kind=asked.get("kind", ""),
        state=asked.get("state", ""),
        unit=asked.get("unit", ""),
        year=int(year) if year.isascii() and year.isdigit() and len(year) == 4 else None,
    )
    found = requests.find(edge.reading(), wanted, by=edge.me())
    first = calling.cursor()
    return calling.page([_plain(row) for row in found[first : first + calling.limit()]], first=first, total=len(found))


def add() -> Answer:
    """Make a change request; it gets the next number of the year."""
    kind = calling.text("kind", required=True)
    if kind not in requests.KINDS:
        raise calling.wrong("kind", Sentence(", ".join(requests.KINDS), ", ".join(requests.KINDS)))
    kept = revision_calls.upload()
    made = requests.draft(edge.writing(), by=edge.me(), kind=kind, words=_words(kept))
    headers = {"Location": f"{calling.PREFIX}/change-requests/{made.id}", **calling.tag(made.lock)}
    return Answer(_plain(made), 201, headers)


def show(request_id: int) -> Answer:
    """Give a change request, what is still missing, and what was said of it."""
    row = _load(request_id)
    return Answer(_plain(row), headers=calling.tag(row.lock))


def transitions(request_id: int) -> Answer:
    """List every trigger: allowed, or the sentence that refuses it."""
    acts = requests.acts(edge.reading(), _load(request_id), by=edge.me())
    return calling.page([plain.act(act, language.locale()) for act in acts], first=0, total=len(acts))


def act(request_id: int) -> Answer:
    """Take a request through one trigger; an opinion comes with its conclusion and remark."""
    trigger, reason = calling.text("trigger", required=True), calling.text("reason")
    conclusion, remark = calling.text("conclusion", default="agree"), calling.text("remark")
    signing = edge.signing(calling.text("password"))
    row = _load(request_id, writing=True)
    calling.refuse_stale(row.lock)
    requests.act(
        edge.writing(),
        row,
        trigger,
        by=edge.me(),
        reason=reason,
        conclusion=conclusion,
        remark=remark,
        signing=signing,
    )
    return Answer(_plain(row), headers=calling.tag(row.lock))


def _load(request_id: int, *, writing: bool = False) -> ChangeRequest:
    session = edge.writing() if writing else edge.reading()
    return requests.load(session, request_id, by=edge.me()) or abort(404)


def _plain(row: ChangeRequest) -> dict[str, Any]:
    return plain.request(edge.writing() if request.method == "POST" else edge.reading(), row, language.locale())


def _words(kept: revision_calls.Upload | None) -> Words:
    session = edge.writing()
    document, replacement, drafter = calling.text("document"), calling.text("replaced_by"), calling.text("drafter")
    return Words(
        document=documents.find(session, document) if document else None,
        type=documents.find_type(session, calling.text("type")) if calling.text("type") else None,
        unit=units.find(session, calling.text("unit")) if calling.text("unit") else None,
        code=calling.text("code"),
        title=calling.text("title"),
        edition=calling.number("edition"),
        amendment=calling.number("amendment"),
        effective_on=calling.day("effective_on"),
        reason=calling.text("reason"),
        affected=[code for code in calling.text("affected").replace(",", " ").split() if code],
        replaced_by=documents.find(session, replacement) if replacement else None,
        drafter=people.find(session, drafter) if drafter else None,
        draft_due=calling.day("draft_due"),
        content=kept.keep() if kept else None,
        file_name=kept.name if kept else "",
        legal_basis=calling.text("legal_basis"),
        law_effective_on=calling.day("law_effective_on"),
        changes=revision_calls.changes() or [],
    )


REQUEST = shapes.record(
    request=shapes.NUMBER,
    number=shapes.TEXT,
    kind=shapes.TEXT,
    state=shapes.TEXT,
    lock=shapes.NUMBER,
    document=shapes.maybe(shapes.NUMBER),
    code=shapes.TEXT,
    title=shapes.TEXT,
    unit=shapes.TEXT,
    requester=shapes.TEXT,
    reason=shapes.TEXT,
    missing={"type": "array", "items": shapes.TEXT},
    opinions={"type": "array"},
    revision=shapes.maybe(shapes.NUMBER),
    decision=shapes.maybe(shapes.NUMBER),
)
NAMED = {"type": "string", "description": "The code of a document, or its id."}
NEW: dict[str, shapes.Schema] = {
    "kind*": {"type": "string", "enum": list(requests.KINDS)},
    "document": NAMED,
    "type": shapes.TEXT,
    "unit": shapes.TEXT,
    "code": shapes.TEXT,
    "title": shapes.TEXT,
    "edition": shapes.NUMBER,
    "amendment": shapes.NUMBER,
    "effective_on": shapes.DAY,
    "reason": shapes.TEXT,
    "affected": {"type": "string", "description": "Codes of units, separated by commas."},
    "replaced_by": NAMED,
    "drafter": shapes.TEXT,
    "draft_due": shapes.DAY,
    "legal_basis": shapes.TEXT,
    "law_effective_on": shapes.DAY,
    "changes": revision_calls.WRITABLE["changes"],
    "file": shapes.BINARY,
}
ASKED = dict.fromkeys(("q", "kind", "state", "unit", "year", "cursor"), shapes.TEXT) | {"limit": shapes.NUMBER}
ACT = {
    "trigger*": shapes.TEXT,
    "reason": shapes.TEXT,
    "conclusion": {"type": "string", "enum": list(requests.CONCLUSIONS)},
    "remark": shapes.TEXT,
    "password": shapes.TEXT,
}
MANY, ONE = "/change-requests", "/change-requests/<int:request_id>"
OPERATIONS = [
    Operation("GET", MANY, "List the change requests.", shapes.listed(REQUEST), index, query=ASKED),
    Operation("POST", MANY, "Make a change request.", REQUEST, add, body=NEW, files=True, status=201),
    Operation("GET", ONE, "Give a change request.", REQUEST, show),
    Operation("GET", f"{ONE}/transitions", "List every trigger.", shapes.listed(shapes.ACT), transitions),
    Operation("POST", f"{ONE}/transitions", "Take a request through one trigger.", REQUEST, act, body=ACT),
]
