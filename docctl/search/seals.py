"""Seals: what the files of an index were when they were written, so that a damaged one is noticed before it answers.

Engines notice little themselves: a flipped bit in a posting list is another list, and a file that was cut short under a
memory map ends the process that reads it. So each commit seals the files it wrote with their sizes and checksums, and
before each search they are looked at: by their times and sizes, and by the checksum where these are not as they were.
"""

import json
import os
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SEALS, WRITING = "SEALS", "WRITING"
REWRITTEN = ("meta.json",)  # Files that each commit writes anew under the same name.
CHUNK = 1 << 20

Seals = dict[str, tuple[int, int]]


@contextmanager
def sealing(build: Path, needed: Callable[[], Iterable[Path]]) -> Iterator[None]:
    """Seal what is needed to read a build when it has been written; those that had a seal keep it, whatever they are now.

    While `WRITING` stands, somebody is writing or was ended while he wrote: then a file that is not as it was sealed
    may be right, and only what cannot be read is damage.
    """
    marker = build / WRITING
    marker.touch()
    yield
    known, found = read(build) or {}, {}
    for path in needed():
        name = str(path.relative_to(build))
        found[name] = known[name] if name in known and path.name not in REWRITTEN else _sum(path)
    waiting = build / f"{SEALS}.new"
    waiting.write_text(json.dumps(found))
    waiting.replace(build / SEALS)
    with suppress(FileNotFoundError):
        marker.unlink()


def read(build: Path) -> Seals | None:
    """Return the seals of a build, None when there are none that can be read."""
    try:
        rows = json.loads((build / SEALS).read_bytes())
        return {str(name): (int(size), int(total)) for name, (size, total) in rows.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return None


class Watch:
    """What a process has seen of the files of a build: a file that is as it was last time is not read again."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.build: Path | None = None
        self.sealed: tuple[int, int, int] | None = None
        self.seals: Seals | None = None
        self.places: dict[str, str] = {}
        self.seen: dict[str, tuple[int, int, int]] = {}

    def damaged(self, build: Path, *parts: str) -> str:
        """Return the name of a file of some parts that is not what was written, empty when there is none."""
        with self.lock:
            while True:
                latest = self._latest(build)
                writing = (build / WRITING).exists()
                wrong = self._wrong(build, parts, forgiving=writing) if self.seals is not None else SEALS
                if not wrong or (writing and self.seals is None):
                    return ""
                # Whoever writes may have sealed again meanwhile, or begun to.
                if latest == _stat(build / SEALS) and writing == (build / WRITING).exists():
                    return wrong

    def _latest(self, build: Path) -> tuple[int, int, int] | None:
        found = _stat(build / SEALS)
        if build != self.build or found is None or found != self.sealed:
            if build != self.build:
                self.seen = {}
            self.build, self.sealed, self.seals = build, found, read(build)
            # As plain text: some fifty files are looked at for each search, and a Path costs more than the look.
            self.places = {name: f"{build}{os.sep}{name}" for name in self.seals or {}}
            self.seen = {name: seen for name, seen in self.seen.items() if name in (self.seals or {})}
        return found

    def _wrong(self, build: Path, parts: tuple[str, ...], *, forgiving: bool) -> str:
        for name, sealed in (self.seals or {}).items():
            if not name.startswith(parts) or (forgiving and name.endswith(REWRITTEN)):
                continue
            now = _stat(self.places[name])
            if now is not None and self.seen.get(name) == now:
                continue
            if now is None or _summed(build / name) != sealed:
                if forgiving and now is None:
                    continue
                return name
            self.seen[name] = now
        return ""


def _sum(path: Path) -> tuple[int, int]:
    size, total = 0, 0
    with path.open("rb") as file:
        while some := file.read(CHUNK):
            size, total = size + len(some), zlib.crc32(some, total)
    return size, total


def _summed(path: Path) -> tuple[int, int] | None:
    try:
        return _sum(path)
    except OSError:
        return None


def _stat(path: Path | str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # Several for each search: this is three times as quick.
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
