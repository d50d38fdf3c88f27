"""What offices write in two ways, such as TTHC and thủ tục hành chính: files of data, checked with file and line at the start."""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from pathlib import Path
from re import search as found_in

from docctl import text
from docctl.search.query import Query
from docctl.workflow.problems import Source, WorkflowError

SHIPPED = Path(__file__).parent / "synonyms.toml"
MOST_VARIANTS = 4
LONGEST = 8  # Words of one entry.
HEAD = "same"

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Synonyms:
    """For each folded phrase the others that mean the same, as they are written."""

    others: dict[Phrase, tuple[str, ...]] = field(default_factory=dict)

    def variants(self, typed: str) -> list[str]:
        """Return what was typed with other words for the same, at most four ways."""
        composed = text.nfc(typed)
        tokens = text.tokens(composed)
        # The UBND of 12/QĐ-UBND is a part of a name, and no people's committee.
        codes = text.codes(composed)
        ends = [next((end for start, end in codes if start <= token.start < end), 0) for token in tokens]
        folded = ["" if end else token.folded for token, end in zip(tokens, ends, strict=True)]
        parts: list[tuple[str, ...]] = []
        place = 0
        while place < len(tokens):
            length, others = self._longest(folded, place)
            if ends[place]:
                length = sum(token.start < ends[place] for token in tokens[place:])
            written = composed[tokens[place].start : tokens[place + length - 1].end]
            parts.append((written, *others))
            place += length
        ways = (" ".join(way) for way in product(*parts))
        return list(islice(ways, 1, 1 + MOST_VARIANTS))

    def _longest(self, folded: Sequence[str], place: int) -> tuple[int, tuple[str, ...]]:
        for length in range(min(LONGEST, len(folded) - place), 0, -1):
            others = self.others.get(tuple(folded[place : place + length]))
            if others:
                return length, others
        return 1, ()

    def widened(self, query: Query) -> Query:
        """Return a query of plain words that other words for the same answer too."""
        if not query.plain or query.also:
            return query
        also = (Query.parse(words) for words in self.variants(query.text))
        return replace(query, also=tuple(replace(query, words=one.words, text=one.text) for one in also))


def load(*paths: Path) -> Synonyms:
    """Read files, the site's own first; raises WorkflowError with file and line of every problem."""
    others: dict[Phrase, tuple[str, ...]] = {}
    for path in paths:
        mine: dict[Phrase, tuple[str, ...]] = {}
        for words in _lists(path):
            phrases = {_phrase(one): one for one in words}
            if not phrases.keys() & others.keys():
                for phrase in phrases:
                    mine[phrase] = tuple(one for known, one in phrases.items() if known != phrase)
        others |= mine
    return Synonyms(others)


def _lists(path: Path) -> list[list[str]]:
    """Return the lists of a file, every one of them checked."""
    written = path.read_bytes().decode("utf-8", "replace")
    source = Source(path, written)
    try:
        data = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        at = found_in(r"at line (\d+)", str(error))
        source.wrong_at(
            int(at[1]) if at else 1, "Không đọc được TOML: {error}.", "This is not TOML: {error}.", error=error
        )
        raise WorkflowError(source.problems) from error
    for name in data.keys() - {HEAD}:
        source.wrong(
            (name,), "Không có mục “{name}”; hãy ghi [[same]].", "There is no {name}; write [[same]].", name=name
        )
    lists = data.get(HEAD, [])
    if not isinstance(lists, list) or not all(isinstance(one, dict) for one in lists):
        source.wrong((HEAD,), "Hãy ghi mỗi danh sách dưới [[same]].", "Write each list under [[same]].")
        lists = []
    seen: dict[Phrase, int] = {}
    found = [list(_checked(source, number, table, seen)) for number, table in enumerate(lists)]
    if source.problems:
        raise WorkflowError(sorted(source.problems, key=lambda problem: problem.line))
    return found


def _checked(source: Source, number: int, table: dict[str, object], seen: dict[Phrase, int]) -> Iterator[str]:
    place = (HEAD, number)
    words = table.get("words")
    for name in table.keys() - {"words"}:
        source.wrong(
            (*place, name), "Không có mục “{name}”; chỉ có words.", "There is no {name}, only words.", name=name
        )
    if not isinstance(words, list) or len(words) < 2 or not all(isinstance(one, str) for one in words):
        source.wrong(
            (*place, "words"),
            "“words” cần ít nhất hai cách viết trong dấu nháy.",
            '"words" needs two or more ways of writing, in quotation marks.',
        )
        return
    for one in words:
        phrase = _phrase(one)
        if not phrase or len(phrase) > LONGEST:
            vi, en = "“{word}” cần từ 1 đến {most} tiếng.", "“{word}” needs 1 to {most} words."
            source.wrong((*place, "words"), vi, en, value=one, word=one, most=LONGEST)
        elif phrase in seen:
            vi, en = "“{word}” đã có ở dòng {first}.", "“{word}” stands in line {first} already."
            source.wrong((*place, "words"), vi, en, value=one, word=one, first=seen[phrase])
        else:
            seen[phrase] = source.line((*place, "words"), one)
            yield one


def _phrase(written: str) -> Phrase:
    return tuple(token.folded for token in text.tokens(written))


_used = Synonyms()


def use(synonyms: Synonyms) -> None:
    """Search with these from now on, in the whole process, as with the office's time zone."""
    global _used
    _used = synonyms


def used() -> Synonyms:
    """Return those in use."""
    return _used
