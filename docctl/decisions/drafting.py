"""Making and changing a decision that is not signed yet: its own words, and its lines."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock, lifecycle, workflow
from docctl.audit import Action
from docctl.decisions.acting import SIGNED_ALREADY, move, refuse_unless_controller
from docctl.decisions.table import (
    ISSUE,
    KEEP,
    WITHDRAW,
    Decision,
    DecisionLine,
    Line,
    checked_title,
    own_words,
    plain_lines,
    recorded,
    set_details,
)
from docctl.lifecycle import Stale
from docctl.people import Account, Reader
from docctl.rules import Facts, Refused, Sentence
from docctl.text import clean_name


def draft(
    session: Session,
    *,
    by: Reader,
    title: str,
    effective_from: date | None = None,
    number: str = "",
    signed_on: date | None = None,
    signer_form: str = "",
    lines: Iterable[Line] = (),
) -> Decision:
    """Begin a decision, with or without its lines."""
    follows = lifecycle.newest(session, "decision")
    state = workflow.fire(follows, None, "draft", Facts(actor=by.id, roles=by.roles_in(None)))
    decision = Decision(
        title=checked_title(title),
        state=state,
        **lifecycle.begun(follows),
        drafted_by_id=by.id,
        created_at=clock.now(),
    )
    decision.drafted_by = by.account
    set_details(decision, effective_from=effective_from, number=number, signed_on=signed_on, signer_form=signer_form)
    session.add(decision)
    session.flush()
    _append(session, decision, lines)
    audit.record(
        session,
        Action.DECISION_DRAFTED,
        by=by.account,
        noun="decision",
        record_id=decision.id,
        **recorded(decision),
    )
    return decision


def edit(
    session: Session,
    decision: Decision,
    *,
    by: Reader,
    seen: int | None = None,
    title: str,
    effective_from: date | None,
    number: str,
    signed_on: date | None,
    signer_form: str = "",
) -> None:
    """Change what a decision says of itself; a checked one becomes a draft again, since its dry run is void."""
    _open_for_editing(session, decision, by=by, seen=seen)
    before = own_words(decision)
    decision.title = checked_title(title)
    set_details(decision, effective_from=effective_from, number=number, signed_on=signed_on, signer_form=signer_form)
    _edited(session, decision, by=by, before=before, after=own_words(decision))


def add_lines(
    session: Session, decision: Decision, lines: Iterable[Line], *, by: Reader, seen: int | None = None
) -> None:
    """Append lines; what is wrong with them shows in the dry run, so that nothing typed is lost."""
    _open_for_editing(session, decision, by=by, seen=seen)
    before = {"lines": plain_lines(decision)}
    _append(session, decision, lines)
    _edited(session, decision, by=by, before=before, after={"lines": plain_lines(decision)})


def remove_lines(
    session: Session, decision: Decision, positions: Iterable[int], *, by: Reader, seen: int | None = None
) -> None:
    """Take lines out by their numbers; the others are numbered anew from 1."""
    _open_for_editing(session, decision, by=by, seen=seen)
    before = {"lines": plain_lines(decision)}
    unwanted = set(positions)
    for line in [line for line in decision.lines if line.position in unwanted]:
        decision.lines.remove(line)
    session.flush()
    for number, line in enumerate(decision.lines, start=1):
        line.position = number
        session.flush()
    _edited(session, decision, by=by, before=before, after={"lines": plain_lines(decision)})


def give_reasons(
    session: Session, decision: Decision, reasons: Mapping[int, str], *, by: Reader, seen: int | None = None
) -> None:
    """Write the reasons of withdrawals, by the numbers of their lines; lines that are not named keep theirs."""
    _open_for_editing(session, decision, by=by, seen=seen)
    before = {"lines": plain_lines(decision)}
    for line in decision.lines:
        if line.action == WITHDRAW and line.position in reasons:
            line.reason = clean_name(reasons[line.position]).strip()
    _edited(session, decision, by=by, before=before, after={"lines": plain_lines(decision)})


def _open_for_editing(session: Session, decision: Decision, *, by: Reader, seen: int | None) -> None:
    refuse_unless_controller(by)
    if seen is not None and seen != decision.lock:
        raise Stale
    if decision.state == "checked":
        move(session, decision, "change", by=by, changes={"checked_hash": None, "round": decision.round + 1})
    if decision.state != "draft":
        raise Refused(SIGNED_ALREADY)


def _edited(session: Session, decision: Decision, *, by: Reader, before: dict[str, Any], after: dict[str, Any]) -> None:
    audit.edited(session, Action.DECISION_EDITED, decision, by=by.account, before=before, after=after)


def _append(session: Session, decision: Decision, lines: Iterable[Line]) -> None:
    start = max((line.position for line in decision.lines), default=0)
    for position, asked in enumerate(lines, start=start + 1):
        document = asked.document or (asked.revision.document if asked.revision else None)
        if (
            asked.action not in (ISSUE, WITHDRAW, KEEP)
            or document is None
            or (asked.action == ISSUE) != bool(asked.revision)
        ):
            raise Refused(
                Sentence(
                    "Dòng {n}: ghi “issue” kèm một phiên bản, hoặc “withdraw” hay “keep” kèm một tài liệu.",
                    "Line {n}: give “issue” with a revision, or “withdraw” or “keep” with a document.",
                ).fill(n=position),
                field="lines",
            )
        line = DecisionLine(
            position=position,
            action=asked.action,
            revision_id=asked.revision.id if asked.revision else None,
            document_id=document.id,
            reason=asked.reason.strip(),
            replaced_by_id=asked.replaced_by.id if asked.replaced_by else None,
        )
        line.document, line.revision, line.replaced_by = document, asked.revision, asked.replaced_by
        decision.lines.append(line)
    session.flush()


def hand_over(session: Session, leaving: Account, heir: Account, *, by: Account | None) -> int:
    """Give the drafts of decisions of somebody who leaves to a successor; returns how many.

    One that is checked or signed stays as it was signed or is to be: any document controller takes it on.
    """
    drafts = drafts_of(session, leaving)
    for decision in drafts:
        decision.drafted_by_id = heir.id
        decision.drafted_by = heir
        decision.lock += 1
        session.flush()
        audit.record(
            session,
            Action.DECISION_EDITED,
            by=by,
            noun="decision",
            record_id=decision.id,
            before={"drafted_by_id": leaving.id},
            drafted_by_id=heir.id,
        )
    return len(drafts)


def drafts_of(session: Session, account: Account) -> list[Decision]:
    """Return the decisions that somebody drafted and that are drafts still."""
    query = select(Decision).where(Decision.drafted_by_id == account.id, Decision.state == "draft")
    return list(session.scalars(query.order_by(Decision.id)))
