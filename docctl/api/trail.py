"""Calls about the trail: its entries in order, and its head."""

from flask import request

from docctl import audit, text
from docctl.api import calling, shapes
from docctl.api.calling import Answer, Operation
from docctl.exporting import plain
from docctl.rules import NoRole, Sentence
from docctl.web import edge


def entries() -> Answer:
    """List the entries past `?after=`, oldest first; of one document with `?document=`."""
    _refuse_unless_auditing()
    session = edge.reading()
    after = max(calling.cursor(), text.number(request.args.get("after", "")) or 0)
    document_id = text.number(request.args.get("document", ""))
    found = audit.past(session, after, document_id=document_id, limit=calling.limit() + 1)
    shown = found[: calling.limit()]
    more = str(shown[-1].sequence) if len(found) > len(shown) else None
    return Answer({"items": [plain.entry(row) for row in shown], "next": more})


def head() -> Answer:
    """Give the head of the trail: keep it, and a cut tail or a rewritten history shows."""
    _refuse_unless_auditing()
    found = audit.head(edge.reading())
    return Answer({"sequence": found.sequence, "hash": found.hash})


def _refuse_unless_auditing() -> None:
    if not edge.me().has(*audit.READERS):
        raise NoRole(
            Sentence(
                "Chỉ đánh giá viên, người kiểm soát và quản trị đọc được nhật ký.",
                "Only auditors, controllers and administrators read the trail.",
            )
        )


ASKED = {"after": shapes.NUMBER, "document": shapes.NUMBER, "cursor": shapes.TEXT, "limit": shapes.NUMBER}
OPERATIONS = [
    Operation("GET", "/audit", "List the entries of the trail.", shapes.listed(shapes.ENTRY), entries, query=ASKED),
    Operation(
        "GET",
        "/audit/head",
        "Give the head of the trail.",
        shapes.record(sequence=shapes.NUMBER, hash=shapes.TEXT),
        head,
    ),
]
