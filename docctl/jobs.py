"""Work outside the request: texts of new files, and the index that follows the trail; the waiting rows are the queue."""

import logging
import threading
from collections.abc import Callable

from docctl import audit, contents, renditions, revisions
from docctl.audit import Action
from docctl.files import extract
from docctl.files.kinds import Kind
from docctl.files.readers import NotExtractable
from docctl.rules import Sentence
from docctl.search import following
from docctl.site import Site

POLL_SECONDS = 2.0
Progress = Callable[[str, int, int], None]

log = logging.getLogger(__name__)
_workers: dict[int, "Workers"] = {}


class Workers:
    """Threads of a serving process: one keeps the index up with the trail, one reads texts, one makes PDFs of new files."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.stopping = threading.Event()
        works = {"docctl-index": index, "docctl-texts": extract_waiting, "docctl-renditions": render_waiting}
        self.bells = [threading.Event() for _ in works]
        self.threads = [
            threading.Thread(target=self._run, args=(bell, work), name=name, daemon=True)
            for bell, (name, work) in zip(self.bells, works.items(), strict=True)
        ]

    def start(self) -> None:
        """Begin working; what broken uploads of a day ago left behind goes first."""
        self.site.store.sweep()
        self.site.pages.tidy()
        _workers[id(self.site)] = self
        for thread in self.threads:
            thread.start()

    def ring(self) -> None:
        """Tell the threads that something was committed."""
        for bell in self.bells:
            bell.set()

    def stop(self) -> None:
        """End the threads after their present piece of work."""
        _workers.pop(id(self.site), None)
        self.stopping.set()
        self.ring()
        for thread in self.threads:
            thread.join(timeout=30)

    def _run(self, bell: threading.Event, work: Callable[[Site], object]) -> None:
        while not self.stopping.is_set():
            try:
                work(self.site)
            except Exception:
                # Whatever happened, the rows still wait: the next round tries again.
                log.exception("background work failed")
            bell.wait(POLL_SECONDS)
            bell.clear()


def wake(site: Site) -> None:
    """Let index and texts follow a commit: by the process's workers, or here and now when it has none.

    A PDF takes seconds and waits for workers, or for `docctl render`.
    """
    look_into_drafts(site)
    workers = _workers.get(id(site))
    if workers is not None:
        workers.ring()
        return
    extract_waiting(site)
    index(site)


def look_into_drafts(site: Site) -> None:
    """Ask for the PDF of every draft's file, so that tracked changes are found before anybody submits it."""
    with site.database.reading() as session:
        unasked = renditions.every_source(session, drafts=True)
    for sha256, kind in unasked:
        renditions.ask(site.database, site.store, sha256, kind)


def index(site: Site) -> None:
    """Bring the index up to the trail."""
    following.follow(site.database, site.engine)


def extract_waiting(site: Site) -> int:
    """Read the texts of all contents that wait for it, each in a worker process; returns how many were read."""
    done = 0
    while not _stopping(site):
        with site.database.reading() as session:
            # Read here: outside the session its rows are expired.
            waiting = [(row.sha256, Kind(row.kind)) for row in contents.waiting(session, limit=20)]
        if not waiting:
            return done
        for sha256, kind in waiting:
            _extract(site, sha256, kind)
            done += 1
    return done


def render_waiting(site: Site, progress: Progress | None = None) -> int:
    """Make the PDF of every file that waits for it; returns how many were looked at. It may take minutes."""
    done = 0
    while not _stopping(site):
        with site.database.reading() as session:
            waiting, left = renditions.waiting(session), renditions.counts(session)[renditions.WAITING]
        if not waiting:
            return done
        for sha256, kind, choice in waiting:
            renditions.make(site.database, site.store, sha256, kind, choice)
            done, left = done + 1, left - 1
            if progress:
                progress("PDFs", done, done + left)
            if _stopping(site):
                break
    return done


def keep_text(site: Site, sha256: str, found: "extract.Extracted | Sentence") -> None:
    """Store the text that was read out of a content, or why there is none, and say so in the trail."""
    with site.database.writing() as session:
        if isinstance(found, Sentence):
            contents.has_no_text(session, sha256, found)
        else:
            contents.has_text(session, sha256, text=found.text, method=found.method)
        for document_id in revisions.documents_with(session, sha256):
            audit.record(
                session, Action.TEXT_EXTRACTED, by=None, noun="content", document_id=document_id, sha256=sha256
            )


def _extract(site: Site, sha256: str, kind: Kind) -> None:
    try:
        found: extract.Extracted | Sentence = extract.extract_in_worker(site.store.path(sha256), kind)
    except NotExtractable as error:
        found = error.sentence
    keep_text(site, sha256, found)
    workers = _workers.get(id(site))
    if workers is not None:
        workers.bells[0].set()


def _stopping(site: Site) -> bool:
    workers = _workers.get(id(site))
    return workers is not None and workers.stopping.is_set()
