"""Whoever has not confirmed a document in force is reminded by mail, after some days and then again, each time once."""

import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import clock
from docctl.announcing import DIGEST_HOUR, host, letter, locale_of
from docctl.config import Settings
from docctl.database import Base, Database, Instant
from docctl.distribution import ReadTask, reading
from docctl.notices import REMINDER, write
from docctl.people import Account
from docctl.rules import Sentence

PLANNED = Path(__file__).parent / "reminders.toml"
SUBJECT = Sentence("Bạn chưa xác nhận đã đọc {n} tài liệu", "You have not confirmed having read {n} documents")
OPENING = Sentence(
    "Các tài liệu sau còn hiệu lực và được phân phối cho bạn. Hãy mở, đọc rồi xác nhận đã đọc, hiểu:",
    "These documents are in force and were distributed to you. Open and read them, then confirm having understood:",
)
LINE = Sentence(
    "- {code} {edition} {title}: chờ từ {day} ({days} ngày)", "- {code} {edition} {title}: since {day} ({days} days)"
)


class ReadingReminder(Base):
    """That somebody was reminded of one reading after so many days: written with the letter, so that none goes twice."""

    __tablename__ = "reading_reminder"

    read_task_id: Mapped[int] = mapped_column(ForeignKey("read_task.id"), primary_key=True, autoincrement=False)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)


def remind(database: Database, settings: Settings) -> int:
    """Write a letter to everybody who has a reading past one of its days, after seven in the morning; returns how many.

    A letter names all of a person's readings that became due since the last one. Who wants no reminders gets none, and
    is not written to about the past after choosing otherwise.
    """
    if clock.local(clock.now()).hour < DIGEST_HOUR:
        return 0
    with database.reading() as session:
        waiting = sorted({task.account_id for task, _step in _due(session)})
    written = 0
    for account_id in waiting:
        with database.writing() as session:
            found = [(task, step) for task, step in _due(session) if task.account_id == account_id]
            written += bool(found) and _remind(session, found, settings)
    return written


def _due(session: Session) -> list[tuple[ReadTask, int]]:
    """Return every unconfirmed reading with the latest of its days that has come, unless that was written already."""
    steps = sorted(_planned())
    now = clock.now()
    tasks = reading.overdue(session, before=now - timedelta(days=steps[0]))
    done: dict[int, int] = {}
    for row in session.scalars(
        select(ReadingReminder).where(ReadingReminder.read_task_id.in_([task.id for task in tasks]))
    ):
        done[row.read_task_id] = max(row.days, done.get(row.read_task_id, 0))
    found = []
    for task in tasks:
        come = [step for step in steps if (now - task.since) >= timedelta(days=step)]
        if come and come[-1] > done.get(task.id, 0):
            found.append((task, come[-1]))
    return found


def _remind(session: Session, found: list[tuple[ReadTask, int]], settings: Settings) -> bool:
    account = session.get_one(Account, found[0][0].account_id)
    locale, now = locale_of(account, settings), clock.now()
    session.add_all(ReadingReminder(read_task_id=task.id, days=step, at=now) for task, step in found)
    lines = [OPENING.get(locale), ""]
    lines += [
        LINE.fill(
            code=task.revision.document.code,
            edition=task.revision.edition_text,
            title=task.revision.title,
            day=f"{clock.local(task.since):%d/%m/%Y}",
            days=(now - task.since).days,
        ).get(locale)
        for task, _step in found
    ]
    queued = write(
        session,
        account,
        kind=REMINDER,
        subject=SUBJECT.fill(n=len(found)).get(locale),
        body=letter(lines, "/reading", locale, settings),
        host=host(settings),
    )
    session.flush()
    return queued is not None


@cache
def _planned() -> tuple[int, ...]:
    return tuple(tomllib.loads(PLANNED.read_text(encoding="utf-8"))["reading"])
