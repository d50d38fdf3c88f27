"""The upkeep of the index: how large it is, how far behind the trail, and the administrator's wish to build it anew."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from docctl import audit
from docctl.audit import Action
from docctl.config import Settings
from docctl.people import Reader
from docctl.rules import NoRole, Sentence
from docctl.search import Engine

ONLY_ADMIN = Sentence("Chỉ quản trị viên xem và dựng lại chỉ mục.", "Only an administrator looks after the index.")


@dataclass(frozen=True)
class Health:
    """The index as it is on disk: its engine, bytes and files, and its position beside the end of the trail."""

    engine: str
    size: int
    files: int
    position: int
    head: int
    behind: int  # Documents that were touched since.


def refuse_others(by: Reader) -> None:
    """Refuse whoever is no administrator."""
    if not by.has("admin"):
        raise NoRole(ONLY_ADMIN)


def health(session: Session, engine: Engine, settings: Settings) -> Health:
    """Return how the index is."""
    position = engine.position()
    _, touched = audit.documents_touched(session, after=max(0, position))
    sizes = _sizes(settings.index)
    return Health(settings.search, sum(sizes), len(sizes), position, audit.head(session).sequence, len(touched))


def ask_to_rebuild(session: Session, *, by: Reader) -> None:
    """Record that the index is to be built anew; nothing of the business changes."""
    refuse_others(by)
    audit.record(session, Action.INDEX_REBUILD_ASKED, by=by.account, noun="index")


def _sizes(folder: Path) -> list[int]:
    found = []
    for path in folder.rglob("*") if folder.is_dir() else ():
        try:
            if path.is_file():
                found.append(path.stat().st_size)
        except FileNotFoundError:
            continue  # A commit put another file in its place meanwhile.
    return found
