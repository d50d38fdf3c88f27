"""Relevance measured on known items: laws asked about in questions, and procedures typed by code, title and slip of the finger.

The whole way of a search is measured, both passes and the spelling included, beside SQLite FTS5 over the same terms.
"""

import gzip
import json
import random
import re
import tempfile
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pysqlite3

from docctl import text
from docctl.search import Engine, IndexedRevision, Query
from docctl.search.ranking import Asking, ranked
from docctl.search.spelling import Lexicon
from docctl.search.tantivy import TantivyEngine
from docctl.search.whoosh import WhooshEngine
from docctl.text import Candidate

RESULTS = Path(__file__).parent / "results" / "relevance.json"
DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

_TONES = {"\u0300": "f", "\u0301": "s", "\u0303": "x", "\u0309": "r", "\u0323": "j"}
_SHAPES = {"\u0302": "", "\u0306": "w", "\u031b": "w"}  # The circumflex doubles its letter.


@dataclass(frozen=True)
class Question:
    """Words, and the ids of what answers them."""

    typed: str
    right: frozenset[int]


class Shelf:
    """Revisions that anybody may find, in one engine."""

    def __init__(self, engine: Engine, revisions: Sequence[IndexedRevision]) -> None:
        # Stored texts are composed.
        revisions = [replace(revision, body=text.nfc(revision.body)) for revision in revisions]
        self.by_id = {revision.revision_id: revision for revision in revisions}
        with engine.rebuilding() as fresh:
            for start in range(0, len(revisions), 500):
                fresh.apply(revisions[start : start + 500], (), 0)
            fresh.apply((), (), 1)
        lexicon = cache(lambda: Lexicon(revision.title for revision in revisions))
        self.asking = Asking(engine, "current", frozenset(self.by_id), self._read, lexicon)

    def ids(self, typed: str, limit: int = 10) -> list[int]:
        """Return what is found, best first."""
        return [id for id, _ in ranked(self.asking, Query.parse(typed), limit).hits[:limit]]

    def _read(self, ids: Sequence[int]) -> dict[int, Candidate]:
        rows = (self.by_id[id] for id in ids)
        return {
            row.revision_id: Candidate(row.revision_id, 0.0, row.code, text.nfc(row.title), text.nfc(row.body))
            for row in rows
        }


class Fts5Shelf:
    """The same revisions in SQLite FTS5: any of the folded words, by its own bm25 with columns that weigh more."""

    def __init__(self, revisions: Sequence[IndexedRevision]) -> None:
        self.connection = pysqlite3.connect(":memory:")
        self.connection.execute(
            "CREATE VIRTUAL TABLE f USING fts5(code, title, body, content='', tokenize=\"unicode61 tokenchars '-'\")"
        )
        rows = [
            (row.revision_id, " ".join(text.code_terms(row.code)), _terms(row.title), _terms(row.body))
            for row in revisions
        ]
        self.connection.executemany("INSERT INTO f(rowid, code, title, body) VALUES (?, ?, ?, ?)", rows)

    def ids(self, typed: str, limit: int = 10) -> list[int]:
        """Return what is found, best first."""
        match = " OR ".join(f'"{word.folded}"' for word in Query.parse(typed).words)
        query = "SELECT rowid FROM f WHERE f MATCH ? ORDER BY bm25(f, 8.0, 4.0, 1.0) LIMIT ?"
        return [id for (id,) in self.connection.execute(query, [match, limit])] if match else []


def recall_and_mrr(ids: Callable[[str], list[int]], questions: Sequence[Question]) -> tuple[float, float]:
    """Return recall@10 and the mean reciprocal rank within ten."""
    recall = rank = 0.0
    for question in questions:
        found = ids(question.typed)
        recall += len(question.right & {*found}) / len(question.right)
        rank += next((1 / place for place, id in enumerate(found, start=1) if id in question.right), 0.0)
    return recall / len(questions), rank / len(questions)


def within(ids: Callable[[str], list[int]], questions: Sequence[Question], places: int) -> tuple[float, list[str]]:
    """Return which share has a right answer in the first places, and the words of the others."""
    missed = [question.typed for question in questions if not question.right & {*ids(question.typed)[:places]}]
    return 1 - len(missed) / len(questions), missed


# --- The sets -------------------------------------------------------------------------------------------------------


def laws() -> tuple[list[IndexedRevision], dict[str, list[Question]]]:
    """Return 2,249 articles of laws and 100 questions about them, typed with and without accents."""
    folder = DATA / "retrieval-vi-alqac2023"
    articles = _lines(folder / "corpus.jsonl")
    ids = {row["_id"]: number for number, row in enumerate(articles, start=1)}
    revisions = [
        IndexedRevision(ids[row["_id"]], "", f"{row['law']} – Điều {row['article']}. {row['title']}", row["text"], True)
        for row in articles
    ]
    right: dict[str, set[int]] = defaultdict(set)
    for line in (folder / "qrels.train.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        query, article, _ = line.split("\t")
        right[query].add(ids[article])
    asked = _lines(folder / "queries.train.jsonl")
    return revisions, {
        name: [Question(row[key], frozenset(right[row["_id"]])) for row in asked]
        for name, key in (("with accents", "text"), ("without accents", "text_khong_dau"))
    }


def procedures() -> tuple[list[IndexedRevision], dict[str, list[Question]]]:
    """Return the 271 procedures of a ministry, and each of them typed in several ways, right and wrong."""
    rows = _lines(DATA / "vn-tthc" / "procedures" / "bo-tu-phap.jsonl.gz")
    names = ("trinh_tu_thuc_hien", "cach_thuc_thuc_hien", "thanh_phan_ho_so", "can_cu_phap_ly", "yeu_cau_dieu_kien")
    revisions = [
        IndexedRevision(
            number, row["ma_thu_tuc"], row["ten_thu_tuc"], "\n".join(str(row.get(name) or "") for name in names), True
        )
        for number, row in enumerate(rows, start=1)
    ]
    chance = random.Random(2022)
    alike: dict[str, set[int]] = defaultdict(set)
    for each in revisions:
        alike[text.fold(each.title)].add(each.revision_id)
    ways: dict[str, Callable[[IndexedRevision], str]] = {
        "code": lambda each: each.code,
        "title": lambda each: each.title,
        "title without accents": lambda each: text.fold(each.title),
        "title with one wrong accent": lambda each: wrong_accent(each.title, chance),
        "title with one letter missing": lambda each: missing_letter(each.title, chance),
        "title with Telex leftovers": lambda each: telex_leftover(each.title, chance),
    }
    return revisions, {
        name: [
            Question(way(each), frozenset({each.revision_id} if name == "code" else alike[text.fold(each.title)]))
            for each in revisions
        ]
        for name, way in ways.items()
    }


def real_papers() -> list[IndexedRevision]:
    """Return the 38 real procedures of offices: code from the list beside them, title from the file's name."""
    folder = DATA / "vn-iso-procedures"
    codes = {}
    for line in (folder / "expected.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        file, code, *_ = line.split("\t")
        codes[Path(file).stem] = code
    return [
        IndexedRevision(
            number, codes.get(file.stem, ""), file.stem.split(". ", 1)[1], file.read_text(encoding="utf-8"), True
        )
        for number, file in enumerate(sorted((folder / "_text").rglob("*.txt")), start=1)
    ]


def short_titles(revisions: Sequence[IndexedRevision]) -> dict[str, list[Question]]:
    """Return wrong spellings of the four words in the middle of each title, where there is little to go by.

    Right is every title that has the four words side by side.
    """
    chance = random.Random(7)
    found: dict[str, list[Question]] = defaultdict(list)
    for each in revisions:
        words = re.findall(r"\w+", text.nfc(each.title))
        start = max(0, (len(words) - 4) // 2)
        typed = " ".join(words[start : start + 4])
        right = frozenset(other.revision_id for other in revisions if text.phrase_in(text.nfc(other.title), typed))
        found["four words, a letter missing"].append(Question(missing_letter(typed, chance), right))
        found["four words, Telex leftovers"].append(Question(telex_leftover(typed, chance), right))
    return dict(found)


# --- Slips ----------------------------------------------------------------------------------------------------------


def wrong_accent(title: str, chance: random.Random) -> str:
    """Return a title in which one accented word has another tone."""
    words = text.nfc(title).split(" ")
    place = chance.choice([n for n, word in enumerate(words) if _toned(word)] or [0])
    apart = unicodedata.normalize("NFD", words[place])
    tone = next((c for c in apart if c in _TONES), None)
    if tone:
        other = chance.choice([c for c in _TONES if c != tone])
        words[place] = unicodedata.normalize("NFC", apart.replace(tone, other, 1))
    return " ".join(words)


def missing_letter(title: str, chance: random.Random) -> str:
    """Return a title in which one word of three letters or more lacks one."""
    words = text.nfc(title).split(" ")
    place = chance.choice([n for n, word in enumerate(words) if len(word) > 2 and word.isalpha()] or [0])
    letter = chance.randrange(len(words[place]))
    words[place] = words[place][:letter] + words[place][letter + 1 :]
    return " ".join(words)


def telex_leftover(title: str, chance: random.Random) -> str:
    """Return a title in which one word is as its keys were struck, the accents not put together."""
    words = text.nfc(title).split(" ")
    place = chance.choice([n for n, word in enumerate(words) if not word.isascii() and word.isalpha()] or [0])
    words[place] = _keys(words[place])
    return " ".join(words)


def _keys(word: str) -> str:
    tones = ""
    struck: list[str] = []
    for letter in unicodedata.normalize("NFD", word.lower()):
        if letter in _TONES:
            tones = _TONES[letter]
        elif letter in _SHAPES:
            struck.append(_SHAPES[letter] or struck[-1])
        else:
            struck.append("dd" if letter == "đ" else letter)
    # The tone key is struck after the first run of vowels as often as at the end of the word.
    ends = [n + 1 for n, key in enumerate(struck) if key[-1] in "aeiouyw"]
    struck.insert(ends[-1] if ends else len(struck), tones)
    return "".join(struck)


def _toned(word: str) -> bool:
    return any(c in _TONES for c in unicodedata.normalize("NFD", word))


def _lines(path: Path) -> list[dict[str, str]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in raw.decode().splitlines() if line.strip()]


def _terms(written: str) -> str:
    return " ".join(text.terms(written).words.elements())


# --- The table ------------------------------------------------------------------------------------------------------


def table(engines: dict[str, Callable[[Path], Engine]]) -> list[dict[str, object]]:
    """Return a row for each set, way of typing and engine."""
    return list(_rows(engines))


def _rows(engines: dict[str, Callable[[Path], Engine]]) -> Iterator[dict[str, object]]:
    for name, (revisions, questions) in (("laws", laws()), ("procedures", procedures())):
        if name == "procedures":
            questions |= short_titles(revisions)
        with tempfile.TemporaryDirectory() as folder:
            shelves: dict[str, Shelf | Fts5Shelf] = {
                engine: Shelf(open_it(Path(folder, engine)), revisions) for engine, open_it in engines.items()
            }
            shelves["FTS5"] = Fts5Shelf(revisions)
            for way, some in questions.items():
                for engine, shelf in shelves.items():
                    ids = cache(shelf.ids)
                    recall, mrr = recall_and_mrr(ids, some)
                    first, third = (within(ids, some, places)[0] for places in (1, 3))
                    yield {
                        "set": name, "typed": way, "engine": engine, "questions": len(some),
                        "recall@10": round(recall, 3), "MRR@10": round(mrr, 3),
                        "rank 1": round(first, 3), "in the first 3": round(third, 3),
                    }  # fmt: skip


def show() -> None:
    """Print the table of both engines and FTS5."""
    rows = table({"whoosh": WhooshEngine, "tantivy": TantivyEngine})
    print("| set | typed | engine | questions | recall@10 | MRR@10 | rank 1 | in the first 3 |")
    print("|---|---|---|--:|--:|--:|--:|--:|")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row.values())} |")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    show()
