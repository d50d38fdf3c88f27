"""Tokens with which other programs act for a person, and the first answer to each request that may be repeated."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from docctl import audit, clock
from docctl.audit import Action
from docctl.database import Base, Instant, Kept
from docctl.people import Account, Reader
from docctl.rules import Refused, Sentence

PREFIX = "docctl_"  # So that a token that leaked into a file is recognised for what it is.
ANSWERS_KEPT = timedelta(days=7)
LONGEST_KEY = 200


class ApiToken(Kept, Base):
    """A token of a person for a program; only its hash is kept, and it can end but not change."""

    SEALED = frozenset({"token_hash"})

    __tablename__ = "api_token"
    __table_args__ = (CheckConstraint("length(name) > 0", name="name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    read_only: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Instant)
    ended_at: Mapped[datetime | None] = mapped_column(Instant)

    account: Mapped[Account] = relationship()


class FirstAnswer(Base):
    """The answer to a request that carried an idempotency key; a repeat of the request gets it again."""

    __tablename__ = "first_answer"
    __table_args__ = (UniqueConstraint("account_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    key: Mapped[str] = mapped_column(String(LONGEST_KEY))
    request_hash: Mapped[str] = mapped_column(String(64))
    status: Mapped[int]
    headers: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    answered_at: Mapped[datetime] = mapped_column(Instant, index=True)


@dataclass(frozen=True)
class Bearer:
    """Who a token acts for, and whether it may only read."""

    account_id: int
    token_id: int
    read_only: bool


class KeyReused(Refused):
    """An idempotency key came again with another request."""

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "Khóa Idempotency-Key này đã dùng cho một yêu cầu khác. Hãy gửi kèm một khóa mới.",
                "This Idempotency-Key was used for another request. Send a new key.",
            )
        )


def create(session: Session, account: Account, name: str, *, read_only: bool = False, by: Account | None) -> str:
    """Make a token for a person and return it; it is shown this once."""
    name = name.strip()
    if not 0 < len(name) <= 80:
        raise Refused(
            Sentence(
                "Hãy đặt cho mã truy cập một tên từ 1 đến 80 ký tự, ví dụ “một cửa”.",
                "Give the token a name of 1 to 80 characters, for example “one-stop shop”.",
            ),
            field="name",
        )
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        account_id=account.id, name=name, token_hash=_hash(token), read_only=read_only, created_at=clock.now()
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        Action.TOKEN_MADE,
        by=by,
        noun="token",
        record_id=row.id,
        account=account.name,
        name=name,
        read_only=read_only,
    )
    return token


def end(session: Session, token_id: int, *, by: Reader) -> ApiToken:
    """End a token of one's own, or anybody's as an administrator; ending it again changes nothing."""
    row = session.get(ApiToken, token_id)
    if row is None or (row.account_id != by.id and not by.has("admin")):
        raise Refused(
            Sentence(
                "Bạn không có mã truy cập số {n}. Xem danh sách bằng `docctl token list`.",
                "You have no token {n}. List them with `docctl token list`.",
            ).fill(n=token_id)
        )
    if row.ended_at is None:
        row.ended_at = clock.now()
        session.flush()
        audit.record(session, Action.TOKEN_ENDED, by=by.account, noun="token", record_id=row.id, name=row.name)
    return row


def all_tokens(session: Session) -> list[ApiToken]:
    """Return every token, ended ones too, oldest first."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.id)))


def bearer(session: Session, token: str) -> Bearer | None:
    """Return who a token acts for, or None when it is unknown, ended, or its account was closed."""
    row = session.scalars(select(ApiToken).where(ApiToken.token_hash == _hash(token))).first()
    if row is None or row.ended_at is not None or row.account.disabled_at is not None:
        return None
    return Bearer(row.account_id, row.id, row.read_only)


def answered(session: Session, account_id: int, key: str, request_hash: str) -> FirstAnswer | None:
    """Return the first answer that a key of a person got, None for a new key.

    Raises KeyReused when the key came with another request.
    """
    row = session.scalars(
        select(FirstAnswer).where(FirstAnswer.account_id == account_id, FirstAnswer.key == key)
    ).first()
    if row is not None and row.request_hash != request_hash:
        raise KeyReused
    return row


def keep_answer(session: Session, account_id: int, key: str, request_hash: str, **answer: Any) -> None:
    """Keep the answer (`status`, `headers`, `body`) in the act's own transaction; those of a week ago go."""
    now = clock.now()
    session.execute(delete(FirstAnswer).where(FirstAnswer.answered_at < now - ANSWERS_KEPT))
    session.add(FirstAnswer(account_id=account_id, key=key, request_hash=request_hash, answered_at=now, **answer))
    session.flush()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
