"""Saved searches are looked through when the index has followed: what matches anew is told once, in the page and by mail.

Looked at are the revisions that the trail has named since the last time, and those that began to be in force meanwhile,
for which no act is needed. Each is asked for with the rights that its person has at that moment.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import announcing, audit, authority, clock
from docctl.config import Settings
from docctl.database import Database
from docctl.notices import FOUND, Notice, write
from docctl.people import Account
from docctl.revisions import Revision
from docctl.rules import Refused, Sentence
from docctl.search import Engine, finding
from docctl.searches.saving import narrowing, wish_of
from docctl.searches.table import SavedHit, SavedSearch

NAMED = 3  # In the notice; the letter names more.
AT_ONCE = 50
IDLE_ENTRIES = 500  # Entries about no document after which the position is written all the same.
TOLD = Sentence("Tra cứu đã lưu “{name}” có kết quả mới: {what}", "Saved search “{name}” found something new: {what}")
AND_MORE = Sentence("{what} … và {n} tài liệu khác", "{what} … and {n} more")


def look(database: Database, engine: Engine, settings: Settings) -> int:
    """Look through every saved search whose person may have something new; returns how many notices came of it."""
    with database.reading() as session:
        if session.scalar(select(SavedSearch.id).limit(1)) is None:
            return 0
        head = audit.head(session).sequence
        if audit.documents_touched(session, after=engine.position())[1]:
            return 0  # The index is behind; it is asked again when it has caught up.
        now = clock.now()
        looking = _Looking(session, engine, now)
        looked = {row.id: looking.new(row) for row in _open(session)}
        # Those for which nothing was done stay as they are, so that no write comes of somebody's signing in.
        stale = {row.id for row in _open(session) if head - row.position >= IDLE_ENTRIES}
    if not stale and all(new is None for new in looked.values()):
        return 0
    told = 0
    with database.writing() as session:
        moved = [id for id, new in looked.items() if new is not None or id in stale]
        for row in session.scalars(select(SavedSearch).where(SavedSearch.id.in_(moved))).all():
            told += _tell(session, row, looked[row.id] or [], settings)
            row.position, row.looked_at = max(row.position, head), max(row.looked_at, now)
    return told


def _open(session: Session) -> Sequence[SavedSearch]:
    """Return the saved searches of open accounts."""
    query = select(SavedSearch).join(Account).where(Account.disabled_at.is_(None)).order_by(SavedSearch.id)
    return session.scalars(query.options(joinedload(SavedSearch.account))).all()


class _Looking:
    """One look through saved searches; most of them were looked through at the same time before, so answers are shared."""

    def __init__(self, session: Session, engine: Engine, now: datetime) -> None:
        self.session = session
        self.engine = engine
        self.now = now
        self.touched: dict[int, set[int]] = {}
        self.began: dict[datetime, set[int]] = {}

    def new(self, row: SavedSearch) -> list[int] | None:
        """Return the revisions that match a search anew, as far as its person may see them now; None: nothing was done."""
        known = select(SavedHit.revision_id).where(SavedHit.saved_search_id == row.id)
        candidates = self._candidates(row)
        if not candidates:
            return None
        among = frozenset(candidates - set(self.session.scalars(known)))
        if not among:
            return []
        reader, wish = authority.reader(self.session, row.account), wish_of(row)
        try:
            _, matching = finding.matching(
                self.session, self.engine, wish.words, reader=reader, limit=len(among), among=among, **narrowing(wish)
            )
        except Refused:
            return []  # Its unit or type is gone; the page of saved searches says so.
        return matching

    def _candidates(self, row: SavedSearch) -> set[int]:
        if row.position not in self.touched:
            _, documents = audit.documents_touched(self.session, after=row.position)
            self.touched[row.position] = _revisions(self.session, documents)
        if row.looked_at not in self.began:
            begins = Revision.effective_from
            query = select(Revision.id).where(begins > row.looked_at, begins <= self.now)
            self.began[row.looked_at] = set(self.session.scalars(query))
        return self.touched[row.position] | self.began[row.looked_at]


def _revisions(session: Session, document_ids: Collection[int]) -> set[int]:
    ids = sorted(document_ids)
    some = (ids[start : start + 500] for start in range(0, len(ids), 500))
    return {id for few in some for id in session.scalars(select(Revision.id).where(Revision.document_id.in_(few)))}


def _tell(session: Session, row: SavedSearch, matching: Sequence[int], settings: Settings) -> int:
    """Keep what is new as found and tell it; another process may have been faster."""
    known = set(session.scalars(select(SavedHit.revision_id).where(SavedHit.saved_search_id == row.id)))
    new = [id for id in matching if id not in known]
    if not new:
        return 0
    session.add_all(SavedHit(saved_search_id=row.id, revision_id=id) for id in new)
    query = select(Revision).where(Revision.id.in_(new[:AT_ONCE])).options(joinedload(Revision.document))
    lines = [f"{found.document.code} {found.title}" for found in session.scalars(query.order_by(Revision.id))]
    words = _sentence(row, lines, len(new))
    session.add(
        Notice(
            account_id=row.account_id,
            kind=FOUND,
            noun="saved_search",
            record_id=row.id,
            text_vi=words.vi,
            text_en=words.en,
            at=clock.now(),
        )
    )
    locale = row.account.locale or settings.locale
    body = announcing.letter(
        [words.get(locale), "", *(f"- {line}" for line in lines)], f"/saved-searches/{row.id}", locale, settings
    )
    subject = words.get(locale)
    write(session, row.account, kind=FOUND, subject=subject, body=body, host=announcing.host(settings))
    session.flush()
    return 1


def _sentence(row: SavedSearch, lines: Sequence[str], count: int) -> Sentence:
    what = "; ".join(lines[:NAMED])
    listed = AND_MORE.fill(what=what, n=count - NAMED) if count > NAMED else Sentence(what, what)
    return TOLD.fill(name=row.name, what=listed)
