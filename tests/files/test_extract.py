"""What text is read out of files, and that a hostile file harms nobody."""

import re
import subprocess
import time
import unicodedata
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from random import Random

import docx as python_docx
import pytest
import xlsxwriter

from docctl.files import convert, extract, readers
from docctl.files.check import check
from docctl.files.extract import Extracted, extract_batch, extract_in_worker
from docctl.files.kinds import Kind
from docctl.files.process import run_and_kill
from docctl.files.readers import NotExtractable, decode, read
from docctl.rules import Refused

Maker = Callable[..., Path]

needs_office = pytest.mark.skipif(
    convert.available() is not None, reason=f"no conversion here: {getattr(convert.available(), 'en', '')}"
)


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def test_a_document_of_a_word_processor_gives_paragraphs_and_tables_in_order(tmp_path: Path) -> None:
    document = python_docx.Document()
    document.add_paragraph("MỤC ĐÍCH")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Mã hiệu", "QT 01"
    document.add_paragraph("PHẠM VI")
    document.sections[0].header.paragraphs[0].text = "ỦY BAN NHÂN DÂN"
    document.sections[0].footer.paragraphs[0].text = "Trang cuối"
    path = tmp_path / "a.docx"
    document.save(str(path))
    assert read(path, Kind.DOCX).text.split("\n") == [
        "ỦY BAN NHÂN DÂN", "MỤC ĐÍCH", "Mã hiệu", "QT 01", "PHẠM VI", "Trang cuối",
    ]  # fmt: skip


def test_text_boxes_are_read_once_and_tracked_deletions_not_at_all(docx: Maker) -> None:
    box = f"<w:txbxContent><w:p>{run('trong khung')}</w:p></w:txbxContent>"
    body = (
        f"<w:p>{run('một')}<mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict>{box}</w:pict></mc:Fallback></mc:AlternateContent></w:p>"
        f"<w:p><w:del>{run('đã xóa')}<w:r><w:delText>đã xóa</w:delText></w:r></w:del><w:ins>{run('mới thêm')}</w:ins></w:p>"
        f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p>{run('dòng xóa')}</w:p></w:tc></w:tr></w:tbl>"
    )
    assert read(docx(body), Kind.DOCX).text == "một\ntrong khung\n\nmới thêm"


def test_decomposed_letters_come_out_composed(docx: Maker) -> None:
    text = read(docx(f"<w:p>{run(unicodedata.normalize('NFD', 'Quy trình'))}</w:p>"), Kind.DOCX).text
    assert text == "Quy trình"
    assert unicodedata.is_normalized("NFC", text)


def test_an_entity_is_never_read(docx: Maker, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("bí mật")
    part = f'<!DOCTYPE d [<!ENTITY x SYSTEM "file://{secret}">]><w:hdr xmlns:w="w"><w:p><w:t>&x;</w:t></w:p></w:hdr>'
    with pytest.raises(NotExtractable) as refused:
        read(docx(**{"word/header1.xml": part}), Kind.DOCX)
    assert refused.value.sentence == readers.UNREADABLE


def test_every_sheet_of_a_workbook_is_read_row_by_row(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name, cell in (("Danh mục", "QT 01"), ("Biểu mẫu", "BM 01")):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["STT", "Mã"])
            sheet.write_row(1, 0, [1, cell])
    assert read(path, Kind.XLSX).text == "Danh mục\nSTT\tMã\n1\tQT 01\nBiểu mẫu\nSTT\tMã\n1\tBM 01"


def test_pages_of_a_pdf_are_parted_by_form_feeds(pdf: Maker) -> None:
    assert extract_in_worker(pdf("first page", "second page"), Kind.PDF) == Extracted("first page\fsecond page", "pdf")


def test_plain_text_is_decoded_by_its_mark_then_as_utf8_then_as_the_vietnamese_code_page() -> None:
    assert decode(b"\xef\xbb\xbf" + "Quy trình".encode()) == "Quy trình"
    assert decode("Quy trình".encode("utf-16")) == "Quy trình"
    assert unicodedata.normalize("NFC", decode(b"\xd0\xf5n v\x69\xf2")) == "Đơn vị"


def test_a_scan_says_that_it_has_no_text(shared_data: Path) -> None:
    found = extract_in_worker(shared_data / "nasty" / "tika" / "testOCR.pdf", Kind.PDF)
    assert (found.text, found.scans) == ("", (1,))


def test_a_text_beyond_all_measure_is_left_out_of_the_search(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * (readers.MAX_CHARACTERS + 1))
    with pytest.raises(NotExtractable) as refused:
        extract_in_worker(path, Kind.TXT)
    assert refused.value.sentence == readers.TOO_LONG


def test_a_file_that_takes_too_long_is_stopped_and_said_so(pdf: Maker) -> None:
    started = time.monotonic()
    with pytest.raises(NotExtractable) as refused:
        extract_in_worker(pdf("x"), Kind.PDF, timeout=0.001)
    assert refused.value.sentence == extract.TOO_SLOW.fill(seconds=1)
    assert time.monotonic() - started < 5


def test_a_file_that_takes_too_much_memory_is_stopped_and_said_so(docx: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extract, "MEMORY", 250 << 20)
    rows = f"<w:p>{run('0')}</w:p>" * 400_000
    path = docx(rows + "".join(f"<!--{n:09}-->" for n in range(600_000)))
    with pytest.raises(NotExtractable) as refused:
        extract_in_worker(path, Kind.DOCX)
    assert refused.value.sentence in (extract.TOO_HEAVY, readers.UNREADABLE)


def test_a_child_that_overstays_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    command = ["/bin/sh", "-c", f"(sleep 2; touch '{mark}') & sleep 30"]
    assert run_and_kill(command, timeout=0.5) is None
    time.sleep(2.2)
    assert not mark.exists()


def test_the_worker_does_not_see_the_secrets_of_its_caller(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[dict[str, str]] = []
    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda *a, **k: (seen.append(dict(k["env"])), real(*a, **k))[1])
    monkeypatch.setenv("DOCCTL_SECRET_KEY", "s3cret")
    (tmp_path / "a.txt").write_text("x")
    extract_in_worker(tmp_path / "a.txt", Kind.TXT)
    assert set(seen[0]) == {"PYTHONPATH", "LANG", "PATH"}


@pytest.mark.timeout(120)
def test_every_nasty_file_ends_in_a_text_or_in_a_sentence(shared_data: Path) -> None:
    kinds: dict[Path, Kind] = {}
    refused: dict[Path, Refused] = {}
    paths = [path for path in sorted((shared_data / "nasty").rglob("*")) if path.is_file()]
    for path in paths:
        try:
            kinds[path] = check(path, path.name)
        except Refused as refusal:
            refused[path] = refusal
    assert all(refusal.sentence.vi and refusal.sentence.en for refusal in refused.values())
    assert len(refused) > 5
    results = extract_batch(kinds, timeout=30)
    assert results.keys() == kinds.keys()
    for path, result in results.items():
        assert isinstance(result, (Extracted, NotExtractable)), path
    texts = {path.name: result.text for path, result in results.items() if isinstance(result, Extracted)}
    assert texts["md5-1.docx"] == "YES"
    assert texts["md5-2.docx"] == "NO"
    assert "This text is inside of a text box in the header of the document." in texts["testWORD_text_box.docx"]
    assert "poc-xmlbomb.xlsx" not in texts


@needs_office
def test_old_formats_pass_through_libreoffice_in_one_run(shared_data: Path) -> None:
    folder = shared_data / "nasty" / "tika"
    sheet = shared_data / "vn-legacy-encoding" / "tcvn3" / "2006-download.xls"
    files = {
        folder / "testWORD6.doc": Kind.DOC,
        folder / "testRTFHexEscapeInsideWord.rtf": Kind.RTF,
        sheet: Kind.XLS,
    }
    results = extract_batch(files)
    texts = {path.name: result.text for path, result in results.items() if isinstance(result, Extracted)}
    assert texts["testWORD6.doc"] == "The quick brown fox jumps over the lazy dog"
    assert texts["testRTFHexEscapeInsideWord.rtf"] == "GOVERNO DO ESTADO DO ESPÍRITO SANTO"
    assert len(texts["2006-download.xls"]) > 2000


@needs_office
def test_a_file_that_libreoffice_cannot_read_costs_the_others_nothing(shared_data: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.rtf"
    broken.write_bytes(b"{\\rtf1 " + b"{" * 200_000)
    whole = shared_data / "nasty" / "tika" / "testWORD6.doc"
    results = extract_batch({broken: Kind.RTF, whole: Kind.DOC}, timeout=20)
    assert isinstance(results[whole], Extracted)
    assert isinstance(results[broken], NotExtractable)


@needs_office
def test_the_sandbox_has_no_network_no_home_and_no_way_to_write_elsewhere(tmp_path: Path) -> None:
    work = convert._workplace(tmp_path)
    probe = "cat /proc/net/dev; ls /root /home /etc/passwd; touch /usr/x /box/in/x && echo written; env"
    command = [*convert._sandbox(work, 10), "/bin/sh", "-c", f"({probe}) > /box/out/seen 2>&1"]
    run_and_kill(command, timeout=20)
    seen = (work / "out" / "seen").read_text()
    interfaces = [
        line.split(":")[0].strip() for line in seen.splitlines() if ":" in line and line.split(":")[1].split()
    ]
    assert "lo" in interfaces
    assert "eth0" not in seen
    assert seen.count("No such file or directory") == 3
    assert "written" not in seen


def test_without_libreoffice_the_reason_is_said(shared_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    convert.available.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    try:
        assert convert.available() == convert.NO_OFFICE
        path = shared_data / "nasty" / "tika" / "testRTFHexEscapeInsideWord.rtf"
        with pytest.raises(NotExtractable) as refused:
            extract_in_worker(path, Kind.RTF)
        assert refused.value.sentence == convert.NO_OFFICE
    finally:
        convert.available.cache_clear()


def test_without_a_sandbox_nothing_is_converted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, script in (("soffice", "exit 0"), ("bwrap", "exit 1")):
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    convert.available.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path))
    try:
        assert convert.available() == convert.NO_SANDBOX
    finally:
        convert.available.cache_clear()


def test_without_libreoffice_all_real_doc_files_are_still_read(shared_data: Path) -> None:
    paths = sorted((shared_data / "vn-iso-procedures").rglob("*.doc"))
    texts = [read(path, Kind.DOC).text for path in paths]
    assert len(texts) == 38
    for path, text in zip(paths, texts, strict=True):
        other = (shared_data / "vn-iso-procedures" / "_text").joinpath(*path.parts[-2:]).with_suffix(".txt")
        words, wanted = (set(re.findall(r"[^\W\d_]{2,}", t)) for t in (text, readers.tidy(decode(other.read_bytes()))))
        assert len(wanted - words) <= 0.01 * len(wanted), path.name
    with pytest.raises(NotExtractable):
        read(shared_data / "nasty" / "tika" / "testWORD6.doc", Kind.DOC)


def test_a_doc_file_from_before_word_97_names_the_missing_libreoffice(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert.available.cache_clear()
    monkeypatch.setenv("PATH", "/nonexistent")
    try:
        with pytest.raises(NotExtractable) as refused:
            extract_in_worker(shared_data / "nasty" / "tika" / "testWORD6.doc", Kind.DOC)
        assert refused.value.sentence == convert.NO_OFFICE
        procedure = next((shared_data / "vn-iso-procedures").rglob("01. *.doc"))
        assert "Mã hiệu: QT 01/CX-HCTP" in extract_in_worker(procedure, Kind.DOC).text
    finally:
        convert.available.cache_clear()


@needs_office
def test_what_is_tracked_as_deleted_is_not_read_from_a_doc_file_either(docx: Maker, tmp_path: Path) -> None:
    deleted = (
        "<w:del w:id='1' w:author='a' w:date='2020-01-01T00:00:00Z'><w:r><w:delText>đã xóa</w:delText></w:r></w:del>"
    )
    body = f"<w:p>{run('giữ lại')}{deleted}{run(' tiếp theo')}</w:p>".replace("<w:t>", "<w:t xml:space='preserve'>")
    work = convert._workplace(tmp_path / "work")
    docx(body, name="work/in/a.docx")
    # The working folder of the sandbox is where results go.
    make = [convert._office(), "-env:UserInstallation=file:///box/profile", "--convert-to", "doc:MS Word 97"]
    run_and_kill([*convert._sandbox(work, 60), *make, "/box/in/a.docx"], timeout=60)
    made = work / "out" / "a.doc"
    assert "đã xóa".encode("utf-16-le") in made.read_bytes()
    assert read(made, Kind.DOC).text == "giữ lại tiếp theo"
    assert extract_in_worker(made, Kind.DOC) == Extracted("giữ lại tiếp theo", "libreoffice")


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_doc_file_ends_in_a_sentence_or_a_text(shared_data: Path, tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    data = bytearray(next((shared_data / "vn-iso-procedures").rglob("30. *.doc")).read_bytes())
    for _ in range(60):
        at = random.choice((random.randrange(512), random.randrange(512, 3000), random.randrange(len(data))))
        data[at] = random.choice((0, 1, 0xFF, random.randrange(256)))
    path = tmp_path / "a.doc"
    path.write_bytes(data[: random.choice((len(data), random.randrange(8, len(data))))])
    try:
        check(path, path.name)
        read(path, Kind.DOC)
    except (Refused, NotExtractable) as refusal:
        assert refusal.sentence.vi  # noqa: PT017 (either end is right, any other exception is not)


def test_rows_of_tables_keep_their_cells(docx: Maker) -> None:
    cells = "".join(f"<w:tc><w:p>{run(word)}</w:p></w:tc>" for word in ("1", "Tiếp nhận", ""))
    found = read(
        docx(f"<w:p>{run('Trước')}</w:p><w:tbl><w:tr>{cells}</w:tr></w:tbl><w:p>{run('Sau')}</w:p>"), Kind.DOCX
    )
    assert found.text == "Trước\n1\nTiếp nhận\n\nSau"
    (row,) = found.rows
    assert [found.text[a:b].strip() for a, b in pairwise(row)] == ["1", "Tiếp nhận", ""]


def test_a_table_inside_a_cell_belongs_to_the_cell(docx: Maker) -> None:
    inner = f"<w:tbl><w:tr><w:tc><w:p>{run('trong')}</w:p></w:tc></w:tr></w:tbl>"
    cells = f"<w:tc><w:p>{run('ngoài')}</w:p>{inner}</w:tc><w:tc><w:p>{run('cạnh')}</w:p></w:tc>"
    found = read(docx(f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"), Kind.DOCX)
    assert [[found.text[a:b].split() for a, b in pairwise(row)] for row in found.rows] == [
        [["ngoài", "trong"], ["cạnh"]]
    ]


def test_headings_are_known_by_their_outline_level_own_or_inherited(docx: Maker) -> None:
    styles = (
        '<w:styles xmlns:w="w"><w:style w:styleId="H1"><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
        '<w:style w:styleId="Muc"><w:basedOn w:val="H1"/></w:style></w:styles>'
    )
    body = "".join(
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/></w:pPr>{run(words)}</w:p>'
        for style, words in (("Muc", "1. Mục đích"), ("Thường", "Đoạn văn."), ("H1", ""), ("H1", "2. Phạm vi"))
    )
    found = read(docx(body, **{"word/styles.xml": styles}), Kind.DOCX)
    assert [(heading.level, heading.title) for heading in found.headings] == [(1, "1. Mục đích"), (1, "2. Phạm vi")]
    assert [found.text[heading.start :].split("\n")[0] for heading in found.headings] == ["1. Mục đích", "2. Phạm vi"]


def test_headings_of_markdown_and_of_bookmarks_are_known(tmp_path: Path, pdf: Maker) -> None:
    path = tmp_path / "a.md"
    path.write_text("# Mục đích\n\nĐoạn.\n\n```\n# không phải đề mục\n```\n\n## Phạm vi\n")
    assert [(h.level, h.title) for h in read(path, Kind.MD).headings] == [(1, "# Mục đích"), (2, "## Phạm vi")]
    outline = ("<</First 9 0 R/Last 9 0 R/Count 1>>", "<</Title(Scope)/Parent 8 0 R/Dest[6 0 R/Fit]>>")
    marked = pdf("First page", "Scope of it", trailer="", objects=outline)
    data = marked.read_bytes().replace(b"/Catalog/Pages 2 0 R", b"/Catalog/Outlines 8 0 R/Pages 2 0 R")
    marked.write_bytes(data)
    found = extract_in_worker(marked, Kind.PDF)
    assert [(h.level, found.text[h.start :]) for h in found.headings] == [(1, "Scope of it")]


def test_marks_that_a_hostile_text_brings_along_mean_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\x01\x02một\x03\x11hai")
    assert read(path, Kind.TXT) == readers.Reading("mộthai")
