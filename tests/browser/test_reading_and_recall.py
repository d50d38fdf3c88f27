"""The reader opens, reads and confirms; the controller takes copies back, and the recall is closed by two people."""

from collections.abc import Callable

import pytest

from docctl import clock, documents
from docctl.distribution import copies, lists
from docctl.site import Site
from tests.browser.conftest import Window
from tests.conftest import PASSWORD, Cast, Made, decide

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


@pytest.fixture
def listed(site: Site, cast: Cast) -> None:
    """Procedures go to their own unit in two paper copies, and staff read them."""
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="role", role="staff")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=2, reads=False)


def test_a_reader_goes_from_the_home_page_to_the_confirmation(
    listed: None, make_revision: Callable[..., Made], open_window: Callable[..., Window]
) -> None:
    made = make_revision("in_force")
    for width in (1440, 360):
        window = open_window("staff", width=width)
        if width == 1440:
            with window.page.expect_navigation():
                window.page.locator("#reading a", has_text="Quy trình").first.click()
            assert window.page.url.endswith(f"/revisions/{made.id}")
            assert "Opened" in window.main()
            with window.page.expect_navigation():
                window.page.get_by_role("button", name="I have read and understood it").click()
        window.go(f"/revisions/{made.id}")
        assert "Read and understood" in window.main()
        window.go("/reading")
        assert "You have read everything" in window.main()
        assert window.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        assert window.complaints == []


def test_a_recall_is_scanned_declared_signed_and_closed(
    site: Site, cast: Cast, listed: None, make_revision: Callable[..., Made], open_window: Callable[..., Window]
) -> None:
    made = make_revision("in_force")
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        for copy in copies.to_deliver(session, by=by):
            copies.act(session, copy, "deliver", by=by)
    decide(site, cast, withdraw=[made.document_id], on=clock.today())
    desk = open_window("controller")
    desk.go("/recalls/1")
    assert desk.page.evaluate("document.activeElement.id") == "copy", "the scanner types where the cursor stands"
    desk.page.keyboard.type("C1")
    with desk.page.expect_navigation():
        desk.page.keyboard.press("Enter")
    assert "001/002: recorded" in desk.main()
    assert desk.page.locator(".acts-refused").inner_text().count("002/002"), "the page names the copy that is missing"
    desk.page.locator("#held summary").click()
    desk.page.locator("#held textarea").fill("Burnt in the archive.")
    with desk.page.expect_navigation():
        desk.page.locator("#held form button").click()
    desk.page.locator("[name=participants]").fill("Clerk; unit head")
    with desk.page.expect_navigation():
        desk.page.get_by_role("button", name="Save the minutes").click()
    desk.press("reconcile", password=PASSWORD)
    assert desk.state().startswith("Reconciled")
    witness = open_window("auditor")
    witness.go("/recalls/1")
    witness.press("witness", password=PASSWORD)
    assert witness.state().startswith("Closed")
    assert desk.complaints == witness.complaints == []
