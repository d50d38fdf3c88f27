"""Nobody learns of a revision that he may not see: ids, counts, filters, snippets and suggestions against a plain SQL oracle."""

import random
import re
from collections import Counter
from dataclasses import dataclass

import pytest
from sqlalchemy import text as sql

from docctl import clock, text
from docctl.database import iso
from docctl.search import finding, following, suggesting
from tests.conftest import LIVES

WHO = ("author", "neighbour", "reviewer", "controller", "staff", "auditor", "admin", None)


@pytest.fixture
def full(site, cast, make_revision):
    """An office with revisions in every state by two authors; each has a word that only it has."""
    for n, state in enumerate(LIVES * 2):
        by = "author" if n % 2 else "neighbour"
        make_revision(
            state, title=f"Quy trình riêng w{chr(97 + n)}w hồ sơ", text=f"Nội dung chung z{chr(97 + n)}z.", by=by
        )
    following.follow(site.database, site.engine)
    return site


@dataclass(frozen=True)
class Row:
    """A revision as a plain query reads it, for the oracle."""

    id: int
    author: int
    unit: str
    type: str
    state: str
    year: int
    current: bool
    own: frozenset[str]  # Words that stand in this title alone.


STORED = """
    SELECT r.id, r.title, r.author_id, r.state, r.effective_from, r.effective_to, u.code AS unit, u.id AS unit_id, t.code AS type
    FROM revision r JOIN document d ON d.id = r.document_id JOIN unit u ON u.id = d.unit_id
    JOIN document_type t ON t.id = d.type_id
"""
IN_FORCE = (
    "r.effective_from IS NOT NULL AND r.effective_from <= :now AND (r.effective_to IS NULL OR r.effective_to > :now)"
)


def oracle(session, reader) -> dict[int, Row]:
    """Return what somebody may see by the words of the product, in plain SQL and without the code that is tested."""
    may = [f"({IN_FORCE})"]
    given = {"now": iso(clock.now()), "me": reader.id if reader else -1}
    if reader is not None:
        may.append("r.author_id = :me")
        for role in ("author", "reviewer", "format_reviewer", "approver", "controller", "auditor"):
            if role in reader.reach:
                reached = reader.reach[role]
                few = ", ".join(map(str, reached or {-1})) if reached is not None else ""
                may.append(f"d.unit_id IN ({few})" if reached is not None else "1 = 1")
    rows = session.execute(sql(f"{STORED} WHERE {' OR '.join(may)}"), given).all()
    current = set(session.scalars(sql(f"SELECT r.id FROM revision r WHERE {IN_FORCE}"), {"now": given["now"]}))
    return {r.id: row_of(r, r.id in current) for r in rows}


def row_of(r, current: bool) -> Row:
    now, state = iso(clock.now()), r.state
    if state in ("issued", "withdrawn") and r.effective_from:
        ended = r.effective_to is not None and r.effective_to <= now
        after = "withdrawn" if state == "withdrawn" else "superseded"
        state = "scheduled" if r.effective_from > now else after if ended else "in_force"
    year = clock.local(clock.parse(r.effective_from)).year if r.effective_from else 0
    own = frozenset(re.findall(r"\bw\ww\b", r.title))
    return Row(r.id, r.author_id, r.unit, r.type, state, year, current, own)


class Leaks:
    """Asks at random on behalf of everybody and notes whatever the oracle does not allow."""

    def __init__(self, site, cast, session) -> None:
        self.site, self.session, self.chance = site, session, random.Random(5)
        self.readers = {who: cast.reader(session, who) if who else None for who in WHO}
        self.may = {who: oracle(session, reader) for who, reader in self.readers.items()}
        everything = session.scalars(sql("SELECT title FROM revision")).all()
        self.all_own = {word for title in everything for word in re.findall(r"\bw\ww\b", title)}
        self.words = [*self.all_own, "quy trinh", "rieng", "chung", "ho so", "quy trifnh", "TTHC"]
        self.found: list[str] = []
        self.counts = Counter()

    def ask(self) -> None:
        chance = self.chance
        who, word, scope = chance.choice(WHO), chance.choice(self.words), chance.choice(["in-force", "all"])
        typed = chance.choice([word, word[:-1], f"quy {word} sơ", f'"{word} hồ"', f"-{word} quy", f"{word}*"])
        narrowed = {}
        if chance.random() < 0.5:
            kind = chance.choice(["unit", "type", "state", "year"])
            choices = {
                "unit": ["TP", "NV", "UBND"],
                "type": ["QT", "HD"],
                "state": ["draft", "in_review", "approved", "scheduled", "in_force", "superseded", "withdrawn"],
                "year": [clock.today().year, clock.today().year + 1],
            }
            narrowed = {kind: chance.choice(choices[kind])}
        seen = {id: row for id, row in self.may[who].items() if scope == "all" or row.current}
        if chance.random() < 0.25:
            self.suggested(who, typed, scope, seen)
        else:
            self.searched(who, typed, scope, narrowed, seen)

    def searched(self, who, typed, scope, narrowed, seen) -> None:
        allowed = {id for id, row in seen.items() if all(self.fits(row, *one) for one in narrowed.items())}
        results = finding.find(
            self.session,
            self.site.engine,
            typed,
            reader=self.readers[who],
            scope=scope,
            limit=50,
            counted=True,
            **narrowed,
        )
        hits = {hit.revision for hit in results.hits}
        self.counts["hits"] += len(hits)
        wrong = hits - allowed or results.total > len(allowed) or (results.total <= 50 and results.total != len(hits))
        for name, choices in results.facets.items():
            if name == "field":
                continue
            open_to = [
                row for row in seen.values() if all(self.fits(row, *one) for one in narrowed.items() if one[0] != name)
            ]
            for choice in choices:
                self.counts["filters"] += 1
                wrong = wrong or choice.hits > sum(self.fits(row, name, choice.key) for row in open_to)
        told = [*results.suggestions, results.spelled, *("".join(p for p, _ in hit.snippet) for hit in results.hits)]
        told += [sentence.en for sentence in results.understood]
        self.judge(who, typed, scope, wrong, told, seen)

    def suggested(self, who, typed, scope, seen) -> None:
        reader = self.readers[who]
        found = suggesting.suggest(self.session, self.site.engine, typed, reader=reader, scope=scope)
        self.counts["suggestions"] += len(found)
        wrong = {one.revision for one in found} - seen.keys()
        total, ids = finding.matching(self.session, self.site.engine, typed, reader=reader, scope=scope, limit=50)
        wrong = wrong or set(ids) - seen.keys() or total > len(seen)
        self.judge(who, typed, scope, wrong, [one.title for one in found], seen)

    def judge(self, who, typed, scope, wrong, told, seen) -> None:
        known = {word for row in seen.values() for word in row.own} | {token.folded for token in text.tokens(typed)}
        said = {token.folded for token in text.tokens(" ".join(told))}
        if wrong or said & (self.all_own - known):
            self.found.append(f"{who} {scope} {typed}")

    @staticmethod
    def fits(row: Row, name: str, value) -> bool:
        if name == "unit":
            return value == "UBND" or row.unit == value  # The office, with everything below it.
        return str(getattr(row, name)) == str(value)


def leaks(site, cast, pairs: int) -> list[str]:
    with site.database.reading() as session:
        asked = Leaks(site, cast, session)
        for _ in range(pairs):
            asked.ask()
    print(f"{pairs} questions, {dict(asked.counts)}, {len(asked.found)} leaks")
    assert min(asked.counts[name] for name in ("hits", "filters", "suggestions")) > pairs / 10
    return asked.found


def test_a_few_hundred_random_questions_leak_nothing(full, cast):
    assert leaks(full, cast, 300) == []


@pytest.mark.large
@pytest.mark.timeout(1800)
def test_ten_thousand_random_questions_leak_nothing(full, cast):
    assert leaks(full, cast, 10_000) == []


def test_whoever_may_see_everything_finds_everything(full, cast):
    with full.database.reading() as session:
        reader = cast.reader(session, "auditor")
        found = finding.find(session, full.engine, "quy trinh", reader=reader, scope="all", limit=100)
        assert {hit.revision for hit in found.hits} == oracle(session, reader).keys()
