"""Accounts, their roles by unit, sign-in sessions, and the password asked again for every signature."""

import hashlib
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import CheckConstraint, ForeignKey, Index, String, delete, func, or_, select, update
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import clock, units
from docctl.database import Base, Instant, Kept
from docctl.rules import ROLES, Refused, Sentence
from docctl.units import Unit

# 19 MiB, 2 passes, 1 lane: the second recommendation of OWASP's password storage sheet, 67 ms on a small server.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$axkelXhEE8DSJhqvu5Xq7w$Sab3iv2Bs0c27P4EoOLi92gPIk/ISdDmDvw30Etajx8"

_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[^\s@<>,;:\"()\[\]\\]+\.[^\s@<>,;:\"()\[\]\\.]+", re.ASCII)

SESSION_IDLE = timedelta(hours=8)
SESSION_LIFE = timedelta(hours=24)
SIGNING_SECONDS = 300.0
FAILURE_WINDOW = timedelta(minutes=15)
FAILURES_BY_NAME_AND_ADDRESS = 5
FAILURES_BY_NAME = 20
FAILURES_BY_ADDRESS = 60
SHORTEST_PASSWORD = 10

SEES_EVERYTHING = frozenset({"controller", "auditor", "approver", "format_reviewer"})


class Account(Kept, Base):
    """A person's account; it is disabled, never deleted, since records name it."""

    UNTOLD = frozenset({"locale"})
    SEALED = frozenset({"password_hash", "email"})

    __tablename__ = "account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    full_name: Mapped[str] = mapped_column(String(200))
    title_vi: Mapped[str] = mapped_column(String(200), default="")
    title_en: Mapped[str] = mapped_column(String(200), default="")
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    locale: Mapped[str | None] = mapped_column(String(5))
    password_hash: Mapped[str] = mapped_column(String(200))
    must_change_password: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    disabled_at: Mapped[datetime | None] = mapped_column(Instant)
    email: Mapped[str] = mapped_column(String(254), default="", server_default="")
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    unit: Mapped[Unit] = relationship()
    grants: Mapped[list["RoleGrant"]] = relationship(order_by="RoleGrant.id")

    def title(self, locale: str) -> str:
        """Return the person's title in a language."""
        return self.title_en if locale == "en" and self.title_en else self.title_vi


class RoleGrant(Kept, Base):
    """A role of an account, in one unit and those below it, or (no unit) in the whole office, for a period."""

    __tablename__ = "role_grant"
    __table_args__ = (
        CheckConstraint(f"role IN ({', '.join(repr(role) for role in ROLES)})", name="role"),
        CheckConstraint("valid_to IS NULL OR valid_from IS NULL OR valid_to >= valid_from", name="period"),
        Index("uq_role_grant_unit", "account_id", "role", "unit_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    role: Mapped[str] = mapped_column(String(20))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]


class SignIn(Base):
    """A sign-in session; only the SHA-256 of its token is kept, so a copy of the database opens no session."""

    __tablename__ = "sign_in"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    seen_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)


class FailedSignIn(Base):
    """A wrong password, kept for the throttle."""

    __tablename__ = "failed_sign_in"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), index=True)
    address: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(Instant)


class WrongPassword(Refused):
    """A name and password that do not belong together; the edge records it for the throttle."""

    def __init__(self, name: str, sentence: Sentence, field: str = "password") -> None:
        super().__init__(sentence, field=field)
        self.name = name


class Throttled(Refused):
    """Too many wrong passwords lately for this name or from this address."""


@dataclass(frozen=True)
class Reader:
    """Who asks: the account, and for each role the units it reaches (None: the whole office)."""

    account: Account
    reach: dict[str, frozenset[int] | None] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The account's id."""
        return self.account.id

    def roles_in(self, unit_id: int | None) -> frozenset[str]:
        """Return the roles that reach a unit."""
        return frozenset(role for role, reached in self.reach.items() if reached is None or unit_id in reached)

    def has(self, *roles: str) -> bool:
        """Say whether the person has one of the roles in any unit."""
        return any(role in self.reach for role in roles)

    @property
    def sees_everything(self) -> bool:
        """Whether every revision in every state is visible, as for controllers and auditors of the whole office."""
        return any(role in self.reach and self.reach[role] is None for role in SEES_EVERYTHING)


@dataclass(frozen=True)
class Reauthenticated:
    """The proof that an account entered its password again, moments ago; only `reauthenticate` makes one."""

    account_id: int
    at: float

    def valid_for(self, account_id: int) -> bool:
        """Say whether the proof is this account's and at most five minutes old."""
        return self.account_id == account_id and time.monotonic() - self.at < SIGNING_SECONDS


def add(
    session: Session,
    *,
    name: str,
    password: str,
    roles: Iterable[str | tuple[str, Unit]],
    unit: Unit,
    full_name: str = "",
    title_vi: str = "",
    title_en: str = "",
    must_change_password: bool = False,
    email: str = "",
) -> Account:
    """Add an account with roles in the whole office, or in a unit where a pair is given."""
    name = name.strip().casefold()
    if not name or session.scalar(select(Account.id).where(Account.name == name)):
        raise Refused(
            Sentence(
                "Tên đăng nhập “{name}” trống hoặc đã có người dùng. Hãy chọn tên khác.",
                "The name “{name}” is empty or taken. Choose another.",
            ).fill(name=name),
            field="name",
        )
    check_new_password(password)
    account = Account(
        name=name,
        full_name=full_name or title_vi or name,
        title_vi=title_vi or name,
        title_en=title_en or title_vi or name,
        unit_id=unit.id,
        password_hash=HASHER.hash(password),
        must_change_password=must_change_password,
        created_at=clock.now(),
        email=checked_address(email),
    )
    session.add(account)
    session.flush()
    for given in roles:
        role, where = (given, None) if isinstance(given, str) else given
        grant(session, account, role, unit=where)
    return account


def grant(
    session: Session,
    account: Account,
    role: str,
    *,
    unit: Unit | None = None,
    valid_from: date | None = None,
    valid_to: date | None = None,
) -> RoleGrant:
    """Give an account a role, in a unit or in the whole office, for a period or for good."""
    if role not in ROLES:
        raise Refused(
            Sentence(
                "Không có vai trò “{role}”. Các vai trò: {known}.", "There is no role {role}. The roles: {known}."
            ).fill(role=role, known=", ".join(ROLES)),
            field="role",
        )
    given = RoleGrant(
        account_id=account.id, role=role, unit_id=unit.id if unit else None, valid_from=valid_from, valid_to=valid_to
    )
    session.add(given)
    session.flush()
    return given


def checked_address(typed: str) -> str:
    """Return an address for mail, or nothing for nothing; raises Refused when it cannot be one."""
    typed = typed.strip()
    if typed and (len(typed) > 254 or not _ADDRESS.fullmatch(typed)):
        raise Refused(
            Sentence(
                "“{typed}” không phải địa chỉ thư. Hãy ghi theo mẫu ten@coquan.vn, hoặc để trống.",
                "“{typed}” is no address for mail. Write it like name@office.example, or leave it empty.",
            ).fill(typed=typed[:60]),
            field="email",
        )
    return typed


def check_new_password(password: str) -> None:
    """Refuse a password that is too short to keep anybody out."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused(
            Sentence(
                "Mật khẩu cần ít nhất {n} ký tự. Một câu ngắn dễ nhớ là tốt nhất.",
                "A password needs at least {n} characters. A short sentence is best.",
            ).fill(n=SHORTEST_PASSWORD),
            field="new_password",
        )


def one_time_password() -> str:
    """Return a random password to hand over once; whoever gets it must choose another one."""
    return secrets.token_urlsafe(12)


def set_password(session: Session, account: Account, password: str, *, one_time: bool = False) -> None:
    """Change a password and end every sign-in session of the account; a one-time one must be changed at sign-in."""
    check_new_password(password)
    account.password_hash = HASHER.hash(password)
    account.must_change_password = one_time
    sign_out_everywhere(session, account)


def find(session: Session, name: str) -> Account:
    """Return the account with a sign-in name; raises Refused when there is none or it is disabled."""
    account = session.scalars(select(Account).where(Account.name == name.strip().casefold())).first()
    if account is None or account.disabled_at:
        raise Refused(
            Sentence(
                "Không có tài khoản đang hoạt động tên “{name}”. `docctl user list` liệt kê các tài khoản.",
                "There is no active account {name}. `docctl user list` lists the accounts.",
            ).fill(name=name),
            field="name",
        )
    return account


def all_accounts(session: Session) -> list[Account]:
    """Return every account by name."""
    return list(session.scalars(select(Account).order_by(Account.name)))


def holding(session: Session, role: str) -> list[Account]:
    """Return the open accounts that have a role today, in any unit."""
    day = clock.today()
    held = select(RoleGrant.account_id).where(
        RoleGrant.role == role,
        or_(RoleGrant.valid_from.is_(None), RoleGrant.valid_from <= day),
        or_(RoleGrant.valid_to.is_(None), RoleGrant.valid_to >= day),
    )
    query = select(Account).where(Account.id.in_(held), Account.disabled_at.is_(None)).order_by(Account.id)
    return list(session.scalars(query))


def names(session: Session) -> dict[int, str]:
    """Return the full name of every account by its id."""
    return {row.id: row.full_name for row in session.execute(select(Account.id, Account.full_name))}


def disable(session: Session, account: Account, *, heir: Account | None = None) -> None:
    """Close an account and end its sessions; its records keep its name. `leaving.close` hands over what is open first."""
    account.disabled_at = clock.now()
    account.successor_id = heir.id if heir else None
    sign_out_everywhere(session, account)


def heir_of(session: Session, account: Account) -> Account | None:
    """Return who has an account's work now: itself while it is open, else the first open successor in line, if any."""
    seen: set[int] = set()
    current: Account | None = account
    while current is not None and current.disabled_at is not None and current.id not in seen:
        seen.add(current.id)
        current = session.get(Account, current.successor_id) if current.successor_id else None
    return current if current is not None and current.disabled_at is None else None


def reader(session: Session, account: Account, *, day: date | None = None) -> Reader:
    """Return the account with the units that each of its own roles reaches on a day, today by default.

    What a delegation adds comes from `authority.reader`, which every edge uses.
    """
    day = day or clock.today()
    reach: dict[str, frozenset[int] | None] = {}
    for given in account.grants:
        if (given.valid_from and day < given.valid_from) or (given.valid_to and day > given.valid_to):
            continue
        if given.unit_id is None:
            reach[given.role] = None
        elif given.role not in reach or reach[given.role] is not None:
            reach[given.role] = (reach.get(given.role) or frozenset()) | units.with_descendants(session, given.unit_id)
    return Reader(account, reach)


def check_password(session: Session, name: str, password: str, *, address: str = "") -> Account:
    """Return the account whose name and password these are.

    Raises WrongPassword, with the same sentence and after the same work whether the name or the password is wrong,
    and Refused while the name or the address is throttled.
    """
    name = name.strip().casefold()[:80]
    _refuse_throttled(session, name, address)
    account = session.scalars(select(Account).where(Account.name == name)).first()
    good = _verify(account.password_hash if account else _NOBODY, password)
    if account is None or account.disabled_at or not good:
        raise WrongPassword(
            name,
            Sentence(
                "Tên đăng nhập hoặc mật khẩu không đúng. Hãy kiểm tra phím Caps Lock và bộ gõ rồi thử lại.",
                "The name or the password is wrong. Check Caps Lock and the keyboard, then try again.",
            ),
        )
    return account


def reauthenticate(session: Session, account: Account, password: str, *, address: str = "") -> Reauthenticated:
    """Check the password of somebody who is about to sign; raises WrongPassword when it is wrong."""
    _refuse_throttled(session, account.name, address)
    if not _verify(account.password_hash, password):
        raise WrongPassword(
            account.name,
            Sentence(
                "Mật khẩu không đúng, nên chưa ký gì cả. Hãy nhập lại mật khẩu của chính bạn.",
                "The password is wrong, so nothing was signed. Enter your own password again.",
            ),
        )
    return Reauthenticated(account.id, time.monotonic())


def record_failure(session: Session, name: str, address: str) -> None:
    """Keep a wrong password for the throttle, and forget those that no longer count."""
    session.execute(delete(FailedSignIn).where(FailedSignIn.at < clock.now() - timedelta(days=1)))
    session.add(FailedSignIn(name=name[:80], address=address[:64], at=clock.now()))


def open_session(session: Session, account: Account) -> str:
    """Begin a sign-in session and return its token: 256 random bits, shown to the browser only."""
    token = secrets.token_urlsafe(32)
    now = clock.now()
    session.add(SignIn(token_hash=_token_hash(token), account_id=account.id, created_at=now, seen_at=now))
    session.execute(delete(FailedSignIn).where(FailedSignIn.name == account.name))
    return token


_SIGNED_IN = select(SignIn, Account).join(Account, Account.id == SignIn.account_id).options(joinedload(Account.grants))


def session_account(session: Session, token: str) -> tuple[Account, SignIn] | None:
    """Return the account of a live session, or None when it ended, expired, or its account was disabled."""
    found = session.execute(_SIGNED_IN.where(SignIn.token_hash == _token_hash(token))).unique().first()
    if found is None:
        return None
    sign_in, account = found
    now = clock.now()
    if sign_in.ended_at or now - sign_in.seen_at > SESSION_IDLE or now - sign_in.created_at > SESSION_LIFE:
        return None
    return (account, sign_in) if not account.disabled_at else None


def touch(session: Session, token: str) -> None:
    """Note that a session is in use."""
    session.execute(update(SignIn).where(SignIn.token_hash == _token_hash(token)).values(seen_at=clock.now()))


def close_session(session: Session, token: str) -> None:
    """End a session, so that a copied cookie is dead from now on."""
    session.execute(update(SignIn).where(SignIn.token_hash == _token_hash(token)).values(ended_at=clock.now()))


def sign_out_everywhere(session: Session, account: Account) -> None:
    """End every live session of an account."""
    session.execute(
        update(SignIn).where(SignIn.account_id == account.id, SignIn.ended_at.is_(None)).values(ended_at=clock.now())
    )


def _refuse_throttled(session: Session, name: str, address: str) -> None:
    since = clock.now() - FAILURE_WINDOW
    recent = select(func.count()).select_from(FailedSignIn).where(FailedSignIn.at > since)
    by_name, by_address = FailedSignIn.name == name, FailedSignIn.address == address[:64]
    throttled = (
        (session.scalar(recent.where(by_name, by_address)) or 0) >= FAILURES_BY_NAME_AND_ADDRESS
        or (session.scalar(recent.where(by_name)) or 0) >= FAILURES_BY_NAME
        or (address and (session.scalar(recent.where(by_address)) or 0) >= FAILURES_BY_ADDRESS)
    )
    if throttled:
        raise Throttled(
            Sentence(
                "Đã nhập sai quá nhiều lần. Hãy đợi {n} phút rồi thử lại, hoặc nhờ quản trị đặt lại mật khẩu.",
                "Too many wrong passwords. Wait {n} minutes and try again, or ask the administrator for a new password.",
            ).fill(n=int(FAILURE_WINDOW.total_seconds() // 60)),
            field="password",
        )


def _verify(password_hash: str, password: str) -> bool:
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
