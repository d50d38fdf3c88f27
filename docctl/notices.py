"""Notices: the rows that wait to be told, what was told to whom, the letters that wait to be sent, and who wants none."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import audit, clock
from docctl.audit import Action
from docctl.database import Base, Instant, Kept
from docctl.people import Account, Reader, checked_address
from docctl.rules import Sentence

# What moves through these nouns is told; the state of a copy or of a reading stands on pages of its own.
ANNOUNCED = ("revision", "decision", "change_request", "nonconformity")
WAITS, RESULT, DIGEST, FOUND, REMINDER, HEAD = "waits", "result", "digest", "found", "reminder", "head"
MAILED = {
    WAITS: Sentence("Ngay khi có việc chờ tôi xử lý", "At once, when something waits for me"),
    DIGEST: Sentence(
        "Mỗi ngày một thư tổng hợp: việc chờ tôi và kết quả mới", "Once a day: what waits for me, and what came of mine"
    ),
    FOUND: Sentence("Khi tra cứu đã lưu của tôi có kết quả mới", "When a search that I saved finds something new"),
    REMINDER: Sentence(
        "Nhắc tôi: tài liệu còn hiệu lực chưa xác nhận đã đọc, bản kiểm soát phải trả lại",
        "Reminders: documents in force that I have not confirmed having read, copies that have to go back",
    ),
    HEAD: Sentence(
        "Mốc kiểm soát nhật ký để tôi giữ ngoài máy chủ: mỗi sáng một mốc, thêm một mốc sau quyết định được thực hiện",
        "Checkpoints of the trail for me to keep outside the server: one each morning, and after an executed decision",
    ),
}
# A head is worth keeping where neither whoever writes the record nor whoever runs the server comes by: with the auditors.
HEADS_GO_TO = "auditor"


class News(Base):
    """That a record came into a state: written in the act's transaction, told after its commit."""

    __tablename__ = "news"
    __table_args__ = (
        Index("ix_news_waiting", "id", sqlite_where=text("told_at IS NULL"), postgresql_where=text("told_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    noun: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    at: Mapped[datetime] = mapped_column(Instant)
    told_at: Mapped[datetime | None] = mapped_column(Instant)


class Notice(Base):
    """What somebody is told in the page: what waits, what became of his or hers, what a saved search found."""

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("kind IN ('waits', 'result', 'found')", name="kind"),
        Index("ix_notice_account", "account_id", "read_at"),
        Index("ix_notice_record", "noun", "record_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str] = mapped_column(String(20))
    noun: Mapped[str] = mapped_column(String(40))
    record_id: Mapped[int]
    text_vi: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Instant)
    read_at: Mapped[datetime | None] = mapped_column(Instant)

    @property
    def words(self) -> Sentence:
        """What the notice says."""
        return Sentence(self.text_vi, self.text_en)


class Mail(Base):
    """A letter, from the moment it is written until a mail server has taken it; its Message-ID never changes."""

    __tablename__ = "mail"
    __table_args__ = (
        CheckConstraint("kind IN ('waits', 'digest', 'found', 'reminder', 'head')", name="kind"),
        CheckConstraint("(day IS NOT NULL) = (kind = 'digest')", name="day"),
        CheckConstraint("sent_at IS NULL OR given_up_at IS NULL", name="end"),
        CheckConstraint("(enclosed IS NOT NULL) = (kind = 'head')", name="enclosed"),
        UniqueConstraint("account_id", "day"),
        Index("uq_mail_occasion", "account_id", "kind", "occasion", unique=True),
        Index(
            "ix_mail_waiting",
            "due_at",
            sqlite_where=text("sent_at IS NULL AND given_up_at IS NULL"),
            postgresql_where=text("sent_at IS NULL AND given_up_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    kind: Mapped[str] = mapped_column(String(20))
    day: Mapped[date | None]
    occasion: Mapped[str | None] = mapped_column(String(80))  # What such a letter is written for once, and never again.
    enclosed_as: Mapped[str | None] = mapped_column(String(120))
    enclosed: Mapped[str | None] = mapped_column(Text)
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    subject: Mapped[str] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    queued_at: Mapped[datetime] = mapped_column(Instant)
    due_at: Mapped[datetime] = mapped_column(Instant)
    tries: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime | None] = mapped_column(Instant)
    given_up_at: Mapped[datetime | None] = mapped_column(Instant)


class MailRefused(Kept, Base):
    """That somebody wants no letters of a kind."""

    __tablename__ = "mail_refused"
    __table_args__ = (CheckConstraint("kind IN ('waits', 'digest', 'found', 'reminder', 'head')", name="kind"),)

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)


def announce(session: Session, noun: str, record_id: int, state: str, *, by: Account | None) -> None:
    """Note in the act's own transaction that a record came into a state; whom it concerns is found out after the commit."""
    session.add(News(noun=noun, record_id=record_id, state=state, actor_id=by.id if by else None, at=clock.now()))


def of_reader(session: Session, *, by: Reader, first: int = 0, limit: int = 50) -> tuple[list[Notice], int]:
    """Return somebody's own notices, unread ones first and then the newest, and how many there are."""
    mine = Notice.account_id == by.id
    total = session.scalar(select(func.count()).select_from(Notice).where(mine)) or 0
    query = select(Notice).where(mine).order_by(Notice.read_at.is_not(None), Notice.id.desc())
    return list(session.scalars(query.offset(first).limit(limit))), total


def unread_count(session: Session, *, by: Reader) -> int:
    """Return how many of somebody's notices are not read."""
    query = select(func.count()).select_from(Notice).where(Notice.account_id == by.id, Notice.read_at.is_(None))
    return session.connection().scalar(query) or 0


def mark_read(session: Session, *, by: Reader, notice_id: int | None = None) -> int:
    """Mark one of somebody's own notices as read, or all of them; returns how many were not read before."""
    unread = update(Notice).where(Notice.account_id == by.id, Notice.read_at.is_(None))
    if notice_id is not None:
        unread = unread.where(Notice.id == notice_id)
    marked = session.scalars(unread.values(read_at=clock.now()).returning(Notice.id)).all()
    return len(marked)


@dataclass(frozen=True)
class Enclosure:
    """A file that goes with a letter, and the occasion for which that is done once."""

    name: str
    text: str
    occasion: str


def write(
    session: Session,
    account: Account,
    *,
    kind: str,
    subject: str,
    body: str,
    host: str,
    day: date | None = None,
    enclosure: Enclosure | None = None,
) -> Mail | None:
    """Put a letter into the queue, unless the person has no address or wants none of the kind."""
    if not account.email or account.disabled_at is not None or kind in refused_kinds(session, account):
        return None
    letter = Mail(
        account_id=account.id,
        kind=kind,
        day=day,
        occasion=enclosure.occasion if enclosure else None,
        enclosed_as=enclosure.name if enclosure else None,
        enclosed=enclosure.text if enclosure else None,
        message_id=f"<{secrets.token_hex(16)}@{host}>",
        subject=" ".join(subject.split())[:200],
        body=body,
        queued_at=clock.now(),
        due_at=clock.now(),
        tries=0,
        last_error="",
    )
    session.add(letter)
    session.flush()
    return letter


def refused_kinds(session: Session, account: Account) -> set[str]:
    """Return the kinds of letters that somebody does not want."""
    return set(session.scalars(select(MailRefused.kind).where(MailRefused.account_id == account.id)))


def offered(by: Reader) -> dict[str, Sentence]:
    """Return the kinds of letters that somebody can get, with what they are."""
    return {kind: words for kind, words in MAILED.items() if kind != HEAD or by.has(HEADS_GO_TO)}


def choose(session: Session, *, by: Reader, email: str, wanted: Iterable[str]) -> None:
    """Keep somebody's own address and which kinds of letters he or she wants; what was not offered stays as it was."""
    account, kinds = by.account, set(wanted)
    before: dict[str, Any] = {"email": account.email, "refused": sorted(refused_kinds(session, account))}
    account.email = checked_address(email)
    asked = offered(by).keys()
    refused = sorted((asked - kinds) | (set(before["refused"]) - asked))
    for row in session.scalars(select(MailRefused).where(MailRefused.account_id == account.id)).all():
        if row.kind not in refused:
            session.delete(row)
    session.add_all(MailRefused(account_id=account.id, kind=kind) for kind in refused if kind not in before["refused"])
    session.flush()
    after: dict[str, Any] = {"email": account.email, "refused": refused}
    changed = {name: value for name, value in after.items() if value != before[name]}
    if changed:
        audit.record(
            session,
            Action.MAIL_CHOSEN,
            by=account,
            noun="account",
            record_id=account.id,
            before={name: before[name] for name in changed},
            name=account.name,
            **changed,
        )


def queue(session: Session) -> tuple[list[Mail], int]:
    """Return the letters that wait to be sent, and how many were sent so far."""
    waiting = select(Mail).where(Mail.sent_at.is_(None), Mail.given_up_at.is_(None)).order_by(Mail.id)
    sent = select(func.count()).select_from(Mail).where(Mail.sent_at.is_not(None))
    return list(session.scalars(waiting)), session.scalar(sent) or 0
