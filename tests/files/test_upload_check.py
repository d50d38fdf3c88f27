"""Which files are taken, and what a person reads when one is not."""

import io
import struct
import unicodedata
import zipfile
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest

from docctl.files import check as rules
from docctl.files import macros
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


def png(width: int, height: int) -> bytes:
    return b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">II", width, height) + b"\x08\x02\0\0\0"


def zipped(**parts: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    return made.getvalue()


INSIDE = {
    "archive": (("word/embeddings/a.zip", b"PK\x05\x06" + b"\0" * 18), ("word/embeddings/b.bin", b"Rar!\x1a\x07")),
    "program": (("word/media/x.png", b"MZ\x90\0" + b"\0" * 60), ("word/embeddings/setup.exe", b"data")),
    "macros": (("word/embeddings/a.docm", b"data"), ("word/embeddings/b.bin", zipped(**{"xl/vbaProject.bin": b"x"}))),
    "picture": (("word/media/a.png", png(60_000, 60_000)),),
}


@pytest.mark.parametrize(("what", "name", "data"), [(what, *part) for what, parts in INSIDE.items() for part in parts])
def test_what_no_document_needs_inside_is_refused_by_name(docx: Maker, what: str, name: str, data: bytes) -> None:
    sentence = refusal(docx(**{name: data}))
    assert sentence == rules.INSIDE[what].fill(part=name.rpartition("/")[2])


def test_what_documents_do_hold_inside_is_taken(docx: Maker) -> None:
    sheet = zipped(**{"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": b"<x/>"})
    parts = {
        "word/media/a.png": png(6_000, 6_000),
        "word/embeddings/a.xlsx": sheet,
        "word/embeddings/b.bin": b"\xd0\xcf",
    }
    assert check(docx(**parts), "a.docx") == Kind.DOCX


def test_a_program_that_the_packager_put_in_is_found_by_its_name(docx: Maker) -> None:
    def packed(name: bytes) -> bytes:
        return b"\xd0\xcf" + "\x01Ole10Native".encode("utf-16-le") + b"\0\0" + name + b"\0C:\\" + name + b"\0data"

    assert refusal(docx(**{"word/embeddings/o.bin": packed(b"setup.EXE")})) == rules.INSIDE["program"].fill(
        part="o.bin"
    )
    assert check(docx(**{"word/embeddings/o.bin": packed(b"bang tinh.xls")}), "a.docx") == Kind.DOCX


def test_one_file_is_not_two(docx: Maker, pdf: Maker, tmp_path: Path) -> None:
    whole = pdf("x").read_bytes()
    for name, data in {
        "page-then.pdf": b"<html>x</html>" + whole,
        "zip-after.pdf": whole + zipped(a=b"x"),
    }.items():
        assert refusal(write(tmp_path / name, data)) == rules.TWO_FILES.fill(label=Kind.PDF.label), name
    both = write(tmp_path / "both.docx", docx().read_bytes() + whole)
    assert refusal(both) == rules.TWO_FILES.fill(label=Kind.DOCX.label)
    assert check(write(tmp_path / "blank.pdf", b"\xef\xbb\xbf\r\n" + whole), "blank.pdf") == Kind.PDF
    assert check(write(tmp_path / "tail.docx", docx().read_bytes() + b"\0\0"), "tail.docx") == Kind.DOCX


def test_a_text_that_speaks_of_pdf_is_a_text(tmp_path: Path) -> None:
    assert check(write(tmp_path / "a.md", b"A PDF begins with `%PDF-1.7`."), "a.md") == Kind.MD


def test_a_pdf_of_too_many_pages_is_to_be_split(pdf: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MAX_PAGES", 2)
    assert check(pdf("1", "2"), "a.pdf") == Kind.PDF
    assert refusal(pdf("1", "2", "3")) == rules.TOO_MANY_PAGES.fill(n=3, most=2)


def script(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OpenAction = pikepdf.Dictionary(S=pikepdf.Name.JavaScript, JS=pikepdf.String("app.alert(1)"))


def launch(pdf: pikepdf.Pdf) -> None:
    link = pikepdf.Dictionary(A=pikepdf.Dictionary(S=pikepdf.Name.Launch, F=pikepdf.String("cmd.exe")))
    pdf.pages[0].Annots = pikepdf.Array([pdf.make_indirect(link)])


def attached(name: str, data: bytes) -> Callable[[pikepdf.Pdf], None]:
    def attach(pdf: pikepdf.Pdf) -> None:
        pdf.attachments[name] = pikepdf.AttachedFileSpec(pdf, data, filename=name)

    return attach


@pytest.mark.parametrize(
    ("act", "what"),
    [
        (script, "script"),
        (launch, "launch"),
        (attached("setup.exe", b"data"), "program"),
        (attached("a.txt", b"MZ\x90\0"), "program"),
        (attached("a.zip", b"PK\x05\x06"), "archive"),
    ],
)
def test_a_pdf_that_acts_or_brings_programs_is_to_be_printed_anew(
    pdf: Maker, tmp_path: Path, act: Callable[[pikepdf.Pdf], None], what: str
) -> None:
    made = tmp_path / "acts.pdf"
    with pikepdf.open(pdf("x")) as opened:
        act(opened)
        # Packed object streams hide the words from whoever only looks for them in the bytes.
        opened.save(made, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert refusal(made) == rules.PDF_ACTS[what]


def test_a_pdf_with_links_and_an_attached_sheet_is_taken(pdf: Maker, tmp_path: Path) -> None:
    made = tmp_path / "quiet.pdf"
    with pikepdf.open(pdf("x")) as opened:
        link = pikepdf.Dictionary(A=pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String("https://example.org")))
        opened.pages[0].Annots = pikepdf.Array([link])
        attached("bang.csv", b"a,b")(opened)
        opened.save(made)
    assert check(made, "quiet.pdf") == Kind.PDF


def vba(source: bytes, compiled: int = 800) -> bytes:
    """Return a module stream: what was compiled, then the source as one literal chunk of MS-OVBA's packing."""
    packed = b"".join(b"\0" + source[at : at + 8] for at in range(0, len(source), 8))
    return b"\xaa" * compiled + b"\x01" + struct.pack("<H", 0xB000 | (len(packed) - 1)) + packed


def test_a_macro_project_without_a_line_of_code_is_no_macro(shared_data: Path) -> None:
    path = shared_data / "vn-legacy-encoding" / "tcvn3" / "2005-34448_Data_08-2005_Website.xls"
    assert check(path, path.name) == Kind.XLS  # Excel left empty modules in it.


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (vba(b'Attribute VB_Name = "A"\r\nOption Explicit\r\n'), False),
        (vba(b'Attribute VB_Name = "A"\r\nSub AutoOpen()\r\nEnd Sub\r\n'), True),
        (vba(b'Attribute VB_Name = "A"\r\n', compiled=9000), True),  # The source was taken out, the compiled part left.
        (b"\0" * 100, True),
    ],
)
def test_a_module_has_code_or_not(stream: bytes, code: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    class Fake:
        names = frozenset(["Macros/VBA/A", "Macros/VBA/dir"])

        def read(self, name: str, limit: int) -> bytes:
            return stream

    assert macros.has_code(Fake()) is code  # type: ignore[arg-type]


def test_a_sheet_of_old_macros_is_a_macro(compound: Maker) -> None:
    def book(kind: int) -> bytes:
        globals_ = struct.pack("<HHHH", 0x0809, 4, 0x0600, 5)
        sheet = struct.pack("<HHIBB", 0x85, 8, 0, 0, kind) + b"\x01\0A"
        return globals_ + sheet.ljust(12, b"\0") + struct.pack("<HH", 0x0A, 0)

    assert check(compound({"Workbook": book(0)}, name="a.xls"), "a.xls") == Kind.XLS
    assert refusal(compound({"Workbook": book(1)}, name="b.xls")) == rules.MACROS
