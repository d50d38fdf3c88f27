"""Texts typed in the fonts of before Unicode read as Vietnamese; every other text stays as it is."""

import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from docctl.files import convert, legacy, readers
from docctl.files.extract import Extracted, extract_batch
from docctl.files.kinds import Kind
from docctl.files.readers import NotExtractable, read

ENOUGH = 0.95
_WORDS = re.compile(r"[^\W\d_]+")


def accented(text: str) -> Counter[str]:
    """Return the words of a text that have a letter beyond ASCII; capitals do not count, as small ones stand for them."""
    words = _WORDS.findall(unicodedata.normalize("NFC", text).lower())
    return Counter(word for word in words if not word.isascii())


def accuracy(text: str, transcript: str) -> float:
    """Return the share of the transcript's words with accents that the text has, letter for letter."""
    wanted, got = accented(transcript), accented(text)
    return sum(min(times, got[word]) for word, times in wanted.items()) / max(1, wanted.total())


def test_tcvn3_and_vni_read_as_vietnamese() -> None:
    wanted = "Cộng hòa xã hội chủ nghĩa Việt Nam\nĐộc lập - Tự do - Hạnh phúc\nCăn cứ Nghị định của Chính phủ về hưởng trợ cấp"
    tcvn3 = "Céng hßa x· héi chñ nghÜa ViÖt Nam\n§éc lËp - Tù do - H¹nh phóc\nC¨n cø NghÞ ®Þnh cña ChÝnh phñ vÒ h\xadëng trî cÊp"
    vni = "Coäng hoøa xaõ hoäi chuû nghóa Vieät Nam\nÑoäc laäp - Töï do - Haïnh phuùc\nCaên cöù Nghò ñònh cuûa Chính phuû veà höôûng trôï caáp"
    assert legacy.read(tcvn3) == (wanted, ("tcvn3",), False)
    assert legacy.read(vni) == (wanted, ("vni",), False)


def test_a_word_in_capitals_stays_in_capitals() -> None:
    assert legacy.convert("NGHÞ §ÞNH CH¦¥NG II", legacy.TCVN3) == "NGHỊ ĐỊNH CHƯƠNG II"


def test_two_fonts_in_one_text_are_told_apart_line_by_line() -> None:
    lines = [
        "Tªn ®¬n vÞ lËp b¸o c¸o cña ngµnh",
        "Teân ñôn vò laäp baùo caùo cuûa ngaønh",
        "Đơn vị lập báo cáo của ngành",
    ] * 4
    found = legacy.read("\n".join(lines))
    assert set(found.text.split("\n")) == {"Tên đơn vị lập báo cáo của ngành", "Đơn vị lập báo cáo của ngành"}
    assert set(found.encodings) == {"tcvn3", "vni"}


@pytest.mark.parametrize(
    "text",
    [
        "Quy trình tiếp nhận và trả kết quả giải quyết thủ tục hành chính tại bộ phận một cửa.",
        "Le système qualité doit être révisé; l'équipe a été formée à l'été où le contrôle a échoué.",
        "Система менеджмента качества. Документированная процедура управления документами.",
        "§ 5 Abs. 2: Die Prüfung muß schriftlich bestätigt werden, größere Änderungen früher.",
        "Plain English, with ½ a dozen § signs ± some · dots and a ® mark.",
        "",
    ],
)
def test_every_other_text_stays_as_it_is(text: str) -> None:
    assert legacy.read(text) == (text, (), False)


def test_a_font_that_nobody_knows_is_labelled_and_not_searched(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("Kho¿ng n£m tr§ïc c¿c c¢ng vi¤c ¥ã ¥§ïc giªi quy¬t thŠt nhi™u lÂn r¥i " * 5)
    with pytest.raises(NotExtractable) as refused:
        read(path, Kind.TXT)
    assert refused.value.sentence == readers.UNKNOWN_FONT


def test_a_plain_text_file_in_tcvn3_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("Céng hßa x· héi chñ nghÜa ViÖt Nam, ®éc lËp tù do h¹nh phóc".encode("cp1252"))
    assert read(path, Kind.TXT).text == "Cộng hòa xã hội chủ nghĩa Việt Nam, độc lập tự do hạnh phúc"


@pytest.mark.large
@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice in its sandbox is not here")
def test_all_real_legacy_files_reach_their_transcripts(shared_data: Path) -> None:
    folder = shared_data / "vn-legacy-encoding"
    paths = [path for name in ("tcvn3", "vni") for path in sorted((folder / name).iterdir())]
    assert len(paths) == 31
    found = extract_batch({path: Kind(path.suffix[1:].lower()) for path in paths})
    reached = {}
    for path, result in found.items():
        assert isinstance(result, Extracted), path.name
        assert path.parent.name in result.encodings, path.name
        transcript = (folder / "ground-truth" / f"{path.stem}.txt").read_text(encoding="utf-8")
        reached[path.name] = accuracy(result.text, transcript)
    print({name: round(share, 3) for name, share in reached.items()})
    assert {name: share for name, share in reached.items() if share < ENOUGH} == {}


@pytest.mark.large
@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice in its sandbox is not here")
def test_no_real_unicode_file_is_taken_for_a_legacy_one(shared_data: Path) -> None:
    paths = [
        path
        for folder in ("vn-iso-procedures", "vn-official", "qms-forms", "qms-md")
        for path in sorted((shared_data / folder).rglob("*.*"))
        if path.suffix.lower() in {".doc", ".docx", ".xlsx", ".md", ".pdf"}
    ]
    assert len(paths) > 100
    found = extract_batch({path: Kind(path.suffix[1:].lower()) for path in paths})
    assert [path.name for path, result in found.items() if isinstance(result, Extracted) and result.encodings] == []
