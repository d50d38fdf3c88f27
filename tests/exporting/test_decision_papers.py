"""A decision of 181 lines on paper: Word and PDF agree on the pages, and every line stands in the annex once."""

import io
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from docx import Document as Word

from docctl import audit, clock, decisions, documents, exporting, people, recall, revisions, units
from docctl.decisions import Decision, Line
from docctl.distribution import lists
from docctl.documents import Document
from docctl.exporting import decisions as papers
from docctl.exporting import master_list
from docctl.register import Asked
from docctl.revisions import Revision
from docctl.site import Site
from tests.conftest import Cast, Made, decide, keep
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


def test_annexes_2_and_3_name_every_controlled_copy_before_the_decision_is_executed_and_after(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    with site.database.writing() as session:
        by, kind = cast.reader(session, "controller"), documents.find_type(session, "QT")
        lists.add(session, by=by, type=kind, target="own_unit", medium="paper", copies=2, reads=False)
        person = people.find(session, "staff")
        lists.add(session, by=by, type=kind, target="person", person=person, medium="paper", copies=1)
    old = make_revision("in_force")
    later = make_revision("approved", document_id=old.document_id)
    gone = make_revision("in_force", title="Quy trình thứ hai")

    def rows(decision_id: int, name: str) -> list[list[Any]]:
        with site.database.reading() as session:
            row, by = session.get_one(Decision, decision_id), cast.reader(session, "controller")
            (block,) = papers.paper(session, row, name, by=by, locale="vi").blocks
            return [list(each) for each in block.rows]

    made_out = "001/003, 002/003: Phòng Tư pháp (giấy)\n003/003: Chức danh staff (giấy)"
    checked = decide(site, cast, issue=[later.id], withdraw=[gone.document_id], on=clock.today(), until="check")
    before = rows(checked, "annex-2"), rows(checked, "annex-3")
    assert [row[5] for row in before[0]] == [made_out] * 2
    assert [(row[5], row[6]) for row in before[1]] == [(made_out, 1)]
    with site.database.writing() as session:
        row, signing = session.get_one(Decision, checked), cast.signing(session, "approver")
        decisions.sign(session, row, by=cast.reader(session, "approver"), signing=signing)
        decisions.execute(session, row, by=cast.reader(session, "controller"))
    assert (rows(checked, "annex-2"), rows(checked, "annex-3")) == before
    with site.database.writing() as session:
        by, (found,) = cast.reader(session, "controller"), recall.all_recalls(session)
        for line in recall.lines_of(session, found):
            recall.settle(session, found, line.copy, by=by, lost="Mất.")
    assert rows(checked, "annex-2") == before[0], "what came back stays on the list of what was asked back"


def test_the_master_list_names_the_forms_of_each_procedure(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    for code, title in (("QT-HT-05", "Quy trình"), ("QT-HT-051", "Quy trình khác"), ("QT-HT-07", "Không biểu mẫu")):
        make_revision("in_force", code=code, title=title)
    with site.database.writing() as session:
        by, unit = cast.reader(session, "controller"), units.find(session, "TP")
        for code in ("BM-QT-HT-05-01", "BM-QT-HT-05-02", "BM-QT-HT-051-01", "BM-99"):
            kind = documents.find_type(session, "BM")
            form = documents.add(session, by=by, title="Tờ khai", code=code, type=kind, unit=unit)
            given = {"title": form.title, "content": keep(site, session, code), "file_name": "t.txt", "source": code}
            revisions.import_in_force(
                session, form, by=by, edition=1, amendment=0, decision="1/QĐ",
                effective_from=clock.midnight(date(2020, 1, 1)), **given,
            )  # fmt: skip
        paper = master_list.build(session, Asked(), by=by, locale="vi")
    forms = {row[1]: row[10] for row in paper.blocks[0].rows}
    assert forms["QT-HT-05"] == "BM-QT-HT-05-01; BM-QT-HT-05-02"
    assert forms["QT-HT-051"] == "BM-QT-HT-051-01"
    assert {forms["QT-HT-07"], forms["BM-99"], forms["BM-QT-HT-05-01"]} == {""}
