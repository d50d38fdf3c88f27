"""The acts on a change request: submitted, judged, accepted with its draft opened, and followed to its decision."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from docctl import audit, authority, documents, lifecycle, revisions, workflow
from docctl.audit import Action
from docctl.people import Reader, Reauthenticated
from docctl.requests.drafting import drafter_refusal, missing, to_successor, writer_of
from docctl.requests.table import (
    AGREE,
    CONCLUSIONS,
    LEADS_TO_A_DRAFT,
    WITHDRAW,
    ChangeRequest,
    Opinion,
    content_hash,
)
from docctl.revisions import Change
from docctl.rules import Facts, Refused, Sentence
from docctl.workflow import Act


def act(
    session: Session,
    request: ChangeRequest,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    conclusion: str = AGREE,
    remark: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> str:
    """Take a request through one trigger of its workflow by a person's own act; returns the new state.

    `conclusion` and `remark` are those of an opinion. Accepting opens the draft, in the same transaction.
    """
    if trigger == "opine":
        _check_opinion(conclusion, remark)
    known = facts(session, request, by=by, reason=reason)
    changes: dict[str, Any] = {}
    if trigger == "submit":
        changes["content_hash"] = known.content_hash
    if trigger in ("send_back", "take_back"):
        # A new round: the signatures of the old one are void, and kept.
        changes |= {"content_hash": None, "round": request.round + 1}
    follows = lifecycle.workflow_of(session, request)
    asked = follows.triggers.get(trigger)
    seat = workflow.seat_for(asked, known) if asked else None
    state = lifecycle.move(
        session,
        request,
        trigger,
        by=by,
        facts=known,
        signing=signing,
        seen=seen,
        seat=seat.name if seat else "",
        content_hash=known.content_hash or "",
        authority=authority.words(session, by, request.unit_id) if asked and "has_authority" in asked.rules else "",
        document_id=request.document_id,
        changes=changes,
    )
    if state == follows.initial:
        to_successor(session, request, by=by)
    if trigger == "opine":
        _keep_opinion(session, request, by=by, conclusion=conclusion, remark=remark)
    if trigger == "accept" and request.kind in LEADS_TO_A_DRAFT:
        _open_draft(session, request, by=by)
    return state


def facts(session: Session, request: ChangeRequest, *, by: Reader, reason: str = "", executing: bool = False) -> Facts:
    """Gather everything that a rule may ask about a request and a person."""
    follows = lifecycle.workflow_of(session, request)
    signed = lifecycle.signed_in_round(session, request)
    lacks = missing(session, request) if request.state == "draft" else []
    mine = frozenset(by.reach) if by.id == request.requester_id else frozenset()
    return Facts(
        actor=by.id,
        roles=by.roles_in(request.unit_id) | mine,
        author=request.requester_id,
        endorsers=frozenset(row.account_id for row in signed if row.meaning == "opined"),
        open_seats=frozenset(seat.name for given in follows.triggers.values() for seat in given.seats)
        - {row.seat for row in signed},
        content_hash=content_hash(request),
        frozen_hash=request.content_hash,
        authority=None if executing else authority.refusal(session, by, request.unit_id),
        executing=executing,
        reason=reason.strip(),
        missing=lacks[0] if lacks else None,
    )


def acts(session: Session, request: ChangeRequest, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on the page of a request: allowed, or with the sentence why not."""
    return workflow.acts(lifecycle.workflow_of(session, request), request.state, facts(session, request, by=by))


def waiting_for(session: Session, request: ChangeRequest, *, by: Reader) -> Sentence:
    """Say who acts next on a request."""
    follows = lifecycle.workflow_of(session, request)
    return workflow.waiting_for(follows, request.state, facts(session, request, by=by))


def take_up(
    session: Session, *, by: Reader, decision_id: int, number: str, issued: Collection[int], withdrawn: Collection[int]
) -> None:
    """Take up the accepted requests of a decision that is signed: by revisions issued and by documents withdrawn."""
    for request in _of_lines(session, issued, withdrawn):
        _follow(session, request, "take_up", by=by, decision=number, changes={"decision_id": decision_id})


def release(session: Session, *, by: Reader, decision_id: int, number: str) -> None:
    """Let the requests of a decision that is cancelled wait for another one."""
    for request in _in_decision(session, decision_id):
        _follow(session, request, "release", by=by, decision=number, changes={"decision_id": None})


def finish(session: Session, *, by: Reader, decision_id: int, number: str) -> None:
    """Finish the requests of a decision that is executed."""
    for request in _in_decision(session, decision_id):
        _follow(session, request, "finish", by=by, decision=number, changes={})


def _follow(
    session: Session, request: ChangeRequest, trigger: str, *, by: Reader, decision: str, changes: dict[str, Any]
) -> None:
    lifecycle.move(
        session,
        request,
        trigger,
        by=by,
        facts=facts(session, request, by=by, executing=True),
        document_id=request.document_id,
        changes=changes,
        decision=decision,
    )


def _of_lines(session: Session, issued: Collection[int], withdrawn: Collection[int]) -> list[ChangeRequest]:
    query = select(ChangeRequest).where(
        ChangeRequest.state == "accepted",
        or_(
            ChangeRequest.revision_id.in_(issued),
            and_(ChangeRequest.kind == WITHDRAW, ChangeRequest.document_id.in_(withdrawn)),
        ),
    )
    return list(session.scalars(query.order_by(ChangeRequest.id)))


def _in_decision(session: Session, decision_id: int) -> list[ChangeRequest]:
    query = select(ChangeRequest).where(ChangeRequest.state == "in_decision", ChangeRequest.decision_id == decision_id)
    return list(session.scalars(query.order_by(ChangeRequest.id)))


def _check_opinion(conclusion: str, remark: str) -> None:
    if conclusion not in CONCLUSIONS:
        raise Refused(Sentence("Hãy chọn kết luận.", "Choose a conclusion."), field="conclusion")
    if conclusion != AGREE and not remark.strip():
        raise Refused(Sentence("Không đồng ý thì hãy ghi nhận xét.", "Say why you do not agree."), field="remark")


def _keep_opinion(session: Session, request: ChangeRequest, *, by: Reader, conclusion: str, remark: str) -> None:
    signature = lifecycle.signatures(session, request)[-1]
    opinion = Opinion(
        change_request_id=request.id,
        signature_id=signature.id,
        conclusion=conclusion,
        remark=remark.replace("\r\n", "\n").strip(),
    )
    session.add(opinion)
    session.flush()
    audit.record(
        session,
        Action.OPINION_GIVEN,
        by=by.account,
        noun="opinion",
        record_id=opinion.id,
        document_id=request.document_id,
        change_request_id=request.id,
        signature_id=signature.id,
        conclusion=opinion.conclusion,
        remark=opinion.remark,
    )


def _open_draft(session: Session, request: ChangeRequest, *, by: Reader) -> None:
    """Open the draft in the author's name, with everything that the request says of it; a new document comes first."""
    if sentence := drafter_refusal(session, request):
        raise Refused(sentence)
    writer = writer_of(session, request)
    assert writer is not None  # As just checked.
    author = authority.reader(session, writer)
    if request.document is None:
        assert request.type is not None  # The rule of submission has said so.
        request.document = documents.add(
            session,
            by=author,
            title=request.title,
            type=request.type,
            unit=request.unit,
            code=request.code,
            opened_by=by.account,
        )
    wanted = Sentence("Theo phiếu yêu cầu {number}.", "By the change request {number}.").fill(
        number=request.number_text
    )
    revision = revisions.draft(
        session,
        request.document,
        by=author,
        edition=request.edition,
        amendment=request.amendment,
        title=request.title,
        change_summary=f"{request.why}\n{wanted.vi}",
        content=request.content,
        file_name=request.file_name,
        changes=[_with_basis(row, request) for row in request.change_rows],
        opened_by=by.account,
    )
    before = {"document_id": request.document_id, "revision_id": None}
    request.document_id, request.revision_id, request.revision = request.document.id, revision.id, revision
    session.flush()
    audit.record(
        session,
        Action.REQUEST_OPENED_DRAFT,
        by=by.account,
        noun="change_request",
        record_id=request.id,
        document_id=request.document_id,
        before=before,
        revision_id=revision.id,
    )


def _with_basis(row: Any, request: ChangeRequest) -> Change:
    return Change(row.section, row.old, row.new, row.basis or request.legal_basis[:300])
