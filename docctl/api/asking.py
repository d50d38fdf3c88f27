"""Questions of other programs: what is in force, and search, as the command line answers them."""

from datetime import datetime

from flask import request

from docctl import clock, documents, register, revisions, text
from docctl.api import calling, shapes
from docctl.api.calling import Answer, Operation
from docctl.exporting import plain
from docctl.rules import NoRole, Sentence
from docctl.search import finding
from docctl.web import edge


def in_force() -> Answer:
    """Say what is in force, or was, or will be, on a date, as known at an instant."""
    session, named = edge.reading(), request.args.get("document", "")
    at, known = _instant("on") or clock.now(), _instant("known_at")
    only = documents.find(session, named) if named else None
    found = [plain.standing(row) for row in revisions.standing(session, on=at, known_at=known, document=only)]
    return Answer({"on": plain.instant(at), "known_at": plain.instant(known), "documents": found})


def search() -> Answer:
    """Search, with or without accents; every hit as the token's person may see it."""
    words, scope = request.args.get("q", "").strip()[:LONGEST], request.args.get("scope") or IN_FORCE
    if scope not in (IN_FORCE, EVERYTHING):
        raise calling.wrong("scope", Sentence("“in-force” hoặc “all”", "“in-force” or “all”"))
    if scope == EVERYTHING and not register.sees_more(edge.me()):
        raise NoRole(
            Sentence("Bạn chỉ tra cứu được tài liệu còn hiệu lực.", "You may search what is in force only."),
            field="scope",
        )
    found = finding.find(
        edge.reading(),
        edge.site().engine,
        words,
        reader=edge.me(),
        scope=scope,
        on=_instant("on"),
        unit=request.args.get("unit") or None,
        type=request.args.get("type") or None,
        document=_document(),
        limit=calling.limit(),
        offset=calling.cursor(),
    )
    return Answer(found.as_dict())


def whoami() -> Answer:
    """Say whose token this is."""
    me = edge.me()
    return Answer({"name": me.account.name, "title": me.account.title_vi, "roles": sorted(me.reach)})


def _document() -> int | None:
    """Read the document in whose history to search; one that the person may not see is as if nothing were found in it."""
    written = request.args.get("document", "").strip()
    found = text.number(written)
    if written and not found:
        raise calling.wrong("document", Sentence("số của tài liệu", "the number of a document"))
    return found


def _instant(name: str) -> datetime | None:
    written = request.args.get(name, "").strip()
    try:
        return clock.parse(written) if written else None
    except (ValueError, OverflowError):
        kind = Sentence("YYYY-MM-DD hoặc thời điểm ISO có độ lệch giờ", "YYYY-MM-DD or an ISO instant with its offset")
        raise calling.wrong(name, kind) from None


IN_FORCE, EVERYTHING, LONGEST = "in-force", "all", 500
ON = {"on": shapes.MOMENT, "known_at": shapes.MOMENT, "document": shapes.TEXT}
ASKED = {
    "q*": shapes.TEXT,
    "scope": {"type": "string", "enum": [IN_FORCE, EVERYTHING]},
    "on": shapes.MOMENT,
    "unit": shapes.TEXT,
    "type": shapes.TEXT,
    "document": shapes.NUMBER,
    "limit": shapes.NUMBER,
    "cursor": shapes.TEXT,
}
STANDING = shapes.record(
    on=shapes.INSTANT, known_at=shapes.maybe(shapes.INSTANT), documents={"type": "array", "items": shapes.STANDING}
)
FOUND = shapes.record(
    total=shapes.NUMBER,
    took_ms={"type": "number"},
    hits={"type": "array", "items": shapes.HIT},
    suggestions={"type": "array", "items": shapes.TEXT},
    understood={"type": "array", "items": shapes.record(vi=shapes.TEXT, en=shapes.TEXT)},
)
WHO = shapes.record(name=shapes.TEXT, title=shapes.TEXT, roles={"type": "array", "items": shapes.TEXT})
OPERATIONS = [
    Operation("GET", "/in-force", "Say what is in force on a date.", STANDING, in_force, query=ON),
    Operation("GET", "/search", "Search the documents.", FOUND, search, query=ASKED),
    Operation("GET", "/me", "Say whose token this is.", WHO, whoami),
]
