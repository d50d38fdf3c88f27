"""Filters of a search: by unit, type, field, state and year, and how many hits each value would leave."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

from sqlalchemy.orm import Session

from docctl import documents, units
from docctl.documents import DocumentType
from docctl.rules import Refused, Sentence
from docctl.search.query import Query
from docctl.search.sight import Sight
from docctl.units import Unit

FILTERS = ("unit", "type", "field", "state", "year")


@dataclass(frozen=True)
class Asked:
    """The values asked for, empty where any will do; `units` and `types` come out of the typed words.

    So do `without_units` and `without_types`, which leave out what belongs to any of them.
    """

    unit: str = ""
    type: str = ""
    field: str = ""
    state: str = ""
    year: int = 0
    document: int = 0
    units: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    without_units: tuple[str, ...] = ()
    without_types: tuple[str, ...] = ()

    @property
    def filtered(self) -> bool:
        """Whether a filter was chosen, besides what the words say."""
        return any(getattr(self, name) for name in FILTERS)

    def unfiltered(self) -> "Asked":
        """Return what the words say alone, and the document whose history is looked through."""
        return replace(self, unit="", type="", field="", state="", year=0)


@dataclass(frozen=True)
class Choice:
    """One value of a filter: its key in an address, its names, and how many hits it leaves."""

    key: str
    vi: str
    en: str
    hits: int


@dataclass(frozen=True)
class Names:
    """Units and types by their ids, in the order of lists: code, Vietnamese name, English name.

    `within` holds for each unit the ids of those that a search in it looks in.
    """

    units: Mapping[int, tuple[str, str, str]]
    types: Mapping[int, tuple[str, str, str]]
    within: Mapping[int, frozenset[int]]

    @classmethod
    def read(cls, session: Session) -> "Names":
        """Read them from the database."""
        known = units.all_units(session)
        below = units.below(session)
        within = {row.id: units.reached(below, row.id) for row in known}
        return cls(_named(known), _named(documents.all_types(session)), within)


class Narrowed:
    """What a reader may find, narrowed down by what was asked for."""

    def __init__(self, session: Session, sight: Sight, asked: Asked) -> None:
        self.session = session
        self.sight = sight
        self.asked = asked
        self.like: list[frozenset[str]] = []  # The facts by which an index knows nearly the same revisions.
        self.left_by = dict(self._left_by())  # What each filter leaves by itself.
        self.ids = self._all_of(self.left_by) if self.left_by else sight.ids

    @property
    def among(self) -> int:
        """How many there are to find among, the unit and the type regarded."""
        places = {name: ids for name, ids in self.left_by.items() if name.startswith(("unit", "type"))}
        return len(self._all_of(places) if places else self.sight.ids)

    def _left_by(self) -> Iterable[tuple[str, frozenset[int]]]:
        asked = self.asked
        if asked.document:
            yield "document", self.sight.having("document", [asked.document])
        for name, code in (("unit", asked.unit), *((f"unit {code}", code) for code in asked.units)):
            if code:
                yield name, self._having("unit", self._within(code))
        for name, code in (("type", asked.type), *((f"type {code}", code) for code in asked.types)):
            if code:
                yield name, self._having("type", [documents.find_type(self.session, code).id])
        for code in asked.without_units:
            yield f"unit -{code}", self.sight.ids - self.sight.having("unit", self._within(code))
        for code in asked.without_types:
            kind = documents.find_type(self.session, code).id
            yield f"type -{code}", self.sight.ids - self.sight.having("type", [kind])
        for name in ("field", "year"):
            if wanted := getattr(asked, name):
                yield name, self._having(name, [wanted])
        if asked.state:
            yield "state", self.sight.having("state", [asked.state])

    def _within(self, code: str) -> frozenset[int]:
        return units.with_descendants(self.session, units.find(self.session, code).id)

    def _having(self, name: str, values: Collection[object]) -> frozenset[int]:
        self.like.append(frozenset(_fact(name, value) for value in values))
        return self.sight.having(name, values)

    def _all_of(self, left_by: Mapping[str, frozenset[int]]) -> frozenset[int]:
        first, *others = sorted(left_by.values(), key=len)
        return first.intersection(*others) if others else first

    def counted(self, matched: Iterable[int], names: Names) -> dict[str, list[Choice]]:
        """Return for each filter its values with how many of the matching revisions they leave, the others applied."""
        ids = frozenset(matched)
        if not ids:
            return {}
        facts, counts = self.sight.facts, {}
        left_by_all = [facts[id] for id in ids.intersection(*self.left_by.values())]
        for name in FILTERS:
            rows = left_by_all
            if name in self.left_by:
                others = (left for other, left in self.left_by.items() if other != name)
                rows = [facts[id] for id in ids.intersection(*others)]
            counts[name] = Counter(map(attrgetter(name), rows))
        return {name: _choices(name, found, names) for name, found in counts.items()}


def facts_of(**known: object) -> frozenset[str]:
    """Return the facts of a revision, by which an index can narrow down: its unit, type, field and year."""
    return frozenset(_fact(name, value) for name, value in known.items())


def _fact(name: str, value: object) -> str:
    return f"{name} {value}"


def _choices(name: str, found: Counter[object], names: Names) -> list[Choice]:
    if name == "unit":
        # Whoever chooses a unit searches in those below it too.
        within = ((id, sum(found[one] for one in names.within[id])) for id in names.units)
        return [Choice(*names.units[id], hits) for id, hits in sorted(within, key=lambda row: -row[1]) if hits]
    if name == "type":
        known: Mapping[Any, tuple[str, str, str]] = names.types
        return [Choice(*known[id], hits) for id, hits in found.most_common() if id in known]
    rows = sorted(found.items(), key=lambda row: str(row[0]), reverse=name == "year")
    return [Choice(str(value), str(value), str(value), hits) for value, hits in rows if value]


def _named(rows: Iterable[Unit] | Iterable[DocumentType]) -> dict[int, tuple[str, str, str]]:
    return {row.id: (row.code, row.name("vi"), row.name("en")) for row in rows}


def read(session: Session, query: Query) -> tuple[Asked, list[Sentence]]:
    """Return what the typed words say of units and types, and a sentence about each of these that does not exist."""
    without, notes = query.without, list[Sentence]()

    def known(find: Callable[[Session, str], Unit | DocumentType], codes: Iterable[str]) -> tuple[str, ...]:
        good = []
        for code in codes:
            try:
                good.append(find(session, code).code)
            except Refused as refused:
                notes.append(refused.sentence)
        return tuple(good)

    asked = Asked(
        units=known(units.find, query.units),
        types=known(documents.find_type, query.types),
        without_units=known(units.find, without.units),
        without_types=known(documents.find_type, without.types),
    )
    return asked, notes
