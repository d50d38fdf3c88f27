"""Backups: one archive with the database as it stood at one instant, every file that it names, and a manifest of hashes."""

import fcntl
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pysqlite3
from sqlalchemy.engine import make_url

from docctl import __version__, audit, checkpoints, clock, retention
from docctl.audit import Action, Head
from docctl.config import Settings
from docctl.database import Database, iso, knows_schema, schema_version
from docctl.files.store import Store
from docctl.rules import Refused, Sentence
from docctl.site import Site, bring_up
from docctl.verify.findings import Progress

DATABASE = "docctl.db"
MANIFEST = "manifest.json"
KEY = checkpoints.KEY
FORMAT = 1
CHUNK = 1 << 20
SEAL = 64  # The archive's last bytes: the SHA-256, in hex, of all bytes before them.
ATTEMPTS = 3
ABANDONED_SECONDS = 60.0
_SHA256 = re.compile(r"[0-9a-f]{64}")

DAMAGED = Sentence(
    "Bản sao lưu hỏng: {what}. Chưa thay đổi gì; hãy dùng bản sao lưu khác.",
    "The backup is damaged: {what}. Nothing was changed; use another backup.",
)


@dataclass(frozen=True)
class Manifest:
    """What an archive holds: schema and head of the trail, every file with its size in bytes, and two more SHA-256.

    These are of the database, and of the key with which the checkpoints are signed: without the key nobody could tell
    after a fire whether a checkpoint that was kept elsewhere is this office's.
    """

    format: int
    docctl: str
    made_at: str
    schema: str
    sequence: int
    hash: str
    database: str
    key: str
    files: dict[str, int]


class _Gone(Refused):
    """A file that the snapshot names is not there as it was."""

    def __init__(self, sha256: str) -> None:
        self.sha256 = sha256
        super().__init__(
            Sentence(
                "Tệp {sha256} đã mất hoặc bị thay đổi nên chưa sao lưu được. Hãy chạy `docctl verify`.",
                "The file {sha256} is missing or altered, so no backup was made. Run `docctl verify`.",
            ).fill(sha256=sha256)
        )


def save(site: Site, target: Path, progress: Progress | None = None) -> Manifest:
    """Write a backup while others go on working; it is read again and has its name only when it is whole on the disk.

    Raises Refused when a file is missing or altered: a backup that lacks something must not look like one.
    """
    _sqlite_path(site.settings)
    place = target.absolute().parent
    _sweep(place, f".{target.name}.*")
    handle, name = tempfile.mkstemp(dir=place, prefix=f".{target.name}.")
    partial = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            manifest = _write(site, file, progress)
            _seal(file)
            file.flush()
            os.fsync(file.fileno())
            _read(file, None)
        partial.replace(target)
        _sync(place)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return manifest


def restore(settings: Settings, source: Path, *, force: bool = False) -> tuple[Manifest, Path | None]:
    """Put a backup in place; returns its manifest and where the database that was there before now lies.

    Everything is read and compared with the manifest before anything changes. The new epoch of the chain begins, and an
    older schema is brought up, before the database gets its place: what is there is whole at every instant. Raises
    Refused for a damaged archive, a newer schema, a running server, or (without `force`) a database that is there.
    """
    place = _sqlite_path(settings)
    if place.exists() and not force:
        raise Refused(
            Sentence(
                "Đã có cơ sở dữ liệu ở {place}. Hãy khôi phục vào một thư mục lưu trữ trống, hoặc ghi --force để thay thế.",
                "There is a database at {place}. Restore into an empty storage folder, or give --force to replace it.",
            ).fill(place=place)
        )
    settings.storage.mkdir(parents=True, exist_ok=True)
    with _room(settings.storage, "restoring-") as folder:
        manifest = _unpacked(source, folder)
        _begin_epoch(folder / DATABASE, manifest)
        if place.exists():
            _refuse_running(place)
        store = Store(settings.files)
        for sha256, size in manifest.files.items():
            with (folder / sha256).open("rb") as file:
                store.put(file, limit_bytes=size)
        place.parent.mkdir(parents=True, exist_ok=True)
        if not (settings.storage / KEY).exists():
            (folder / KEY).chmod(0o600)
            (folder / KEY).replace(settings.storage / KEY)
        # The index followed another trail; the next question builds it again.
        shutil.rmtree(settings.index, ignore_errors=True)
        before = _beside(place) if place.exists() else None
        with (folder / DATABASE).open("rb") as file:
            os.fsync(file.fileno())
        (folder / DATABASE).replace(place)
        _sync(place.parent)
    return manifest, before


def _begin_epoch(copy: Path, manifest: Manifest) -> None:
    """Begin a new epoch of the chain: an entry says so, so that a rollback shows against every older checkpoint."""
    database = Database(f"sqlite:///{copy}")
    try:
        bring_up(database)
        with database.writing() as session:
            audit.record(
                session,
                Action.TRAIL_RESTORED,
                by=None,
                noun="trail",
                epoch=checkpoints.epoch(session) + 1,
                sequence=manifest.sequence,
                hash=manifest.hash,
                made_at=manifest.made_at,
            )
    finally:
        database.dispose()
    _alone(copy)  # One file, without its log beside it.


def _write(site: Site, file: Any, progress: Progress | None) -> Manifest:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _written(site, file, progress)
        except _Gone as error:
            with site.database.reading() as session:
                disposed = error.sha256 in {sha256 for sha256, _ in retention.buried(session)}
            if not disposed or attempt == ATTEMPTS:
                raise
            # It was disposed of under minutes while the backup was written: the next snapshot knows.
            file.seek(0)
            file.truncate()
    raise AssertionError


def _written(site: Site, file: Any, progress: Progress | None) -> Manifest:
    with _room(site.settings.storage, "saving-") as folder:
        copy = folder / DATABASE
        with site.database.engine.connect() as connection, _sqlite(copy) as target:
            connection.connection.driver_connection.backup(target)  # type: ignore[union-attr]  # Never closed here.
        schema, head, files = _inside(copy)
        checkpoints.public_key(site.settings)  # Made now where there was none yet.
        key = (site.settings.storage / KEY).read_bytes()
        manifest = Manifest(
            FORMAT,
            __version__,
            iso(clock.now()),
            schema,
            head.sequence,
            head.hash,
            _sha256(copy),
            hashlib.sha256(key).hexdigest(),
            files,
        )
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.comment = b"0" * SEAL
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1, sort_keys=True))
            archive.writestr(KEY, key)
            archive.write(copy, DATABASE, zipfile.ZIP_DEFLATED)
            for done, sha256 in enumerate(files, start=1):
                if not site.store.check(sha256):
                    raise _Gone(sha256)
                archive.write(site.store.path(sha256), f"files/{sha256}")
                if progress:
                    progress("files", done, len(files))
    return manifest


def _inside(copy: Path) -> tuple[str, Head, dict[str, int]]:
    """Return schema, head of the trail and files of a copied database: what was committed since is not in it."""
    database = Database(f"sqlite:///{copy}")
    try:
        with database.reading() as session:
            gone = {sha256 for sha256, _ in retention.buried(session)}
            every = session.connection().exec_driver_sql("SELECT sha256, size FROM content ORDER BY sha256").all()
            rows = [row for row in every if row.sha256 not in gone]
            head = audit.head(session)
        schema = schema_version(database) or ""
        with database.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            # One file, without its log beside it, is what goes into the archive.
            connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
            connection.exec_driver_sql("BEGIN")
    finally:
        database.dispose()
    return schema, head, {row.sha256: row.size for row in rows}


def _unpacked(source: Path, folder: Path) -> Manifest:
    try:
        with source.open("rb") as file:
            manifest = _read(file, folder)
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError, NotImplementedError, OSError) as error:
        raise Refused(DAMAGED.fill(what=str(error))) from error
    if manifest.format != FORMAT or not knows_schema(manifest.schema):
        raise Refused(
            Sentence(
                "Bản sao lưu do docctl {version} tạo, mới hơn chương trình này. Hãy cài bản docctl mới hơn.",
                "The backup was made by docctl {version}, newer than this program. Install the newer docctl.",
            ).fill(version=manifest.docctl)
        )
    return manifest


def _seal(file: Any) -> None:
    """Write the SHA-256 of an archive into its comment, which is its end."""
    digest = _before_seal(file)
    file.seek(-SEAL, os.SEEK_END)
    file.write(digest)


def _before_seal(file: Any) -> bytes:
    """Return the SHA-256, in hex, of all bytes of an archive but its seal."""
    digest, left = hashlib.sha256(), file.seek(0, os.SEEK_END) - SEAL
    file.seek(0)
    while left > 0 and (chunk := file.read(min(CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()


def _read(file: Any, folder: Path | None) -> Manifest:
    """Read a whole archive against its seal and its manifest, and unpack it where a folder is given.

    Raises Refused when anything differs, and what `zipfile` raises for what is no archive.
    """
    digest = _before_seal(file)
    if file.read(SEAL) != digest:
        raise Refused(DAMAGED.fill(what=Sentence("mã kiểm tra không khớp", "its checksum does not match")))
    with zipfile.ZipFile(file) as archive:
        return _compared(archive, folder)


def _compared(archive: zipfile.ZipFile, folder: Path | None) -> Manifest:
    manifest = Manifest(**json.loads(archive.read(MANIFEST)))
    if not all(_SHA256.fullmatch(name) for name in manifest.files):
        raise Refused(DAMAGED.fill(what=Sentence("tên tệp lạ", "names of files that are none")))
    wanted = {DATABASE: manifest.database, KEY: manifest.key}
    wanted |= {f"files/{sha256}": sha256 for sha256 in manifest.files}
    names = archive.namelist()
    if sorted(names) != sorted([MANIFEST, *wanted]):
        raise Refused(DAMAGED.fill(what=Sentence("thiếu hoặc thừa tệp", "files are missing or too many")))
    for name, sha256 in wanted.items():
        digest = hashlib.sha256()
        target = Path(os.devnull) if folder is None else folder / name.removeprefix("files/")
        with archive.open(name) as packed, target.open("wb") as out:
            while chunk := packed.read(CHUNK):
                digest.update(chunk)
                out.write(chunk)
        if digest.hexdigest() != sha256:
            raise Refused(DAMAGED.fill(what=Sentence(f"{name} đã khác", f"{name} has other bytes")))
    return manifest


def _refuse_running(place: Path) -> None:
    if not _alone(place):
        raise Refused(
            Sentence(
                "Máy chủ docctl còn đang chạy trên thư mục này. Hãy dừng rồi khôi phục lại.",
                "A docctl server is still running on this folder. Stop it, then restore again.",
            )
        )


def _alone(place: Path) -> bool:
    """Say whether no other process has a database open; what was in its log is then in the one file."""
    with _sqlite(place) as connection:
        try:
            # Leaving WAL needs the database for oneself, and leaves one file without its log.
            return bool(connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] == "delete")
        except pysqlite3.DatabaseError as error:
            # What cannot be opened as a database is what a restore may have to replace.
            return "locked" not in str(error) and "busy" not in str(error)


def _beside(place: Path) -> Path:
    """Give the database that is there a second name, under which it stays; the first one is free to be taken over."""
    _refuse_running(place)
    aside = place.with_name(f"{place.name}.before-{clock.now():%Y%m%dT%H%M%S%f}")
    for suffix in ("-wal", "-shm"):
        # A log that were left here would be read into the database that comes.
        if (log := place.with_name(place.name + suffix)).exists():
            log.replace(aside.with_name(aside.name + suffix))
    try:
        os.link(place, aside)
    except OSError:
        place.replace(aside)  # A file system without second names.
    return aside


@contextmanager
def _room(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a folder of one's own for a while; those that a kill left behind go first."""
    _sweep(parent, f"{prefix}*")
    with tempfile.TemporaryDirectory(dir=parent, prefix=prefix) as name, (Path(name) / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name)


def _sweep(parent: Path, pattern: str) -> None:
    """Remove what was being written when its process was killed: whoever lives holds a lock on it."""
    for left in parent.glob(pattern):
        if time.time() - left.stat().st_mtime < ABANDONED_SECONDS:
            continue
        lock = left / "lock" if left.is_dir() else left
        if lock.exists():
            with lock.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    continue
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)


def _sqlite_path(settings: Settings) -> Path:
    url = make_url(settings.database_url)
    if url.get_backend_name() != "sqlite" or not url.database:
        raise Refused(
            Sentence(
                "Lệnh này sao lưu cơ sở dữ liệu SQLite. Với PostgreSQL, hãy dùng pg_dump và chép thư mục files.",
                "This command backs up SQLite. With PostgreSQL, use pg_dump and copy the folder of files.",
            )
        )
    return Path(url.database)


@contextmanager
def _sqlite(path: Path) -> Iterator[Any]:
    connection = pysqlite3.connect(str(path), isolation_level=None, timeout=0.5)
    try:
        yield connection
    finally:
        connection.close()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
