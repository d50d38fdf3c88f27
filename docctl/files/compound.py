"""A reader of compound files, the container of .doc and .xls, as far as docctl needs it ([MS-CFB])."""

import struct
import sys
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END = 0xFFFFFFFA  # This and all above mark ends and free places, never a sector.
_STORAGE, _STREAM = 1, 2
_MAX_DIRECTORY = 4096  # Sectors.


class BrokenCompound(ValueError):
    """The file is no compound file, or a damaged one."""


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    type: int
    left: int
    right: int
    child: int
    start: int
    size: int


class Compound:
    """The streams of a compound file by path, such as `WordDocument` or `Macros/VBA/dir`.

    Reads the tables at once and streams on demand; every chain is bounded by the number of sectors, so that a file
    whose chains run in circles is reported, not followed. Raises BrokenCompound.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                self._read_tables(file, path.stat().st_size)
        except (struct.error, IndexError) as error:
            raise BrokenCompound(str(error)) from error

    def _read_tables(self, file: BinaryIO, size: int) -> None:
        header = file.read(512)
        if header[:8] != MAGIC:
            raise BrokenCompound("no signature")
        shift, mini_shift = struct.unpack_from("<HH", header, 30)
        if shift not in (9, 12) or mini_shift != 6:
            raise BrokenCompound("sector size")
        self._sector, self._count = 1 << shift, (size >> shift) + 1
        directory, self._cutoff, mini_fat = (struct.unpack_from("<I", header, at)[0] for at in (48, 56, 60))
        self._fat = self._longs(file, self._fat_sectors(file, header))
        # A file of 100 MB that is all tables would grow tenfold in memory; an honest one has few of them.
        self._mini_fat = self._longs(file, _few(self._chain(self._fat, mini_fat), self._count // 8 + 8))
        raw = b"".join(self._at(file, sector) for sector in _few(self._chain(self._fat, directory), _MAX_DIRECTORY))
        entries = [_entry(raw[at : at + 128]) for at in range(0, len(raw) - 127, 128)]
        self._mini_stream = self._chain(self._fat, entries[0].start)
        self._entries: dict[str, _Entry] = {}
        self._walk(entries)

    @property
    def names(self) -> frozenset[str]:
        """The paths of all streams and storages."""
        return frozenset(self._entries)

    def read(self, name: str, limit: int = 1 << 28) -> bytes:
        """Return the first `limit` bytes of a stream; raises BrokenCompound when it is missing or cut."""
        entry = self._entries.get(name)
        if entry is None or entry.type != _STREAM:
            raise BrokenCompound(f"no stream {name}")
        wanted = min(entry.size, limit)
        try:
            with self._path.open("rb") as file:
                data = (
                    self._small(file, entry, wanted) if entry.size < self._cutoff else self._large(file, entry, wanted)
                )
        except IndexError as error:
            raise BrokenCompound(f"{name} is cut") from error
        if len(data) < wanted:
            raise BrokenCompound(f"{name} is cut")
        return data

    def _large(self, file: BinaryIO, entry: _Entry, wanted: int) -> bytes:
        sectors = self._chain(self._fat, entry.start)[: -(-wanted // self._sector)]
        return b"".join(self._at(file, sector) for sector in sectors)[:wanted]

    def _small(self, file: BinaryIO, entry: _Entry, wanted: int) -> bytes:
        per_sector, parts = self._sector >> 6, []
        for mini in self._chain(self._mini_fat, entry.start)[: -(-wanted // 64)]:
            offset = (mini % per_sector) * 64
            parts.append(self._at(file, self._mini_stream[mini // per_sector])[offset : offset + 64])
        return b"".join(parts)[:wanted]

    def _at(self, file: BinaryIO, sector: int) -> bytes:
        file.seek((sector + 1) * self._sector)
        return file.read(self._sector)

    def _longs(self, file: BinaryIO, sectors: list[int]) -> "array[int]":
        raw = b"".join(self._at(file, sector) for sector in sectors)
        longs = array("I", raw[: len(raw) // 4 * 4])
        if sys.byteorder == "big":
            longs.byteswap()
        return longs

    def _chain(self, table: "array[int]", sector: int) -> list[int]:
        chain: list[int] = []
        bound = max(self._count, len(table))
        while sector < _END:
            chain.append(sector)
            if len(chain) > bound:
                raise BrokenCompound("a chain of sectors runs in a circle")
            sector = table[sector]
        return chain

    def _fat_sectors(self, file: BinaryIO, header: bytes) -> list[int]:
        sectors = list(struct.unpack_from("<109I", header, 76))
        (following,) = struct.unpack_from("<I", header, 68)
        while following < _END and len(sectors) <= self._count + 109:
            longs = self._longs(file, [following])
            if len(longs) * 4 < self._sector:
                raise BrokenCompound("the table of tables is cut")
            *more, following = longs
            sectors += more
        return _few([sector for sector in sectors if sector < _END], self._count // 32 + 8)

    def _walk(self, entries: list[_Entry]) -> None:
        pending, seen = [(entries[0].child, "")], set[int]()
        while pending:
            number, prefix = pending.pop()
            if number >= len(entries) or number in seen:
                continue
            seen.add(number)
            entry = entries[number]
            pending += [(entry.left, prefix), (entry.right, prefix)]
            self._entries[prefix + entry.name] = entry
            if entry.type == _STORAGE:
                pending.append((entry.child, f"{prefix}{entry.name}/"))


def _few(sectors: list[int], most: int) -> list[int]:
    if len(sectors) > most:
        raise BrokenCompound("more tables than any document needs")
    return sectors


def _entry(raw: bytes) -> _Entry:
    length, kind = struct.unpack_from("<HB", raw, 64)
    left, right, child = struct.unpack_from("<III", raw, 68)
    start, size = struct.unpack_from("<II", raw, 116)
    name = raw[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
    return _Entry(name, kind, left, right, child, start, size)
