"""What somebody may read of decisions: lists, the opening sentence, what is replaced, and the chain of a document."""

from collections.abc import Iterable

from sqlalchemy import (
    select,
)
from sqlalchemy.orm import Session, joinedload, selectinload

from docctl import audit, clock, lifecycle, revisions
from docctl.audit import AuditEntry
from docctl.decisions.acting import waiting_for
from docctl.decisions.checking import lines_of, standing_of, stands_at
from docctl.decisions.table import ISSUE, OPEN, WITHDRAW, Check, Decision, DecisionLine
from docctl.documents import Document
from docctl.people import Reader
from docctl.requests import ChangeRequest
from docctl.revisions import Revision
from docctl.rules import Sentence


def opening(session: Session, decision: Decision, *, by: Reader, found: Check | None = None) -> Sentence:
    """Return the sentence that says what a decision is, and since when, or who acts next on it."""
    follows = lifecycle.workflow_of(session, decision)
    issued = sum(line.action == ISSUE for line in decision.lines)
    counted = {"issued": issued, "withdrawn": sum(line.action == WITHDRAW for line in decision.lines)}
    if decision.state == "executed":
        assert decision.effective_from is not None  # A constraint of the table says so, and the next one too.
        assert decision.executed_at is not None
        return Sentence(
            "Quyết định đã được thực hiện ngày {done}: ban hành {issued} và hủy bỏ {withdrawn} tài liệu, hiệu lực từ {begins}.",
            "This decision was executed on {done}: {issued} documents issued and {withdrawn} withdrawn, effective from {begins}.",
        ).fill(
            done=clock.local(decision.executed_at).strftime("%d/%m/%Y"),
            begins=decision.effective_from.strftime("%d/%m/%Y"),
            **counted,
        )
    return Sentence(
        "{state}: sẽ ban hành {issued} và hủy bỏ {withdrawn} tài liệu. {waiting}",
        "{state}: would issue {issued} documents and withdraw {withdrawn}. {waiting}",
    ).fill(
        state=follows.states[decision.state].label,
        waiting=waiting_for(session, decision, by=by, found=found),
        **counted,
    )


def visible_revisions(session: Session, decision: Decision, *, by: Reader) -> set[int]:
    """Return the ids of the revisions which the decision issues, supersedes or withdraws and somebody may open."""
    wanted = {line.revision_id for line in decision.lines if line.revision_id}
    wanted |= {revision.id for revision in replaced(session, decision).values()}
    query = select(Revision.id).join(Document).where(Revision.id.in_(wanted), revisions.visible(by))
    return set(session.scalars(query))


def replaced(session: Session, decision: Decision) -> dict[int, Revision]:
    """Return by document the revision that the decision supersedes or withdraws, or will when it is executed."""
    lines = lines_of(session, decision)
    standing = standing_of(session, lines)
    begins = clock.midnight(decision.effective_from) if decision.effective_from else clock.now()
    own = {line.revision_id for line in lines}
    ended = {
        revision.document_id: revision
        for revisions_of in standing.values()
        for revision in revisions_of
        if revision.id not in own
        and (revision.effective_to == begins if decision.state == "executed" else stands_at(revision, begins))
    }
    never_begun = select(Revision).where(Revision.withdrawn_by_id == decision.id)
    return ended | {revision.document_id: revision for revision in session.scalars(never_begun)}


def may_see(by: Reader) -> bool:
    """Say whether somebody may see decisions that are not executed yet."""
    return by.sees_everything or by.has("controller", "approver", "auditor")


def load(session: Session, decision_id: int, *, by: Reader) -> Decision | None:
    """Return a decision as far as the person may see it, else None: staff see executed ones only."""
    found = session.get(Decision, decision_id)
    return found if found and (found.state == "executed" or may_see(by)) else None


def all_decisions(session: Session, *, by: Reader) -> list[Decision]:
    """Return the decisions that somebody may see, open ones first, then the newest."""
    query = select(Decision).options(selectinload(Decision.lines), joinedload(Decision.signer))
    if not may_see(by):
        query = query.where(Decision.state == "executed")
    return list(
        session.scalars(query.order_by(Decision.state.not_in(OPEN), Decision.signed_on.desc(), Decision.id.desc()))
    )


def awaiting_issue(session: Session) -> list[Revision]:
    """Return the approved revisions that no open or signed decision contains yet, by code."""
    taken = (
        select(DecisionLine.revision_id)
        .join(Decision)
        .where(DecisionLine.revision_id.is_not(None), Decision.state.in_(("draft", "checked", "signed")))
    )
    query = select(Revision).join(Document).where(Revision.state == "approved", Revision.id.not_in(taken))
    return list(session.scalars(query.order_by(Document.code_key)))


def of_document(session: Session, document: Document, *, by: Reader) -> list[DecisionLine]:
    """Return the lines of decisions about a document that somebody may see, oldest first."""
    query = select(DecisionLine).join(Decision).where(DecisionLine.document_id == document.id).order_by(Decision.id)
    if not may_see(by):
        query = query.where(Decision.state == "executed")
    return list(session.scalars(query))


def chain(session: Session, document: Document, *, by: Reader) -> list[AuditEntry]:
    """Return the trail of a document with the acts of its decisions, oldest first, as far as somebody may see it.

    Who does not see a revision (a draft, a superseded one) does not see what happened to it or to its file either.
    """
    seen = revisions.of_document(session, document, by=by)
    ids, files = {row.id for row in seen}, {row.file_sha256 for row in seen}
    entries = [
        entry
        for entry in audit.of_document(session, document.id)
        if (entry.noun != "revision" or entry.record_id in ids)
        and (entry.noun != "content" or entry.values.get("sha256") in files)
    ]
    for decision_id in {line.decision_id for line in of_document(session, document, by=by)}:
        entries += audit.of_record(session, "decision", decision_id)
    return sorted(entries, key=lambda entry: entry.sequence)


def names_of(session: Session, entries: Iterable[AuditEntry]) -> dict[tuple[str, int], str]:
    """Return what the documents, revisions and decisions of entries are called: code, code and edition, number."""
    wanted: dict[str, set[int]] = {}
    for entry in entries:
        if entry.record_id is not None:
            wanted.setdefault(entry.noun.removesuffix("s"), set()).add(entry.record_id)
    documents = select(Document.id, Document.code).where(Document.id.in_(wanted.get("document", ())))
    numbers = select(Decision.id, Decision.number).where(Decision.id.in_(wanted.get("decision", ())))
    editions = select(Revision).where(Revision.id.in_(wanted.get("revision", ())))
    asked = select(ChangeRequest).where(ChangeRequest.id.in_(wanted.get("change_request", ())))
    return (
        {("document", row.id): row.code for row in session.execute(documents)}
        | {("decision", row.id): row.number for row in session.execute(numbers) if row.number}
        | {("change_request", row.id): row.number_text for row in session.scalars(asked)}
        | {
            ("revision", row.id): f"{row.document.code} {row.edition_text}"
            for row in session.scalars(editions.options(joinedload(Revision.document)))
        }
    )
