"""The acts on an internal audit: it is opened, planned, begun, and reported with a signature; its words and who sees it."""

import hashlib
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import audit, clock, lifecycle, workflow
from docctl.audit import Action
from docctl.internal_audits import checklist
from docctl.internal_audits.table import InternalAudit, Nonconformity, Sample
from docctl.lifecycle import Stale
from docctl.people import Reader, Reauthenticated
from docctl.rules import Facts, NoRole, Refused, Sentence, lacks
from docctl.text import clean_name
from docctl.workflow import Act

WORDS = ("title", "scope", "criteria", "team", "plan", "conclusion")
PLANNED, UNDER_WAY, OVER = "planned", "under_way", ("reported", "cancelled")
SEES = ("auditor", "controller", "format_reviewer", "approver")
CRITERIA = "TCVN ISO 9001:2015, 7.5.2, 7.5.3.1, 7.5.3.2; mục 8 của bảng tự đánh giá"
ONLY_AUDITOR = Sentence("Chỉ đánh giá viên được làm việc này.", "Only an auditor may do this.")


def open_audit(
    session: Session,
    *,
    by: Reader,
    title: str,
    first_day: date | None = None,
    last_day: date | None = None,
    **words: str,
) -> InternalAudit:
    """Open an audit under the next number of its year: scope, criteria, days, team and plan can be written until it ends."""
    follows = lifecycle.newest(session, "internal_audit")
    state = workflow.fire(follows, None, "open", Facts(actor=by.id, roles=by.roles_in(None)))
    audit.hold(session)  # The number is read and taken by one writer at a time.
    year = clock.today().year
    last = session.scalar(select(func.max(InternalAudit.number)).where(InternalAudit.year == year)) or 0
    made = InternalAudit(
        year=year,
        number=last + 1,
        title=_title(title),
        first_day=first_day,
        last_day=last_day,
        checklist=checklist.newest(),
        state=state,
        **lifecycle.begun(follows),
        opened_by_id=by.id,
        created_at=clock.now(),
    )
    for name in WORDS[1:]:
        setattr(made, name, clean(words.get(name, CRITERIA if name == "criteria" else "")))
    _check_days(made)
    session.add(made)
    session.flush()
    audit.record(
        session, Action.INTERNAL_AUDIT_OPENED, by=by.account, noun=made.NOUN, record_id=made.id, **recorded(made)
    )
    return made


def edit(
    session: Session,
    found: InternalAudit,
    *,
    by: Reader,
    first_day: date | None,
    last_day: date | None,
    seen: int | None = None,
    **words: str,
) -> None:
    """Write what the audit says of itself, until it is reported or cancelled."""
    refuse_unless_auditor(by)
    if seen is not None and seen != found.lock:
        raise Stale
    refuse_when_over(found)
    before = _words(found)
    for name in WORDS:
        setattr(found, name, clean(words.get(name, getattr(found, name))))
    found.title, found.first_day, found.last_day = _title(found.title), first_day, last_day
    _check_days(found)
    found.lock += 1
    session.flush()
    changed = {name: value for name, value in _words(found).items() if value != before[name]}
    if changed:
        audit.record(
            session,
            Action.INTERNAL_AUDIT_EDITED,
            by=by.account,
            noun=found.NOUN,
            record_id=found.id,
            before={name: before[name] for name in changed},
            **changed,
        )


def act(
    session: Session,
    found: InternalAudit,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> str:
    """Take an audit through one trigger of its workflow; the report bears the end of the trail when it was signed."""
    content, changes = "", {}
    if trigger == "report":
        content, head = content_hash(session, found), audit.head(session)
        changes = {
            "content_hash": content,
            "head_sequence": head.sequence,
            "head_hash": head.hash,
            "reported_at": clock.now(),
        }
    return lifecycle.move(
        session,
        found,
        trigger,
        by=by,
        facts=facts(session, found, by=by, reason=reason),
        signing=signing,
        seen=seen,
        content_hash=content,
        changes=changes,
    )


def facts(session: Session, found: InternalAudit, *, by: Reader, reason: str = "") -> Facts:
    """Gather everything that a rule may ask about an audit and a person."""
    return Facts(
        actor=by.id, roles=by.roles_in(None), author=found.opened_by_id, missing=missing(session, found), reason=reason
    )


def acts(session: Session, found: InternalAudit, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on the page of an audit."""
    return workflow.acts(lifecycle.workflow_of(session, found), found.state, facts(session, found, by=by))


def waiting_for(session: Session, found: InternalAudit, *, by: Reader) -> Sentence:
    """Say who acts next on an audit."""
    follows = lifecycle.workflow_of(session, found)
    return workflow.waiting_for(follows, found.state, facts(session, found, by=by))


def missing(session: Session, found: InternalAudit) -> Sentence | None:
    """Say what an audit still lacks before it can begin or be reported, None when nothing."""
    taken = samples(session, found)
    needed: list[tuple[Sentence, object]] = [
        (Sentence("phạm vi", "the scope"), found.scope),
        (Sentence("ngày bắt đầu và ngày kết thúc", "the first and the last day"), found.first_day and found.last_day),
        (Sentence("mẫu", "samples"), taken),
    ]
    if found.state == UNDER_WAY:
        unwalked = sum(bool(row.open_points) for row in taken)
        answers = Sentence("câu trả lời của {n} trên {all} mẫu", "the answers of {n} of {all} samples")
        needed += [
            (answers.fill(n=unwalked, all=len(taken)), not unwalked),
            (Sentence("kết luận", "the conclusion"), found.conclusion),
        ]
    return lacks(Sentence("Cuộc đánh giá còn thiếu: {what}.", "The audit still lacks: {what}."), needed)


def may_edit(found: InternalAudit, *, by: Reader) -> bool:
    """Say whether somebody may write on an audit now."""
    return by.has("auditor") and found.state not in OVER


def is_under_way(found: InternalAudit) -> bool:
    """Say whether samples can be walked and findings raised."""
    return found.state == UNDER_WAY


def may_see(by: Reader) -> bool:
    """Say whether somebody may see audits: those who audit, keep the system, and answer for it."""
    return by.has(*SEES)


def load(session: Session, audit_id: int, *, by: Reader) -> InternalAudit | None:
    """Return an audit as far as the person may see it."""
    return session.get(InternalAudit, audit_id) if may_see(by) else None


def find(session: Session, reference: str, *, by: Reader) -> InternalAudit:
    """Return the audit with a number (`01/2026`) or an id; raises Refused when there is none that the person may see."""
    found = next(
        (row for row in all_audits(session, by=by) if reference.strip() in (row.number_text, str(row.id))), None
    )
    if found is None:
        raise Refused(
            Sentence(
                "Không có cuộc đánh giá “{n}”, hoặc bạn không được xem.", "There is no audit {n} that you may see."
            ).fill(n=reference)
        )
    return found


def all_audits(session: Session, *, by: Reader) -> list[InternalAudit]:
    """Return every audit that somebody may see, the newest first."""
    if not may_see(by):
        return []
    return list(session.scalars(select(InternalAudit).order_by(InternalAudit.id.desc())))


def samples(session: Session, found: InternalAudit) -> list[Sample]:
    """Return the samples of an audit in the order in which they were taken."""
    query = select(Sample).where(Sample.internal_audit_id == found.id).order_by(Sample.position)
    return list(session.scalars(query))


def content_hash(session: Session, found: InternalAudit) -> str:
    """Return the SHA-256, in hex, of what the report says: its words, every sample with its answers, and every finding."""
    raised = select(Nonconformity).where(Nonconformity.internal_audit_id == found.id).order_by(Nonconformity.position)
    said = {
        **_words(found),
        "samples": [
            [row.position, row.document_id, row.revision_id, [[a.point, a.verdict, a.note] for a in row.answers]]
            for row in samples(session, found)
        ],
        "findings": [
            [row.position, row.grade, row.unit_id, row.requirement, row.statement, row.due_on.isoformat()]
            for row in session.scalars(raised)
        ],
    }
    return hashlib.sha256(audit.canonical(said).encode()).hexdigest()


def recorded(found: InternalAudit) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which an audit begins."""
    columns = ("year", "number", "checklist", "state", "round", "workflow", "workflow_version", "content_hash")
    own = {name: getattr(found, name) for name in (*columns, "opened_by_id", "created_at", "reported_at")}
    return own | {"head_sequence": None, "head_hash": "", **_words(found)}


def refuse_unless_auditor(by: Reader) -> None:
    """Raise NoRole for anybody but an auditor."""
    if not by.has("auditor"):
        raise NoRole(ONLY_AUDITOR)


def refuse_when_over(found: InternalAudit) -> None:
    """Refuse to change an audit that was reported or cancelled."""
    if found.state in OVER:
        raise Refused(
            Sentence(
                "Cuộc đánh giá đã kết thúc nên không sửa được nữa; hãy mở cuộc đánh giá khác.",
                "The audit has ended and never changes; open another one.",
            )
        )


def clean(text: str) -> str:
    """Return a text of several lines as it is kept: each line cleaned, no empty ones at its ends."""
    return "\n".join(clean_name(line) for line in text.splitlines()).strip()


def _words(found: InternalAudit) -> dict[str, Any]:
    days = {
        name: day.isoformat() if (day := getattr(found, name)) is not None else None
        for name in ("first_day", "last_day")
    }
    return {name: getattr(found, name) for name in WORDS} | days


def _title(title: str) -> str:
    title = " ".join(clean_name(title).split())[:300]
    if not title:
        raise Refused(Sentence("Hãy ghi tên cuộc đánh giá.", "Give the audit a title."), field="title")
    return title


def _check_days(found: InternalAudit) -> None:
    if found.first_day and found.last_day and found.last_day < found.first_day:
        raise Refused(
            Sentence("Ngày kết thúc trước ngày bắt đầu.", "The last day is before the first."), field="last_day"
        )
