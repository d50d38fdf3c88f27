"""A redline shows what changed, where, and how: by paragraph, by word, by accent, and by place."""

import random
import time

from docctl.redline import Entry, Layout, blocks, changed_sections, compare, forgotten

OLD = """1. Mục đích
Quy trình này quy định cách tiếp nhận hồ sơ của phòng.
5.2. Trình tự giải quyết
Thời hạn giải quyết là 05 ngày làm việc kể từ ngày nhận đủ hồ sơ.
Công chức tiếp nhận ghi vào sổ theo dõi trong ngày.
6. Lưu trữ
Hồ sơ được lưu tại phòng trong hai năm."""


def redline(old: str, new: str) -> list[Entry]:
    return compare(blocks(old), blocks(new))


def told(entries: list[Entry]) -> list[tuple[str, str, str]]:
    """Return every piece that is not the same, in order."""
    return [tuple(piece) for entry in entries for cell in entry.cells for piece in cell if piece.op != "same"]


def sides(entries: list[Entry]) -> tuple[list[str], list[str]]:
    """Return both texts as the redline shows them."""
    old = ["".join(p.old for p in e.cells[0]) for e in entries if e.old and e.kind != "moved_to"]
    new = ["".join(p.new for p in e.cells[0]) for e in entries if e.new]
    return old, new


def test_a_changed_term_is_shown_word_by_word_in_its_section() -> None:
    entries = redline(OLD, OLD.replace("05 ngày", "03 ngày"))
    assert told(entries) == [("removed", "05", ""), ("added", "", "03")]
    (section,) = changed_sections(entries)
    assert (section.section.number, section.counts) == ("5.2", {"changed": 1})


def test_words_in_a_row_are_one_change() -> None:
    assert told(redline("Hồ sơ nộp tại bộ phận một cửa.", "Hồ sơ nộp tại trung tâm hành chính một cửa.")) == [
        ("removed", "bộ phận", ""),
        ("added", "", "trung tâm hành chính"),
    ]


def test_a_change_of_accents_only_is_called_that() -> None:
    (entry,) = redline("Người làm viêc nhận hồ sơ.", "Người làm việc nhận hồ sơ.")
    assert entry.kind == "accents"
    assert told([entry]) == [("accents", "viêc", "việc")]
    (other,) = redline("Người làm việc nhận hồ sơ.", "NGƯỜI làm việc nhận hồ sơ.")
    assert other.kind == "changed"


def test_decomposed_letters_are_no_change() -> None:
    import unicodedata

    assert {entry.kind for entry in redline(OLD, unicodedata.normalize("NFD", OLD))} == {"same"}


def test_added_and_removed_paragraphs_stand_in_their_place() -> None:
    added = "Bổ sung bước thẩm định thực tế trước khi trình ký."
    new = OLD.replace("6. Lưu trữ", f"{added}\n6. Lưu trữ").replace(
        "\nQuy trình này quy định cách tiếp nhận hồ sơ của phòng.", ""
    )
    entries = redline(OLD, new)
    assert [entry.kind for entry in entries] == ["same", "removed", "same", "same", "same", "added", "same", "same"]


def test_a_moved_paragraph_is_shown_as_moved_and_not_as_two_changes() -> None:
    moved = "Công chức tiếp nhận ghi vào sổ theo dõi trong ngày."
    entries = redline(OLD, OLD.replace(f"{moved}\n", "") + f"\n{moved}")
    assert [(entry.kind, entry.move) for entry in entries if entry.kind != "same"] == [
        ("moved_from", 1),
        ("moved_to", 1),
    ]
    assert [row.section.number for row in changed_sections(entries)] == ["5.2", "6"]


def test_a_section_keeps_its_heading_when_a_paragraph_leaves_it_for_another() -> None:
    moved = "Công chức tiếp nhận ghi vào sổ theo dõi trong ngày."
    new = OLD.replace(f"{moved}\n", "").replace("trong hai năm.", f"trong ba năm.\n{moved}")
    entries = redline(OLD, new)
    assert [entry.kind for entry in entries if entry.block.heading] == ["same", "same", "same"]
    assert [entry.kind for entry in entries if entry.kind != "same"] == ["moved_from", "changed", "moved_to"]


def test_sections_that_changed_places_are_moved() -> None:
    first, second, third = (
        OLD.split("\n5.2")[0],
        "5.2" + OLD.split("5.2")[1].split("\n6.")[0],
        "6." + OLD.split("\n6.")[1],
    )
    entries = redline(OLD, "\n".join([first, third, second]))
    assert {entry.kind for entry in entries} == {"same", "moved_from", "moved_to"}


def test_what_was_moved_and_changed_shows_both() -> None:
    moved = "Công chức tiếp nhận ghi vào sổ theo dõi trong ngày."
    after = moved.replace("trong ngày", "trong buổi")
    entries = redline(OLD, OLD.replace(f"{moved}\n", "") + f"\n{after}")
    (arrived,) = [entry for entry in entries if entry.kind == "moved_to"]
    assert told([arrived]) == [("removed", "ngày", ""), ("added", "", "buổi")]


def test_both_texts_can_be_read_off_the_redline() -> None:
    chance = random.Random(4)
    for _ in range(60):
        old = [
            " ".join(chance.choices(["một", "hai", "ba", "bốn", "năm", "sáu", "Bảy", "tám"], k=chance.randint(1, 9)))
            for _ in range(9)
        ]
        new = [line for line in old if chance.random() > 0.2]
        new = [line.replace("hai", chance.choice(["hài", "HAI", "mười hai"])) for line in new]
        if len(new) > 3 and chance.random() > 0.5:
            new.insert(chance.randrange(len(new)), new.pop(chance.randrange(len(new))))
        assert sides(redline("\n".join(old), "\n".join(new))) == (old, new)


def table(*rows: tuple[str, ...]) -> tuple[str, list[list[int]]]:
    text, offsets = "", []
    for row in rows:
        places = []
        for cell in row:
            places.append(len(text))
            text += f"{cell}\n"
        offsets.append([*places, len(text)])
    return text, offsets


def test_a_cell_that_changed_is_shown_in_its_row() -> None:
    old, old_rows = table(("TT", "Bước", "Thời hạn"), ("1", "Tiếp nhận", "01 ngày"), ("2", "Thẩm định", "05 ngày"))
    new, new_rows = table(("TT", "Bước", "Thời hạn"), ("1", "Tiếp nhận", "01 ngày"), ("2", "Thẩm định", "03 ngày"))
    entries = compare(blocks(old, Layout(rows=old_rows)), blocks(new, Layout(rows=new_rows)))
    assert [entry.kind for entry in entries] == ["same", "same", "changed"]
    changed = entries[-1]
    assert changed.is_row
    assert [[piece.op for piece in cell] for cell in changed.cells][:2] == [["same"], ["same"]]
    assert told([changed]) == [("removed", "05", ""), ("added", "", "03")]


def test_a_new_column_keeps_the_old_cells() -> None:
    old, old_rows = table(("1", "Tiếp nhận hồ sơ của công dân", "01 ngày"))
    new, new_rows = table(("1", "Tiếp nhận hồ sơ của công dân", "Một cửa", "01 ngày"))
    (entry,) = compare(blocks(old, Layout(rows=old_rows)), blocks(new, Layout(rows=new_rows)))
    assert told([entry]) == [("added", "", "Một cửa")]


def test_lines_of_a_pdf_are_joined_and_its_running_heads_left_out() -> None:
    pages = [
        f"UBND xã mẫu QT-01\nĐoạn {n} nói về việc tiếp nhận hồ sơ của công dân tại bộ\nphận một cửa.\nTrang {n}/4"
        for n in range(1, 5)
    ]
    found = blocks("\f".join(pages), Layout(wrapped=True))
    assert [block.text for block in found] == [
        f"Đoạn {n} nói về việc tiếp nhận hồ sơ của công dân tại bộ phận một cửa." for n in range(1, 5)
    ]
    assert [block.page for block in found] == [1, 2, 3, 4]


def test_the_change_table_is_told_what_it_forgot_and_what_it_made_up() -> None:
    changed = changed_sections(redline(OLD, OLD.replace("05 ngày", "03 ngày").replace("hai năm", "ba năm")))
    assert [row.section.number for row in changed] == ["5.2", "6"]
    table = forgotten(changed, ["Mục 5.2", "Mục 7"])
    assert [row.section.number for row in table.sections] == ["6"]
    assert table.rows == ["Mục 7"]


def test_a_row_covers_the_sections_below_it_and_a_whole_document_all() -> None:
    changed = changed_sections(redline(OLD, OLD.replace("05 ngày", "03 ngày")))
    for names in ("5", "Mục 5.2", "5.2.1", "Trình tự giải quyết", "Toàn bộ tài liệu", "05.2"):
        assert forgotten(changed, [names]).rows == [], names
    for names in ("5", "Mục 5.2", "Trình tự giải quyết", "Toàn bộ tài liệu"):
        assert forgotten(changed, [names]).sections == [], names
    assert forgotten(changed, ["5.2.1"]).sections != []  # A part of what changed; the rest is still to be told.
    assert forgotten(changed, ["15"]).sections != []


def test_the_cover_needs_no_row_but_a_text_without_headings_does() -> None:
    old, new = f"Lần ban hành: 01\n{OLD}", f"Lần ban hành: 02\n{OLD}".replace("05 ngày", "03 ngày")
    assert forgotten(changed_sections(redline(old, new)), ["5.2"]).sections == []
    assert forgotten(changed_sections(redline("Nội dung cũ của bản này.", "Nội dung mới của bản này.")), ["5"]).sections


def test_a_small_letter_numbers_a_point_and_no_section() -> None:
    (heading, point) = blocks("1. Mục đích\ni. Yêu cầu, điều kiện thực hiện: không.")
    assert (heading.heading, point.heading) == (True, False)


def test_two_books_of_fifty_pages_take_less_than_a_second() -> None:
    chance = random.Random(7)
    words = [
        "hồ",
        "sơ",
        "công",
        "dân",
        "cán",
        "bộ",
        "tiếp",
        "nhận",
        "trả",
        "kết",
        "quả",
        "thẩm",
        "định",
        "trình",
        "ký",
        "phòng",
        "ban",
        "thời",
        "hạn",
        "ngày",
        "làm",
        "việc",
        "quyết",
        "định",
    ]
    old = [" ".join(chance.choices(words, k=chance.randint(20, 60))) for _ in range(50 * 12)]
    new = [line if chance.random() > 0.3 else line.replace("hồ", chance.choice(["hố", "bộ"]), 2) for line in old]
    began = time.process_time()
    entries = redline("\n".join(old), "\n".join(new))
    assert time.process_time() - began < 1
    assert any(entry.kind == "changed" for entry in entries)
