"""Calls about decisions: draft with lines, dry run, and every act up to the execution."""

from flask import abort

from docctl import decisions, documents, revisions
from docctl.api import calling, shapes
from docctl.api.calling import Answer, Operation
from docctl.decisions import Decision, Line
from docctl.exporting import plain
from docctl.rules import Sentence
from docctl.web import edge, language


def index() -> Answer:
    """List the decisions, open ones first, then the newest."""
    found = decisions.all_decisions(edge.reading(), by=edge.me())
    first = calling.cursor()
    shown = [plain.decision(row) for row in found[first : first + calling.limit()]]
    return calling.page(shown, first=first, total=len(found))


def add() -> Answer:
    """Draft a decision with its lines."""
    made = decisions.draft(
        edge.writing(),
        by=edge.me(),
        title=calling.text("title", required=True),
        number=calling.text("number"),
        signed_on=calling.day("date"),
        effective_from=calling.day("effective_from"),
        lines=_lines(),
    )
    headers = {"Location": f"{calling.PREFIX}/decisions/{made.id}", **calling.tag(made.lock)}
    return Answer(plain.decision(made), 201, headers)


def show(decision_id: int) -> Answer:
    """Give a decision with its lines."""
    decision = _load(decision_id)
    return Answer(plain.decision(decision), headers=calling.tag(decision.lock))


def check(decision_id: int) -> Answer:
    """Run the dry run; without errors the decision is checked, and can be signed.

    Who sends `confirmed` names there every procedure that may be left without a document; who does not is only told.
    """
    confirmed = calling.texts("confirmed") if "confirmed" in calling.body() else None
    decision = _load(decision_id, writing=True)
    found = decisions.check(edge.writing(), decision, by=edge.me(), confirmed=confirmed)
    return Answer(plain.check(found, language.locale()), headers=calling.tag(decision.lock))


def transitions(decision_id: int) -> Answer:
    """List every trigger: allowed, or the sentence that refuses it."""
    acts = decisions.acts(edge.reading(), _load(decision_id), by=edge.me())
    found = [plain.act(act, language.locale()) for act in acts]
    return calling.page(found, first=0, total=len(found))


def act(decision_id: int) -> Answer:
    """Take a decision through one trigger: check, change, sign, execute, discard, cancel."""
    trigger, reason = calling.text("trigger", required=True), calling.text("reason")
    signing = edge.signing(calling.text("password"))
    decision = _load(decision_id, writing=True)
    calling.refuse_stale(decision.lock)
    decisions.act(edge.writing(), decision, trigger, by=edge.me(), reason=reason, signing=signing)
    return Answer(plain.decision(decision), headers=calling.tag(decision.lock))


def _load(decision_id: int, *, writing: bool = False) -> Decision:
    session = edge.writing() if writing else edge.reading()
    return decisions.load(session, decision_id, by=edge.me()) or abort(404)


def _lines() -> list[Line]:
    return [_line(number, given) for number, given in enumerate(calling.items("lines") or [], start=1)]


def _line(number: int, given: dict[str, object]) -> Line:
    session, me, action = edge.writing(), edge.me(), given.get("action")
    reason, named = given.get("reason") or "", given.get("revision" if action == decisions.ISSUE else "document")
    if not isinstance(reason, str) or action not in (decisions.ISSUE, decisions.WITHDRAW) or named is None:
        raise calling.wrong(
            f"lines[{number}]",
            Sentence(
                "{{action: “issue”, revision}} hoặc {{action: “withdraw”, document, reason}}",
                "{{action: “issue”, revision}} or {{action: “withdraw”, document, reason}}",
            ).fill(),
        )
    if action == decisions.WITHDRAW:
        return Line(decisions.WITHDRAW, document=documents.find(session, str(named)), reason=reason)
    revision = revisions.load(session, named, by=me) if isinstance(named, int) else None
    if revision is None:
        raise calling.wrong(f"lines[{number}].revision", Sentence("số của một phiên bản", "the id of a revision"))
    return Line(decisions.ISSUE, revision=revision, reason=reason)


GIVEN = {
    "type": "object",
    "properties": {
        "action": {"type": "string", "enum": [decisions.ISSUE, decisions.WITHDRAW]},
        "revision": shapes.NUMBER,
        "document": {"type": ["integer", "string"], "description": "The id or the code of a document."},
        "reason": shapes.TEXT,
    },
    "required": ["action"],
}
NEW = {
    "title*": shapes.TEXT,
    "number": shapes.TEXT,
    "date": shapes.DAY,
    "effective_from": shapes.DAY,
    "lines": {"type": "array", "items": GIVEN},
}
ACT = {"trigger*": shapes.TEXT, "reason": shapes.TEXT, "password": shapes.TEXT}
CONFIRMED = {
    "confirmed": {
        "type": "array",
        "items": shapes.TEXT,
        "description": "Codes of the administrative procedures that may be left without a document; 409 names those missing.",
    }
}
PAGE = {"cursor": shapes.TEXT, "limit": shapes.NUMBER}
ONE = "/decisions/<int:decision_id>"
OPERATIONS = [
    Operation("GET", "/decisions", "List the decisions.", shapes.listed(shapes.DECISION), index, query=PAGE),
    Operation("POST", "/decisions", "Draft a decision with its lines.", shapes.DECISION, add, body=NEW, status=201),
    Operation("GET", ONE, "Give a decision with its lines.", shapes.DECISION, show),
    Operation("POST", f"{ONE}/check", "Run the dry run.", shapes.CHECK, check, body=CONFIRMED),
    Operation("GET", f"{ONE}/transitions", "List every trigger.", shapes.listed(shapes.ACT), transitions),
    Operation("POST", f"{ONE}/transitions", "Take a decision through one trigger.", shapes.DECISION, act, body=ACT),
]
