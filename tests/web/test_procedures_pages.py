"""The pages of administrative procedures: coverage with both numbers, linking, deciding, leaving out."""

from collections.abc import Callable

import pytest

from docctl import procedures
from docctl.procedures import Entry
from docctl.site import Site


@pytest.fixture
def ids(site: Site, cast) -> list[int]:
    """Three procedures of the civil status."""
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        titles = ("Thủ tục đăng ký khai sinh", "Thủ tục đăng ký khai tử", "Thủ tục đăng ký giám hộ")
        return [
            procedures.add(session, Entry(code=f"1.00000{n}", title=title, field="Hộ tịch"), by=by).id
            for n, title in enumerate(titles)
        ]


def test_a_match_by_title_is_confirmed_and_the_share_rises_with_both_numbers(
    ids: list[int], make_revision: Callable, sign_in: Callable
):
    make_revision("in_force", title="Quy trình đăng ký khai sinh", code="QT-09")
    controller = sign_in("controller")
    assert "0 of 3 procedures" in controller.read("/procedures")
    assert "QT-09" in controller.read("/procedures/matches")
    answer = controller.send(f"/procedures/{ids[0]}/documents", document="QT-09", origin="suggested")
    assert answer.headers["Location"].endswith("/procedures/matches")
    page = controller.read("/procedures/coverage")
    assert "1 of 3 procedures" in page
    assert "33.3" in page
    assert "1.000001" in controller.read("/procedures?state=uncovered")
    assert "1.000000" not in controller.read("/procedures?state=uncovered")
    page = controller.read(f"/procedures/{ids[0]}")
    assert "Covered by QT-09" in page
    assert controller.send(f"/procedures/{ids[0]}/documents/1/end").status_code == 303
    assert "0 of 3 procedures" in controller.read("/procedures")


def test_leaving_out_needs_a_reason_and_a_decision_needs_a_day(ids: list[int], sign_in: Callable):
    controller = sign_in("controller")
    controller.read(f"/procedures/{ids[0]}")
    assert controller.send(f"/procedures/{ids[0]}/exclusion", reason=" ").status_code == 409
    assert controller.send(f"/procedures/{ids[0]}/exclusion", reason="Không thuộc thẩm quyền.").status_code == 303
    assert "0 of 2 procedures" in controller.read("/procedures")
    assert "Không thuộc thẩm quyền." in controller.read(f"/procedures/{ids[0]}")
    assert controller.send(f"/procedures/{ids[0]}/exclusion", include="1").status_code == 303
    assert "0 of 3 procedures" in controller.read("/procedures")
    wrong = controller.send(f"/procedures/{ids[1]}/decisions", event="repealed", number="12/QĐ-UBND", on="mai")
    assert wrong.status_code == 409
    right = controller.send(f"/procedures/{ids[1]}/decisions", event="repealed", number="12/QĐ-UBND", on="01/07/2022")
    assert right.status_code == 303
    assert "0 of 2 procedures" in controller.read("/procedures")


def test_staff_read_the_catalogue_and_change_nothing(ids: list[int], sign_in: Callable, make_revision: Callable):
    draft = make_revision("draft", code="QT-77")
    staff = sign_in("staff")
    staff.read(f"/procedures/{ids[0]}")
    assert staff.send(f"/procedures/{ids[0]}/exclusion", reason="Không muốn.").status_code == 403
    assert staff.send(f"/procedures/{ids[0]}/documents", document=draft.code).status_code in (403, 404)
    assert staff.get("/procedures/99").status_code == 404
