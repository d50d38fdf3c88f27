"""Units that are renamed, merged and split: what is open goes on in their successors, and old names stay on old records."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import audit, authority, clock, documents, units
from docctl.audit import Action, AuditEntry
from docctl.authority import Delegation
from docctl.distribution import copies, lists
from docctl.documents import Document
from docctl.people import Account, Reader, RoleGrant
from docctl.procedures import Procedure
from docctl.requests import ChangeRequest
from docctl.rules import NoRole, Refused, Sentence
from docctl.units import Unit, UnitSuccession


@dataclass(frozen=True)
class Holding:
    """What hangs on a unit: how many documents, draft requests, roles, accounts, units below it and delegations."""

    documents: int = 0
    requests: int = 0
    roles: int = 0
    accounts: int = 0
    units: int = 0
    copies: int = 0
    listings: int = 0
    procedures: int = 0
    delegations: int = 0
    fields: dict[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """The counts under the names of the trail."""
        return {name: value for name, value in vars(self).items() if name != "fields"}


def holding(session: Session, unit: Unit) -> Holding:
    """Return what hangs on a unit, and its documents counted by field."""

    def count(column: Any, *where: Any) -> int:
        return session.scalar(select(func.count()).select_from(column.class_).where(column == unit.id, *where)) or 0

    by_field = select(Document.field, func.count()).where(Document.unit_id == unit.id).group_by(Document.field)
    return Holding(
        documents=count(Document.unit_id),
        requests=count(ChangeRequest.unit_id, ChangeRequest.state == "draft"),
        roles=count(RoleGrant.unit_id),
        accounts=count(Account.unit_id, Account.disabled_at.is_(None)),
        units=count(Unit.parent_id, Unit.valid_to.is_(None)),
        copies=len(copies.held_by(session, unit=unit)),
        listings=len(lists.naming(session, unit=unit)),
        procedures=count(Procedure.unit_id),
        delegations=len(_delegations(session, unit)),
        fields={row[0]: row[1] for row in session.execute(by_field.order_by(Document.field))},
    )


def add(
    session: Session, *, by: Reader, code: str, name_vi: str, name_en: str = "", parent: Unit | None = None
) -> Unit:
    """Add a unit as its administrator; its code must be free."""
    _refuse_unless_admin(by)
    code, name_vi = code.strip(), " ".join(name_vi.split())
    if not code or len(code) > 40 or any(row.code.casefold() == code.casefold() for row in units.all_units(session)):
        raise Refused(
            Sentence(
                "Mã đơn vị “{code}” trống, quá dài hoặc đã có. Hãy chọn mã khác.",
                "The code {code} is empty, too long or taken. Choose another.",
            ).fill(code=code[:40]),
            field="code",
        )
    _refuse_no_name(name_vi)
    made = units.add(
        session, code=code, name_vi=name_vi, name_en=" ".join(name_en.split()), parent=parent or units.office(session)
    )
    audit.record(session, Action.UNIT_ADDED, by=by.account, noun="unit", record_id=made.id, code=code, name=name_vi)
    return made


def rename(session: Session, unit: Unit, *, by: Reader, name_vi: str, name_en: str = "") -> None:
    """Give a unit another name from now on; its code stays, and records of before are told under the name of then."""
    _refuse_unless_admin(by)
    _refuse_ended(unit)
    name_vi, name_en = " ".join(name_vi.split()), " ".join(name_en.split())
    _refuse_no_name(name_vi)
    before = {"name_vi": unit.name_vi, "name_en": unit.name_en}
    if (name_vi, name_en) == (unit.name_vi, unit.name_en):
        return
    unit.name_vi, unit.name_en = name_vi, name_en
    session.flush()
    audit.record(
        session,
        Action.UNIT_RENAMED,
        by=by.account,
        noun="unit",
        record_id=unit.id,
        before=before,
        code=unit.code,
        name_vi=name_vi,
        name_en=name_en,
    )


def merge(session: Session, ending: Sequence[Unit], into: Unit, *, by: Reader) -> Holding:
    """Merge units into another one, new or not, in the caller's one transaction; returns what went on in it, in all."""
    if not ending:
        raise Refused(Sentence("Hãy chọn đơn vị cần sáp nhập.", "Choose the units to merge."), field="unit")
    total: dict[str, Any] = {}
    for unit in ending:
        moved = _end(session, unit, [into], {}, by=by, action=Action.UNIT_MERGED)
        total = {name: total.get(name, 0) + number for name, number in moved.counts.items()}
    return Holding(**total)


def split(
    session: Session, unit: Unit, parts: Sequence[Unit], *, by: Reader, fields: Mapping[str, Unit] | None = None
) -> Holding:
    """Split a unit up; its documents go by field as told, the others, its accounts and units to the first part.

    Each part gets the roles that people had in the whole.
    """
    if len({part.id for part in parts}) < 2:
        raise Refused(
            Sentence("Tách đơn vị cần ít nhất hai đơn vị tiếp nhận.", "A unit is split into two others at the least."),
            field="parts",
        )
    given = fields or {}
    if any(part.id not in {row.id for row in parts} for part in given.values()):
        raise Refused(
            Sentence("Mỗi lĩnh vực phải về một trong các đơn vị tiếp nhận.", "Each field must go to one of the parts."),
            field="parts",
        )
    return _end(session, unit, parts, given, by=by, action=Action.UNIT_SPLIT)


def successors(session: Session, unit: Unit) -> list[Unit]:
    """Return the units in which an ended unit's work goes on, the main one first."""
    query = select(Unit).join(UnitSuccession, UnitSuccession.successor_id == Unit.id)
    found = session.scalars(query.where(UnitSuccession.unit_id == unit.id).order_by(Unit.code))
    return sorted(found, key=lambda row: row.id != unit.successor_id)


def unit_then(session: Session, document: Document, at: datetime, locale: str) -> str:
    """Return the name of the unit that a document belonged to at an instant, as the unit was called then.

    The trail knows: the first change after the instant says what was before it.
    """
    unit = document.unit
    moved = _first_after(session, Action.DOCUMENT_MOVED, at, AuditEntry.document_id == document.id)
    if moved is not None:
        unit = units.find(session, str(moved["before"]["unit"]))
    renamed = _first_after(session, Action.UNIT_RENAMED, at, AuditEntry.record_id == unit.id)
    if renamed is None:
        return unit.name(locale)
    was = renamed["before"]
    return str(was["name_en"] if locale == "en" and was["name_en"] else was["name_vi"])


def _end(
    session: Session, unit: Unit, parts: Sequence[Unit], fields: Mapping[str, Unit], *, by: Reader, action: Action
) -> Holding:
    _refuse_unless_admin(by)
    _refuse_ended(unit)
    _refuse_unfit(session, unit, parts)
    moved, main = holding(session, unit), parts[0]
    _move_documents(session, unit, main, fields, by=by)
    _move_requests(session, unit, main, by=by)
    _move_roles(session, unit, parts)
    for account in session.scalars(select(Account).where(Account.unit_id == unit.id)):
        account.unit_id = main.id
    for below in session.scalars(select(Unit).where(Unit.parent_id == unit.id, Unit.valid_to.is_(None))):
        below.parent_id = main.id
    copies.hand_over_unit(session, unit, main, by=by.account)
    for entry in lists.naming(session, unit=unit):
        for part in parts:
            lists.pass_on(session, entry, by=by.account, unit_id=part.id)
    _move_procedures(session, unit, main, by=by)
    for given in _delegations(session, unit):
        authority.end_now(session, given, by=by.account)
    session.flush()
    unit.valid_to, unit.successor_id = clock.today(), main.id
    session.add_all(UnitSuccession(unit_id=unit.id, successor_id=part.id) for part in parts)
    session.flush()
    audit.record(
        session,
        action,
        by=by.account,
        noun="unit",
        record_id=unit.id,
        code=unit.code,
        before={"valid_to": None},
        valid_to=unit.valid_to,
        successors=[part.code for part in parts],
        **{f"moved_{name}": number for name, number in moved.counts.items()},
    )
    return moved


def _move_documents(session: Session, unit: Unit, main: Unit, fields: Mapping[str, Unit], *, by: Reader) -> None:
    for document in session.scalars(select(Document).where(Document.unit_id == unit.id).order_by(Document.id)).all():
        target = fields.get(document.field, main)
        same = documents.namesakes(session, document.code, unit_id=target.id, field=document.field)
        clash = document.code_clash or any(other.same_scope for other in same)
        before = {"unit": unit.code, "code_clash": document.code_clash}
        # A code that two of them bear is shown to a person, never dropped.
        document.unit_id, document.unit, document.code_clash = target.id, target, clash
        session.flush()
        audit.record(
            session,
            Action.DOCUMENT_MOVED,
            by=by.account,
            noun="document",
            record_id=document.id,
            document_id=document.id,
            before=before,
            unit=target.code,
            code_clash=clash,
        )


def _move_requests(session: Session, unit: Unit, main: Unit, *, by: Reader) -> None:
    """Drafts go on in the successor, or in the unit of their document; what is signed keeps the name of its day."""
    query = select(ChangeRequest).where(ChangeRequest.unit_id == unit.id, ChangeRequest.state == "draft")
    for request in session.scalars(query.order_by(ChangeRequest.id)).all():
        target = request.document.unit if request.document else main
        request.unit_id, request.unit = target.id, target
        request.lock += 1
        session.flush()
        audit.record(
            session,
            Action.REQUEST_EDITED,
            by=by.account,
            noun="change_request",
            record_id=request.id,
            document_id=request.document_id,
            before={"unit_id": unit.id},
            unit_id=target.id,
        )


def _move_procedures(session: Session, unit: Unit, main: Unit, *, by: Reader) -> None:
    for row in session.scalars(select(Procedure).where(Procedure.unit_id == unit.id).order_by(Procedure.id)).all():
        row.unit_id, row.unit = main.id, main
        row.lock += 1
        session.flush()
        audit.record(
            session,
            Action.PROCEDURE_CHANGED,
            by=by.account,
            noun="procedure",
            record_id=row.id,
            before={"unit": unit.code},
            unit=main.code,
        )


def _move_roles(session: Session, unit: Unit, parts: Sequence[Unit]) -> None:
    for given in session.scalars(select(RoleGrant).where(RoleGrant.unit_id == unit.id).order_by(RoleGrant.id)).all():
        for number, part in enumerate(parts):
            held = select(RoleGrant).where(
                RoleGrant.account_id == given.account_id, RoleGrant.role == given.role, RoleGrant.unit_id == part.id
            )
            there = session.scalars(held).first()
            if there is not None:
                _widen(there, given)
            elif number == 0:
                given.unit_id = part.id
            else:
                session.add(
                    RoleGrant(
                        account_id=given.account_id,
                        role=given.role,
                        unit_id=part.id,
                        valid_from=given.valid_from,
                        valid_to=given.valid_to,
                    )
                )
            session.flush()
        if given.unit_id == unit.id:
            session.delete(given)  # It lives on in the role that the person had there already.
            session.flush()


def _widen(there: RoleGrant, given: RoleGrant) -> None:
    """Let a role that is held in both units last as long as the longer of the two."""
    there.valid_from = _earlier(there.valid_from, given.valid_from)
    there.valid_to = _later(there.valid_to, given.valid_to)


def _earlier(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else min(one, other)


def _later(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else max(one, other)


def _delegations(session: Session, unit: Unit) -> list[Delegation]:
    """Return the delegations in writing that name the unit and have not ended: the paper names what is no longer there."""
    query = select(Delegation).where(
        Delegation.unit_id == unit.id, Delegation.ended_on.is_(None), Delegation.valid_to >= clock.today()
    )
    return list(session.scalars(query.order_by(Delegation.id)))


def _first_after(session: Session, action: Action, at: datetime, about: Any) -> dict[str, Any] | None:
    query = select(AuditEntry).where(AuditEntry.action == action, AuditEntry.at > at, about)
    entry = session.scalars(query.order_by(AuditEntry.sequence).limit(1)).first()
    return entry.values if entry else None


def _refuse_unless_admin(by: Reader) -> None:
    if not by.has("admin"):
        raise NoRole(
            Sentence("Chỉ quản trị hệ thống được sửa cơ cấu đơn vị.", "Only an administrator changes the units.")
        )


def _refuse_no_name(name_vi: str) -> None:
    if not name_vi or len(name_vi) > 300:
        raise Refused(
            Sentence("Hãy ghi tên đơn vị, không quá 300 ký tự.", "Give the unit a name, of at most 300 characters."),
            field="name_vi",
        )


def _refuse_ended(unit: Unit) -> None:
    if unit.ended:
        raise Refused(
            Sentence(
                "Đơn vị {code} đã kết thúc ngày {day}; hồ sơ của nó được giữ nguyên.",
                "The unit {code} ended on {day}; its records stay as they are.",
            ).fill(code=unit.code, day=f"{unit.valid_to:%d/%m/%Y}"),
            field="unit",
        )


def _refuse_unfit(session: Session, unit: Unit, parts: Iterable[Unit]) -> None:
    if unit.parent_id is None:
        raise Refused(
            Sentence("Không sáp nhập hay tách chính cơ quan.", "The office itself is neither merged nor split."),
            field="unit",
        )
    below = units.with_descendants(session, unit.id)
    for part in parts:
        _refuse_ended(part)
        if part.id in below:
            raise Refused(
                Sentence(
                    "Đơn vị tiếp nhận {code} không được là chính đơn vị {unit} hay đơn vị trực thuộc nó.",
                    "The successor {code} must not be {unit} itself or lie below it.",
                ).fill(code=part.code, unit=unit.code),
                field="into",
            )
