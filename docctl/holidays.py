"""Holidays: the days off of each year as they were announced, kept by each office; terms roll over them."""

from collections import Counter
from datetime import date

from sqlalchemy import Date, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl import audit, clock, deadlines
from docctl.audit import Action
from docctl.database import Base, Kept
from docctl.people import Reader
from docctl.rules import NoRole, Refused, Sentence

# The Labour Code, art. 112: the same in every year. Tết and Giỗ Tổ are not: they are announced.
FIXED = ((1, 1), (4, 30), (5, 1), (9, 2))
AHEAD = 10  # Years; no term is longer.
WHOLE = 8  # A year has eleven days off, some of them on weekends; a list with fewer than these was only begun.
ONLY_KEEPERS = Sentence(
    "Chỉ người kiểm soát tài liệu hoặc quản trị được sửa lịch nghỉ.",
    "Only a document controller or an administrator may change the holidays.",
)


class Holiday(Kept, Base):
    """A day off besides Saturdays and Sundays."""

    __tablename__ = "holiday"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    name: Mapped[str] = mapped_column(String(200))


def days(session: Session) -> frozenset[date]:
    """Return every listed holiday, and of years from now on whose list is not whole those that never change."""
    found = set(session.scalars(select(Holiday.day)))
    listed_of, now = Counter(day.year for day in found), clock.today().year
    open_years = (year for year in range(now, now + AHEAD) if listed_of[year] < WHOLE)
    return frozenset(found.union(*map(_fixed, open_years)))


def announced(session: Session, year: int) -> bool:
    """Say whether the holidays of a year are listed, those too that are announced for each year anew."""
    between = Holiday.day.between(date(year, 1, 1), date(year, 12, 31))
    return len(session.scalars(select(Holiday.day).where(between)).all()) >= WHOLE


def listed(session: Session) -> list[Holiday]:
    """Return every holiday in order."""
    return list(session.scalars(select(Holiday).order_by(Holiday.day)))


def add(session: Session, day: date, name: str, *, by: Reader) -> Holiday:
    """List a day off, or give a listed one another name."""
    _refuse_others(by)
    name = " ".join(name.split())[:200]
    if not name:
        raise Refused(Sentence("Hãy ghi tên ngày nghỉ.", "Give the holiday a name."), field="name")
    found = session.get(Holiday, day)
    if found is None:
        found = Holiday(day=day, name=name)
        session.add(found)
    found.name = name
    session.flush()
    audit.record(session, Action.HOLIDAY_LISTED, by=by.account, noun="holiday", day=day, name=name)
    return found


def remove(session: Session, day: date, *, by: Reader) -> None:
    """Take a day off the list; deadlines that were set already stay as they are."""
    _refuse_others(by)
    found = session.get(Holiday, day)
    if found is None:
        raise Refused(
            Sentence("Ngày {day} không có trong lịch nghỉ.", "{day} is not among the holidays.").fill(
                day=day.strftime("%d/%m/%Y")
            ),
            field="day",
        )
    session.delete(found)
    session.flush()
    audit.record(session, Action.HOLIDAY_REMOVED, by=by.account, noun="holiday", day=day, name=found.name)


def _fixed(year: int) -> set[date]:
    """Return the fixed holidays of a year, each that falls on a weekend made up for on the next working day."""
    found: set[date] = set()
    for month, day in FIXED:
        found.add(deadlines.working_day(date(year, month, day), found))
    return found


def _refuse_others(by: Reader) -> None:
    if not by.has("controller", "admin"):
        raise NoRole(ONLY_KEEPERS)
