"""Work outside the request: texts, words of scans, renditions, the index, notices and mail; the waiting rows are the queue."""

import logging
import threading
from collections.abc import Callable, Sequence

from sqlalchemy.orm import Session

from docctl import (
    anchoring,
    announcing,
    audit,
    checkpoints,
    config,
    contents,
    mailing,
    reminding,
    renditions,
    retention,
    revisions,
    searches,
)
from docctl.audit import Action
from docctl.files import extract, ocr, process, readers
from docctl.files.kinds import Kind
from docctl.files.readers import NotExtractable
from docctl.rules import Sentence
from docctl.search import following
from docctl.site import Site

POLL_SECONDS = 2.0
FIRST = "index"  # Of the kinds of work: people search for what was just issued.
Progress = Callable[[str, int, int], None]

log = logging.getLogger(__name__)
_workers: dict[int, "Workers"] = {}


class Workers:
    """The threads of a serving process, one for each kind of work in `_work`; each waits for its bell."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.stopping = threading.Event()
        self.rebuild_wanted = threading.Event()
        self.rebuilt: tuple[int, int] | None = None  # Documents done and in all, while the index is built anew.
        self.bells = {name: threading.Event() for name in _work()}
        self.threads = [
            threading.Thread(target=self._run, args=(self.bells[name], work), name=f"docctl-{name}", daemon=True)
            for name, work in _work().items()
        ]

    def start(self) -> None:
        """Begin working; what broken uploads and killed work of a day ago left behind goes first."""
        self.site.store.sweep()
        remove_disposed(self.site)
        process.sweep()
        self.site.pages.tidy()
        _workers[id(self.site)] = self
        for thread in self.threads:
            thread.start()

    def ring(self) -> None:
        """Tell the index that something was committed; it rings the others when the act can be found.

        All at once they would share the processor, and an act would be found late.
        """
        self.bells[FIRST].set()

    def stop(self) -> None:
        """End all threads after their present piece of work."""
        _workers.pop(id(self.site), None)
        self.stopping.set()
        for bell in self.bells.values():
            bell.set()
        for thread in self.threads:
            thread.join(timeout=30)

    def _run(self, bell: threading.Event, work: Callable[[Site], object]) -> None:
        rung = False
        while not self.stopping.is_set():
            try:
                work(self.site)
            except Exception:
                # Whatever happened, the rows still wait: the next round tries again.
                log.exception("background work failed")
            if bell is self.bells[FIRST] and rung:
                for other in self.bells.values():
                    if other is not bell:
                        other.set()
            rung = bell.wait(POLL_SECONDS)
            bell.clear()


def wake(site: Site) -> None:
    """Let index and texts follow a commit: by the process's workers, or here and now when it has none.

    A PDF takes seconds and waits for workers, or for `docctl render`.
    """
    workers = _workers.get(id(site))
    if workers is not None:
        workers.ring()
        return
    look_into_drafts(site)
    remove_disposed(site)
    extract_waiting(site)
    index(site)
    seal(site)
    # Letters are left to a serving process or to `docctl mail`: a server that is down must not hold up a command.
    announcing.tell(site.database, site.settings)
    follow_searches(site)


def post(site: Site) -> None:
    """Tell whom the latest acts concern, write the digests of the day, and send the letters that are due."""
    announcing.tell(site.database, site.settings)
    follow_searches(site)
    if site.settings.smtp_url:
        announcing.digest(site.database, site.settings)
        reminding.remind(site.database, site.settings)
        anchoring.send_heads(site)
        mailing.send_waiting(site.database, site.settings)


def follow_searches(site: Site) -> None:
    """Write down what was searched for, and tell whose saved searches find something new."""
    searches.keep(site.database, site.heard, config.secret_key(site.settings))
    searches.look(site.database, site.engine, site.settings)


def look_into_drafts(site: Site) -> None:
    """Ask for the PDF of every draft's file, so that tracked changes are found before anybody submits it."""
    with site.database.reading() as session:
        unasked = renditions.every_source(session, drafts=True)
    for sha256, kind in unasked:
        renditions.ask(site.database, site.store, sha256, kind)


def _work() -> dict[str, Callable[[Site], object]]:
    # Reading a scan takes minutes; the texts of other files do not wait for it.
    return {
        FIRST: index,
        "seals": seal,
        "texts": extract_waiting,
        "scans": read_scans,
        "renditions": render,
        "post": post,
    }


def remove_disposed(site: Site) -> int:
    """Remove the files of contents that were disposed of, once their minutes are committed; returns how many there were."""
    with site.database.reading() as session:
        gone = retention.buried(session)
    removed = [sha256 for sha256, at in gone if site.store.remove(sha256, older_than=at.timestamp())]
    for sha256 in removed:
        site.pages.forget(sha256)
    return len(removed)


def works(site: Site) -> bool:
    """Say whether this process has workers."""
    return id(site) in _workers


def rebuild_index(site: Site) -> bool:
    """Let this process's workers build the index anew, while the old one answers; False when it has none."""
    workers = _workers.get(id(site))
    if workers is None:
        return False
    workers.rebuild_wanted.set()
    workers.bells["index"].set()
    return True


def rebuilding(site: Site) -> tuple[int, int] | None:
    """Return how many documents of how many are done, None when the index is not being built anew here."""
    workers = _workers.get(id(site))
    if workers is None:
        return None
    return workers.rebuilt or ((0, 0) if workers.rebuild_wanted.is_set() else None)


def _rebuild(site: Site, workers: Workers) -> None:
    def done(documents: int, of: int) -> None:
        workers.rebuilt = documents, of

    try:
        done(0, 0)
        workers.rebuild_wanted.clear()
        following.rebuild(site.database, site.engine, done)
    except TimeoutError:
        workers.rebuild_wanted.set()  # Another process is writing; the next round tries again.
    finally:
        workers.rebuilt = None


def index(site: Site) -> None:
    """Bring the index up to the trail; when nothing is new there is time to put its parts together."""
    workers = _workers.get(id(site))
    if workers is not None and workers.rebuild_wanted.is_set():
        _rebuild(site, workers)
    if not following.follow(site.database, site.engine):
        site.engine.tidy()


def seal(site: Site) -> None:
    """Sign the head of the trail when a checkpoint is due."""
    checkpoints.follow(site)


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


def render(site: Site) -> None:
    """Ask for the PDFs of new drafts, make what waits, and remove what was disposed of."""
    remove_disposed(site)
    look_into_drafts(site)
    render_waiting(site)


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


def read_scans(site: Site) -> int:
    """Read the words of all scans that wait for it; returns how many files were read."""
    done = 0
    while not _stopping(site):
        with site.database.reading() as session:
            waiting = [row.sha256 for row in contents.waiting_scans(session)]
        if not waiting or not ocr.available():
            return done
        for sha256 in waiting:
            done += _read_scan(site, sha256)
    return done


def keep_text(site: Site, sha256: str, found: "extract.Extracted | Sentence") -> None:
    """Store what a reading found of a content that waits for it, once."""
    with site.database.writing() as session:
        if contents.waits(session, sha256):
            keep_found(session, sha256, found)


def keep_found(session: Session, sha256: str, found: "extract.Extracted | Sentence") -> None:
    """Store what a reading found, or why there is no text, within the caller's transaction, and say so in the trail.

    A text that is there already stays, since words read from pictures would be lost; pages that are pictures wait for
    the reading of scans. Every document that has the content is told of it, not only the one it was read for.
    """
    row = contents.text_of(session, sha256)
    if row is not None and row.status == contents.EXTRACTED:
        return
    _keep_text(session, sha256, found)
    _tell(session, sha256)


def _keep_text(session: Session, sha256: str, found: "extract.Extracted | Sentence") -> None:
    if isinstance(found, Sentence):
        contents.has_no_text(session, sha256, found)
        return
    wanted = contents.SCANS_WAITING if found.scans and ocr.available() else ""
    if not found.text:
        contents.has_no_text(session, sha256, readers.SCAN if wanted else ocr.NO_TESSERACT, ocr=wanted)
        return
    contents.has_text(
        session,
        sha256,
        text=found.text,
        method=found.method,
        rows=found.rows,
        headings=[contents.Mark(heading.start, heading.level, heading.title) for heading in found.headings],
        encodings=found.encodings,
        scans=found.scans,
        ocr=wanted,
    )


def _extract(site: Site, sha256: str, kind: Kind) -> None:
    try:
        found: extract.Extracted | Sentence = extract.extract_in_worker(site.store.path(sha256), kind)
    except NotExtractable as error:
        found = error.sentence
    keep_text(site, sha256, found)
    _ring(site, "index", "scans")


def _read_scan(site: Site, sha256: str) -> bool:
    """Read one scan; False when the process was told to stop before it was done, and it waits on."""
    path = site.store.path(sha256)
    try:
        layer = extract.extract_in_worker(path, Kind.PDF)
        text = ocr.read(path, layer.text, layer.scans, going_on=lambda: not _stopping(site))
        found: str | Sentence | None = text
    except NotExtractable as error:
        found = error.sentence
    if found is None:
        return False
    with site.database.writing() as session:
        if contents.waits(session, sha256, scans=True):
            _keep_scan(session, sha256, found, layer.scans if isinstance(found, str) else ())
            _tell(session, sha256)
    _ring(site, "index")
    return True


def _keep_scan(session: Session, sha256: str, found: str | Sentence, scans: Sequence[int]) -> None:
    row = contents.text_of(session, sha256)
    if isinstance(found, str):
        contents.has_text(session, sha256, text=found, method="ocr", scans=scans, ocr=contents.SCANS_READ)
    elif row is not None and row.text:
        row.ocr = ""  # The other pages have their text, and keep it.
    else:
        contents.has_no_text(session, sha256, found)


def _tell(session: Session, sha256: str) -> None:
    for document_id in revisions.documents_with(session, sha256):
        audit.record(session, Action.TEXT_EXTRACTED, by=None, noun="content", document_id=document_id, sha256=sha256)


def _ring(site: Site, *names: str) -> None:
    workers = _workers.get(id(site))
    if workers is not None:
        for name in names:
            workers.bells[name].set()


def _stopping(site: Site) -> bool:
    workers = _workers.get(id(site))
    return workers is not None and workers.stopping.is_set()
