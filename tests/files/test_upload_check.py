"""Which files are taken, and what a person reads when one is not."""

import struct
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from docctl.files import check as rules
from docctl.files.check import check, clean_name
from docctl.files.kinds import Kind
from docctl.rules import Refused, Sentence

Maker = Callable[..., Path]


def refusal(path: Path, name: str | None = None) -> Sentence:
    with pytest.raises(Refused) as refused:
        check(path, name or path.name)
    assert refused.value.field == "file"
    return refused.value.sentence


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_real_documents_of_every_kind_are_taken(shared_data: Path) -> None:
    procedures = sorted((shared_data / "vn-iso-procedures").rglob("*.doc"))
    assert [check(path, path.name) for path in procedures] == [Kind.DOC] * 38
    for name, kind in {
        "vn-official/SRC-F/07_LUAT_LuatPCCC_L27QH.DOC": Kind.DOC,
        "vn-official/SRC-F/22_THONG_TU_Thong tu 150.2020.TT_BCA.PDF": Kind.PDF,
        "qms-forms/QF-0003_DocumentChangeOrderForm.docx": Kind.DOCX,
        "qms-forms/NCR_Log.xlsx": Kind.XLSX,
        "qms-md/QMS/Quality-Policy.md": Kind.MD,
        "vn-legacy-encoding/tcvn3/2003-A28.rtf": Kind.RTF,
        "vn-legacy-encoding/tcvn3/2006-download.xls": Kind.XLS,
        "nasty/tika/testODFwithOOo3.odt": Kind.ODT,
    }.items():
        assert check(shared_data / name, Path(name).name) == kind


def test_upper_case_extensions_are_the_same_extensions(docx: Maker) -> None:
    assert check(docx(), "QUY TRÌNH 01.DOCX") == Kind.DOCX


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "a.docx", b"")) == rules.EMPTY


@pytest.mark.parametrize("name", ["a.zip", "a.rar"])
def test_an_archive_is_to_be_unpacked_first(tmp_path: Path, name: str) -> None:
    assert refusal(write(tmp_path / name, b"PK\x03\x04")) == rules.ARCHIVE


def test_a_picture_is_to_become_a_pdf(tmp_path: Path) -> None:
    assert "PDF" in refusal(write(tmp_path / "scan.JPG", b"\xff\xd8\xff\xe0")).vi


@pytest.mark.parametrize("name", ["setup.exe", "slides.pptx", "noextension"])
def test_other_files_are_refused_with_the_list_of_those_taken(tmp_path: Path, name: str) -> None:
    sentence = refusal(write(tmp_path / name, b"x"))
    assert ".docx" in sentence.vi
    assert ".docx" in sentence.en


def test_a_program_is_not_taken_under_the_name_of_a_document(tmp_path: Path) -> None:
    assert "a program" in refusal(write(tmp_path / "quy trinh.docx", b"MZ" + b"\0" * 4000)).en


def test_a_pdf_named_docx_is_to_be_renamed(pdf: Maker) -> None:
    sentence = refusal(pdf("x"), "quy trinh.docx")
    assert sentence.vi.startswith("Tệp có đuôi .docx nhưng nội dung là tệp PDF; hãy đổi đuôi tệp thành .pdf")
    assert "is a PDF; rename it to end in .pdf" in sentence.en


def test_a_real_law_with_the_wrong_extension_is_to_be_renamed(shared_data: Path) -> None:
    (path,) = (shared_data / "vn-official").rglob("06_LUAT*.docx")
    assert ".doc " in refusal(path).vi


def test_a_real_web_page_saved_as_pdf_is_refused(shared_data: Path) -> None:
    (path,) = (shared_data / "vn-official").rglob("*TCVN 13878*.pdf")
    assert "a web page" in refusal(path).en


@pytest.mark.parametrize(
    "name",
    ["poi/PasswordProtected.doc", "tika/testWORD_protected_passtika.docx", "tika/testODTEncrypted.odt"],
)
def test_a_file_with_a_password_is_refused(shared_data: Path, name: str) -> None:
    assert refusal(shared_data / "nasty" / name) == rules.LOCKED


def test_a_pdf_with_a_password_is_refused(pdf: Maker) -> None:
    # The key of no empty password: the values are noise, so nothing but the unknown password opens it.
    locked = f"<</Filter/Standard/V 1/R 2/O<{'41' * 32}>/U<{'42' * 32}>/P -4>>"
    path = pdf("secret", trailer="/Encrypt 6 0 R/ID[<00><00>]", objects=(locked,))
    assert refusal(path) == rules.LOCKED


def test_a_workbook_with_a_password_is_refused(compound: Maker) -> None:
    globals_ = struct.pack("<HHHH", 0x0809, 4, 0x0600, 5)
    locked = compound({"Workbook": globals_ + struct.pack("<HHHHH", 0x2F, 6, 0, 0, 0)}, name="a.xls")
    assert refusal(locked) == rules.LOCKED
    assert check(compound({"Workbook": globals_ + struct.pack("<HH", 0x0A, 0)}, name="b.xls"), "b.xls") == Kind.XLS


def test_macros_are_refused_in_new_and_old_files(docx: Maker, compound: Maker, shared_data: Path) -> None:
    assert refusal(docx(**{"word/vbaProject.bin": b"x"})) == rules.MACROS
    assert refusal(docx(kind="ms-word.document.macroEnabled")) == rules.MACROS
    assert refusal(shared_data / "nasty" / "tika" / "testWORD_macros.docm", "renamed.docx") == rules.MACROS
    assert refusal(compound({"WordDocument": b""}, inside=("Macros", "VBA", "dir"))) == rules.MACROS


def test_a_bomb_is_seen_before_it_is_inflated(docx: Maker) -> None:
    path = docx(**{"word/media/a.bmp": b"\0" * (300 << 20)})
    assert path.stat().st_size < 1 << 20
    assert refusal(path) == rules.BOMB


@pytest.mark.parametrize("part", ["../../x", "/etc/x", "word\\..\\..\\x", "C:/x"])
def test_a_part_that_leads_out_of_its_folder_is_refused(docx: Maker, part: str) -> None:
    assert refusal(docx(**{part: "x"})) == rules.UNSAFE


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_parts_of_one_name_are_refused_because_two_programs_would_show_two_documents(docx: Maker) -> None:
    assert "damaged" in refusal(docx(**{"word/document.xml": "<other/>"})).en


def test_a_cut_file_is_called_incomplete(docx: Maker, pdf: Maker, tmp_path: Path) -> None:
    whole = docx("<w:p><w:r><w:t>nội dung</w:t></w:r></w:p>").read_bytes()
    assert "chưa đầy đủ" in refusal(write(tmp_path / "cut.docx", whole[:-100])).vi
    assert "chưa đầy đủ" in refusal(write(tmp_path / "cut.pdf", pdf("x").read_bytes()[:40])).vi


@pytest.mark.parametrize("filling", [b"\0", b"\xff", b"\x01\0\0\0"])
def test_a_compound_file_of_rubbish_is_reported_and_not_followed(tmp_path: Path, filling: bytes) -> None:
    data = bytes.fromhex("d0cf11e0a1b11ae1") + filling * 9000
    assert "damaged" in refusal(write(tmp_path / "a.doc", data)).en


def test_a_chain_of_sectors_that_runs_in_a_circle_is_not_followed(compound: Maker, tmp_path: Path) -> None:
    data = bytearray(compound({"WordDocument": b""}).read_bytes())
    struct.pack_into("<I", data, 512 + 4 * 3, 3)  # The first sector of the stream is followed by itself.
    assert "damaged" in refusal(write(tmp_path / "circle.doc", bytes(data))).en


def test_binary_data_is_no_text(tmp_path: Path) -> None:
    assert "unknown kind" in refusal(write(tmp_path / "a.txt", b"abc\0def")).en
    assert check(write(tmp_path / "b.txt", "Quy trình".encode("utf-16")), "b.txt") == Kind.TXT


def test_a_name_is_kept_in_composed_letters_without_path_or_hidden_characters() -> None:
    decomposed = unicodedata.normalize("NFD", "Quy trình số 1.doc")
    assert clean_name(decomposed) == "Quy trình số 1.doc"
    assert clean_name("C:\\hồ sơ\\a b.pdf") == "a b.pdf"
    assert clean_name("../../etc/passwd.txt") == "passwd.txt"
    assert clean_name("hóa đơn\u202efdp.exe\u202c.docx") == "hóa đơnfdp.exe.docx"
    assert clean_name("a\0\n\tb\u200b.md") == "a b.md"


def test_a_long_name_keeps_its_extension_and_whole_letters() -> None:
    name = clean_name("ố" * 400 + ".docx")
    assert name.endswith("ố.docx")
    assert len(name.encode()) <= rules.MAX_NAME


@pytest.mark.parametrize("name", ["", "   ", "/", "..", "\u202e", "a/"])
def test_a_file_without_a_name_is_to_be_named(name: str) -> None:
    with pytest.raises(Refused):
        clean_name(name)
