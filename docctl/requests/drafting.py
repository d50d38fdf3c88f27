"""Making a change request and filling in its form, as long as it is a draft."""

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from docctl import audit, authority, clock, lifecycle, people, units, workflow
from docctl.audit import Action
from docctl.documents import checked_title
from docctl.lifecycle import Stale
from docctl.people import Account, Reader
from docctl.requests.table import (
    ABOUT_A_DOCUMENT,
    AMEND,
    KINDS,
    LEADS_TO_A_DRAFT,
    WITHDRAW,
    ChangeRequest,
    RequestRow,
    Words,
    own_words,
    recorded,
)
from docctl.revisions import checked_changes, in_force, open_revision
from docctl.rules import Facts, NoRole, Refused, Sentence
from docctl.text import clean_name
from docctl.units import Unit

LONGEST = 20_000


def draft(session: Session, *, by: Reader, kind: str, words: Words) -> ChangeRequest:
    """Make a request in somebody's name, under the next number of the year."""
    if kind not in KINDS:
        raise Refused(
            Sentence("Loại yêu cầu là một trong: {known}.", "The kind is one of: {known}.").fill(
                known=", ".join(KINDS)
            ),
            field="kind",
        )
    follows = lifecycle.newest(session, "change_request")
    unit = _unit_of(session, words, by)
    state = workflow.fire(follows, None, "draft", Facts(actor=by.id, roles=_roles(by)))
    audit.hold(session)  # Two requests made at once must not read the same last number.
    year = clock.today().year
    last = session.scalar(select(func.max(ChangeRequest.number)).where(ChangeRequest.year == year)) or 0
    request = ChangeRequest(
        year=year,
        number=last + 1,
        kind=kind,
        state=state,
        **lifecycle.begun(follows),
        requester_id=by.id,
        requester_unit_id=by.account.unit_id,
        created_at=clock.now(),
    )
    request.requester, request.requester_unit = by.account, by.account.unit
    _say(request, words, unit, _affected(session, words))
    session.add(request)
    session.flush()
    audit.record(
        session,
        Action.REQUEST_DRAFTED,
        by=by.account,
        noun="change_request",
        record_id=request.id,
        **recorded(request),
    )
    return request


def edit(session: Session, request: ChangeRequest, *, by: Reader, words: Words, seen: int | None = None) -> None:
    """Fill the form in anew; without a file among the words the one that is there stays."""
    if sentence := editing_refusal(request, by=by):
        raise Refused(sentence)
    if seen is not None and seen != request.lock:
        raise Stale
    before = own_words(request)
    _say(request, words, _unit_of(session, words, by), _affected(session, words))
    request.lock += 1
    session.flush()
    changed = {name: value for name, value in own_words(request).items() if value != before[name]}
    audit.record(
        session,
        Action.REQUEST_EDITED,
        by=by.account,
        noun="change_request",
        record_id=request.id,
        before={name: before[name] for name in changed},
        **{"document_id": request.document_id} | changed,
    )


def drafting_refusal(session: Session, *, by: Reader) -> Sentence | None:
    """Return why somebody may not make requests, or None."""
    follows = lifecycle.newest(session, "change_request")
    return workflow.refusal(follows, None, "draft", Facts(actor=by.id, roles=_roles(by)))


def refuse_unless_requester(session: Session, *, by: Reader) -> None:
    """Raise NoRole unless somebody may make requests."""
    if sentence := drafting_refusal(session, by=by):
        raise NoRole(sentence)


def editing_refusal(request: ChangeRequest, *, by: Reader) -> Sentence | None:
    """Return why somebody may not change a request now, or None."""
    if request.state == "draft" and request.requester_id == by.id:
        return None
    return Sentence(
        "Chỉ người đề nghị được sửa phiếu, và chỉ khi còn là dự thảo.",
        "Only its requester may change a request, and only while it is a draft.",
    )


def missing(session: Session, request: ChangeRequest) -> list[Sentence]:
    """Return what the form still lacks before it can be submitted, each as a sentence that says what to write."""
    lacks = []
    if request.kind in ABOUT_A_DOCUMENT:
        lacks += _missing_about_document(session, request)
    elif not request.title:
        lacks.append(Sentence("Hãy ghi tên tài liệu đề nghị.", "Give the proposed title of the document."))
    if request.kind not in ABOUT_A_DOCUMENT and request.type_id is None:
        lacks.append(Sentence("Hãy chọn loại tài liệu.", "Choose the document type."))
    if not request.why:
        lacks.append(Sentence("Hãy ghi lý do.", "Give the reason."))
    if request.kind == AMEND and not request.change_rows:
        lacks.append(
            Sentence(
                "Hãy ghi ít nhất một dòng nội dung đề nghị (mục, cũ → mới).",
                "Write at least one row of what would change (section, old → new).",
            )
        )
    if request.kind in LEADS_TO_A_DRAFT:
        lacks += _missing_drafter(session, request)
    return lacks


def drafters(session: Session, unit: Unit) -> list[Account]:
    """Return the accounts that may write a draft for a unit, by name."""
    return [account for account in people.all_accounts(session) if _may_draft(session, account, unit)]


def hand_over(session: Session, leaving: Account, heir: Account, *, by: Account | None) -> int:
    """Give the draft requests that somebody who leaves made, or is to write the draft of, to a successor; returns how many."""
    found = drafts_of(session, leaving)
    for request in found:
        _give(session, request, heir, of=leaving, by=by)
    return len(found)


def drafts_of(session: Session, account: Account) -> list[ChangeRequest]:
    """Return the requests, drafts still, that somebody made or is to write the draft of."""
    named = or_(ChangeRequest.requester_id == account.id, ChangeRequest.drafter_id == account.id)
    query = select(ChangeRequest).where(named, ChangeRequest.state == "draft")
    return list(session.scalars(query.order_by(ChangeRequest.id)))


def to_successor(session: Session, request: ChangeRequest, *, by: Reader) -> None:
    """Give what comes back to its requester to the requester's successor when the requester has left."""
    for one in {request.requester_id, request.drafter_id or request.requester_id}:
        account = session.get_one(Account, one)
        heir = people.heir_of(session, account)
        if heir is not None and heir.id != account.id:
            _give(session, request, heir, of=account, by=by.account)


def writer_of(session: Session, request: ChangeRequest) -> Account | None:
    """Return who is to write the draft: the person named, or that person's successor."""
    return people.heir_of(session, request.drafter) or request.drafter if request.drafter else None


def _give(session: Session, request: ChangeRequest, heir: Account, *, of: Account, by: Account | None) -> None:
    before = {"requester_id": request.requester_id, "drafter_id": request.drafter_id}
    if request.requester_id == of.id:
        request.requester_id, request.requester = heir.id, heir
    if request.drafter_id == of.id:
        request.drafter_id, request.drafter = heir.id, heir
    after = {"requester_id": request.requester_id, "drafter_id": request.drafter_id}
    changed = {name: value for name, value in after.items() if value != before[name]}
    request.lock += 1
    session.flush()
    audit.record(
        session,
        Action.REQUEST_EDITED,
        by=by,
        noun="change_request",
        record_id=request.id,
        document_id=request.document_id,
        before={name: before[name] for name in changed},
        **changed,
    )


def drafter_refusal(session: Session, request: ChangeRequest) -> Sentence | None:
    """Return why the draft of a request cannot be opened for whoever is to write it, or None."""
    return next(iter(_missing_drafter(session, request)), None)


def _missing_about_document(session: Session, request: ChangeRequest) -> list[Sentence]:
    if request.document is None:
        return [Sentence("Hãy ghi mã tài liệu.", "Give the code of the document.")]
    if request.kind == WITHDRAW and not in_force(session, document=request.document):
        return [
            Sentence(
                "Tài liệu {code} không còn hiệu lực nên không có gì để hủy bỏ.",
                "The document {code} is not in force, so there is nothing to withdraw.",
            ).fill(code=request.document.code)
        ]
    begun = open_revision(session, request.document) if request.kind == AMEND else None
    if begun is not None:
        return [
            Sentence(
                "Tài liệu {code} đang có dự thảo {edition} chưa xong. Hãy hoàn tất hoặc bỏ bản đó trước.",
                "A draft ({edition}) of {code} is still open. Finish or discard it first.",
            ).fill(code=request.document.code, edition=begun.edition_text)
        ]
    return []


def _missing_drafter(session: Session, request: ChangeRequest) -> list[Sentence]:
    writer = writer_of(session, request)
    if writer is None:
        return [Sentence("Hãy chọn người soạn thảo.", "Choose who writes the draft.")]
    if not _may_draft(session, writer, request.unit):
        return [
            Sentence(
                "{who} không có vai trò soạn thảo cho đơn vị {unit}. Hãy chọn người khác.",
                "{who} is no author for the unit {unit}. Choose somebody else.",
            ).fill(
                who=Sentence(writer.title("vi"), writer.title("en")),
                unit=Sentence(request.unit.name("vi"), request.unit.name("en")),
            )
        ]
    return []


def _may_draft(session: Session, account: Account, unit: Unit) -> bool:
    return account.disabled_at is None and "author" in authority.reader(session, account).roles_in(unit.id)


def _roles(by: Reader) -> frozenset[str]:
    """Anybody may ask for a change of any unit's document: a role counts wherever it is held."""
    return frozenset(by.reach)


def _unit_of(session: Session, words: Words, by: Reader) -> Unit:
    if words.document is not None:
        return words.document.unit
    return words.unit or by.account.unit or units.office(session)


def _affected(session: Session, words: Words) -> str:
    return ", ".join(dict.fromkeys(units.find(session, code).code for code in words.affected if code.strip()))


def _say(request: ChangeRequest, words: Words, unit: Unit, affected: str) -> None:
    request.document, request.type, request.unit = words.document, words.type, unit
    request.document_id = words.document.id if words.document else None
    request.type_id = words.type.id if words.type else None
    request.unit_id = unit.id
    request.code = " ".join(clean_name(words.code).split())[:80]
    request.title = checked_title(words.title) if words.title.strip() else ""
    request.edition, request.amendment = words.edition, words.amendment
    request.effective_on, request.why = words.effective_on, _text(words.reason, "reason")
    request.affected = affected
    request.replaced_by = words.replaced_by
    request.replaced_by_id = words.replaced_by.id if words.replaced_by else None
    request.drafter, request.drafter_id = words.drafter, words.drafter.id if words.drafter else None
    request.draft_due = words.draft_due
    request.legal_basis, request.law_effective_on = _text(words.legal_basis, "legal_basis"), words.law_effective_on
    if words.content is not None:
        request.content, request.file_sha256, request.file_name = words.content, words.content.sha256, words.file_name
    request.change_rows = [
        RequestRow(position=number, section=row.section, old=row.old, new=row.new, basis=row.basis)
        for number, row in enumerate(checked_changes(words.changes), start=1)
    ]


def _text(typed: str, field: str) -> str:
    typed = typed.replace("\r\n", "\n").strip()
    if len(typed) > LONGEST:
        raise Refused(
            Sentence("Nội dung dài quá {n} ký tự.", "This is longer than {n} characters.").fill(n=LONGEST), field=field
        )
    return typed
