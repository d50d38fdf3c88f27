"""Texts of revisions at hand: read from the database once per state of the trail, for the second pass and the passages."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import text
from docctl.contents import ContentPage, ContentText
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.search.ranking import BODY_READ
from docctl.text import Candidate

MARKED = 1_000_000  # Characters in which a passage to show is looked for.
CHARACTERS_KEPT = 16_000_000  # About 32 MB in a process.

_BEGINNINGS = (
    select(Revision.id, Document.code, Revision.title, func.substr(ContentText.text, 1, BODY_READ))
    .join(Document, Document.id == Revision.document_id)
    .outerjoin(ContentText, ContentText.sha256 == Revision.file_sha256)
)

Pages = Sequence[tuple[int, int]]  # Where in the text each page begins, and its number.


class Texts:
    """The most recently read texts, as they are at one head of the trail; each entry after it may have changed them.

    Whoever asks names only revisions that its reader may find: nothing here knows rights.
    """

    def __init__(self, most: int = CHARACTERS_KEPT) -> None:
        self.most = most
        self.lock = threading.Lock()
        self.head = ""
        self.size = 0
        self.known: OrderedDict[int, Candidate] = OrderedDict()
        self.pages: dict[str, Pages] = {}

    def read(self, session: Session, head: str, ids: Collection[int]) -> dict[int, Candidate]:
        """Return what the second pass compares with the words: code, title and the beginning of the text, in NFC."""
        with self.lock:
            self._turn_to(head)
            found = {id: self.known[id] for id in ids if id in self.known}
            for id in found:
                self.known.move_to_end(id)
        missing = [id for id in ids if id not in found]
        if missing:
            fresh = _beginnings(session, missing)
            found.update(fresh)
            with self.lock:
                if head == self.head:
                    self._keep(fresh)
        return found

    def whole(self, session: Session, head: str, shas: Mapping[int, str]) -> dict[int, str]:
        """Return the texts of revisions, whose contents are given by their SHA-256, as far as passages are looked for."""
        begun = self.read(session, head, shas)
        long = {sha for id, sha in shas.items() if id not in begun or len(begun[id].body) >= BODY_READ}
        query = select(ContentText.sha256, func.substr(ContentText.text, 1, MARKED))
        bodies: dict[str, str] = dict(session.execute(query.where(ContentText.sha256.in_(long))).all()) if long else {}
        return {id: text.nfc(bodies[sha] or "") if sha in bodies else begun[id].body for id, sha in shas.items()}

    def pages_of(self, session: Session, head: str, shas: Iterable[str]) -> dict[str, Pages]:
        """Return for each text where its pages begin, and their numbers; nothing for a text without pages."""
        with self.lock:
            self._turn_to(head)
            found = {sha: self.pages[sha] for sha in shas if sha in self.pages}
        missing = {sha for sha in shas if sha not in found}
        if missing:
            fresh: dict[str, list[tuple[int, int]]] = {sha: [] for sha in missing}
            query = select(ContentPage.sha256, ContentPage.start, ContentPage.number)
            for sha, start, number in session.execute(
                query.where(ContentPage.sha256.in_(missing)).order_by(ContentPage.start)
            ):
                fresh[sha].append((start, number))
            found.update(fresh)
            with self.lock:
                if head == self.head:
                    self.pages.update(fresh)
        return found

    def _turn_to(self, head: str) -> None:
        if head != self.head:
            self.head, self.size = head, 0
            self.known.clear()
            self.pages.clear()

    def _keep(self, fresh: Mapping[int, Candidate]) -> None:
        for id, candidate in fresh.items():
            if id not in self.known:
                self.known[id] = candidate
                self.size += len(candidate.body)
        while self.size > self.most and self.known:
            _, oldest = self.known.popitem(last=False)
            self.size -= len(oldest.body)


def _beginnings(session: Session, ids: Collection[int]) -> dict[int, Candidate]:
    rows = session.connection().execute(_BEGINNINGS.where(Revision.id.in_(ids)))
    return {id: Candidate(id, 0.0, code, text.nfc(title), text.nfc(body or "")) for id, code, title, body in rows}
