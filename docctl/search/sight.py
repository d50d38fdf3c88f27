"""What a reader may find: read from the database once, kept up with the trail, and read again when a date passes."""

from collections.abc import Collection, Hashable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, func, select, true
from sqlalchemy.orm import Session

from docctl import clock, posting, revisions
from docctl.audit import Head
from docctl.database import iso
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Revision
from docctl.search.remembering import Kept, Trail
from docctl.search.spelling import Lexicon

TITLES_READ = 30_000  # Of the newest revisions, for the words that somebody may have meant.

_NONE: frozenset[int] = frozenset()


class Facts(NamedTuple):
    """What a revision can be narrowed down by; `year` is that in which it took effect, 0 when it never did."""

    document: int
    unit: int
    type: int
    field: str
    state: str
    year: int
    since: str


@dataclass(eq=False)
class Sight:
    """The revisions that a reader may find in a scope, as of a mark in the trail, and until when that stays so by itself."""

    mark: Head
    facts: dict[int, Facts]
    since: datetime
    until: datetime | None
    sorted_by: dict[str, dict[object, frozenset[int]]] = field(default_factory=dict)  # For each fact asked about.
    words: "Words | None" = None  # Of the titles, once somebody asked for them.

    @cached_property
    def ids(self) -> frozenset[int]:
        """The ids of the revisions."""
        return frozenset(self.facts)

    def having(self, name: str, values: Collection[object]) -> frozenset[int]:
        """Return the ids of the revisions of which a fact is one of some values; looked up, not searched for."""
        if name not in self.sorted_by:
            self.sorted_by[name] = {value: frozenset(ids) for value, ids in _sorted(self.facts, name).items()}
        found = [self.sorted_by[name].get(value, _NONE) for value in values]
        return found[0] if len(found) == 1 else _NONE.union(*found)

    def holds(self, now: datetime) -> bool:
        """Say whether no revision began or ended to be in force meanwhile."""
        return self.since <= now and (self.until is None or now < self.until)

    def lexicon(self, session: Session) -> Lexicon:
        """Return the words of the titles in sight, of the newest revisions where there are very many."""
        words = self.words
        if words is None:
            rows = session.connection().execute(_TITLES.limit(TITLES_READ))
            titles = {id: title for id, title in rows if id in self.facts}
            self.words = words = Words(titles, Lexicon(titles.values()))
        return words.lexicon


class Words(NamedTuple):
    """The titles of revisions, and the words in them."""

    titles: dict[int, str]
    lexicon: Lexicon


_TITLES = select(Revision.id, Revision.title).order_by(Revision.id.desc())


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
    trail: Trail,
    mark: Head,
    posted: bool = False,
) -> Sight:
    """Return what a reader may find now: what is in force, or was `on`; with `everything` every state.

    With `posted` it is what people without sign-in may read: what is in force now of types that are posted. What was
    read before is kept up by reading anew the documents alone that the trail has told of since.
    """
    now = clock.now()
    asked = _Asked(reader, everything, on, posted, now)
    key = key_of(reader, everything=everything, on=on, posted=posted)
    found = kept.get(key)
    if found is None or found.mark != mark or not found.holds(now):
        touched = trail.touched(session, found.mark, mark) if found is not None and found.holds(now) else None
        if found is None or touched is None:
            found = Sight(mark, _facts(session, asked), now, _next_date(session, now))
        else:
            found = _kept_up(session, found, asked, mark, touched)
        kept.put(key, found)
    return found


class _Asked(NamedTuple):
    reader: Reader | None
    everything: bool
    on: datetime | None
    posted: bool
    now: datetime


def _kept_up(session: Session, known: Sight, asked: _Asked, mark: Head, touched: frozenset[int]) -> Sight:
    """Return a sight with some documents read anew; what was worked out of it goes along."""
    about = Revision.document_id.in_(touched)
    fresh = _facts(session, asked, about)
    before = {id: known.facts[id] for id in session.scalars(select(Revision.id).where(about)) if id in known.facts}
    dates = [date for date in (known.until, _next_date(session, asked.now, about)) if date is not None]
    kept_up = replace(known, mark=mark, since=asked.now, until=min(dates, default=None))
    if fresh != before:
        facts = {id: row for id, row in known.facts.items() if id not in before} if before else known.facts
        kept_up = replace(kept_up, facts=facts | fresh, sorted_by=_sorted_again(known.sorted_by, before, fresh))
    else:
        kept_up.ids = known.ids  # The same set, so that an engine knows it again.
    if kept_up.words is not None:
        kept_up.words = _words_again(session, kept_up.words, about, before, fresh)
    return kept_up


def _words_again(
    session: Session, known: Words, about: ColumnElement[bool], before: Collection[int], fresh: Collection[int]
) -> Words:
    """Return the words of the titles, with those of some revisions in the place of others."""
    rows = session.execute(select(Revision.id, Revision.title).where(about))
    titles = {id: title for id, title in rows if id in fresh}
    without = {id: known.titles[id] for id in before if id in known.titles}
    if without == titles:
        return known
    left = {id: title for id, title in known.titles.items() if id not in without}
    return Words(left | titles, known.lexicon.changed(without.values(), titles.values()))


def _sorted_again(
    known: Mapping[str, Mapping[object, frozenset[int]]], before: Mapping[int, Facts], fresh: Mapping[int, Facts]
) -> dict[str, dict[object, frozenset[int]]]:
    """Return what was looked up by facts, with some rows in the place of others."""
    again = {}
    for name, sets in dict(known).items():
        again[name] = dict(sets)
        for value, ids in _sorted(before, name).items():
            again[name][value] = again[name].get(value, _NONE) - ids
        for value, ids in _sorted(fresh, name).items():
            again[name][value] = again[name].get(value, _NONE) | ids
    return again


def _sorted(facts: Mapping[int, Facts], name: str) -> dict[object, set[int]]:
    """Return the ids by the values of a fact."""
    sets: dict[object, set[int]] = {}
    place = Facts._fields.index(name)
    for id, row in facts.items():
        sets.setdefault(row[place], set()).add(id)
    return sets


def _facts(session: Session, asked: _Asked, about: ColumnElement[bool] | None = None) -> dict[int, Facts]:
    """Read what may be found, of everything or of some documents."""
    columns: list[Any] = [Revision.document_id, Document.unit_id, Document.type_id, Document.field]
    columns += [Revision.state, Revision.effective_from, Revision.effective_to]
    query = select(Revision.id, *columns).join(Document).where(revisions.visible(asked.reader, at=asked.now))
    if not asked.everything or asked.on is not None:
        query = query.where(revisions.in_force_at(asked.on or asked.now))
    if asked.posted:
        query = query.where(posting.posted(posting.CONTENT))
    if about is not None:
        query = query.where(about)
    at = asked.on or asked.now
    dated: dict[datetime | None, tuple[int, str]] = {None: (0, "")}  # A decision issues many: each date is told once.
    facts = {}
    for id, document, unit, type, of_field, state, begins, ends in session.connection().execute(query):
        if begins not in dated:
            dated[begins] = (year_of(begins), iso(begins))
        state_then = revisions.status_at(state, begins, ends, at)
        facts[id] = Facts(document, unit, type, of_field, state_then, *dated[begins])
    return facts


def year_of(begins: datetime | None) -> int:
    """Return the year, in the office's time zone, in which a revision took effect; 0 when it never did."""
    return clock.local(begins).year if begins else 0


def _next_date(session: Session, now: datetime, about: ColumnElement[bool] | None = None) -> datetime | None:
    """Return when the next revision, of all or of some documents, begins or ends to be in force."""
    among = true() if about is None else about
    dates = [
        session.scalar(select(func.min(column)).where(column > now, among))
        for column in (Revision.effective_from, Revision.effective_to)
    ]
    return min((date for date in dates if date is not None), default=None)
