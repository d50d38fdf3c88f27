"""Filters of a search: by unit, type, field, state and year, and how many hits each value would leave."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from docctl import documents, units
from docctl.documents import DocumentType
from docctl.rules import Refused, Sentence
from docctl.search.query import Query
from docctl.search.sight import Facts, Sight
from docctl.units import Unit

FILTERS = ("unit", "type", "field", "state", "year")


@dataclass(frozen=True)
class Asked:
    """The values asked for, empty where any will do; `units` and `types` come out of the typed words."""

    unit: str = ""
    type: str = ""
    field: str = ""
    state: str = ""
    year: int = 0
    document: int = 0
    units: tuple[str, ...] = ()
    types: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """One value of a filter: its key in an address, its names, and how many hits it leaves."""

    key: str
    vi: str
    en: str
    hits: int


class Narrowed:
    """What a reader may find, narrowed down by what was asked for."""

    def __init__(self, session: Session, sight: Sight, asked: Asked) -> None:
        self.session = session
        self.sight = sight
        self.asked = asked
        self.tests = dict(self._tests())
        tests = list(self.tests.values())
        self.ids = (
            sight.ids if not tests else frozenset(i for i, facts in sight.facts.items() if all(t(facts) for t in tests))
        )

    def _tests(self) -> Iterable[tuple[str, Callable[[Facts], bool]]]:
        asked = self.asked
        if asked.document:
            yield "document", lambda facts: facts.document == asked.document
        for name, code in (("unit", asked.unit), *((f"unit {code}", code) for code in asked.units)):
            if code:
                within = units.with_descendants(self.session, units.find(self.session, code).id)
                yield name, lambda facts, within=within: facts.unit in within  # type: ignore[misc]
        for name, code in (("type", asked.type), *((f"type {code}", code) for code in asked.types)):
            if code:
                kind = documents.find_type(self.session, code).id
                yield name, lambda facts, kind=kind: facts.type == kind  # type: ignore[misc]
        for name in ("field", "state", "year"):
            if wanted := getattr(asked, name):
                yield name, lambda facts, name=name, wanted=wanted: getattr(facts, name) == wanted  # type: ignore[misc]

    def without(self, name: str) -> frozenset[int]:
        """Return what may be found when one filter is left open."""
        tests = [test for other, test in self.tests.items() if other != name]
        return frozenset(i for i, facts in self.sight.facts.items() if all(test(facts) for test in tests))

    def counted(self, matched: Iterable[int]) -> dict[str, list[Choice]]:
        """Return for each filter its values with how many of the matching revisions they leave, the others applied."""
        counts: dict[str, Counter[object]] = {name: Counter() for name in FILTERS}
        for id in matched:
            facts = self.sight.facts[id]
            failed = [name for name, test in self.tests.items() if not test(facts)]
            for name in FILTERS:
                if not failed or failed == [name]:
                    counts[name][getattr(facts, name)] += 1
        return {name: self._choices(name, found) for name, found in counts.items()}

    def _choices(self, name: str, found: Counter[object]) -> list[Choice]:
        if name == "unit":
            known = {unit.id: unit for unit in units.all_units(self.session)}
            return [_named(known[id], hits) for id, hits in found.most_common() if id in known]
        if name == "type":
            types = {kind.id: kind for kind in documents.all_types(self.session)}
            return [_named(types[id], hits) for id, hits in found.most_common() if id in types]
        rows = sorted(found.items(), key=lambda row: str(row[0]), reverse=name == "year")
        return [Choice(str(value), str(value), str(value), hits) for value, hits in rows if value]


def _named(row: Unit | DocumentType, hits: int) -> Choice:
    return Choice(row.code, row.name("vi"), row.name("en"), hits)


def read(session: Session, query: Query) -> tuple[tuple[str, ...], tuple[str, ...], list[Sentence]]:
    """Return the units and types that stand among the typed words, and a sentence about each that does not exist."""
    good: dict[str, list[str]] = {"unit": [], "type": []}
    notes = []
    for name, codes in (("unit", query.units), ("type", query.types)):
        for code in codes:
            try:
                found = units.find(session, code) if name == "unit" else documents.find_type(session, code)
                good[name].append(found.code)
            except Refused as refused:
                notes.append(refused.sentence)
    return tuple(good["unit"]), tuple(good["type"]), notes
