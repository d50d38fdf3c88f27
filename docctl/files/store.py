"""The content-addressed store: each file once, under its SHA-256, written so that a crash leaves orphans only."""

import contextlib
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from docctl.rules import Refused, Sentence

CHUNK = 1 << 20
TOO_LARGE = Sentence(
    "Tệp lớn hơn giới hạn {limit}; hãy nén ảnh hoặc tách tài liệu rồi tải lên lại.",
    "The file is larger than the limit of {limit}; compress its pictures or split the document, then upload it again.",
)
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store now holds: the SHA-256 of the bytes in lower-case hex, and their number."""

    sha256: str
    size: int


class Store:
    """Files below `root/files`, named by content; `root/tmp` holds what is still being written."""

    def __init__(self, root: Path) -> None:
        self._files = root / "files"
        self._tmp = root / "tmp"
        for folder in (self._files, self._tmp):
            folder.mkdir(parents=True, exist_ok=True)

    def put(self, stream: BinaryIO, *, limit_bytes: int, inspect: Callable[[Path], object] | None = None) -> Stored:
        """Keep the bytes of a stream and return their name; the same content twice is one file.

        `inspect` sees the complete file before it gets its name and may raise to have it thrown away. Raises Refused
        over the limit. When this returns, the bytes and their name are on the disk, power cut or not.
        """
        handle, name = tempfile.mkstemp(dir=self._tmp)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                stored = _copy(stream, file, limit_bytes)
                if inspect:
                    file.flush()
                    inspect(temporary)
                os.fchmod(file.fileno(), 0o444)
                file.flush()
                os.fsync(file.fileno())
            # Replacing a file by one of equal content costs nothing and heals one that a bad disk has changed.
            self._settle(temporary, self.path(stored.sha256))
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return stored

    def path(self, sha256: str) -> Path:
        """Return where a content lies; raises ValueError for what is no SHA-256, so no name leads out of the store."""
        if not _SHA256.fullmatch(sha256):
            raise ValueError(f"{sha256!r} is not a SHA-256 in lower-case hex")
        return self._files / sha256[:2] / sha256[2:]

    def open(self, sha256: str) -> BinaryIO:
        """Open a content for reading; raises FileNotFoundError when the store has lost it."""
        return self.path(sha256).open("rb")

    def check(self, sha256: str) -> bool:
        """Read a content again and say whether it is there and still has its SHA-256."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError:
            return False

    def remove(self, sha256: str, *, older_than: float) -> bool:
        """Remove the bytes of a content that was disposed of; those written after an instant (in seconds) stay."""
        path = self.path(sha256)
        if not path.is_file() or path.stat().st_mtime > older_than:
            return False
        path.unlink()
        _sync_folder(path.parent)
        return True

    def names(self) -> Iterator[str]:
        """Yield the SHA-256 of every content kept, in order."""
        for file in sorted(self._files.glob("??/*")):
            name = file.parent.name + file.name
            if _SHA256.fullmatch(name):
                yield name

    def sweep(self, older_than_seconds: float = 86_400) -> int:
        """Remove what broken uploads left behind and return how many files that were."""
        cutoff = time.time() - older_than_seconds
        stale = [file for file in self._tmp.iterdir() if file.is_file() and file.stat().st_mtime < cutoff]
        for file in stale:
            file.unlink(missing_ok=True)
        return len(stale)

    def _settle(self, temporary: Path, target: Path) -> None:
        with contextlib.suppress(FileExistsError):
            target.parent.mkdir()
            _sync_folder(self._files)
        temporary.replace(target)
        _sync_folder(target.parent)


def _copy(stream: BinaryIO, file: BinaryIO, limit_bytes: int) -> Stored:
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK):
        size += len(chunk)
        if size > limit_bytes:
            raise Refused(TOO_LARGE.fill(limit=_megabytes(limit_bytes)), field="file")
        digest.update(chunk)
        file.write(chunk)
    return Stored(digest.hexdigest(), size)


def _megabytes(number: int) -> str:
    return f"{number / (1 << 20):.3g} MB"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
