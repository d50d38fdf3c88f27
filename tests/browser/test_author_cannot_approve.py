"""Whoever wrote a revision cannot approve it, whatever roles he has and however he sends the form."""

from collections.abc import Callable

import pytest

from docctl import people, units
from docctl.revisions import Revision
from docctl.site import Site
from tests.browser.conftest import Window
from tests.conftest import CAST, CHEAP, PASSWORD, Made

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

FORGED = """async ([address, password]) => {
  const form = new FormData();
  form.set("csrf_token", document.querySelector("input[name=csrf_token]").value);
  form.set("trigger", "approve");
  form.set("password", password);
  form.set("lock", document.querySelector("input[name=lock]")?.value ?? "4");
  const answer = await fetch(address, {method: "POST", body: form});
  return [answer.status, await answer.text()];
}"""


@pytest.fixture
def everything(site: Site, monkeypatch: pytest.MonkeyPatch) -> str:
    """An account that has every role of the office at once."""
    with site.database.writing() as session:
        account = people.add(
            session,
            name="everything",
            password=PASSWORD,
            roles=["author", "reviewer", "format_reviewer", "approver", "controller"],
            unit=units.find(session, "TP"),
            title_vi="Chức danh kiêm nhiệm",
        )
        account.password_hash = CHEAP.hash(PASSWORD)
    monkeypatch.setitem(CAST, "everything", ("author", ("TP",), "Holds every role at once."))
    return "everything"


def test_the_page_says_why_and_a_forged_form_of_a_second_tab_is_refused(
    site: Site, everything: str, make_revision: Callable[..., Made], open_window: Callable[..., Window]
) -> None:
    made = make_revision("in_approval", by=everything)
    window = open_window(everything)
    window.go(f"/revisions/{made.id}")
    refused = window.page.locator(".acts-refused li", has_text="Approve")
    assert refused.locator("button").is_disabled()
    assert "author" in refused.locator(".why").inner_text()
    assert not window.page.locator("details#act-approve").count()

    second = Window(window.page.context.new_page(), window.url)
    second.go("/")
    with site.database.reading() as session:
        before = session.get_one(Revision, made.id).lock
    status, text = second.page.evaluate(FORGED, [f"/revisions/{made.id}/transitions", PASSWORD])
    assert status in (403, 409)
    assert "author" in text
    first_status, _ = window.page.evaluate(FORGED, [f"/revisions/{made.id}/transitions", PASSWORD])
    assert first_status in (403, 409)
    with site.database.reading() as session:
        after = session.get_one(Revision, made.id)
        assert (after.state, after.lock) == ("in_approval", before)
