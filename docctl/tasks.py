"""What waits for a person, what a person waits for, and what changed lately: the to-do list of the home page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, joinedload

from docctl import clock, decisions, internal_audits, requests, revisions
from docctl.audit import Action, AuditEntry
from docctl.decisions import Decision
from docctl.distribution import ControlledCopy, ReadTask, copies, reading
from docctl.documents import Document
from docctl.internal_audits import Nonconformity
from docctl.people import Reader
from docctl.requests import ChangeRequest
from docctl.revisions import OPEN, WAS_ISSUED, Revision
from docctl.rules import Sentence
from docctl.workflow import Act

LATELY = timedelta(days=60)
_STEPS = (
    *(Action.REVISION_DRAFTED, Action.REVISION_MOVED, Action.DECISION_DRAFTED, Action.DECISION_MOVED),
    *(Action.REQUEST_DRAFTED, Action.REQUEST_MOVED),
    *(Action.NONCONFORMITY_RAISED, Action.NONCONFORMITY_MOVED),
)
_FINISH = Sentence("Hoàn thiện dự thảo", "Finish the draft")
_COMPLETE = Sentence("Hoàn thiện phiếu", "Complete the request")
_MEND = Sentence("Sửa lỗi rồi kiểm tra", "Mend it, then check")
_ANSWER = Sentence("Ghi báo cáo khắc phục", "Write the corrective report")


Subject = Revision | Decision | ChangeRequest | Nonconformity


@dataclass(frozen=True)
class Task:
    """A revision, a decision, a request or a slip that waits: since when, for which act of mine, or in words for whom."""

    subject: Subject
    since: datetime
    act: Sentence | None = None
    waiting: Sentence | None = None

    @property
    def revision(self) -> Revision | None:
        """The revision that waits, unless it is something else."""
        return self.subject if isinstance(self.subject, Revision) else None


@dataclass(frozen=True)
class Distributed:
    """What was distributed to a person and waits: to be read, to be received, to be brought back, to be handed out."""

    read: list[ReadTask]
    receive: list[ControlledCopy]
    give_back: list[ControlledCopy]
    deliver: list[ControlledCopy]


def distributed(session: Session, *, by: Reader) -> Distributed:
    """Return what was distributed to a person and still waits for him or her, oldest first."""
    return Distributed(
        reading.pending(session, by=by),
        copies.to_receive(session, by=by),
        copies.to_return(session, by=by),
        copies.to_deliver(session, by=by),
    )


def waiting_for_me(session: Session, *, by: Reader) -> list[Task]:
    """Return what waits for an act of this person, oldest first."""
    mine: list[tuple[Subject, Sentence]] = []
    for revision in _open_revisions(session, by=by):
        if act := _main(revisions.acts(session, revision, by=by)):
            mine.append((revision, act.label))
        elif revisions.editing_refusal(revision, by=by) is None:
            mine.append((revision, _FINISH))
    for decision in _open_decisions(session, by=by):
        if act := _main(decisions.acts(session, decision, by=by)):
            mine.append((decision, act.label))
        elif decisions.editing_refusal(decision, by=by) is None and decision.state == "draft":
            mine.append((decision, _MEND))
    for request in requests.open_ones(session, by=by):
        if act := _main(requests.acts(session, request, by=by)):
            mine.append((request, act.label))
        elif requests.editing_refusal(request, by=by) is None:
            mine.append((request, _COMPLETE))
    for slip in internal_audits.findings.pending(session, by=by):
        if label := waits_for(session, slip, by=by):
            mine.append((slip, label))
    since = _since(session, [subject for subject, _ in mine])
    found = [Task(subject, since[subject.NOUN, subject.id], act=label) for subject, label in mine]
    return sorted(found, key=lambda task: task.since)


def waits_for(session: Session, subject: Subject, *, by: Reader) -> Sentence | None:
    """Return the act for which a record waits for this person now, None when it waits for somebody else or nobody."""
    if isinstance(subject, Revision):
        act = _main(revisions.acts(session, subject, by=by))
        return act.label if act else _FINISH if revisions.editing_refusal(subject, by=by) is None else None
    if isinstance(subject, Decision):
        act = _main(decisions.acts(session, subject, by=by))
        mends = subject.state == "draft" and decisions.editing_refusal(subject, by=by) is None
        return act.label if act else _MEND if mends else None
    if isinstance(subject, Nonconformity):
        act = _main(internal_audits.findings.acts(session, subject, by=by))
        return act.label if act else _ANSWER if _answers(subject, by=by) else None
    act = _main(requests.acts(session, subject, by=by))
    return act.label if act else _COMPLETE if requests.editing_refusal(subject, by=by) is None else None


def i_wait_for(session: Session, *, by: Reader, mine: Iterable[Task] = ()) -> list[Task]:
    """Return the revisions, decisions and requests of this person that somebody else must act on, oldest first.

    `mine` are the tasks that wait for the person, which are left out here.
    """
    known = {(task.subject.NOUN, task.subject.id) for task in mine}
    own: list[Subject] = [row for row in _open_revisions(session, by=by) if row.author_id == by.id]
    own += [row for row in _open_decisions(session, by=by) if row.drafted_by_id == by.id]
    own += [row for row in requests.open_ones(session, by=by) if row.requester_id == by.id]
    own += [
        row
        for row in internal_audits.findings.pending(session, by=by)
        if by.id in (row.raised_by_id, row.answered_by_id)
    ]
    own = [row for row in own if (row.NOUN, row.id) not in known]
    since = _since(session, own)
    found = [Task(row, since[row.NOUN, row.id], waiting=_waiting(session, row, by=by)) for row in own]
    return sorted(found, key=lambda task: task.since)


def changed(session: Session, *, by: Reader, limit: int = 10) -> tuple[list[Revision], int]:
    """Return what took effect or was withdrawn in the last 60 days, newest first, and how many there are in all."""
    now = clock.now()
    begun = and_(Revision.effective_from > now - LATELY, Revision.effective_from <= now)
    ended = and_(Revision.state == "withdrawn", Revision.effective_to > now - LATELY, Revision.effective_to <= now)
    when = func.coalesce(Revision.effective_to, Revision.effective_from)
    here = [Revision.state.in_(WAS_ISSUED), revisions.visible(by), or_(begun, ended)]
    total = session.scalar(select(func.count()).select_from(Revision).join(Document).where(*here)) or 0
    query = select(Revision).join(Document).where(*here).order_by(when.desc(), Document.code_key).limit(limit)
    return list(session.scalars(query.options(joinedload(Revision.document).joinedload(Document.unit)))), total


def open_count(session: Session, *, by: Reader) -> int:
    """Return how many revisions are on their way to being issued, of those that the person may see."""
    return len(_open_revisions(session, by=by))


def _open_revisions(session: Session, *, by: Reader) -> Sequence[Revision]:
    query = select(Revision).join(Document).where(Revision.state.in_(OPEN), revisions.visible(by))
    loaded = query.options(joinedload(Revision.document).joinedload(Document.unit), joinedload(Revision.author))
    return session.scalars(loaded.order_by(Revision.id)).all()


def _open_decisions(session: Session, *, by: Reader) -> list[Decision]:
    return [row for row in decisions.all_decisions(session, by=by) if decisions.is_open(row)]


def _main(acts: Iterable[Act]) -> Act | None:
    return next((act for act in acts if act.main and act.mine and act.refusal is None), None)


def _waiting(session: Session, subject: Subject, *, by: Reader) -> Sentence:
    if isinstance(subject, Revision):
        return revisions.waiting_for(session, subject, by=by)
    if isinstance(subject, ChangeRequest):
        return requests.waiting(session, subject, by=by)
    if isinstance(subject, Nonconformity):
        return internal_audits.findings.waiting_for(session, subject, by=by)
    return decisions.waiting_for(session, subject, by=by)


def _answers(slip: Nonconformity, *, by: Reader) -> bool:
    """The head of the unit answers a slip; a controller may, and is not asked to."""
    return "reviewer" in by.roles_in(slip.unit_id) and internal_audits.findings.writing_refusal(slip, by=by) is None


def _since(session: Session, subjects: Sequence[Any]) -> dict[tuple[str, int], datetime]:
    """Return when each record came into its present state: its newest step in the trail."""
    since = {(row.NOUN, row.id): row.created_at for row in subjects}
    ids = {row.id for row in subjects}
    query = (
        select(AuditEntry.noun, AuditEntry.record_id, func.max(AuditEntry.at))
        .where(AuditEntry.action.in_(_STEPS), AuditEntry.record_id.in_(ids))
        .group_by(AuditEntry.noun, AuditEntry.record_id)
    )
    steps = {(noun, record_id): at for noun, record_id, at in session.execute(query) if record_id is not None}
    return since | {key: at for key, at in steps.items() if key in since}
