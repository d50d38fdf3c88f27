"""What offices write in two ways is found by either, and a file that is wrong is refused with its line."""

import pytest

from docctl.search import finding, following, synonyms
from docctl.search.query import Query
from docctl.site import open_site
from docctl.workflow import WorkflowError


@pytest.fixture(autouse=True)
def shipped():
    synonyms.use(synonyms.load(synonyms.SHIPPED))
    yield
    synonyms.use(synonyms.load(synonyms.SHIPPED))


@pytest.fixture
def found(site, cast, either_engine):
    """Return a function that searches as a member of staff, with either engine."""

    def find(words):
        following.follow(site.database, either_engine)
        with site.database.reading() as session:
            return finding.find(session, either_engine, words, reader=cast.reader(session, "staff"), counted=True)

    return find


def test_an_abbreviation_finds_what_it_stands_for_and_the_other_way_round(found, make_revision):
    long = make_revision("in_force", title="Rà soát thủ tục hành chính", text="Việc rà soát được làm mỗi năm.")
    short = make_revision("in_force", title="Công bố TTHC", text="Việc công bố được làm mỗi quý.")
    make_revision("in_force", title="Quy trình kết hôn", text="Thủ tục nhanh, không hành chính hóa.")
    for words in ("TTHC", "tthc", "thủ tục hành chính", "thu tuc hanh chinh"):
        results = found(words)
        assert {long.id, short.id} <= {hit.revision for hit in results.hits}, words
        assert any("TTHC" in note.en or "thủ tục hành chính" in note.en for note in results.understood), words
    assert [hit.revision for hit in found("rà soát TTHC").hits] == [long.id]


def test_hits_counts_and_filters_hold_each_document_once(found, make_revision):
    make_revision("in_force", title="Thủ tục hành chính (TTHC)", text="TTHC là thủ tục hành chính.")
    results = found("TTHC")
    assert (results.total, len(results.hits)) == (1, 1)
    assert [(choice.key, choice.hits) for choice in results.facets["unit"]] == [("UBND", 1), ("TP", 1)]
    assert ("thủ tục hành chính", True) in results.hits[0].snippet


def test_quotation_marks_and_codes_mean_what_they_say(found, make_revision):
    make_revision("in_force", title="Rà soát thủ tục hành chính", text="Mỗi năm.")
    assert found('"TTHC mới"').total == 0
    assert synonyms.used().widened(Query.parse("code:TTHC")).also == ()


def test_each_way_of_asking_is_marked_as_a_whole(found, make_revision):
    make_revision("in_force", title="Sổ đỏ", text="Đạt yêu cầu. Quyền sử dụng đất được dùng đúng. Giấy QSDĐ.")
    (hit,) = found("quyen su dung dat").hits
    assert [piece for piece, marked in hit.snippet if marked] == ["Quyền sử dụng đất", "QSDĐ"]


def test_a_part_of_a_code_is_no_word_that_others_stand_for():
    for typed in ("12/QĐ-UBND", "QT-TTHC-04", "QT 04/UBND-NV"):
        assert synonyms.used().widened(Query.parse(typed)).also == (), typed
    (way,) = synonyms.used().widened(Query.parse("QT-UBND-04 TTHC")).also
    assert way.text == "QT-UBND-04 thủ tục hành chính"


def test_a_sites_own_file_adds_words_and_its_list_counts_before_the_shipped_one(site, found, make_revision):
    make_revision("in_force", title="Tiếp công dân tại trụ sở", text="Nội dung.")
    site.settings.synonyms.write_text(
        '[[same]]\nwords = ["TCD", "tiếp công dân"]\n\n[[same]]\nwords = ["GCN", "giấy công nhận"]\n'
    )
    again = open_site(site.settings)
    assert found("TCD").total == 1
    assert synonyms.used().variants("GCN") == ["giấy công nhận"]
    assert synonyms.used().variants("giấy chứng nhận") == []
    again.close()


@pytest.mark.parametrize(
    ("written", "line", "says"),
    [
        ('[[same]]\nwords = ["TCD"]\n', 2, "two or more"),
        ('[[same]]\nwords = ["TCD", 5]\n', 2, "two or more"),
        ('[[same]]\nwords = ["A", "b c"]\n\n[[same]]\nwords = ["B C", "d"]\n', 5, "“B C” stands in line 2 already"),
        ('[[same]]\nwords = ["A", "…"]\n', 2, "“…” needs 1 to 8 words"),
        ('[[same]]\nword = ["A", "B"]\n', 2, "There is no word"),
        ('[[other]]\nwords = ["A", "B"]\n', 1, "There is no other"),
        ("same = 5\n", 1, "Write each list under"),
        ('[[same]]\nwords = ["A"\n', 2, "This is not TOML"),
    ],
)
def test_a_wrong_file_stops_the_start_and_says_the_line(site, written, line, says):
    site.settings.synonyms.write_text(written)
    with pytest.raises(WorkflowError) as refused:
        open_site(site.settings)
    problem = next(problem for problem in refused.value.problems if says in problem.text("en"))
    assert problem.path == site.settings.synonyms
    assert abs(problem.line - line) <= ("TOML" in says), refused.value.text("en")
