"""Terms in months as the Civil Code counts them (art. 147–148): pure functions over days and a set of holidays."""

import calendar
from collections.abc import Collection
from datetime import date, timedelta

SATURDAY = 5
TO_WORK_IN = 3  # Months in which a law must be worked into the procedures: criterion 7.2d of the self-assessment.


def months_after(day: date, months: int) -> date:
    """Return the corresponding day so many months later, or the month's last day where it has none (art. 148.3–148.4)."""
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def deadline(begins: date, months: int = TO_WORK_IN, holidays: Collection[date] = ()) -> date:
    """Return the last day of a term that begins on a day.

    The first day is not counted (art. 147.2), so the term ends on the corresponding day; an end on a weekend or a
    holiday moves to the next working day (art. 148.5).
    """
    return working_day(months_after(begins, months), holidays)


def working_day(day: date, holidays: Collection[date] = ()) -> date:
    """Return a day, or the first working day after it."""
    while day.weekday() >= SATURDAY or day in holidays:
        day += timedelta(days=1)
    return day
