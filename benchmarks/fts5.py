"""SQLite FTS5 over the same folded text: the measure that search is compared with."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pysqlite3

from benchmarks.corpus import Made
from docctl import text
from docctl.search import Query


class Fts5:
    """One FTS5 table; titles and codes are columns with weights, as its users would have them."""

    def __init__(self, path: Path) -> None:
        self.connection: sqlite3.Connection = pysqlite3.connect(str(path))
        self.connection.execute(
            "CREATE VIRTUAL TABLE f USING fts5(code, title, body, content='', tokenize=\"unicode61 tokenchars '-'\")"
        )
        self.connection.execute("CREATE TABLE allowed (id INTEGER PRIMARY KEY)")

    def add(self, some: Sequence[Made]) -> None:
        """Index documents, committed at once."""
        with self.connection:
            self.connection.executemany(
                "INSERT INTO f(rowid, code, title, body) VALUES (?, ?, ?, ?)",
                [
                    (made.id, " ".join(text.code_terms(made.code)), folded(made.title), folded(made.body))
                    for made in some
                ],
            )

    def allow(self, only: frozenset[int]) -> None:
        """Keep the ids that a filtered query is limited to."""
        with self.connection:
            self.connection.execute("DELETE FROM allowed")
            self.connection.executemany("INSERT INTO allowed VALUES (?)", [(id,) for id in only])

    def search(self, query: Query, filtered: bool) -> tuple[int, list[int]]:
        """Return the exact total and the best twenty."""
        words = [f'"{word.folded}"' for word in query.words]
        match = " AND ".join([*words, *(f'"{folded(phrase)}"' for phrase in query.phrases)])
        # CROSS JOIN keeps the planner from asking the text index once for every allowed row, which is far slower.
        found = "f CROSS JOIN allowed ON allowed.id = f.rowid" if filtered else "f"
        total = self.connection.execute(f"SELECT count(*) FROM {found} WHERE f MATCH ?", [match]).fetchone()[0]
        best = self.connection.execute(
            f"SELECT f.rowid FROM {found} WHERE f MATCH ? ORDER BY bm25(f, 8.0, 4.0, 1.0) LIMIT 20", [match]
        )
        return total, [id for (id,) in best]


def folded(written: str) -> str:
    """Return a text as its folded words, the codes in it whole and in parts: what docctl indexes."""
    return " ".join(
        f"{text.whole_code(chunk)} {' '.join(token.folded for token in text.tokens(chunk))}"
        if text.is_code(chunk)
        else " ".join(token.folded for token in text.tokens(chunk))
        for chunk in text.chunks(written)
    )
