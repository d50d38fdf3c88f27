"""Vietnamese text: one analysis that never fails and never depends on how the same letters were stored."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docctl import text

anything = st.text(st.characters(), max_size=200)  # Lone surrogates, controls and all.
vietnamese = st.text("aăâeêioôơuưyđĐÀáẢãẠặQUÝquýhoàHÒA nNgGtT./-01\u0300\u0301\u0323\u200b\u00a0", max_size=60)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hoà bình", "hòa bình"),
        ("Uỷ ban", "Ủy ban"),
        ("thuý", "thúy"),
        ("khoẻ", "khỏe"),
        ("Ðăng ký", "Đăng ký"),
        ("đăng\u00a0ký", "đăng ký"),
        ("quy\u00adtrình", "quytrình"),
        ("tr\u200bình", "trình"),
        ("QUY TRÌNH", unicodedata.normalize("NFD", "quy trình")),
    ],
)
def test_two_ways_to_write_a_word_are_one_word(one, other):
    assert [token[:2] for token in text.tokens(one)] == [token[:2] for token in text.tokens(other)]


@pytest.mark.parametrize(("one", "other"), [("bán", "bản"), ("đất", "dất"), ("tư", "tu"), ("trinh", "trình")])
def test_words_that_differ_in_accents_differ_in_their_exact_form_only(one, other):
    assert text.tokens(one)[0].folded == text.tokens(other)[0].folded
    assert text.tokens(one)[0].exact != text.tokens(other)[0].exact


def test_folding_takes_accents_and_case_off_and_makes_d_of_đ():
    assert text.fold("Đăng ký lại KHAI SINH – Ủy ban") == "dang ky lai khai sinh – uy ban"


@pytest.mark.parametrize(
    ("code", "alike"),
    [
        ("2545/QĐ-UBND", "2545/qd-ubnd"),
        ("QT 01/CX-HCTP", "qt01/cx-hctp"),
        ("QT 01/CX-HCTP", "QT\u00a001 / CX\u2013HCTP"),
        ("QÐ 5", "QĐ5"),
    ],
)
def test_codes_are_the_same_whatever_accents_spaces_and_dashes(code, alike):
    assert text.code_key(code) == text.code_key(alike)


def test_codes_that_differ_in_a_zero_stay_different_keys():
    assert text.code_key("QT 01/CX") != text.code_key("QT 1/CX")


@pytest.mark.parametrize(
    ("code", "typed"),
    [
        ("QT 01/CX-HCTP", "QT 01/CX-HCTP"),
        ("QT 01/CX-HCTP", "qt1"),
        ("QT 01/CX-HCTP", "QT-01-CX"),
        ("QT 01/CX-HCTP", "cx.hctp"),
        ("QT-TP.01/U003", "U3"),
        ("QT-TP.01/U003", "tp.1"),
        ("QT-TP.01/U003", "QT-TP.01/U003"),
        ("2545/QĐ-UBND", "2545/qd"),
    ],
)
def test_a_document_is_found_by_its_code_whole_in_prefixes_and_in_parts(code, typed):
    assert text.whole_code(typed) in text.code_terms(code)


@pytest.mark.parametrize("typed", ["2545/QĐ-UBND", "2545/qd", "2545", "ubnd"])
def test_a_code_inside_a_text_is_found_whole_in_prefixes_and_in_parts(typed):
    words = text.terms("Căn cứ Quyết định số 2545/QĐ-UBND của Ủy ban").words
    assert (text.whole_code(typed) if text.is_code(typed) else text.fold(typed)) in words


def test_a_code_written_with_a_space_is_found_without_it():
    assert "qt-1-cx-hctp" in text.terms("xem quy trình QT 01/CX-HCTP kèm theo").words


def test_a_name_keeps_its_words_and_loses_what_cannot_be_seen():
    assert text.clean_name(" Quy\ntrình\u202e \u200bTP\x00.docx") == "Quy trình TP.docx"
    assert text.clean_name(unicodedata.normalize("NFD", "Ðơn đề nghị")) == "Đơn đề nghị"


def test_a_snippet_marks_the_words_with_every_accent_and_shows_where_most_of_them_stand():
    body = "Mở đầu. " * 100 + "Hồ sơ đăng ký lại khai sinh gồm có tờ khai. " + "Kết thúc. " * 100
    pieces = text.snippet(body, "dang ky lai khai sinh", width=120)
    assert ("đăng ký lại khai sinh", True) in pieces
    assert sum(len(piece) for piece, _ in pieces) < 160


def test_a_snippet_of_a_text_without_the_words_is_its_beginning_unmarked():
    assert text.snippet("Một văn bản ngắn.", "không có") == [("Một văn bản ngắn.", False)]
    assert text.snippet("", "gì cũng được") == []


def marked(body, *ways, width=240):
    """Return what is marked of a text."""
    return [piece for piece, mark in text.passage(body, ways[0], width, ways[1:]).pieces if mark]


def test_words_typed_with_accents_are_marked_with_these_accents_only():
    assert marked("Công chức Tư pháp làm thủ tục khai tử.", "khai tử") == ["khai tử"]
    assert marked("Văn bản của uỷ ban, tư vấn cho Ủy ban.", "ủy ban") == ["uỷ ban", "Ủy ban"]
    assert marked("Tư pháp: ai khai cho người tử nạn.", "khai tử") == ["khai", "tử"]
    assert marked("Bản sao, ban ngành, bán hàng.", "bán") == ["bán"]


def test_typed_accents_that_stand_nowhere_in_a_passage_leave_the_words_marked():
    assert marked("Công chức Tư pháp khai báo.", "khai tử") == ["Tư", "khai"]
    assert marked("Giấy phép, giấy tờ.", "giấy phep") == ["Giấy phép"]
    assert marked("Tư pháp khai tư ở đây.", "khai tử") == ["khai tư"]


def test_where_the_whole_question_stands_no_lone_word_is_marked():
    body = "Ông Đạt làm đúng hẹn: quyền sử dụng\n đất của ông Dũng, và Quyền sử dụng đất khác."
    assert marked(body, "quyen su dung dat") == ["quyền sử dụng đất", "Quyền sử dụng đất"]
    assert marked("Ông Đạt dùng đất.", "quyen su dung dat") == ["Đạt dùng đất"]
    assert marked("Bản sao, ban ngành.", "ban") == ["Bản", "ban"]


def test_other_words_for_the_same_are_marked_as_the_question_is():
    body = "Ông Đạt có quyền sử dụng đất (QSDĐ)."
    for ways in (("quyen su dung dat", "QSDĐ"), ("qsdd", "quyền sử dụng đất")):
        assert marked(body, *ways) == ["quyền sử dụng đất", "QSDĐ"], ways


def test_the_place_of_a_passage_is_that_of_its_first_mark():
    body = "Ông Đạt làm đúng hẹn. " * 3 + "_" * 50 + " Quyền sử dụng đất."
    passage = text.passage(body, "quyen su dung dat")
    assert passage.found
    assert passage.start == body.index("Quyền")
    assert not text.passage(body, "hoàn toàn khác").found


@pytest.mark.parametrize("filler", ["_" * 87, "." * 4, "……", "…..", "- - - -", "_ _ _\n_ _ _", ". . . . . . ."])
def test_what_is_to_be_filled_in_is_shown_as_one_sign(filler):
    shown = "".join(
        piece for piece, _ in text.snippet(f"Họ và tên: {filler} Nơi khai sinh: {filler} Số: 5", "ho va ten")
    )
    assert shown == "Họ và tên: … Nơi khai sinh: … Số: 5"


def test_words_behind_a_long_line_of_a_form_are_marked_too():
    assert marked(f"Chứng thực: {'.' * 400} Số chứng thực: {'_' * 300} Hết.", "chung thuc") == [
        "Chứng thực",
        "chứng thực",
    ]


@pytest.mark.parametrize("written", ["Xem mục 1...", "QT--01", "Năm 2022 – 2025.", "Hồ sơ … và"])
def test_dots_and_dashes_of_a_sentence_stay(written):
    assert text.snippet(written, "khai") == [(written, False)]


def test_a_cover_full_of_lines_shows_the_words_behind_them():
    body = "_" * 87 + "\n" + "." * 400 + "\nQUY TRÌNH CHỨNG THỰC " + "\t_____" * 30 + " ỦY BAN NHÂN DÂN"
    for typed in ("không có gì", "chung thuc"):
        shown = "".join(piece for piece, _ in text.snippet(body, typed))
        assert "QUY TRÌNH CHỨNG THỰC" in shown, typed
        assert "ỦY BAN NHÂN DÂN" in shown, typed
        assert "__" not in shown, typed
        assert "… …" not in shown, typed


def test_the_second_pass_puts_the_typed_accents_first():
    candidates = [
        text.Candidate(1, 9.0, "", "Cấp bản sao", "Cấp bản sao giấy khai sinh."),
        text.Candidate(2, 5.0, "", "Hộ kinh doanh", "Nơi bán sáo trúc."),
    ]
    assert [key for key, _ in text.second_pass("bán sáo", candidates)] == [2, 1]
    assert [key for key, _ in text.second_pass("ban sao", candidates)] == [1, 2]


def test_the_second_pass_puts_the_code_before_the_title_and_the_title_before_the_body():
    candidates = [
        text.Candidate(1, 9.0, "QT 02", "Một quy trình", "Xem QT 01 khi cần."),
        text.Candidate(2, 8.0, "QT 03", "Hướng dẫn áp dụng QT 01", ""),
        text.Candidate(3, 7.0, "QT 01", "Một quy trình khác", ""),
    ]
    assert [key for key, _ in text.second_pass("QT 01", candidates)] == [3, 2, 1]


TWO_PLACEMENTS = [
    ("hoà giải", "hòa giải"),
    ("toà án", "tòa án"),
    ("hoá chất", "hóa chất"),
    ("uỷ ban", "ủy ban"),
    ("sức khoẻ", "sức khỏe"),
    ("thuỷ lợi", "thủy lợi"),
    ("xã Ðức Hoà", "xã Đức Hòa"),
]


@pytest.mark.parametrize(("old", "new"), TWO_PLACEMENTS)
def test_old_and_new_tone_placement_have_the_same_merits(old, new):
    candidates = [
        text.Candidate(1, 9.0, "QT 01", "Một quy trình", f"Về {new} ở cơ sở."),
        text.Candidate(2, 9.0, "QT 02", "Một quy trình", f"Về {old.upper()} ở cơ sở."),
        text.Candidate(3, 9.0, "QT 03", f"Quy trình {old}", "Nội dung."),
        text.Candidate(4, 9.0, "QT 04", f"Quy trình {new}", "Nội dung."),
        text.Candidate(5, 9.0, "QT 05", "Một quy trình", f"Về {text.fold(new)} ở cơ sở."),
    ]
    judged = dict(text.second_pass(old, candidates))
    assert judged == dict(text.second_pass(new, candidates))
    assert judged[1] == judged[2] > judged[5]
    assert judged[3] == judged[4]


@pytest.mark.parametrize(("typed", "other"), [("hòa", "hóa"), ("ủy", "úy"), ("hoan", "hoàn"), ("toán", "toàn")])
def test_another_tone_is_another_word_wherever_it_stands(typed, other):
    assert text.has_exactly(f"chữ {typed} ở đây", typed)
    assert not text.has_exactly(f"chữ {other} ở đây", typed)


@given(
    st.sampled_from(["", "h", "ngh", "Đ", "QU", "x"]),
    st.sampled_from(["oa", "oe", "uy", "UY"]),
    st.sampled_from("\u0300\u0301\u0303\u0309\u0323"),
    st.sampled_from([str, str.upper, str.lower]),
)
def test_a_word_is_found_exactly_wherever_its_tone_stands(onset, vowels, tone, way):
    old = text.nfc(onset + vowels + tone)
    new = text.nfc(onset + vowels[0] + tone + vowels[1])
    for typed, stored in ((old, new), (new, old), (old, old), (new, new)):
        assert text.has_exactly(f"chữ {way(stored)} ở đây", typed)
        assert text.has_exactly(f"{way(stored)} {way(stored)}", f"{typed} {typed}")


@given(anything | vietnamese)
def test_folding_twice_is_folding_once_and_composition_does_not_matter(written):
    assert text.fold(text.fold(written)) == text.fold(written)
    assert text.fold(unicodedata.normalize("NFD", written)) == text.fold(unicodedata.normalize("NFC", written))


@given(anything | vietnamese)
def test_exact_forms_codes_and_names_settle_at_once(written):
    assert text.exact(text.exact(written)) == text.exact(written)
    assert text.code_key(text.code_key(written)) == text.code_key(written)
    assert text.clean_name(text.clean_name(written)) == text.clean_name(written)


@given(anything | vietnamese)
def test_tokens_and_terms_do_not_depend_on_composition(written):
    composed, apart = (unicodedata.normalize(form, written) for form in ("NFC", "NFD"))
    assert text.tokens(composed) == text.tokens(apart)
    assert text.terms(composed) == text.terms(apart)
    assert text.code_terms(composed) == text.code_terms(apart)


@given(anything | vietnamese)
def test_the_place_of_a_token_is_where_it_stands(written):
    composed = text.nfc(written)
    for token in text.tokens(written):
        assert text.tokens(composed[token.start : token.end])[0][:2] == token[:2]


@given(anything | vietnamese, anything | vietnamese)
def test_nothing_typed_or_stored_makes_a_snippet_or_the_second_pass_fail(written, typed):
    for piece, _ in text.snippet(written, typed, width=40):
        assert piece
    text.second_pass(typed, [text.Candidate(1, 1.0, typed, written, written), text.Candidate(2, 0.0, "", "", "")])
    text.phrase_in(written, typed)


@given(st.lists(st.sampled_from(["đăng", "ký", "khai", "sinh", "hồ", "sơ", "và", "\n", "."]), max_size=60))
def test_a_snippet_is_a_passage_of_the_text(words):
    written = " ".join(words)
    shown = "".join(piece for piece, _ in text.snippet(written, "ho so khai", width=30))
    rest = " ".join(written.split())
    for part in shown.split("…"):  # Where a run of dots was, too, the text goes on behind it.
        assert part.strip() in rest
        rest = rest[rest.index(part.strip()) :]
