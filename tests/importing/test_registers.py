"""Registers as offices have them: nothing lost, nothing cut, a second import changes nothing, odd dates named."""

import csv
import gzip
import json
import random
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from docctl import audit, external, verify
from docctl.exporting import xlsx
from docctl.external import ExternalDocument
from docctl.importing import registers
from docctl.importing.external import import_external
from docctl.importing.procedures import import_procedures
from docctl.importing.registers import import_register
from docctl.procedures import Procedure
from docctl.rules import Refused
from docctl.site import Site

REVERSED = {
    *("114/2020/NĐ-CP", "15/2001/TT-BNN-PCLB", "343/2017/UBTVQH14", "69/2020/TT-BTC"),
    *("72/2008/TT-BTC", "84-CP"),
}


def straight(path: Path) -> list[dict[str, str]]:
    """Read the file by the plainest means there are."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def a_day(typed: str) -> date:
    day, month, year = typed.split("/")
    return date(int(year), int(month), int(day))


def squeezed(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def head(site: Site) -> audit.Head:
    with site.database.reading() as session:
        return audit.head(session)


@pytest.mark.large
def test_all_877_external_documents_arrive_whole_and_have_the_right_state_on_300_days(site: Site, shared_data: Path):
    path = shared_data / "vn-phap-dien" / "external_documents.tsv"
    rows = straight(path)
    found = import_external(site, path)
    assert (found.read, found.created + len(found.needs_a_person)) == (877, 877)
    assert (found.conflicts, found.failed) == ([], [])
    odd = {row["source"].split(": ")[1] for row in found.needs_a_person if "trước ngày ban hành" in row["reason"]}
    assert odd == REVERSED
    with site.database.reading() as session:
        kept = {row.number: row for row in session.scalars(select(ExternalDocument))}
        assert len(kept) == 877
        for row in rows:
            stored = kept[squeezed(row["so_ky_hieu"])]
            assert stored.title == squeezed(row["trich_yeu"])
            assert stored.issuer == squeezed(row["co_quan"])
            assert len(stored.changes) == len([part for part in row["sua_doi_boi@hieu_luc"].split(";") if part])
        chance = random.Random(877)
        for _ in range(300):
            day = date(1990, 1, 1) + timedelta(days=chance.randrange(13500))
            straight_count = sum(a_day(row["ngay_hieu_luc"]) <= day for row in rows)
            assert sum(row.state_on(day) == external.IN_FORCE for row in kept.values()) == straight_count, day
            amended = sum(
                any(a_day(part.split("@")[1]) <= day for part in row["sua_doi_boi@hieu_luc"].split(";") if part)
                for row in rows
            )
            assert sum(bool(row.amended_by(day)) for row in kept.values()) == amended, day
    before = head(site)
    again = import_external(site, path)
    assert (again.unchanged, again.created, again.revised) == (877, 0, 0)
    assert head(site) == before
    assert verify.verify(site).ok


@pytest.mark.large
def test_the_610_procedures_of_the_official_lists_arrive_whole_and_the_full_texts_with_them(
    site: Site, shared_data: Path
):
    lists = sorted((shared_data / "vn-tthc" / "lists").glob("*.xlsx"))
    titles: dict[str, str] = {}
    for path in lists:
        for code, title, *_ in CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python()[2:]:
            titles[code] = squeezed(title)
        found = import_procedures(site, path)
        assert (found.created, found.conflicts, found.failed) == (found.read, [], [])
    full = shared_data / "vn-tthc" / "procedures" / "bo-tu-phap.jsonl.gz"
    found = import_procedures(site, full)
    assert (found.read, found.revised, found.failed) == (271, 270, [])
    assert [row["code"] for row in found.conflicts] == ["1.002544"]  # Its title is that of another procedure.
    with site.database.reading() as session:
        kept = {row.code: row for row in session.scalars(select(Procedure))}
        assert {code: row.title for code, row in kept.items()} == titles
        assert len(titles) == 610
        assert max(map(len, titles.values())) == max(len(row.title) for row in kept.values())
        with gzip.open(full, "rt", encoding="utf-8") as lines:
            for line in lines:
                whole = json.loads(line)
                if whole["ma_thu_tuc"] != "1.002544":
                    assert kept[whole["ma_thu_tuc"]].parts == whole
    before = head(site)
    for path in (*lists, full):
        again = import_procedures(site, path)
        assert (again.created, again.revised) == (0, 0)
    assert head(site) == before


@pytest.fixture
def book(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a workbook as offices have it: a title, an empty row, then the head."""

    def write(headings: list[str], *rows: list[str]) -> Path:
        path = tmp_path / "register.xlsx"
        path.write_bytes(xlsx.workbook("Danh mục", ["DANH MỤC", *[""] * 9], [[], headings, *rows]))
        return path

    return write


def test_a_master_list_in_a_spreadsheet_adds_what_is_not_there_and_names_what_clashes(site: Site, book):
    path = book(
        ["Mã tài liệu", "Tên\ntài liệu", "Đơn vị"],
        ["QT-01", "Kiểm soát tài liệu", "TP"],
        ["BM-01", "Phiếu yêu cầu", "Phòng Nội vụ"],
    )
    dry = import_register(site, path, "documents", dry_run=True)
    assert dry.created == 2
    first = import_register(site, path, "documents")
    second = import_register(site, path, "documents")
    assert (first.created, second.created, second.unchanged) == (2, 0, 2)
    clash = import_register(site, book(["Mã", "Tên", "Đơn vị"], ["QT 01", "Một việc khác", "TP"]), "documents")
    assert (clash.created, len(clash.conflicts)) == (1, 0)  # A space in a code makes another code.
    clash = import_register(site, book(["Mã", "Tên", "Đơn vị"], ["qt-01", "Một việc khác", "TP"]), "documents")
    assert [row["code"] for row in clash.conflicts] == ["qt-01"]


def test_a_dry_run_of_external_documents_changes_nothing_and_a_twin_in_the_file_is_named(site: Site, book):
    path = book(
        ["Số hiệu", "Trích yếu", "Ngày hiệu lực", "Thay bởi"],
        ["2545/QĐ-UBND", "Quy chế", "01/02/2022", "12/2023/QĐ-UBND@01/01/2024"],
        ["2545/QD-UBND", "Quy chế", "01/02/2022", ""],
        ["", "Không có số", "01/02/2022", ""],
    )
    before = head(site)
    dry = import_register(site, path, "external", dry_run=True)
    assert (dry.created, len(dry.conflicts), len(dry.failed)) == (1, 1, 1)
    assert head(site) == before
    import_register(site, path, "external")
    with site.database.reading() as session:
        row = external.with_number(session, "2545/QĐ-UBND")
        assert [(change.number, change.effective_from) for change in row.changes] == [
            ("12/2023/QĐ-UBND", date(2024, 1, 1))
        ]


def test_a_table_without_the_headings_that_are_needed_says_which(site: Site, book):
    for register in registers.REGISTERS:
        with pytest.raises(Refused):
            import_register(site, book(["Một", "Hai"], ["1", "2"]), register)
