"""Laws, procedures, coverage, the legal watch and the yearly report, read by another program."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from docctl import clock, external, procedures, reports, watch
from docctl.documents import Document
from docctl.external import Change, Entry, table
from docctl.site import Site
from tests.api.conftest import Program
from tests.conftest import Cast, Made

Start = Callable[..., Program]


@pytest.fixture
def standing(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> Made:
    """A document in force that cites a decree, which was amended 10 days ago; it covers one of two procedures."""
    made = make_revision("in_force", text="Căn cứ Nghị định số 123/2015/NĐ-CP của Chính phủ.")
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        law = external.add(
            session, Entry(number="123/2015/NĐ-CP", title="Hộ tịch", effective_from=date(2016, 1, 1)), by=by
        )
        external.add(session, Entry(number="60/2014/QH13", title="Luật Hộ tịch", issued_on=date(2014, 11, 20)), by=by)
        watch.amend(session, law, Change("104/2022/NĐ-CP", clock.today() - timedelta(days=10)), by=by)
        for number in (1, 2):
            entry = procedures.Entry(code=f"1.00000{number}", title=f"Thủ tục {number}", field="Hộ tịch")
            row = procedures.add(session, entry, by=by)
            if number == 1:
                procedures.link(session, row, session.get_one(Document, made.document_id), by=by)
    return made


def test_external_documents_have_their_state_on_the_day_that_is_asked_for(program: Start, standing: Made) -> None:
    staff = program("staff", read_only=True)
    found = {row["number"]: row for row in staff.get("/external-documents")["items"]}
    assert {number: row["state"] for number, row in found.items()} == {
        "123/2015/NĐ-CP": table.IN_FORCE,
        "60/2014/QH13": table.UNKNOWN,
    }
    assert [change["number"] for change in found["123/2015/NĐ-CP"]["changes"]] == ["104/2022/NĐ-CP"]
    path = f"/external-documents/{found['123/2015/NĐ-CP']['external_document']}"
    assert staff.get(f"{path}?on=2015-12-31")["state"] == table.NOT_YET
    assert staff.get(f"{path}?on=2016-01-01")["state"] == table.IN_FORCE
    assert staff.call("GET", "/external-documents/999").status_code == 404
    assert len(staff.get("/external-documents?q=60/2014")["items"]) == 1
    wrong = staff.call("GET", "/external-documents?on=hôm+nay")
    assert (wrong.status_code, wrong.json["field"]) == (422, "on")


def test_lists_come_in_pages(program: Start, standing: Made) -> None:
    staff = program("staff")
    first = staff.get("/procedures?limit=1")
    second = staff.get(f"/procedures?limit=1&cursor={first['next']}")
    assert [row["code"] for row in first["items"] + second["items"]] == ["1.000001", "1.000002"]
    assert second["next"] is None


def test_the_legal_watch_says_what_is_due_and_later_what_is_late(program: Start, standing: Made) -> None:
    controller = program("controller")
    (row,) = controller.get("/legal-watch")["items"]
    assert (row["law"], row["by"], row["document"]) == ("123/2015/NĐ-CP", "104/2022/NĐ-CP", standing.document_id)
    assert (row["bucket"], row["state"]) == ("due", "open")
    assert row["days"] == (date.fromisoformat(row["deadline"]) - clock.today()).days
    late = date.fromisoformat(row["deadline"]) + timedelta(days=3)
    assert [each["days"] for each in controller.get(f"/legal-watch?on={late}&bucket=late")["items"]] == [3]
    assert controller.get("/legal-watch?bucket=late")["items"] == []


def test_coverage_has_both_its_numbers_on_any_day(program: Start, standing: Made) -> None:
    staff = program("staff")
    now = staff.get("/coverage")
    assert (now["covered"], now["applied"], now["percent"]) == (1, 2, 50.0)
    assert [row["code"] for row in now["alarms"]["without_document"]] == ["1.000002"]
    before = staff.get(f"/coverage?on={clock.today() - timedelta(days=31)}")
    assert (before["covered"], before["applied"]) == (0, 2)
    (covered,) = staff.get("/procedures?state=covered")["items"]
    assert [row["code"] for row in covered["documents"]] == [standing.code]
    assert staff.get(f"/procedures/{covered['procedure']}")["covered"] is True


def test_the_report_of_a_year_says_its_figures_and_its_contradictions(
    site: Site, cast: Cast, program: Start, standing: Made
) -> None:
    year = clock.today().year
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        reports.type_figure(session, year, "TTHC có quy trình", "264/314 = 82,7 %", by=by, source="Báo cáo")
    found = program("auditor").get(f"/reports/{year}")
    figures = {row["query"]: row for row in found["figures"]}
    assert (figures["coverage"]["numerator"], figures["coverage"]["denominator"]) == (1, 2)
    assert [row["about"] for row in found["contradictions"]] == ["TTHC có quy trình"]
    assert sum(row["most"] for row in found["self_assessment"]["rows"] if "." not in row["row"]) == 100
    assert program("auditor").call("GET", f"/reports/{year + 1}").status_code == 404
