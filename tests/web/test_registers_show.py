"""The registers on pages and as files: what a reader may see, questions that stand in the address, every row."""

import io
from datetime import timedelta

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from docctl import clock, documents, exporting, units
from docctl.distribution import lists
from docctl.documents import Document
from docctl.exporting import master_list, registers
from tests.conftest import decide
from tests.nouns.test_requests import ROW
from tests.nouns.test_requests import asked as asked_for
from tests.nouns.test_requests import take as judge

PAGE = "/registers/master-list"


def sheets(answer) -> list[list[list[object]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    return [book.get_sheet_by_index(number).to_python() for number in range(2)]


def test_the_master_list_tells_what_is_in_force_and_what_no_longer_is(make_revision, sign_in):
    current, withdrawn = make_revision("in_force", code="QT 01"), make_revision("withdrawn", code="QT 02")
    make_revision("superseded", code="QT 03")
    make_revision("draft", code="QT 04")
    page = sign_in("auditor").read(PAGE)
    assert "I. Documents in force (2)" in page
    assert "II. Documents no longer in force (2)" in page
    assert "QT 04" not in page
    assert f'href="/documents/{current.document_id}">QT 01</a>' in page
    assert f'href="/documents/{withdrawn.document_id}">QT 02</a>' in page
    assert "replaced by edition 01/01" in page
    assert "withdrawn by" in page


def test_each_row_says_all_that_the_form_asks_for(make_revision, sign_in):
    made = make_revision("in_force")
    head, row = sheets(sign_in("auditor").get(f"{PAGE}?format=xlsx"))[0]
    told = dict(zip(head, row, strict=True))
    assert list(told) == [heading.en for heading in master_list.HEADINGS]
    day = clock.today() - timedelta(days=30)
    assert told["Code"] == made.code
    assert told["Edition/ amendment"] == "01/00"
    assert told["Date of issue"] == told["Effective from"] == day
    assert told["Approved by"] == "Chức danh approver"
    assert told["Decision"] == "1/QĐ-UBND"
    assert told["Original kept at"] == "File store of docctl"
    assert told["Review due"] == day.replace(year=day.year + 1)  # A procedure is reviewed after twelve months.


def test_a_reader_sees_in_the_list_no_more_than_elsewhere(make_revision, sign_in):
    make_revision("in_force", code="QT 01")
    make_revision("withdrawn", code="QT 02")
    current, over = sheets(sign_in("staff").get(f"{PAGE}?format=xlsx"))
    assert [row[1] for row in current[1:]] == ["QT 01"]
    assert [row[0] for row in over[1:]] == ["There are no rows."]


def test_the_questions_stand_in_the_address_and_narrow_page_and_files_alike(make_revision, sign_in):
    make_revision("in_force", code="QT 01", title="Quy trình khai sinh")
    make_revision("in_force", code="QT 02", title="Quy trình chứng thực")
    auditor = sign_in("auditor")
    page = auditor.read(f"{PAGE}?q=chung+thuc")
    assert "QT 02" in page
    assert "QT 01" not in page
    assert f"{PAGE}?q=chung+thuc&format=docx" in page
    assert 'value="chung thuc"' in page
    current, _ = sheets(auditor.get(f"{PAGE}?q=chung+thuc&format=xlsx"))
    assert [row[1] for row in current[1:]] == ["QT 02"]


def test_the_list_of_a_day_in_the_past_is_that_of_the_day(make_revision, sign_in):
    make_revision("withdrawn", code="QT 02")
    day = clock.today() - timedelta(days=11)
    page = sign_in("auditor").read(f"{PAGE}?on={day:%d/%m/%Y}")
    assert f"As of {day:%d/%m/%Y}" in page
    assert "I. Documents in force (1)" in page


def test_a_day_that_does_not_exist_gets_a_sentence(sign_in):
    answer = sign_in("auditor").get(f"{PAGE}?on=31/02/2022")
    assert answer.status_code == 409
    assert "There is no day “31/02/2022”" in answer.text
    assert 'value="31/02/2022"' in answer.text


@pytest.mark.parametrize("format", exporting.FORMATS)
def test_every_type_of_file_is_given_under_the_name_of_the_list(make_revision, sign_in, format):
    make_revision("in_force", title="=1+1")
    answer = sign_in("auditor").get(f"{PAGE}?format={format}")
    assert answer.mimetype == exporting.FORMATS[format].mimetype.split(";")[0]
    assert f".{format}" in answer.headers["Content-Disposition"]
    if format == "xlsx":
        assert sheets(answer)[0][1][2] == "=1+1"


def test_the_list_of_registers_leads_to_each(sign_in):
    page = sign_in("staff").read("/registers")
    assert f'href="{PAGE}"' in page
    assert sign_in("staff").get("/registers/no-such-list").status_code == 404


def test_the_distribution_list_has_a_row_for_each_copy_and_each_reader(site, cast, make_revision, sign_in):
    held = distributed(site, cast, make_revision)
    browser = sign_in("controller")
    copies_, readers = sheets(browser.get("/registers/distribution?format=xlsx"))
    assert [(row[1], row[8], row[7]) for row in copies_[1:]] == [
        (held.code, f"00{number}/003", "Paper") for number in (1, 2, 3)
    ]
    with site.database.reading() as session:
        asked = session.execute(
            text("SELECT count(*) FROM read_task WHERE revision_id = :r"), {"r": held.id}
        ).scalar_one()
    assert len(readers) - 1 == asked > 0
    assert "I. Controlled copies (3)" in browser.read("/registers/distribution")
    master = sheets(browser.get(f"{PAGE}?format=xlsx"))[0]
    assert dict(zip(master[0], master[1], strict=True))["Distributed to"] == "Home affairs division"


def test_others_see_in_the_distribution_list_what_they_have_part_in(site, cast, make_revision, sign_in):
    distributed(site, cast, make_revision)
    copies_, readers = sheets(sign_in("staff").get("/registers/distribution?format=xlsx"))
    assert copies_[1][0] == "There are no rows."
    assert [row[11] for row in readers[1:]] == ["Chức danh staff, Title of staff"]


def test_the_register_of_recalls_has_a_row_for_each_copy_that_was_asked_back(site, cast, make_revision, sign_in):
    held = distributed(site, cast, make_revision)
    decide(site, cast, withdraw=[held.document_id], on=clock.today())
    rows = sheets_of(sign_in("controller").get("/registers/recalls?format=xlsx"))[0]
    assert [row[7] for row in rows[1:]] == ["001/003", "002/003", "003/003"]
    assert {row[5] for row in rows[1:]} == {"2/QĐ-UBND"}
    assert sheets_of(sign_in("staff").get("/registers/recalls?format=xlsx"))[0][1][0] == "There are no rows."


def test_the_register_of_change_requests_tells_opinions_and_content(site, cast, make_revision, sign_in):
    made = make_revision("in_force")
    with site.database.writing() as session:
        request = asked_for(session, cast, document=session.get_one(Document, made.document_id), changes=[ROW])
        judge(session, cast, request, "submit", "staff")
        judge(session, cast, request, "opine", "reviewer", conclusion="disagree", remark="Chưa đủ căn cứ")
    head, row = sheets_of(sign_in("auditor").get("/registers/change-requests?format=xlsx"))[0]
    told = dict(zip(head, row, strict=True))
    assert told["Code"] == made.code
    assert told["Content (section: old → new)"] == "5.2: 05 ngày làm việc → 03 ngày làm việc"
    assert "Chức danh reviewer: Do not agree (Chưa đủ căn cứ)" in told["Opinions"].replace("Disagree", "Do not agree")
    assert told["Requester"] == "Title of staff"


@pytest.mark.parametrize("name", registers.REGISTERS)
def test_each_register_is_a_page_and_a_file_of_each_type_in_both_languages(site, make_revision, sign_in, name):
    make_revision("in_force")
    browser = sign_in("auditor")
    assert registers.REGISTERS[name].title.en in browser.read(f"/registers/{name}")
    for format in exporting.FORMATS:
        answer = browser.get(f"/registers/{name}?format={format}", headers={"Accept-Language": "vi"})
        assert answer.status_code == 200
        assert answer.data


def distributed(site, cast, make_revision):
    """Issue a revision that everybody reads, and of which the home affairs division holds three copies on paper."""
    with site.database.writing() as session:
        controller, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        unit = units.find(session, "NV")
        lists.add(session, by=controller, target="unit", type=kind, unit=unit, medium="paper", copies=3, reads=False)
        lists.add(session, by=controller, target="everybody", type=kind)
    return make_revision("in_force")


def sheets_of(answer):
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    return [book.get_sheet_by_index(0).to_python()]
