"""Every paper of the sample office as the word processor opens it: as many pages as it says, A4, its head on each of them."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook

from docctl import authority, decisions, exporting, people, recall, requests
from docctl.exporting import decisions as papers
from docctl.exporting import minutes, registers
from docctl.exporting.paper import Paper
from docctl.register import Asked
from docctl.requests import Words
from docctl.retention import disposal, schedule
from docctl.revisions import Change
from docctl.site import Site
from tests.sample import sample_office, sample_site

__all__ = ["sample_office", "sample_site"]

A4 = (595, 842)
PAGE = re.compile(r"Trang\s+(\d+)/(\d+)")


def built(site: Site) -> dict[str, Paper]:
    """Return every register, the decision of 2022 with its annexes, and the minutes of a recall and of a disposal."""
    with site.database.writing() as session:
        by = authority.reader(session, people.find(session, "controller"))
        ended = [row.revision for row in schedule.records(session)]
        words = Words(document=ended[0].document, reason="=1+1 là lý do", changes=[Change("5.2", "05 ngày", "03 ngày")])
        requests.draft(session, by=by, kind="amend", words=words)
        disposed = disposal.draft(session, by=by, revision_ids=[row.id for row in ended[:60]])
        found = {
            f"{row.code} {row.name}": row.paper(session, Asked(), by=by, locale="vi")
            for row in registers.REGISTERS.values()
        }
        decision = next(row for row in decisions.all_decisions(session, by=by) if "2804" in row.number)
        found |= {f"F10 {name}": papers.paper(session, decision, name, by=by, locale="vi") for name in papers.PAPERS}
        opened = next(row for row in recall.all_recalls(session) if "2804" in row.basis)
        found["F6 minutes"] = minutes.of_recall(session, opened, locale="vi")
        found["F7 minutes"] = minutes.of_disposal(session, disposed, locale="vi")
    return found


def looked_at(pdf: bytes, paper: Paper, name: str) -> None:
    """Hold every page to what the paper promises: A4, its number of how many, the head of its table, every code."""
    with pypdfium2.PdfDocument(pdf) as document:
        sizes = {tuple(round(side) for side in page.get_size()) for page in document}
        texts = [page.get_textpage().get_text_bounded() for page in document]
    upright = name == "F10 decision"
    assert (name, sizes) == (name, {A4 if upright else A4[::-1]})
    for number, text in enumerate(texts, start=1):
        said = PAGE.findall(text)
        assert (name, said) == (name, [(str(number), str(len(texts)))])
    everything = "".join("".join(texts).split())
    for block in paper.blocks:
        codes = {"".join(str(row[1]).split()) for row in block.rows}
        assert [code for code in codes if code not in everything] == [], name
    if len(paper.blocks) == 1 and paper.blocks[0].rows and not paper.signers:
        head = paper.blocks[0].headings[0]
        assert all(head in text for text in texts), f"{name}: the head of the table is on every page"
    assert paper.title.upper() in " ".join(texts[0].split()), f"{name}: Vietnamese letters are read back"


@pytest.mark.large
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
def test_every_paper_opens_in_libreoffice_with_the_pages_it_says_and_every_row_is_in_every_format(
    sample_site: Site, tmp_path: Path
) -> None:
    made = built(sample_site)
    files = {}
    for number, (name, paper) in enumerate(made.items()):
        files[name] = tmp_path / f"{number}.docx"
        files[name].write_bytes(exporting.write(paper, "docx"))
        looked_at(exporting.write(paper, "pdf"), paper, name)
        if paper.blocks:
            (tmp_path / "book.xlsx").write_bytes(exporting.write(paper, "xlsx"))
            book = CalamineWorkbook.from_path(str(tmp_path / "book.xlsx"))
            read = [len(book.get_sheet_by_index(place).to_python()) - 1 for place in range(len(paper.blocks))]
            assert (name, read) == (name, [len(block.rows) for block in paper.blocks])
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path / "opened")]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("DOCCTL_")}
    listed = [str(file) for file in files.values()]
    subprocess.run([*command, *listed], env=environ, check=True, capture_output=True, timeout=280)
    for name, file in files.items():
        looked_at((tmp_path / "opened" / f"{file.stem}.pdf").read_bytes(), made[name], name)
    print(f"\n{len(made)} papers as .docx in LibreOffice and as .pdf: pages as they say, heads repeated")
    assert len(made) > 15
