"""Checks who approved what: valid signatures on the stored content, content hashes, decisions, and intervals."""

import hashlib
from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, text

from docctl import audit, workflow
from docctl.verify.findings import Findings, loaded, paired, plain, stream
from docctl.workflow import WorkflowError

REVISIONS = (
    "SELECT revision.id, document.code, revision.document_id, revision.title, edition, amendment, change_summary, major, "
    "file_sha256, file_name, cover_date, content_hash, state, round, author_id, origin, workflow, workflow_version "
    "FROM revision JOIN document ON document.id = document_id ORDER BY revision.id"
)
CHANGES = "SELECT revision_id, section, old, new, basis FROM change_row ORDER BY revision_id, position"
SIGNED = (
    "SELECT revision_id, round, seat, meaning, account_id, content_hash FROM signature "
    "WHERE revision_id IS NOT NULL ORDER BY revision_id, id"
)
DECISIONS = (
    "SELECT id, title, number, signed_on, effective_from, signer_form, state, round, signer_id, checked_hash "
    "FROM decision ORDER BY id"
)
LINES = (
    "SELECT decision_id, position, action, revision_id, document_id, reason, replaced_by_id "
    "FROM decision_line ORDER BY decision_id, position"
)
# An accepted request has the signature of another than its requester on exactly what it says.
UNACCEPTED = (
    "SELECT id FROM change_request WHERE state IN ('accepted', 'in_decision', 'done') AND NOT EXISTS "
    "(SELECT 1 FROM signature WHERE signature.change_request_id = change_request.id "
    "AND signature.round = change_request.round AND signature.meaning = 'accepted' "
    "AND signature.content_hash = change_request.content_hash AND signature.account_id <> change_request.requester_id)"
)
# Whoever found that a law has no effect signed it, in this round.
UNSIGNED_NO_EFFECT = (
    "SELECT id FROM legal_assessment WHERE state = 'no_effect' AND NOT EXISTS (SELECT 1 FROM signature "
    "WHERE signature.legal_assessment_id = legal_assessment.id AND signature.round = legal_assessment.round "
    "AND signature.meaning = 'assessed')"
)
# A report was signed, and a correction by the unit and by somebody else who verified it: in this round, on what they say.
UNREPORTED = (
    "SELECT id FROM internal_audit WHERE state = 'reported' AND NOT EXISTS (SELECT 1 FROM signature "
    "WHERE signature.internal_audit_id = internal_audit.id AND signature.round = internal_audit.round "
    "AND signature.meaning = 'reported' AND signature.content_hash = internal_audit.content_hash)"
)
UNVERIFIED = (
    "SELECT id FROM nonconformity WHERE (state IN ('answered', 'closed') AND NOT EXISTS (SELECT 1 FROM signature "
    "WHERE signature.nonconformity_id = nonconformity.id AND signature.round = nonconformity.round "
    "AND signature.meaning = 'answered' AND signature.account_id = nonconformity.answered_by_id "
    "AND signature.content_hash = nonconformity.content_hash)) OR (state = 'closed' AND NOT EXISTS (SELECT 1 FROM signature "
    "WHERE signature.nonconformity_id = nonconformity.id AND signature.round = nonconformity.round "
    "AND signature.meaning = 'verified' AND signature.account_id <> nonconformity.answered_by_id "
    "AND signature.content_hash = nonconformity.content_hash))"
)
# Corrections that are signed; those of before they were have no signature to hold them to.
CORRECTIONS = (
    "SELECT correction.id, correction.decision_id, number, correction.signed_on, place, wrong, corrected, made_by_id, "
    "signature.decision_id AS signed_decision, meaning, account_id, content_hash FROM correction "
    "LEFT JOIN signature ON signature.id = signature_id WHERE signature_id IS NOT NULL ORDER BY correction.id"
)
UNISSUED = (
    "SELECT id FROM revision WHERE state IN ('issued', 'withdrawn') AND origin = 'workflow' AND NOT EXISTS "
    "(SELECT 1 FROM decision_line JOIN decision ON decision.id = decision_line.decision_id WHERE action = 'issue' "
    "AND decision_line.revision_id = revision.id AND decision.id = revision.decision_id AND decision.state = 'executed')"
)
OVERLAPS = (
    "SELECT one.id, other.id AS other_id FROM revision AS one JOIN revision AS other "
    "ON other.document_id = one.document_id AND other.id > one.id "
    "WHERE one.effective_from IS NOT NULL AND other.effective_from IS NOT NULL "
    "AND (one.effective_to IS NULL OR one.effective_to > one.effective_from) "
    "AND (other.effective_to IS NULL OR other.effective_to > other.effective_from) "
    "AND (one.effective_to IS NULL OR other.effective_from < one.effective_to) "
    "AND (other.effective_to IS NULL OR one.effective_from < other.effective_to)"
)
CODES = (
    "SELECT sequence, detail FROM audit_entry WHERE noun = 'document' AND record_id = :id "
    "AND action IN ('document.added', 'document.code_settled') ORDER BY sequence"
)
FROZEN = "SELECT sequence, detail FROM audit_entry WHERE noun = 'revision' AND record_id = :id ORDER BY sequence"
ENDORSED = ("in_approval", "approved", "issued", "withdrawn")
APPROVED = ("approved", "issued", "withdrawn")


def check(connection: Connection, findings: Findings) -> None:
    """Check revisions, then decisions, then what only all rows together can show."""
    _revisions(connection, findings)
    _decisions(connection, findings)
    for row in stream(connection, CORRECTIONS):
        words = [row.decision_id, row.number, plain(row.signed_on), row.place, row.wrong, row.corrected]
        wanted = (row.decision_id, "corrected", row.made_by_id, _hash(words))
        if wanted != (row.signed_decision, row.meaning, row.account_id, row.content_hash):
            findings.found(
                "approval", f"correction {row.id}", "has no signature of whoever recorded it on what it says"
            )
    for row in stream(connection, UNACCEPTED):
        findings.found("approval", f"change_request {row.id}", "is accepted without a valid signature of its round")
    for row in stream(connection, UNSIGNED_NO_EFFECT):
        findings.found("approval", f"legal_assessment {row.id}", "found no effect without a signature of its round")
    for row in stream(connection, UNREPORTED):
        findings.found("approval", f"internal_audit {row.id}", "is reported without a signature on what it says")
    for row in stream(connection, UNVERIFIED):
        findings.found("approval", f"nonconformity {row.id}", "lacks the signature of its unit or of who verified it")
    for row in stream(connection, UNISSUED):
        findings.found("approval", f"revision {row.id}", "is issued without a line of an executed decision")
    for row in stream(connection, OVERLAPS):
        findings.found("approval", f"revision {row.id}", f"is in force at the same time as revision {row.other_id}")


def _revisions(connection: Connection, findings: Findings) -> None:
    seats = _seats(connection, findings)
    changes = _grouped(connection, CHANGES)
    signed = _grouped(connection, SIGNED)
    rows = ((row.id, row) for row in stream(connection, REVISIONS))
    with_changes = ((key, (row, listed or [])) for key, row, listed in paired(rows, changes) if row is not None)
    for _, given, signatures in paired(with_changes, signed):
        if given is None:
            continue  # A signature without its revision is what the check of foreign keys names.
        row, listed = given
        if row.content_hash is not None:
            _content(connection, row, listed, findings)
        if row.origin == "workflow":
            wanted = seats.get((row.workflow, row.workflow_version), frozenset())
            _signed(row, [mark for mark in signatures or [] if mark.round == row.round], wanted, findings)


def _content(connection: Connection, row: Row[Any], listed: list[Row[Any]], findings: Findings) -> None:
    signed: dict[str, Any] = {
        "code": row.code,
        "title": row.title,
        "edition": row.edition,
        "amendment": row.amendment,
        "change_summary": row.change_summary,
        "file_sha256": row.file_sha256,
        "file_name": row.file_name,
        "cover_date": plain(row.cover_date),
        "changes": [[line.section, line.old, line.new, line.basis] for line in listed],
    }
    if bool(row.major) != (row.amendment == 0):
        signed["major"] = bool(row.major)
    if _hash(signed) == row.content_hash:
        return
    # A code that was settled later does not undo what was signed under the earlier one.
    if _hash(signed | {"code": _code_when_frozen(connection, row)}) != row.content_hash:
        findings.found("approval", f"revision {row.id}", "its content does not give its content hash")


def _signed(row: Row[Any], marks: list[Row[Any]], seats: frozenset[str], findings: Findings) -> None:
    record = f"revision {row.id}"
    valid = [mark for mark in marks if mark.content_hash == row.content_hash and mark.account_id != row.author_id]
    endorsers = {mark.account_id for mark in valid if mark.meaning == "endorsed"}
    if row.state in ENDORSED and (missing := seats - {mark.seat for mark in valid if mark.meaning == "endorsed"}):
        findings.found("approval", record, f"lacks a valid endorsement: {', '.join(sorted(missing))}")
    approvers = {mark.account_id for mark in valid if mark.meaning == "approved"}
    if row.state in APPROVED and not approvers:
        findings.found("approval", record, "has no valid approval of its round by another than its author")
    if approvers & endorsers:
        findings.found("approval", record, "was approved by somebody who endorsed it in the same round")


def _decisions(connection: Connection, findings: Findings) -> None:
    rows = ((row.id, row) for row in stream(connection, DECISIONS))
    for identity, row, lines in paired(rows, _grouped(connection, LINES)):
        if row is None or row.state not in ("checked", "signed", "executed"):
            continue
        record = f"decision {identity}"
        signed = {name: plain(row._mapping[name]) for name in ("title", "number", "signed_on", "effective_from")}
        signed |= {"signer_form": row.signer_form, "lines": [list(line[1:]) for line in lines or []]}
        if _hash(signed) != row.checked_hash:
            findings.found("approval", record, "its words and lines do not give the hash of its check")
        if row.state != "checked" and not _has_signature(connection, row):
            findings.found("approval", record, "has no signature of its signer on what was checked")


def _has_signature(connection: Connection, row: Row[Any]) -> bool:
    query = (
        "SELECT 1 FROM signature WHERE decision_id = :id AND round = :round AND meaning = 'signed' "
        "AND account_id = :signer AND content_hash = :hash"
    )
    given = {"id": row.id, "round": row.round, "signer": row.signer_id, "hash": row.checked_hash}
    return connection.execute(text(query), given).first() is not None


def _code_when_frozen(connection: Connection, row: Row[Any]) -> str | None:
    frozen = 0
    for entry in stream(connection, FROZEN, id=row.id):
        if (loaded(entry.detail) or {}).get("content_hash") == row.content_hash and not frozen:
            frozen = entry.sequence
    code = None
    for entry in stream(connection, CODES, id=row.document_id):
        if entry.sequence < frozen:
            code = (loaded(entry.detail) or {}).get("code")
    return code


def _seats(connection: Connection, findings: Findings) -> dict[tuple[str, int], frozenset[str]]:
    """Return the seats that a round needs by workflow version, read from the registered source."""
    found: dict[tuple[str, int], frozenset[str]] = {}
    for row in stream(connection, "SELECT name, version, source FROM workflow_version ORDER BY id"):
        try:
            follows = _parsed(row.name, row.source)
        except WorkflowError as error:
            findings.found("state", f"workflow_version {row.name} {row.version}", error.text("en"))
            continue
        acts = follows.triggers.values()
        found[row.name, row.version] = frozenset(seat.name for act in acts for seat in act.seats)
    return found


@cache
def _parsed(name: str, source: str) -> workflow.Workflow:
    return workflow.parse(source, path=Path(f"{name}.toml"))


def _grouped(connection: Connection, query: str) -> Iterator[tuple[int, list[Row[Any]]]]:
    return ((key, list(group)) for key, group in groupby(stream(connection, query), key=lambda row: row[0]))


def _hash(signed: dict[str, Any] | list[Any]) -> str:
    return hashlib.sha256(audit.canonical(signed).encode()).hexdigest()
