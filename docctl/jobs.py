"""Work outside the request: texts of new files, the index that follows the trail, notices and mail; rows are the queue."""

import logging
import threading
from collections.abc import Callable

from docctl import announcing, audit, contents, mailing, revisions
from docctl.audit import Action
from docctl.files import extract
from docctl.files.kinds import Kind
from docctl.files.readers import NotExtractable
from docctl.rules import Sentence
from docctl.search import following
from docctl.site import Site

POLL_SECONDS = 2.0

log = logging.getLogger(__name__)
_workers: dict[int, "Workers"] = {}


class Workers:
    """Three threads of a serving process: one keeps the index up, one reads texts out of new files, one tells people."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.stopping = threading.Event()
        self.bells = [threading.Event() for _ in JOBS]
        self.threads = [
            threading.Thread(target=self._run, args=(bell, work), name=name, daemon=True)
            for bell, (name, work) in zip(self.bells, JOBS.items(), strict=True)
        ]

    def start(self) -> None:
        """Begin working; what broken uploads of a day ago left behind goes first."""
        self.site.store.sweep()
        _workers[id(self.site)] = self
        for thread in self.threads:
            thread.start()

    def ring(self) -> None:
        """Tell every thread that something was committed."""
        for bell in self.bells:
            bell.set()

    def stop(self) -> None:
        """End every thread after their present piece of work."""
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
    """Let the index and the texts follow a commit: by the process's workers, or here and now when it has none."""
    workers = _workers.get(id(site))
    if workers is not None:
        workers.ring()
        return
    extract_waiting(site)
    index(site)
    # Letters are left to a serving process or to `docctl mail`: a server that is down must not hold up a command.
    announcing.tell(site.database, site.settings)


def post(site: Site) -> None:
    """Tell whom the latest acts concern, write the digests of the day, and send the letters that are due."""
    announcing.tell(site.database, site.settings)
    if site.settings.smtp_url:
        announcing.digest(site.database, site.settings)
        mailing.send_waiting(site.database, site.settings)


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


JOBS: dict[str, Callable[[Site], object]] = {
    "docctl-index": index,
    "docctl-texts": extract_waiting,
    "docctl-post": post,
}
