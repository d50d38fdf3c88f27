"""What a reader may find: read from the database once per state of the trail, and forgotten when a date passes."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import audit, clock, posting, revisions
from docctl.database import iso
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Revision

_NONE: frozenset[int] = frozenset()

V = TypeVar("V")


class Facts(NamedTuple):
    """What a revision can be narrowed down by; `year` is that in which it took effect, 0 when it never did."""

    document: int
    unit: int
    type: int
    field: str
    state: str
    year: int
    since: str


@dataclass(frozen=True)
class Sight:
    """The revisions that a reader may find in a scope, and until when that stays so unless something is done."""

    facts: dict[int, Facts]
    since: datetime
    until: datetime | None

    @cached_property
    def ids(self) -> frozenset[int]:
        """The ids of the revisions."""
        return frozenset(self.facts)

    def having(self, name: str, values: Collection[object]) -> frozenset[int]:
        """Return the ids of the revisions of which a fact is one of some values; looked up, not searched for."""
        if name not in self.sorted_by:
            sets: dict[object, set[int]] = {}
            place = Facts._fields.index(name)
            for id, facts in self.facts.items():
                sets.setdefault(facts[place], set()).add(id)
            self.sorted_by[name] = {value: frozenset(ids) for value, ids in sets.items()}
        found = [self.sorted_by[name].get(value, _NONE) for value in values]
        return found[0] if len(found) == 1 else _NONE.union(*found)

    @cached_property
    def sorted_by(self) -> dict[str, dict[object, frozenset[int]]]:
        """For each fact that was asked about, the ids by its values."""
        return {}

    def holds(self, now: datetime) -> bool:
        """Say whether no revision began or ended to be in force meanwhile."""
        return self.since <= now and (self.until is None or now < self.until)


class Kept(Generic[V]):
    """A few values, the most recently used ones."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.values: OrderedDict[Hashable, V] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """Return a value and note that it was used."""
        with self.lock:
            if key in self.values:
                self.values.move_to_end(key)
            return self.values.get(key)

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value, and drop the one not used for longest when there are too many."""
        with self.lock:
            self.values[key] = value
            while len(self.values) > self.most:
                self.values.popitem(last=False)


def key_of(reader: Reader | None, *, everything: bool, on: datetime | None, posted: bool = False) -> Hashable:
    """Return what decides, besides the trail, what a reader may find: what is in force now is the same for everybody."""
    if posted:
        return "posted"
    if not everything and on is None:
        return "in force"
    if reader is None:
        return (everything, on, None)
    if reader.sees_everything:
        return (everything, on, "everything")
    return (everything, on, reader.id, frozenset(reader.reach.items()))


def sight_of(
    session: Session,
    reader: Reader | None,
    *,
    everything: bool,
    on: datetime | None,
    kept: Kept[Sight],
    head: audit.Head,
    posted: bool = False,
) -> Sight:
    """Return what a reader may find now: what is in force, or was `on`; with `everything` every state.

    With `posted` it is what people without sign-in may read: what is in force now of types that are posted.
    """
    now = clock.now()
    key = (head.hash, key_of(reader, everything=everything, on=on, posted=posted))
    found = kept.get(key)
    if found is None or not found.holds(now):
        found = _read(session, reader, everything=everything, on=on, now=now, posted=posted)
        kept.put(key, found)
    return found


def _read(
    session: Session, reader: Reader | None, *, everything: bool, on: datetime | None, now: datetime, posted: bool
) -> Sight:
    columns: list[Any] = [Revision.document_id, Document.unit_id, Document.type_id, Document.field]
    columns += [Revision.state, Revision.effective_from, Revision.effective_to]
    query = select(Revision.id, *columns).join(Document).where(revisions.visible(reader, at=now))
    if not everything or on is not None:
        query = query.where(revisions.in_force_at(on or now))
    if posted:
        query = query.where(posting.posted(posting.CONTENT))
    at = on or now
    facts = {
        id: Facts(
            document,
            unit,
            type,
            field,
            revisions.status_at(state, begins, ends, at),
            clock.local(begins).year if begins else 0,
            iso(begins) if begins else "",
        )
        for id, document, unit, type, field, state, begins, ends in session.execute(query)
    }
    return Sight(facts, now, _next_date(session, now))


def _next_date(session: Session, now: datetime) -> datetime | None:
    """Return when the next revision begins or ends to be in force."""
    dates = [
        session.scalar(select(func.min(column)).where(column > now))
        for column in (Revision.effective_from, Revision.effective_to)
    ]
    return min((date for date in dates if date is not None), default=None)
