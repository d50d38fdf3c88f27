"""What a process remembers of its answers, and what the trail's newer entries mean for it: nothing, some documents, or all.

People sign in and confirm what they read all day, so an entry as such is no reason to read an office of 100,000 documents anew.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from docctl.audit import GENESIS, Action, AuditEntry, Head

MOST_TOUCHED = 1_000  # Documents, beyond which everything is read anew at once.

# Nouns whose acts change what is found or how it is shown. What follows from an act on another noun for a document, such as the
# execution of a decision or a draft opened by a request, has an entry of its own.
_FOUND = {"configuration", "content", "document", "document_type", "revision", "schema", "unit"}
HEEDED = frozenset(action for action in Action if action.partition(".")[0] in _FOUND or action == Action.TRAIL_RESTORED)
CONFIGURES = '"kept":{'  # In the detail of an entry, whatever its act: units, types or texts were written with it.

V = TypeVar("V")


class Kept(Generic[V]):
    """A few values, the most recently used ones: at most so many, or so much by what each weighs, and always the latest."""

    def __init__(self, most: int, weigh: Callable[[V], int] = lambda value: 1) -> None:
        self.most = most
        self.weigh = weigh
        self.weight = 0
        self.values: OrderedDict[Hashable, V] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Hashable) -> V | None:
        """Return a value and note that it was used."""
        with self.lock:
            if key in self.values:
                self.values.move_to_end(key)
            return self.values.get(key)

    def put(self, key: Hashable, value: V) -> None:
        """Keep a value, and drop those not used for longest while there is too much."""
        with self.lock:
            if key in self.values:
                self.weight -= self.weigh(self.values.pop(key))
            self.values[key] = value
            self.weight += self.weigh(value)
            while self.weight > self.most and len(self.values) > 1:
                self.weight -= self.weigh(self.values.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget everything."""
        with self.lock:
            self.values.clear()
            self.weight = 0


class Trail:
    """The audit trail as search reads it: which entry was the last that matters, and what was touched between two."""

    def __init__(self) -> None:
        self.marks: Kept[Head] = Kept(4)
        self.touched_between: Kept[frozenset[int]] = Kept(4)
        self.newest = Head(0, GENESIS)

    def mark(self, session: Session, head: Head) -> Head:
        """Return the newest entry, up to a head of the trail, after which something else may be found than before it."""
        known = self.marks.get(head)
        if known is None:
            before = self.newest
            known = self.marks.get(before) if _follows(session, head, before) else None
            known = _newest(session, before.sequence if known else 0, head) or known or Head(0, GENESIS)
            self.marks.put(head, known)
            self.newest = head
        return known

    def touched(self, session: Session, since: Head, until: Head) -> frozenset[int] | None:
        """Return the documents that entries between two marks are about; None when anything may have changed."""
        found = self.touched_between.get((since, until))
        if found is None and _follows(session, until, since):
            ids = session.scalars(
                _BETWEEN.where(AuditEntry.sequence > since.sequence, AuditEntry.sequence <= until.sequence)
            )
            about = set(ids.fetchmany(MOST_TOUCHED + 1))
            ids.close()
            if None in about or len(about) > MOST_TOUCHED:
                return None
            found = frozenset(id for id in about if id is not None)
            self.touched_between.put((since, until), found)
        return found


_HEEDED = or_(AuditEntry.action.in_(sorted(HEEDED)), AuditEntry.detail.contains(CONFIGURES))
_BETWEEN = select(AuditEntry.document_id).where(_HEEDED).distinct()


def _newest(session: Session, after: int, head: Head) -> Head | None:
    query = select(AuditEntry.sequence, AuditEntry.hash).where(_HEEDED, AuditEntry.sequence > after)
    query = query.where(AuditEntry.sequence <= head.sequence).order_by(AuditEntry.sequence.desc()).limit(1)
    found = session.execute(query).first()
    return Head(found.sequence, found.hash) if found else None


def _follows(session: Session, later: Head, earlier: Head) -> bool:
    """Say whether an entry is in the trail before another one; not so in a database that was put in the place of the first."""
    if not 0 < earlier.sequence < later.sequence:
        return False
    return session.scalar(select(AuditEntry.hash).where(AuditEntry.sequence == earlier.sequence)) == earlier.hash
