"""Who is reminded by mail, each time once: of a document in force not confirmed yet, of a copy that has to go back."""

import tomllib
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import clock, people, recall
from docctl.announcing import DIGEST_HOUR, host, letter, locale_of
from docctl.config import Settings
from docctl.database import Base, Database, Instant
from docctl.distribution import ControlledCopy, ReadTask, reading
from docctl.notices import REMINDER, write
from docctl.people import Account
from docctl.recall import RecallLine
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
COPIES = Sentence("Bạn phải trả lại {n} bản kiểm soát", "Controlled copies to give back: {n}")
COPIES_LATE = Sentence("Quá hạn trả lại {n} bản kiểm soát", "Controlled copies overdue: {n}")
COPIES_OPENING = Sentence(
    "Các bản sau được thu hồi vì đã hết hiệu lực. Hãy trả bản giấy cho người kiểm soát tài liệu, xóa bản điện tử rồi xác nhận:",
    "These copies are recalled because they are no longer in force. Give paper back to the document controller; delete "
    "electronic copies, then confirm it:",
)
COPY = Sentence(
    "- {code} {edition} {title}, bản {number}, {holder}: hạn {day}{late}",
    "- {code} {edition} {title}, copy {number}, {holder}: by {day}{late}",
)
LATE = Sentence(" (quá hạn {n} ngày)", " (days late: {n})")


class ReadingReminder(Base):
    """That somebody was reminded of one reading after so many days: written with the letter, so that none goes twice."""

    __tablename__ = "reading_reminder"

    read_task_id: Mapped[int] = mapped_column(ForeignKey("read_task.id"), primary_key=True, autoincrement=False)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)


class RecallReminder(Base):
    """That the holder of a copy was reminded so many days from its due day: written with the letters, so that none goes twice."""

    __tablename__ = "recall_reminder"

    copy_id: Mapped[int] = mapped_column(ForeignKey("recall_line.copy_id"), primary_key=True, autoincrement=False)
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Instant)


def remind(database: Database, settings: Settings) -> int:
    """Write the letters that remind, after seven in the morning; returns how many.

    A letter names everything that became due for a person since the last one. Who wants no reminders gets none, and
    is not written to about the past after choosing otherwise.
    """
    if clock.local(clock.now()).hour < DIGEST_HOUR:
        return 0
    return _remind_readers(database, settings) + _remind_holders(database, settings)


def _remind_readers(database: Database, settings: Settings) -> int:
    """Write to everybody who has a reading past one of its days."""
    with database.reading() as session:
        waiting = sorted({task.account_id for task, _step in _due(session)})
    written = 0
    for account_id in waiting:
        with database.writing() as session:
            found = [(task, step) for task, step in _due(session) if task.account_id == account_id]
            written += bool(found) and _remind(session, found, settings)
    return written


def _remind_holders(database: Database, settings: Settings) -> int:
    """Write to everybody who holds a copy that has to go back soon, or had to: the person, or the head of the unit."""
    with database.reading() as session:
        if not _to_return(session):
            return 0
    with database.writing() as session:
        found, now = _to_return(session), clock.now()
        session.add_all(RecallReminder(copy_id=line.copy_id, days=step, at=now) for line, step in found)
        theirs: dict[int, list[RecallLine]] = defaultdict(list)
        for line, _step in found:
            for account in _holders(session, line.copy):
                theirs[account.id].append(line)
        return sum(_ask_back(session, session.get_one(Account, key), theirs[key], settings) for key in sorted(theirs))


def _to_return(session: Session) -> list[tuple[RecallLine, int]]:
    """Return every copy still out with the latest of its days that has come, unless that was written already."""
    steps, today = sorted(_planned()["recall"]), clock.today()
    lines = recall.still_out(session, due_by=today - timedelta(days=steps[0]))
    done: dict[int, int] = {}
    for row in session.scalars(
        select(RecallReminder).where(RecallReminder.copy_id.in_([line.copy_id for line in lines]))
    ):
        done[row.copy_id] = max(row.days, done.get(row.copy_id, row.days))
    found = []
    for line in lines:
        come = [step for step in steps if (today - line.due_on).days >= step]
        if line.copy_id not in done or come[-1] > done[line.copy_id]:
            found.append((line, come[-1]))
    return found


def _holders(session: Session, copy: ControlledCopy) -> list[Account]:
    """Return who is asked for a copy: its person, or the heads of its unit; without a head, whoever took it for the unit."""
    if copy.unit_id is None:
        return [copy.account] if copy.account else []
    heads = [
        account
        for account in people.holding(session, "reviewer")
        if "reviewer" in people.reader(session, account).roles_in(copy.unit_id)
    ]
    return heads or ([copy.received_by] if copy.received_by else [])


def _ask_back(session: Session, account: Account, lines: Sequence[RecallLine], settings: Settings) -> bool:
    locale, today = locale_of(account, settings), clock.today()
    late = sum(line.due_on < today for line in lines)
    said = [
        COPY.fill(
            code=line.copy.revision.document.code,
            edition=line.copy.revision.edition_text,
            title=line.copy.revision.title,
            number=line.copy.number_text,
            holder=line.copy.holder,
            day=f"{line.due_on:%d/%m/%Y}",
            late=LATE.fill(n=(today - line.due_on).days) if line.due_on < today else "",
        ).get(locale)
        for line in lines
    ]
    subject = COPIES_LATE.fill(n=late) if late else COPIES.fill(n=len(lines))
    queued = write(
        session,
        account,
        kind=REMINDER,
        subject=subject.get(locale),
        body=letter([COPIES_OPENING.get(locale), "", *said], "/", locale, settings),
        host=host(settings),
    )
    return queued is not None


def _due(session: Session) -> list[tuple[ReadTask, int]]:
    """Return every unconfirmed reading with the latest of its days that has come, unless that was written already."""
    steps = sorted(_planned()["reading"])
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
def _planned() -> dict[str, list[int]]:
    return tomllib.loads(PLANNED.read_text(encoding="utf-8"))
