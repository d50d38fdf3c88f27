"""The embedded engine: Whoosh keeps the posting lists on disk; analysis, order and counting are our own.

A folder per build, `<version>-<name>/`, holds two indexes: `current` for what staff look for and `archive` for the
rest; the file `LIVE` names the build in use. The trail's position is a row of `current`, which is committed last: after
a crash between the two commits it is still the old one, and the next follow does the same again, which is harmless. Until
then a revision that was about to move from one index to the other may be missed or be in both; it is counted once.
"""

import threading
import time
import warnings
import weakref
from collections import Counter, OrderedDict
from collections.abc import Collection, Hashable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from docctl import text
from docctl.search import EngineResult, Index, IndexedRevision, Query, folders, scoring, seals
from docctl.search.folders import Builds, Exclusive, sync
from docctl.search.seals import Watch

with warnings.catch_warnings():
    # Whoosh 2.7.4 was written before Python warned of these escapes; it is pinned and not ours to edit.
    for warned in ("invalid escape sequence", '"is" with', '"is not" with'):
        for category in (SyntaxWarning, DeprecationWarning):
            warnings.filterwarnings("ignore", message=warned, category=category)
    from whoosh import columns, fields, formats
    from whoosh.filedb.filestore import FileStorage
    from whoosh.index import TOC, FileIndex
    from whoosh.reading import SegmentReader, TermNotFound

    from docctl.search.codec import Codec

VERSION = f"{text.VERSION}.{scoring.VERSION}.1"  # Analysis, scoring, schema: another version is another build.
CURRENT, ARCHIVE = "current", "archive"
MAIN = "MAIN"  # What Whoosh calls an index that has no name.

MEMORY_MB = 256  # By Whoosh's own estimate; beyond it postings are sorted on disk, several times slower.
SMALL, CROWD = 100, 10  # So many small segments become one; large ones stay, or one change would cost minutes.
THRONG = 40  # With so many it happens at once, else when nobody waits for the index.
MOST_EXPANSIONS = 200
CACHED_POSTINGS = 1_000_000  # About 100 MB of decoded posting lists.


class Damaged(Exception):
    """The files of the index cannot be read."""


class Impacts(fields.FieldType):  # type: ignore[misc]
    """A field whose value is a mapping of terms to impacts: Whoosh only keeps the lists."""

    def __init__(self) -> None:
        super().__init__(format=formats.Existence(), analyzer=None)

    def index(self, value: dict[str, int], **_: Any) -> list[tuple[bytes, int, int, bytes]]:
        """Return the postings of one document: term, frequency, weight, no value."""
        return [(term.encode("utf-8", "replace"), 1, impact, b"") for term, impact in value.items()]

    def clean(self) -> None:
        """Do nothing: there is no analyzer whose caches could be dropped before the schema is kept."""


SCHEMA = fields.Schema(
    **{name: Impacts() for name in scoring.FIELDS},
    revision=fields.COLUMN(columns.NumericColumn("q", default=0)),
    position=fields.STORED(),
)


class DurableStorage(FileStorage):  # type: ignore[misc]
    """Files that are on disk before the table of contents names them, and stay a while after none does."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.unsynced: set[str] = set()
        self.obsolete_since: dict[str, float] = {}

    def create_file(self, name: str, **options: Any) -> Any:
        """Remember the file, so that it is synced before a table of contents appears."""
        self.unsynced.add(name)
        return super().create_file(name, **options)

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:
        """Sync every new file, put the table of contents in its place, and sync the folder."""
        for name in self.unsynced:
            with suppress(FileNotFoundError):
                sync(Path(self.folder, name))
        self.unsynced.clear()
        super().rename_file(oldname, newname, safe=safe)
        sync(Path(self.folder))

    def delete_file(self, name: str) -> None:
        """Delete a file that has been obsolete for two minutes; a later commit asks again for the others."""
        if time.monotonic() - self.obsolete_since.setdefault(name, time.monotonic()) >= folders.KEEP_SECONDS:
            super().delete_file(name)
            del self.obsolete_since[name]


class ReadStorage(FileStorage):  # type: ignore[misc]
    """Files to read, each of which is closed in the end; when an index cannot be opened, Whoosh forgets some."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), readonly=True)
        self.opened: list[Any] = []

    def open_file(self, name: str, **options: Any) -> Any:
        """Remember the file."""
        opened = super().open_file(name, **options)
        self.opened.append(opened.file)
        return opened

    def close(self) -> None:
        """Close every file that was opened here."""
        for file in self.opened:
            file.close()


class ListCache:
    """Decoded posting lists, the most recently used ones; segments never change, so neither do their lists."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.held = 0
        self.lists: OrderedDict[tuple[str, str, str], scoring.Postings] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: tuple[str, str, str]) -> scoring.Postings | None:
        """Return a list and note that it was used."""
        with self.lock:
            if (found := self.lists.get(key)) is not None:
                self.lists.move_to_end(key)
            return found

    def put(self, key: tuple[str, str, str], postings: scoring.Postings) -> None:
        """Keep a list, and let go of those not used for longest."""
        with self.lock:
            if key in self.lists:
                return
            self.lists[key] = postings
            self.held += len(postings) + 1
            while self.held > self.most and len(self.lists) > 1:
                _, dropped = self.lists.popitem(last=False)
                self.held -= len(dropped) + 1


class Segment:
    """A segment as one thread reads it; everything it will need is opened at once, and kept while the segment is there."""

    def __init__(self, folder: Path, segment: Any, cache: ListCache) -> None:
        self.files = ReadStorage(folder)
        try:
            self.reader = SegmentReader(self.files, SCHEMA, segment)
            column = self.reader.column_reader("revision", SCHEMA["revision"].column_type)
            self.written: list[int] = list(islice(iter(column), self.reader.doc_count_all()))
        except BaseException:
            self.files.close()
            raise
        weakref.finalize(self, self.files.close)  # At the end of its thread, if not sooner.
        self.cache = cache
        self.name = str(segment.segment_id())
        self.formats = {name: field.format for name, field in SCHEMA.items() if field.format}
        self.now(segment)

    def now(self, segment: Any) -> "Segment":
        """Take over which documents are deleted by now: nothing else of a segment ever changes."""
        self.revisions = list(self.written)
        for document in segment.deleted_docs():
            self.revisions[document] = -1
        self.living = sum(revision > 0 for revision in self.revisions)
        return self

    def postings(self, field: str, term: str) -> scoring.Postings:
        """Return the impact of a term on each document that has it."""
        key = (self.name, field, term)
        found = self.cache.get(key)
        if found is None:
            found = self._decoded(field, term)
            self.cache.put(key, found)
        return found

    def expansions(self, field: str, prefix: str) -> list[str]:
        """Return up to 200 terms that begin with a prefix."""
        with _reading():
            if field not in self.reader.indexed_field_names():
                return []
            found = islice(self.reader.expand_prefix(field, prefix), MOST_EXPANSIONS)
            return [term.decode("utf-8", "replace") for term in found]

    def stored(self, document: int) -> dict[str, Any]:
        """Return what is stored with a document."""
        with _reading():
            return dict(self.reader.stored_fields(document))

    def _decoded(self, field: str, term: str) -> dict[int, int]:
        """Read a list block by block: by far cheaper than asking a matcher for one posting at a time."""
        with _reading():
            try:
                matcher = self.reader._terms.matcher(field, term.encode("utf-8", "replace"), self.formats[field])
            except TermNotFound:
                return {}
            postings: dict[int, int] = {}
            while matcher.is_active():
                matcher._read_ids()
                matcher._read_weights()
                postings.update(zip(matcher._ids, map(int, matcher._weights), strict=True))
                matcher._next_block()
            return postings


@dataclass(frozen=True)
class Opened:
    """An index as one thread has it open, until its generation changes."""

    key: tuple[str, int]
    segments: list[Segment]

    @classmethod
    def of(cls, key: tuple[str, int], folder: Path, cache: ListCache, before: "Opened | None" = None) -> "Opened":
        """Open the newest generation of the index in a folder; segments that were open before stay so."""
        known = {segment.name: segment for segment in before.segments} if before else {}
        found: list[Segment] = []
        for segment in FileIndex(FileStorage(str(folder), readonly=True), SCHEMA)._segments():
            if segment.doc_count_all():
                kept = known.pop(str(segment.segment_id()), None)
                found.append(kept.now(segment) if kept else Segment(folder, segment, cache))
        for segment in known.values():
            segment.files.close()
        return cls(key, found)

    def close(self) -> None:
        """Close its files; waiting for the garbage collector would leave them open for some time."""
        for segment in self.segments:
            segment.files.close()

    def numbers(self) -> dict[int, int]:
        """Return the number within the index of each revision's document."""
        found: dict[int, int] = {}
        base = 0
        for segment in self.segments:
            found.update((revision, base + n) for n, revision in enumerate(segment.revisions) if revision >= 0)
            base += len(segment.revisions)
        return found

    def position(self) -> tuple[int, str]:
        """Return the trail's position that was committed with this generation."""
        for segment in self.segments:
            if 0 in segment.revisions:
                kept = segment.stored(segment.revisions.index(0))["position"]
                return int(kept["sequence"]), str(kept["mark"])
        return 0, ""


class WhooshEngine:
    """The index in a folder; any number of threads and processes search it, one at a time writes."""

    def __init__(
        self, folder: Path, *, build: str = "", cache: ListCache | None = None, exclusive: Exclusive | None = None
    ) -> None:
        self.folder = folder
        self.builds = Builds(folder, VERSION, (CURRENT, ARCHIVE), only=build, exclusive=exclusive)
        self.cache = cache or ListCache(CACHED_POSTINGS)
        self.storages: dict[tuple[str, str], DurableStorage] = {}
        self.local = threading.local()
        self.watch = Watch()

    def position(self) -> int:
        """Return the sequence of the trail's entry up to which the index is complete; 0 when it must be built."""
        return self._position()[0]

    def mark(self) -> str:
        """Return the hash of that entry."""
        return self._position()[1]

    def generation(self) -> Hashable:
        """Return the build and the latest commit of both its indexes."""
        build = self.builds.answering()
        if not build:
            return ""
        latest = (TOC._latest_generation(self._storage(build, name), MAIN) for name in (CURRENT, ARCHIVE))
        return (build, *latest)

    def indexing(self) -> AbstractContextManager[bool]:
        """Hold the right to index; False when another process or thread kept it for ten seconds."""
        return self.builds.indexing()

    def apply(
        self, upserts: Sequence[IndexedRevision], removals: Collection[int], position: int, mark: str = ""
    ) -> None:
        """Replace and remove revisions and move the position, durably."""
        with self.builds.held():
            build = self.builds.live() or self.builds.created_live(self._prepare)
            gone = {*removals, *(revision.revision_id for revision in upserts)}
            with seals.sealing(self.folder / build, lambda: self._needed(build)):
                archived = [_row(revision) for revision in upserts if not revision.current]
                self._commit(build, ARCHIVE, gone, archived)
                current = [_row(revision) for revision in upserts if revision.current]
                current.append({"revision": 0, "position": {"sequence": position, "mark": mark}})
                self._commit(build, CURRENT, gone | {0}, current)
                # From here on it is found; putting small segments together takes ten times as long.
                self._tidy(build, THRONG)
            self.builds.sweep()

    def tidy(self) -> None:
        """Put small segments together; while another process or thread is writing, it is left to that one."""
        with self.builds.indexing(wait=0) as mine:
            build = self.builds.answering()
            if not mine or not build:
                return
            try:
                if self._crowds(build, CROWD):
                    with seals.sealing(self.folder / build, lambda: self._needed(build)):
                        self._tidy(build, CROWD)
            except Damaged as damage:
                self.builds.give_up(build, str(damage))

    @contextmanager
    def rebuilding(self) -> Iterator["WhooshEngine"]:
        """Give an engine in a folder of its own, which becomes the live one at a clean end.

        It is empty, or as far as a process came that was ended before it was done; its position then says how far.
        """
        with self.builds.rebuilding(self._prepare) as build:
            fresh = WhooshEngine(self.folder, build=build, cache=self.cache, exclusive=self.builds.exclusive)
            try:
                yield fresh
            finally:
                fresh.close()

    def search(
        self,
        query: Query,
        index: Index = "current",
        only: frozenset[int] | None = None,
        limit: int = 50,
        like: Sequence[Collection[str]] = (),
    ) -> EngineResult:
        """Find revisions among those in `only`, with the exact total of them; a broken index finds none."""
        names = (CURRENT,) if index == "current" else (ARCHIVE, CURRENT)
        build, why = "", ""
        for _ in range(2):  # A file may go while a reader opens it, so a failed read is tried once more.
            build = self.builds.answering()
            if not build:
                return EngineResult(0, [])
            try:
                segments = [segment for name in names for segment in self._open(name).segments]
                return scoring.search(segments, query, only, limit)
            except Damaged as damage:
                why = str(damage)
                self.close()
        self.builds.give_up(build, why)
        return EngineResult(0, [])

    def clear(self) -> None:
        """Forget everything; the next follow builds the index again."""
        self.builds.clear()

    def close(self) -> None:
        """Close the files that this thread has open; the next search opens them again."""
        for opened in self.local.__dict__.pop("opened", {}).values():
            opened.close()

    def _position(self) -> tuple[int, str]:
        build, why = "", ""
        for _ in range(2):
            build = self.builds.answering()
            if not build:
                self.builds.give_up(self.builds.live(), "")
                return 0, ""
            try:
                self._open(ARCHIVE)  # Both must be whole, or all is built again.
                return self._open(CURRENT).position()
            except Damaged as damage:
                why = str(damage)
                self.close()
        self.builds.give_up(build, why)
        return 0, ""

    def _prepare(self, build: str) -> None:
        with seals.sealing(self.folder / build, lambda: self._needed(build)):
            for name in (CURRENT, ARCHIVE):
                FileIndex.create(self._storage(build, name), SCHEMA)

    def _needed(self, build: str) -> Iterator[Path]:
        """Return the files that the newest commits are read from."""
        for name in (CURRENT, ARCHIVE):
            folder = self.folder / build / name
            index = FileIndex(self._storage(build, name), SCHEMA)
            segments = {str(segment.segment_id()) for segment in index._segments()}
            yield folder / TOC._filename(MAIN, index.latest_generation())
            yield from (path for path in folder.iterdir() if _segment_of(path.name) in segments)

    def _storage(self, build: str, name: str) -> DurableStorage:
        # One object for as long as the process lives: it remembers since when files are obsolete.
        return self.storages.setdefault((build, name), DurableStorage(self.folder / build / name))

    def _open(self, name: str) -> Opened:
        """Return an index at its newest generation, opened by this thread for this thread."""
        build = self.builds.live()
        if not build:
            return Opened(("", -1), [])
        if wrong := self.watch.damaged(self.folder / build, name):
            raise Damaged(f"{wrong} is not what was written")
        held: dict[str, Opened] = self.local.__dict__.setdefault("opened", {})
        with _reading():
            key = (build, int(TOC._latest_generation(self._storage(build, name), MAIN)))
            if name not in held or held[name].key != key:
                before = held.pop(name, None)
                if before is not None and before.key[0] != build:
                    before.close()
                    before = None
                try:
                    held[name] = Opened.of(key, self.folder / build / name, self.cache, before)
                except BaseException:
                    if before is not None:
                        before.close()
                    raise
            return held[name]

    def _commit(self, build: str, name: str, gone: Collection[int], rows: Sequence[dict[str, Any]]) -> None:
        opened = self._open(name)
        if opened.key[0] != build:
            raise Damaged(f"the build {build} went away")
        numbers = opened.numbers()
        deleted = [numbers[revision] for revision in gone if revision in numbers]
        if not rows and not deleted:
            return
        with self._writing(build, name) as writer:
            for number in deleted:
                writer.delete_document(number)
            for row in rows:
                writer.add_document(**row)
            writer.commit(mergetype=_living)

    def _tidy(self, build: str, crowd: int) -> None:
        for name in self._crowds(build, crowd):
            with self._writing(build, name) as writer:
                writer.commit(mergetype=_merged)

    def _crowds(self, build: str, crowd: int) -> list[str]:
        """Return the indexes that have so many small segments of one size, or large ones that are half deleted."""
        with _reading():
            return [
                name
                for name in (CURRENT, ARCHIVE)
                if _crowded(FileIndex(self._storage(build, name), SCHEMA)._segments(), crowd)
            ]

    @contextmanager
    def _writing(self, build: str, name: str) -> Iterator[Any]:
        index = FileIndex(self._storage(build, name), SCHEMA)
        writer = index.writer(timeout=folders.LOCK_SECONDS, limitmb=MEMORY_MB, compound=False, codec=Codec())
        try:
            yield writer
        except BaseException:
            # The old table of contents still stands; only the lock must not outlive the attempt.
            with suppress(Exception):
                writer.cancel()
            with suppress(Exception):
                writer.writelock.release()
            raise


def _crowded(segments: Sequence[Any], crowd: int = CROWD) -> set[str]:
    """Return the segments that are crowded in their size (up to 9 documents, 10 to 99) or, when large, half deleted."""
    sizes = Counter(len(str(segment.doc_count())) for segment in segments if segment.doc_count() < SMALL)
    return {
        str(segment.segment_id())
        for segment in segments
        if (segment.doc_count() < SMALL and sizes[len(str(segment.doc_count()))] >= crowd)
        or (segment.doc_count_all() >= SMALL and segment.deleted_count() > segment.doc_count())
    }


def _living(writer: Any, segments: Sequence[Any]) -> list[Any]:
    """Return the segments that still have documents; nothing is put together."""
    return [segment for segment in segments if segment.doc_count() > 0]


def _merged(writer: Any, segments: Sequence[Any]) -> list[Any]:
    """Put crowded segments together, and return those that stay as they are.

    Whoosh's own policy would take large segments in again and again.
    """
    crowded = _crowded(segments)
    for segment in segments:
        if str(segment.segment_id()) in crowded:
            with closing(SegmentReader(writer.storage, writer.schema, segment)) as reader:
                writer.add_reader(reader)
    return [segment for segment in segments if str(segment.segment_id()) not in crowded]


def _segment_of(name: str) -> str:
    """Return the segment whose file this is, by its name: `MAIN_9oa22c4jwmqoc8qc.trm`."""
    return name.removeprefix(f"{MAIN}_").partition(".")[0]


def _row(revision: IndexedRevision) -> dict[str, Any]:
    return {"revision": revision.revision_id, **scoring.impacts(revision)}


@contextmanager
def _reading() -> Iterator[None]:
    """Turn whatever a broken or vanished file makes Whoosh raise into one error."""
    try:
        yield
    except Exception as error:
        raise Damaged(str(error)) from error
