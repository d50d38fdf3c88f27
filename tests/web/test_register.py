"""The register answers what is in force, and to those who may, everything else; its questions stand in the address."""

import io
from datetime import timedelta
from zipfile import ZipFile

import pytest

from docctl import clock


def codes(page: str) -> list[str]:
    """Return the codes of the rows of a list, in order."""
    return [piece.split("<")[0] for piece in page.split('class="code">')[1:]]


def test_what_is_in_force_is_shown_by_default_and_drafts_are_not(make_revision, sign_in):
    made, draft = make_revision("in_force"), make_revision("draft")
    page = sign_in("staff").read("/documents")
    assert codes(page) == [made.code]
    assert f"/documents/{draft.document_id}" not in page


@pytest.mark.parametrize(
    "state", ["draft", "in_review", "in_approval", "approved", "scheduled", "superseded", "withdrawn"]
)
def test_each_state_can_be_asked_for_by_those_who_work_on_drafts(make_revision, sign_in, state):
    made = make_revision(state)
    other = make_revision("in_force")
    found = codes(sign_in("auditor").read(f"/documents?state={state}"))
    assert made.code in found
    assert other.code not in found


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "scheduled", "withdrawn", "none", "every"])
def test_no_question_shows_staff_more_than_what_is_in_force(make_revision, make_document, sign_in, state):
    hidden = [make_revision(kind) for kind in ("draft", "in_review", "approved", "scheduled", "withdrawn")]
    bare = make_document("Chưa có phiên bản")
    page = sign_in("staff").read(f"/documents?state={state}")
    assert all(f'/documents/{document}"' not in page for document in [bare, *(made.document_id for made in hidden)])
    assert 'name="state"' not in page


def test_a_day_in_the_past_shows_the_edition_of_that_day(make_revision, sign_in):
    made = make_revision("superseded", on=clock.today() - timedelta(days=30))
    auditor = sign_in("auditor")
    for days, edition in ((11, "01/00"), (10, "01/01"), (30, "01/00")):
        day = (clock.today() - timedelta(days=days)).strftime("%d/%m/%Y")
        page = auditor.read(f"/documents?on={day}")
        assert codes(page) == [made.code]
        assert f'class="edition">{edition}<' in page
    before = (clock.today() - timedelta(days=31)).isoformat()
    assert codes(auditor.read(f"/documents?on={before}")) == []


def test_a_day_that_does_not_exist_gets_a_sentence_and_keeps_what_was_typed(make_revision, sign_in):
    make_revision("in_force")
    answer = sign_in("auditor").get("/documents?on=30/02/2022&q=khai")
    assert answer.status_code == 409
    assert "There is no day “30/02/2022”" in answer.text
    assert 'value="30/02/2022"' in answer.text
    assert 'value="khai"' in answer.text
    assert codes(answer.text) == []


def test_words_are_found_with_and_without_accents_and_codes_in_any_writing(make_revision, sign_in):
    made = make_revision("in_force", title="Đăng ký lại khai sinh", code="QT 01/CX-HCTP")
    make_revision("in_force", title="Chứng thực bản sao")
    staff = sign_in("staff")
    for words in ("đăng ký", "dang ky lai", "DANG KY", "qt01/cx", "QT 01/CX-HCTP"):
        assert codes(staff.get("/documents", query_string={"q": words}).text) == [made.code], words


def test_unit_type_and_field_narrow_the_list(make_revision, sign_in):
    here, there = make_revision("in_force"), make_revision("in_force", by="neighbour")
    controller = sign_in("controller")
    assert codes(controller.read("/documents?unit=NV")) == [there.code]
    assert codes(controller.read("/documents?unit=TP&type=QT")) == [here.code]
    assert codes(controller.read("/documents?type=BM")) == []
    assert len(codes(controller.read("/documents?unit=UBND"))) == 2


def test_the_order_follows_the_numbers_in_the_codes_and_turns_round(make_revision, sign_in):
    for number in (10, 9, 1):
        make_revision("in_force", code=f"QT-{number}")
    staff = sign_in("staff")
    assert codes(staff.read("/documents")) == ["QT-1", "QT-9", "QT-10"]
    assert codes(staff.read("/documents?sort=-code")) == ["QT-10", "QT-9", "QT-1"]


def test_a_long_register_comes_in_pages_and_the_workbook_has_all_of_it(make_document, sign_in):
    for number in range(53):
        make_document(f"Quy trình số {number}")
    controller = sign_in("controller")
    first, second = controller.read("/documents?state=none"), controller.read("/documents?state=none&page=2")
    assert (len(codes(first)), len(codes(second))) == (50, 3)
    assert "1–50 of 53" in first
    assert 'rel="prev"' in second
    answer = controller.get("/documents?state=none&format=xlsx")
    with ZipFile(io.BytesIO(answer.data)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count("<row ") == 54


def test_a_title_that_looks_like_a_formula_is_text_in_the_workbook(make_document, sign_in):
    make_document('=HYPERLINK("http://127.0.0.1","x")')
    answer = sign_in("controller").get("/documents?state=none&format=xlsx")
    with ZipFile(io.BytesIO(answer.data)) as book:
        assert "<f>" not in book.read("xl/worksheets/sheet1.xml").decode()
        assert "=HYPERLINK" in book.read("xl/sharedStrings.xml").decode()


def test_the_workbook_of_staff_holds_no_more_than_their_page(make_revision, sign_in):
    shown = make_revision("in_force", title="Còn hiệu lực")
    make_revision("draft", title="Bí mật")
    with ZipFile(io.BytesIO(sign_in("staff").get("/documents?state=every&format=xlsx").data)) as book:
        words = book.read("xl/sharedStrings.xml").decode()
    assert shown.code in words
    assert "Bí mật" not in words


def test_an_unknown_unit_gets_a_sentence_that_names_the_known_ones(sign_in):
    answer = sign_in("staff").get("/documents?unit=NIX")
    assert answer.status_code == 409
    assert "There is no unit NIX" in answer.text


def test_all_rows_can_stand_on_one_page_to_be_printed(make_document, sign_in):
    for number in range(53):
        make_document(f"Quy trình số {number}")
    controller = sign_in("controller")
    assert "All rows on one page" in controller.read("/documents?state=none")
    page = controller.read("/documents?state=none&rows=all")
    assert len(codes(page)) == 53
    assert "1–53 of 53" in page
    assert 'rel="next"' not in page


def test_what_is_on_its_way_can_be_asked_for_at_once(make_revision, sign_in):
    made = [make_revision(state) for state in ("draft", "in_review", "in_approval", "approved")]
    make_revision("in_force")
    assert codes(sign_in("auditor").read("/documents?state=open")) == [row.code for row in made]
