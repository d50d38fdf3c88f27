"""The shapes of what calls take and answer, as JSON Schema: the description shows them, the tests hold answers to them."""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
DAY: Schema = {"type": "string", "format": "date", "description": "YYYY-MM-DD, from 00:00 in the office's time zone."}
INSTANT: Schema = {"type": "string", "format": "date-time"}
MOMENT: Schema = {
    "type": "string",
    "description": "YYYY-MM-DD (its 00:00 at the office), or an ISO instant with offset.",
}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
BINARY: Schema = {"type": "string", "format": "binary"}  # Of whatever kind the document is.
PDF: Schema = {"type": "string", "contentMediaType": "application/pdf"}


def maybe(schema: Schema) -> Schema:
    """Return a shape that may also be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def record(**fields: Schema) -> Schema:
    """Return an object that has all of these fields, and perhaps others."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def listed(item: Schema) -> Schema:
    """Return one page of a list."""
    return record(items={"type": "array", "items": item}, next=maybe(TEXT))


REVISION = record(
    revision=NUMBER,
    document=NUMBER,
    code=TEXT,
    title=TEXT,
    edition=TEXT,
    amendment=NUMBER,
    state=TEXT,
    status=TEXT,
    file=TEXT,
    sha256=maybe(SHA256),
    effective_from=maybe(INSTANT),
    effective_to=maybe(INSTANT),
    origin=TEXT,
    lock=NUMBER,
)
DOCUMENT = record(document=NUMBER, code=TEXT, title=TEXT, type=TEXT, unit=TEXT, field=TEXT, code_clash=FLAG)
ACT = record(trigger=TEXT, allowed=FLAG, refusal=maybe(TEXT))
SIGNATURE = record(meaning=TEXT, person=TEXT, title=TEXT, at=INSTANT, void=FLAG)
PROBLEM_LINE = record(line=maybe(NUMBER), code=TEXT, reason=TEXT)
CHECK = record(
    errors={"type": "array", "items": PROBLEM_LINE},
    warnings={"type": "array", "items": PROBLEM_LINE},
    issued=NUMBER,
    superseded=NUMBER,
    withdrawn=NUMBER,
    in_force_before=NUMBER,
    in_force_after=NUMBER,
    copies_to_recall=NUMBER,
    copies_to_issue=NUMBER,
    readers=NUMBER,
    uncovered={"type": "array", "items": PROBLEM_LINE},
)
LINE = record(line=NUMBER, action=TEXT, document=NUMBER, code=TEXT, title=TEXT, revision=maybe(NUMBER), reason=TEXT)
DECISION = record(
    decision=NUMBER,
    number=TEXT,
    date=maybe(DAY),
    title=TEXT,
    effective_from=maybe(DAY),
    state=TEXT,
    lock=NUMBER,
    lines={"type": "array", "items": LINE},
)
STANDING = record(
    document=NUMBER,
    code=TEXT,
    title=TEXT,
    revision=NUMBER,
    edition=TEXT,
    effective_from=INSTANT,
    effective_to=maybe(INSTANT),
    sha256=SHA256,
    decision=TEXT,
)
HIT = record(
    document=NUMBER,
    code=TEXT,
    title=TEXT,
    revision=NUMBER,
    edition=TEXT,
    state=TEXT,
    unit=TEXT,
    type=TEXT,
    score={"type": "number"},
    snippet=TEXT,
)
LEDGER = record(
    issued=NUMBER, held=NUMBER, returned=NUMBER, destroyed=NUMBER, archived=NUMBER, lost=NUMBER, balances=FLAG
)
DISTRIBUTION = record(
    revision=NUMBER,
    document=NUMBER,
    code=TEXT,
    title=TEXT,
    edition=TEXT,
    status=TEXT,
    effective_from=maybe(INSTANT),
    made_at=INSTANT,
    asked=NUMBER,
    issued=NUMBER,
    ledger=LEDGER,
)
COPY = record(
    copy=NUMBER,
    mark={"type": "string", "description": "What the QR on the copy says, and what may be typed in its place."},
    revision=NUMBER,
    document=NUMBER,
    code=TEXT,
    title=TEXT,
    edition=TEXT,
    number=TEXT,
    medium={"type": "string", "enum": ["electronic", "paper", "posted"]},
    holder=TEXT,
    state=TEXT,
    lock=NUMBER,
    delivered_at=maybe(INSTANT),
    received_at=maybe(INSTANT),
    settled_at=maybe(INSTANT),
    condition=TEXT,
)
TASK = record(
    task=NUMBER,
    revision=NUMBER,
    document=NUMBER,
    code=TEXT,
    title=TEXT,
    edition=TEXT,
    person=TEXT,
    state={"type": "string", "description": "`superseded` where the revision ended before it was confirmed."},
    lock=NUMBER,
    asked_at=INSTANT,
    opened_at=maybe(INSTANT),
    understood_at=maybe(INSTANT),
    exempt_reason=TEXT,
)
RECALL = record(
    recall=NUMBER,
    decision=TEXT,
    number=TEXT,
    date=maybe(DAY),
    basis=TEXT,
    participants=TEXT,
    due_on=DAY,
    state=TEXT,
    lock=NUMBER,
    ledger=LEDGER,
)
RECALLED = record(**COPY["properties"], due_on=DAY, late=FLAG)
ENTRY = record(
    sequence=NUMBER,
    at=INSTANT,
    actor=TEXT,
    actor_title=TEXT,
    action=TEXT,
    noun=TEXT,
    record=maybe(NUMBER),
    document=maybe(NUMBER),
    detail={"type": "object"},
    prev_hash=TEXT,
    hash=TEXT,
)
PROBLEM = record(type=TEXT, status=NUMBER, title=TEXT)
