"""Who may approve and sign on which day: by a role of one's own, or by a delegation in writing from somebody who has one."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from docctl import audit, clock, people, units
from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.people import Account, Reader
from docctl.rules import NoRole, Refused, Sentence
from docctl.units import Unit

APPROVER = "approver"
FORMS = {
    "KT.": Sentence("văn bản phân công ký thay", "the assignment to sign in place"),
    "TUQ.": Sentence("giấy ủy quyền", "the letter of delegation"),
    "TL.": Sentence("văn bản giao ký thừa lệnh", "the order to sign"),
}
WITHOUT = Sentence(
    "Bạn không có thẩm quyền ký vào ngày này: không có vai trò người phê duyệt còn hiệu lực và không có ủy quyền bằng văn bản.",
    "You have no authority to sign on this day: no valid role of approver, and no delegation in writing.",
)


class Delegation(Base):
    """A delegation in writing, limited in time and scope; it is never changed, only ended, and never passed on."""

    __tablename__ = "delegation"
    __table_args__ = (
        CheckConstraint("form IN ('KT.', 'TUQ.', 'TL.')", name="form"),
        CheckConstraint("from_account_id <> to_account_id", name="persons"),
        CheckConstraint("valid_to >= valid_from", name="period"),
        CheckConstraint("length(document_number) > 0", name="document_number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    from_account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    to_account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    form: Mapped[str] = mapped_column(String(10))
    document_number: Mapped[str] = mapped_column(String(80))
    document_date: Mapped[date]
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date]
    ended_on: Mapped[date | None]
    made_at: Mapped[datetime] = mapped_column(Instant)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    giver: Mapped[Account] = relationship(foreign_keys=[from_account_id])
    deputy: Mapped[Account] = relationship(foreign_keys=[to_account_id])
    unit: Mapped[Unit | None] = relationship()

    @property
    def words(self) -> Sentence:
        """The delegation as a signature quotes it: form, giver, and the written act with its date."""
        return Sentence(
            "{form} {giver}, theo {act} số {number} ngày {day}", "{form} {giver}, by {act} no. {number} of {day}"
        ).fill(
            form=self.form,
            giver=Sentence(self.giver.title("vi"), self.giver.title("en")),
            act=FORMS[self.form],
            number=self.document_number,
            day=f"{self.document_date:%d/%m/%Y}",
        )


@dataclass(frozen=True)
class Authority:
    """That somebody may sign, and in what words the signature says why."""

    text_vi: str
    text_en: str
    delegation: Delegation | None = None


def authority(session: Session, by: Reader, unit_id: int | None, day: date) -> Authority | Sentence:
    """Return by what authority somebody may sign for a unit (None: the whole office) on a day, or the sentence why not."""
    if _reaches(people.reader(session, by.account, day=day), unit_id):
        title = by.account
        return Authority(
            f"Theo thẩm quyền của chức danh {title.title('vi')}", f"By the authority of the {title.title('en')}"
        )
    for given in _to(session, by.account):
        if _counts(given, day) and _covers(session, given, unit_id, day):
            return Authority(given.words.vi, given.words.en, given)
    return WITHOUT


def signing_block(session: Session, by: Reader, day: date, *, chosen: str = "") -> list[str] | Sentence:
    """Return the lines above a signature for the whole office on a day, or the sentence why they cannot be.

    In one's own right: the title, after `TM.` and the office where it signs for a collective. By delegation: its form
    and the giver's title, then the deputy's. `chosen` is the form that the paper asks for; empty takes what is true.
    """
    own = _reaches(people.reader(session, by.account, day=day), None)
    lent = [row for row in _to(session, by.account) if _counts(row, day) and _covers(session, row, None, day)]
    if own and chosen in ("", "TM."):
        office = [f"TM. {units.office(session).name_vi.upper()}"] if chosen else []
        return [*office, by.account.title("vi").upper()]
    for row in lent:
        if chosen in ("", row.form):
            return [f"{row.form} {row.giver.title('vi').upper()}", by.account.title("vi").upper()]
    if not own and not lent:
        return lapsed(session, by, day) or WITHOUT
    held = ", ".join([*(["TM."] if own else []), *(row.form for row in lent)])
    return Sentence(
        "Quyết định ghi thể thức {chosen}, nhưng vào ngày {day} bạn chỉ có thể ký: {held}. Hãy sửa thể thức ký.",
        "The decision asks for {chosen}, but on {day} you can only sign: {held}. Change the form of signature.",
    ).fill(chosen=chosen, day=f"{day:%d/%m/%Y}", held=held)


def signers(session: Session, day: date, *, chosen: str = "") -> list[tuple[Account, list[str]]]:
    """Return who could sign for the whole office on a day, each with the lines above the signature."""
    found = []
    for account in people.all_accounts(session):
        if account.disabled_at is None:
            block = signing_block(session, people.reader(session, account, day=day), day, chosen=chosen)
            if not isinstance(block, Sentence):
                found.append((account, block))
    return found


def lapsed(session: Session, by: Reader, day: date) -> Sentence | None:
    """Return why the newest delegation to somebody does not count on a day, None when there is none or it counts."""
    given = _to(session, by.account)
    if not given or any(_counts(row, day) for row in given):
        return None
    row = given[-1]
    about = {"form": row.form, "number": row.document_number}
    if day < row.valid_from:
        return Sentence(
            "Ủy quyền {form} số {number} chỉ có hiệu lực từ {day}; hôm nay bạn chưa ký được.",
            "The delegation {form} no. {number} begins on {day}; you cannot sign yet.",
        ).fill(day=f"{row.valid_from:%d/%m/%Y}", **about)
    if row.giver.disabled_at is not None:
        return Sentence(
            "Người ủy quyền ({giver}) không còn giữ chức vụ nên ủy quyền {form} số {number} đã hết giá trị.",
            "The giver ({giver}) has left, so the delegation {form} no. {number} no longer counts.",
        ).fill(giver=Sentence(row.giver.title("vi"), row.giver.title("en")), **about)
    last = row.valid_to if row.ended_on is None else row.ended_on - timedelta(days=1)
    return Sentence(
        "Ủy quyền {form} số {number} đã hết hạn, ngày cuối là {day}; bạn không ký được nữa. Hãy xin ủy quyền mới bằng văn bản.",
        "The delegation {form} no. {number} has ended, its last day was {day}; you can no longer sign. Ask for a new one in writing.",
    ).fill(day=f"{last:%d/%m/%Y}", **about)


def refusal(session: Session, by: Reader, unit_id: int | None) -> Sentence | None:
    """Return why somebody may not sign for a unit today, None when he or she may."""
    if APPROVER not in by.roles_in(unit_id):
        return WITHOUT  # The common case on lists of many rows costs no query.
    found = authority(session, by, unit_id, clock.today())
    return found if isinstance(found, Sentence) else None


def words(session: Session, by: Reader, unit_id: int | None) -> str:
    """Return what a signature made today says of its authority; empty for somebody who has none."""
    found = authority(session, by, unit_id, clock.today())
    return found.text_vi if isinstance(found, Authority) else ""


def reader(session: Session, account: Account) -> Reader:
    """Return the account with the units that each of its roles reaches today, by delegation too."""
    own = people.reader(session, account)
    today = clock.today()
    reach = dict(own.reach)
    for given in _to(session, account) if _has_any(session, account) else ():
        if not _counts(given, today):
            continue
        lent = _scope(session, given, today)
        if lent is None:
            reach[APPROVER] = None
        elif lent and reach.get(APPROVER, frozenset()) is not None:
            reach[APPROVER] = (reach.get(APPROVER) or frozenset()) | lent
    return Reader(account, reach)


def delegate(
    session: Session,
    *,
    by: Reader,
    giver: Account,
    deputy: Account,
    form: str,
    document_number: str,
    document_date: date,
    valid_from: date,
    valid_to: date,
    unit: Unit | None = None,
) -> Delegation:
    """Record a delegation in writing, as its giver or as the document controller who keeps the paper.

    Only somebody with an authority of his or her own over the whole scope may delegate; raises Refused otherwise.
    """
    if (by.id != giver.id and not by.has("controller")) or by.id == deputy.id:
        raise NoRole(
            Sentence(
                "Chỉ người ủy quyền hoặc người kiểm soát tài liệu được ghi ủy quyền, và không ai được ghi cho chính mình.",
                "Only the giver or a document controller may record a delegation, and nobody may record one to himself.",
            )
        )
    _check_paper(form, document_number, valid_from, valid_to, giver, deputy)
    own = people.reader(session, giver, day=valid_from)
    if not _reaches(own, unit.id if unit else None) and (unit is not None or APPROVER not in own.reach):
        raise Refused(
            Sentence(
                "{giver} không có thẩm quyền phê duyệt của chính mình trong phạm vi đó vào ngày {day}; người được ủy quyền không được ủy quyền lại.",
                "{giver} has no authority of his or her own in that scope on {day}; what was delegated to somebody is never passed on.",
            ).fill(giver=Sentence(giver.title("vi"), giver.title("en")), day=f"{valid_from:%d/%m/%Y}"),
            field="from",
        )
    made = Delegation(
        from_account_id=giver.id,
        to_account_id=deputy.id,
        form=form,
        document_number=document_number.strip(),
        document_date=document_date,
        unit_id=unit.id if unit else None,
        valid_from=valid_from,
        valid_to=valid_to,
        made_at=clock.now(),
        made_by_id=by.id,
    )
    made.giver, made.deputy, made.unit = giver, deputy, unit
    session.add(made)
    session.flush()
    audit.record(
        session, Action.DELEGATION_MADE, by=by.account, noun="delegation", record_id=made.id, **_recorded(made)
    )
    return made


def end(session: Session, delegation: Delegation, *, by: Reader, on: date) -> None:
    """End a delegation early: from that day on nothing can be signed by it. What was signed before stays valid."""
    if by.id != delegation.from_account_id and not by.has("controller"):
        raise NoRole(
            Sentence(
                "Chỉ người ủy quyền hoặc người kiểm soát tài liệu được chấm dứt ủy quyền.",
                "Only the giver or a document controller may end a delegation.",
            )
        )
    if delegation.ended_on is not None or on > delegation.valid_to or on < clock.today():
        raise Refused(
            Sentence(
                "Ủy quyền chỉ chấm dứt được một lần, từ hôm nay trở đi và trước khi tự hết hạn ngày {day}.",
                "A delegation can be ended once, from today on and before it runs out on {day}.",
            ).fill(day=f"{delegation.valid_to:%d/%m/%Y}"),
            field="on",
        )
    delegation.ended_on = on
    session.flush()
    audit.record(
        session,
        Action.DELEGATION_ENDED,
        by=by.account,
        noun="delegation",
        record_id=delegation.id,
        before={"ended_on": None},
        ended_on=on,
    )


def end_all(session: Session, account: Account, *, by: Account | None) -> int:
    """End today every delegation from or to somebody who leaves; returns how many. What was signed by them stays valid."""
    given_ones = open_delegations(session, account)
    for given in given_ones:
        end_now(session, given, by=by)
    return len(given_ones)


def end_now(session: Session, delegation: Delegation, *, by: Account | None) -> None:
    """End a delegation today because its giver, its deputy or the unit that it names is no longer there."""
    delegation.ended_on = clock.today()
    session.flush()
    audit.record(
        session,
        Action.DELEGATION_ENDED,
        by=by,
        noun="delegation",
        record_id=delegation.id,
        before={"ended_on": None},
        ended_on=delegation.ended_on,
    )


def open_delegations(session: Session, account: Account) -> list[Delegation]:
    """Return the delegations from or to somebody that have not ended or run out yet, those of later days included."""
    query = select(Delegation).where(
        or_(Delegation.from_account_id == account.id, Delegation.to_account_id == account.id),
        Delegation.ended_on.is_(None),
        Delegation.valid_to >= clock.today(),
    )
    return list(session.scalars(query.order_by(Delegation.id)))


def all_delegations(session: Session) -> list[Delegation]:
    """Return every delegation ever made, newest first."""
    return list(session.scalars(select(Delegation).order_by(Delegation.id.desc())))


def _check_paper(
    form: str, document_number: str, valid_from: date, valid_to: date, giver: Account, deputy: Account
) -> None:
    if form not in FORMS:
        raise Refused(
            Sentence("Thể thức ký là một trong: {known}.", "The form of signature is one of: {known}.").fill(
                known=", ".join(FORMS)
            ),
            field="form",
        )
    if not document_number.strip() or len(document_number.strip()) > 80:
        raise Refused(
            Sentence(
                "Hãy ghi số văn bản ủy quyền, dài không quá 80 ký tự.",
                "Give the number of the written act, at most 80 characters.",
            ),
            field="document_number",
        )
    if valid_to < valid_from:
        raise Refused(
            Sentence("Ngày hết hạn phải từ ngày bắt đầu trở đi.", "The last day must not be before the first."),
            field="valid_to",
        )
    if giver.id == deputy.id or deputy.disabled_at:
        raise Refused(
            Sentence(
                "Người được ủy quyền phải là một người khác còn tài khoản hoạt động.",
                "The deputy must be another person with an active account.",
            ),
            field="to",
        )


def _to(session: Session, account: Account) -> list[Delegation]:
    return list(
        session.scalars(select(Delegation).where(Delegation.to_account_id == account.id).order_by(Delegation.id))
    )


def _has_any(session: Session, account: Account) -> bool:
    # Asked with every request: most people have none, and a column costs a third of the objects.
    return session.scalar(select(Delegation.id).where(Delegation.to_account_id == account.id)) is not None


def _counts(given: Delegation, day: date) -> bool:
    ended = given.ended_on is not None and day >= given.ended_on
    return given.valid_from <= day <= given.valid_to and not ended and given.giver.disabled_at is None


def _covers(session: Session, given: Delegation, unit_id: int | None, day: date) -> bool:
    scope = _scope(session, given, day)
    return scope is None or unit_id in scope


def _scope(session: Session, given: Delegation, day: date) -> frozenset[int] | None:
    """Return the units that a delegation reaches (None: the whole office): never more than its giver has that day."""
    own = people.reader(session, given.giver, day=day)
    reached = own.reach.get(APPROVER, frozenset())
    if given.unit_id is None:
        return reached
    named = units.with_descendants(session, given.unit_id)
    return named if reached is None else named & reached


def _reaches(own: Reader, unit_id: int | None) -> bool:
    return APPROVER in own.roles_in(unit_id)


def _recorded(made: Delegation) -> dict[str, Any]:
    return {
        "from_account_id": made.from_account_id,
        "to_account_id": made.to_account_id,
        "form": made.form,
        "document_number": made.document_number,
        "document_date": made.document_date,
        "unit_id": made.unit_id,
        "valid_from": made.valid_from,
        "valid_to": made.valid_to,
        "ended_on": made.ended_on,
        "made_at": made.made_at,
        "made_by_id": made.made_by_id,
    }
