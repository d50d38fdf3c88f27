"""What a verification gathers: counts of what it looked at, problems, and how far it is; and its reading of rows."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, text

from docctl.database import iso

Progress = Callable[[str, int, int], None]
CHUNK = 500


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: the kind of thing, the record by name, and how it differs from what it must be."""

    what: str
    record: str
    detail: str


class Findings:
    """Counts, problems and progress of one verification."""

    def __init__(self, progress: Progress | None = None) -> None:
        self.checked: dict[str, int] = {}
        self.problems: list[Problem] = []
        self._progress = progress

    def found(self, what: str, record: str, detail: str) -> None:
        """Note a problem."""
        self.problems.append(Problem(what, record, detail))

    def count(self, name: str, number: int = 1) -> None:
        """Note that something was looked at."""
        self.checked[name] = self.checked.get(name, 0) + number

    def step(self, stage: str, done: int, total: int) -> None:
        """Say how far the verification is, now and then."""
        if self._progress and (done % CHUNK == 0 or done == total):
            self._progress(stage, done, total)


def stream(connection: Connection, query: str, **given: Any) -> Iterator[Row[Any]]:
    """Yield the rows of a query in chunks; columns come as stored, so that a value no type can read is still read."""
    yield from connection.execute(text(query), given, execution_options={"yield_per": CHUNK})


def number(connection: Connection, query: str, **given: Any) -> int:
    """Return the one number that a query gives."""
    return int(connection.execute(text(query), given).scalar() or 0)


def plain(value: Any) -> Any:
    """Return a stored value as the trail writes it: instants and days as ISO text, the rest as it is."""
    if isinstance(value, datetime):
        return iso(value)
    return value.isoformat() if isinstance(value, date) else value


def loaded(detail: str) -> dict[str, Any] | None:
    """Return the values of a trail entry, None when they are not what JSON calls an object."""
    try:
        values = json.loads(detail)
    except (ValueError, TypeError):
        return None
    return values if isinstance(values, dict) else None


def paired(
    left: Iterable[tuple[int, Any]], right: Iterable[tuple[int, Any]]
) -> Iterator[tuple[int, Any | None, Any | None]]:
    """Walk two streams ordered by key side by side: each key once, with None for the side that lacks it."""
    lefts, rights = iter(left), iter(right)
    one, other = next(lefts, None), next(rights, None)
    while one is not None or other is not None:
        if other is None or (one is not None and one[0] < other[0]):
            assert one is not None
            yield one[0], one[1], None
            one = next(lefts, None)
        elif one is None or other[0] < one[0]:
            yield other[0], None, other[1]
            other = next(rights, None)
        else:
            yield one[0], one[1], other[1]
            one, other = next(lefts, None), next(rights, None)
