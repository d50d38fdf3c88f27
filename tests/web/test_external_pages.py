"""The pages of external documents: filters in the address, entering, changing, noting a change, checking, the workbook."""

import io
from collections.abc import Callable
from datetime import date

import pytest
from python_calamine import CalamineWorkbook

from docctl import external
from docctl.external import Change, Entry
from docctl.site import Site


@pytest.fixture
def decree(site: Site, cast) -> int:
    """A decree in force, with dates that are the wrong way round."""
    with site.database.writing() as session:
        entry = Entry(
            number="69/2020/NĐ-CP",
            title="Quy định chi tiết về hộ tịch",
            kind="Nghị định",
            issued_on=date(2020, 7, 15),
            effective_from=date(2020, 7, 1),
        )
        by = cast.reader(session, "controller")
        external.add(
            session, Entry(number="01/2009/TT-BTP", title="Chứng thực", effective_from=date(2009, 1, 1)), by=by
        )
        return external.add(session, entry, by=by).id


def test_everybody_reads_the_register_and_its_questions_stand_in_the_address(decree: int, sign_in: Callable):
    staff = sign_in("staff")
    assert "2 of 2 external documents" in staff.read("/external-documents")
    page = staff.read("/external-documents?q=ho+tich&state=in_force&on=01/07/2020")
    assert "69/2020/NĐ-CP" in page
    assert "01/2009/TT-BTP" not in page
    assert "1 of 2" in page
    assert "No external document answers" in staff.read("/external-documents?q=ho+tich&on=30/06/2020&state=in_force")
    assert "before its issue date" in page
    assert staff.get("/external-documents/new").status_code == 403
    assert staff.get("/external-documents/999").status_code == 404


def test_a_wrong_day_is_shown_again_with_what_to_write(decree: int, sign_in: Callable):
    answer = sign_in("staff").get("/external-documents?on=31/02/2022")
    assert answer.status_code == 409
    assert "26/10/2022" in answer.text
    assert "31/02/2022" in answer.text


def test_the_controller_enters_changes_and_checks_a_document(site: Site, sign_in: Callable):
    controller = sign_in("controller")
    controller.read("/external-documents/new")
    answer = controller.send(
        "/external-documents", number="60/2014/QH13", title="Luật Hộ tịch", effective_from="01/01/2016"
    )
    assert answer.status_code == 303
    address = answer.headers["Location"]
    assert "In force since 01/01/2016" in controller.read(address)
    again = controller.send("/external-documents", number="60/2014/qh13", title="Luật")
    assert again.status_code == 409
    assert "60/2014/qh13" in again.text  # What was typed is kept.
    controller.read(address)
    noted = {"changed_by": "01/2026/QH16", "change": "amended", "effective_from": "30/11/2022"}
    assert controller.send(f"{address}/changes", **noted).status_code == 303
    page = controller.read(address)
    assert "amended 1 times" in page
    assert "28/02/2023" in page  # Worked in until, by the Civil Code.
    assert controller.send(f"{address}/changes", **noted).status_code == 409
    assert controller.send(f"{address}/checks").status_code == 303
    assert "Title of controller" in controller.read(address)
    page = controller.read(f"{address}/edit")
    saved = controller.send(address, number="60/2014/QH13", title="Luật Hộ tịch năm 2014", lock="1")
    assert saved.status_code == 409  # The page is older than the change.


def test_the_register_comes_as_a_workbook_with_the_columns_of_the_form(
    decree: int, sign_in: Callable, site: Site, cast
):
    with site.database.writing() as session:
        row = external.load(session, decree)
        by = cast.reader(session, "controller")
        external.amend(session, row, Change("07/2022/NĐ-CP", date(2022, 7, 1)), by=by)
    answer = sign_in("staff", "vi").get("/external-documents?q=ho+tich&format=xlsx")
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    head, line = next((sheet[n], sheet[n + 1]) for n in range(len(sheet)) if "Số hiệu" in sheet[n])
    cells = dict(zip(head, line, strict=True))
    assert cells["Số hiệu"] == "69/2020/NĐ-CP"
    assert cells["Hạn cập nhật 3 tháng"] == date(2022, 10, 3)
    assert "07/2022/NĐ-CP" in cells["Sửa đổi, thay bởi"]
