"""Searching by keyboard in real Chromium: suggestions, filters in the address, the way back, and a small screen."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe

from docctl import jobs
from docctl.site import Site
from tests.browser.conftest import Window
from tests.browser.test_pages_look_right import WIDTHS, defects
from tests.conftest import Made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

BIRTH = "Quy trình đăng ký lại khai sinh có yếu tố nước ngoài tại Ủy ban nhân dân"
SHOWN = "element => element.checkVisibility()"  # What lies folded up has a place all the same.
# The list is open with the answer to exactly these words: an answer to their beginning may come first.
OPEN = """([id, words]) => {
  const list = document.getElementById(`${id}-suggestions`);
  return !list.hidden && list.dataset.answers === words;
}"""


@pytest.fixture
def shelves(site: Site, make_revision: Callable[..., Made]) -> dict[str, Made]:
    """Two divisions with procedures in force, and a draft that staff may not see."""
    made = {
        "birth": make_revision("in_force", title=BIRTH, text="Hồ sơ có giấy chứng sinh."),
        "copy": make_revision("in_force", title="Cấp bản sao khai sinh", by="neighbour", unit="NV"),
        "marriage": make_revision("in_force", title="Đăng ký kết hôn"),
        "draft": make_revision("draft", title="Khai sinh: bản nháp chưa ai được biết"),
    }
    jobs.wake(site)
    return made


def typed(window: Window, words: str) -> None:
    window.page.keyboard.press("/")
    window.page.keyboard.type(words)
    opened(window, words)


def opened(window: Window, words: str, field: str = "find") -> None:
    window.page.wait_for_function(OPEN, arg=[field, words])


def active(window: Window) -> str:
    """Return the words of the option that a screen reader speaks."""
    return str(
        window.page.evaluate(
            "() => { const id = document.activeElement.getAttribute('aria-activedescendant');"
            " return id ? document.getElementById(id).textContent : '' }"
        )
    )


def test_a_document_is_reached_by_the_keyboard_alone(
    shelves: dict[str, Made], open_window: Callable[..., Window]
) -> None:
    window = open_window("staff")
    window.go("/")
    typed(window, "khai si")
    field = window.page.locator("#find")
    assert field.get_attribute("aria-expanded") == "true"
    assert window.page.locator("#find-suggestions [role=option]").count() == 2
    assert active(window) == ""
    window.page.keyboard.press("ArrowDown")
    first = active(window)
    window.page.keyboard.press("ArrowDown")
    second = active(window)
    assert {BIRTH in first, BIRTH in second} == {True, False}
    window.page.keyboard.press("ArrowDown")
    assert active(window) == first  # Round and round.
    window.page.keyboard.press("ArrowUp")
    assert active(window) == second
    assert window.page.evaluate("document.activeElement.id") == "find"
    window.page.keyboard.press("Escape")
    assert field.get_attribute("aria-expanded") == "false"
    assert field.input_value() == "khai si"  # Escape closes the list and takes nothing away.
    window.page.keyboard.press("ArrowDown")
    opened(window, "khai si")
    if BIRTH not in active(window):
        window.page.keyboard.press("ArrowDown")
    assert BIRTH in active(window)
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    assert window.page.url.endswith(f"/revisions/{shelves['birth'].id}")
    assert window.complaints == []


def test_enter_without_a_choice_searches_and_the_words_are_suggested_the_next_time(
    shelves: dict[str, Made], open_window: Callable[..., Window]
) -> None:
    window = open_window("staff")
    window.go("/")
    typed(window, "ket hon")
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    assert window.page.url.endswith("/search?q=ket+hon")
    window.go("/")
    window.page.keyboard.press("/")
    window.page.keyboard.press("ArrowDown")
    opened(window, "")
    assert window.page.locator("#find-suggestions [role=option]").all_inner_texts() == ["ket hon searched before"]
    window.page.keyboard.press("Tab")
    assert window.page.locator("#find-suggestions").is_hidden()


def test_a_reader_with_few_rights_is_suggested_nothing_that_he_may_not_see(
    shelves: dict[str, Made], open_window: Callable[..., Window]
) -> None:
    for who, scope in (("staff", ""), ("neighbour", "&scope=all"), ("author", "&scope=all")):
        window = open_window(who)
        window.go(f"/search?q=x{scope}")
        field = window.page.locator("main [name=q]")
        field.fill("khai sinh")
        opened(window, "khai sinh", "q")
        shown = window.page.locator("#q-suggestions").inner_text()
        assert ("bản nháp" in shown) == (who == "author"), who
        assert BIRTH in shown


def test_filters_stand_in_the_address_and_back_undoes_them(
    shelves: dict[str, Made], open_window: Callable[..., Window]
) -> None:
    window = open_window("staff", width=360)
    window.go("/search?q=khai+sinh")
    titles = window.page.locator("main tbody td.title")
    assert titles.count() == 2
    window.page.locator("main .filters details.folded summary").click()
    window.page.locator("main select[name=unit]").select_option("NV")
    with window.page.expect_navigation():
        window.page.get_by_role("button", name="Apply").click()
    assert "unit=NV" in window.page.url
    assert titles.count() == 1
    window.page.reload()
    assert titles.count() == 1
    assert window.page.locator("main select[name=unit]").input_value() == "NV"
    titles.locator("a").click()
    window.page.wait_for_url(re.compile("/revisions/"))
    window.page.go_back()
    assert "unit=NV" in window.page.url
    window.page.go_back()
    assert titles.count() == 2
    assert window.page.locator("main select[name=unit]").input_value() == ""


@pytest.mark.parametrize("scripts", [True, False])
def test_on_a_phone_the_filters_are_folded_until_opened_by_key_so_that_hits_are_near(
    shelves: dict[str, Made], open_window: Callable[..., Window], scripts: bool
) -> None:
    window = open_window("staff", width=360, java_script_enabled=scripts)
    window.go("/search?q=khai+sinh")
    assert window.page.locator("main .filters [name=q]").is_visible()
    assert window.page.locator("main .filters button").is_visible()
    assert not window.page.locator("main .filters [name=unit]").evaluate(SHOWN)
    first = window.page.locator("main tbody td.title").first.bounding_box()
    assert first
    assert first["y"] < 800
    window.page.locator("main .filters details.folded summary").press("Enter")
    assert window.page.locator("main .filters [name=unit]").evaluate(SHOWN)
    boxes = {
        name: window.page.locator(f"main .filters [name={name}]").bounding_box() for name in ("q", "on", "unit", "type")
    }
    assert all(box and box["width"] >= 100 for box in boxes.values())
    assert boxes["q"]["width"] > 2 * boxes["unit"]["width"]
    assert boxes["on"]["y"] == boxes["unit"]["y"] < boxes["type"]["y"]
    window.page.set_viewport_size({"width": 768, "height": 900})
    window.go("/search?q=khai+sinh")
    assert window.page.locator("main .filters [name=unit]").evaluate(
        SHOWN
    )  # Folded, and yet shown where there is room.


def test_without_a_script_the_field_is_a_plain_search(
    shelves: dict[str, Made], open_window: Callable[..., Window]
) -> None:
    window = open_window("staff", java_script_enabled=False)
    window.go("/")
    field = window.page.locator("#find")
    assert field.get_attribute("role") is None
    field.fill("ket hon")
    with window.page.expect_navigation():
        field.press("Enter")
    assert "Đăng ký kết hôn" in window.main()


@pytest.mark.parametrize(("locale", "dark"), [("vi-VN", False), ("en-GB", True)])
def test_the_pages_of_the_search_stick_out_nowhere_and_break_no_rule_of_accessibility(
    site: Site, shelves: dict[str, Made], open_window: Callable[..., Window], locale: str, dark: bool
) -> None:
    axe, found = Axe(), []
    for who in ("author", "auditor"):
        window = open_window(who, locale=locale, dark=dark)
        window.go("/search?q=nghi+phep")
    window = open_window("staff", locale=locale, dark=dark)
    for words in ("khai+sinh", "nghi+phep"):
        window.go(f"/search?q={words}")
    window.go("/search?q=khai+sinh")
    window.page.locator("details.keep summary").click()
    with window.page.expect_navigation():
        window.page.locator("details.keep button").click()
    admin = open_window("admin", locale=locale, dark=dark)
    for width in WIDTHS:
        for path in ("/search", "/search?q=khai+sinh", "/search?q=nghi+phep", "/saved-searches"):
            found += looked(window, axe, path, width)
        window.go("/search?q=khai+sinh")
        typed(window, "khai si")
        window.page.keyboard.press("ArrowDown")
        found += [f"suggestions at {width}: {what}" for what in defects(window, axe)]
        picture(window, "suggestions", width)
        found += looked(admin, axe, "/search-index", width)
    assert found == [], "\n".join(found)


def looked(window: Window, axe: Axe, path: str, width: int) -> list[str]:
    window.page.set_viewport_size({"width": width, "height": 900})
    assert window.go(path).status == 200
    picture(window, re.sub(r"\W+", "-", path), width)
    return [f"{path} at {width}: {what}" for what in defects(window, axe)]


def picture(window: Window, name: str, width: int) -> None:
    """Keep a picture for somebody to look at, when the environment names a folder for it."""
    if folder := os.environ.get("PICTURES"):
        lang = window.page.locator("html").get_attribute("lang")
        window.page.screenshot(path=Path(folder) / f"{name}-{width}-{lang}.png", full_page=True)
