"""A program fetches the stamped PDF: refused with a sentence while it is being made, then as every reader gets it."""

from collections.abc import Callable
from typing import Any

import pypdfium2

from docctl import jobs
from docctl.site import Site
from tests.conftest import Made


def test_the_stamped_pdf_is_given_as_soon_as_it_is_made(
    site: Site, program: Callable[..., Any], make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    staff = program("staff", read_only=True)
    answer = staff.call("GET", f"/revisions/{made.id}/rendition")
    assert answer.status_code == 409
    assert "still being made" in answer.json["title"]
    jobs.render_waiting(site)
    answer = staff.call("GET", f"/revisions/{made.id}/rendition")
    assert answer.mimetype == "application/pdf"
    text = pypdfium2.PdfDocument(answer.data)[0].get_textpage().get_text_range()
    assert "BẢN IN KHÔNG KIỂM SOÁT" in text
    assert made.code in text


def test_a_draft_of_others_is_as_unknown_as_one_that_there_is_not(
    program: Callable[..., Any], make_revision: Callable[..., Made]
) -> None:
    made = make_revision("draft")
    assert program("staff").call("GET", f"/revisions/{made.id}/rendition").status_code == 404
