"""The trail in words: what each act is called, and the values before and after it, in the language of the page."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from flask import url_for
from flask_babel import gettext as _

from docctl import decisions, people, requests
from docctl.audit import Action, AuditEntry
from docctl.config import Settings
from docctl.requests import CONCLUSIONS, KINDS
from docctl.rules import MEANINGS, ROLES, Sentence
from docctl.site import workflow_files
from docctl.web import edge, language, show

SHORT_HASH = 12
# Said elsewhere in the row (who, when, what was signed), or of use to programs only.
_UNTOLD = frozenset(
    {"before", "trigger", "reason", "meaning", "seat", "sentence", "sentence_vi", "signature", "round", "checked_hash"}
    | {"year", "requester_unit_id", "unit_id", "type_id", "document_id", "replaced_by_id"}
    | {"signature_id", "change_request_id", "closed_by_id", "attached_by_id", "attached_at", "made_at"}
    | {"line", "line_sha256", "imported_at", "doc", "rev", "revision_id"}
    | {"created_at", "created_by_id", "drafted_by_id", "decision_id", "withdrawn_by_id", "executed_at", "made_by_id"}
    | {"tasks", "revision_id", "unit_id", "type_id", "made_at", "asked_at", "added_at", "exempt_reason"}
    | {
        "placed_at",
        "placed_by_id",
        "released_at",
        "disposal_id",
        "head_sequence",
        "head_hash",
        "opened_at",
        "closed_at",
        "recall_id",
    }
    | {"delivered_by_id", "received_by_id", "settled_by_id"}
    | {"status_token", "posted_by_id", "posted_at", "lines", "kept", "found"}
    | {"internal_audit_id", "audit_sample_id", "nonconformity_id", "draw_id", "position", "taken_at", "walked_by_id"}
    | {"opened_by_id", "reported_at", "raised_by_id", "answered_by_id", "closed_by_id", "drawn_by_id", "added_by_id"}
    | {"answered_at", "drawn_at", "population", "entry_hash", "checklist"}
)


# The page of each noun, and what its address calls the record.
_PAGES = {
    "document": ("documents.show", "document_id"),
    "revision": ("revisions.show", "revision_id"),
    "decision": ("decisions.show", "decision_id"),
    "change_request": ("requests.show", "request_id"),
    "external_document": ("external.show", "external_id"),
    "procedure": ("procedures.show", "procedure_id"),
    "legal_assessment": ("watch.show", "assessment_id"),
    "internal_audit": ("internal_audits.show_one", "audit_id"),
    "nonconformity": ("nonconformity.show_one", "slip_id"),
}


@dataclass(frozen=True)
class Changed:
    """One value of an entry: its name, what it was and what it became."""

    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Told:
    """An entry of the trail in words."""

    sequence: int
    at: datetime
    who: str
    title: str
    what: str
    about: str
    url: str
    reason: str
    signed: str
    changes: list[Changed]
    hash: str


def actions() -> dict[str, str]:
    """Return what every act of the trail is called."""
    return {
        Action.SIGNED_IN: _("signed in"),
        Action.SIGNED_OUT: _("signed out"),
        Action.SIGN_IN_REFUSED: _("sign-in refused"),
        Action.ACCOUNT_ADDED: _("account added"),
        Action.ACCOUNT_DISABLED: _("account closed"),
        Action.MAIL_CHOSEN: _("mail and notices chosen"),
        Action.PASSWORD_CHANGED: _("password changed"),
        Action.UNIT_ADDED: _("unit added"),
        Action.UNIT_RENAMED: _("unit renamed"),
        Action.UNIT_MERGED: _("unit merged into another"),
        Action.UNIT_SPLIT: _("unit split up"),
        Action.TYPE_ADDED: _("document type added"),
        Action.WORKFLOW_REGISTERED: _("workflow registered"),
        Action.ACT_REFUSED: _("act refused"),
        Action.DOCUMENT_ADDED: _("document added"),
        Action.DOCUMENT_RENAMED: _("document renamed"),
        Action.DOCUMENT_MOVED: _("document went to another unit"),
        Action.CODE_SETTLED: _("code settled"),
        Action.CONFIDENTIALITY_SET: _("circulation of the title changed"),
        Action.REVISION_DRAFTED: _("revision drafted"),
        Action.REVISION_IMPORTED: _("revision imported"),
        Action.REVISION_EDITED: _("revision edited"),
        Action.REVISION_MOVED: _("revision moved on"),
        Action.REVISION_SUPERSEDED: _("revision superseded"),
        Action.HISTORY_IMPORTED: _("line of a history imported"),
        Action.TEXT_EXTRACTED: _("text read from the file"),
        Action.TEXT_ASKED_AGAIN: _("text of the file asked for again"),
        Action.RENDITION_SETTLED: _("tracked changes settled for the PDF"),
        Action.RENDITION_MADE: _("PDF for reading made"),
        Action.DECISION_DRAFTED: _("decision drafted"),
        Action.DECISION_EDITED: _("decision edited"),
        Action.DECISION_MOVED: _("decision moved on"),
        Action.DECISION_SCANNED: _("scan of the decision attached"),
        Action.DECISION_CORRECTED: _("decision corrected in form"),
        Action.OBLIGATION_BEGUN: _("to be done after the decision"),
        Action.DECISION_POSTED: _("posted on the public pages"),
        Action.OBLIGATION_CLOSED: _("recorded as done"),
        Action.DISTRIBUTION_LISTED: _("line added to a distribution list"),
        Action.DISTRIBUTION_UNLISTED: _("line taken out of a distribution list"),
        Action.DISTRIBUTION_MADE: _("distributed"),
        Action.DISTRIBUTION_EXTENDED: _("further copies issued"),
        Action.READ_TASK_ASKED: _("asked to read in place of somebody who left"),
        Action.READ_TASK_MOVED: _("reading moved on"),
        Action.COPY_PREPARED: _("controlled copy prepared"),
        Action.COPY_MOVED: _("controlled copy moved on"),
        Action.RECALL_OPENED: _("recall opened"),
        Action.RECALL_EDITED: _("recall minutes written"),
        Action.RECALL_MOVED: _("recall moved on"),
        Action.TYPE_CHANGED: _("document type changed"),
        Action.HOLD_PLACED: _("document put on hold"),
        Action.HOLD_RELEASED: _("hold released"),
        Action.DISPOSAL_DRAFTED: _("disposal minutes drafted"),
        Action.DISPOSAL_EDITED: _("disposal minutes written"),
        Action.DISPOSAL_MOVED: _("disposal moved on"),
        Action.CONTENT_DISPOSED: _("content disposed of"),
        Action.COPY_HANDED_OVER: _("controlled copy handed over"),
        Action.REQUEST_DRAFTED: _("change request made"),
        Action.REQUEST_EDITED: _("change request edited"),
        Action.REQUEST_MOVED: _("change request moved on"),
        Action.REQUEST_OPENED_DRAFT: _("draft opened by the request"),
        Action.OPINION_GIVEN: _("opinion given"),
        Action.DELEGATION_MADE: _("delegation in writing made"),
        Action.DELEGATION_ENDED: _("delegation in writing ended"),
        Action.CONFIGURATION_KEPT: _("configuration recorded as it is"),
        Action.SCHEMA_UPGRADED: _("database schema upgraded"),
        Action.TRAIL_RESTORED: _("restored from a backup"),
        Action.TRAIL_READ: _("trail read"),
        Action.TRAIL_EXPORTED: _("trail exported"),
        Action.INDEX_REBUILD_ASKED: _("search index to be built anew"),
        Action.EVIDENCE_TAKEN: _("evidence taken"),
        Action.HOLIDAY_LISTED: _("holiday listed"),
        Action.HOLIDAY_REMOVED: _("holiday taken off the list"),
        Action.EXTERNAL_ADDED: _("external document entered"),
        Action.EXTERNAL_CHANGED: _("external document changed"),
        Action.PROCEDURE_ADDED: _("administrative procedure entered"),
        Action.PROCEDURE_CHANGED: _("administrative procedure changed"),
        Action.PROCEDURE_LINKED: _("document linked to an administrative procedure"),
        Action.ASSESSMENT_OPENED: _("assessment of a changed law opened"),
        Action.ASSESSMENT_MOVED: _("assessment of a changed law moved on"),
        Action.ASSESSMENT_REQUESTED: _("change request opened for a changed law"),
        Action.INTERNAL_AUDIT_OPENED: _("internal audit opened"),
        Action.INTERNAL_AUDIT_EDITED: _("internal audit edited"),
        Action.INTERNAL_AUDIT_MOVED: _("internal audit moved on"),
        Action.AUDIT_DRAWN: _("samples drawn at random"),
        Action.AUDIT_SAMPLED: _("sample taken by an audit"),
        Action.AUDIT_WALKED: _("sample answered by an audit"),
        Action.NONCONFORMITY_RAISED: _("finding raised"),
        Action.NONCONFORMITY_EDITED: _("corrective report written"),
        Action.NONCONFORMITY_MOVED: _("corrective-action slip moved on"),
        Action.NONCONFORMITY_EVIDENCED: _("evidence linked to a finding"),
        Action.REVIEW_DONE: _("review done"),
        Action.FIGURE_TYPED: _("figure of the report typed"),
        Action.POINTS_CLAIMED: _("points claimed"),
        Action.CITATION_JUDGED: _("citation confirmed or struck out"),
        Action.PROCEDURE_UNLINKED: _("link to an administrative procedure ended"),
        Action.TOKEN_MADE: _("token for a program made"),
        Action.TOKEN_ENDED: _("token of a program ended"),
    }


def history(entries: Iterable[AuditEntry]) -> list[SimpleNamespace]:
    """Return entries as the lines of a timeline."""
    return [
        SimpleNamespace(
            at=row.at,
            who=row.who,
            title=row.title,
            what=row.what,
            comment=row.reason,
            signed=bool(row.signed),
            evidence_url="",
            evidence_label="",
        )
        for row in told(entries)
    ]


def told(entries: Iterable[AuditEntry]) -> list[Told]:
    """Return entries in words, in the order given."""
    listed, session = list(entries), edge.reading()
    words = _Words(actions(), decisions.names_of(session, listed), people.names(session))
    return [_told(entry, entry.values, words) for entry in listed]


@dataclass(frozen=True)
class _Words:
    """What acts, records and people are called, looked up once for many entries."""

    acts: Mapping[str, str]
    records: Mapping[tuple[str, int], str]
    people: Mapping[int, str]


def _told(entry: AuditEntry, values: dict[str, Any], words: _Words) -> Told:
    sentence = values.get("sentence_vi") if language.locale() == "vi" else None
    return Told(
        sequence=entry.sequence,
        at=entry.at,
        who=entry.actor,
        title=entry.actor_title,
        what=_what(entry, values, words.acts),
        about=_about(entry, words.records),
        url=_url(entry),
        reason=str(values.get("remark") or values.get("reason") or sentence or values.get("sentence") or ""),
        signed=show.say(MEANINGS.get(values.get("meaning", ""))),
        changes=_changes(values, words.people),
        hash=entry.hash[:SHORT_HASH],
    )


def _what(entry: AuditEntry, values: dict[str, Any], named: Mapping[str, str]) -> str:
    act = named.get(entry.action, entry.action)
    trigger = str(values.get("trigger") or "")
    if not trigger:
        return act
    label = _labels(edge.site().settings)["triggers"].get((_noun(entry.noun), trigger))
    word: str = label.get(language.locale()) if label else trigger
    return f"{act}: {word}" if entry.action == Action.ACT_REFUSED else word


def _about(entry: AuditEntry, records: Mapping[tuple[str, int], str]) -> str:
    nouns: dict[str, str] = {
        "document": _("document"),
        "revision": _("revision"),
        "decision": _("decision"),
        "account": _("account"),
        "workflow": _("workflow"),
        "unit": _("unit"),
        "document_type": _("document type"),
        "content": _("file"),
        "rendition": _("PDF"),
        "delegation": _("delegation in writing"),
        "distribution": _("distribution of revision"),
        "distribution_entry": _("line of a distribution list"),
        "read_task": _("read task"),
        "controlled_copy": _("controlled copy"),
        "recall": _("recall"),
        "retention_hold": _("hold"),
        "disposal": _("disposal"),
        "holiday": _("holiday"),
        "external_document": _("external document"),
        "procedure": _("administrative procedure"),
        "legal_assessment": _("assessment of a changed law"),
        "review": _("review"),
        "internal_audit": _("internal audit"),
        "audit_draw": _("random draw"),
        "audit_sample": _("sample"),
        "nonconformity": _("corrective-action slip"),
        "nonconformity_evidence": _("evidence of a slip"),
        "typed_figure": _("figure of the report"),
        "claim": _("points of the self-assessment"),
        "citation_verdict": _("citation"),
        "procedure_link": _("link to an administrative procedure"),
        "change_request": _("change request"),
        "opinion": _("opinion"),
        "decision_scan": _("scan"),
        "correction": _("correction of form"),
        "obligation": _("duty after a decision"),
        "posting": _("public posting"),
        "token": _("token of a program"),
        "configuration": _("configuration"),
        "schema": _("database schema"),
        "history_event": _("line of a history"),
    }
    noun = entry.noun.removesuffix("s")
    if entry.record_id is None:
        return nouns.get(noun, noun)
    return f"{nouns.get(noun, noun)} {records.get((noun, entry.record_id), entry.record_id)}"


def _url(entry: AuditEntry) -> str:
    noun = entry.noun.removesuffix("s")
    if entry.record_id is not None and noun in _PAGES:
        page, name = _PAGES[noun]
        me = edge.me()
        if (
            noun == "change_request"
            and not me.sees_everything
            and not requests.load(edge.reading(), entry.record_id, by=me)
        ):
            return ""  # Who keeps the accounts reads the trail, and not every request that it tells of.
        key: dict[str, Any] = {name: entry.record_id}
        return url_for(page, **key)
    return url_for("documents.show", document_id=entry.document_id) if entry.document_id is not None else ""


def _changes(values: dict[str, Any], names: Mapping[int, str]) -> list[Changed]:
    before = values.get("before")
    was = before if isinstance(before, dict) else {"state": before} if before else {}
    rows = [
        Changed(_label(name), _plain(name, was.get(name), names), _plain(name, value, names))
        for name, value in values.items()
        if name not in _UNTOLD
    ]
    authority = (values.get("signature") or {}).get("authority", "")
    rows.append(Changed(_("authority"), "", authority))
    return [row for row in rows if row.before or row.after]


def _label(name: str) -> str:
    labels = {
        "title": _("title"),
        "code": _("code"),
        "field": _("field"),
        "type": _("document type"),
        "unit": _("unit"),
        "edition": _("edition"),
        "amendment": _("amendment"),
        "state": _("state"),
        "origin": _("origin"),
        "source": _("source"),
        "code_clash": _("code clash"),
        "confidential": _("confidential title"),
        "source_sha256": _("SHA-256 of the file"),
        "choice": _("tracked changes"),
        "engine": _("made by"),
        "change_summary": _("summary of changes"),
        "changes": _("change table"),
        "file_name": _("file"),
        "file_sha256": _("SHA-256 of the file"),
        "sha256": _("SHA-256"),
        "content_hash": _("content hash"),
        "effective_from": _("effective from"),
        "effective_to": _("effective until"),
        "decision": _("decision"),
        "number": _("number"),
        "signed_on": _("date of signature"),
        "signer_form": _("form of signature"),
        "signer_id": _("signer"),
        "lines": _("lines"),
        "issued": _("issued"),
        "withdrawn": _("withdrawn"),
        "origin_decision": _("earlier decision"),
        "cover_date": _("date on the cover"),
        "workflow": _("workflow"),
        "workflow_version": _("version of the workflow"),
        "from_account_id": _("giver of the delegation"),
        "to_account_id": _("deputy"),
        "form": _("form of signature"),
        "document_number": _("number of the written act"),
        "document_date": _("date of the written act"),
        "valid_from": _("valid from"),
        "valid_to": _("valid until"),
        "ended_on": _("ended on"),
        "name_vi": _("name in Vietnamese"),
        "name_en": _("name in English"),
        "level": _("level"),
        "code_pattern": _("pattern of codes"),
        "review_months": _("months between reviews"),
        "retention_years": _("years of retention"),
        "one_time": _("one-time password"),
        "name": _("name"),
        "version": _("version"),
        "roles": _("roles"),
        "successor": _("successor"),
        "drafts": _("drafts handed over"),
        "readings": _("readings handed over"),
        "listings": _("lines of distribution lists"),
        "moved_copies": _("controlled copies handed over"),
        "moved_listings": _("lines of distribution lists"),
        "moved_procedures": _("administrative procedures"),
        "requests": _("draft change requests handed over"),
        "decisions": _("draft decisions handed over"),
        "delegations": _("delegations ended"),
        "disabled_at": _("closed at"),
        "email": _("address for mail"),
        "successors": _("successors"),
        "moved_documents": _("documents"),
        "moved_requests": _("draft change requests handed over"),
        "moved_roles": _("roles"),
        "moved_accounts": _("accounts"),
        "moved_units": _("units below it"),
        "moved_delegations": _("delegations ended"),
        "refused": _("letters not wanted"),
        "address": _("address"),
        "path": _("page"),
        "author_id": _("author"),
        "major": _("major change"),
        "target": _("receiver"),
        "role": _("role"),
        "account_id": _("person"),
        "medium": _("medium"),
        "copies": _("copies"),
        "reads": _("reads"),
        "asked": _("people asked to read"),
        "total": _("of copies"),
        "condition": _("condition"),
        "opened_at": _("opened"),
        "understood_at": _("understood"),
        "delivered_at": _("delivered"),
        "received_at": _("received"),
        "settled_at": _("settled"),
        "removed_at": _("removed"),
        "council": _("council"),
        "method": _("method"),
        "done_by": _("carried out by"),
        "witness": _("witness"),
        "recall_days": _("days to bring copies back"),
        "release_reason": _("reason for the release"),
        "removed": _("file removed"),
        "held_on": _("date of the minutes"),
        "participants": _("participants"),
        "due_on": _("due on"),
        "returned": _("returned"),
        "destroyed": _("destroyed"),
        "archived": _("archived"),
        "lost": _("lost"),
        "kind": _("kind"),
        "done_on": _("done on"),
        "outcome": _("outcome"),
        "reviewer_id": _("reviewer"),
        "reviewer_title": _("title of the reviewer"),
        "value": _("figure"),
        "points": _("points, in hundredths"),
        "evidence": _("evidence"),
        "row": _("row of the annex"),
        "scope": _("scope"),
        "criteria": _("criteria"),
        "first_day": _("first day"),
        "last_day": _("last day"),
        "team": _("team"),
        "plan": _("plan"),
        "seed": _("seed"),
        "size": _("number of samples"),
        "within": _("within"),
        "answers": _("checklist"),
        "walked_at": _("answered at"),
        "point": _("point of the checklist"),
        "grade": _("grade"),
        "requirement": _("requirement"),
        "statement": _("what does not conform"),
        "cause": _("cause"),
        "correction": _("correction at once"),
        "remedy": _("corrective action"),
        "proof": _("what proves it"),
        "verification": _("verified"),
        "side": _("side"),
        "entry_sequence": _("entry of the trail"),
        "note": _("note"),
        "cause_number": _("changed by"),
        "cause_kind": _("what it does"),
        "deadline": _("deadline"),
        "finding": _("finding"),
        "finished_on": _("finished on"),
        "label": _("law"),
        "verdict": _("verdict"),
        "category": _("group"),
        "issuer": _("issuer"),
        "issued_on": _("date of issue"),
        "ends_on": _("no longer in force from"),
        "clauses": _("clauses applied"),
        "units": _("units concerned"),
        "check_months": _("months between checks"),
        "checked_on": _("last check"),
        "checked_by": _("checked by"),
        "audience": _("audience"),
        "executor": _("carried out by"),
        "basis": _("legal basis"),
        "events": _("decisions about it"),
        "excluded_from": _("does not apply since"),
        "exclusion_reason": _("reason for leaving it out"),
        "detail_sha256": _("SHA-256 of the full text"),
        "procedure": _("administrative procedure"),
        "day": _("day"),
        "ended_at": _("ended at"),
        "why": _("reason"),
        "requester_id": _("requester"),
        "drafter_id": _("who writes the draft"),
        "draft_due": _("draft due on"),
        "effective_on": _("proposed effective date"),
        "affected": _("units concerned"),
        "legal_basis": _("legal basis"),
        "law_effective_on": _("law effective from"),
        "conclusion": _("conclusion"),
        "signing_block": _("signing block"),
        "place": _("place in the decision"),
        "wrong": _("as it read"),
        "corrected": _("as it should read"),
        "left_uncovered": _("administrative procedures left without a document"),
        "confirmed": _("confirmed by hand"),
        "remark": _("remark"),
        "history": _("imported history"),
        "entries": _("entries"),
        "epoch": _("epoch of the trail"),
        "effective_at": _("date in the history"),
        "author": _("author in the history"),
        "subject": _("subject"),
        "flags": _("flagged"),
    }
    return str(labels.get(name, name))


def _plain(name: str, value: Any, names: Mapping[int, str]) -> str:
    if value is None or value == "" or value == []:
        return ""
    if name == "state":
        return _state(str(value))
    if name == "conclusion":
        return show.say(CONCLUSIONS[value]) if value in CONCLUSIONS else str(value)
    if name == "kind":
        return show.say(KINDS[value]) if value in KINDS else str(value)
    if name == "roles":
        return ", ".join(show.say(ROLES[role]) if role in ROLES else str(role) for role in value)
    if name in ("lines", "changes", "events", "answers"):
        return str(_("%(n)s rows", n=len(value)))
    if name == "origin":
        return str({"workflow": _("drafted here"), "import": _("imported")}.get(value, value))
    if name == "choice":
        return str({"accept": _("accepted"), "refuse": _("refused")}.get(value, value))
    if name.endswith("_id") and isinstance(value, int):
        return names.get(value, str(value))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name.endswith(("sha256", "hash")):
        return str(value)[:SHORT_HASH]
    return _day_or_text(str(value))


def _day_or_text(value: str) -> str:
    try:
        if len(value) == len("2022-10-26"):
            return show.day(date.fromisoformat(value))
        if len(value) == len("2022-10-25T17:00:00.000000Z"):
            return show.moment(datetime.fromisoformat(value))
    except ValueError:
        pass  # A text that happens to be as long as a day or an instant.
    return value


def _state(name: str) -> str:
    label = _labels(edge.site().settings)["states"].get(name)
    return label.get(language.locale()) if label else name


def _noun(noun: str) -> str:
    """Return whose triggers these are: a workflow of a noun bears its name, all others are of revisions."""
    noun = noun.removesuffix("s")
    noun = "change_request" if noun == "request" else noun  # What the address of its pages calls it.
    own = (
        *("decision", "change_request", "read_task", "controlled_copy", "recall", "disposal", "legal_assessment"),
        *("internal_audit", "nonconformity"),
    )
    return noun if noun in own else "revision"


@lru_cache(maxsize=8)
def _labels(settings: Settings) -> dict[str, dict[Any, Sentence]]:
    """Return what the workflow files call their triggers and states."""
    triggers: dict[Any, Sentence] = {}
    states: dict[Any, Sentence] = {}
    for file in workflow_files(settings):
        noun = _noun(file.name)
        triggers |= {(noun, trigger.name): trigger.label for trigger in file.triggers.values()}
        states |= {state.name: state.label for state in file.states.values()}
    return {"triggers": triggers, "states": states}
