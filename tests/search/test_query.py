"""What somebody types is read as words, phrases, codes and exclusions, and nothing typed is an error."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docctl.search import MOST_WORDS, Query, Word


def test_words_without_accents_ask_for_no_accents():
    assert Query.parse("Quy trinh").words == (Word("quy"), Word("trinh"))


def test_typed_accents_are_kept_beside_the_folded_word():
    (word,) = Query.parse("BÁN").words
    assert (word.folded, bool(word.exact)) == ("ban", True)


@pytest.mark.parametrize("typed", ['"đăng ký lại"', "“đăng ký lại”", "«đăng ký lại»"])
def test_quoted_words_are_a_phrase_whatever_the_quotes(typed):
    assert Query.parse(typed).pairs == ("dang ky", "ky lai")


def test_a_code_is_one_word():
    assert Query.parse("2545/QĐ-UBND").words == (Word("2545-qd-ubnd"),)


def test_words_joined_by_a_dash_without_a_number_are_words():
    assert Query.parse("QĐ-UBND").words[0].folded == "qd"


@pytest.mark.parametrize("typed", ["code:QT-01", "mã:qt01", 'code:"QT 01"'])
def test_a_code_can_be_asked_for_by_name(typed):
    assert Query.parse(typed).codes == (Word("qt-1"),)


def test_a_minus_excludes_and_is_not_marked():
    query = Query.parse('khai sinh -tử -"lưu động"')
    assert [word.folded for word in query.without.words] == ["tu"]
    assert query.without.pairs == ("luu dong",)
    assert query.completed("khai tử") == 'khai tử -tử -"lưu động"'
    assert Query.parse("khai –tử").without == Query.parse("khai -tử").without
    assert Query.parse('khai -"lưu động').without.phrases == ("lưu động",)
    assert query.without.shown == ("tử", '"lưu động"')
    assert query.text == "khai sinh"


def test_a_minus_leaves_out_a_unit_a_type_and_a_beginning_of_codes():
    without = Query.parse("khai sinh -unit:TP -loại:BM -code:QT-NV").without
    assert (without.units, without.types, without.codes) == (("TP",), ("BM",), (Word("qt-nv"),))
    assert (without.words, without.phrases) == ((), ())


@pytest.mark.parametrize("typed", ["unit: TP khai sinh", "đơn vị: TP khai sinh", "khai sinh unit:TP"])
def test_a_space_after_the_colon_changes_nothing(typed):
    query = Query.parse(typed)
    assert (query.units, query.text) == (("TP",), "khai sinh")
    assert Query.parse("code: QT-01").codes == Query.parse("code:QT-01").codes


@pytest.mark.parametrize(
    "typed",
    [
        "QT-TP-15 QT-TP-16",
        "QT-TP-15; QT-TP-16 QT-TP-15",
        "QT-TP-15 và QT-TP-16",
        "QT-TP-15 hoặc qt.tp.16",
        '"QT-TP-15" "QT-TP-16"',
    ],
)
def test_several_codes_and_nothing_else_mean_any_of_them(typed):
    assert [way.words for way in Query.parse(typed).ways] == [(Word("qt-tp-15"),), (Word("qt-tp-16"),)]


def test_several_codes_by_name_or_with_a_space_mean_any_of_them_too():
    assert [way.codes for way in Query.parse("code:QT-1 code:QT-2").ways] == [(Word("qt-1"),), (Word("qt-2"),)]
    spaced = Query.parse("QT 01/CX-HCTP QT 02/CX-HCTP")
    assert [way.text for way in spaced.ways] == ["QT 01/CX-HCTP", "QT 02/CX-HCTP"]
    assert Query.parse("QT-TP-15 khai sinh").also == ()


@pytest.mark.parametrize(
    "typed",
    [
        "quyết định số 12/QĐ-UBND",
        "Quyết định số 12 /QĐ-UBND ngày 01/03/2024",
        "căn cứ Quyết định số 12/QĐ - UBND",
        "số 12/qđ-ubnd, ngày 1.3.2024",
    ],
)
def test_a_decision_is_asked_for_by_its_number_whatever_stands_around_it(typed):
    assert Query.parse(typed).words == (Word("12-qd-ubnd"),)
    assert [word.folded for word in Query.parse(f"{typed} khai sinh").words] == ["12-qd-ubnd", "khai", "sinh"]


@pytest.mark.parametrize("part", ["-AB", " - AB", "-ab", " -AB", "1/", "số ", "căn cứ ", '-"a', "code:"])
def test_no_long_question_takes_long_to_read(part):
    began = time.process_time()
    for typed in (f"1/QĐ{part * 160}1", f"{part * 160}1/QĐ-UBND!", part * 160):
        Query.parse(typed)
    assert time.process_time() - began < 1


def test_a_dash_behind_a_decision_joins_no_words_to_it():
    assert [word.folded for word in Query.parse("12/QĐ-UBND - Đăng ký").words] == ["12-qd-ubnd", "dang", "ky"]


def test_a_word_goes_on_after_three_letters_only():
    assert Query.parse("khai*").words == (Word("khai", prefix=True),)
    assert Query.parse("k*").words == (Word("k"),)


@pytest.mark.parametrize("typed", ["", "   ", '"', "*", "-", "code:", '""', "-*", "()", "AND", "[a TO b]", "^2 ~"])
def test_what_other_engines_choke_on_is_words_or_nothing(typed):
    query = Query.parse(typed)
    assert query.pairs == ()
    assert not query or query.words


@given(st.text(st.characters(), max_size=200) | st.text('"-*: mãcode:“”khai1/', max_size=60))
def test_nothing_typed_is_an_error(typed):
    query = Query.parse(typed)
    assert len(query.words) <= MOST_WORDS
    assert isinstance(query.neighbours, tuple)
