"""Nobody learns of a revision that he may not see: ids, counts, filters, snippets and suggestions against a plain SQL oracle."""

import random
import re
import time

import pytest
from sqlalchemy import text as sql

from docctl import clock, text
from docctl.database import iso
from docctl.search import finding, following
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


def oracle(session, reader) -> set[int]:
    """Return what somebody may see by the words of the product, in plain SQL and without the code that is tested."""
    rows = session.execute(
        sql(
            "SELECT r.id, r.author_id, r.effective_from, r.effective_to, d.unit_id"
            " FROM revision r JOIN document d ON d.id = r.document_id"
        )
    ).all()
    now = iso(clock.now())
    current = {r.id for r in rows if r.effective_from and r.effective_from <= now < (r.effective_to or "9999")}
    if reader is None:
        return current
    seen = {r.id for r in rows if r.author_id == reader.id}
    for role in ("author", "reviewer", "format_reviewer", "approver", "controller", "auditor"):
        if role in reader.reach:
            reached = reader.reach[role]
            seen |= {r.id for r in rows if reached is None or r.unit_id in reached}
    return current | seen


def leaks(site, cast, pairs: int) -> list[str]:
    chance = random.Random(5)
    found = []
    with site.database.reading() as session:
        readers = {who: cast.reader(session, who) if who else None for who in WHO}
        may = {who: oracle(session, reader) for who, reader in readers.items()}
        titles = dict(session.execute(sql("SELECT id, title FROM revision")).all())
        own = {id: set(re.findall(r"\bw\ww\b", title)) for id, title in titles.items()}
        words = [word for some in own.values() for word in some] + [
            "quy trinh",
            "rieng",
            "chung",
            "ho so",
            "quy trifnh",
        ]
        for _ in range(pairs):
            who, word = chance.choice(WHO), chance.choice(words)
            typed = chance.choice([word, word[:-1], f"quy {word} sơ", f'"{word} hồ"', f"-{word} quy", f"{word}*"])
            scope = chance.choice(["in-force", "all"])
            results = finding.find(
                session, site.engine, typed, reader=readers[who], scope=scope, limit=50, counted=True
            )
            known = set().union(*(own[id] for id in may[who]), {token.folded for token in text.tokens(typed)})
            hidden = set().union(*own.values()) - known
            told = " ".join([*results.suggestions, *("".join(p for p, _ in hit.snippet) for hit in results.hits)])
            hits = {hit.revision for hit in results.hits}
            counted = max((sum(c.hits for c in choices) for choices in results.facets.values()), default=0)
            wrong = hits - may[who] or results.total > len(may[who]) or counted > len(may[who])
            if wrong or hidden & {token.folded for token in text.tokens(told)}:
                found.append(f"{who} {scope} {typed}")
    return found


def test_a_few_hundred_random_questions_leak_nothing(full, cast):
    assert leaks(full, cast, 300) == []


@pytest.mark.large
def test_ten_thousand_random_questions_leak_nothing(full, cast):
    assert leaks(full, cast, 10_000) == []


def test_whoever_may_see_everything_finds_everything(full, cast):
    with full.database.reading() as session:
        reader = cast.reader(session, "auditor")
        found = finding.find(session, full.engine, "quy trinh", reader=reader, scope="all", limit=100)
        assert {hit.revision for hit in found.hits} == oracle(session, reader)


def hostile(shared_data) -> list[str]:
    naughty = (shared_data / "lists" / "blns.txt").read_text(encoding="utf-8", errors="replace").splitlines()
    chance = random.Random(3)
    alphabet = ' "-*:()[]^~\\/%_đĐệẫ\u0301\u200b\u202eaeiouw123.,@mãcode:unit:type:“”'
    made = ["".join(chance.choices(alphabet, k=chance.randint(1, 400))) for _ in range(5000 - len(naughty))]
    return [*naughty, *made]


def ask_all(site, cast, typed: list[str]) -> tuple[float, str]:
    """Ask everything and return the longest processor time and what took it."""
    slowest = (0.0, "")
    with site.database.reading() as session:
        reader = cast.reader(session, "auditor")
        for words in typed:
            began = time.process_time()
            finding.find(session, site.engine, words[:500], reader=reader, scope="all", counted=True)
            slowest = max(slowest, (time.process_time() - began, words))
    return slowest


def test_hostile_words_are_answered_in_less_than_a_second(full, cast, shared_data):
    assert ask_all(full, cast, hostile(shared_data)[::25])[0] < 1.0


@pytest.mark.large
def test_five_thousand_hostile_words_are_answered_in_less_than_a_second_each(full, cast, shared_data):
    assert ask_all(full, cast, hostile(shared_data))[0] < 1.0
