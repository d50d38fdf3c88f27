"""The acts on a decision: checked, signed, executed in one transaction, or given up; and who may do which."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    select,
)
from sqlalchemy.orm import Session

from docctl import audit, authority, clock, distribution, lifecycle, recall, requests, revisions, workflow
from docctl.audit import Action
from docctl.decisions.checking import dry_run, first_error, lines_of, on_line, standing_of
from docctl.decisions.owing import begin_obligations
from docctl.decisions.table import ISSUE, OPEN, WITHDRAW, Check, Decision, DecisionLine, content_hash
from docctl.people import Reader, Reauthenticated
from docctl.revisions import Revision
from docctl.rules import Facts, NoRole, Refused, Sentence
from docctl.workflow import Act

ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được lập và sửa quyết định.",
    "Only a document controller may make and change decisions.",
)


SIGNED_ALREADY = Sentence(
    "Quyết định đã ký không sửa được nữa. Hãy lập quyết định sau hoặc đính chính.",
    "A signed decision can no longer be changed. Make a later decision or a correction of form.",
)


UNCONFIRMED = Sentence(
    "{n} thủ tục hành chính sẽ không còn quy trình nào: {codes}. Hãy đánh dấu xác nhận từng thủ tục, hoặc sửa các dòng.",
    "{n} administrative procedures would be left without a document: {codes}. Confirm each of them, or change the lines.",
)


def act(
    session: Session,
    decision: Decision,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
    confirmed: Collection[str] | None = None,
) -> Check | None:
    """Take a decision through one trigger of its workflow; checking and executing return the dry run."""
    if trigger == "check":
        return check(session, decision, by=by, seen=seen, confirmed=confirmed)
    if trigger == "sign":
        sign(session, decision, by=by, signing=signing, seen=seen)
        return None
    if trigger == "execute":
        return execute(session, decision, by=by, seen=seen)
    move(session, decision, trigger, by=by, reason=reason, signing=signing, seen=seen)
    if trigger == "cancel":
        requests.release(session, by=by, decision_id=decision.id, number=decision.number)
    return None


def check(
    session: Session,
    decision: Decision,
    *,
    by: Reader,
    seen: int | None = None,
    confirmed: Collection[str] | None = None,
) -> Check:
    """Run the dry run; without errors the decision is checked, with errors it stays as it is.

    `confirmed` are the codes of the administrative procedures of which a person says that they may be left without a
    document: each must be among them. None is a program that was not asked; the dry run tells it which they are. Which
    were left, and whether somebody confirmed it, is in the trail.
    """
    found = dry_run(session, decision)
    if not found.errors:
        left = [row.procedure for row in found.uncovered]
        if confirmed is not None and (open_ones := [code for code in left if code not in confirmed]):
            raise Refused(UNCONFIRMED.fill(n=len(open_ones), codes=", ".join(open_ones)), field="confirmed")
        changes = {"checked_hash": content_hash(decision)}
        said = {"left_uncovered": left, "confirmed": confirmed is not None} if left else {}
        move(session, decision, "check", by=by, seen=seen, found=found, changes=changes, said=said)
    return found


def sign(
    session: Session,
    decision: Decision,
    *,
    by: Reader,
    signing: Reauthenticated | None,
    seen: int | None = None,
) -> None:
    """Sign a checked decision; its number must be free in its year."""
    if taken := _same_number(session, decision):
        raise Refused(
            Sentence(
                "Số {number} năm {year} đã dùng cho quyết định “{title}”. Hãy ghi số khác.",
                "Number {number} of {year} is taken by the decision {title}. Give another number.",
            ).fill(number=decision.number, year=decision.year, title=taken.title),
            field="number",
        )
    if authority.APPROVER not in by.roles_in(None) and (lapsed := authority.lapsed(session, by, clock.today())):
        raise NoRole(lapsed)  # Without the delegation the role is gone; the sentence says since when.
    block = authority.signing_block(session, by, clock.today(), chosen=decision.signer_form)
    if isinstance(block, Sentence) and authority.refusal(session, by, None) is None:
        raise Refused(block, field="signer_form")
    lines = "" if isinstance(block, Sentence) else "\n".join(block)
    changes = {"signer_id": by.id, "signing_block": lines}
    move(session, decision, "sign", by=by, signing=signing, seen=seen, changes=changes)
    session.expire(decision, ["signer"])  # Until now it was read as nobody.
    _take_up_requests(session, decision, by=by)


def execute(session: Session, decision: Decision, *, by: Reader, seen: int | None = None) -> Check:
    """Issue and withdraw everything the decision says, in the caller's one transaction.

    The dry run is repeated first; raises Refused naming the first line that stands in the way, and then nothing
    has changed.
    """
    found = dry_run(session, decision)
    if found.errors:
        raise Refused(first_error(found))
    assert decision.effective_from is not None  # The dry run has just said so.
    begins = clock.midnight(decision.effective_from)
    changes = {"executed_at": clock.now()}
    move(session, decision, "execute", by=by, seen=seen, found=found, changes=changes)
    issuing = distribution.Issuing(session, by=by)
    ended: list[Revision] = []
    for line in lines_of(session, decision):
        try:
            if line.action == ISSUE:
                ended += _issue(session, decision, line, begins, by=by)
                issuing.issue(_revision(line))
            elif line.action == WITHDRAW:
                ended += _withdraw(session, decision, line, begins, by=by)
        except Refused as refused:
            raise Refused(on_line(line.position, line.document.code, refused.sentence)) from refused
    recall.begin(session, by=by, decision_id=decision.id, number=decision.number, ends=begins, ended=ended)
    _take_up_requests(session, decision, by=by)  # Those accepted since the decision was signed.
    requests.finish(session, by=by, decision_id=decision.id, number=decision.number)
    begin_obligations(session, decision, by=by)
    return found


def facts(session: Session, decision: Decision, *, by: Reader, reason: str = "", found: Check | None = None) -> Facts:
    """Gather everything that a rule may ask about a decision and a person."""
    current = content_hash(decision)
    return Facts(
        actor=by.id,
        roles=by.roles_in(None),
        author=decision.drafted_by_id,
        content_hash=current,
        frozen_hash=decision.checked_hash,
        lines=len(decision.lines),
        errors=len((found or dry_run(session, decision)).errors)
        if decision.state in ("draft", "checked", "signed")
        else 0,
        numbered=bool(decision.number),
        dated=decision.signed_on is not None and decision.effective_from is not None,
        signer=decision.signer_id,
        authority=authority.refusal(session, by, None),
        checked_hash_equal=decision.checked_hash == current,
        reason=reason.strip(),
    )


def acts(session: Session, decision: Decision, *, by: Reader, found: Check | None = None) -> list[Act]:
    """Return every act that a person could press on the page of a decision; a dry run made already is not repeated."""
    known = facts(session, decision, by=by, found=found)
    listed = workflow.acts(lifecycle.workflow_of(session, decision), decision.state, known)
    if authority.APPROVER in by.roles_in(None):
        return listed
    lapsed = authority.lapsed(session, by, clock.today())
    # Whoever could sign until yesterday is told on the button why he or she cannot today.
    return [replace(act, mine=True, refusal=lapsed) if lapsed and act.trigger == "sign" else act for act in listed]


def waiting_for(session: Session, decision: Decision, *, by: Reader, found: Check | None = None) -> Sentence:
    """Say who acts next on a decision; a dry run made already is not repeated."""
    follows = lifecycle.workflow_of(session, decision)
    return workflow.waiting_for(follows, decision.state, facts(session, decision, by=by, found=found))


def drafting_refusal(*, by: Reader) -> Sentence | None:
    """Return why somebody may not make decisions, or None."""
    return None if "controller" in by.roles_in(None) else ONLY_CONTROLLER


def refuse_unless_controller(by: Reader) -> None:
    """Raise NoRole unless somebody may make decisions."""
    if sentence := drafting_refusal(by=by):
        raise NoRole(sentence)


def editing_refusal(decision: Decision, *, by: Reader) -> Sentence | None:
    """Return why somebody may not change a decision's details and lines now, or None."""
    return drafting_refusal(by=by) or (None if decision.state in ("draft", "checked") else SIGNED_ALREADY)


def is_open(decision: Decision) -> bool:
    """Say whether a decision is still on its way to being executed."""
    return decision.state in OPEN


def _issue(session: Session, decision: Decision, line: DecisionLine, begins: datetime, *, by: Reader) -> list[Revision]:
    """Issue the revision of a line, and return what it supersedes."""
    revision = _revision(line)
    standing = standing_of(session, [line]).get(line.document_id, [])
    # What ended long ago stays as it ended.
    superseded = [row for row in standing if row.effective_to is None or row.effective_to > begins]
    for earlier in superseded:
        _close(session, earlier, begins, by=by, decision=decision)
    lifecycle.move(
        session,
        revision,
        "issue",
        by=by,
        facts=revisions.facts(session, revision, by=by, executing=True),
        document_id=line.document_id,
        changes={"effective_from": begins, "decision_id": decision.id},
        decision=decision.number,
    )
    document = line.document
    if document.title != revision.title:
        before, document.title = document.title, revision.title
        session.flush()
        audit.record(
            session,
            Action.DOCUMENT_RENAMED,
            by=by.account,
            noun="document",
            record_id=document.id,
            document_id=document.id,
            before={"title": before},
            title=revision.title,
        )
    return superseded


def _revision(line: DecisionLine) -> Revision:
    assert line.revision is not None  # A constraint of the table says so.
    return line.revision


def _close(session: Session, earlier: Revision, ends: datetime, *, by: Reader, decision: Decision) -> None:
    before, earlier.effective_to = earlier.effective_to, ends
    session.flush()
    audit.record(
        session,
        Action.REVISION_SUPERSEDED,
        by=by.account,
        noun="revision",
        record_id=earlier.id,
        document_id=earlier.document_id,
        before={"effective_to": before},
        effective_to=ends,
        decision=decision.number,
    )


def _withdraw(
    session: Session, decision: Decision, line: DecisionLine, ends: datetime, *, by: Reader
) -> list[Revision]:
    """Withdraw what stands of the document of a line, and return it."""
    withdrawn = []
    for revision in standing_of(session, [line]).get(line.document_id, []):
        if revision.effective_to is not None and revision.effective_to <= ends:
            continue
        assert revision.effective_from is not None
        lifecycle.move(
            session,
            revision,
            "withdraw",
            by=by,
            facts=revisions.facts(session, revision, by=by, executing=True, reason=line.reason),
            document_id=line.document_id,
            # What had not begun yet never begins: its interval is empty.
            changes={"effective_to": max(ends, revision.effective_from), "withdrawn_by_id": decision.id},
            decision=decision.number,
        )
        withdrawn.append(revision)
    return withdrawn


def move(
    session: Session,
    decision: Decision,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
    found: Check | None = None,
    changes: dict[str, Any] | None = None,
    said: dict[str, Any] | None = None,
) -> None:
    """Take a decision through the one door, with the counts of its dry run in the trail."""
    counts: dict[str, Any] = {"issued": found.issued, "withdrawn": found.withdrawn} if found else {}
    known = facts(session, decision, by=by, reason=reason, found=found)
    lifecycle.move(
        session,
        decision,
        trigger,
        by=by,
        facts=known,
        signing=signing,
        seen=seen,
        content_hash=known.content_hash or "",
        authority=authority.words(session, by, None) if trigger == "sign" else "",
        changes=changes,
        **counts,
        **(said or {}),
    )


def _take_up_requests(session: Session, decision: Decision, *, by: Reader) -> None:
    requests.take_up(
        session,
        by=by,
        decision_id=decision.id,
        number=decision.number,
        issued=[line.revision_id for line in decision.lines if line.revision_id],
        withdrawn=[line.document_id for line in decision.lines if line.action == WITHDRAW],
    )


def _same_number(session: Session, decision: Decision) -> Decision | None:
    if not decision.number or decision.year is None:
        return None
    query = select(Decision).where(
        Decision.year == decision.year,
        Decision.number_key == decision.number_key,
        Decision.state.in_(("signed", "executed")),
        Decision.id != decision.id,
    )
    return session.scalars(query).first()
