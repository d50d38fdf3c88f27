"""The sample organisation's papers: how many, all different, the same at every run, and real files."""

import hashlib
import io
import re
import subprocess
import sys
import unicodedata
from datetime import date, timedelta

import docx
import pytest

from docctl.demo import organisation
from docctl.demo.organisation import Paper
from docctl.demo.writing import text_of, write_docx

TODAY = date(2026, 3, 17)


def every_paper() -> list[Paper]:
    issued, _ = organisation.decision_2804()
    on_the_way = [each.paper for each in organisation.open_work(TODAY)]
    return [*organisation.first_set(), *issued, *organisation.second_editions(), *on_the_way]


def titled(title: str) -> Paper:
    return next(paper for paper in organisation.first_set() if paper.title == title)


def test_252_documents_less_80_withdrawn_plus_101_issued_leave_273_in_force():
    issued, withdrawn = organisation.decision_2804()
    assert [len(organisation.first_set()), len(withdrawn), len(issued)] == [252, 80, 101]
    assert len(organisation.in_force_after_2804()) == 273


def test_codes_and_titles_of_different_documents_are_all_different():
    issued, _ = organisation.decision_2804()
    in_force = organisation.in_force_after_2804()
    new = [each.paper for each in organisation.open_work(TODAY) if each.paper.code not in in_force]
    documents = [*organisation.first_set(), *issued, *new]
    assert len({paper.code.casefold() for paper in documents}) == len(documents)
    assert len({paper.title.casefold() for paper in documents}) == len(documents)


def test_codes_follow_the_pattern_of_their_type_and_units_and_fields_are_known():
    units = {unit.code for unit in organisation.UNITS}
    for paper in every_paper():
        number = int(paper.code.rpartition("-")[2])
        pattern = organisation.document_type(paper.type).code_pattern
        assert paper.code == pattern.format(unit=paper.unit, number=number)
        assert paper.unit in units
        assert paper.field in organisation.fields()


def test_the_office_has_thirteen_departments_and_every_department_has_procedures():
    departments = {unit.code for unit in organisation.UNITS if unit.kind == "department"}
    assert len(departments) == 13
    assert {paper.unit for paper in organisation.first_set() if paper.type == "QT"} == departments
    assert {paper.type for paper in organisation.first_set()} == {kind.code for kind in organisation.TYPES}


def test_every_withdrawal_names_a_document_of_2020_with_a_reason_and_its_successor_is_issued_at_the_same_time():
    issued, withdrawn = organisation.decision_2804()
    old, new = {paper.code for paper in organisation.first_set()}, {paper.code for paper in issued}
    assert not old & new
    assert len({code for code, _, _ in withdrawn}) == 80
    for code, reason, successor in withdrawn:
        assert code in old
        assert reason
        assert successor is None or (successor in new and successor in reason)
    assert any(successor is None for _, _, successor in withdrawn)


def test_later_editions_are_of_documents_in_force_and_rise_by_one_edition_or_one_amendment():
    in_force = organisation.in_force_after_2804()
    for paper in organisation.second_editions():
        before = in_force[paper.code]
        step = (paper.edition - before.edition, paper.amendment - before.amendment)
        assert step in {(1, 0), (0, 1)}
        assert paper.issued == organisation.LATER_DECISION.date
        assert paper.changes
        assert text_of(paper) != text_of(before)


def test_work_on_the_way_covers_every_state_before_the_decision_and_one_scheduled():
    states = {each.state for each in organisation.open_work(TODAY)}
    assert states == {"draft", "in_review", "in_approval", "approved", "discarded", "scheduled"}
    discarded = [each for each in organisation.open_work(TODAY) if each.state == "discarded"]
    assert all(each.reason for each in discarded)


@pytest.mark.parametrize("day", [TODAY + timedelta(days=7 * week) for week in range(53)])
def test_what_is_scheduled_takes_effect_on_the_first_of_a_month_at_least_thirty_days_ahead(day):
    effective = organisation.scheduled_from(day)
    assert effective.day == 1
    assert 30 <= (effective - day).days <= 61


def test_each_role_has_one_sample_account_in_a_known_unit():
    assert [person.name for person in organisation.PEOPLE] == [
        "author",
        "reviewer",
        "format-reviewer",
        "approver",
        "controller",
        "staff",
        "auditor",
        "admin",
    ]
    assert len({person.role for person in organisation.PEOPLE}) == len(organisation.PEOPLE)
    assert all(organisation.unit(person.unit) for person in organisation.PEOPLE)


def test_a_law_cited_in_2020_was_not_passed_later():
    for paper in organisation.first_set():
        years = [int(year) for law in paper.basis for year in re.findall(r"\d/(20\d\d)/", law)]
        assert max(years, default=2020) <= 2020, paper.code


def test_every_paper_is_several_pages_of_composed_vietnamese_and_no_two_are_alike():
    texts = [text_of(paper) for paper in every_paper()]
    assert len(set(texts)) == len(texts)
    for text in texts:
        assert 500 <= len(text.split()) <= 1250
        assert text == unicodedata.normalize("NFC", text)
        assert not re.search(r"[{}]|  |\.\.|None", text)


def test_a_written_paper_opens_in_word_with_code_edition_date_and_tables():
    paper = titled("Đăng ký khai sinh")
    document = docx.Document(io.BytesIO(write_docx(paper)))
    cover, duties, changes, steps, _records = document.tables
    assert [cell.text for cell in cover.rows[0].cells][1] == "QUY TRÌNH\nĐăng ký khai sinh"
    marks = f"Mã hiệu: {paper.code}\nLần ban hành: 01\nLần sửa đổi: 00\nNgày ban hành: 08/09/2020"
    assert cover.rows[0].cells[2].text == marks
    assert duties.rows[0].cells[3].text == "Phê duyệt"
    assert [cell.text for cell in changes.rows[1].cells][:4] == ["1", "Toàn bộ", "Chưa có", "Ban hành lần đầu"]
    assert [row.cells[0].text for row in steps.rows] == ["Bước", "B1", "B2", "B3", "B4", "B5", "B6", "B7"]
    assert document.core_properties.title == f"{paper.code} {paper.title}"
    headings = [each.text for each in document.paragraphs if each.style.name == "Heading 1"]
    assert [heading[0] for heading in headings[1:]] == list("1234567")


def test_the_times_of_the_steps_add_up_to_the_time_promised():
    for paper in organisation.first_set()[::4]:
        if paper.type == "QT":
            steps = docx.Document(io.BytesIO(write_docx(paper))).tables[3]
            spent = [row.cells[2].text.replace(",", ".").split(" ") for row in steps.rows[1:7]]
            hours = sum(float(number) * (8 if what == "ngày" else 1) for number, what in spent)
            assert hours == 8 * paper.topic.days, paper.code


def test_the_text_is_what_a_reader_of_paragraphs_and_cells_finds_in_the_file():
    for paper in every_paper()[::12]:
        body = docx.Document(io.BytesIO(write_docx(paper))).element.body
        read = ["".join(run.text for run in each.iterfind(".//{*}t")) for each in body.iter("{*}p")]
        assert "\n".join(read) == text_of(paper)


def test_a_paper_not_yet_issued_carries_no_date():
    draft = next(each.paper for each in organisation.open_work(TODAY) if each.state == "draft")
    assert "Ngày ban hành: …/…/……" in text_of(draft)


def test_another_process_writes_the_same_bytes():
    digests = "import hashlib; from docctl.demo import organisation as o, writing as w; " + (
        "print(hashlib.sha256(b''.join(map(w.write_docx, o.first_set()[::25]))).hexdigest())"
    )
    run = subprocess.run([sys.executable, "-c", digests], capture_output=True, text=True, check=True)
    here = hashlib.sha256(b"".join(map(write_docx, organisation.first_set()[::25])))
    assert run.stdout.strip() == here.hexdigest()
