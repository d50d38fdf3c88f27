"""What is done to the catalogue of administrative procedures: entered, changed, excluded, published, amended, repealed."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock
from docctl.audit import Action
from docctl.lifecycle import Stale
from docctl.people import Reader
from docctl.procedures.table import KINDS_OF_EVENT, Procedure, ProcedureEvent
from docctl.rules import NoRole, Refused, Sentence
from docctl.text import clean_name, code_key
from docctl.units import Unit

_FULL_CODE = re.compile(r"(\d\.\d{6})(?:\.\d{3}\.\d{2}\.\d{2}\.H\d+)?", re.I)

ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được sửa danh mục thủ tục hành chính.",
    "Only a document controller may change the catalogue of administrative procedures.",
)


@dataclass(frozen=True)
class Event:
    """A decision about an administrative procedure."""

    kind: str
    number: str
    on: date | None = None


@dataclass(frozen=True)
class Entry:
    """What the catalogue says of an administrative procedure, as somebody types or imports it; None leaves what is there."""

    code: str
    title: str
    field: str | None = None
    level: str | None = None
    audience: str | None = None
    issuer: str | None = None
    executor: str | None = None
    basis: str | None = None
    unit: Unit | None = None
    detail: str | None = None
    events: Sequence[Event] = ()


TEXTS = ("field", "level", "audience", "issuer", "executor", "basis")


def keeping_refusal(*, by: Reader) -> Sentence | None:
    """Return why somebody may not change the catalogue, or None."""
    return None if by.has("controller") else ONLY_CONTROLLER


def refuse_others(by: Reader) -> None:
    """Raise NoRole unless somebody may change the catalogue."""
    if sentence := keeping_refusal(by=by):
        raise NoRole(sentence)


def base_key(code: str) -> str:
    """Return the key of a code; `1.011442.000.00.00.H13` of a province and `1.011442` of the nation are one procedure."""
    key = code_key(code)
    found = _FULL_CODE.fullmatch(key)
    return found[1] if found else key[:80]


def with_code(session: Session, code: str) -> Procedure | None:
    """Return the administrative procedure with a code, whether with the province's ending or without."""
    return session.scalars(select(Procedure).where(Procedure.code_key == base_key(code))).first()


def add(session: Session, entry: Entry, *, by: Reader) -> Procedure:
    """Enter an administrative procedure."""
    refuse_others(by)
    code, title = _checked(entry)
    if twin := with_code(session, code):
        raise Refused(
            Sentence(
                "Mã {code} đã có trong danh mục: “{title}”.", "The code {code} is in the catalogue already: {title}."
            ).fill(code=twin.code, title=twin.title),
            field="code",
        )
    row = Procedure(
        code=code,
        code_key=base_key(code),
        title=title,
        unit_id=entry.unit.id if entry.unit else None,
        lock=1,
        exclusion_reason="",
        created_at=clock.now(),
        **{name: _tidy(getattr(entry, name) or "") for name in TEXTS},
        **_detail(entry.detail or ""),
    )
    row.unit = entry.unit
    row.events = [_event(position, event) for position, event in enumerate(entry.events, start=1)]
    session.add(row)
    session.flush()
    audit.record(session, Action.PROCEDURE_ADDED, by=by.account, noun="procedure", record_id=row.id, **recorded(row))
    return row


def edit(session: Session, row: Procedure, entry: Entry, *, by: Reader, seen: int | None = None) -> bool:
    """Change what the catalogue says; returns whether anything was different. Events that are new are added."""
    refuse_others(by)
    if seen is not None and seen != row.lock:
        raise Stale
    _, title = _checked(entry)
    before = recorded(row)
    row.title = title
    for name in TEXTS:
        if (given := getattr(entry, name)) is not None:
            setattr(row, name, _tidy(given))
    if entry.unit is not None:
        row.unit_id, row.unit = entry.unit.id, entry.unit
    if entry.detail is not None:
        for name, value in _detail(entry.detail).items():
            setattr(row, name, value)
    known = {(event.kind, code_key(event.number)) for event in row.events}
    for event in entry.events:
        if (event.kind, code_key(event.number)) not in known:
            row.events.append(_event(len(row.events) + 1, event))
    return _changed(session, row, before, by=by)


def decide(session: Session, row: Procedure, event: Event, *, by: Reader, seen: int | None = None) -> None:
    """Note a decision that publishes, amends or repeals an administrative procedure from a day on."""
    refuse_others(by)
    if seen is not None and seen != row.lock:
        raise Stale
    if event.kind not in KINDS_OF_EVENT or not _tidy(event.number):
        raise Refused(
            Sentence("Hãy ghi số quyết định, ví dụ 1217/QĐ-UBND.", "Give the decision's number, as 1217/QĐ-UBND."),
            field="number",
        )
    if event.on is None:
        raise Refused(Sentence("Hãy ghi ngày của quyết định.", "Give the day of the decision."), field="on")
    before = recorded(row)
    row.events.append(_event(len(row.events) + 1, event))
    _changed(session, row, before, by=by)


def exclude(session: Session, rows: Iterable[Procedure], *, by: Reader, reason: str, since: date | None = None) -> int:
    """Take procedures out of what the office applies, with the reason; returns how many were not out already."""
    refuse_others(by)
    reason = _tidy(reason)
    if not reason:
        raise Refused(
            Sentence(
                "Hãy ghi lý do không áp dụng: lý do đứng cạnh mẫu số trong báo cáo.",
                "Give the reason: it stands beside the denominator in the reports.",
            ),
            field="reason",
        )
    done = 0
    for row in rows:
        if row.excluded_from is None:
            before = recorded(row)
            row.excluded_from, row.exclusion_reason = since or clock.today(), reason
            done += _changed(session, row, before, by=by)
    return done


def include(session: Session, row: Procedure, *, by: Reader) -> None:
    """Let the office apply a procedure again."""
    refuse_others(by)
    before = recorded(row)
    row.excluded_from, row.exclusion_reason = None, ""
    _changed(session, row, before, by=by)


def recorded(row: Procedure) -> dict[str, Any]:
    """Return every controlled column, for the trail; of the full text its hash, which `verify` compares."""
    return {
        "code": row.code,
        "title": row.title,
        **{name: getattr(row, name) for name in TEXTS},
        "unit": row.unit.code if row.unit else None,
        "excluded_from": row.excluded_from,
        "exclusion_reason": row.exclusion_reason,
        "detail_sha256": row.detail_sha256,
        "created_at": row.created_at,
        "events": [[event.kind, event.number, event.on and event.on.isoformat()] for event in row.events],
    }


def _changed(session: Session, row: Procedure, before: dict[str, Any], *, by: Reader) -> bool:
    return audit.edited(session, Action.PROCEDURE_CHANGED, row, by=by.account, before=before, after=recorded(row))


def _checked(entry: Entry) -> tuple[str, str]:
    code, title = _tidy(entry.code), _tidy(entry.title)
    if not code or len(code) > 80 or not any(c.isdigit() for c in code):
        raise Refused(
            Sentence("Hãy ghi mã thủ tục, ví dụ 1.011442.", "Give the procedure's code, for example 1.011442."),
            field="code",
        )
    if not title:
        raise Refused(Sentence("Hãy ghi tên thủ tục.", "Give the procedure's title."), field="title")
    return code, title


def _detail(detail: str) -> dict[str, str]:
    return {"detail": detail, "detail_sha256": hashlib.sha256(detail.encode()).hexdigest() if detail else ""}


def _event(position: int, event: Event) -> ProcedureEvent:
    return ProcedureEvent(position=position, kind=event.kind, number=_tidy(event.number)[:200], on=event.on)


def _tidy(typed: str) -> str:
    return " ".join(clean_name(typed).split())
