"""The yearly report: figures with their queries, contradictions named, points that add up, evidence for each."""

from datetime import date, timedelta

import pytest

from docctl import clock, documents, reports, reviews, verify, web
from docctl.distribution import lists
from docctl.documents import Document
from docctl.exporting import report as paper
from docctl.reports import scoring
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.sample import SAMPLE_PASSWORD, sample_office, sample_site
from tests.web.conftest import Browser

__all__ = ["sample_office", "sample_site"]


@pytest.mark.large
def test_the_report_for_2022_says_273_in_force_80_withdrawn_and_101_issued_under_2804(sample_site: Site):
    with sample_site.database.reading() as session:
        found = reports.of_year(session, 2022)
    figures = {row.name: row for row in found.year.figures}
    assert figures["documents_in_force"].numerator == 273
    assert figures["documents_withdrawn"].numerator == 80
    assert (figures["coverage"].numerator, figures["coverage"].denominator) == (264, 319)
    assert figures["coverage"].text == "264/319 = 82,8 %"
    assert [(row.number, row.issued, row.withdrawn) for row in found.year.decisions] == [("2804/QĐ-UBND", 101, 80)]
    assert sum(month.issued for month in found.year.months) == 101
    assert found.year.months[9].withdrawn == 80
    assert sum(n for _, _, n in found.year.by_type) == 273


def test_a_ratio_that_is_not_its_percentage_is_flagged_with_what_it_is(site: Site, cast):
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        reports.type_figure(session, 2022, "TTHC có quy trình", "264/314 = 82,7 %", by=by, source="Báo cáo năm 2022")
        reports.type_figure(session, 2022, "Hồ sơ đúng hạn", "950/1000 = 95 %", by=by, source="Hệ thống một cửa")
        found = reports.of_year(session, 2022)
    assert [row.about for row in found.contradictions] == ["TTHC có quy trình"]
    assert "84,1 %" in found.contradictions[0].sentence.vi
    assert [row.source for row in found.typed] == ["Báo cáo năm 2022", "Hệ thống một cửa"]
    assert verify.verify(site).ok


@pytest.mark.large
def test_the_flag_says_which_figure_of_the_records_was_meant(sample_site: Site):
    from docctl import people

    with sample_site.database.writing() as session:
        by = people.reader(session, people.find(session, "controller"))
        reports.type_figure(session, 2022, "TTHC", "264/314 = 82.7 %", by=by, source="Báo cáo")
        found = reports.of_year(session, 2022)
    assert "84,1 %" in found.contradictions[0].sentence.vi
    assert "264/319 = 82,8 %" in found.contradictions[0].sentence.vi


def test_a_figure_that_the_records_contradict_is_flagged_and_one_without_a_source_is_refused(
    site: Site, cast, make_revision
):
    make_revision("in_force")
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        reports.type_figure(session, clock.today().year, "Tài liệu còn hiệu lực cuối kỳ", "12", by=by, source="Sổ tay")
        assert [row.about for row in reports.of_year(session, clock.today().year).contradictions] == [
            "Tài liệu còn hiệu lực cuối kỳ"
        ]
        with pytest.raises(Refused) as refused:
            reports.type_figure(session, 2022, "Khiếu nại", "3", by=by, source=" ")
        assert refused.value.field == "source"
        with pytest.raises(NoRole):
            reports.type_figure(session, 2022, "Khiếu nại", "3", by=cast.reader(session, "staff"), source="Sổ")


def test_a_total_of_96_and_a_half_against_rows_of_94_and_a_half_is_flagged(site: Site, cast):
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        leaves = [row for row in reports.annex().rows if not reports.annex().children(row.code)]
        lost = 550
        for row in leaves:
            less = min(lost, row.most)
            lost -= less
            reports.claim(session, 2022, row.code, row.most - less, by=by, evidence="Hồ sơ kèm theo")
        reports.claim(session, 2022, reports.TOTAL, 9650, by=by)
        found = reports.of_year(session, 2022)
        assert (found.sheet.total, found.sheet.claimed_total) == (9450, 9650)
        about = [row for row in found.contradictions if row.about == "total"]
        assert "96,5" in about[0].sentence.vi
        assert "94,5" in about[0].sentence.vi
    assert verify.verify(site).ok


def test_the_annex_has_17_criteria_of_100_points_and_a_parent_is_the_sum_of_its_parts(site: Site, cast):
    annex = reports.annex()
    top = annex.children(reports.TOTAL)
    assert (len(top), sum(row.most for row in top)) == (17, 100_00)
    for row in annex.rows:
        if below := annex.children(row.code):
            assert sum(each.most for each in below) == row.most, row.code
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        with pytest.raises(Refused):
            reports.claim(session, 2022, "7.2", 500, by=by)
        with pytest.raises(Refused):
            reports.claim(session, 2022, "7.2d", 150, by=by)
        reports.claim(session, 2022, "7.2a", 250, by=by)
        reports.claim(session, 2022, "7.2d", 100, by=by)
        found = reports.of_year(session, 2022)
    points = {row.row.code: row.claimed for row in found.sheet.rows}
    assert (points["7.2a"], points["7.2"], points["7"]) == (250, 350, 350)


def test_points_claimed_against_the_records_are_flagged(site: Site, cast, make_revision):
    made = make_revision("in_force", on=clock.today() - timedelta(days=800))
    year = clock.today().year
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        document = session.get_one(Document, made.document_id)
        due, _ = reviews.of_document(session, document)
        assert due.overdue(clock.today())
        reports.claim(session, year, "8.4", 150, by=by)
        assert [row.about for row in reports.of_year(session, year).contradictions] == ["8.4"]
        reviews.record(session, document, by=by, outcome="keep", reason="Còn phù hợp.")
        assert reports.of_year(session, year).contradictions == []
    assert verify.verify(site).ok


def test_a_review_moves_the_due_date_by_the_period_of_the_type_and_needs_a_reason(site: Site, cast, make_revision):
    made = make_revision("in_force", on=date(2024, 1, 31))
    with site.database.writing() as session:
        document = session.get_one(Document, made.document_id)
        document.type.review_months = 1
        due, _ = reviews.of_document(session, document)
        assert due.due_on == date(2024, 2, 29)
        by = cast.reader(session, "reviewer")
        assert [row.revision.document_id for row in reviews.overdue(session, by=by)] == [made.document_id]
        assert reviews.overdue(session, by=cast.reader(session, "staff")) == []
        with pytest.raises(Refused):
            reviews.record(session, document, by=by, outcome="amend", reason=" ")
        with pytest.raises(NoRole):
            reviews.record(session, document, by=cast.reader(session, "neighbour"), outcome="keep", reason="Còn đúng.")
        reviews.record(session, document, by=by, outcome="amend", reason="Đổi biểu mẫu.")
        assert reviews.overdue(session) == []


def test_the_report_is_written_in_the_words_of_the_offices(site: Site, cast, make_revision):
    make_revision("in_force")
    with site.database.reading() as session:
        found = reports.of_year(session, clock.today().year)
        made = paper.build(session, found, locale="vi")
    text = "\n".join([made.title, *made.opening, *made.closing])
    assert f"năm {clock.today().year}" in made.title
    assert "1 tài liệu còn hiệu lực" in text
    assert scoring.written(9450) == "94,5"


COMPUTED = {
    *("7.1", "7.2d", "8.1", "8.2", "8.3", "8.4", "8.5", "8.6", "8.7", "8.8", "8.9"),
    *("13", "14", "16"),
}


def test_the_rows_that_the_records_can_speak_of_are_computed_each_with_where_to_look(site: Site, cast, make_revision):
    make_revision("in_force")
    with site.database.reading() as session:
        found = reports.of_year(session, clock.today().year)
    facts = {row.row.code: row.fact for row in found.sheet.rows if row.fact}
    assert set(facts) == COMPUTED
    assert all(fact.behind.startswith("/") and fact.sentence.vi and fact.sentence.en for fact in facts.values())
    assert facts["8.5"].sentence.en == "0 of 1 documents in force distributed"
    assert facts["8.8"].met is True
    assert facts["16"].met is False  # No request was made, and nothing has a second edition.


def test_an_overdue_recall_no_audit_procedure_and_no_improvement_contradict_full_points(
    site: Site, cast, make_revision
):

    year = clock.today().year
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=2, reads=False)
    with clock.at(clock.now() - timedelta(days=60)):
        make_revision("withdrawn", title="Quy trình đã thu hồi")
    make_revision("in_force", title="Quy trình khác", on=clock.today())
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        for code in ("8.6", "13", "14", "16"):
            reports.claim(session, year, code, reports.annex().row(code).most, by=by, evidence="Biên bản")
        found = reports.of_year(session, year)
        said = {row.about: row.sentence.en for row in found.contradictions}
    assert set(said) == {"8.6", "13", "14", "16"}
    assert "0 of 1 recalls closed with minutes, 1 overdue" in said["8.6"]
    assert "No procedure “đánh giá nội bộ” is in force" in said["13"]
    make_revision("in_force", title="Quy trình đánh giá nội bộ", on=clock.today())
    make_revision("superseded", title="Xem xét của lãnh đạo")
    with site.database.reading() as session:
        assert {row.about for row in reports.of_year(session, year).contradictions} == {"8.6"}


def test_what_is_kept_past_its_period_contradicts_full_points_for_retention(site: Site, cast, make_revision):

    make_revision("withdrawn")
    year = clock.today().year
    with site.database.writing() as session:
        documents.find_type(session, "QT").retention_years = None
        reports.claim(session, year, "8.7", 150, by=cast.reader(session, "controller"), evidence="Sổ")
        assert "8.7" not in {row.about for row in reports.of_year(session, year).contradictions}
        documents.find_type(session, "QT").retention_years = 1
    with clock.at(clock.now() + timedelta(days=400)), site.database.writing() as session:
        later = clock.today().year
        reports.claim(session, later, "8.7", 150, by=cast.reader(session, "controller"), evidence="Sổ")
        found = {row.about: row.sentence.en for row in reports.of_year(session, later).contradictions}
    assert "1 of 1 ended records are past their period" in found["8.7"]


@pytest.mark.large
def test_the_pages_of_the_sample_office_show_both_numbers_and_flag_what_the_report_of_2022_said(sample_site: Site):
    app = web.create(sample_site)
    app.test_client_class = Browser
    browser = app.test_client()
    browser.get("/sign-in")
    assert browser.send("/sign-in", name="controller", password=SAMPLE_PASSWORD).status_code == 303
    coverage = browser.read("/procedures/coverage?on=31/12/2022")
    assert "264" in coverage
    assert "319" in coverage
    assert "82.8 %" in coverage
    browser.read("/reports/2022")
    said = {"name": "TTHC có quy trình", "value": "264/314 = 82,7 %", "source": "Báo cáo năm 2022"}
    assert browser.send("/reports/2022/figures", **said).status_code == 303
    annex, lost, points = reports.annex(), 550, {}
    for row in annex.rows:
        if not annex.children(row.code):
            less = min(lost, row.most)
            lost -= less
            points[f"points-{row.code}"] = scoring.written(row.most - less)
    points["points-total"] = "96,5"
    assert browser.send("/reports/2022/points", **points).status_code == 303
    page = browser.read("/reports/2022")
    for figure in ("273", "101", "80", "2804/QĐ-UBND", "264/319 = 82,8 %"):
        assert figure in page
    flagged = page.split('id="contradictions"')[1].split("</section>")[0]
    assert "264/314 is 84,1 %, not 82,7 %" in flagged
    assert "The total says 96,5 points, but the rows add up to 94,5" in flagged
