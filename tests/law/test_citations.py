"""Citations found by reading: every way of writing a number, and the measure against 150 citations marked by hand."""

from collections import Counter
from pathlib import Path

import pytest

from docctl import citations

MARKED = Path(__file__).parent / "citations.tsv"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Nghị định số 123/2015/NĐ-CP ngày 15/11/2015 của Chính phủ", ["123/2015/NĐ-CP"]),
        ("Luật Hộ tịch số 60/2014/QH13", ["60/2014/QH13"]),
        ("Luật Hộ tịch năm 2014 (Luật số 60/2014/QH13)", ["60/2014/QH13"]),
        ("Luật Hộ tịch năm 2014; Bộ luật Dân sự 2015", ["Luật Hộ tịch 2014", "Bộ luật Dân sự 2015"]),
        ("hướng dẫn Luật Hôn nhân và gia đình và Nghị định này", ["Luật Hôn nhân và gia đình"]),
        ("các Nghị định số 158/2005/NĐ-CP, 06/2012/NĐ-CP", ["158/2005/NĐ-CP", "06/2012/NĐ-CP"]),
        ("Thông tư số 01, 02 và 03/2020/TT-BTP", ["01/2020/TT-BTP", "02/2020/TT-BTP", "03/2020/TT-BTP"]),
        (
            "các Thông tư từ số 01/2020/TT-BTP đến số 04/2020/TT-BTP",
            ["01/2020/TT-BTP", "02/2020/TT-BTP", "03/2020/TT-BTP", "04/2020/TT-BTP"],
        ),
        ("Nghị định số 83/1998/NĐ.CP; Nghị định số 123 / 2015 / NĐ – CP", ["83/1998/NĐ.CP", "123/2015/NĐ–CP"]),
        ("Nghị định 84-CP và Quyết định số 217-HĐBT", ["84-CP", "217-HĐBT"]),
        ("nghị định 123/2015/nđ-cp", ["123/2015/nđ-cp"]),
        ("Thông tư liên tịch số 01/2008/TTLT-TANDTC-VKSNDTC;", ["01/2008/TTLT-TANDTC-VKSNDTC"]),
        ("Nghị quyết số 326/2016/UBTVQH14 và 522b/NQ-UBTVQH13", ["326/2016/UBTVQH14", "522b/NQ-UBTVQH13"]),
        ("theo TCVN ISO 9001:2015, quy trình QT 01/CX-HCTP, biểu mẫu BM-02/TT-HT", ["TCVN ISO 9001:2015"]),
        ("theo quy định của pháp luật, sinh ngày 01/01/2016, hồ sơ số 12/2022", []),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, found: list[str]):
    assert sorted(citation.label for citation in citations.read(text)) == sorted(found)


def test_numbers_are_one_whatever_their_accents_dashes_and_case():
    keys = {citations.number_key(n) for n in ("83/1998/NĐ.CP", "83/1998/NĐ-CP", "83/1998/nd – cp", "83/1998/ND‑CP")}
    assert keys == {"83/1998/ND-CP"}


def test_at_least_95_of_100_marked_citations_of_real_procedures_are_found_and_95_of_100_found_are_marked(
    shared_data: Path,
):
    rows = [line.split("\t") for line in MARKED.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    marked = Counter((name, citations.number_key(number)) for name, _, number in rows)
    places = {(name, int(offset)) for name, offset, _ in rows}
    assert marked.total() >= 100
    found: Counter[tuple[str, str]] = Counter()
    overlapping = 0
    for name in {name for name, _, _ in rows}:
        text = (shared_data / "vn-iso-procedures" / "_text" / name).read_text(encoding="utf-8")
        for citation in citations.read(text):
            found[name, citations.number_key(citation.label.replace(" năm ", " "))] += 1
            overlapping += any(place[0] == name and citation.start <= place[1] < citation.end for place in places)
    marked = Counter({(name, key.replace("NAM", "", 1)): n for (name, key), n in marked.items()})
    right = (marked & found).total()
    print(f"marked {marked.total()}, found {found.total()}, right {right}, at their places {overlapping}")
    assert right / marked.total() >= 0.95, marked - found
    assert right / found.total() >= 0.95, found - marked
    assert overlapping / found.total() >= 0.95
