"""Terms in months by the Civil Code, art. 147–148, against another way of counting."""

import calendar
import random
from datetime import date, timedelta

import pytest

from docctl import clock, deadlines, holidays
from docctl.site import Site
from tests.conftest import Cast


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        (date(2022, 11, 30), date(2023, 2, 28)),
        (date(2022, 7, 1), date(2022, 10, 3)),  # 01/10/2022 is a Saturday.
        (date(2024, 1, 31), date(2024, 5, 2)),  # 30/04 and 01/05 are holidays.
        (date(2023, 11, 29), date(2024, 2, 29)),
    ],
)
def test_a_law_is_to_be_worked_in_until_the_corresponding_day_three_months_later(site: Site, begins: date, ends: date):
    with site.database.reading() as session:
        assert deadlines.deadline(begins, 3, holidays.days(session)) == ends


def otherwise(begins: date, months: int, off: set[date]) -> date:
    """Walk the calendar day by day: to the corresponding day of the month that is `months` months on, or its last."""
    day, passed = begins, 0
    while passed < months:
        day += timedelta(days=1)
        if day.day == 1:
            passed += 1
    last = day
    while (last + timedelta(days=1)).month == day.month:
        last += timedelta(days=1)
    while day.day < begins.day and day != last:
        day += timedelta(days=1)
    while calendar.day_name[day.weekday()] in ("Saturday", "Sunday") or day in off:
        day += timedelta(days=1)
    return day


def test_500_further_days_end_where_a_walk_through_the_calendar_ends(site: Site):
    with site.database.reading() as session:
        off = set(holidays.days(session))
    assert len(off) > 70
    chance = random.Random(147148)
    rolled = 0
    for _ in range(500):
        begins = date(2019, 10, 1) + timedelta(days=chance.randrange(2500))
        months = chance.choice((1, 3, 3, 3, 6, 12))
        found = deadlines.deadline(begins, months, off)
        assert found == otherwise(begins, months, off), begins
        rolled += deadlines.months_after(begins, months) in off
    assert rolled >= 5  # Some of them fall on a holiday, or the holidays were never tried.


def test_a_holiday_that_the_office_lists_moves_the_deadline(site: Site, cast):
    with site.database.writing() as session:
        begins = date(2026, 7, 6)
        before = deadlines.deadline(begins, 3, holidays.days(session))
        holidays.add(session, before, "Nghỉ theo thông báo", by=cast.reader(session, "controller"))
        assert deadlines.deadline(begins, 3, holidays.days(session)) == before + timedelta(days=1)
        holidays.remove(session, before, by=cast.reader(session, "controller"))
        assert deadlines.deadline(begins, 3, holidays.days(session)) == before


def test_of_a_year_whose_holidays_are_not_all_listed_those_that_never_change_are_known(site: Site, cast: Cast) -> None:
    now = clock.midnight(date(2026, 11, 25))
    with clock.at(now), site.database.writing() as session:
        assert holidays.announced(session, 2026)
        off = holidays.days(session)
        for year in range(2027, 2034):
            assert not holidays.announced(session, year)
            assert sum(day.year == year for day in off) == 4
            for month, day in holidays.FIXED:
                assert deadlines.working_day(date(year, month, day), off) > date(year, month, day)
        assert date(2028, 1, 3) in off, "Saturday the first is made up for on Monday"
        assert {date(2033, 5, 2), date(2033, 5, 3)} <= off, "so are two days of one weekend, one after the other"
        assert deadlines.deadline(date(2026, 10, 1), 3, off) == date(2027, 1, 4)
        by = cast.reader(session, "controller")
        for number in range(8):
            assert date(2027, 9, 2) in holidays.days(session), "a list that was only begun takes nothing away"
            holidays.add(session, date(2027, 2, 4 + number), "Tết Nguyên đán", by=by)
        assert holidays.announced(session, 2027)
        assert date(2027, 9, 2) not in holidays.days(session), "the office's own list counts when it is whole"
