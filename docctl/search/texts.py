"""Texts of revisions at hand: read once, until the trail tells of their documents, for the second pass and the passages."""

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import text
from docctl.audit import GENESIS, Head
from docctl.contents import ContentPage, ContentText
from docctl.decisions import Decision
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.search.ranking import BODY_READ
from docctl.search.remembering import Trail
from docctl.text import Candidate

MARKED = 1_000_000  # Characters in which a passage to show is looked for.
CHARACTERS_KEPT = 16_000_000  # About 32 MB in a process.

_BEGINNINGS = (
    select(
        Revision.id, Revision.document_id, Document.code, Revision.title, func.substr(ContentText.text, 1, BODY_READ)
    )
    .add_columns(func.coalesce(Decision.number, Revision.origin_decision))
    .join(Document, Document.id == Revision.document_id)
    .outerjoin(Decision, Decision.id == Revision.decision_id)
    .outerjoin(ContentText, ContentText.sha256 == Revision.file_sha256)
)

Pages = Sequence[tuple[int, int]]  # Where in the text each page begins, and its number.


class Texts:
    """The most recently read texts, as they are at one mark of the trail.

    Whoever asks names only revisions that its reader may find: nothing here knows rights.
    """

    def __init__(self, trail: Trail, most: int = CHARACTERS_KEPT) -> None:
        self.trail = trail
        self.most = most
        self.lock = threading.Lock()
        self.mark = Head(0, GENESIS)
        self.size = 0
        self.known: OrderedDict[int, tuple[int, Candidate]] = OrderedDict()  # With the document.
        self.pages: dict[str, Pages] = {}

    def read(self, session: Session, mark: Head, ids: Collection[int]) -> dict[int, Candidate]:
        """Return what the second pass compares with the words: code, title and the beginning of the text, in NFC."""
        self._turn_to(session, mark)
        with self.lock:
            found = {id: self.known[id][1] for id in ids if id in self.known} if mark == self.mark else {}
            for id in found:
                self.known.move_to_end(id)
        missing = [id for id in ids if id not in found]
        if missing:
            fresh = _beginnings(session, missing)
            found.update((candidate.key, candidate) for _, candidate in fresh)
            with self.lock:
                if mark == self.mark:
                    self._keep(fresh)
        return found

    def whole(self, session: Session, mark: Head, shas: Mapping[int, str]) -> dict[int, str]:
        """Return the texts of revisions, whose contents are given by their SHA-256, as far as passages are looked for."""
        begun = self.read(session, mark, shas)
        long = {sha for id, sha in shas.items() if id not in begun or len(begun[id].body) >= BODY_READ}
        query = select(ContentText.sha256, func.substr(ContentText.text, 1, MARKED))
        bodies: dict[str, str] = dict(session.execute(query.where(ContentText.sha256.in_(long))).all()) if long else {}
        return {id: text.nfc(bodies[sha] or "") if sha in bodies else begun[id].body for id, sha in shas.items()}

    def pages_of(self, session: Session, mark: Head, shas: Iterable[str]) -> dict[str, Pages]:
        """Return for each text where its pages begin, and their numbers; nothing for a text without pages."""
        self._turn_to(session, mark)
        with self.lock:
            found = {sha: self.pages[sha] for sha in shas if sha in self.pages} if mark == self.mark else {}
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
                if mark == self.mark:
                    self.pages.update(fresh)
        return found

    def _turn_to(self, session: Session, mark: Head) -> None:
        """Forget what the trail has told of between the mark up to which this is true and another one."""
        since = self.mark
        if mark == since:
            return
        touched = self.trail.touched(session, since, mark)
        with self.lock:
            if self.mark != since:
                return  # Another thread was quicker; what is read now is not kept unless it turned to the same mark.
            self.mark = mark
            self.pages.clear()
            kept = [] if touched is None else [row for row in self.known.values() if row[0] not in touched]
            self.known.clear()
            self.size = 0
            self._keep(kept)

    def _keep(self, rows: Iterable[tuple[int, Candidate]]) -> None:
        for document, candidate in rows:
            if candidate.key not in self.known:
                self.known[candidate.key] = document, candidate
                self.size += len(candidate.body)
        while self.size > self.most and self.known:
            _, (_, oldest) = self.known.popitem(last=False)
            self.size -= len(oldest.body)


def _beginnings(session: Session, ids: Collection[int]) -> list[tuple[int, Candidate]]:
    rows = session.connection().execute(_BEGINNINGS.where(Revision.id.in_(ids)))
    return [
        (document, Candidate(id, 0.0, code, text.nfc(title), text.nfc(body or ""), mention=mention or ""))
        for id, document, code, title, body, mention in rows
    ]
