"""The page of what is in force on a date: as known on another, compared with another, and not for everybody."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from docctl import clock
from tests.conftest import Made
from tests.web.conftest import Browser

Make = Callable[..., Made]


def days(away: int) -> str:
    return f"{clock.today() - timedelta(days=away):%d/%m/%Y}"


def test_it_shows_what_was_in_force_on_a_day(sign_in: Callable[..., Browser], make_revision: Make) -> None:
    made = make_revision("superseded")
    auditor = sign_in("auditor")
    page = auditor.get(f"/in-force?on={days(20)}").text
    assert f"/revisions/{made.id}" in page
    assert f"/revisions/{made.id}" not in auditor.get("/in-force").text


def test_what_was_recorded_later_is_not_in_the_answer_as_known_before(
    sign_in: Callable[..., Browser], make_revision: Make
) -> None:
    made = make_revision("in_force")
    page = sign_in("auditor").get(f"/in-force?on={days(5)}&known={days(1)}").text
    assert f"/revisions/{made.id}" not in page


def test_two_days_are_compared(sign_in: Callable[..., Browser], make_revision: Make) -> None:
    changed, gone = make_revision("superseded"), make_revision("withdrawn", title="Đã bỏ")
    page = sign_in("auditor").get(f"/in-force?on={days(20)}&against={days(0)}").text
    assert "0 documents came in, 1 went out, 1 changed their edition" in page
    assert all(f"/revisions/{row.id}" in page for row in (changed, gone))


def test_a_day_that_does_not_exist_keeps_what_was_typed(sign_in: Callable[..., Browser]) -> None:
    answer = sign_in("auditor").get("/in-force?on=31/02/2022")
    assert answer.status_code == 409
    assert "31/02/2022" in answer.text


def test_it_gives_a_workbook(sign_in: Callable[..., Browser], make_revision: Make) -> None:
    make_revision("in_force")
    answer: Any = sign_in("auditor").get("/in-force?format=xlsx")
    assert answer.data[:2] == b"PK"


def test_staff_have_the_register_instead(sign_in: Callable[..., Browser]) -> None:
    assert sign_in("staff").get("/in-force").status_code == 403
