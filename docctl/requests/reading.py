"""What somebody may read of change requests: the list with its filters, one request, and those of a document or a draft."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, or_, select, text, true
from sqlalchemy.orm import Session, joinedload

from docctl import lifecycle, workflow
from docctl.documents import Document
from docctl.people import Reader
from docctl.requests.acting import facts
from docctl.requests.table import KINDS, OPEN, WITHDRAW, ChangeRequest, Opinion
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.text import fold
from docctl.units import Unit


@dataclass(frozen=True)
class Asked:
    """The questions of the list; what is empty does not narrow it."""

    words: str = ""
    kind: str = ""
    state: str = ""
    unit: str = ""
    year: int | None = None


def visible(by: Reader) -> ColumnElement[bool]:
    """Return the SQL condition for the requests that somebody may see: his or her own, and those of the units judged."""
    if by.sees_everything:
        return true()
    conditions: list[ColumnElement[bool]] = [ChangeRequest.requester_id == by.id, ChangeRequest.drafter_id == by.id]
    for role in ("author", "reviewer", "format_reviewer", "approver", "controller", "auditor"):
        if role in by.reach:
            reached = by.reach[role]
            conditions.append(true() if reached is None else ChangeRequest.unit_id.in_(reached or {-1}))
    return or_(*conditions)


def load(session: Session, request_id: int, *, by: Reader) -> ChangeRequest | None:
    """Return a request as far as the person may see it, else None."""
    return session.scalars(select(ChangeRequest).where(ChangeRequest.id == request_id, visible(by))).first()


def find(session: Session, asked: Asked, *, by: Reader) -> list[ChangeRequest]:
    """Return the requests that the questions ask for, newest first."""
    query = _loaded(select(ChangeRequest).where(visible(by)))
    if asked.kind:
        query = query.where(ChangeRequest.kind == asked.kind)
    if asked.state == "open":
        query = query.where(ChangeRequest.state.in_(OPEN))
    elif asked.state:
        query = query.where(ChangeRequest.state == asked.state)
    if asked.unit:
        query = query.join(Unit, Unit.id == ChangeRequest.unit_id).where(Unit.code == asked.unit)
    if asked.year:
        query = query.where(ChangeRequest.year == asked.year)
    rows = session.scalars(query.order_by(ChangeRequest.year.desc(), ChangeRequest.number.desc())).all()
    wanted = fold(asked.words).split()
    return [row for row in rows if all(word in _text_of(row) for word in wanted)]


def years(session: Session, *, by: Reader) -> list[int]:
    """Return the years that have requests which somebody may see, newest first."""
    query = select(ChangeRequest.year).where(visible(by)).distinct()
    return list(session.scalars(query.order_by(ChangeRequest.year.desc())))


def open_ones(session: Session, *, by: Reader) -> list[ChangeRequest]:
    """Return the requests that are on their way, as far as somebody may see them, oldest first."""
    query = _loaded(select(ChangeRequest).where(visible(by), ChangeRequest.state.in_(OPEN)))
    return list(session.scalars(query.order_by(ChangeRequest.id)))


def of_document(session: Session, document: Document, *, by: Reader) -> list[ChangeRequest]:
    """Return the requests about a document that somebody may see, newest first."""
    query = select(ChangeRequest).where(ChangeRequest.document_id == document.id, visible(by))
    return list(session.scalars(query.order_by(ChangeRequest.id.desc())))


def of_revision(session: Session, revision: Revision, *, by: Reader) -> ChangeRequest | None:
    """Return the request that opened a revision, as far as somebody may see it."""
    return session.scalars(select(ChangeRequest).where(ChangeRequest.revision_id == revision.id, visible(by))).first()


def withdrawals_waiting(session: Session) -> list[ChangeRequest]:
    """Return the accepted requests to withdraw whose document no open decision names yet, by number."""
    # The tables of decisions are right of requests, so they are asked by name and not imported.
    taken = text(
        "SELECT decision_line.document_id FROM decision_line JOIN decision ON decision.id = decision_line.decision_id "
        "WHERE decision_line.action = 'withdraw' AND decision.state IN ('draft', 'checked', 'signed')"
    )
    named = {row[0] for row in session.execute(taken)}
    query = _loaded(select(ChangeRequest).where(ChangeRequest.state == "accepted", ChangeRequest.kind == WITHDRAW))
    return [row for row in session.scalars(query.order_by(ChangeRequest.id)) if row.document_id not in named]


def opinions(session: Session, request: ChangeRequest) -> list[Opinion]:
    """Return the opinions on a request, oldest first, those of earlier rounds included."""
    query = select(Opinion).where(Opinion.change_request_id == request.id).options(joinedload(Opinion.signature))
    return list(session.scalars(query.order_by(Opinion.id)))


def opening(session: Session, request: ChangeRequest, *, by: Reader) -> Sentence:
    """Return the sentence that says what a request asks for, how it stands, and who acts next."""
    follows = lifecycle.workflow_of(session, request)
    return Sentence(
        "{kind}: {what}. {state}. {waiting}",
        "{kind}: {what}. {state}. {waiting}",
    ).fill(
        kind=KINDS[request.kind],
        what=_what(request),
        state=_state(session, request, follows.states[request.state].label),
        waiting=waiting(session, request, by=by),
    )


def is_open(request: ChangeRequest) -> bool:
    """Say whether a request is still on its way."""
    return request.state in OPEN


def number_of_decision(session: Session, request: ChangeRequest) -> str:
    """Return the number of the decision that took a request up, or nothing."""
    if request.decision_id is None:
        return ""
    number = session.scalar(text("SELECT number FROM decision WHERE id = :id"), {"id": request.decision_id})
    return str(number or "")


def _loaded(query: Select[ChangeRequest]) -> Select[ChangeRequest]:
    return query.options(
        joinedload(ChangeRequest.document).joinedload(Document.unit),
        joinedload(ChangeRequest.unit),
        joinedload(ChangeRequest.requester),
        joinedload(ChangeRequest.revision),
    )


def _text_of(request: ChangeRequest) -> str:
    return fold(f"{request.number_text} {request.about_code} {request.subject} {request.why}")


def _what(request: ChangeRequest) -> Sentence:
    name = " – ".join(part for part in (request.about_code, request.subject) if part)
    return Sentence(name, name) if name else Sentence("chưa ghi tài liệu nào", "no document is named yet")


def _state(session: Session, request: ChangeRequest, label: Sentence) -> Sentence:
    if request.decision_id is None:
        return label
    number = number_of_decision(session, request)
    return Sentence("{label} {number}", "{label}: {number}").fill(label=label, number=number)


def waiting(session: Session, request: ChangeRequest, *, by: Reader) -> Sentence:
    """Say who acts next on a request, or how far its draft is."""
    follows = lifecycle.workflow_of(session, request)
    if request.state == "accepted" and request.revision is not None:
        if request.revision.state == "discarded":
            return Sentence(
                "Dự thảo mở từ phiếu này đã bị bỏ; hãy hủy phiếu hoặc lập phiếu khác.",
                "The draft that it opened was discarded; cancel the request or make another one.",
            )
        if request.revision.state == "approved":
            return Sentence(
                "Dự thảo đã được phê duyệt; chờ một quyết định.", "Its draft is approved; waiting for a decision."
            )
        return Sentence(
            "Chờ dự thảo {edition} hoàn thành{due}.", "Waiting for its draft {edition} to be finished{due}."
        ).fill(edition=request.revision.edition_text, due=_due(request))
    if request.state == "accepted":
        return Sentence("Chờ được đưa vào một quyết định.", "Waiting for a decision to take it up.")
    return workflow.waiting_for(follows, request.state, facts(session, request, by=by))


def _due(request: ChangeRequest) -> Sentence:
    if request.draft_due is None:
        return Sentence("", "")
    return Sentence(", hạn {day}", ", due {day}").fill(day=f"{request.draft_due:%d/%m/%Y}")
