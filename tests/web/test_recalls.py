"""Recalls on the pages: copies are scanned back, lost ones declared, the minutes signed twice, printed and closed."""

import io
from collections.abc import Callable

import pytest
from docx import Document as Docx

from docctl import clock, documents
from docctl.distribution import copies, lists
from docctl.site import Site
from tests.conftest import PASSWORD, Cast, Made, decide
from tests.web.conftest import Browser


@pytest.fixture
def recalled(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> Made:
    """A withdrawn procedure of which two paper copies are out."""
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=2, reads=False)
    made = make_revision("in_force")
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        for copy in copies.to_deliver(session, by=by):
            copies.act(session, copy, "deliver", by=by)
    decide(site, cast, withdraw=[made.document_id], on=clock.today())
    return made


def test_a_recall_is_closed_on_the_pages(sign_in: Callable[..., Browser], recalled: Made) -> None:
    controller = sign_in("controller")
    assert "2/QĐ-UBND" in controller.read("/recalls")
    assert "2 copies are neither returned nor declared lost" in controller.read("/recalls/1")
    assert controller.send("/recalls/1/returns", copy="C1", condition="intact").status_code == 303
    wrong = controller.send("/recalls/1/returns", copy="C77")
    assert wrong.status_code == 409
    assert 'value="C77"' in wrong.text
    assert controller.send("/recalls/1/losses/2", reason=" ").status_code == 409
    form = {"number": "01/BB-TH", "held_on": "26/10/2026", "participants": "Clerk; unit head", "basis": "QĐ 2"}
    page = controller.read("/recalls/1")
    lock = page.split('name="lock"')[1].split('value="')[1].split('"')[0]
    assert controller.send("/recalls/1", lock=lock, **form).status_code == 303
    refused = controller.send("/recalls/1/transitions", trigger="reconcile", password=PASSWORD, lock="2")
    assert refused.status_code == 409
    assert "neither returned nor declared lost" in refused.text
    assert controller.send("/recalls/1/losses/2", reason="Burnt.").status_code == 303
    assert controller.send("/recalls/1/disposal", trigger="destroy").status_code == 303
    assert (
        controller.send("/recalls/1/transitions", trigger="reconcile", password=PASSWORD, lock="2").status_code == 303
    )
    auditor = sign_in("auditor")
    assert "Witness and close" in auditor.read("/recalls/1")
    assert auditor.send("/recalls/1/transitions", trigger="witness", password=PASSWORD, lock="3").status_code == 303
    assert "Closed" in auditor.read("/recalls/1")


def test_the_minutes_come_as_word_and_pdf_with_the_head_of_the_trail(
    sign_in: Callable[..., Browser], recalled: Made
) -> None:
    controller = sign_in("controller")
    word = controller.get("/recalls/1/minutes.docx")
    document = Docx(io.BytesIO(word.data))
    cells = [cell.text for row in document.tables[1].rows for cell in row.cells]
    assert recalled.code in cells
    assert "001/002" in cells
    foot = document.sections[0].footer.paragraphs[0].text
    assert "entry" in foot
    assert controller.get("/recalls/1/minutes.pdf").data.startswith(b"%PDF-")
    assert controller.get("/recalls/1/minutes.exe").status_code == 404


def test_whoever_holds_a_copy_is_told_to_bring_it_back(sign_in: Callable[..., Browser], recalled: Made) -> None:
    author = sign_in("author")
    assert "copies to bring back" in author.read("/")
    assert "001/002" in author.read("/reading")
    assert author.get("/recalls/1").status_code == 404
    assert author.get("/recalls").status_code == 403
    author.read("/reading")
    assert author.send("/recalls/1/returns", copy="C1").status_code == 404


def test_the_labels_of_the_copies_that_are_out_are_printed_by_whoever_keeps_them(
    sign_in: Callable[..., Browser], recalled: Made
) -> None:
    controller, path = sign_in("controller"), f"/revisions/{recalled.id}/copies/labels.pdf"
    assert path in controller.read(f"/revisions/{recalled.id}/distribution")
    sheet = controller.get(path)
    assert (sheet.mimetype, sheet.data[:4]) == ("application/pdf", b"%PDF")
    assert sign_in("auditor").get(path).status_code == 403
    for scanned in ("http://localhost/s/abc#C1", "http://localhost/s/abc#c2"):
        assert controller.send("/recalls/1/returns", copy=scanned).status_code == 303
    assert path not in controller.read(f"/revisions/{recalled.id}/distribution")
    assert controller.get(path).status_code == 404
