"""The embedded engine: what it finds, and that nothing done to its files makes it wrong for longer than a rebuild."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.corpus import documents
from docctl import text
from docctl.search import IndexedRevision, Query, folders, scoring, whoosh
from docctl.search.folders import LIVE
from docctl.search.whoosh import ARCHIVE, CURRENT, WhooshEngine


def made(id: int, title: str = "Quy trình", body: str = "", code: str = "", current: bool = True) -> IndexedRevision:
    return IndexedRevision(id, code or f"QT {id:02d}/TP", title, body, current)


def found(engine: WhooshEngine, typed: str, index="current", only=None, limit=50) -> list[int]:
    return [id for id, _ in engine.search(Query.parse(typed), index, only, limit).hits]


@pytest.fixture(scope="module")
def set_of_300() -> list[IndexedRevision]:
    return [IndexedRevision(each.id, each.code, each.title, each.body, each.id % 3 > 0) for each in documents(300)]


@pytest.fixture(scope="module")
def engine_of_300(set_of_300, tmp_path_factory) -> WhooshEngine:
    engine = WhooshEngine(tmp_path_factory.mktemp("search") / "index")
    with engine.rebuilding() as fresh:
        for start in range(0, 300, 100):
            fresh.apply(set_of_300[start : start + 100], (), start + 100, "mark")
    return engine


# --- What it finds -----------------------------------------------------------------------------------------------


def test_typed_accents_rank_first_however_often_the_other_word_stands_there(engine):
    engine.apply([made(1, body="bản " * 50 + "thảo"), made(2, body="nơi bán hàng " + "khác " * 200)], (), 1)
    assert found(engine, "bán") == [2, 1]
    assert set(found(engine, "ban")) == {1, 2}


def test_code_and_title_rank_above_the_body(engine):
    body = "đất đai " * 40
    engine.apply([made(1, body=body), made(2, title="Quy trình đất đai"), made(3, code="QT ĐẤT 7", body="x")], (), 1)
    assert found(engine, "dat dai")[0] == 2
    assert found(engine, "qt dat 7")[0] == 3


def test_a_phrase_needs_its_words_next_to_each_other(engine):
    engine.apply([made(1, body="đăng ký lại khai sinh"), made(2, body="khai lại rồi đăng ký sinh")], (), 1)
    assert found(engine, '"dang ky lai"') == [1]
    assert found(engine, "dang ky lai") == [1, 2]


def test_exclusions_prefixes_and_codes_narrow_what_is_found(engine):
    engine.apply([made(1, body="khai sinh"), made(2, body="khai tử"), made(3, body="khaitrương")], (), 1)
    assert set(found(engine, "khai*")) == {1, 2, 3}
    assert found(engine, "khai -tử") == [1]
    assert found(engine, "code:02") == [2]


def test_excluding_a_word_with_accents_leaves_other_accents_alone(engine):
    engine.apply([made(1, body="khai từ ngày đó"), made(2, body="khai tử")], (), 1)
    assert found(engine, "khai -tử") == [1]
    assert found(engine, "khai -tu") == []


def test_staff_search_the_current_index_and_auditors_both(engine):
    engine.apply([made(1, body="chung"), made(2, body="chung", current=False)], (), 1)
    assert found(engine, "chung") == [1]
    assert set(found(engine, "chung", "all")) == {1, 2}


def test_the_total_is_that_of_the_allowed_revisions_and_not_of_the_page(engine_of_300, set_of_300):
    allowed = frozenset(range(1, 300, 7))
    result = engine_of_300.search(Query.parse("quy trinh"), "all", allowed, limit=5)
    assert result.total == len(allowed)
    assert len(result.hits) == 5
    assert {id for id, _ in result.hits} <= allowed
    assert engine_of_300.search(Query.parse("quy trinh"), "all", frozenset(), 5).total == 0


def test_the_row_of_the_position_is_never_found(engine):
    engine.apply([made(1, body="một")], (), 7, "abc")
    result = engine.search(Query.parse("mot"), "all")
    assert (result.total, [id for id, _ in result.hits]) == (1, [1])
    assert (engine.position(), engine.mark()) == (7, "abc")


# --- Ranking against brute force ---------------------------------------------------------------------------------


class Scan:
    """One segment without an index: every posting is looked up in the documents themselves."""

    def __init__(self, some: Sequence[IndexedRevision]) -> None:
        self.revisions = [revision.revision_id for revision in some]
        self.living = len(some)
        self.fields = [scoring.impacts(revision) for revision in some]

    def postings(self, field: str, term: str) -> dict[int, int]:
        return {n: fields[field][term] for n, fields in enumerate(self.fields) if term in fields[field]}

    def expansions(self, field: str, prefix: str) -> list[str]:
        return sorted({term for fields in self.fields for term in fields[field] if term.startswith(prefix)})


@pytest.mark.parametrize("index", ["current", "all"])
def test_the_ranking_is_that_of_a_brute_force_scan(engine_of_300, set_of_300, index):
    scan = Scan([revision for revision in set_of_300 if index == "all" or revision.current])
    words = sorted({word for revision in set_of_300[:40] for word in revision.title.split()})
    chance = random.Random(7)
    for _ in range(40):
        picked = chance.sample(words, chance.randint(1, 4))
        typed = " ".join(picked) if chance.random() < 0.7 else f'"{picked[0]} ký" {picked[-1][:3]}* -{picked[0]}x'
        only = frozenset(chance.sample(range(1, 301), 120)) if chance.random() < 0.5 else None
        ours = engine_of_300.search(Query.parse(typed), index, only, 20)
        expected = scoring.search([scan], Query.parse(typed), only, 20)
        assert ours.total == expected.total, typed
        assert dict(ours.hits) == pytest.approx(dict(expected.hits)), typed


def test_who_is_found_is_who_has_all_the_words(engine_of_300, set_of_300):
    # Independent of our scoring: the words are looked for in the plain text.
    plain = {r.revision_id: {*re.findall(r"[a-z]+", text.fold(f"{r.title} {r.body}"))} for r in set_of_300}
    for typed in ("khai sinh", "tham dinh bien ban", "mien ho ngheo"):
        expected = {id for id, words in plain.items() if {*typed.split()} <= words}
        assert expected
        assert {*found(engine_of_300, typed, "all", limit=300)} == expected


# --- Following -----------------------------------------------------------------------------------------------------


def test_doing_the_same_twice_changes_nothing(engine):
    for _ in range(2):
        engine.apply([made(1, body="một"), made(2, body="hai", current=False)], (9,), 4)
    assert engine.search(Query.parse("quy trinh"), "all").total == 2


def test_a_revision_moves_between_the_indexes_and_goes_when_removed(engine):
    engine.apply([made(1, body="một")], (), 1)
    engine.apply([made(1, body="hai", current=False)], (), 2)
    assert found(engine, "mot", "all") == []
    assert (found(engine, "hai"), found(engine, "hai", "all")) == ([], [1])
    engine.apply([], [1], 3)
    assert found(engine, "hai", "all") == []
    assert engine.position() == 3


def test_many_small_changes_are_put_together_when_nobody_waits(engine):
    for number in range(1, 34):
        engine.apply([made(number, body=f"lần {number}")], (), number)
    assert len(engine._open(CURRENT).segments) == 33
    engine.tidy()
    assert len(engine._open(CURRENT).segments) < 10
    assert engine.search(Query.parse("quy trinh")).total == 33
    assert (found(engine, "33"), engine.position()) == ([33], 33)


def test_an_endless_row_of_small_changes_is_put_together_on_the_way(engine):
    for number in range(1, 2 * whoosh.THRONG):
        engine.apply([made(number % 50 + 1, body=f"lần {number}")], (), number)
        assert len(engine._open(CURRENT).segments) <= whoosh.THRONG + 1
    assert engine.search(Query.parse("quy trinh")).total == 50


def test_a_segment_that_stays_open_knows_what_was_deleted_meanwhile(engine):
    engine.apply([made(number, body="một") for number in (1, 2, 3)], (), 1)
    assert found(engine, "mot") == [1, 2, 3]
    [kept] = engine._open(CURRENT).segments
    engine.apply([made(2, body="hai")], [3], 2)
    assert kept in engine._open(CURRENT).segments
    assert (found(engine, "mot"), found(engine, "hai")) == ([1], [2])


def test_a_crash_between_the_two_commits_is_healed_by_doing_it_again(engine, monkeypatch):
    engine.apply([made(1, body="một")], (), 1)
    commit = WhooshEngine._commit

    def cut_off(self, build, name, gone, rows):
        if name == CURRENT:
            raise KeyboardInterrupt
        commit(self, build, name, gone, rows)

    monkeypatch.setattr(WhooshEngine, "_commit", cut_off)
    with pytest.raises(KeyboardInterrupt):
        engine.apply([made(1, body="một", current=False)], (), 2)
    monkeypatch.undo()
    assert engine.position() == 1
    assert engine.search(Query.parse("mot"), "all").total == 1  # In both indexes for a moment, counted once.
    engine.apply([made(1, body="một", current=False)], (), 2)
    assert (engine.position(), found(engine, "mot"), found(engine, "mot", "all")) == (2, [], [1])


def test_a_failed_commit_leaves_the_old_index_and_no_lock(engine, monkeypatch):
    engine.apply([made(1, body="một")], (), 1)
    monkeypatch.setattr(whoosh.DurableStorage, "rename_file", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        engine.apply([made(2, body="hai")], (), 2)
    monkeypatch.undo()
    assert (engine.position(), found(engine, "quy trinh")) == (1, [1])
    engine.apply([made(2, body="hai")], (), 2)
    assert set(found(engine, "quy trinh")) == {1, 2}


def test_a_rebuild_that_fails_leaves_the_old_index_answering(engine):
    engine.apply([made(1, body="một")], (), 1)
    with pytest.raises(UnicodeError), engine.rebuilding() as fresh:  # noqa: PT012 - what fails is a part of the rebuild.
        fresh.apply([made(2)], (), 2)
        assert found(engine, "quy trinh") == [1]
        b"\xff".decode()
    assert (engine.position(), found(engine, "quy trinh")) == (1, [1])


def test_a_rebuild_takes_over_at_once(engine):
    engine.apply([made(1, body="một")], (), 1)
    with engine.rebuilding() as fresh:
        fresh.apply([made(2)], (), 5, "new")
    assert (engine.position(), engine.mark(), found(engine, "quy trinh")) == (5, "new", [2])


def test_obsolete_files_stay_for_readers_and_go_after_two_minutes(engine, monkeypatch):
    engine.apply([made(1)], (), 1)
    before = {path.name for path in engine.folder.rglob("MAIN_*")}
    engine.apply([made(1)], (), 2)
    assert before <= {path.name for path in engine.folder.rglob("MAIN_*")}
    monkeypatch.setattr(folders, "KEEP_SECONDS", 0.0)
    engine.apply([made(1)], (), 3)
    assert not {name for name in before if name.endswith(".pst")} & {p.name for p in engine.folder.rglob("MAIN_*")}


# --- Damage --------------------------------------------------------------------------------------------------------


def live(engine: WhooshEngine) -> Path:
    return engine.folder / (engine.folder / LIVE).read_text()


def damage(engine: WhooshEngine, how: str) -> None:
    if how == "all is gone":
        shutil.rmtree(engine.folder)
    elif how == "one index is gone":
        shutil.rmtree(live(engine) / ARCHIVE)
    elif how == "the postings are gone":
        for path in (live(engine) / CURRENT).glob("*.pst"):
            path.unlink()
    elif how == "the postings are cut":
        for path in (live(engine) / CURRENT).glob("*.pst"):
            path.write_bytes(path.read_bytes()[:40])
    elif how == "the table of contents is noise":
        for path in (live(engine) / CURRENT).glob("*.toc"):
            path.write_bytes(b"\x00noise" * 20)
    elif how == "another version":
        (engine.folder / LIVE).write_text("0.0.0-" + "0" * 8)
    elif how == "the pointer is noise":
        (engine.folder / LIVE).write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    "how",
    [
        "all is gone",
        "one index is gone",
        "the postings are gone",
        "the postings are cut",
        "the table of contents is noise",
        "another version",
        "the pointer is noise",
    ],
)
def test_a_damaged_index_finds_nothing_asks_to_be_built_and_then_works(engine, how):
    engine.apply([made(1, body="một"), made(2, body="hai", current=False)], (), 1)
    damage(engine, how)
    broken = WhooshEngine(engine.folder)  # As the next process sees it.
    assert broken.search(Query.parse("mot")).total == 0
    assert broken.position() == 0
    with broken.rebuilding() as fresh:
        fresh.apply([made(1, body="một")], (), 2)
    assert (found(broken, "mot"), broken.position()) == ([1], 2)
    assert found(engine, "mot") == [1]  # The process that had it open moves over.


# --- Threads and processes -----------------------------------------------------------------------------------------


def test_threads_search_while_another_writes(engine):
    engine.apply([made(id, body="chung") for id in range(1, 21)], (), 1)
    wrong: list[int] = []
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            total = engine.search(Query.parse("chung")).total
            if total != 20:
                wrong.append(total)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 14):
        engine.apply([made(number, body="chung lần nữa")], (), number)
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_one_thread_indexes_at_a_time(engine, monkeypatch):
    monkeypatch.setattr(folders, "LOCK_SECONDS", 0.2)
    other = WhooshEngine(engine.folder)
    with engine.indexing() as mine:
        with other.indexing() as theirs:
            assert (mine, theirs) == (True, False)
        with engine.indexing() as again:
            assert again
        with pytest.raises(TimeoutError):
            other.apply([made(1)], (), 1)
    with other.indexing() as theirs:
        assert theirs


WRITER = """
import sys
from pathlib import Path
from docctl.search import IndexedRevision
from docctl.search.whoosh import WhooshEngine
engine = WhooshEngine(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(2, 10_000):
    engine.apply([IndexedRevision(1, "QT 01", "Quy trình", "một " * 300, number % 2 == 0)], (), number)
"""


def test_a_writer_killed_at_any_moment_leaves_an_index_that_opens_and_goes_on(engine):
    engine.apply([made(1, body="một")], (), 1)
    for delay in (0.01, 0.07, 0.13, 0.31):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(engine.folder)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        after = WhooshEngine(engine.folder)
        position = after.position()
        assert position >= 1
        assert after.search(Query.parse("mot"), "all").total <= 1  # Killed while it moved between the indexes: 0.
        after.apply([made(1, body="một")], (), position + 1)
        assert (after.position(), found(after, "mot")) == (position + 1, [1])


@settings(max_examples=30, deadline=None)
@given(typed=st.text(max_size=60) | st.text('"-*: mãcode:khaisinhđ1/', max_size=40))
def test_nothing_typed_makes_a_search_fail(engine_of_300, typed):
    result = engine_of_300.search(Query.parse(typed), "all", None, 10)
    assert len(result.hits) == min(10, result.total)
