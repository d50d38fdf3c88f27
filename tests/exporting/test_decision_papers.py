"""A decision of 181 lines on paper: Word and PDF agree on the pages, and every line stands in the annex once."""

import io
import os
import re
import shutil
import subprocess
from pathlib import Path

import pypdfium2
import pytest
from docx import Document as Word

from docctl import audit, clock, decisions, exporting
from docctl.decisions import Decision, Line
from docctl.documents import Document
from docctl.exporting import decisions as papers
from docctl.revisions import Revision
from docctl.site import Site
from tests.conftest import Cast
from tests.nouns.conftest import made


@pytest.fixture
def decided(site: Site, cast: Cast) -> int:
    found = made(site, cast, 40, 30)
    with site.database.writing() as session:
        controller, approver = cast.reader(session, "controller"), cast.reader(session, "approver")
        lines = [Line("issue", revision=session.get_one(Revision, row)) for row in found.approved]
        lines += [Line("withdraw", document=session.get_one(Document, row), reason="Bãi bỏ.") for row in found.standing]
        given = {"number": "2804/QĐ-UBND", "signed_on": clock.today(), "effective_from": clock.today()}
        decision = decisions.draft(
            session,
            by=controller,
            title="Về việc ban hành tài liệu",
            signer_form="TM.",
            lines=lines,
            **given,  # type: ignore[arg-type]
        )
        decisions.check(session, decision, by=controller)
        decisions.sign(session, decision, by=approver, signing=cast.signing(session, "approver"))
        decisions.execute(session, decision, by=controller)
        return decision.id


def pages_of(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def written(site: Site, cast: Cast, decision_id: int, name: str, format: str) -> bytes:
    with site.database.reading() as session:
        row, by = session.get_one(Decision, decision_id), cast.reader(session, "controller")
        return exporting.write(papers.paper(session, row, name, by=by, locale="vi"), format)


def test_the_annex_as_pdf_has_every_line_once_and_the_head_of_the_trail_on_each_page(
    site: Site, cast: Cast, decided: int
) -> None:
    pages = pages_of(written(site, cast, decided, "annex-1", "pdf"))
    assert sorted(re.findall(r"(?:MOI|CU)-\d+", "".join(pages))) == sorted(
        [*(f"MOI-{n}" for n in range(40)), *(f"CU-{n}" for n in range(30))]
    )
    with site.database.reading() as session:
        head = audit.head(session)
    for number, text in enumerate(pages, start=1):
        assert f"Trang {number}/{len(pages)}" in text
        assert head.hash in re.sub(r"\s", "", text)


def test_the_decision_bears_its_number_its_signing_block_and_three_articles(
    site: Site, cast: Cast, decided: int
) -> None:
    word = Word(io.BytesIO(written(site, cast, decided, "decision", "docx")))
    said = "\n".join([p.text for p in word.paragraphs] + [c.text for t in word.tables for r in t.rows for c in r.cells])
    assert "2804/QĐ-UBND" in said
    assert "Ban hành 40 tài liệu, hủy bỏ 30 tài liệu" in said
    assert "TM. ỦY BAN NHÂN DÂN MẪU" in said
    assert [said.count(f"Điều {n}.") for n in (1, 2, 3)] == [1, 1, 1]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("name", ["decision", "annex-1"])
def test_the_word_document_renders_to_the_page_count_it_says(
    site: Site, cast: Cast, decided: int, tmp_path: Path, name: str
) -> None:
    source = tmp_path / f"{name}.docx"
    source.write_bytes(written(site, cast, decided, name, "docx"))
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)})
    pages = pages_of((tmp_path / f"{name}.pdf").read_bytes())
    assert pages
    for number, text in enumerate(pages, start=1):
        assert f"Trang {number}/{len(pages)}" in text
