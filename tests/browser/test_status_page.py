"""A file is compared with the issued one in the browser: dropped or chosen, and never sent anywhere."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docctl.revisions import Revision
from docctl.site import Site
from tests.browser.conftest import Window
from tests.conftest import Made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

DROP = """([words]) => {
  const data = new DataTransfer();
  data.items.add(new File([words], "quy-trinh.txt", { type: "text/plain" }));
  document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


@pytest.fixture
def paper(site: Site, make_revision: Callable[..., Made]) -> str:
    """Return the address of the status page of a text in force."""
    made = make_revision("in_force", text="Nội dung đã ban hành.")
    with site.database.reading() as session:
        return f"/s/{session.get_one(Revision, made.id).status_token}"


def test_a_dropped_file_is_told_apart_from_another_and_nothing_is_uploaded(paper: str, phone: Window) -> None:
    phone.go(paper)
    assert "IN FORCE" in phone.main()
    sent: list[str] = []
    phone.page.on("request", lambda request: sent.append(request.url))
    phone.page.evaluate(DROP, ["Nội dung đã ban hành."])
    same = phone.page.locator('[data-result="same"]')
    same.wait_for(state="visible")
    assert "byte for byte" in same.inner_text()
    phone.page.evaluate(DROP, ["Nội dung đã ban hành!"])
    phone.page.locator('[data-result="other"]').wait_for(state="visible")
    assert not same.is_visible()
    assert sent == []
    assert phone.complaints == []


def test_a_chosen_file_is_compared_too(paper: str, desk: Window, tmp_path: Path) -> None:
    file = tmp_path / "quy-trinh.txt"
    file.write_text("Nội dung đã ban hành.", encoding="utf-8")
    desk.go(paper)
    desk.page.set_input_files("#compared", file)
    desk.page.locator('[data-result="same"]').wait_for(state="visible")
    assert desk.complaints == []


def test_without_a_script_the_fingerprint_is_there_to_compare_by_hand(
    paper: str, open_window: Callable[..., Window]
) -> None:
    window = open_window(java_script_enabled=False)
    window.go(paper)
    assert not window.page.locator("[data-compare]").is_visible()
    assert "SHA-256" in window.main()
