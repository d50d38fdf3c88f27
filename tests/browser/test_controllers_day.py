"""The controller's day: a decision of 181 lines from a spreadsheet, two errors mended, signed, executed, told to everybody."""

from pathlib import Path

import pytest
import xlsxwriter

from docctl import clock
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.site import Site
from tests.browser.conftest import Window
from tests.conftest import PASSWORD, Cast
from tests.nouns.conftest import made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def write(path: Path, rows: list[list[str]]) -> Path:
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("Phụ lục 1")
        sheet.write(0, 0, "DANH MỤC KÈM THEO QUYẾT ĐỊNH")
        for number, row in enumerate([["STT", "Mã hiệu", "Việc", "Lý do"], *rows], start=2):
            sheet.write_row(number, 0, row)
    return path


def upload(window: Window, path: Path) -> None:
    page = window.page
    if not page.locator("#add[open]").count():
        page.locator("#add > summary").click()
    page.locator("#sheet").set_input_files(path)
    with page.expect_navigation():
        page.locator('form[action$="/lines/sheet"] button[type=submit]').click()


def test_the_controller_issues_101_and_withdraws_80_from_a_spreadsheet(
    site: Site, cast: Cast, desk: Window, tmp_path: Path
) -> None:
    found = made(site, cast, 101, 80)
    with site.database.reading() as session:
        new = [session.get_one(Revision, row).document.code for row in found.approved]
        old = [session.get_one(Document, row).code for row in found.standing]
    rows = [["", code, "mới", ""] for code in new] + [["", code, "hủy bỏ", "Thủ tục bãi bỏ"] for code in old]
    for number, row in enumerate(rows, start=1):
        row[0] = str(number)
    rows[120][3] = ""  # Found by the dry run: a withdrawal without its reason.
    wrong = [list(row) for row in rows]
    wrong[17][1] = "QT-GÕ-NHẦM"  # Found when the sheet is read: a code that nothing bears.

    desk.sign_in("controller")
    desk.go("/decisions/new")
    page, today = desk.page, f"{clock.today():%d/%m/%Y}"
    for name, value in {
        "title": "Về việc ban hành tài liệu hệ thống quản lý chất lượng",
        "number": "2804/QĐ-UBND",
        "signed_on": today,
        "effective_from": today,
    }.items():
        page.locator(f"[name={name}]").fill(value)
    with page.expect_navigation():
        page.locator("form:has([name=title]) button[type=submit]").click()
    decision = page.url

    upload(desk, write(tmp_path / "wrong.xlsx", wrong))
    named = page.locator("#sheet-error li").all_inner_texts()
    assert len(named) == 1
    assert "QT-GÕ-NHẦM" in named[0]
    assert "Line 21" in named[0]  # Row 21, as the spreadsheet program numbers it.
    assert page.locator("tr[id^=line-]").count() == 0

    upload(desk, write(tmp_path / "mended.xlsx", rows))
    assert page.locator("tr[id^=line-]").count() == 181
    assert "1 error stands in the way" in desk.main()
    page.locator('#check a[href="#line-121"]').first.click()
    page.locator("[name=reason-121]").fill("Thủ tục bãi bỏ")
    with page.expect_navigation():
        page.locator("#edit-lines button").first.click()
    assert "No errors" in desk.main()
    desk.press("check")

    desk.sign_out()
    desk.sign_in("approver")
    page.goto(decision)
    desk.press("sign", password=PASSWORD)
    desk.sign_out()
    desk.sign_in("controller")
    page.goto(decision)
    desk.press("execute")
    assert "101 documents issued and 80 withdrawn" in desk.state()
    assert "2804/QĐ-UBND" in page.locator("textarea[readonly]").input_value()
    assert page.locator("#obligations li").count() == 4
    with site.database.reading() as session:
        from docctl import revisions

        assert {row.id for row in revisions.in_force(session)} == set(found.approved)
    assert desk.complaints == []
