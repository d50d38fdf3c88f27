"""Everything that matters can be done without a mouse."""

from collections.abc import Callable

import pytest

from docctl.revisions import Revision
from docctl.site import Site
from tests.browser.conftest import Window
from tests.conftest import Made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

FOCUSED = "document.activeElement.matches('.acts .btn-primary')"


def test_a_slash_goes_to_the_search_and_enter_searches(open_window: Callable[..., Window]) -> None:
    window = open_window("staff")
    window.go("/documents")
    window.page.keyboard.press("/")
    assert window.page.evaluate("document.activeElement.id") == "find"
    window.page.keyboard.type("khai sinh")
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    assert "/search?q=khai+sinh" in window.page.url


def test_a_slash_that_is_typed_into_a_field_stays_there(open_window: Callable[..., Window]) -> None:
    window = open_window("author")
    window.go("/documents/new")
    title = window.page.locator("[name=title]")
    title.focus()
    window.page.keyboard.type("03/2020")
    assert title.input_value() == "03/2020"


def test_the_first_tab_offers_to_skip_to_the_content(open_window: Callable[..., Window]) -> None:
    window = open_window("staff")
    window.go("/")
    window.page.keyboard.press("Tab")
    skip = window.page.locator("a.skip")
    assert skip.evaluate("link => link === document.activeElement")
    assert skip.bounding_box() is not None
    assert (skip.bounding_box() or {"y": -1})["y"] >= 0
    window.page.keyboard.press("Enter")
    assert window.page.evaluate("document.activeElement.id") == "main"


def test_the_main_act_is_reached_and_pressed_with_the_keyboard_alone(
    site: Site, make_revision: Callable[..., Made], open_window: Callable[..., Window]
) -> None:
    made = make_revision("draft")
    window = open_window("author")
    window.go(f"/revisions/{made.id}")
    window.page.keyboard.press("Tab")
    window.page.keyboard.press("Enter")
    for _ in range(15):
        window.page.keyboard.press("Tab")
        if window.page.evaluate(FOCUSED):
            break
    assert window.page.evaluate(FOCUSED), "not within 15 presses after the skip link"
    outline = window.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    panel = window.page.locator("details#act-submit")
    if panel.count():
        window.page.keyboard.press("Enter")
        for _ in range(5):
            window.page.keyboard.press("Tab")
            if window.page.evaluate("document.activeElement.matches('#act-submit button[type=submit]')"):
                break
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    with site.database.reading() as session:
        assert session.get_one(Revision, made.id).state == "in_review"
