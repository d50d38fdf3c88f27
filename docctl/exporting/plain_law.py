"""Laws, procedures, coverage and the legal watch as plain values, the same for the command line and other programs."""

from datetime import date
from typing import Any

from docctl import external
from docctl.exporting.plain import day
from docctl.external import ExternalDocument
from docctl.procedures import Alarms, Coverage, Row, Share
from docctl.watch import Standing


def external_document(row: ExternalDocument, on: date, locale: str) -> dict[str, Any]:
    """Return an external document with its state on a day, what changes it, and what is odd about it."""
    return {
        "external_document": row.id,
        "number": row.number,
        "title": row.title,
        "kind": row.kind,
        "category": row.category,
        "issuer": row.issuer,
        "issued_on": day(row.issued_on),
        "effective_from": day(row.effective_from),
        "ends_on": day(row.ended_on()),
        "state": row.state_on(on),
        "changes": [
            {"kind": change.kind, "number": change.number, "effective_from": day(change.effective_from)}
            for change in row.changes
        ],
        "clauses": row.clauses,
        "units": row.units,
        "check_months": row.check_months,
        "checked_on": day(row.checked_on),
        "checked_by": row.checked_by,
        "warnings": [sentence.get(locale) for sentence in external.warnings(row)],
        "lock": row.lock,
    }


def assessment(row: Standing) -> dict[str, Any]:
    """Return an assessment of the legal watch with where it stands: its bucket, and the days left or over."""
    kept = row.assessment
    return {
        "assessment": kept.id,
        "law": kept.law.number,
        "cause": kept.cause_kind,
        "by": kept.cause_number,
        "effective_from": day(kept.effective_from),
        "deadline": day(kept.deadline),
        "document": kept.document_id,
        "procedure": kept.procedure_id,
        "code": kept.code,
        "title": kept.title,
        "state": kept.state,
        "finding": kept.finding,
        "change_request": kept.change_request_id,
        "finished_on": day(kept.finished_on),
        "bucket": row.bucket,
        "days": row.days,
        "lock": kept.lock,
    }


def procedure(row: Row) -> dict[str, Any]:
    """Return an administrative procedure with its state on the day that was asked for, and the documents that cover it."""
    kept = row.procedure
    return {
        "procedure": kept.id,
        "code": kept.code,
        "title": kept.title,
        "field": kept.field,
        "level": kept.level,
        "unit": kept.unit.code if kept.unit else "",
        "basis": kept.basis,
        "state": row.state,
        "exclusion_reason": kept.exclusion_reason,
        "covered": row.covered,
        "documents": [{"document": link.document_id, "code": link.document.code} for link in row.covering],
        "decisions": [{"kind": event.kind, "number": event.number, "on": day(event.on)} for event in kept.events],
        "lock": kept.lock,
    }


def coverage(found: Coverage, alarms: Alarms) -> dict[str, Any]:
    """Return the coverage on a day with both its numbers, by unit and field, and what alarms."""
    return {
        "on": found.on.isoformat(),
        **share(found.all),
        "excluded": found.excluded,
        "repealed": found.repealed,
        "by_unit": [share(each) for each in found.by_unit],
        "by_field": [share(each) for each in found.by_field],
        "alarms": {
            name: [{"code": alarm.procedure.code, "title": alarm.procedure.title} for alarm in listed]
            for name, listed in vars(alarms).items()
        },
    }


def share(row: Share) -> dict[str, Any]:
    """Return a numerator with its denominator."""
    return {"name": row.name, "covered": row.covered, "applied": row.applied, "percent": row.percent}
