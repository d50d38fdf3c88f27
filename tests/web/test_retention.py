"""Retention on the pages: the due list, a hold, and a disposal from the ticked line to the tombstone."""

import io
from collections.abc import Callable

from docx import Document as Docx

from docctl import clock
from docctl.documents import Document
from docctl.site import Site
from tests.conftest import PASSWORD, Made
from tests.web.conftest import Browser

WORDS = {
    "basis": "Schedule",
    "council": "Chair; clerk",
    "method": "Shredding",
    "done_by": "Clerk",
    "witness": "Auditor",
}


def years_ago(site: Site, made: Made) -> None:
    """Let the type be kept for one year only, and the year be over: the decision was ten days ago."""
    clock.stop(clock.now().replace(year=clock.now().year + 2))


def test_a_disposal_is_carried_out_on_the_pages(
    sign_in: Callable[..., Browser], site: Site, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("withdrawn")
    controller, kind = sign_in("controller"), 0
    with site.database.reading() as session:
        kind = session.get_one(Document, made.document_id).type_id
    controller.read("/retention")
    assert controller.send(f"/retention/types/{kind}", years="1", recall_days="15").status_code == 303
    assert controller.send(f"/retention/types/{kind}", years="x", recall_days="15").status_code == 409
    assert made.code in controller.read("/retention?standing=kept")
    years_ago(site, made)
    try:
        controller, auditor = sign_in("controller"), sign_in("auditor")
        assert made.code in controller.read("/retention")
        assert controller.send("/disposals").status_code == 409
        assert controller.send("/disposals", revision=str(made.id)).status_code == 303
        page = controller.read("/disposals/1")
        lock = page.split('name="lock"')[1].split('value="')[1].split('"')[0]
        form = {"number": "01/BB", "held_on": "26/10/2028", "lock": lock, **WORDS}
        assert controller.send("/disposals/1", **form).status_code == 303
        assert (
            controller.send("/disposals/1/transitions", trigger="agree", password=PASSWORD, lock="2").status_code == 303
        )
        word = Docx(io.BytesIO(controller.get("/disposals/1/minutes.docx").data))
        assert made.code in [cell.text for row in word.tables[1].rows for cell in row.cells]
        assert controller.get("/disposals/1/minutes.pdf").data.startswith(b"%PDF-")
        auditor.read("/disposals/1")
        done = auditor.send("/disposals/1/transitions", trigger="carry_out", password=PASSWORD, lock="3")
        assert done.status_code == 303
        assert "disposed of under minutes 01/BB" in auditor.read(f"/revisions/{made.id}")
        assert auditor.get(f"/revisions/{made.id}/original").status_code == 409
        assert auditor.get(f"/revisions/{made.id}/read").status_code in (404, 409)
        assert "Disposed of: 01/BB" in auditor.read("/retention?standing=disposed")
    finally:
        clock.stop(None)


def test_a_hold_is_placed_and_released_on_the_page(
    sign_in: Callable[..., Browser], make_revision: Callable[..., Made]
) -> None:
    made = make_revision("withdrawn")
    controller = sign_in("controller")
    controller.read("/retention")
    assert controller.send("/retention/holds", document="QT-NONE", reason="A complaint").status_code == 409
    assert controller.send("/retention/holds", document=made.code, reason="A complaint").status_code == 303
    assert "A complaint" in controller.read("/retention?standing=hold")
    assert controller.send("/retention/holds/1/release", reason="Settled").status_code == 303
    assert "Nothing is on hold" in controller.read("/retention")
    author = sign_in("author")
    assert author.get("/retention").status_code == 403
    assert author.get("/disposals/1").status_code == 404
