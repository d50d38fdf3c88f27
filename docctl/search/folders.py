"""Where an index lies: a folder per build, the file `LIVE` that names the one in use, and the lock of whoever writes.

A build's name begins with the version of engine and analysis: another version, or another engine, is another build. A
build that was begun and not finished is named by `BUILDING`, so that the next attempt goes on with it.
"""

import fcntl
import logging
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LIVE, BUILDING, LOCK = "LIVE", "BUILDING", "LOCK"
KEEP_SECONDS = 120.0  # Readers opened before a commit may still need the files that it made obsolete.
LOCK_SECONDS = 10.0

log = logging.getLogger(__name__)


class Exclusive:
    """A lock on a file that one thread of one process holds; it dies with the process. The holder may take it again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.thread = threading.RLock()
        self.depth = 0
        self.file = -1

    def acquire(self, timeout: float) -> bool:
        """Wait for the lock; False when it did not come free in time."""
        if not self.thread.acquire(timeout=timeout):
            return False
        if self.depth == 0 and not self._lock_file(timeout):
            self.thread.release()
            return False
        self.depth += 1
        return True

    def release(self) -> None:
        """Give the lock back."""
        self.depth -= 1
        if self.depth == 0:
            os.close(self.file)
        self.thread.release()

    def _lock_file(self, timeout: float) -> bool:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        until = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            except BlockingIOError:
                if time.monotonic() >= until:
                    os.close(self.file)
                    return False
                time.sleep(0.05)


class Builds:
    """The builds of an index in a folder; each holds the folders named `parts`."""

    def __init__(
        self, folder: Path, version: str, parts: tuple[str, ...], *, only: str = "", exclusive: Exclusive | None = None
    ) -> None:
        self.folder = folder
        self.version = version
        self.parts = parts
        self.only = only  # Empty: the live one, whichever that is.
        self.exclusive = exclusive or Exclusive(folder / LOCK)
        self.damaged = ""

    @contextmanager
    def indexing(self, wait: float = LOCK_SECONDS) -> Iterator[bool]:
        """Hold the right to index; False when another process or thread kept it for ten seconds, or those given."""
        held = self.exclusive.acquire(wait)
        try:
            yield held
        finally:
            if held:
                self.exclusive.release()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the right to index, or raise TimeoutError."""
        with self.indexing() as mine:
            if not mine:
                raise TimeoutError("another process is writing the search index")
            yield

    def live(self) -> str:
        """Return the name of the live build, empty when there is none of this version."""
        return self.only or self._named(LIVE)

    def answering(self) -> str:
        """Return the live build unless this process found it damaged, also while whoever writes has not noticed yet."""
        build = self.live()
        return "" if build == self.damaged else build

    def create(self, prepare: Callable[[str], None]) -> str:
        """Make an empty build, its parts prepared by the engine, and return its name."""
        build = f"{self.version}-{secrets.token_hex(4)}"
        for part in self.parts:
            (self.folder / build / part).mkdir(parents=True, mode=0o700)  # Nobody else may write here.
        prepare(build)
        return build

    def created_live(self, prepare: Callable[[str], None]) -> str:
        """Make an empty build the live one."""
        build = self.create(prepare)
        self._make_live(build)
        return build

    @contextmanager
    def rebuilding(self, prepare: Callable[[str], None]) -> Iterator[str]:
        """Give the name of a build to fill, which becomes the live one at a clean end.

        What an earlier process began and could not finish is given again; what failed by an error is thrown away.
        """
        with self.held():
            build = self._named(BUILDING)
            if not build:
                build = self.create(prepare)
                self._point(BUILDING, build)
            try:
                yield build
            except Exception:
                self._forget(BUILDING)
                shutil.rmtree(self.folder / build, ignore_errors=True)
                raise
            self._make_live(build)
            self._forget(BUILDING)
            self.sweep()

    def clear(self) -> None:
        """Forget everything; what is being searched now is swept away later."""
        with self.held():
            self._forget(LIVE)
            self._forget(BUILDING)

    def give_up(self, build: str, why: str) -> None:
        """Ask a damaged build no longer, and let it be the live one no longer unless somebody is writing just now."""
        if not build:
            return
        if build != self.damaged:
            log.warning("The search index is damaged (%s) and will be built again.", why)
        self.damaged = build
        if self.exclusive.acquire(0):
            try:
                if self._named(LIVE) == build:
                    self._forget(LIVE)
            finally:
                self.exclusive.release()

    def sweep(self) -> None:
        """Remove builds that have not been live for two minutes."""
        kept = (self.live(), self.only, self._named(LIVE), self._named(BUILDING))
        for build in self.folder.iterdir():
            if build.is_dir() and build.name not in kept and time.time() - build.stat().st_mtime > KEEP_SECONDS:
                shutil.rmtree(build, ignore_errors=True)

    def _named(self, pointer: str) -> str:
        # As plain text: this is asked several times for each search, and a Path costs more than the asking.
        try:
            with open(f"{self.folder}{os.sep}{pointer}", encoding="utf-8") as file:  # noqa: PTH123
                build = file.read().strip()
        except (OSError, UnicodeDecodeError):
            return ""
        whole = all(os.path.isdir(f"{self.folder}{os.sep}{build}{os.sep}{part}") for part in self.parts)  # noqa: PTH112
        return build if build.startswith(f"{self.version}-") and whole else ""

    def _make_live(self, build: str) -> None:
        if before := self._named(LIVE):
            os.utime(self.folder / before)  # From now on it is obsolete; readers have two minutes to leave it.
        self._point(LIVE, build)

    def _point(self, pointer: str, build: str) -> None:
        waiting = self.folder / f"{pointer}.new"
        waiting.write_text(build)
        sync(waiting)
        waiting.replace(self.folder / pointer)
        sync(self.folder)

    def _forget(self, pointer: str) -> None:
        with suppress(FileNotFoundError):
            (self.folder / pointer).unlink()


def sync(path: Path) -> None:
    """Have a file or a folder written to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
