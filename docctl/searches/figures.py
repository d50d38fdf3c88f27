"""What the administrator sees of searches: how many, which found nothing, which took long; never who asked."""

from dataclasses import dataclass, field

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from docctl.searches.asking import PEOPLE_TO_SHOW, since
from docctl.searches.table import AskedWords, SearchDay

SHOWN = 20


@dataclass(frozen=True)
class Asked:
    """Words that at least three people typed: how often, how often in vain, and the longest time."""

    words: str
    times: int
    nothing: int
    slow: int
    slowest_ms: int


@dataclass(frozen=True)
class Figures:
    """The searches of the last thirty days; `nothing_hidden` and `slow_hidden` are those whose words too few typed."""

    searches: int = 0
    nothing: int = 0
    slow: int = 0
    mean_ms: float = 0.0
    people: int = PEOPLE_TO_SHOW
    found_nothing: list[Asked] = field(default_factory=list)
    took_long: list[Asked] = field(default_factory=list)
    nothing_hidden: int = 0
    slow_hidden: int = 0


def figures(session: Session) -> Figures:
    """Return the figures, with the words that enough people typed."""
    sums = [func.coalesce(func.sum(column), 0) for column in (SearchDay.searches, SearchDay.in_vain, SearchDay.slow)]
    row = session.execute(select(*sums, func.coalesce(func.sum(SearchDay.took_ms), 0)).where(SearchDay.day >= since()))
    searches, nothing, slow, took_ms = (int(value) for value in row.one())
    hidden = select(func.coalesce(func.sum(AskedWords.in_vain), 0), func.coalesce(func.sum(AskedWords.slow), 0)).where(
        AskedWords.words == "", AskedWords.last_on >= since()
    )
    nothing_hidden, slow_hidden = (int(value) for value in session.execute(hidden).one())
    return Figures(
        searches=searches,
        nothing=nothing,
        slow=slow,
        mean_ms=took_ms / searches if searches else 0.0,
        found_nothing=_most(session, AskedWords.in_vain),
        took_long=_most(session, AskedWords.slow),
        nothing_hidden=nothing_hidden,
        slow_hidden=slow_hidden,
    )


def _most(session: Session, count: InstrumentedAttribute[int]) -> list[Asked]:
    query = select(AskedWords).where(AskedWords.words != "", count > 0, AskedWords.last_on >= since())
    rows = session.scalars(query.order_by(count.desc(), AskedWords.words).limit(SHOWN))
    return [Asked(row.words, row.times, row.in_vain, row.slow, row.slowest_ms) for row in rows]
