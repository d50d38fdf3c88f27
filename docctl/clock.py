"""The only clock: instants in UTC, days in the office's time zone."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

YEARS = range(1900, 3000)  # Far enough for any office, and safe in every time zone.

_stopped: ContextVar[datetime | None] = ContextVar("stopped", default=None)
_stopped_everywhere: datetime | None = None
_zone = ZoneInfo("Asia/Ho_Chi_Minh")


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _stopped.get() or _stopped_everywhere or datetime.now(UTC)


def today() -> date:
    """Return the present day in the office's time zone."""
    return local(now()).date()


def midnight(day: date) -> datetime:
    """Return the instant, in UTC, at which a day begins in the office's time zone."""
    return datetime.combine(day, time(), _zone).astimezone(UTC)


def local(instant: datetime) -> datetime:
    """Return the same instant told in the office's time zone."""
    return instant.astimezone(_zone)


def parse(text: str) -> datetime:
    """Read `YYYY-MM-DD` (00:00 of that day in the office's time zone) or an ISO instant with an offset.

    Raises ValueError for anything else: a day that does not exist, and one outside of YEARS.
    """
    text = text.strip()
    told = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    if told.year not in YEARS:
        raise ValueError(f"{text} is out of the calendar")
    if not isinstance(told, datetime):
        return midnight(told)
    if told.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return told.astimezone(UTC)


def use_zone(name: str) -> None:
    """Set the office's time zone by its IANA name; raises ZoneInfoNotFoundError for an unknown one."""
    global _zone
    _zone = ZoneInfo(name)


def stop(instant: datetime | None) -> None:
    """Stop the clock of the whole process at an instant; None lets it run again."""
    global _stopped_everywhere
    _stopped_everywhere = instant


@contextmanager
def at(instant: datetime) -> Iterator[None]:
    """Stop the clock for the code inside: the sample organisation replays the past with it."""
    token = _stopped.set(instant.astimezone(UTC))
    try:
        yield
    finally:
        _stopped.reset(token)
