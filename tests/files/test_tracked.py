"""Tracked changes and comments are found, and settled one way or the other; the file as it came stays as it is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from docctl.files import tracked
from docctl.files.kinds import Kind
from docctl.files.readers import read

BODY = (
    '<w:p><w:r><w:t xml:space="preserve">Thời hạn </w:t></w:r>'
    '<w:del w:id="1"><w:r><w:delText>05</w:delText></w:r></w:del><w:ins w:id="2"><w:r><w:t>03</w:t></w:r></w:ins>'
    '<w:r><w:t xml:space="preserve"> ngày</w:t></w:r></w:p>'
)
COMMENTED = '<w:p><w:commentRangeStart w:id="0"/><w:r><w:t>Mục 1</w:t></w:r><w:commentRangeEnd w:id="0"/><w:r><w:commentReference w:id="0"/></w:r></w:p>'
JOINED = '<w:p><w:pPr><w:rPr><w:del w:id="3"/></w:rPr></w:pPr><w:r><w:t>Một</w:t></w:r></w:p><w:p><w:r><w:t>hai</w:t></w:r></w:p>'
MOVED = (
    '<w:p><w:moveFrom w:id="4"><w:r><w:t>Đoạn</w:t></w:r></w:moveFrom><w:r><w:t>A</w:t></w:r></w:p>'
    '<w:p><w:r><w:t>B</w:t></w:r><w:moveTo w:id="5"><w:r><w:t>Đoạn</w:t></w:r></w:moveTo></w:p>'
)
BOLD = (
    '<w:p><w:r><w:rPr><w:b/><w:rPrChange w:id="6"><w:rPr><w:i/></w:rPr></w:rPrChange></w:rPr><w:t>Chữ</w:t></w:r></w:p>'
)
ROW = '<w:tbl><w:tr><w:trPr><w:del w:id="7"/></w:trPr><w:tc><w:p><w:r><w:t>Hàng cũ</w:t></w:r></w:p></w:tc></w:tr></w:tbl><w:p/>'

Docx = Callable[..., Path]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("<w:p><w:r><w:t>Sạch</w:t></w:r></w:p>", tracked.Marks(0, 0)),
        (BODY, tracked.Marks(2, 0)),
        (COMMENTED, tracked.Marks(0, 1)),
        (BODY + COMMENTED + BOLD, tracked.Marks(3, 1)),
    ],
)
def test_they_are_counted(docx: Docx, body: str, found: tracked.Marks) -> None:
    assert tracked.look(docx(body), Kind.DOCX) == found
    assert bool(found) is (found != tracked.Marks())


@pytest.mark.parametrize(
    ("body", "accepted", "refused"),
    [
        (BODY, "Thời hạn 03 ngày", "Thời hạn 05 ngày"),
        (JOINED, "Mộthai", "Một\nhai"),
        (MOVED, "A\nBĐoạn", "ĐoạnA\nB"),
        (ROW + BODY, "Thời hạn 03 ngày", "Hàng cũ\n\nThời hạn 05 ngày"),
        (COMMENTED, "Mục 1", "Mục 1"),
    ],
    ids=["words", "paragraphs", "moved", "rows", "comments"],
)
def test_they_are_settled_either_way(docx: Docx, tmp_path: Path, body: str, accepted: str, refused: str) -> None:
    source = docx(body)
    before = source.read_bytes()
    for accept, wanted in ((True, accepted), (False, refused)):
        target = tmp_path / f"{accept}.docx"
        tracked.settle(source, target, accept=accept)
        assert read(target, Kind.DOCX).text == wanted
        assert not tracked.look(target, Kind.DOCX)
    assert source.read_bytes() == before


def test_a_refused_change_of_looks_brings_the_old_looks_back(docx: Docx, tmp_path: Path) -> None:
    import zipfile

    for accept, kept, gone in ((True, b"<w:b/>", b"<w:i/>"), (False, b"<w:i/>", b"<w:b/>")):
        target = tmp_path / f"{accept}.docx"
        tracked.settle(docx(BOLD), target, accept=accept)
        document = zipfile.ZipFile(target).read("word/document.xml")
        assert kept in document
        assert gone not in document


def test_an_rtf_with_changes_is_noticed_too(tmp_path: Path) -> None:
    file = tmp_path / "a.rtf"
    file.write_bytes(rb"{\rtf1 {\revised\revauth1 moi}{\deleted cu}{\*\annotation x}}")
    assert tracked.look(file, Kind.RTF) == tracked.Marks(2, 1)
    file.write_bytes(rb"{\rtf1 {\revisions4 moi}}")
    assert not tracked.look(file, Kind.RTF)


def test_the_sample_of_another_project_in_every_format(shared_data: Path) -> None:
    tika = shared_data / "nasty" / "tika"
    counted = {
        file.name: tracked.look(file, Kind(file.suffix[1:]))
        for file in tika.glob("test*.*")
        if file.suffix in (".docx", ".odt")
    }
    assert counted["testWORD_features.docx"].tracked > 0
    assert counted["testComment.docx"].comments == 1
