"""The engine for large sites answers as the embedded one does: the same revisions, the same totals, hardly another order."""

import os
import random
import time

import pytest

from benchmarks.corpus import documents
from docctl.search import IndexedRevision, Query, seals
from docctl.search.whoosh import WhooshEngine

tantivy = pytest.importorskip("docctl.search.tantivy", reason="the extra tantivy is not installed")


def made(id: int, body: str = "", current: bool = True) -> IndexedRevision:
    return IndexedRevision(id, f"QT {id:02d}/TP", "Quy trình", body, current)


def ids(engine, typed: str, index="current") -> list[int]:
    return sorted(id for id, _ in engine.search(Query.parse(typed), index, None, 500).hits)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    folder = tmp_path_factory.mktemp("engines")
    some = [
        IndexedRevision(
            each.id,
            each.code,
            each.title,
            each.body,
            each.id % 3 > 0,
            facts=[f"unit {each.id % 4}", f"type {each.id % 5 // 4}"],
        )
        for each in documents(200)
    ]
    both = WhooshEngine(folder / "whoosh"), tantivy.TantivyEngine(folder / "tantivy")
    for engine in both:
        with engine.rebuilding() as fresh:
            fresh.apply(some, (), 7, "mark")
    return some, *both


@pytest.mark.parametrize("index", ["current", "all"])
def test_both_find_the_same_of_whatever_is_asked(engines, index):
    some, whoosh, other = engines
    words = sorted({word for revision in some[:60] for word in revision.title.split()})
    chance = random.Random(11)
    alike = asked = 0
    for _ in range(60):
        picked = chance.sample(words, chance.randint(1, 4))
        typed = chance.choice([
            " ".join(picked),
            f'"{picked[0]} ký" {picked[-1][:3]}*',
            f"{picked[0]} -{picked[-1]}",
            f"code:{chance.choice(some).code.split('/')[0]}",
            chance.choice(some).code,
        ])  # fmt: skip
        query = Query.parse(typed)
        if len(picked) > 2 and chance.random() < 0.4:
            query = query.of_most_words()
        only = frozenset(chance.sample(range(1, 201), chance.choice([20, 190]))) if chance.random() < 0.6 else None
        one, two = whoosh.search(query, index, only, 200), other.search(query, index, only, 200)
        assert one.total == two.total, typed
        assert {id for id, _ in one.hits} == {id for id, _ in two.hits}, typed
        if one.total > 10:
            asked += 10
            alike += len({id for id, _ in one.hits[:10]} & {id for id, _ in two.hits[:10]})
    assert alike >= 0.7 * asked


@pytest.mark.parametrize("index", ["current", "all"])
def test_facts_that_are_nearly_right_change_no_answer(engines, index, monkeypatch):
    some, whoosh, other = engines
    monkeypatch.setattr(tantivy, "FEW", 3)
    chance = random.Random(12)
    by_facts = asked = 0
    opened = other._at(other.builds.answering())
    for _ in range(80):
        like = chance.choice([
            [{f"unit {chance.randint(0, 3)}"}],
            [{"unit 0", "unit 2"}, {f"type {chance.randint(0, 1)}"}],
            [{"unit 1", "unit that is no more"}],
            [{"type nobody has"}],
        ])  # fmt: skip
        only = {each.revision_id for each in some if all(facts & set(each.facts) for facts in like)}
        only = only - set(chance.sample(range(1, 201), 12)) | set(chance.sample(range(1, 201), chance.choice((0, 12))))
        opened.filters.clear()
        query = Query.parse(chance.choice(("quy trình", "hồ sơ", "giấy phép", "đăng ký", "văn thư")))
        one, two = (
            whoosh.search(query, index, frozenset(only), 200),
            other.search(query, index, frozenset(only), 200, like),
        )
        assert (one.total, {id for id, _ in one.hits}) == (two.total, {id for id, _ in two.hits}), like
        asked += one.total
        by_facts += "BooleanQuery" in str(opened.filters.popitem()[1])
    assert asked > 500
    assert by_facts > 20, "Otherwise every revision was named, and nothing was shown."


def test_it_keeps_the_position_and_another_process_sees_each_commit(tmp_path):
    engine, reader = tantivy.TantivyEngine(tmp_path), tantivy.TantivyEngine(tmp_path)
    assert (reader.position(), ids(reader, "mot")) == (0, [])
    engine.apply([made(1, "một"), made(2, "hai", current=False)], (), 3, "mark")
    assert (reader.position(), reader.mark(), ids(reader, "quy trinh")) == (3, "mark", [1])
    assert ids(reader, "quy trinh", "all") == [1, 2]
    engine.apply([made(1, "ba")], [2], 4)
    assert (reader.position(), ids(reader, "mot", "all"), ids(reader, "quy", "all")) == (4, [], [1])


@pytest.mark.parametrize("open_since", ["before", "after"])
def test_what_a_killed_writer_left_is_no_hindrance_to_the_next_one(tmp_path, open_since):
    engine, killed = tantivy.TantivyEngine(tmp_path), tantivy.TantivyEngine(tmp_path)
    engine.apply([made(1, "một"), made(2, "hai")], (), 3)
    assert ids(engine, "mot") == [1]
    (meta,) = tmp_path.rglob("meta.json")
    build = meta.parent.parent
    before = [meta, build / seals.SEALS]
    for path in before:
        os.link(path, tmp_path / path.name)
    killed.apply([made(1, "ba")], (), 4)
    assert list(meta.parent.glob("*.del"))
    for path in before:  # As if it had been killed with everything written but these.
        (tmp_path / path.name).replace(path)
    (build / seals.WRITING).touch()
    after = engine if open_since == "before" else tantivy.TantivyEngine(tmp_path)
    assert (after.position(), ids(after, "mot")) == (3, [1])
    after.apply([made(1, "ba")], (), 4)
    assert (after.position(), ids(after, "mot"), ids(after, "ba")) == (4, [], [1])


def test_an_index_of_the_other_engine_is_no_index(tmp_path):
    WhooshEngine(tmp_path).apply([made(1)], (), 3)
    assert tantivy.TantivyEngine(tmp_path).position() == 0


@pytest.mark.parametrize("pattern", ["meta.json", "*.idx", "*.term", "*.fast"])
def test_a_damaged_index_finds_nothing_and_asks_to_be_built(tmp_path, pattern):
    tantivy.TantivyEngine(tmp_path).apply([made(1, "một")], (), 3)
    damaged = list(tmp_path.rglob(pattern))
    assert damaged
    # A thread of tantivy's own reads a fresh index once more, and nobody can keep a file whole under it.
    time.sleep(0.2)
    for path in damaged:
        path.write_bytes(path.read_bytes()[:5])
    broken = tantivy.TantivyEngine(tmp_path)
    assert ids(broken, "mot") == []
    assert broken.position() == 0
    with broken.rebuilding() as fresh:
        fresh.apply([made(1, "một")], (), 4)
    assert (broken.position(), ids(broken, "mot")) == (4, [1])
