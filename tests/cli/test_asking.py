"""Questions to the sample organisation by the command line: what is in force, search, and a second `docctl demo`."""

from pathlib import Path

import pytest

from docctl.site import Site
from tests.cli.conftest import Terminal
from tests.sample import SAMPLE_PASSWORD, sample_office, sample_site

__all__ = ["sample_office", "sample_site"]


@pytest.fixture
def sample(sample_site: Site) -> Terminal:
    """A terminal over a copy of the sample organisation."""
    return Terminal(sample_site.settings.storage)


def test_in_force_says_252_the_day_before_decision_2804_and_273_from_that_day_on(sample: Terminal):
    counts = [len(sample.json("in-force", "--on", day)["documents"]) for day in ("2022-10-25", "2022-10-26")]
    assert [*counts, len(sample.json("in-force")["documents"])] == [252, 273, 273]
    by_instant = sample.json("in-force", "--on", "2022-10-25T16:59:59+00:00")
    assert (by_instant["on"], len(by_instant["documents"])) == ("2022-10-25T23:59:59+07:00", 252)
    assert "273 in force" in sample.type("in-force").stdout


def test_a_second_demo_changes_nothing_and_prints_no_password(sample: Terminal):
    before = sample.json("verify")
    assert (before["ok"], before["problems"]) == (True, [])
    again = sample.json("demo", DOCCTL_DEMO_PASSWORD=SAMPLE_PASSWORD)
    assert (again["in_force"], again["password"], again["stages"]) == (273, None, [])
    assert again["accounts"] == [
        "author", "reviewer", "format-reviewer", "approver", "controller", "staff", "auditor", "admin",
    ]  # fmt: skip
    assert sample.json("verify")["head"] == before["head"]


def test_search_finds_what_is_in_force_and_all_for_those_who_may(sample: Terminal):
    found = sample.json("search", "kiem soat tai lieu", "--limit", "3")
    assert found["hits"][0]["title"] == "Kiểm soát tài liệu"
    assert {hit["state"] for hit in found["hits"]} == {"in_force"}
    assert len(found["hits"]) == 3 <= found["total"]
    old = ("search", "hanh dong phong ngua", "--scope", "all")
    titles = {hit["title"]: hit["state"] for hit in sample.json(*old, "--as", "auditor")["hits"]}
    assert titles["Hành động phòng ngừa"] == "withdrawn"
    assert "Hành động phòng ngừa" not in {hit["title"] for hit in sample.json(*old, "--as", "staff")["hits"]}
    then = sample.json("search", "hanh dong phong ngua", "--on", "2022-10-25", "--as", "auditor")
    assert then["hits"][0]["title"] == "Hành động phòng ngừa"
    document = then["hits"][0]["document"]
    history = sample.json("search", "hanh dong", "--document", document, "--scope", "all", "--as", "auditor")["hits"]
    assert {hit["document"] for hit in history} == {document}


def test_of_one_document_the_edition_in_force_on_a_date(sample: Terminal):
    editions = {}
    for day in ("2020-09-07", "2023-09-14", "2023-09-15"):
        found = sample.json("in-force", "--document", "qt-tp-02", "--on", day)["documents"]
        editions[day] = [(row["edition"], row["decision"]) for row in found]
    assert editions == {
        "2020-09-07": [],
        "2023-09-14": [("01", "2115/QĐ-UBND")],
        "2023-09-15": [("02", "1962/QĐ-UBND")],
    }


def test_import_reports_every_source_and_repeats_without_change(terminal: Terminal, paper: Path, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / paper.name).write_bytes(paper.read_bytes())
    (folder / "trống.pdf").touch()
    keys = {"read", "created", "revised", "unchanged", "conflicts", "needs_a_person", "failed"}
    dry = terminal.json("import", "documents", folder, "--dry-run")
    assert terminal.json("search", "khai sinh", "--scope", "all", "--as", "controller")["total"] == 0
    first = terminal.json("import", "documents", folder)
    assert keys <= set(first)
    assert (first["read"], len(first["needs_a_person"]), len(first["failed"])) == (2, 1, 1)
    assert {**dry, "stored": []} == {**first, "stored": []}
    assert set(first["failed"][0]) == {"source", "reason"}
    assert set(first["needs_a_person"][0]) == {"source", "field", "reason"}
    again = terminal.json("import", "documents", folder)
    assert (again["unchanged"], again["stored"], len(again["failed"])) == (1, [], 1)
    found = terminal.json("search", "khai sinh luu dong", "--scope", "all", "--as", "controller")
    assert [hit["state"] for hit in found["hits"]] == ["draft"]
    result = terminal.type("import", "documents", tmp_path / "nowhere")
    assert result.exit_code == 2


def test_progress_goes_to_stderr_so_that_stdout_is_one_json_document(terminal: Terminal, paper: Path):
    result = terminal.type("import", "documents", paper, "--json")
    assert result.stdout.lstrip().startswith("{")
    assert "1/1" in result.stderr


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (("in-force", "--document", f"{10**20}"), 1),
        (("in-force", "--document", "²"), 1),
        (("evidence", "--decision", f"{10**20}", "-o", "x.zip"), 1),
        (("decision", "check", f"{10**20}"), 2),
        (("in-force", "--on", "0001-01-01"), 2),
        (("in-force", "--known-at", "9999-12-31T23:59:59-12:00"), 2),
    ],
)
def test_numbers_and_days_beyond_every_table_and_calendar_are_refused_in_a_sentence(
    terminal: Terminal, said: tuple[str, ...], status: int
):
    result = terminal.type(*said)
    assert result.exit_code == status, result.output
    assert isinstance(result.exception, SystemExit)
    assert result.stderr.strip()
