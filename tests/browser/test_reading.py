"""Reading in the browser: pages turned with the keyboard, words marked, enlarged without leaving the page."""

from collections.abc import Callable

import pytest

from docctl import jobs, renditions
from docctl.files.kinds import Kind
from docctl.revisions import Revision
from docctl.site import Site
from tests.browser.conftest import Window
from tests.conftest import Made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]


@pytest.fixture
def book(site: Site, make_revision: Callable[..., Made]) -> Made:
    """A revision in force of three pages, its PDF made."""
    made = make_revision("in_force", text="Trang đầu.\fHồ sơ hộ tịch.\fTrang cuối về hộ tịch.")
    with site.database.reading() as session:
        sha256 = session.get_one(Revision, made.id).file_sha256
    assert sha256 is not None
    renditions.ask(site.database, site.store, sha256, Kind.TXT)
    jobs.render_waiting(site)
    return made


def test_pages_are_turned_with_the_arrow_keys(book: Made, open_window: Callable[..., Window]) -> None:
    window = open_window("staff")
    window.go(f"/revisions/{book.id}/read")
    page = window.page
    for key, number in (("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        with page.expect_navigation():
            page.keyboard.press(key)
        assert page.get_by_role("region", name=f"Page {number} of 3").is_visible()
    assert "page=2" in page.url, "a shared link opens the same page"
    shown = page.evaluate(
        "fetch(document.querySelector('.leaf image').getAttribute('href')).then(answer => answer.status)"
    )
    assert shown == 200
    assert window.complaints == []


def test_arrow_keys_stay_in_a_field_that_is_typed_into(book: Made, open_window: Callable[..., Window]) -> None:
    window = open_window("staff")
    window.go(f"/revisions/{book.id}/read")
    before = window.page.url
    window.page.locator("#in-document").focus()
    window.page.keyboard.press("ArrowRight")
    window.page.wait_for_timeout(200)
    assert window.page.url == before


def test_words_are_found_marked_where_they_stand_and_followed(book: Made, open_window: Callable[..., Window]) -> None:
    window = open_window("staff")
    window.go(f"/revisions/{book.id}/read?page=2")
    window.page.locator("#in-document").fill("hộ tịch")
    with window.page.expect_navigation():
        window.page.keyboard.press("Enter")
    hits = window.page.locator(".leaf .hit")
    assert hits.count() == 2
    sheet, box = window.page.locator(".leaf").bounding_box(), hits.first.bounding_box()
    assert sheet is not None
    assert box is not None
    # The words stand in the first line of the page, after the two of another sense.
    assert 0.1 < (box["x"] - sheet["x"]) / sheet["width"] < 0.3
    assert 0.04 < (box["y"] - sheet["y"]) / sheet["height"] < 0.1
    with window.page.expect_navigation():
        window.page.get_by_text("Next page with it").click()
    assert "page=3" in window.page.url


def test_it_fits_a_telephone_and_is_enlarged_inside_its_own_frame(
    book: Made, open_window: Callable[..., Window]
) -> None:
    window = open_window("staff", width=360)
    for zoom in ("fit", "150", "200"):
        window.go(f"/revisions/{book.id}/read?zoom={zoom}")
        page = window.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert page[0] <= page[1], zoom
    frame = window.page.evaluate(
        "(() => { const s = document.querySelector('.sheet'); return s.scrollWidth / s.clientWidth })()"
    )
    assert frame > 3
    assert window.complaints == []
