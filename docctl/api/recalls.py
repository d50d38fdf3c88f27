"""Calls about recalls: what is out, what came back, what is lost, and the signed minutes."""

from flask import abort

from docctl import decisions, recall
from docctl.api import calling, shapes
from docctl.api.calling import Answer, Operation
from docctl.distribution import copies
from docctl.exporting import plain
from docctl.recall import Recall
from docctl.rules import Refused, Sentence
from docctl.web import edge, language


def index() -> Answer:
    """List the recalls that the token's person may see, open ones first."""
    session, first = edge.reading(), calling.cursor()
    recall.refuse_unless_seeing(edge.me())
    found = recall.all_recalls(session)
    shown = [plain.recalled(session, row) for row in found[first : first + calling.limit()]]
    return calling.page(shown, first=first, total=len(found))


def write() -> Answer:
    """Write the minutes of the recall that a decision opened when it was executed: number, date, participants."""
    named = calling.number("decision")
    if named is None:
        raise calling.wrong("decision", Sentence("số của một quyết định", "the id of a decision"))
    session = edge.writing()
    decision = decisions.load(session, named, by=edge.me()) or abort(404)
    row = recall.of_decision(session, decision.id)
    if row is None:
        raise Refused(NO_RECALL.fill(number=decision.number), field="decision")
    calling.refuse_stale(row.lock)
    recall.edit(
        session,
        row,
        by=edge.me(),
        number=calling.text("number", default=row.number),
        held_on=calling.day("date") or row.held_on,
        participants=calling.text("participants", default=row.participants),
        basis=calling.text("basis"),
    )
    headers = {"Location": f"{calling.PREFIX}/recalls/{row.id}", **calling.tag(row.lock)}
    return Answer(_full(row), 201, headers)


def show(recall_id: int) -> Answer:
    """Give a recall with every copy that it asks back."""
    row = _load(recall_id)
    return Answer(_full(row), headers=calling.tag(row.lock))


def take_back(recall_id: int) -> Answer:
    """Record the return of copies by mark, QR address or code|edition|number: all of them, or none."""
    named = calling.texts("copies")
    row = _load(recall_id, writing=True)
    for typed in named:
        recall.take_back(edge.writing(), row, typed, by=edge.me(), condition=calling.text("condition"))
    return Answer(_full(row), headers=calling.tag(row.lock))


def declare_lost(recall_id: int) -> Answer:
    """Declare a copy lost, with the reason."""
    typed, reason = calling.text("copy", required=True), calling.text("reason", required=True)
    row = _load(recall_id, writing=True)
    recall.settle(edge.writing(), row, copies.find(edge.writing(), typed), by=edge.me(), lost=reason)
    return Answer(_full(row), headers=calling.tag(row.lock))


def dispose(recall_id: int) -> Answer:
    """Destroy or archive every copy that came back."""
    trigger = calling.text("trigger", required=True)
    if trigger not in DISPOSALS:
        raise calling.wrong("trigger", Sentence("“destroy” hoặc “archive”", "“destroy” or “archive”"))
    row = _load(recall_id, writing=True)
    recall.dispose(edge.writing(), row, trigger, by=edge.me())
    return Answer(_full(row), headers=calling.tag(row.lock))


def transitions(recall_id: int) -> Answer:
    """List every trigger: allowed, or the sentence that refuses it."""
    acts = recall.acts(edge.reading(), _load(recall_id), by=edge.me())
    return calling.page([plain.act(act, language.locale()) for act in acts], first=0, total=len(acts))


def act(recall_id: int) -> Answer:
    """Take the minutes through one trigger: reconcile, witness, reopen; the first two sign."""
    trigger, reason = calling.text("trigger", required=True), calling.text("reason")
    signing = edge.signing(calling.text("password"))
    row = _load(recall_id, writing=True)
    calling.refuse_stale(row.lock)
    recall.act(edge.writing(), row, trigger, by=edge.me(), reason=reason, signing=signing)
    return Answer(_full(row), headers=calling.tag(row.lock))


def _load(recall_id: int, *, writing: bool = False) -> Recall:
    session = edge.writing() if writing else edge.reading()
    return recall.load(session, recall_id, by=edge.me()) or abort(404)


def _full(row: Recall) -> dict[str, object]:
    session = edge.reading()  # Of a call that writes, its own.
    lines = [plain.recall_line(line, language.locale()) for line in recall.lines_of(session, row)]
    return plain.recalled(session, row) | {"copies": lines}


DISPOSALS = ("destroy", "archive")
NO_RECALL = Sentence(
    "Quyết định {number} không mở đợt thu hồi nào: chưa được thực hiện, hoặc không bản kiểm soát nào còn ở ngoài.",
    "Decision {number} opened no recall: it is not executed, or no controlled copy was out.",
)
PAGE = {"cursor": shapes.TEXT, "limit": shapes.NUMBER}
FULL = {
    **shapes.RECALL,
    "properties": {**shapes.RECALL["properties"], "copies": {"type": "array", "items": shapes.RECALLED}},
}
MINUTES = {
    "decision*": shapes.NUMBER,
    "number": shapes.TEXT,
    "date": shapes.DAY,
    "participants": shapes.TEXT,
    "basis": shapes.TEXT,
}
RETURNED = {"copies*": {"type": "array", "items": shapes.TEXT}, "condition": shapes.TEXT}
LOST = {"copy*": shapes.TEXT, "reason*": shapes.TEXT}
ACT = {"trigger*": shapes.TEXT, "reason": shapes.TEXT, "password": shapes.TEXT}
ONE = "/recalls/<int:recall_id>"
DISPOSE = {"trigger*": {"type": "string", "enum": list(DISPOSALS)}}
OPERATIONS = [
    Operation("GET", "/recalls", "List the recalls.", shapes.listed(shapes.RECALL), index, query=PAGE),
    Operation("POST", "/recalls", "Write the minutes of a decision's recall.", FULL, write, body=MINUTES, status=201),
    Operation("GET", ONE, "Give a recall with its copies.", FULL, show),
    Operation("POST", f"{ONE}/returns", "Record the return of copies.", FULL, take_back, body=RETURNED),
    Operation("POST", f"{ONE}/losses", "Declare a copy lost.", FULL, declare_lost, body=LOST),
    Operation("POST", f"{ONE}/disposal", "Destroy or archive what came back.", FULL, dispose, body=DISPOSE),
    Operation("GET", f"{ONE}/transitions", "List every trigger.", shapes.listed(shapes.ACT), transitions),
    Operation("POST", f"{ONE}/transitions", "Take the minutes through one trigger.", FULL, act, body=ACT),
]
