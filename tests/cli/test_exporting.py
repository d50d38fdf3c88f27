"""`docctl export`: a register as a file, right to the row, and a sentence for a name that is none."""

from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from docctl import clock
from docctl.database import iso
from docctl.site import Site
from tests.cli.conftest import Terminal
from tests.sample import sample_office, sample_site

__all__ = ["sample_office", "sample_site"]


@pytest.fixture
def sample(sample_site: Site) -> Terminal:
    """A terminal over a copy of the sample organisation."""
    return Terminal(sample_site.settings.storage)


def test_the_master_list_of_the_sample_office_is_right_to_the_row(sample: Terminal, sample_site: Site, tmp_path: Path):
    written = sample.json("export", "master-list", "--format", "xlsx", "-o", tmp_path / "f2.xlsx")
    book = CalamineWorkbook.from_path(str(tmp_path / "f2.xlsx"))
    current, over = (book.get_sheet_by_index(number).to_python()[1:] for number in range(2))
    counted = "SELECT code, edition, amendment FROM revision JOIN document ON document.id = document_id WHERE "
    with sample_site.database.reading() as session:
        now = {"now": iso(clock.now())}
        begun = f"{counted} effective_from <= :now AND (effective_to IS NULL OR effective_to > :now)"
        in_force = session.execute(text(begun), now).all()
        no_longer = session.execute(text(f"{counted} effective_to <= :now"), now).all()
    for rows, expected in ((current, in_force), (over, no_longer)):
        assert sorted((row[1], row[4]) for row in rows) == sorted(
            (code, f"{edition:02d}/{amendment:02d}") for code, edition, amendment in expected
        )
    assert (len(current), written["rows"]) == (273, len(in_force) + len(no_longer))
    assert [row[0] for row in current] == list(range(1, 274))


def test_the_other_registers_of_the_sample_office_are_right_to_the_row(
    sample: Terminal, sample_site: Site, tmp_path: Path
):
    counted = {
        "distribution": "SELECT (SELECT count(*) FROM controlled_copy JOIN revision ON revision.id = revision_id "
        "WHERE effective_from <= :now AND (effective_to IS NULL OR effective_to > :now)) + (SELECT count(*) FROM read_task "
        "JOIN revision ON revision.id = revision_id WHERE effective_from <= :now AND (effective_to IS NULL OR effective_to > :now))",
        "change-requests": "SELECT count(*) FROM change_request",
        "recalls": "SELECT count(*) FROM recall_line",
        "disposals": "SELECT count(*) FROM disposal_line",
        "retention": "SELECT count(*) FROM revision WHERE state IN ('issued', 'withdrawn') AND effective_to <= :now",
    }
    for name, query in counted.items():
        written = sample.json("export", name, "--format", "csv", "-o", tmp_path / f"{name}.csv")
        with sample_site.database.reading() as session:
            wanted = session.execute(text(query), {"now": iso(clock.now())}).scalar_one()
        assert (name, written["rows"]) == (name, wanted)


def test_an_unknown_register_gets_a_sentence_that_lists_the_known_ones(terminal: Terminal, tmp_path: Path):
    sentence = terminal.refused("export", "master-lists", "-o", tmp_path / "out.xlsx")
    assert "There is no register master-lists. There are: master-list" in sentence
    assert not (tmp_path / "out.xlsx").exists()


def test_an_export_as_somebody_holds_what_that_person_may_see(sample: Terminal, tmp_path: Path):
    rows = [
        sample.json("export", "master-list", "-o", tmp_path / "x.csv", "--format", "csv", "--as", name)["rows"]
        for name in ("staff", "auditor")
    ]
    assert rows[0] == 273 < rows[1]
