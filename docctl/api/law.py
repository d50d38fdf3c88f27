"""Calls about laws and what rests on them: external documents, the legal watch, procedures with coverage, the yearly report."""

from datetime import date

from flask import abort, request

from docctl import clock, external, procedures, reports, watch
from docctl.api import calling, shapes
from docctl.api.calling import Answer, Operation
from docctl.exporting import plain_law
from docctl.rules import Sentence
from docctl.web import edge, language


def external_documents() -> Answer:
    """List external documents, the newest first, with their states on a day."""
    day, first = _day(), calling.cursor()
    asked = external.Asked(
        words=request.args.get("q", ""),
        kind=request.args.get("kind", ""),
        unit=request.args.get("unit", ""),
        state=calling.asked_among("state", external.ASKED_STATES) or external.EVERY,
        on=day,
    )
    found = external.find(edge.reading(), asked, first=first, limit=calling.limit())
    items = [plain_law.external_document(row, day, language.locale()) for row in found.rows]
    return calling.page(items, first=first, total=found.total)


def external_document(external_id: int) -> Answer:
    """Give an external document with its state on a day."""
    row = external.load(edge.reading(), external_id) or abort(404)
    return Answer(plain_law.external_document(row, _day(), language.locale()), headers=calling.tag(row.lock))


def legal_watch() -> Answer:
    """List the assessments that the token's person may see, by deadline: on time, due or late on a day."""
    day, first, bucket = _day(), calling.cursor(), calling.asked_among("bucket", watch.board.BUCKETS)
    every = watch.board.all_standing(edge.reading(), by=edge.me(), day=day)
    found = [row for row in every if bucket in ("", row.bucket)]
    shown = found[first : first + calling.limit()]
    return calling.page([plain_law.assessment(row) for row in shown], first=first, total=len(found))


def list_procedures() -> Answer:
    """List administrative procedures by field and code, with the documents that cover them on a day."""
    first = calling.cursor()
    asked = procedures.Asked(
        words=request.args.get("q", ""),
        field=request.args.get("field", ""),
        unit=request.args.get("unit", ""),
        state=calling.asked_among("state", procedures.coverage.ASKED_STATES) or procedures.coverage.EVERY,
        on=_day(),
    )
    found = procedures.find(edge.reading(), asked, first=first, limit=calling.limit())
    return calling.page([plain_law.procedure(row) for row in found.rows], first=first, total=found.total)


def show_procedure(procedure_id: int) -> Answer:
    """Give an administrative procedure with the documents that cover it on a day."""
    row = procedures.load(edge.reading(), procedure_id) or abort(404)
    found = procedures.coverage.row_of(edge.reading(), row, _day())
    return Answer(plain_law.procedure(found), headers=calling.tag(row.lock))


def coverage() -> Answer:
    """Say how many procedures a document in force covers on a day, of how many that apply."""
    day = _day()
    found, alarms = procedures.coverage.on(edge.reading(), day), procedures.alarms(edge.reading(), day)
    return Answer(plain_law.coverage(found, alarms))


def report(year: int) -> Answer:
    """Give the report of a year: each figure with its query, numerator and denominator, and what contradicts."""
    if year not in clock.YEARS or year > clock.today().year:
        abort(404)
    return Answer(reports.of_year(edge.reading(), year).as_dict(language.locale()))


def _day() -> date:
    written = request.args.get("on", "").strip()
    try:
        return clock.local(clock.parse(written)).date() if written else clock.today()
    except (ValueError, OverflowError):
        kind = Sentence("YYYY-MM-DD hoặc thời điểm ISO có độ lệch giờ", "YYYY-MM-DD or an ISO instant with its offset")
        raise calling.wrong("on", kind) from None


LISTED = {"cursor": shapes.TEXT, "limit": shapes.NUMBER}
ON = {"on": shapes.MOMENT}
EXTERNAL = shapes.record(
    external_document=shapes.NUMBER,
    number=shapes.TEXT,
    title=shapes.TEXT,
    kind=shapes.TEXT,
    issuer=shapes.TEXT,
    issued_on=shapes.maybe(shapes.DAY),
    effective_from=shapes.maybe(shapes.DAY),
    ends_on=shapes.maybe(shapes.DAY),
    state={"type": "string", "enum": list(external.table.STATES)},
    changes={
        "type": "array",
        "items": shapes.record(kind=shapes.TEXT, number=shapes.TEXT, effective_from=shapes.maybe(shapes.DAY)),
    },
    warnings={"type": "array", "items": shapes.TEXT},
    lock=shapes.NUMBER,
)
ASSESSMENT = shapes.record(
    assessment=shapes.NUMBER,
    law=shapes.TEXT,
    cause=shapes.TEXT,
    by=shapes.TEXT,
    effective_from=shapes.DAY,
    deadline=shapes.DAY,
    document=shapes.maybe(shapes.NUMBER),
    procedure=shapes.maybe(shapes.NUMBER),
    code=shapes.TEXT,
    title=shapes.TEXT,
    state=shapes.TEXT,
    finding=shapes.TEXT,
    change_request=shapes.maybe(shapes.NUMBER),
    finished_on=shapes.maybe(shapes.DAY),
    bucket={"type": "string", "enum": list(watch.board.BUCKETS)},
    days=shapes.NUMBER,
    lock=shapes.NUMBER,
)
PROCEDURE = shapes.record(
    procedure=shapes.NUMBER,
    code=shapes.TEXT,
    title=shapes.TEXT,
    field=shapes.TEXT,
    state=shapes.TEXT,
    covered=shapes.FLAG,
    documents={"type": "array", "items": shapes.record(document=shapes.NUMBER, code=shapes.TEXT)},
    decisions={
        "type": "array",
        "items": shapes.record(kind=shapes.TEXT, number=shapes.TEXT, on=shapes.maybe(shapes.DAY)),
    },
    lock=shapes.NUMBER,
)
PERCENT = shapes.maybe({"type": "number"})
SHARE = shapes.record(covered=shapes.NUMBER, applied=shapes.NUMBER, percent=PERCENT)
NAMED = {"type": "array", "items": shapes.record(code=shapes.TEXT, title=shapes.TEXT)}
COVERAGE = shapes.record(
    on=shapes.DAY,
    **SHARE["properties"],
    excluded=shapes.NUMBER,
    repealed=shapes.NUMBER,
    by_unit={"type": "array", "items": SHARE},
    by_field={"type": "array", "items": SHARE},
    alarms=shapes.record(repealed_with_document=NAMED, withdrawn_document=NAMED, without_document=NAMED),
)
FIGURE = shapes.record(
    query=shapes.TEXT,
    label=shapes.TEXT,
    on=shapes.DAY,
    numerator=shapes.NUMBER,
    denominator=shapes.maybe(shapes.NUMBER),
    percent=PERCENT,
    list=shapes.TEXT,
)
SCORED = shapes.record(
    row=shapes.TEXT, most={"type": "number"}, points=shapes.maybe({"type": "number"}), met=shapes.maybe(shapes.FLAG)
)
REPORT = shapes.record(
    year=shapes.NUMBER,
    on=shapes.DAY,
    figures={"type": "array", "items": FIGURE},
    decisions={
        "type": "array",
        "items": shapes.record(number=shapes.TEXT, issued=shapes.NUMBER, withdrawn=shapes.NUMBER),
    },
    typed={"type": "array", "items": shapes.record(name=shapes.TEXT, value=shapes.TEXT, source=shapes.TEXT)},
    self_assessment=shapes.record(
        version=shapes.TEXT,
        total={"type": "number"},
        claimed_total=shapes.maybe({"type": "number"}),
        rows={"type": "array", "items": SCORED},
    ),
    contradictions={"type": "array", "items": shapes.record(about=shapes.TEXT, said=shapes.TEXT, reason=shapes.TEXT)},
)
OPERATIONS = [
    Operation(
        "GET",
        "/external-documents",
        "List external documents with their states on a day.",
        shapes.listed(EXTERNAL),
        external_documents,
        query={
            "q": shapes.TEXT,
            "kind": shapes.TEXT,
            "unit": shapes.TEXT,
            "state": {"type": "string", "enum": list(external.ASKED_STATES)},
            **ON,
            **LISTED,
        },
    ),
    Operation(
        "GET",
        "/external-documents/<int:external_id>",
        "Give an external document with its state on a day.",
        EXTERNAL,
        external_document,
        query=ON,
    ),
    Operation(
        "GET",
        "/legal-watch",
        "List the assessments of changed laws by deadline.",
        shapes.listed(ASSESSMENT),
        legal_watch,
        query={"bucket": {"type": "string", "enum": list(watch.board.BUCKETS)}, **ON, **LISTED},
    ),
    Operation(
        "GET",
        "/procedures",
        "List administrative procedures with the documents that cover them on a day.",
        shapes.listed(PROCEDURE),
        list_procedures,
        query={
            "q": shapes.TEXT,
            "field": shapes.TEXT,
            "unit": shapes.TEXT,
            "state": {"type": "string", "enum": list(procedures.coverage.ASKED_STATES)},
            **ON,
            **LISTED,
        },
    ),
    Operation(
        "GET",
        "/procedures/<int:procedure_id>",
        "Give an administrative procedure with the documents that cover it on a day.",
        PROCEDURE,
        show_procedure,
        query=ON,
    ),
    Operation("GET", "/coverage", "Say how many procedures are covered on a day.", COVERAGE, coverage, query=ON),
    Operation("GET", "/reports/<int:year>", "Give the report of a year.", REPORT, report),
]
