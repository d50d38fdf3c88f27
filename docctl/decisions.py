"""Decisions: the acts by which revisions are issued and documents withdrawn, together or not at all."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship, selectinload

from docctl import audit, authority, clock, lifecycle, revisions, workflow
from docctl.audit import Action, AuditEntry
from docctl.database import Base, Instant
from docctl.documents import Document
from docctl.lifecycle import Stale
from docctl.people import Account, Reader, Reauthenticated
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Facts, NoRole, Refused, Sentence
from docctl.text import clean_name, code_key
from docctl.workflow import Act

STATES = ("draft", "checked", "signed", "executed", "cancelled")
OPEN = ("draft", "checked", "signed")
ISSUE, WITHDRAW = "issue", "withdraw"
MOST_TYPED = 2000

ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được lập và sửa quyết định.",
    "Only a document controller may make and change decisions.",
)
SIGNED_ALREADY = Sentence(
    "Quyết định đã ký không sửa được nữa. Hãy lập quyết định sau hoặc đính chính.",
    "A signed decision can no longer be changed. Make a later decision or a correction of form.",
)


class Decision(Base):
    """A decision; from its signature on it has a number unique in its year, a date and a signer."""

    __tablename__ = "decision"
    NOUN: ClassVar[str] = "decision"
    MOVED: ClassVar[Action] = Action.DECISION_MOVED
    __table_args__ = (
        ForeignKeyConstraint(["workflow", "workflow_version"], ["workflow_version.name", "workflow_version.version"]),
        CheckConstraint("state IN ('draft', 'checked', 'signed', 'executed', 'cancelled')", name="state"),
        CheckConstraint(
            "state NOT IN ('signed', 'executed') OR (signer_id IS NOT NULL AND number <> '' AND signed_on IS NOT NULL "
            "AND effective_from IS NOT NULL)",
            name="signer",
        ),
        CheckConstraint("(executed_at IS NOT NULL) = (state = 'executed')", name="executed"),
        Index(
            "uq_decision_number",
            "year",
            "number_key",
            unique=True,
            sqlite_where=text("state IN ('signed', 'executed')"),
            postgresql_where=text("state IN ('signed', 'executed')"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(80), default="")
    number_key: Mapped[str] = mapped_column(String(80), default="")
    year: Mapped[int | None]
    signed_on: Mapped[date | None]
    title: Mapped[str] = mapped_column(Text)
    effective_from: Mapped[date | None]
    signer_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    signer_form: Mapped[str] = mapped_column(String(10), default="")
    state: Mapped[str] = mapped_column(String(12))
    round: Mapped[int] = mapped_column(default=1)
    lock: Mapped[int] = mapped_column(default=1)
    workflow: Mapped[str] = mapped_column(String(60))
    workflow_version: Mapped[int]
    checked_hash: Mapped[str | None] = mapped_column(String(64))
    drafted_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(Instant)
    executed_at: Mapped[datetime | None] = mapped_column(Instant)

    signer: Mapped[Account | None] = relationship(foreign_keys=[signer_id])
    drafted_by: Mapped[Account] = relationship(foreign_keys=[drafted_by_id])
    lines: Mapped[list["DecisionLine"]] = relationship(order_by="DecisionLine.position", cascade="all, delete-orphan")


class DecisionLine(Base):
    """One line: a revision to issue, or a document to withdraw with its reason and what replaces it, if anything."""

    __tablename__ = "decision_line"
    __table_args__ = (
        UniqueConstraint("decision_id", "position"),
        CheckConstraint(
            "(action = 'issue' AND revision_id IS NOT NULL) OR (action = 'withdraw' AND revision_id IS NULL)",
            name="action",
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    position: Mapped[int]
    action: Mapped[str] = mapped_column(String(10))
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"), index=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("document.id"), index=True)
    reason: Mapped[str] = mapped_column(Text, default="")
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"))

    revision: Mapped[Revision | None] = relationship()
    document: Mapped[Document] = relationship(foreign_keys=[document_id])
    replaced_by: Mapped[Document | None] = relationship(foreign_keys=[replaced_by_id])


@dataclass(frozen=True)
class Line:
    """A line as somebody asks for it: a revision to issue, or a document to withdraw."""

    action: str
    revision: Revision | None = None
    document: Document | None = None
    reason: str = ""
    replaced_by: Document | None = None


@dataclass(frozen=True)
class Problem:
    """What the dry run found, and on which line (None: the decision as a whole)."""

    sentence: Sentence
    line: int | None = None
    code: str = ""


class Unread(Refused):
    """Typed lines that name nothing, or more than one thing; each problem bears the number of the line as typed."""

    def __init__(self, problems: dict[str, list[Problem]]) -> None:
        super().__init__(
            Sentence(
                "{n} dòng chưa đọc được nên chưa thêm dòng nào. Hãy sửa các dòng được nêu rồi thêm lại.",
                "{n} lines could not be read, so no line was added. Mend the ones named below and add them again.",
            ).fill(n=sum(len(found) for found in problems.values())),
            field=next(field for field, found in problems.items() if found),
        )
        self.problems = problems


@dataclass(frozen=True)
class Check:
    """The dry run: every error with its line, what deserves a look, and the counts of what executing will do."""

    errors: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    issued: int = 0
    superseded: int = 0
    withdrawn: int = 0
    in_force_before: int = 0
    in_force_after: int = 0


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
        title=_checked_title(title),
        state=state,
        round=1,
        lock=1,
        workflow=follows.name,
        workflow_version=follows.version,
        drafted_by_id=by.id,
        created_at=clock.now(),
    )
    decision.drafted_by = by.account
    _set_details(decision, effective_from=effective_from, number=number, signed_on=signed_on, signer_form=signer_form)
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
    before = _details(decision)
    decision.title = _checked_title(title)
    _set_details(decision, effective_from=effective_from, number=number, signed_on=signed_on, signer_form=signer_form)
    _edited(session, decision, by=by, before=before, after=_details(decision))


def add_lines(
    session: Session, decision: Decision, lines: Iterable[Line], *, by: Reader, seen: int | None = None
) -> None:
    """Append lines; what is wrong with them shows in the dry run, so that nothing typed is lost."""
    _open_for_editing(session, decision, by=by, seen=seen)
    before = {"lines": _plain_lines(decision)}
    _append(session, decision, lines)
    _edited(session, decision, by=by, before=before, after={"lines": _plain_lines(decision)})


def remove_lines(
    session: Session, decision: Decision, positions: Iterable[int], *, by: Reader, seen: int | None = None
) -> None:
    """Take lines out by their numbers; the others are numbered anew from 1."""
    _open_for_editing(session, decision, by=by, seen=seen)
    before = {"lines": _plain_lines(decision)}
    unwanted = set(positions)
    for line in [line for line in decision.lines if line.position in unwanted]:
        decision.lines.remove(line)
    session.flush()
    for number, line in enumerate(decision.lines, start=1):
        line.position = number
        session.flush()
    _edited(session, decision, by=by, before=before, after={"lines": _plain_lines(decision)})


def give_reasons(
    session: Session, decision: Decision, reasons: Mapping[int, str], *, by: Reader, seen: int | None = None
) -> None:
    """Write the reasons of withdrawals, by the numbers of their lines; lines that are not named keep theirs."""
    _open_for_editing(session, decision, by=by, seen=seen)
    before = {"lines": _plain_lines(decision)}
    for line in decision.lines:
        if line.action == WITHDRAW and line.position in reasons:
            line.reason = clean_name(reasons[line.position]).strip()
    _edited(session, decision, by=by, before=before, after={"lines": _plain_lines(decision)})


def dry_run(session: Session, decision: Decision) -> Check:
    """Say what executing would do, and everything that stands in its way; changes nothing."""
    found = Check()
    lines = _loaded_lines(session, decision)
    if not lines:
        found.errors.append(
            Problem(
                Sentence(
                    "Quyết định chưa có dòng nào. Hãy thêm phiên bản để ban hành hoặc tài liệu để hủy bỏ.",
                    "The decision has no lines. Add revisions to issue or documents to withdraw.",
                )
            )
        )
    if decision.effective_from is None:
        found.errors.append(
            Problem(Sentence("Chưa ghi ngày hiệu lực. Hãy ghi ngày.", "There is no effective date. Give one."))
        )
        return found
    begins = clock.midnight(decision.effective_from)
    standing = _standing(session, lines)
    promised = _promised(session, decision, lines)
    often = Counter(line.document_id for line in lines)
    for line in lines:
        for sentence in _line_errors(line, standing.get(line.document_id, []), begins, often, promised):
            found.errors.append(Problem(sentence, line.position, line.document.code))
    found.warnings.extend(_warnings(session, decision, lines))
    return _counted(session, found, lines, standing, begins)


def act(
    session: Session,
    decision: Decision,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> Check | None:
    """Take a decision through one trigger of its workflow; checking and executing return the dry run."""
    if trigger == "check":
        return check(session, decision, by=by, seen=seen)
    if trigger == "sign":
        sign(session, decision, by=by, signing=signing, seen=seen)
        return None
    if trigger == "execute":
        return execute(session, decision, by=by, seen=seen)
    _move(session, decision, trigger, by=by, reason=reason, signing=signing, seen=seen)
    return None


def check(session: Session, decision: Decision, *, by: Reader, seen: int | None = None) -> Check:
    """Run the dry run; without errors the decision is checked, with errors it stays as it is."""
    found = dry_run(session, decision)
    if not found.errors:
        changes = {"checked_hash": content_hash(decision)}
        _move(session, decision, "check", by=by, seen=seen, found=found, changes=changes)
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
    _move(session, decision, "sign", by=by, signing=signing, seen=seen, changes={"signer_id": by.id})
    session.expire(decision, ["signer"])  # Until now it was read as nobody.


def execute(session: Session, decision: Decision, *, by: Reader, seen: int | None = None) -> Check:
    """Issue and withdraw everything the decision says, in the caller's one transaction.

    The dry run is repeated first; raises Refused naming the first line that stands in the way, and then nothing
    has changed.
    """
    found = dry_run(session, decision)
    if found.errors:
        raise Refused(_first_error(found))
    assert decision.effective_from is not None  # The dry run has just said so.
    begins = clock.midnight(decision.effective_from)
    changes = {"executed_at": clock.now()}
    _move(session, decision, "execute", by=by, seen=seen, found=found, changes=changes)
    for line in _loaded_lines(session, decision):
        try:
            _issue(session, decision, line, begins, by=by) if line.action == ISSUE else _withdraw(
                session, decision, line, begins, by=by
            )
        except Refused as refused:
            raise Refused(_on_line(line.position, line.document.code, refused.sentence)) from refused
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
    return workflow.acts(lifecycle.workflow_of(session, decision), decision.state, known)


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


def opening(session: Session, decision: Decision, *, by: Reader, found: Check | None = None) -> Sentence:
    """Return the sentence that says what a decision is, and since when, or who acts next on it."""
    follows = lifecycle.workflow_of(session, decision)
    issued = sum(line.action == ISSUE for line in decision.lines)
    counted = {"issued": issued, "withdrawn": len(decision.lines) - issued}
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


def lines_of(session: Session, decision: Decision) -> list[DecisionLine]:
    """Return the lines in order, with their documents and revisions loaded at once."""
    return _loaded_lines(session, decision)


def visible_revisions(session: Session, decision: Decision, *, by: Reader) -> set[int]:
    """Return the ids of the revisions which the decision issues, supersedes or withdraws and somebody may open."""
    wanted = {line.revision_id for line in decision.lines if line.revision_id}
    wanted |= {revision.id for revision in replaced(session, decision).values()}
    query = select(Revision.id).join(Document).where(Revision.id.in_(wanted), revisions.visible(by))
    return set(session.scalars(query))


def replaced(session: Session, decision: Decision) -> dict[int, Revision]:
    """Return by document the revision that the decision supersedes or withdraws, or will when it is executed."""
    lines = _loaded_lines(session, decision)
    standing = _standing(session, lines)
    begins = clock.midnight(decision.effective_from) if decision.effective_from else clock.now()
    own = {line.revision_id for line in lines}
    ended = {
        revision.document_id: revision
        for revisions_of in standing.values()
        for revision in revisions_of
        if revision.id not in own
        and (revision.effective_to == begins if decision.state == "executed" else _stands(revision, begins))
    }
    never_begun = select(Revision).where(Revision.withdrawn_by_id == decision.id)
    return ended | {revision.document_id: revision for revision in session.scalars(never_begun)}


def read_lines(
    session: Session,
    *,
    chosen: Iterable[int] = (),
    issue: str = "",
    withdraw: str = "",
    reason: str = "",
) -> list[Line]:
    """Read lines as somebody chose and typed them.

    `chosen` are ids of approved revisions; `issue` has a code on each line; `withdraw` has `code; reason; code of what
    replaces it`, where `reason` stands in for a missing one. `#12` names a document by its id. Raises Unread with every
    line that names nothing or more than one document, and Refused when there is nothing at all.
    """
    ids = list(dict.fromkeys(chosen))
    by_id = {row.id: row for row in session.scalars(select(Revision).where(Revision.id.in_(ids)))} if ids else {}
    lines = [Line(ISSUE, revision=by_id[wanted]) for wanted in ids if wanted in by_id]
    issued, withdrawn = _typed(issue), _typed(withdraw)
    if len(issued) + len(withdrawn) > MOST_TYPED:
        raise Refused(
            Sentence(
                "Mỗi lần thêm được tối đa {n} dòng. Hãy chia thành nhiều lần.",
                "At most {n} lines can be added at a time. Add them in parts.",
            ).fill(n=MOST_TYPED),
            field="issue" if len(issued) > len(withdrawn) else "withdraw",
        )
    known = _Codes(session, [part for _, parts in issued + withdrawn for part in (parts[0], *parts[2:3])])
    problems: dict[str, list[Problem]] = {"issue": [], "withdraw": []}
    for number, parts in issued:
        _read(lines, problems["issue"], number, parts, known.issue)
    for number, parts in withdrawn:
        _read(lines, problems["withdraw"], number, parts, partial(known.withdraw, reason=reason.strip()))
    if any(problems.values()):
        raise Unread(problems)
    if not lines:
        raise Refused(
            Sentence(
                "Chưa chọn dòng nào. Hãy đánh dấu phiên bản chờ ban hành hoặc dán danh sách mã.",
                "No line was chosen. Tick revisions that wait to be issued, or paste a list of codes.",
            ),
            field="issue",
        )
    return lines


def content_hash(decision: Decision) -> str:
    """Return the SHA-256, in hex, of what the signer signs: the decision's own words and every line."""
    signed = {**_details(decision), "lines": _plain_lines(decision)}
    return hashlib.sha256(audit.canonical(signed).encode()).hexdigest()


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
    return (
        {("document", row.id): row.code for row in session.execute(documents)}
        | {("decision", row.id): row.number for row in session.execute(numbers) if row.number}
        | {
            ("revision", row.id): f"{row.document.code} {row.edition_text}"
            for row in session.scalars(editions.options(joinedload(Revision.document)))
        }
    )


class _Codes:
    """Every document that a pasted list names, looked up once."""

    def __init__(self, session: Session, references: Iterable[str]) -> None:
        wanted = [reference for reference in references if reference]
        keys = {code_key(reference) for reference in wanted}
        ids = {int(reference[1:]) for reference in wanted if _is_id(reference)}
        query = select(Document).where(or_(Document.code_key.in_(keys), Document.id.in_(ids))).order_by(Document.id)
        self.documents = list(session.scalars(query.options(joinedload(Document.unit))))
        found = [document.id for document in self.documents]
        approved = select(Revision).where(Revision.document_id.in_(found), Revision.state == "approved")
        self.approved = {revision.document_id: revision for revision in session.scalars(approved)}
        issued = select(Revision).where(Revision.document_id.in_(found), Revision.state == "issued")
        self.issued = {revision.document_id for revision in session.scalars(issued)}

    def issue(self, parts: list[str]) -> Line:
        """Read a line of a code to issue."""
        if any(parts[1:]):
            raise Refused(
                Sentence(
                    "Dòng ban hành chỉ ghi mã. Lý do và tài liệu thay thế chỉ dùng cho dòng hủy bỏ.",
                    "A line to issue is a code alone. A reason and a replacement belong to withdrawals.",
                )
            )
        document = self.one(parts[0], within=self.approved.keys())
        if document.id not in self.approved:
            raise Refused(
                Sentence(
                    "Tài liệu “{title}” chưa có phiên bản nào được phê duyệt để ban hành.",
                    "The document “{title}” has no approved revision to issue.",
                ).fill(title=document.title)
            )
        return Line(ISSUE, revision=self.approved[document.id])

    def withdraw(self, parts: list[str], *, reason: str) -> Line:
        """Read a line of a code to withdraw, its reason, and the code of what replaces it."""
        given = [*parts, "", ""]
        return Line(
            WITHDRAW,
            document=self.one(given[0], within=self.issued),
            reason=given[1] or reason,
            replaced_by=self.one(given[2], within=()) if given[2] else None,
        )

    def one(self, reference: str, *, within: Collection[int]) -> Document:
        """Return the one document of a code or `#id`; of namesakes the only one that can be acted on."""
        if _is_id(reference):
            found = [document for document in self.documents if document.id == int(reference[1:])]
        else:
            found = [document for document in self.documents if document.code_key == code_key(reference)]
        able = [document for document in found if document.id in within]
        found = able if len(able) == 1 else found
        if not found:
            raise Refused(
                Sentence(
                    "Không có tài liệu mã “{code}”. Hãy xem lại mã trong sổ tài liệu.",
                    "There is no document with the code “{code}”. Look the code up in the register.",
                ).fill(code=reference)
            )
        if len(found) > 1:
            choices = "; ".join(f"#{document.id} {document.title} ({document.unit.code})" for document in found)
            raise Refused(
                Sentence(
                    "{n} tài liệu cùng mang mã “{code}”. Hãy ghi số thay cho mã: {choices}.",
                    "{n} documents bear the code “{code}”. Write a number in place of the code: {choices}.",
                ).fill(n=len(found), code=reference, choices=choices)
            )
        return found[0]


def _is_id(reference: str) -> bool:
    return reference.startswith("#") and reference[1:].isascii() and reference[1:].isdigit() and len(reference) < 12


def _typed(pasted: str) -> list[tuple[int, list[str]]]:
    """Return the lines that say something, with their numbers; the parts of a line stand between `;` or tabs."""
    rows = enumerate(pasted.splitlines(), start=1)
    return [
        (number, [clean_name(part).strip() for part in row.replace("\t", ";").split(";")])
        for number, row in rows
        if row.strip("; \t")
    ]


def _read(
    lines: list[Line], problems: list[Problem], number: int, parts: list[str], read: Callable[[list[str]], Line]
) -> None:
    try:
        lines.append(read(parts))
    except Refused as refused:
        problems.append(Problem(refused.sentence, number, parts[0]))


def _issue(session: Session, decision: Decision, line: DecisionLine, begins: datetime, *, by: Reader) -> None:
    revision = line.revision
    assert revision is not None  # A constraint of the table says so.
    for earlier in _standing(session, [line]).get(line.document_id, []):
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


def _withdraw(session: Session, decision: Decision, line: DecisionLine, ends: datetime, *, by: Reader) -> None:
    for revision in _standing(session, [line]).get(line.document_id, []):
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


def _move(
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
) -> None:
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
    )


def _open_for_editing(session: Session, decision: Decision, *, by: Reader, seen: int | None) -> None:
    refuse_unless_controller(by)
    if seen is not None and seen != decision.lock:
        raise Stale
    if decision.state == "checked":
        _move(session, decision, "change", by=by, changes={"checked_hash": None, "round": decision.round + 1})
    if decision.state != "draft":
        raise Refused(SIGNED_ALREADY)


def _edited(session: Session, decision: Decision, *, by: Reader, before: dict[str, Any], after: dict[str, Any]) -> None:
    decision.lock += 1
    session.flush()
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        audit.record(
            session,
            Action.DECISION_EDITED,
            by=by.account,
            noun="decision",
            record_id=decision.id,
            before={name: before[name] for name in changed},
            **changed,
        )


def _append(session: Session, decision: Decision, lines: Iterable[Line]) -> None:
    start = max((line.position for line in decision.lines), default=0)
    for position, asked in enumerate(lines, start=start + 1):
        document = asked.document or (asked.revision.document if asked.revision else None)
        if asked.action not in (ISSUE, WITHDRAW) or document is None or (asked.action == ISSUE) != bool(asked.revision):
            raise Refused(
                Sentence(
                    "Dòng {n}: ghi “issue” kèm một phiên bản, hoặc “withdraw” kèm một tài liệu.",
                    "Line {n}: give “issue” with a revision, or “withdraw” with a document.",
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


def _line_errors(
    line: DecisionLine,
    standing: Sequence[Revision],
    begins: datetime,
    often: Counter[int],
    promised: dict[int, str],
) -> Iterable[Sentence]:
    if often[line.document_id] > 1:
        yield Sentence(
            "Tài liệu này có ở nhiều dòng. Hãy giữ một dòng.",
            "This document stands on several lines. Keep one of them.",
        )
    if line.action == WITHDRAW:
        if not any(revision.effective_to is None or revision.effective_to > begins for revision in standing):
            yield Sentence(
                "Tài liệu không có phiên bản nào còn hiệu lực vào ngày đó nên không có gì để hủy bỏ. Hãy xóa dòng này.",
                "The document has no revision in force on that day, so there is nothing to withdraw. Remove the line.",
            )
        if not line.reason:
            yield Sentence("Hãy ghi lý do hủy bỏ.", "Give the reason for the withdrawal.")
        return
    revision = line.revision
    assert revision is not None  # A constraint of the table says so.
    if revision.state != "approved":
        yield Sentence(
            "Phiên bản {edition} chưa được phê duyệt, hoặc đã được ban hành. Hãy xóa dòng này hoặc hoàn tất phê duyệt.",
            "Revision {edition} is not approved, or is issued already. Remove the line or finish the approval.",
        ).fill(edition=revision.edition_text)
    elif revisions.content_hash(revision) != revision.content_hash:
        yield Sentence(
            "Nội dung đã khác với nội dung được ký duyệt. Hãy mở lại và phê duyệt lại.",
            "The content is not the one that was signed. Reopen it and have it approved again.",
        )
    if revision.id in promised:
        yield Sentence(
            "Phiên bản này đã nằm trong quyết định đã ký {number}.", "This revision is in the signed decision {number}."
        ).fill(number=promised[revision.id])
    for earlier in standing:
        if earlier.effective_from is not None and earlier.effective_from >= begins:
            yield Sentence(
                "Phiên bản {edition} có hiệu lực từ {day}, không trước ngày của quyết định này. Hãy chọn ngày hiệu lực sau ngày đó.",
                "Revision {edition} takes effect on {day}, not before this decision's date. Choose a later effective date.",
            ).fill(edition=earlier.edition_text, day=clock.local(earlier.effective_from).strftime("%d/%m/%Y"))
        elif earlier.effective_to is not None and earlier.effective_to > begins:
            yield Sentence(
                "Phiên bản {edition} còn hiệu lực đến {day}. Hãy chọn ngày hiệu lực từ ngày đó.",
                "Revision {edition} is in force until {day}. Choose that day or a later one.",
            ).fill(edition=earlier.edition_text, day=clock.local(earlier.effective_to).strftime("%d/%m/%Y"))


def _warnings(session: Session, decision: Decision, lines: Sequence[DecisionLine]) -> Iterable[Problem]:
    if not decision.number or decision.signed_on is None:
        yield Problem(
            Sentence(
                "Chưa có số hoặc ngày ký; cần có trước khi ký.", "Number or date is missing; signing will need them."
            )
        )
    elif decision.effective_from and decision.effective_from < decision.signed_on:
        yield Problem(
            Sentence(
                "Ngày hiệu lực trước ngày ký: hiệu lực trở về trước. Hãy xem lại có đúng không.",
                "The effective date is before the date of signature: a retroactive effect. Check that it is meant.",
            )
        )
    withdrawn = [line for line in lines if line.action == WITHDRAW]
    open_ones = select(Revision).where(
        Revision.document_id.in_([line.document_id for line in withdrawn]), Revision.state.in_(revisions.OPEN)
    )
    pending = {revision.document_id: revision for revision in session.scalars(open_ones)}
    for line in lines:
        if line.document.code_clash:
            yield Problem(
                Sentence(
                    "Mã này trùng với tài liệu khác trong cùng đơn vị và lĩnh vực.",
                    "The code clashes with another document of the unit and field.",
                ),
                line.position,
                line.document.code,
            )
        if line.action == WITHDRAW and line.document_id in pending:
            yield Problem(
                Sentence(
                    "Tài liệu sẽ hủy bỏ còn dự thảo {edition} chưa xong.",
                    "A draft ({edition}) of this document is still open.",
                ).fill(edition=pending[line.document_id].edition_text),
                line.position,
                line.document.code,
            )


def _counted(
    session: Session,
    found: Check,
    lines: Sequence[DecisionLine],
    standing: dict[int, list[Revision]],
    begins: datetime,
) -> Check:
    def stands(document_id: int) -> bool:
        return any(_stands(revision, begins) for revision in standing.get(document_id, []))

    issued = [line for line in lines if line.action == ISSUE]
    withdrawn = [line for line in lines if line.action == WITHDRAW]
    superseded = sum(stands(line.document_id) for line in issued)
    before = len(revisions.in_force(session, on=begins))
    return Check(
        errors=found.errors,
        warnings=found.warnings,
        issued=len(issued),
        superseded=superseded,
        withdrawn=len(withdrawn),
        in_force_before=before,
        in_force_after=before + len(issued) - superseded - sum(stands(line.document_id) for line in withdrawn),
    )


def _stands(revision: Revision, at: datetime) -> bool:
    begins, ends = revision.effective_from, revision.effective_to
    return begins is not None and begins <= at and (ends is None or ends > at)


def _loaded_lines(session: Session, decision: Decision) -> list[DecisionLine]:
    query = (
        select(DecisionLine)
        .where(DecisionLine.decision_id == decision.id)
        .order_by(DecisionLine.position)
        .options(
            joinedload(DecisionLine.document).joinedload(Document.unit),
            joinedload(DecisionLine.replaced_by),
            joinedload(DecisionLine.revision).selectinload(Revision.change_rows),
            joinedload(DecisionLine.revision).joinedload(Revision.document),
        )
    )
    return list(session.scalars(query))


def _standing(session: Session, lines: Sequence[DecisionLine]) -> dict[int, list[Revision]]:
    """Return by document the issued revisions whose interval has not been cut short to nothing."""
    wanted = [line.document_id for line in lines]
    query = select(Revision).where(
        Revision.document_id.in_(wanted),
        Revision.state.in_(WAS_ISSUED),
        or_(Revision.effective_to.is_(None), Revision.effective_to > Revision.effective_from),
    )
    found: dict[int, list[Revision]] = {}
    for revision in session.scalars(query.order_by(Revision.effective_from)):
        found.setdefault(revision.document_id, []).append(revision)
    return found


def _promised(session: Session, decision: Decision, lines: Sequence[DecisionLine]) -> dict[int, str]:
    query = (
        select(DecisionLine.revision_id, Decision.number)
        .join(Decision)
        .where(
            DecisionLine.revision_id.in_([line.revision_id for line in lines if line.revision_id]),
            Decision.state == "signed",
            Decision.id != decision.id,
        )
    )
    return {revision_id: number for revision_id, number in session.execute(query) if revision_id is not None}


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


def _first_error(found: Check) -> Sentence:
    problem = found.errors[0]
    more = len(found.errors) - 1
    sentence = _on_line(problem.line, problem.code, problem.sentence) if problem.line else problem.sentence
    if not more:
        return sentence
    return Sentence("{first} (và {more} lỗi khác)", "{first} (and {more} more errors)").fill(first=sentence, more=more)


def _on_line(line: int, code: str, sentence: Sentence) -> Sentence:
    return Sentence("Dòng {line} ({code}): {sentence}", "Line {line} ({code}): {sentence}").fill(
        line=line, code=code, sentence=sentence
    )


def _checked_title(title: str) -> str:
    title = " ".join(clean_name(title).split())
    if not title or len(title) > 2000:
        raise Refused(Sentence("Hãy ghi trích yếu của quyết định.", "Say what the decision is about."), field="title")
    return title


def _set_details(
    decision: Decision, *, effective_from: date | None, number: str, signed_on: date | None, signer_form: str
) -> None:
    decision.number = " ".join(clean_name(number).split())[:80]
    decision.number_key = code_key(decision.number)[:80]
    decision.signed_on = signed_on
    decision.year = signed_on.year if signed_on else None
    decision.effective_from = effective_from
    decision.signer_form = signer_form[:10]


def _details(decision: Decision) -> dict[str, Any]:
    return {
        "title": decision.title,
        "number": decision.number,
        "signed_on": decision.signed_on.isoformat() if decision.signed_on else None,
        "effective_from": decision.effective_from.isoformat() if decision.effective_from else None,
        "signer_form": decision.signer_form,
    }


def recorded(decision: Decision) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a decision begins; later entries say what changed."""
    return {
        "state": decision.state,
        "round": decision.round,
        "workflow": decision.workflow,
        "workflow_version": decision.workflow_version,
        "checked_hash": decision.checked_hash,
        "signer_id": decision.signer_id,
        "drafted_by_id": decision.drafted_by_id,
        "created_at": decision.created_at,
        "executed_at": decision.executed_at,
        **_details(decision),
        "lines": _plain_lines(decision),
    }


def _plain_lines(decision: Decision) -> list[list[Any]]:
    return [
        [line.position, line.action, line.revision_id, line.document_id, line.reason, line.replaced_by_id]
        for line in decision.lines
    ]
