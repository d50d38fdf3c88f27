"""Deciding what is posted, and the act of posting a decision, which ticks what was owed after it."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock, decisions, revisions
from docctl.audit import Action
from docctl.decisions import ISSUE, KEEP, WITHDRAW, Decision
from docctl.documents import DocumentType
from docctl.people import Reader, Reauthenticated
from docctl.posting.showing import is_posted
from docctl.posting.table import GONE, ON_SHOW, POSTINGS, WITHHELD, Posting
from docctl.rules import NoRole, Refused, Sentence

OBLIGATION = "post_on_web"
ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được quyết định việc đăng công khai.",
    "Only a document controller may decide what is posted.",
)


def keeping_refusal(*, by: Reader) -> Sentence | None:
    """Return why somebody may not decide what is posted, or None."""
    return None if "controller" in by.roles_in(None) else ONLY_CONTROLLER


def set_type(session: Session, kind: DocumentType, *, by: Reader, posting: str) -> None:
    """Say what the public pages show of a type: nothing, that its documents are in force, or what they say too."""
    _refuse_others(by)
    if posting not in POSTINGS:
        raise Refused(Sentence("Hãy chọn mức công khai.", "Choose what is posted."), field="posting")
    before = kind.posting
    if before == posting:
        return
    kind.posting = posting
    session.flush()
    audit.record(
        session,
        Action.TYPE_CHANGED,
        by=by.account,
        noun="document_type",
        record_id=kind.id,
        code=kind.code,
        before={"posting": before},
        posting=posting,
    )


def what(session: Session, decision: Decision) -> list[list[Any]]:
    """Return what each line of an executed decision comes to on the public pages now.

    A line is its number, code, edition, SHA-256 of the file, and `on_show`, `gone` or `withheld`.
    """
    listed = []
    standing = {row.document_id: row.id for row in revisions.in_force(session)}
    for line in decisions.lines_of(session, decision):
        if line.action == KEEP:
            continue
        current, shown = standing.get(line.document_id), is_posted(line.document)
        if line.action == ISSUE:
            revision = line.revision
            came_to = ON_SHOW if shown and current == line.revision_id else WITHHELD
        else:
            assert line.action == WITHDRAW
            revision = None
            came_to = GONE if shown and current is None else WITHHELD
        edition, sha256 = (revision.edition_text, revision.file_sha256 or "") if revision else ("", "")
        listed.append([line.position, line.document.code, edition, sha256, came_to])
    return listed


def post(session: Session, decision: Decision, *, by: Reader, signing: Reauthenticated | None, address: str) -> Posting:
    """Sign that an executed decision stands on the public pages at an address, and tick what was owed for it.

    What stands there follows from types and dates by itself; this is the evidence of it, made once for each decision.
    """
    _refuse_others(by)
    if sentence := posting_refusal(session, decision):
        raise Refused(sentence)
    if signing is None or not signing.valid_for(by.id):
        raise Refused(
            Sentence("Việc này cần ký: hãy nhập lại mật khẩu của bạn.", "This act signs: enter your password again."),
            field="password",
        )
    lines = what(session, decision)
    counts = {name: sum(row[-1] == name for row in lines) for name in (ON_SHOW, GONE, WITHHELD)}
    head = audit.head(session)
    row = Posting(
        decision_id=decision.id,
        address=address,
        lines=audit.canonical(lines),
        content_hash=audit.hash_of([decision.id, decision.number, decision.effective_from, lines]),
        posted_at=clock.now(),
        posted_by_id=by.id,
        person=by.account.full_name,
        title=by.account.title_vi,
        head_sequence=head.sequence,
        head_hash=head.hash,
        **counts,
    )
    session.add(row)
    session.flush()
    columns = {column.key: getattr(row, column.key) for column in Posting.__table__.columns if column.key != "id"}
    audit.record(
        session,
        Action.DECISION_POSTED,
        by=by.account,
        noun="posting",
        record_id=row.id,
        decision=decision.number,
        **columns,
    )
    for owed in decisions.obligations(session, decision):
        if owed.kind == OBLIGATION and owed.done_on is None:
            decisions.close_obligation(session, owed, by=by, done_on=clock.today(), evidence=_evidence(row))
    return row


def posting_refusal(session: Session, decision: Decision) -> Sentence | None:
    """Return why a decision cannot be posted now, or None."""
    if decision.state != "executed" or decision.effective_from is None:
        return Sentence("Chỉ đăng quyết định đã thực hiện.", "Only an executed decision is posted.")
    if decision.effective_from > clock.today():
        return Sentence(
            "Quyết định có hiệu lực từ {day}; trang công khai chỉ hiện tài liệu từ ngày đó. Hãy ký việc đăng từ ngày đó.",
            "The decision takes effect on {day}, and the public pages show it from then on. Sign the posting from that day.",
        ).fill(day=decision.effective_from.strftime("%d/%m/%Y"))
    if of_decision(session, decision) is not None:
        return Sentence("Việc đăng quyết định này đã được ký.", "The posting of this decision is signed already.")
    if all(row[-1] == WITHHELD for row in what(session, decision)):
        return Sentence(
            "Không có tài liệu nào của quyết định này được đăng: loại tài liệu không công khai, tài liệu hạn chế phổ biến "
            "hoặc đã có bản sau. Hãy đặt mức công khai của loại, hoặc ghi bằng chứng của nơi đăng khác.",
            "No document of this decision is shown: its types are not posted, its documents are restricted, or have later "
            "editions. Set what is posted of the type, or record the evidence of where it is posted otherwise.",
        )
    return None


def of_decision(session: Session, decision: Decision) -> Posting | None:
    """Return the record of a decision's posting, if there is one."""
    return session.scalars(select(Posting).where(Posting.decision_id == decision.id)).first()


def postings(session: Session) -> list[Posting]:
    """Return every posting, newest first."""
    return list(session.scalars(select(Posting).order_by(Posting.id.desc())))


def waiting(session: Session, *, by: Reader) -> list[Decision]:
    """Return the executed decisions in effect whose posting is owed and can be signed now, oldest first."""
    owed = [row.decision for row in decisions.open_obligations(session, by=by) if row.kind == OBLIGATION]
    return [row for row in owed if posting_refusal(session, row) is None]


def _evidence(row: Posting) -> str:
    return (
        f"{row.address}: {row.on_show} tài liệu được đăng, {row.gone} tài liệu đã gỡ, {row.withheld} không công khai. "
        f"Mã băm {row.content_hash}; nhật ký đến số {row.head_sequence}, {row.head_hash}."
    )


def _refuse_others(by: Reader) -> None:
    if sentence := keeping_refusal(by=by):
        raise NoRole(sentence)
