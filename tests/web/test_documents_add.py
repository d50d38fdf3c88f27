"""Adding a document: with or without its first draft, once however often the button is pressed, and only by those who may."""

import io

import pytest
from sqlalchemy import func, select

from docctl.documents import Document
from docctl.revisions import Revision


def given(**other: object) -> dict[str, object]:
    """Return the answers of a good form."""
    return {"title": "Quy trình chứng thực", "type": "QT", "unit": "TP", "code": "", "field": "", **other}


def a_file(text: str = "Nội dung", name: str = "Quy trình.txt") -> tuple[io.BytesIO, str]:
    """Return a file as a browser sends it."""
    return io.BytesIO(text.encode()), name


def counted(site, table) -> int:
    with site.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table))


def test_an_author_adds_a_document_and_it_gets_the_next_code_of_its_type(site, sign_in):
    browser = sign_in("author")
    browser.get("/documents/new")
    answer = browser.send("/documents", **given())
    assert answer.status_code == 303, answer.text
    page = browser.read(answer.location)
    assert "QT-TP-01" in page
    assert "This document has no revision yet" in page


def test_with_a_file_and_a_change_the_first_draft_begins_at_once(site, sign_in):
    browser = sign_in("author")
    browser.get("/documents/new")
    rows = {"changes-0-section": "Toàn bộ", "changes-0-new": "Ban hành lần đầu"}
    answer = browser.send("/documents", **given(file=a_file(), **rows))
    assert answer.location.startswith("/revisions/")
    page = browser.read(answer.location)
    assert "Quy trình.txt" in page
    assert "Ban hành lần đầu" in page
    assert "Edition 01/00: draft" in page


def test_pressed_twice_it_is_added_once(site, sign_in):
    browser = sign_in("author")
    browser.get("/documents/new")
    first, second = (browser.send("/documents", **given()) for _ in range(2))
    assert first.location == second.location
    assert counted(site, Document) == 1


def test_a_code_that_is_taken_is_refused_and_nothing_typed_is_lost(site, make_document, sign_in):
    make_document(code="QT 07")
    browser = sign_in("author")
    browser.get("/documents/new")
    rows = {"changes-0-section": "Mục 3", "changes-0-new": "Nội dung mới"}
    answer = browser.send("/documents", **given(code="qt07", file=a_file(), **rows))
    assert answer.status_code == 409
    assert "is taken in this unit and field" in answer.text
    assert 'value="qt07"' in answer.text
    assert "Nội dung mới" in answer.text
    assert "Chosen: Quy trình.txt" in answer.text
    kept = answer.text.split('name="kept"')[1].split('value="')[1].split('"')[0]
    again = browser.send("/documents", **given(code="QT 08", kept=kept, **rows))
    assert "Quy trình.txt" in browser.read(again.location)


def test_the_file_that_somebody_else_left_behind_cannot_be_taken_up(site, sign_in, make_document):
    make_document(code="QT 07")
    author, neighbour = sign_in("author"), sign_in("neighbour")
    author.get("/documents/new")
    refused = author.send("/documents", **given(code="QT 07", file=a_file("Bí mật")))
    kept = refused.text.split('name="kept"')[1].split('value="')[1].split('"')[0]
    neighbour.get("/documents/new")
    answer = neighbour.send("/documents", **given(unit="NV", kept=kept))
    assert answer.location.startswith("/documents/")
    assert counted(site, Revision) == 0


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": " "}, "Give the document a title"),
        ({"title": "x" * 2001}, "at most 2000 characters (yours has 2001)"),
        ({"type": "??"}, "There is no document type ??"),
        ({"unit": "??"}, "There is no unit ??"),
        ({"code": "///"}, "A code needs letters or digits"),
        ({"file": a_file("", "rỗng.txt")}, "The file is empty"),
        ({"file": a_file("x", "virus.exe")}, "Files named “.exe” are not accepted"),
        ({"changes-0-new": "không có mục", "file": a_file()}, "Row 1 of the change table needs a section"),
    ],
)
def test_bad_input_gets_a_sentence_on_its_field_and_nothing_is_made(site, sign_in, wrong, sentence):
    browser = sign_in("author")
    browser.get("/documents/new")
    answer = browser.send("/documents", **{**given(field="Hộ tịch"), **wrong})
    assert answer.status_code == 409
    assert sentence in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert 'value="Hộ tịch"' in answer.text
    assert counted(site, Document) == 0


def test_more_rows_keep_what_was_typed_and_make_nothing(site, sign_in):
    browser = sign_in("author")
    browser.get("/documents/new")
    answer = browser.send("/documents", **given(more="1", **{"changes-0-section": "Mục 9", "changes-1-section": ""}))
    assert answer.status_code == 200
    assert 'value="Mục 9"' in answer.text
    assert 'name="changes-4-section"' in answer.text
    assert counted(site, Document) == 0


def test_a_title_of_1094_characters_is_kept_whole(site, sign_in):
    browser = sign_in("author")
    browser.get("/documents/new")
    title = ("Quy trình " * 110)[:1094].strip()
    answer = browser.send("/documents", **given(title=title))
    assert title in browser.read(answer.location)


@pytest.mark.parametrize("who", ["staff", "reviewer", "format-reviewer", "approver", "auditor", "admin"])
def test_only_authors_and_controllers_may(site, sign_in, who):
    browser = sign_in(who)
    assert browser.get("/documents/new").status_code == 403
    assert browser.send("/documents", **given()).status_code == 403
    assert counted(site, Document) == 0


def test_an_author_adds_nothing_to_another_unit(site, sign_in):
    browser = sign_in("author")
    browser.get("/documents/new")
    assert browser.send("/documents", **given(unit="NV")).status_code == 403
    assert counted(site, Document) == 0


def test_without_the_token_of_the_page_nothing_happens(site, sign_in):
    browser = sign_in("author")
    assert browser.post("/documents", data=given()).status_code == 400
    assert counted(site, Document) == 0
