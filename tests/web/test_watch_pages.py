"""The pages of the legal watch: a change noted on the page of a law, judged, signed, answered by a request."""

from collections.abc import Callable
from datetime import date

import pytest

from docctl import clock, external
from docctl.external import Entry
from docctl.site import Site
from tests.conftest import PASSWORD

EARLIER = date(2021, 1, 4)


@pytest.fixture
def law(site: Site, cast, make_revision) -> str:
    """The address of a decree that QT-01 cites."""
    with clock.at(clock.midnight(EARLIER)):
        make_revision("in_force", on=EARLIER, code="QT-01", text="Căn cứ Nghị định số 123/2015/NĐ-CP.")
        make_revision("in_force", on=EARLIER, code="QT-02", text="Căn cứ Thông tư số 04/2020/TT-BTP.")
    with site.database.writing() as session:
        entry = Entry(number="123/2015/NĐ-CP", title="Hộ tịch", kind="Nghị định", effective_from=date(2016, 1, 1))
        return f"/external-documents/{external.add(session, entry, by=cast.reader(session, 'controller')).id}"


@pytest.fixture
def noted(law: str, sign_in: Callable) -> Callable:
    """The controller's browser, who has just noted the change."""
    controller = sign_in("controller")
    assert "QT-01" in controller.read(law)
    answer = controller.send(
        f"{law}/changes", changed_by="104/2022/NĐ-CP", change="amended", effective_from="01/07/2022"
    )
    assert answer.status_code == 303
    return controller


def test_the_board_shows_who_is_late_by_how_many_days_and_the_score(noted, site: Site):
    late = (clock.today() - date(2022, 10, 3)).days
    page = noted.read("/legal-watch")
    assert f"{late} days late" in page
    assert "QT-01" in page
    assert "QT-02" not in page
    assert "10/2022" in page  # The month of the deadline, in the chart.
    assert f"{late} days late" in noted.read("/")
    assert "QT-01" in noted.read("/legal-watch?bucket=late&month=2022-10")
    assert "No assessment stands here" in noted.read("/legal-watch?bucket=on_time")
    assert noted.get("/legal-watch?format=xlsx").status_code == 200


def test_no_effect_asks_for_reason_and_password_and_keeps_what_was_typed(noted, sign_in: Callable):
    reviewer = sign_in("reviewer")
    page = reviewer.read("/legal-watch/1")
    lock = page.split('name="lock" value="')[1].split('"')[0]
    given = {"trigger": "find_no_effect", "reason": "Chỉ sửa mức lệ phí.", "lock": lock}
    wrong = reviewer.send("/legal-watch/1/transitions", **given)
    assert wrong.status_code == 409
    assert "Chỉ sửa mức lệ phí." in wrong.text
    right = reviewer.send("/legal-watch/1/transitions", password=PASSWORD, **given)
    assert right.status_code == 303
    page = reviewer.read("/legal-watch/1")
    assert "Title of reviewer" in page
    assert "No effect" in page
    assert reviewer.send("/legal-watch/1/transitions", **given).status_code == 409


def test_must_change_opens_a_request_filled_in(noted):
    page = noted.read("/legal-watch/1")
    lock = page.split('name="lock" value="')[1].split('"')[0]
    answer = noted.send("/legal-watch/1/transitions", trigger="require_change", reason="Sửa mục 5.2.", lock=lock)
    assert answer.status_code == 303
    answer = noted.send("/legal-watch/1/request")
    assert answer.status_code == 303
    page = noted.read(answer.headers["Location"])
    assert "104/2022/NĐ-CP" in page
    assert "Sửa mục 5.2." in page
    assert "Open a change request" not in noted.read("/legal-watch/1")


def test_staff_judge_nothing_and_another_units_drafts_stay_unseen(noted, sign_in: Callable):
    staff = sign_in("staff")
    page = staff.read("/legal-watch/1")
    assert "It must change" not in page
    assert staff.send("/legal-watch/1/transitions", trigger="require_change", reason="x", lock="1").status_code == 403
    assert staff.get("/legal-watch/9").status_code == 404


def test_what_the_register_does_not_know_is_listed_entered_and_judged(law: str, sign_in: Callable):
    controller = sign_in("controller")
    page = controller.read("/legal-watch/citations")
    assert "04/2020/TT-BTP" in page
    assert "number=04" in page  # The form opens with the number filled in.
    documents = page.split("/documents/")[1].split("/")[0]
    page = controller.read(f"/documents/{documents}/citations")
    assert "not in the register" in page
    answer = controller.send(f"/documents/{documents}/citations", label="04/2020/TT-BTP", verdict="rejected")
    assert answer.status_code == 303
    assert "04/2020/TT-BTP" not in controller.read("/legal-watch/citations")
