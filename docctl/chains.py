"""The chain of evidence of a revision and of a decision: every step in order, with its record, its gaps and odd dates."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock, decisions, distribution, histories, lifecycle, recall, requests, revisions
from docctl.audit import AuditEntry
from docctl.decisions import Decision
from docctl.distribution import ControlledCopy, Distribution, ReadTask
from docctl.lifecycle import Signature
from docctl.people import Account, Reader
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import MEANINGS, Sentence

STEPS: dict[str, Sentence] = {
    "request": Sentence("Phiếu yêu cầu", "Change request"),
    "accepted": Sentence("Chấp nhận yêu cầu", "Request accepted"),
    "draft": Sentence("Soạn thảo", "Draft"),
    "submit": Sentence("Trình xem xét", "Submitted for review"),
    "review": Sentence("Xem xét", "Review"),
    "approval": Sentence("Phê duyệt", "Approval"),
    "imported": Sentence("Nhập từ nguồn khác", "Imported"),
    "check": Sentence("Kiểm tra dự thảo quyết định", "Decision checked"),
    "decision": Sentence("Quyết định", "Decision"),
    "executed": Sentence("Thực hiện quyết định", "Decision executed"),
    "in_force": Sentence("Bắt đầu có hiệu lực", "In force"),
    "distribution": Sentence("Phân phối", "Distribution"),
    "receipts": Sentence("Xác nhận nhận và đọc", "Receipts"),
    "ended": Sentence("Hết hiệu lực", "No longer in force"),
    "recall": Sentence("Thu hồi bản cũ", "Recall of the old copies"),
    "minutes": Sentence("Biên bản thu hồi", "Minutes of the recall"),
}
MISSING: dict[str, Sentence] = {
    "request": Sentence("Không có phiếu yêu cầu.", "There is no change request."),
    "submit": Sentence("Chưa trình xem xét.", "It was not submitted for review."),
    "review": Sentence("Chưa có chữ ký xem xét.", "Nobody has endorsed it."),
    "approval": Sentence("Chưa có chữ ký phê duyệt.", "Nobody has approved it."),
    "decision": Sentence("Chưa có quyết định ban hành.", "No decision has issued it."),
    "distribution": Sentence(
        "Chưa phân phối: tài liệu không có danh sách nơi nhận.", "It was not distributed: no list."
    ),
    "receipts": Sentence("Còn {open} trên {n} chưa xác nhận.", "{open} of {n} have not confirmed yet."),
    "recall": Sentence("Còn {open} trên {n} bản chưa thu về.", "{open} of {n} copies are not accounted for."),
    "minutes": Sentence(
        "Biên bản thu hồi chưa đủ hai chữ ký.", "The minutes of the recall do not have their two signatures yet."
    ),
}
NO_AUTHORITY = Sentence(
    "Không ghi thẩm quyền của người ký vào ngày ký.", "The authority of the signer on that day is not on record."
)
OUT_OF_ORDER = Sentence("Ngày sớm hơn bước trước.", "Its date is before that of the step above.")
BACKWARDS = Sentence(
    "Có hiệu lực trước khi quyết định được thực hiện.", "It took effect before its decision was executed."
)
RECEIVED = Sentence("{done} trên {n} đã xác nhận.", "{done} of {n} have confirmed.")
SPREAD = Sentence(
    "{issued} bản kiểm soát, {asked} người được giao đọc.", "{issued} controlled copies, {asked} people asked to read."
)
UNLISTED = Sentence(
    "{n} trên {all} phiên bản không có danh sách nơi nhận.", "{n} of {all} editions have no distribution list."
)
MINUTES = Sentence("Số {number}: {meaning}.", "Number {number}: {meaning}.")
BACK = Sentence("{done} trên {n} bản đã thu về hoặc đã kê khai.", "{done} of {n} copies are returned or accounted for.")
SETTLED = ("returned", "lost", "destroyed", "archived")


@dataclass(frozen=True)
class Step:
    """One link of a chain: what, when, who with which title, the words beside it, its record, and what is odd."""

    name: str
    at: datetime | None = None
    who: str = ""
    title: str = ""
    note: Sentence | str = ""
    noun: str = ""
    record_id: int | None = None
    gap: Sentence | None = None
    odd: Sentence | None = None

    @property
    def label(self) -> Sentence:
        """What the step is called."""
        return STEPS[self.name]


def of_revision(session: Session, revision: Revision, *, by: Reader) -> list[Step]:
    """Return the chain of a revision: request, draft, review, approval, decision, distribution, receipts, end, recall, minutes."""
    steps = [*_imported(session, revision)] if revision.origin == "import" else [*_written(session, revision, by=by)]
    if revision.decision_id is not None:
        steps += _decided(session, session.get_one(Decision, revision.decision_id))
    elif revision.origin != "import":
        steps.append(Step("decision", gap=MISSING["decision"]))
    if revision.state in WAS_ISSUED:
        steps += [*_spread(session, revision), *_ended(session, revision)]
    return _in_order(steps)


def of_decision(session: Session, decision: Decision) -> list[Step]:
    """Return the chain of a decision: draft, check, signature with its authority, execution, and what became of copies."""
    entries = audit.of_record(session, "decision", decision.id)
    steps = [_from_entry("draft", entry) for entry in entries if entry.action == "decision.drafted"]
    checked = [entry for entry in entries if entry.values.get("trigger") == "check"]
    steps += [_from_entry("check", entry) for entry in checked[-1:]]
    steps += _decided(session, decision)
    if decision.state == "executed":
        issued = [line.revision for line in decision.lines if line.revision is not None]
        steps += _distributed(session, [row.id for row in issued])
        steps += _counts(session, [row.id for row in issued], "receipts")
        old = [row.id for row in decisions.replaced(session, decision).values()]
        steps += _recalled(session, old, decision.id)
    return _in_order(steps)


def flagged(steps: Iterable[Step]) -> int:
    """Return how many steps have a gap or an odd date."""
    return sum(bool(step.gap or step.odd) for step in steps)


def _written(session: Session, revision: Revision, *, by: Reader) -> Iterator[Step]:
    asked = requests.of_revision(session, revision, by=by)
    if asked is None:
        yield Step("request", gap=MISSING["request"])
    else:
        person = session.get_one(Account, asked.requester_id)
        note = f"{asked.number_text}: {asked.why}"
        yield Step("request", asked.created_at, person.full_name, person.title_vi, note, "change_request", asked.id)
        for row in lifecycle.signed_in_round(session, asked):
            if row.meaning == "accepted":
                yield _signed("accepted", row, "change_request", asked.id)
    entries = audit.of_record(session, "revision", revision.id)
    for entry in entries:
        if entry.action == "revision.drafted":
            yield _from_entry("draft", entry)
    submitted = [entry for entry in entries if entry.values.get("trigger") == "submit"]
    if submitted:
        yield _from_entry("submit", submitted[-1])
    elif revision.state != "discarded":
        yield Step("submit", gap=MISSING["submit"])
    signed = lifecycle.signed_in_round(session, revision)
    for name, meaning in (("review", "endorsed"), ("approval", "approved")):
        marks = [row for row in signed if row.meaning == meaning]
        for row in marks:
            step = _signed(name, row, "revision", revision.id)
            yield replace(step, gap=NO_AUTHORITY) if name == "approval" and not row.authority else step
        if not marks and not (name == "review" and _needs_no_review(session, revision)):
            yield Step(name, gap=MISSING[name])


def _imported(session: Session, revision: Revision) -> Iterator[Step]:
    told = histories.of_revision(session, revision)
    if told is not None:
        yield Step("draft", told.effective_at, told.author, "", told.subject)
    for entry in audit.of_record(session, "revision", revision.id):
        if entry.action == "revision.imported":
            # When it came in is no link of its past: its date is not compared with the others.
            step = _from_entry("imported", entry)
            yield replace(step, at=None, note=f"{clock.local(entry.at):%d/%m/%Y}: {revision.source}")
    if revision.origin_decision:
        yield Step("decision", note=revision.origin_decision)


def _decided(session: Session, decision: Decision) -> list[Step]:
    marks = [row for row in lifecycle.signed_in_round(session, decision) if row.meaning == "signed"]
    steps = [
        replace(
            _signed("decision", row, "decision", decision.id),
            note=_joined(decision.number, row.authority),
            gap=None if row.authority else NO_AUTHORITY,
        )
        for row in marks
    ]
    if not marks:
        steps.append(Step("decision", gap=MISSING["decision"], noun="decision", record_id=decision.id))
    executed = [
        entry for entry in audit.of_record(session, "decision", decision.id) if entry.values.get("trigger") == "execute"
    ]
    return [*steps, *(_from_entry("executed", entry) for entry in executed)]


def _spread(session: Session, revision: Revision) -> Iterator[Step]:
    yield Step("in_force", revision.effective_from, noun="revision", record_id=revision.id)
    made = distribution.of_revision(session, revision)
    if made is None:
        if revision.origin != "import":
            yield Step("distribution", gap=MISSING["distribution"], noun="distribution", record_id=revision.id)
        return
    person = session.get_one(Account, made.made_by_id)
    note = SPREAD.fill(issued=made.issued, asked=made.asked)
    yield Step(
        "distribution", made.made_at, person.full_name, person.title_vi, note, "distribution", record_id=revision.id
    )
    for step in _counts(session, [revision.id], "receipts"):
        yield replace(step, noun="distribution", record_id=revision.id)


def _ended(session: Session, revision: Revision) -> Iterator[Step]:
    if revision.effective_to is None:
        return
    after = revisions.successor(session, revision)
    note = revisions.withdrawal_of(session, revision) or (after.edition_text if after else "")
    decision_id = revision.withdrawn_by_id or (after.decision_id if after else None)
    yield Step("ended", revision.effective_to, note=note, noun="decision" if decision_id else "", record_id=decision_id)
    if revision.effective_to <= clock.now():
        yield from _recalled(session, [revision.id], decision_id)


def _distributed(session: Session, ids: list[int]) -> Iterator[Step]:
    """Yield the step that sums up how what a decision issued was distributed; a gap where an edition has no list."""
    made = list(session.scalars(select(Distribution).where(Distribution.revision_id.in_(ids))))
    if not ids:
        return
    note = SPREAD.fill(issued=sum(row.issued for row in made), asked=sum(row.asked for row in made))
    last = max((row.made_at for row in made), default=None)
    gap = UNLISTED.fill(n=len(ids) - len(made), all=len(ids)) if len(made) < len(ids) else None
    yield Step("distribution", last, note=note, gap=gap)


def _recalled(session: Session, ids: list[int], decision_id: int | None) -> Iterator[Step]:
    """Yield how the copies of some ended editions came back, and the minutes of the recall of the decision that ended them."""
    found = recall.of_decision(session, decision_id) if decision_id is not None else None
    link = ("recall", found.id) if found else ("", None)
    counted = [replace(step, noun=link[0], record_id=link[1]) for step in _counts(session, ids, "recall")]
    yield from counted
    if found is None or not counted:
        return
    marks = lifecycle.signed_in_round(session, found)
    for row in marks:
        note = MINUTES.fill(number=found.number, meaning=MEANINGS[row.meaning])
        yield replace(_signed("minutes", row, "recall", found.id), note=note)
    if recall.is_open(found):
        yield Step("minutes", gap=MISSING["minutes"], noun="recall", record_id=found.id)


def _counts(session: Session, ids: list[int], name: str) -> Iterator[Step]:
    """Yield the step that counts receipts, or copies that came back, of some revisions; nothing where there are none."""
    copies = session.scalars(select(ControlledCopy).where(ControlledCopy.revision_id.in_(ids))).all()
    if name == "recall":
        done = [copy.settled_at for copy in copies if copy.state in SETTLED]
        n = len(copies)
    else:
        tasks = session.scalars(select(ReadTask).where(ReadTask.revision_id.in_(ids), ReadTask.state != "exempt")).all()
        done = [task.understood_at for task in tasks if task.understood_at]
        done += [copy.received_at for copy in copies if copy.received_at]
        n = len(tasks) + len(copies)
    if n:
        last = max((at for at in done if at is not None), default=None)
        gap = MISSING[name].fill(open=n - len(done), n=n) if len(done) < n else None
        yield Step(name, last, note=(BACK if name == "recall" else RECEIVED).fill(done=len(done), n=n), gap=gap)


def _in_order(steps: list[Step]) -> list[Step]:
    """Mark the steps whose date is before that of a step above."""
    newest: datetime | None = None
    checked = []
    for step in steps:
        if step.at is not None and newest is not None and step.at < newest:
            step = replace(step, odd=BACKWARDS if step.name == "in_force" else OUT_OF_ORDER)
        if step.at is not None and step.name != "in_force":
            newest = max(newest or step.at, step.at)
        checked.append(step)
    return checked


def _needs_no_review(session: Session, revision: Revision) -> bool:
    follows = lifecycle.workflow_of(session, revision)
    return not any(act.seats for act in follows.triggers.values())


def _from_entry(name: str, entry: AuditEntry) -> Step:
    reason = str(entry.values.get("reason") or "")
    return Step(name, entry.at, entry.actor, entry.actor_title, reason, entry.noun, entry.record_id)


def _signed(name: str, row: Signature, noun: str, record_id: int) -> Step:
    return Step(name, row.signed_at, row.person, row.title, row.authority, noun, record_id)


def _joined(*parts: str) -> str:
    return "; ".join(part for part in parts if part)
