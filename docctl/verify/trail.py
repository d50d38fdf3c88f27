"""Checks the trail: no gap, each entry chained to the one before by its hash, and each signature as its entry says."""

import hashlib
from typing import Any

from sqlalchemy import Connection, Row

from docctl import audit
from docctl.verify.findings import Findings, loaded, number, plain, stream

ENTRIES = (
    "SELECT sequence, at, actor_id, actor, actor_title, action, noun, record_id, document_id, detail, prev_hash, hash "
    "FROM audit_entry ORDER BY sequence"
)
SIGNATURES = (
    "SELECT id, round, seat, meaning, account_id, person, title, authority, signed_at, content_hash, revision_id, "
    "decision_id, change_request_id, recall_id, legal_assessment_id, disposal_id, "
    "internal_audit_id, nonconformity_id FROM signature ORDER BY id"
)
# What is signed: the noun of the entry and the column that names its record.
NOUNS = (
    *("revision", "decision", "change_request", "recall", "legal_assessment", "disposal"),
    *("internal_audit", "nonconformity"),
)
SUBJECTS = {noun: f"{noun}_id" for noun in NOUNS}
# These entries sign too: a correction bears its signature under the decision that it corrects.
CORRECTED = "correction.made"
SAID = ("id", "round", "seat", "meaning", "account_id", "person", "title", "authority", "signed_at", "content_hash")

Claims = dict[int, tuple[int, bytes]]


def check(connection: Connection, findings: Findings) -> None:
    """Walk the whole trail once, then every signature once; of each entry only a digest stays in memory."""
    total = number(connection, "SELECT count(*) FROM audit_entry")
    expected, last_hash = 1, audit.GENESIS
    claims: Claims = {}
    findings.count("signature", 0)
    for row in stream(connection, ENTRIES):
        _chained(row, expected, last_hash, findings)
        expected, last_hash = row.sequence + 1, row.hash
        _claim(row, claims, findings)
        findings.count("audit_entry")
        findings.step("trail", findings.checked["audit_entry"], total)
    _signatures(connection, claims, findings)


def _chained(row: Row[Any], expected: int, last_hash: str, findings: Findings) -> None:
    record = f"audit_entry {row.sequence}"
    if row.sequence != expected:
        findings.found("trail", record, f"entry {expected} must come before it: entries are missing")
    elif row.prev_hash != last_hash:
        findings.found("trail", record, "is not chained to the entry before it")
    columns: list[Any] = list(row[:-1])
    if audit.hash_of([plain(value) for value in columns]) != row.hash:
        findings.found("trail", record, "its content does not give its hash: it was altered")


def _claim(row: Row[Any], claims: Claims, findings: Findings) -> None:
    values = loaded(row.detail)
    if values is None:
        findings.found("trail", f"audit_entry {row.sequence}", "its detail cannot be read")
        return
    said = values.get("signature")
    if row.action not in [*(f"{noun}.moved" for noun in SUBJECTS), CORRECTED] or not isinstance(said, dict):
        return
    subject = ["decision", values.get("decision_id")] if row.action == CORRECTED else [row.noun, row.record_id]
    if (said.get("account_id"), said.get("person"), said.get("title")) != (row.actor_id, row.actor, row.actor_title):
        findings.found("signature", f"audit_entry {row.sequence}", "names another signer than its actor")
    if said.get("id") in claims:
        findings.found("signature", f"signature {said.get('id')}", f"is made again by entry {row.sequence}")
    claims[said.get("id", 0)] = (row.sequence, _digest([*subject, *(said.get(name) for name in SAID)]))


def _signatures(connection: Connection, claims: Claims, findings: Findings) -> None:
    for row in stream(connection, SIGNATURES):
        findings.count("signature")
        record = f"signature {row.id}"
        named = ((noun, row._mapping[column]) for noun, column in SUBJECTS.items())
        subject = next(([noun, key] for noun, key in named if key is not None), ["nothing", None])
        sequence, digest = claims.pop(row.id, (0, b""))
        if not sequence:
            findings.found("signature", record, f"of {subject[0]} {subject[1]} has no entry in the trail")
        elif _digest([*subject, *(plain(row._mapping[name]) for name in SAID)]) != digest:
            findings.found("signature", record, f"of {subject[0]} {subject[1]} is not what entry {sequence} says")
    for identity, (sequence, _) in claims.items():
        findings.found("signature", f"signature {identity}", f"of entry {sequence} is missing")


def _digest(values: list[Any]) -> bytes:
    return hashlib.sha256(audit.canonical(values).encode()).digest()
