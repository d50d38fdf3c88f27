"""Calls about distribution: what was distributed, who holds which copy, what is to be read, and confirming it."""

from flask import abort

from docctl import distribution
from docctl.api import calling, shapes
from docctl.api.calling import Answer, Operation
from docctl.distribution import ControlledCopy, ReadTask, copies, lists, reading
from docctl.exporting import plain
from docctl.rules import Refused, Sentence
from docctl.web import edge, language


def index() -> Answer:
    """List what was distributed, newest first: how many people read it, and the ledger of its copies."""
    session, me, first = edge.reading(), edge.me(), calling.cursor()
    lists.refuse_unless_seeing(me)
    found, total = distribution.seen_by(session, by=me, first=first, limit=calling.limit())
    return calling.page([plain.distributed(session, row) for row in found], first=first, total=total)


def list_copies() -> Answer:
    """List copies by revision and number: all that the token's person may see, or those he or she holds."""
    first = calling.cursor()
    found, total = copies.seen_by(
        edge.reading(),
        by=edge.me(),
        revision_id=calling.asked_number("revision"),
        state=calling.asked_among("state", copies.STATES),
        first=first,
        limit=calling.limit(),
    )
    return calling.page([plain.copy(row, language.locale()) for row in found], first=first, total=total)


def show_copy(copy_id: int) -> Answer:
    """Give a copy."""
    row = _copy(copy_id)
    return Answer(plain.copy(row, language.locale()), headers=calling.tag(row.lock))


def copy_transitions(copy_id: int) -> Answer:
    """List every trigger of a copy: allowed, or the sentence that refuses it."""
    acts = copies.acts(edge.reading(), _copy(copy_id), by=edge.me())
    return calling.page([plain.act(act, language.locale()) for act in acts], first=0, total=len(acts))


def act_on_copy(copy_id: int) -> Answer:
    """Take a copy through one trigger: deliver, receive, return, confirm_destroyed, declare_lost, destroy, archive."""
    trigger, reason, condition = (
        calling.text("trigger", required=True),
        calling.text("reason"),
        calling.text("condition"),
    )
    row = _copy(copy_id, writing=True)
    calling.refuse_stale(row.lock)
    copies.act(edge.writing(), row, trigger, by=edge.me(), reason=reason, condition=condition)
    return Answer(plain.copy(row, language.locale()), headers=calling.tag(row.lock))


def list_tasks() -> Answer:
    """List what the token's person is asked to read, oldest first; with `revision` everybody asked to read that one."""
    first = calling.cursor()
    found, total = reading.seen_by(
        edge.reading(),
        by=edge.me(),
        revision_id=calling.asked_number("revision"),
        state=calling.asked_among("state", reading.STATES),
        first=first,
        limit=calling.limit(),
    )
    return calling.page([plain.read_task(row) for row in found], first=first, total=total)


def show_task(task_id: int) -> Answer:
    """Give a read task."""
    row = _task(task_id)
    return Answer(plain.read_task(row), headers=calling.tag(row.lock))


def acknowledge(task_id: int) -> Answer:
    """Confirm having read and understood; getting the file, its PDF or its text opened it before that."""
    row = _task(task_id, writing=True)
    calling.refuse_stale(row.lock)
    if reading.is_waiting(row) and row.account_id == edge.me().id:
        raise Refused(NOT_OPENED)
    reading.act(edge.writing(), row, "understand", by=edge.me())
    return Answer(plain.read_task(row), headers=calling.tag(row.lock))


def exempt(task_id: int) -> Answer:
    """Exempt a person from reading a revision, with the reason."""
    reason = calling.text("reason", required=True)
    row = _task(task_id, writing=True)
    calling.refuse_stale(row.lock)
    reading.act(edge.writing(), row, "exempt", by=edge.me(), reason=reason)
    return Answer(plain.read_task(row), headers=calling.tag(row.lock))


def _copy(copy_id: int, *, writing: bool = False) -> ControlledCopy:
    session = edge.writing() if writing else edge.reading()
    return copies.load(session, copy_id, by=edge.me()) or abort(404)


def _task(task_id: int, *, writing: bool = False) -> ReadTask:
    session = edge.writing() if writing else edge.reading()
    return reading.load(session, task_id, by=edge.me()) or abort(404)


NOT_OPENED = Sentence(
    "Hãy mở tài liệu trước (tải tệp, PDF hoặc văn bản của phiên bản), rồi xác nhận đã đọc, hiểu.",
    "Open the document first (get the revision's original, rendition or text), then confirm having understood it.",
)
PAGE = {"cursor": shapes.TEXT, "limit": shapes.NUMBER}
COPIES = {"revision": shapes.NUMBER, "state": {"type": "string", "enum": list(copies.STATES)}, **PAGE}
TASKS = {"revision": shapes.NUMBER, "state": {"type": "string", "enum": list(reading.STATES)}, **PAGE}
ACT = {"trigger*": shapes.TEXT, "reason": shapes.TEXT, "condition": shapes.TEXT}
COPY, TASK = "/copies/<int:copy_id>", "/read-tasks/<int:task_id>"
OPERATIONS = [
    Operation(
        "GET",
        "/distributions",
        "List what was distributed, newest first.",
        shapes.listed(shapes.DISTRIBUTION),
        index,
        query=PAGE,
    ),
    Operation("GET", "/copies", "List controlled copies.", shapes.listed(shapes.COPY), list_copies, query=COPIES),
    Operation("GET", COPY, "Give a controlled copy.", shapes.COPY, show_copy),
    Operation("GET", f"{COPY}/transitions", "List every trigger.", shapes.listed(shapes.ACT), copy_transitions),
    Operation("POST", f"{COPY}/transitions", "Take a copy through one trigger.", shapes.COPY, act_on_copy, body=ACT),
    Operation("GET", "/read-tasks", "List what is to be read.", shapes.listed(shapes.TASK), list_tasks, query=TASKS),
    Operation("GET", TASK, "Give a read task.", shapes.TASK, show_task),
    Operation("POST", f"{TASK}/acknowledgement", "Confirm having read and understood.", shapes.TASK, acknowledge),
    Operation(
        "POST",
        f"{TASK}/exemption",
        "Exempt a person from reading.",
        shapes.TASK,
        exempt,
        body={"reason*": shapes.TEXT},
    ),
]
