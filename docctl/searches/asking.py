"""What was asked: kept in memory until a job writes it down, so that no search waits for a write.

One's own latest words help while typing. The figures for the administrator name nobody: words are counted under a keyed
hash, and written out, without accents, only when a third person has typed the same.
"""

import hashlib
import hmac
import json
import threading
from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from docctl import clock, text
from docctl.database import Database
from docctl.people import Reader
from docctl.searches.table import AskedWords, RecentSearch, SearchDay

RECENT_KEPT = 10
PEOPLE_TO_SHOW = 3  # So many different people must have typed words before anybody else reads them.
KEPT_DAYS = 30
SLOW_MS = 500
MOST_HEARD = 2000
LONGEST = 500


@dataclass(frozen=True)
class Question:
    """One search that was made."""

    account_id: int
    words: str
    found: bool
    took_ms: float
    at: datetime


class Heard:
    """The searches of this process that are not written down yet; of too many the oldest are forgotten."""

    def __init__(self) -> None:
        self.questions: deque[Question] = deque(maxlen=MOST_HEARD)
        self.lock = threading.Lock()

    def note(self, *, by: Reader, words: str, found: bool, took_ms: float) -> None:
        """Remember a search."""
        words = " ".join(words.split())[:LONGEST]
        if words:
            with self.lock:
                self.questions.append(Question(by.id, words, found, took_ms, clock.now()))

    def of(self, account_id: int) -> list[str]:
        """Return somebody's words that found something, newest first."""
        with self.lock:
            return [q.words for q in reversed(self.questions) if q.account_id == account_id and q.found]

    def taken(self) -> list[Question]:
        """Return what is to be written down, and forget it."""
        with self.lock:
            questions = list(self.questions)
            self.questions.clear()
        return questions

    def forget(self, account_id: int) -> None:
        """Forget what somebody asked."""
        with self.lock:
            self.questions = deque((q for q in self.questions if q.account_id != account_id), maxlen=MOST_HEARD)


def recent(session: Session, heard: Heard, *, by: Reader) -> list[str]:
    """Return the words that somebody searched for lately, newest first."""
    query = select(RecentSearch.words).where(RecentSearch.account_id == by.id).order_by(RecentSearch.at.desc())
    return list(dict.fromkeys([*heard.of(by.id), *session.scalars(query)]))[:RECENT_KEPT]


def forget(session: Session, heard: Heard, *, by: Reader) -> None:
    """Forget the words that somebody searched for lately."""
    heard.forget(by.id)
    session.execute(delete(RecentSearch).where(RecentSearch.account_id == by.id))


def keep(database: Database, heard: Heard, secret: str) -> int:
    """Write down what was asked; returns how many searches that were."""
    questions = heard.taken()
    if not questions:
        return 0
    with database.writing() as session:
        for question in questions:
            if question.found:
                _recent(session, question)
            _counted(session, question, secret)
        _tidy(session, {question.account_id for question in questions})
    return len(questions)


def _recent(session: Session, question: Question) -> None:
    same = RecentSearch.account_id == question.account_id, RecentSearch.words == question.words
    row = session.scalars(select(RecentSearch).where(*same)).first()
    if row is None:
        session.add(RecentSearch(account_id=question.account_id, words=question.words, at=question.at))
    else:
        row.at = question.at
    session.flush()


def _counted(session: Session, question: Question, secret: str) -> None:
    folded = " ".join(text.fold(question.words).split())
    key, slow = _hash(secret, "words", folded), question.took_ms > SLOW_MS
    today = clock.local(question.at).date()
    row = session.get(AskedWords, key)
    if row is None:
        row = AskedWords(key=key, words="", askers="[]", times=0, in_vain=0, slow=0, slowest_ms=0, last_on=today)
        session.add(row)
    row.times, row.last_on = row.times + 1, today
    row.in_vain, row.slow = row.in_vain + (not question.found), row.slow + slow
    row.slowest_ms = max(row.slowest_ms, round(question.took_ms))
    if not row.words:
        askers = sorted({*json.loads(row.askers), _hash(secret, "who", f"{key} {question.account_id}")[:16]})
        known = len(askers) >= PEOPLE_TO_SHOW
        row.words, row.askers = (folded, "[]") if known else ("", json.dumps(askers))
    day = session.get(SearchDay, today)
    if day is None:
        day = SearchDay(day=today, searches=0, in_vain=0, slow=0, took_ms=0)
        session.add(day)
    day.searches, day.took_ms = day.searches + 1, day.took_ms + round(question.took_ms)
    day.in_vain, day.slow = day.in_vain + (not question.found), day.slow + slow
    session.flush()


def _tidy(session: Session, account_ids: set[int]) -> None:
    for account_id in account_ids:
        mine = select(RecentSearch.id).where(RecentSearch.account_id == account_id)
        old = session.scalars(mine.order_by(RecentSearch.at.desc(), RecentSearch.id.desc()).offset(RECENT_KEPT)).all()
        session.execute(delete(RecentSearch).where(RecentSearch.id.in_(old)))
    session.execute(delete(AskedWords).where(AskedWords.last_on < since()))
    session.execute(delete(SearchDay).where(SearchDay.day < since()))


def since() -> date:
    """Return the first day of which figures are kept."""
    return clock.today() - timedelta(days=KEPT_DAYS)


def _hash(secret: str, purpose: str, value: str) -> str:
    return hmac.new(f"{purpose} {secret}".encode(), value.encode(), hashlib.sha256).hexdigest()
