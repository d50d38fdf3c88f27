"""Checks that what is stored equals what the trail tells: every controlled column of every record, replayed."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Row

from docctl.audit import hash_of
from docctl.citations import number_key
from docctl.documents import NOT_POSTED, standard_types
from docctl.text import code_key
from docctl.verify.findings import Findings, loaded, number, paired, plain, stream

ENTRIES = (
    "SELECT record_id, document_id, detail FROM audit_entry "
    "WHERE noun = :noun AND record_id IS NOT NULL AND action LIKE :actions ORDER BY record_id, sequence"
)


@dataclass(frozen=True)
class Controlled:
    """A noun whose rows the trail must tell: its columns under the trail's names, and the list that belongs to a row."""

    noun: str
    rows: str
    listed_as: str = ""
    table: str = ""
    list_rows: str = ""
    since: tuple[tuple[str, Any], ...] = ()  # What entries older than a column are taken to say of it.
    unsaid: frozenset[str] = frozenset()  # Columns that entries older than them say nothing of.


NOUNS = (
    Controlled(
        "document",
        "SELECT document.id, document.code, title, document_type.code AS type, unit.code AS unit, field, code_clash, "
        "confidential, created_at, created_by_id FROM document LEFT JOIN document_type ON document_type.id = type_id "
        "LEFT JOIN unit ON unit.id = unit_id ORDER BY document.id",
        since=(("confidential", False),),
    ),
    Controlled(
        "revision",
        "SELECT id, document_id, state, round, edition, amendment, title, file_sha256, file_name, change_summary, major, "
        "author_id, content_hash, effective_from, effective_to, decision_id, withdrawn_by_id, workflow, "
        "workflow_version, origin, origin_decision, source, cover_date, created_at, status_token FROM revision ORDER BY id",
        unsaid=frozenset({"status_token"}),
        listed_as="changes",
        table="change_row",
        list_rows="SELECT revision_id, position, section, old, new, basis FROM change_row ORDER BY revision_id, position",
    ),
    Controlled(
        "decision",
        "SELECT id, state, round, title, number, signed_on, effective_from, signer_form, signing_block, signer_id, checked_hash, "
        "drafted_by_id, executed_at, workflow, workflow_version, created_at FROM decision ORDER BY id",
        since=(("signing_block", ""),),
        listed_as="lines",
        table="decision_line",
        list_rows="SELECT decision_id, position, action, revision_id, document_id, reason, replaced_by_id "
        "FROM decision_line ORDER BY decision_id, position",
    ),
    Controlled(
        "change_request",
        "SELECT id, year, number, kind, state, round, requester_id, requester_unit_id, unit_id, document_id, type_id, code, "
        "title, edition, amendment, effective_on, why, affected, replaced_by_id, drafter_id, draft_due, file_sha256, "
        "file_name, legal_basis, law_effective_on, content_hash, revision_id, decision_id, workflow, workflow_version, "
        "created_at FROM change_request ORDER BY id",
        listed_as="changes",
        table="request_row",
        list_rows="SELECT change_request_id, position, section, old, new, basis FROM request_row "
        "ORDER BY change_request_id, position",
    ),
    Controlled(
        "decision_scan",
        "SELECT id, decision_id, sha256, file_name, attached_by_id, attached_at FROM decision_scan ORDER BY id",
    ),
    Controlled(
        "obligation",
        "SELECT id, decision_id, kind, name_vi, name_en, due_on, done_on, evidence, sha256, file_name, closed_by_id "
        "FROM obligation ORDER BY id",
    ),
    Controlled(
        "correction",
        "SELECT id, decision_id, number, signed_on, place, wrong, corrected, made_by_id, made_at, signature_id "
        "FROM correction ORDER BY id",
        since=(("signature_id", None),),
    ),
    Controlled(
        "opinion",
        "SELECT id, change_request_id, signature_id, conclusion, remark FROM opinion ORDER BY id",
    ),
    Controlled(
        "delegation",
        "SELECT id, from_account_id, to_account_id, form, document_number, document_date, unit_id, valid_from, "
        "valid_to, ended_on, made_at, made_by_id FROM delegation ORDER BY id",
        unsaid=frozenset({"made_at"}),
    ),
    Controlled(
        "distribution_entry",
        "SELECT id, document_id, type_id, target, unit_id, role, account_id, medium, copies, reads, added_at, removed_at "
        "FROM distribution_entry ORDER BY id",
    ),
    Controlled(
        "distribution",
        "SELECT revision_id AS id, issued, asked, made_at, made_by_id FROM distribution ORDER BY revision_id",
    ),
    Controlled(
        "recall",
        "SELECT id, decision_id, number, held_on, basis, participants, due_on, state, round, workflow, workflow_version, "
        "content_hash, issued, returned, destroyed, archived, lost, opened_at, closed_at, head_sequence, head_hash "
        "FROM recall ORDER BY id",
        listed_as="lines",
        table="recall_line",
        list_rows="SELECT recall_id, copy_id, due_on FROM recall_line ORDER BY recall_id, copy_id",
    ),
    Controlled(
        "retention_hold",
        "SELECT id, document_id, reason, placed_at, placed_by_id, released_at, release_reason FROM retention_hold "
        "ORDER BY id",
    ),
    Controlled(
        "disposal",
        "SELECT id, number, held_on, basis, council, method, done_by, witness, state, round, workflow, workflow_version, "
        "content_hash, drafted_by_id, created_at, executed_at, head_sequence, head_hash FROM disposal ORDER BY id",
        listed_as="lines",
        table="disposal_line",
        list_rows="SELECT disposal_id, position, revision_id, reason, keep_until FROM disposal_line "
        "ORDER BY disposal_id, position",
    ),
    Controlled(
        "controlled_copy",
        "SELECT id, revision_id, number, total, medium, unit_id, account_id, state, workflow, workflow_version, made_at, "
        "delivered_at, delivered_by_id, received_at, received_by_id, settled_at, settled_by_id, condition "
        "FROM controlled_copy ORDER BY id",
    ),
    Controlled(
        "external_document",
        "SELECT id, number, kind, category, title, issuer, issued_on, effective_from, ends_on, clauses, units, "
        "check_months, checked_on, checked_by, created_at FROM external_document ORDER BY id",
        listed_as="changes",
        table="external_change",
        list_rows="SELECT external_document_id, position, kind, number, effective_from FROM external_change "
        "ORDER BY external_document_id, position",
    ),
    Controlled(
        "procedure",
        "SELECT procedure.id, procedure.code, title, field, level, audience, issuer, executor, basis, "
        "unit.code AS unit, excluded_from, exclusion_reason, detail_sha256, created_at FROM procedure "
        "LEFT JOIN unit ON unit.id = unit_id ORDER BY procedure.id",
        listed_as="events",
        table="procedure_event",
        list_rows="SELECT procedure_id, position, kind, number, on_day FROM procedure_event "
        "ORDER BY procedure_id, position",
    ),
    Controlled(
        "procedure_link",
        "SELECT id, procedure_id, document_id, origin, created_at, ended_at FROM procedure_link ORDER BY id",
    ),
    Controlled(
        "legal_assessment",
        "SELECT id, external_document_id, cause_kind, cause_number, cause_key, effective_from, deadline, document_id, "
        "revision_id, procedure_id, state, finding, change_request_id, finished_on, round, workflow, workflow_version, "
        "created_at FROM legal_assessment ORDER BY id",
    ),
    Controlled(
        "citation_verdict",
        "SELECT id, document_id, key, label, verdict, given_at, given_by_id FROM citation_verdict ORDER BY id",
    ),
    Controlled(
        "internal_audit",
        "SELECT id, year, number, title, scope, criteria, first_day, last_day, team, plan, conclusion, checklist, state, "
        "round, workflow, workflow_version, content_hash, opened_by_id, created_at, reported_at, head_sequence, head_hash "
        "FROM internal_audit ORDER BY id",
    ),
    Controlled(
        "audit_draw",
        "SELECT id, internal_audit_id, position, seed, size, within, population, drawn_at, drawn_by_id FROM audit_draw "
        "ORDER BY id",
    ),
    Controlled(
        "audit_sample",
        "SELECT id, internal_audit_id, position, document_id, revision_id, draw_id, taken_at, walked_at, walked_by_id "
        "FROM audit_sample ORDER BY id",
        listed_as="answers",
        table="checklist_answer",
        list_rows="SELECT audit_sample_id, position, point, verdict, note FROM checklist_answer "
        "ORDER BY audit_sample_id, position",
    ),
    Controlled(
        "nonconformity",
        "SELECT id, internal_audit_id, position, audit_sample_id, point, grade, unit_id, requirement, statement, due_on, "
        "cause, correction, remedy, proof, verification, state, round, workflow, workflow_version, content_hash, "
        "raised_by_id, created_at, answered_by_id, answered_at, closed_by_id, closed_at FROM nonconformity ORDER BY id",
    ),
    Controlled(
        "nonconformity_evidence",
        "SELECT id, nonconformity_id, side, revision_id, decision_id, entry_sequence, entry_hash, sha256, file_name, note, "
        "added_by_id, added_at FROM nonconformity_evidence ORDER BY id",
    ),
    Controlled(
        "review",
        "SELECT id, document_id, revision_id, done_on, outcome, reason, reviewer_id, reviewer_title, made_at "
        "FROM review ORDER BY id",
    ),
    Controlled(
        "typed_figure",
        "SELECT id, year, name, value, source, typed_at, typed_by_id FROM typed_figure ORDER BY id",
    ),
    Controlled(
        "claim",
        'SELECT id, year, "row", version, points, evidence, claimed_at, claimed_by_id FROM claim ORDER BY id',
    ),
    Controlled(
        "posting",
        "SELECT id, decision_id, address, lines, on_show, gone, withheld, content_hash, posted_at, posted_by_id, person, "
        "title, head_sequence, head_hash FROM posting ORDER BY id",
    ),
    Controlled(
        "rendition",
        "SELECT id, source_sha256, sha256, choice, engine, pages, signatures FROM rendition "
        "WHERE sha256 IS NOT NULL OR choice <> '' ORDER BY id",
    ),
    Controlled(
        "history_event",
        "SELECT id, document_id, revision_id, source, doc, kind, effective_at, author, subject, name, path, rev, flags, "
        "line, line_sha256, imported_at FROM history_event ORDER BY id",
    ),
)


def check(connection: Connection, findings: Findings) -> None:
    """Replay the trail of every noun beside its rows, one record at a time."""
    for noun in NOUNS:
        _replayed(connection, noun, findings)
    _reading(connection, findings)
    _accounts(connection, findings)
    _units(connection, findings)
    _types(connection, findings)
    _postings(connection, findings)
    _keys(connection, findings)
    _workflows(connection, findings)


def _replayed(connection: Connection, noun: Controlled, findings: Findings) -> None:
    findings.count(noun.noun, 0)
    total = number(connection, f"SELECT count(*) FROM {noun.noun}")  # noqa: S608 - a name of ours.
    rows = ((row.id, row) for row in stream(connection, noun.rows))
    stored = (
        _with_lists(connection, noun, rows, findings)
        if noun.listed_as
        else ((key, dict(row._mapping)) for key, row in rows)
    )
    for done, (identity, columns, known) in enumerate(paired(stored, _told(connection, noun, findings)), start=1):
        record = f"{noun.noun} {identity}"
        if columns is None:
            findings.found("state", record, "the trail tells of it, and it is gone")
        else:
            findings.count(noun.noun)
            _compared(record, columns, known, noun.unsaid, findings)
        findings.step(noun.noun, done, max(done, total))


def _told(connection: Connection, noun: Controlled, findings: Findings) -> Iterator[tuple[int, dict[str, Any]]]:
    entries = stream(connection, ENTRIES, noun=noun.noun, actions=f"{noun.noun}.%")
    for identity, group in groupby(entries, key=lambda row: row.record_id):
        told: dict[str, Any] = dict(noun.since)
        for row in group:
            told["document_id"] = row.document_id
            told |= loaded(row.detail) or {}
        yield identity, told


def _with_lists(
    connection: Connection, noun: Controlled, rows: Iterable[tuple[int, Row[Any]]], findings: Findings
) -> Iterator[tuple[int, dict[str, Any]]]:
    lists = ((key, list(group)) for key, group in groupby(stream(connection, noun.list_rows), key=lambda row: row[0]))
    for identity, row, listed in paired(rows, lists):
        if row is None:
            continue  # Rows of a list without their owner are what the check of foreign keys names.
        findings.count(noun.table, len(listed or []))
        columns = dict(row._mapping)
        columns[noun.listed_as] = [_listed(noun, line) for line in listed or []]
        positions = [line.position for line in listed or []] if noun.noun != "recall" else []
        if positions != list(range(1, len(positions) + 1)):
            findings.found("state", f"{noun.noun} {identity}", f"the positions of its {noun.listed_as} are {positions}")
        yield identity, columns


def _listed(noun: Controlled, line: Row[Any]) -> list[Any]:
    columns: list[Any] = list(line[1:] if noun.noun in ("decision", "disposal", "recall") else line[2:])
    return [plain(value) for value in columns]


def _compared(
    record: str, columns: dict[str, Any], told: dict[str, Any] | None, unsaid: frozenset[str], findings: Findings
) -> None:
    if told is None:
        findings.found("state", record, "the trail does not tell of it")
        return
    for name, value in columns.items():
        if name == "id" or (name in unsaid and name not in told):
            continue
        if name == "major" and name not in told:
            # The trail tells of it since there are distribution lists; before, the numbers did.
            told = told | {"major": columns["amendment"] == 0}
        if name not in told:
            findings.found("state", record, f"{name}: the trail does not say what it is")
        elif plain(value) != told[name]:
            findings.found("state", record, f"{name}: stored {plain(value)!r}, by the trail {told[name]!r}")


def _reading(connection: Connection, findings: Findings) -> None:
    """Replay the read tasks: one entry of a distribution makes all of a revision, later ones move one each."""
    told = dict(_tasks_told(connection))
    rows = (
        "SELECT id, revision_id, account_id, state, workflow, workflow_version, asked_at, opened_at, understood_at, "
        "exempt_reason FROM read_task ORDER BY id"
    )
    findings.count("read_task", 0)
    for row in stream(connection, rows):
        findings.count("read_task")
        _compared(f"read_task {row.id}", dict(row._mapping), told.pop(row.id, None), frozenset(), findings)
    for identity in sorted(told):
        findings.found("state", f"read_task {identity}", "the trail tells of it, and it is gone")


def _tasks_told(connection: Connection) -> dict[int, dict[str, Any]]:
    query = (
        "SELECT noun, record_id, detail FROM audit_entry WHERE (noun = 'distribution' AND action = 'distribution.made') "
        "OR (noun = 'read_task' AND action LIKE 'read_task.%') ORDER BY sequence"
    )
    told: dict[int, dict[str, Any]] = {}
    for row in stream(connection, query):
        values = loaded(row.detail) or {}
        if row.noun == "read_task":
            told.setdefault(row.record_id, {}).update(values)
            continue
        born = {"revision_id": row.record_id, "state": "waiting", "asked_at": values.get("made_at")}
        born |= {name: values.get(name) for name in ("workflow", "workflow_version")}
        born |= {"opened_at": None, "understood_at": None, "exempt_reason": ""}
        told |= {task: born | {"account_id": account} for task, account in values.get("tasks", [])}
    return told


def _accounts(connection: Connection, findings: Findings) -> None:
    """Check that an account is closed exactly where the trail says so, at that instant and in favour of that person."""
    told = {
        row.record_id: loaded(row.detail) or {}
        for row in stream(connection, "SELECT record_id, detail FROM audit_entry WHERE action = 'account.disabled'")
    }
    rows = (
        "SELECT account.id, account.disabled_at, heir.name AS successor FROM account "
        "LEFT JOIN account AS heir ON heir.id = account.successor_id ORDER BY account.id"
    )
    for row in stream(connection, rows):
        findings.count("account")
        closing = told.pop(row.id, None)
        if closing is None:
            if row.disabled_at is not None:
                findings.found("state", f"account {row.id}", "it is closed, and the trail does not tell of it")
        # Entries of earlier versions say by whom it was closed and for whom, not when.
        elif row.disabled_at is None or closing.get("disabled_at", plain(row.disabled_at)) != plain(row.disabled_at):
            findings.found("state", f"account {row.id}", "the trail says that it was closed, at another time")
        elif "disabled_at" in closing and closing.get("successor") != row.successor:
            findings.found("state", f"account {row.id}", f"its successor is {row.successor}, by the trail another one")
    for identity in told:
        findings.found("state", f"account {identity}", "the trail tells of it, and it is gone")


def _units(connection: Connection, findings: Findings) -> None:
    """Check names, ends and successors of units against what the trail last said of each."""
    told: dict[int, dict[str, Any]] = {}
    for row in stream(connection, ENTRIES, noun="unit", actions="unit.%"):
        told.setdefault(row.record_id, {}).update(loaded(row.detail) or {})
    following: dict[int, set[str]] = {}
    pairs = (
        "SELECT unit_succession.unit_id, unit.code FROM unit_succession "
        "JOIN unit ON unit.id = unit_succession.successor_id"
    )
    for row in stream(connection, pairs):
        following.setdefault(row.unit_id, set()).add(row.code)
    for row in stream(connection, "SELECT id, code, name_vi, name_en, valid_to FROM unit ORDER BY id"):
        findings.count("unit")
        said = told.pop(row.id, {})
        for name in ("name_vi", "name_en"):
            if name in said and said[name] != getattr(row, name):
                findings.found(
                    "state", f"unit {row.code}", f"{name}: stored {getattr(row, name)!r}, by the trail {said[name]!r}"
                )
        if plain(row.valid_to) != said.get("valid_to"):
            findings.found(
                "state",
                f"unit {row.code}",
                f"valid_to: stored {plain(row.valid_to)!r}, by the trail {said.get('valid_to')!r}",
            )
        if following.get(row.id, set()) != set(said.get("successors", [])):
            findings.found("state", f"unit {row.code}", "its successors are not those that the trail tells of")
    for identity in told:
        findings.found("state", f"unit {identity}", "the trail tells of it, and it is gone")


def _types(connection: Connection, findings: Findings) -> None:
    """Check that what is posted of a type is what the trail last said, or what a new office begins with, or nothing."""
    told: dict[int, str] = {}
    for row in stream(connection, ENTRIES, noun="document_type", actions="document_type.%"):
        if "posting" in (values := loaded(row.detail) or {}):
            told[row.record_id] = values["posting"]
    standard = {given["code"]: given["posting"] for given in standard_types()}
    for row in stream(connection, "SELECT id, code, posting FROM document_type ORDER BY id"):
        findings.count("document_type")
        allowed = {told[row.id]} if row.id in told else {NOT_POSTED, standard.get(row.code, NOT_POSTED)}
        if row.posting not in allowed:
            findings.found(
                "state", f"document_type {row.code}", f"posting: stored {row.posting!r}, by the trail {sorted(allowed)}"
            )


def _postings(connection: Connection, findings: Findings) -> None:
    """Check that the lines of a posting, with its decision's number and day, give the hash that was signed."""
    rows = (
        "SELECT posting.id, decision_id, decision.number, decision.effective_from, lines, content_hash FROM posting "
        "JOIN decision ON decision.id = decision_id ORDER BY posting.id"
    )
    for row in stream(connection, rows):
        signed = hash_of([row.decision_id, row.number, plain(row.effective_from), json.loads(row.lines)])
        if signed != row.content_hash:
            findings.found("state", f"posting {row.id}", "what it lists does not give its content hash")


def _keys(connection: Connection, findings: Findings) -> None:
    """Check what is derived when a row is written: the keys by which codes and numbers are compared, and years."""
    for row in stream(connection, "SELECT id, code, code_key FROM document ORDER BY id"):
        if code_key(row.code) != row.code_key:
            findings.found(
                "state", f"document {row.id}", f"code_key: stored {row.code_key!r} for the code {row.code!r}"
            )
    for row in stream(connection, "SELECT id, number, number_key FROM external_document ORDER BY id"):
        if number_key(row.number) != row.number_key:
            findings.found("state", f"external_document {row.id}", "number_key does not follow from its number")
    for row in stream(
        connection, "SELECT external_document_id, position, number, number_key FROM external_change ORDER BY id"
    ):
        if number_key(row.number) != row.number_key:
            record = f"external_document {row.external_document_id}"
            findings.found("state", record, f"number_key of change {row.position} does not follow from its number")
    for row in stream(connection, "SELECT id, code, code_key, detail, detail_sha256 FROM procedure ORDER BY id"):
        if (_sha256(row.detail) if row.detail else "") != row.detail_sha256:
            findings.found("state", f"procedure {row.id}", "its full text does not give its SHA-256")
        if code_key(row.code) != row.code_key:
            findings.found("state", f"procedure {row.id}", "code_key does not follow from its code")
    for row in stream(connection, "SELECT id, name, name_key FROM typed_figure ORDER BY id"):
        if code_key(row.name)[:300] != row.name_key:
            findings.found("state", f"typed_figure {row.id}", "name_key does not follow from its name")
    for noun in ("controlled_copy", "read_task"):
        for row in stream(connection, f"SELECT id, round FROM {noun} WHERE round <> 1 ORDER BY id"):  # noqa: S608
            findings.found("state", f"{noun} {row.id}", f"round: stored {row.round}, and it has one round only")
    for noun in ("recall", "disposal"):
        for row in stream(connection, f"SELECT id, year, held_on FROM {noun} ORDER BY id"):  # noqa: S608 - names of ours.
            day = plain(row.held_on)
            if (int(day[:4]) if day else None) != row.year:
                findings.found("state", f"{noun} {row.id}", "year does not follow from the day of its minutes")
    for row in stream(connection, "SELECT id, number, number_key, year, signed_on FROM decision ORDER BY id"):
        day = plain(row.signed_on)
        if code_key(row.number)[:80] != row.number_key or (int(day[:4]) if day else None) != row.year:
            findings.found("state", f"decision {row.id}", "number_key or year does not follow from its number and date")


def _workflows(connection: Connection, findings: Findings) -> None:
    """Check that the workflow versions are those that the trail saw registered."""
    registered = "SELECT detail FROM audit_entry WHERE action = 'workflow.registered' ORDER BY sequence"
    seen = {
        (values.get("name"), values.get("version")): values.get("sha256")
        for row in stream(connection, registered)
        if (values := loaded(row.detail)) is not None
    }
    for row in stream(connection, "SELECT name, version, sha256, source FROM workflow_version ORDER BY id"):
        findings.count("workflow_version")
        record = f"workflow_version {row.name} {row.version}"
        if seen.pop((row.name, row.version), None) != row.sha256:
            findings.found("state", record, "is not what the trail saw registered")
        if _sha256(row.source) != row.sha256:
            findings.found("state", record, "its source does not give its SHA-256")
    for name, version in seen:
        findings.found("state", f"workflow_version {name} {version}", "the trail tells of it, and it is gone")


def _sha256(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()
