"""What is in force, measured: 100,000 revisions, docctl's queries beside the same rows in hand-written SQL; `python -m benchmarks.in_force`."""

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from docctl import intervals
from docctl.database import Database, iso, upgrade
from docctl.site import settle

RESULTS = Path(__file__).parent / "results" / "in_force.json"
FIRST = datetime(2000, 1, 1, tzinfo=UTC)
SPAN_DAYS = 9000
BARE = (
    "SELECT revision.id, revision.document_id FROM revision JOIN document ON document.id = revision.document_id "
    "WHERE effective_from <= ? AND (effective_to IS NULL OR effective_to > ?) ORDER BY document.code_key, document.id"
)


def main() -> None:
    """Build the office, ask at many dates, print percentiles and ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.in_force", description=__doc__)
    parser.add_argument("--documents", type=int, default=5_000)
    parser.add_argument("--editions", type=int, default=20, help="of each document")
    parser.add_argument("--asked", type=int, default=60, help="dates asked for")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'bench.db'}")
        upgrade(database)
        fill(database, options.documents, options.editions)
        found = measure(database, options.asked)
        database.dispose()
    found |= {"revisions": options.documents * options.editions, "documents": options.documents}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(found, indent=1) + "\n")
    print("| question | p50 ms | p95 ms | bare SQL p95 ms | docctl : bare SQL |\n|---|--:|--:|--:|--:|")
    for name in ("one document", "whole set", "set, ids only", "difference"):
        row = found[name]
        print(f"| {name} | {row['p50']:.1f} | {row['p95']:.1f} | {row['bare_p95']:.1f} | {row['ratio']:.2f} |")


def fill(database: Database, documents: int, editions: int) -> None:
    """Write documents whose editions follow one another at random dates; guards and indexes stay on."""
    chance, now = random.Random(7), iso(FIRST)
    with database.engine.execution_options(writes=True).connect() as connection:
        run = connection.exec_driver_sql
        run("INSERT INTO unit (id, code, name_vi, name_en, kind) VALUES (1, 'U', 'U', 'U', 'office')")
        run(
            "INSERT INTO account (id, name, full_name, title_vi, title_en, unit_id, password_hash, "
            "must_change_password, created_at) VALUES (1, 'a', 'a', 'a', 'a', 1, '', 0, ?)",
            (now,),
        )
        run(
            "INSERT INTO document_type (id, code, name_vi, name_en, level, code_pattern, workflow) "
            "VALUES (1, 'QT', 'Q', 'P', 3, 'QT', 'revision')"
        )
        run(
            "INSERT INTO workflow_version (id, name, version, sha256, source, registered_at) "
            "VALUES (1, 'revision', 1, ?, '', ?)",
            ("0" * 64, now),
        )
        sha = "a" * 64
        run("INSERT INTO content (sha256, size, kind, stored_at) VALUES (?, 1, 'txt', ?)", (sha, now))
        number = 0
        for document in range(1, documents + 1):
            run(
                "INSERT INTO document (id, code, code_key, title, type_id, unit_id, field, code_clash, created_at, "
                "created_by_id) VALUES (?, ?, ?, 'Quy trình', 1, 1, '', 0, ?, 1)",
                (document, f"QT-{document}", f"qt-{document:06}", now),
            )
            days = sorted(chance.sample(range(SPAN_DAYS), editions))
            ends = [*days[1:], None if chance.random() < 0.8 else SPAN_DAYS]
            for edition, (begins, end) in enumerate(zip(days, ends, strict=True), start=1):
                number += 1
                run(
                    "INSERT INTO revision (id, document_id, edition, amendment, title, state, round, lock, workflow, "
                    "workflow_version, author_id, file_sha256, file_name, change_summary, content_hash, effective_from, "
                    "effective_to, origin, origin_decision, source, created_at) VALUES (?, ?, ?, 0, 'Quy trình', "
                    "'issued', 1, 1, 'revision', 1, 1, ?, 'a.txt', '', ?, ?, ?, 'import', '2115/QĐ', 's', ?)",
                    (number, document, edition, sha, sha, at(begins), at(end), now),
                )
        run("ANALYZE")
        connection.commit()


def at(day: int | None) -> str | None:
    """Return the instant of a day of the bench, as SQLite keeps it."""
    return None if day is None else iso(FIRST + timedelta(days=day))


def measure(database: Database, asked: int) -> dict[str, object]:
    """Time each question at many dates, on a warm database."""
    settle()  # As the server does before it serves.
    chance = random.Random(11)
    days = [FIRST + timedelta(days=chance.randrange(SPAN_DAYS)) for _ in range(asked)]
    ones = [chance.randrange(1, 1000) for _ in days]
    with database.reading() as session:
        run = session.connection().exec_driver_sql

        def bare(day: datetime) -> object:
            return run(BARE, (iso(day), iso(day))).all()

        def bare_one(place: int) -> object:
            day = iso(days[place])
            return run(BARE.replace("WHERE", "WHERE document_id = ? AND"), (ones[place], day, day)).all()

        places = range(len(days))
        questions: dict[str, tuple[Callable[[int], object], Callable[[int], object]]] = {
            "one document": (lambda n: intervals.in_force(session, days[n], document_id=ones[n]), bare_one),
            "whole set": (lambda n: intervals.in_force(session, days[n]), lambda n: bare(days[n])),
            "set, ids only": (lambda n: intervals.ids_in_force(session, days[n]), lambda n: bare(days[n])),
            "difference": (
                lambda n: intervals.difference(session, days[n], days[n] + timedelta(days=90)),
                lambda n: (bare(days[n]), bare(days[n] + timedelta(days=90))),
            ),
        }
        found: dict[str, object] = {}
        for name, (ours, theirs) in questions.items():
            mine, other = times(session, ours, places), times(session, theirs, places)
            found[name] = {
                "p50": statistics.median(mine),
                "p95": p95(mine),
                "bare_p95": p95(other),
                "ratio": statistics.median(mine) / statistics.median(other),
            }
        return found


def times(session: Session, question: Callable[[int], object], places: range) -> list[float]:
    """Return the milliseconds of CPU time of each question: those of the process alone, whatever else the machine does.

    Nothing waits for a disk or a network here, so on a machine of its own it is the time on the clock. The first three
    questions, with nothing read yet, do not count.
    """
    spent = []
    for place in [*list(places)[:3], *places]:
        began = time.process_time()
        question(place)
        spent.append((time.process_time() - began) * 1000)
    return spent[3:]


def p95(spent: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(spent, n=20)[-1]


if __name__ == "__main__":
    main()
