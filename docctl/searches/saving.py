"""Saved searches: a name, the words and the filters, kept for one person."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from docctl import audit, clock
from docctl.notices import FOUND, Notice
from docctl.people import Reader
from docctl.rules import Refused, Sentence
from docctl.search import Engine, finding
from docctl.searches.asking import LONGEST
from docctl.searches.table import SavedHit, SavedSearch

MOST_SAVED = 30
MOST_WATCHED = 1000  # A search that finds more says nothing when one more comes.
LONGEST_NAME = 200


@dataclass(frozen=True)
class Wish:
    """What is looked for: words, where, and the filters by their keys in the address."""

    words: str
    scope: str = "in-force"
    unit: str = ""
    type: str = ""
    field: str = ""
    state: str = ""
    year: int = 0


def save(session: Session, engine: Engine, wish: Wish, *, by: Reader, name: str = "") -> SavedSearch:
    """Keep a search; what it finds already is known, and only what comes later is told.

    Raises Refused when the name is taken, when there are too many, or when it finds too much to be watched.
    """
    words = " ".join(wish.words.split())[:LONGEST]
    name = " ".join(name.split())[:LONGEST_NAME] or words[:LONGEST_NAME]
    if not words:
        raise Refused(Sentence("Hãy ghi từ cần tra cứu.", "Give the words to search for."), field="q")
    mine = of_person(session, by=by)
    if any(row.name == name for row in mine):
        raise Refused(
            Sentence(
                "Bạn đã lưu một tra cứu tên “{name}”. Hãy đặt tên khác.",
                "You have saved a search named “{name}”. Give this one another name.",
            ).fill(name=name),
            field="name",
        )
    if len(mine) >= MOST_SAVED:
        raise Refused(
            Sentence(
                "Bạn đã lưu {n} tra cứu. Hãy bỏ bớt một tra cứu rồi lưu lại.",
                "You have saved {n} searches. Remove one of them first.",
            ).fill(n=MOST_SAVED)
        )
    total, found = finding.matching(session, engine, wish.words, reader=by, limit=MOST_WATCHED, **narrowing(wish))
    if total > MOST_WATCHED:
        raise Refused(
            Sentence(
                "Tra cứu này có {n} kết quả; hãy thêm từ hoặc chọn đơn vị, loại để còn nhiều nhất {most}.",
                "This search finds {n}; add words, a unit or a type until it finds {most} at the most.",
            ).fill(n=total, most=MOST_WATCHED),
            field="q",
        )
    row = SavedSearch(
        account_id=by.id,
        name=name,
        words=words,
        scope=wish.scope,
        unit=wish.unit,
        type=wish.type,
        field=wish.field[:200],
        state=wish.state[:20],
        year=wish.year,
        created_at=clock.now(),
        position=audit.head(session).sequence,
        looked_at=clock.now(),
    )
    session.add(row)
    session.flush()
    session.add_all(SavedHit(saved_search_id=row.id, revision_id=id) for id in found)
    session.flush()
    return row


def of_person(session: Session, *, by: Reader) -> list[SavedSearch]:
    """Return somebody's own saved searches by name."""
    return list(session.scalars(select(SavedSearch).where(SavedSearch.account_id == by.id).order_by(SavedSearch.name)))


def load(session: Session, search_id: int, *, by: Reader) -> SavedSearch | None:
    """Return one of somebody's own saved searches; another's is as if it were not there."""
    return session.scalars(
        select(SavedSearch).where(SavedSearch.id == search_id, SavedSearch.account_id == by.id)
    ).first()


def remove(session: Session, row: SavedSearch) -> None:
    """Forget a saved search with what it found and what was told of it."""
    told = Notice.noun == "saved_search", Notice.record_id == row.id, Notice.kind == FOUND
    session.execute(delete(Notice).where(*told))
    session.execute(delete(SavedHit).where(SavedHit.saved_search_id == row.id))
    session.delete(row)
    session.flush()


def wish_of(row: SavedSearch) -> Wish:
    """Return what a saved search looks for."""
    return Wish(row.words, row.scope, row.unit, row.type, row.field, row.state, row.year)


def narrowing(wish: Wish) -> dict[str, Any]:
    """Return what a search is narrowed down by, as it is asked for."""
    return {
        "scope": wish.scope,
        "unit": wish.unit or None,
        "type": wish.type or None,
        "field": wish.field or None,
        "state": wish.state or None,
        "year": wish.year or None,
    }
