"""Leaving: what an account that closes has in its hands, and how all of it goes to a named successor at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, authority, clock, decisions, lifecycle, notices, people, requests, revisions
from docctl.audit import Action
from docctl.authority import Delegation
from docctl.decisions import Decision
from docctl.distribution import ControlledCopy, DistributionEntry, ReadTask, copies, lists, reading
from docctl.people import Account, Reader, RoleGrant
from docctl.requests import ChangeRequest
from docctl.revisions import Revision
from docctl.rules import ROLES, Refused, Sentence
from docctl.workflow import Workflow

Subject = Revision | Decision | ChangeRequest

# A system's administrator takes no part in the business, so this role is never inherited.
NEVER_PASSED = frozenset({"admin"})


@dataclass(frozen=True)
class Stranded:
    """A record whose next act nobody but the person who leaves could do: of which role."""

    subject: Subject
    role: str


@dataclass(frozen=True)
class Pending:
    """Everything that is open in somebody's hands."""

    drafts: list[Revision] = field(default_factory=list)
    under_review: list[Revision] = field(default_factory=list)
    requests: list[ChangeRequest] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    copies: list[ControlledCopy] = field(default_factory=list)
    readings: list[ReadTask] = field(default_factory=list)
    listings: list[DistributionEntry] = field(default_factory=list)
    delegations: list[Delegation] = field(default_factory=list)
    roles: list[RoleGrant] = field(default_factory=list)


def pending(session: Session, account: Account) -> Pending:
    """Return what is open in somebody's hands; nothing of it may be dropped when the account closes."""
    own = select(Revision).where(Revision.author_id == account.id, Revision.state.in_(revisions.OPEN))
    found = list(session.scalars(own.order_by(Revision.id)))
    today = clock.today()
    return Pending(
        drafts=[row for row in found if row.state == "draft"],
        under_review=[row for row in found if row.state != "draft"],
        requests=requests.drafts_of(session, account),
        decisions=decisions.drafts_of(session, account),
        copies=copies.held_by(session, person=account),
        readings=reading.open_of(session, account),
        listings=lists.naming(session, person=account),
        delegations=authority.open_delegations(session, account),
        roles=[
            row
            for row in account.grants
            if row.role not in NEVER_PASSED and (row.valid_to is None or row.valid_to >= today)
        ],
    )


def stranded(session: Session, leaving: Account, heir: Account | None = None) -> list[Stranded]:
    """Return what only this person could act on next; with an `heir`, as if the heir had the person's roles too."""
    going = authority.reader(session, leaving)
    others = [
        authority.reader(session, row)
        for row in people.all_accounts(session)
        if row.disabled_at is None and row.id != leaving.id
    ]
    if heir is not None:
        reach = {role: reached for role, reached in going.reach.items() if role not in NEVER_PASSED}
        others.append(Reader(heir, reach))
    found: list[Stranded] = []
    open_ones = select(Revision).where(Revision.state.in_(revisions.OPEN)).order_by(Revision.id)
    for revision in session.scalars(open_ones):
        not_by, seats = _not_by(session, revision), _signed_seats(session, revision)
        found += _held(session, revision, going, others, revision.document.unit_id, not_by, seats)
    asked = select(ChangeRequest).where(ChangeRequest.state.in_(requests.OPEN)).order_by(ChangeRequest.id)
    for request in session.scalars(asked):
        signed = lifecycle.signed_in_round(session, request)
        not_by = frozenset({request.requester_id, *(row.account_id for row in signed)})
        found += _held(session, request, going, others, request.unit_id, not_by, frozenset(row.seat for row in signed))
    undone = select(Decision).where(Decision.state.in_(decisions.OPEN)).order_by(Decision.id)
    for decision in session.scalars(undone):
        found += _held(session, decision, going, others, None, frozenset(), frozenset())
    return found


def close(
    session: Session, leaving: Account, heir: Account, *, by: Account | None, pass_roles: bool = False
) -> dict[str, int]:
    """Close an account: everything open goes to the successor, in the caller's one transaction; returns the counts.

    With `pass_roles` the successor takes over the roles too. Raises Refused when something would then wait for nobody.
    """
    _refuse_unfit(session, leaving, heir)
    open_ones = pending(session, leaving)
    if held := stranded(session, leaving, heir if pass_roles else None):
        raise Refused(_nobody_left(held), field="pass_roles")
    passed = _pass_roles(session, open_ones.roles, heir) if pass_roles else []
    _refuse_heir_without_role(session, open_ones, heir)
    moved = {
        "drafts": revisions.hand_over(session, leaving, heir, by=by),
        "requests": requests.hand_over(session, leaving, heir, by=by),
        "decisions": decisions.hand_over(session, leaving, heir, by=by),
        "copies": copies.hand_over(session, leaving, heir, by=by),
        "readings": reading.hand_over(session, leaving, heir, by=by),
        "listings": len(open_ones.listings),
        "delegations": authority.end_all(session, leaving, by=by),
    }
    for entry in open_ones.listings:
        lists.pass_on(session, entry, by=by, account_id=heir.id)
    people.disable(session, leaving, heir=heir)
    session.flush()
    handed: tuple[Any, ...] = (*open_ones.drafts, *open_ones.requests, *open_ones.decisions)
    for subject in handed:
        notices.announce(session, subject.NOUN, subject.id, subject.state, by=by)
    extra: dict[str, Any] = {"roles": passed} if passed else {}
    audit.record(
        session,
        Action.ACCOUNT_DISABLED,
        by=by,
        noun="account",
        record_id=leaving.id,
        name=leaving.name,
        successor=heir.name,
        disabled_at=leaving.disabled_at,
        **moved,
        **extra,
    )
    return moved


def _held(
    session: Session,
    subject: Subject,
    going: Reader,
    others: Iterable[Reader],
    unit_id: int | None,
    not_by: frozenset[int],
    signed_seats: frozenset[str],
) -> Iterable[Stranded]:
    if subject.state == "draft" and not isinstance(subject, Decision):
        return  # Who made it acts next; it goes to the successor.
    for role in _next_roles(lifecycle.workflow_of(session, subject), subject.state, signed_seats):
        may = [one for one in others if role in one.roles_in(unit_id) and one.id not in not_by]
        if role in going.roles_in(unit_id) and going.id not in not_by and not may:
            yield Stranded(subject, role)


def _next_roles(follows: Workflow, state: str, signed_seats: frozenset[str]) -> list[str]:
    step = follows.onward(state)
    if step is None:
        return []
    if step.seats:
        return [seat.role for seat in step.seats if seat.name not in signed_seats]
    return list(step.roles[:1])


def _not_by(session: Session, revision: Revision) -> frozenset[int]:
    signed = lifecycle.signed_in_round(session, revision)
    return frozenset({revision.author_id, *(row.account_id for row in signed)})


def _signed_seats(session: Session, revision: Revision) -> frozenset[str]:
    return frozenset(row.seat for row in lifecycle.signed_in_round(session, revision))


def _pass_roles(session: Session, grants: Iterable[RoleGrant], heir: Account) -> list[str]:
    known = {(row.role, row.unit_id) for row in heir.grants}
    passed = []
    for row in grants:
        if (row.role, row.unit_id) in known or (row.role, None) in known:
            continue
        made = RoleGrant(
            account_id=heir.id, role=row.role, unit_id=row.unit_id, valid_from=row.valid_from, valid_to=row.valid_to
        )
        session.add(made)
        known.add((row.role, row.unit_id))
        passed.append(row.role)
    session.flush()
    session.expire(heir, ["grants"])
    return passed


def _refuse_unfit(session: Session, leaving: Account, heir: Account) -> None:
    if leaving.id == heir.id or heir.disabled_at is not None:
        raise Refused(
            Sentence(
                "Hãy chọn người kế nhiệm đang có tài khoản hoạt động, khác với người nghỉ.",
                "Choose a successor: somebody else, whose account is open.",
            ),
            field="successor",
        )
    open_ones = [row for row in people.all_accounts(session) if row.disabled_at is None and row.id != leaving.id]
    if people.reader(session, leaving).has("admin") and not any(
        people.reader(session, row).has("admin") for row in open_ones
    ):
        raise Refused(
            Sentence(
                "Đây là quản trị hệ thống cuối cùng. Hãy thêm một quản trị khác trước khi đóng tài khoản này.",
                "This is the last administrator. Add another one before this account is closed.",
            )
        )


def _refuse_heir_without_role(session: Session, open_ones: Pending, heir: Account) -> None:
    own = people.reader(session, heir)
    lost = [row for row in open_ones.drafts if "author" not in own.roles_in(row.document.unit_id)]
    if lost:
        raise Refused(
            Sentence(
                "{heir} không phải người soạn thảo của đơn vị {unit} nên không nhận được {n} dự thảo. Hãy chọn người khác, hoặc chọn giao cả vai trò.",
                "{heir} is no author of {unit}, and cannot take over {n} drafts. Choose somebody else, or pass the roles on too.",
            ).fill(heir=heir.full_name, unit=lost[0].document.unit.code, n=len(lost)),
            field="pass_roles",
        )
    if open_ones.decisions and not own.has("controller"):
        raise Refused(
            Sentence(
                "{heir} không phải người kiểm soát tài liệu nên không nhận được {n} quyết định dự thảo. Hãy chọn người khác, hoặc chọn giao cả vai trò.",
                "{heir} is no document controller, and cannot take over {n} draft decisions. Choose somebody else, or pass the roles on too.",
            ).fill(heir=heir.full_name, n=len(open_ones.decisions)),
            field="pass_roles",
        )


def _nobody_left(held: list[Stranded]) -> Sentence:
    first = held[0].subject
    what = f"{first.document.code} {first.edition_text}" if isinstance(first, Revision) else first.title
    if isinstance(first, ChangeRequest):
        what = first.number_text
    return Sentence(
        "Còn {n} việc không ai khác làm được: trước hết là “{what}”, chờ {role}. Hãy giao vai trò đó cho người khác, hoặc giao cả vai trò cho người kế nhiệm.",
        "{n} things would wait for nobody: first {what}, which waits for a {role}. Give that role to somebody first, or pass the roles on to the successor.",
    ).fill(n=len(held), what=what, role=ROLES[held[0].role])
