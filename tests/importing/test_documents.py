"""Import of documents: real procedures with everything their covers say, and bad input that loses nothing."""

import csv
import hashlib
import shutil
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import docx
import pytest
from sqlalchemy import select

from docctl import audit, clock, documents, lifecycle, people, revisions
from docctl.importing.documents import Plan, Result, import_documents
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.search import finding, following
from docctl.site import Site, open_site
from tests.conftest import settings

TITLE = "Tiếp nhận và trả kết quả"


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a .docx with a cover into the folder to import."""

    def make(
        name: str = "QT 05.docx",
        *,
        title: str = TITLE,
        code: str = "QT 05/VP",
        edition: str = "01",
        day: str = "26/10/2022",
        body: str = "Nội dung.",
    ) -> Path:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        paper = docx.Document()
        cover = paper.add_table(rows=1, cols=3).rows[0].cells
        cover[0].text, cover[1].text = "ỦY BAN NHÂN DÂN", f"QUY TRÌNH\n{title}"
        lines = {"Mã hiệu": code, "Lần ban hành": edition, "Ngày ban hành": day}
        cover[2].text = "\n".join(f"{label}: {value}" for label, value in lines.items() if value)
        paper.add_paragraph(body)
        paper.save(str(path))
        return path

    return make


@pytest.fixture
def take(site: Site, tmp_path: Path) -> Callable[..., Result]:
    """Return a function that imports the folder and checks that every source is in exactly one list."""

    def run(*paths: Path, **plan: Any) -> Result:
        found = import_documents(site, paths or (tmp_path / "in",), Plan(**{"unit": "TP"} | plan), locale="en")
        assert counted(found) == found.read
        return found

    return run


def counted(found: Result) -> int:
    named = [row["source"] for row in [*found.conflicts, *found.needs_a_person, *found.failed]]
    assert len(set(named)) == len(named)
    return found.created + found.revised + found.unchanged + len(named)


def test_a_cover_gives_code_title_edition_and_date(write, take, site: Site):
    path = write()
    found = take()
    assert (found.created, found.needs_a_person) == (1, [])
    with site.database.reading() as session:
        row = session.scalars(select(Revision)).one()
        assert (row.document.code, row.title, row.edition_code) == ("QT 05/VP", TITLE, "01")
        assert (row.cover_date, row.state, row.origin) == (date(2022, 10, 26), "draft", "workflow")
        assert row.file_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
        assert site.store.path(row.file_sha256).read_bytes() == path.read_bytes()


def test_importing_again_changes_nothing(write, take, site: Site):
    write(), write("QT 06.docx", code="QT 06/VP", title="Lưu trữ hồ sơ")
    take()
    with site.database.reading() as session:
        before = audit.head(session)
    again = take()
    assert (again.read, again.unchanged, again.created) == (2, 2, 0)
    with site.database.reading() as session:
        assert audit.head(session) == before


def test_a_dry_run_says_the_same_and_changes_nothing(write, take, site: Site):
    write()
    with site.database.reading() as session:
        before = audit.head(session)
    assert take(dry_run=True).created == 1
    with site.database.reading() as session:
        assert audit.head(session) == before
    assert take().created == 1


def test_under_an_earlier_decision_they_are_in_force_and_never_look_approved_here(write, take, site: Site):
    write()
    take(in_force_under="2804/QĐ-UBND")
    with site.database.reading() as session:
        (standing,) = revisions.standing(session, on=clock.parse("2022-10-26"))
        assert (standing.decision, standing.revision.origin) == ("2804/QĐ-UBND", "import")
        assert revisions.standing(session, on=clock.parse("2022-10-25")) == []
        assert lifecycle.signed_in_round(session, standing.revision) == []


def test_the_next_edition_of_a_document_supersedes_the_one_in_force(write, take, site: Site):
    write()
    take(in_force_under="2804/QĐ-UBND")
    write("Lần 2.docx", edition="02", day="15/09/2023", body="Viết lại.")
    found = take(in_force_under="1962/QĐ-UBND")
    assert (found.revised, found.unchanged) == (1, 1)
    with site.database.reading() as session:
        editions = {
            day: [row.revision.edition for row in revisions.standing(session, on=clock.parse(day))]
            for day in ("2022-10-25", "2022-10-26", "2023-09-14", "2023-09-15")
        }
    assert editions == {"2022-10-25": [], "2022-10-26": [1], "2023-09-14": [1], "2023-09-15": [2]}


def test_the_same_edition_with_other_content_is_a_conflict_and_the_first_stays(write, take, site: Site):
    first = write()
    take()
    write(body="Nội dung khác.")
    found = take()
    assert [row["code"] for row in found.conflicts] == ["QT 05/VP"]
    assert "other content" in found.conflicts[0]["reason"]
    assert first.exists()
    with site.database.reading() as session:
        assert len(session.scalars(select(Revision)).all()) == 1


def test_a_code_that_repeats_in_one_series_is_marked_and_in_two_series_is_only_told(write, take, site: Site):
    write("a/Khai sinh.docx", title="Đăng ký khai sinh")
    write("a/Khai tử.docx", title="Đăng ký khai tử")
    write("b/Kết hôn.docx", title="Đăng ký kết hôn")
    found = take()
    assert {row["source"] for row in found.conflicts} == {"a/Khai tử.docx", "b/Kết hôn.docx"}
    assert len(found.stored) == 3
    with site.database.reading() as session:
        clashes = {row.document.title: row.document.code_clash for row in session.scalars(select(Revision))}
    assert clashes == {"Đăng ký khai sinh": False, "Đăng ký khai tử": True, "Đăng ký kết hôn": False}


def test_a_file_without_a_code_gets_the_next_one_of_the_pattern(write, take, site: Site):
    write(code="")
    found = take()
    assert found.created == 1
    assert found.stored[0]["code"].startswith("QT")
    with site.database.reading() as session:
        assert documents.find(session, found.stored[0]["code"]).unit.code == "TP"


@pytest.mark.parametrize("day", ["31/02/2025", "29/02/2023", "00/10/2022"])
def test_a_date_that_does_not_exist_is_taken_without_a_date_and_shown_to_a_person(write, take, day: str):
    write(day=day)
    found = take()
    (row,) = found.needs_a_person
    assert row["field"] == "date"
    assert day in row["reason"]
    assert found.stored[0]["date"] is None


def test_a_document_without_a_date_stays_a_draft_even_under_a_decision(write, take, site: Site):
    write(day="")
    found = take(in_force_under="2804/QĐ-UBND")
    assert found.needs_a_person[0]["field"] == "date, effective"
    with site.database.reading() as session:
        assert session.scalars(select(Revision.state)).all() == ["draft"]


def test_a_broken_cover_is_taken_under_the_name_of_its_file(take, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    paper = docx.Document()
    paper.add_paragraph("Chỉ có một đoạn văn dài, không có bìa, không có mã và cũng không có ngày nào cả.")
    paper.save(str(folder / "07. Hướng dẫn trực lễ.DOCX"))
    found = take()
    assert found.needs_a_person[0]["source"] == "07. Hướng dẫn trực lễ.DOCX"
    assert found.stored[0]["title"] == "Hướng dẫn trực lễ"
    assert found.stored[0]["edition"] == "01"


@pytest.mark.parametrize("title", ["Giải quyết hồ sơ " + "rất " * 269 + "d", "ấ" * 1094])
def test_a_title_of_1094_characters_is_kept_whole_or_shown_to_a_person(write, take, title: str):
    assert len(title) == 1094
    write(title=title)
    found = take()
    (row,) = found.stored
    assert row["title"] == title or found.needs_a_person[0]["field"] == "title"


@pytest.mark.parametrize("code", ["QT 01/CX-HCTP", "QT.15/2022/QĐ-UBND", "HD 02 / VP - NV"])
def test_a_code_with_spaces_and_slashes_is_kept_as_it_is_written(write, take, site: Site, code: str):
    write(code=code)
    assert take().stored[0]["code"] == code
    with site.database.reading() as session:
        assert documents.find(session, code.lower()).code == code


def test_bad_files_fail_with_what_to_do_and_the_good_one_beside_them_is_taken(write, take, tmp_path: Path):
    write()
    folder = tmp_path / "in"
    (folder / "trống.docx").touch()
    (folder / "ảnh.pdf").write_bytes(b"GIF89a" + bytes(50))
    (folder / "cụt.docx").write_bytes((folder / "QT 05.docx").read_bytes()[:3000])
    (folder / "ghi chú.xyz").write_text("không phải tài liệu")
    found = take()
    assert (found.read, found.created) == (4, 1)
    reasons = {row["source"]: row["reason"] for row in found.failed}
    assert set(reasons) == {"trống.docx", "ảnh.pdf", "cụt.docx"}
    assert "empty" in reasons["trống.docx"]
    assert all(len(reason) > 30 for reason in reasons.values())
    assert found.left_out == ["ghi chú.xyz"]
    assert take(folder / "ghi chú.xyz").failed[0]["source"] == "ghi chú.xyz"


def test_a_file_over_the_limit_fails_and_says_the_limit(write, office: Path, tmp_path: Path):
    storage = tmp_path / "small"
    shutil.copytree(office, storage)
    path = write()
    (path.parent / "lớn.txt").write_bytes(b"a " * (1 << 19) + b"a")
    (storage / "docctl.toml").write_text("max_upload_mb = 1\n")
    site = open_site(settings(storage))
    found = import_documents(site, [path.parent], Plan(unit="TP"), locale="en")
    site.close()
    assert found.created == 1
    assert "1 MB" in found.failed[0]["reason"]


@pytest.mark.parametrize(
    "name", ["poi/PasswordProtected.doc", "tika/testWORD_protected_passtika.docx", "tika/testODTEncrypted.odt"]
)
def test_a_real_file_with_a_password_fails_and_says_to_remove_it(shared_data: Path, take, name: str):
    found = take(shared_data / "nasty" / name)
    assert "password" in found.failed[0]["reason"]


def test_a_name_in_decomposed_letters_is_kept_composed(write, take, site: Site):
    write(unicodedata.normalize("NFD", "Đăng ký khai sinh.docx"))
    take()
    with site.database.reading() as session:
        assert session.scalars(select(Revision.file_name)).one() == "Đăng ký khai sinh.docx"


def test_without_an_author_no_draft_is_made_and_what_to_do_is_said_before_any_file_is_read(write, take, site: Site):
    path = write()
    with pytest.raises(Refused, match="--role author"):
        take(unit="UBND")
    assert not list(site.store.names())
    assert take(path, unit="UBND", in_force_under="2804/QĐ-UBND").created == 1


def test_somebody_who_controls_no_documents_imports_nothing(write, site: Site, tmp_path: Path):
    write()
    found = import_documents(site, [tmp_path / "in"], Plan(unit="TP"), actor="staff", locale="en")
    assert len(found.failed) == 1
    with site.database.reading() as session:
        assert session.scalars(select(Revision)).all() == []


@dataclass(frozen=True)
class Imported:
    """The 38 real procedures, imported as an office's existing set, and what the import said."""

    site: Site
    folder: Path
    found: Result
    expected: list[dict[str, str]]


@pytest.fixture(scope="module")
def imported(office: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    """A site with the real procedures in force since the dates of their covers."""
    folder = shared_data / "vn-iso-procedures"
    storage = tmp_path_factory.mktemp("imported") / "storage"
    shutil.copytree(office, storage)
    site = open_site(settings(storage))
    found = import_documents(site, [folder], Plan(unit="TP", in_force_under="Quyết định số 12/QĐ-UBND"), locale="en")
    following.follow(site.database, site.engine)
    with (folder / "expected.tsv").open(encoding="utf-8") as file:
        expected = list(csv.DictReader(file, delimiter="\t"))
    yield Imported(site, folder, found, expected)
    site.close()


@pytest.mark.large
def test_38_real_procedures_have_the_code_edition_and_date_of_their_covers(imported: Imported):
    found = imported.found
    assert (found.read, len(found.stored), found.failed, found.needs_a_person) == (38, 38, [], [])
    assert counted(found) == 38
    stored = {row["source"]: (row["code"], row["edition"], row["date"]) for row in found.stored}
    wanted = {}
    for row in imported.expected:
        day, month, year = map(int, row["ngay_ban_hanh"].split("/"))
        wanted[row["file"]] = (row["ma_hieu"], row["lan_ban_hanh"], date(year, month, day).isoformat())
    assert stored == wanted


@pytest.mark.large
def test_exactly_the_codes_that_two_real_procedures_share_are_listed_as_conflicts(imported: Imported):
    often = Counter(row["ma_hieu"] for row in imported.expected)
    shared = sorted(code for code, count in often.items() if count > 1)
    assert len(shared) == 2
    assert sorted(row["code"] for row in imported.found.conflicts) == shared
    with imported.site.database.reading() as session:
        assert not any(row.document.code_clash for row in session.scalars(select(Revision)))


@pytest.mark.large
def test_the_bytes_of_real_procedures_are_kept(imported: Imported):
    for row in imported.found.stored:
        original = (imported.folder / row["source"]).read_bytes()
        assert hashlib.sha256(original).hexdigest() == row["sha256"]
        assert imported.site.store.path(row["sha256"]).read_bytes() == original


@pytest.mark.large
def test_a_second_import_says_38_unchanged(imported: Imported):
    with imported.site.database.reading() as session:
        before = audit.head(session)
    again = import_documents(imported.site, [imported.folder], Plan(unit="TP"), locale="en")
    assert (again.read, again.unchanged, again.stored) == (38, 38, [])
    with imported.site.database.reading() as session:
        assert audit.head(session) == before


@pytest.mark.large
def test_real_procedures_are_in_force_from_the_date_of_each_cover(imported: Imported):
    with imported.site.database.reading() as session:
        counts = {
            day: len(revisions.in_force(session, on=clock.parse(day)))
            for day in ("2025-07-06", "2025-07-07", "2025-07-08", "2025-07-09")
        }
    assert counts == {"2025-07-06": 0, "2025-07-07": 36, "2025-07-08": 36, "2025-07-09": 38}


@pytest.mark.large
@pytest.mark.parametrize(
    "words", ["QUY TRÌNH", unicodedata.normalize("NFD", "QUY TRÌNH"), "quy trinh", "QUY TRINH"], ids=ascii
)
def test_every_way_to_type_quy_trinh_finds_all_38(imported: Imported, words: str):
    with imported.site.database.reading() as session:
        staff = people.reader(session, people.find(session, "staff"))
        found = finding.find(session, imported.site.engine, words, reader=staff, limit=100)
        assert (found.total, len(found.hits)) == (38, 38)


@pytest.mark.large
def test_a_procedure_typed_without_accents_ranks_first(imported: Imported):
    with imported.site.database.reading() as session:
        found = finding.find(session, imported.site.engine, "dang ky lai khai sinh", reader=None)
        assert found.hits[0].title == "Đăng ký lại khai sinh"
