"""What the script adds to forms and filters, in real Chromium: rows, one sending, answers that follow the questions."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Window
from tests.conftest import Made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_rows_are_added_and_a_double_click_sends_once(make_revision: Callable[..., Made], desk: Window) -> None:
    made = make_revision("draft")
    desk.sign_in("author")
    desk.go(f"/revisions/{made.id}/edit")
    rows = desk.page.locator("[data-rows] tr")
    before = rows.count()
    desk.page.click("[data-more-rows]")
    assert rows.count() == before + 1
    rows.last.locator("input").first.fill("Mục 9")
    rows.last.locator("textarea").last.fill("Nội dung mới của mục 9")
    sent: list[str] = []
    desk.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    with desk.page.expect_navigation():
        desk.page.dblclick("form.form-wide button.btn-primary")
    assert len(sent) == 1
    assert "Nội dung mới của mục 9" in desk.main()
    assert desk.complaints == []


def test_the_list_follows_one_question_after_another_and_back_undoes_the_last(
    make_revision: Callable[..., Made], desk: Window
) -> None:
    for title in ("Đăng ký khai sinh", "Đăng ký kết hôn", "Chứng thực bản sao"):
        make_revision("in_force", title=title)
    desk.sign_in("auditor")
    desk.go("/documents")
    titles = desk.page.locator("#rows td.title")
    words = desk.page.locator("main [name=q]")
    for typed, found in (("dang ky", 2), ("ket hon", 1), ("", 3)):
        words.fill(typed)
        words.press("Enter")
        desk.page.wait_for_function("n => document.querySelectorAll('#rows td.title').length === n", arg=found)
    desk.page.go_back()
    desk.page.wait_for_function("() => document.querySelectorAll('#rows td.title').length === 1")
    assert titles.first.inner_text() == "Đăng ký kết hôn"
    assert desk.complaints == []


def test_a_day_that_does_not_exist_is_marked_focused_and_kept(make_revision: Callable[..., Made], desk: Window) -> None:
    make_revision("in_force")
    desk.sign_in("auditor")
    desk.go("/documents")
    day = desk.page.locator("main [name=on]")
    day.fill("31/02/2022")
    day.press("Enter")
    desk.page.wait_for_selector("#on[aria-invalid=true]")
    assert day.input_value() == "31/02/2022"
    assert desk.page.evaluate("document.activeElement.id") == "on"


def test_a_wrong_file_is_marked_and_what_was_typed_stays(make_revision: Callable[..., Made], desk: Window) -> None:
    made = make_revision("draft")
    desk.sign_in("author")
    desk.go(f"/revisions/{made.id}/edit")
    desk.page.fill("[name=change_summary]", "Giữ nguyên chữ này")
    picture = {"name": "ảnh.PNG", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n"}
    desk.page.set_input_files("#file", files=[picture])  # type: ignore[list-item]
    with desk.page.expect_navigation():
        desk.page.click("form.form-wide button.btn-primary")
    assert desk.page.evaluate("document.activeElement.id") == "file"
    assert desk.page.input_value("[name=change_summary]") == "Giữ nguyên chữ này"
