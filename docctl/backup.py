"""Backups: one archive with the database as it stood at one instant, every file that it names, and a manifest of hashes."""

import hashlib
import json
import os
import shutil
import tempfile
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
from docctl.checkpoints import Checkpoint
from docctl.config import Settings
from docctl.database import Database, iso, knows_schema, schema_version
from docctl.files.store import Store
from docctl.rules import Refused, Sentence
from docctl.site import Site
from docctl.verify.findings import Progress

DATABASE = "docctl.db"
MANIFEST = "manifest.json"
FORMAT = 1
CHUNK = 1 << 20

DAMAGED = Sentence(
    "Bản sao lưu hỏng: {what}. Chưa thay đổi gì; hãy dùng bản sao lưu khác.",
    "The backup is damaged: {what}. Nothing was changed; use another backup.",
)


@dataclass(frozen=True)
class Manifest:
    """What an archive holds: schema and head of the trail, the database's SHA-256, and every file with its size in bytes."""

    format: int
    docctl: str
    made_at: str
    schema: str
    sequence: int
    hash: str
    database: str
    files: dict[str, int]


def save(site: Site, target: Path, progress: Progress | None = None) -> Manifest:
    """Write a backup while others go on working; the archive has its name only when it is complete and on the disk.

    Raises Refused when a file is missing or altered: a backup that lacks something must not look like one.
    """
    _sqlite_path(site.settings)
    handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            manifest = _write(site, file, progress)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        _sync(target.absolute().parent)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return manifest


def restore(settings: Settings, source: Path, *, force: bool = False) -> tuple[Manifest, Path | None]:
    """Put a backup in place; returns its manifest and where the database that was there before now lies.

    Everything is read and compared with the manifest before anything changes. Raises Refused for a damaged archive, a
    newer schema, a running server, or (without `force`) a database that is already there.
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
    with tempfile.TemporaryDirectory(dir=settings.storage, prefix="restoring-") as folder:
        manifest = _unpacked(source, Path(folder))
        before = _set_aside(place) if place.exists() else None
        store = Store(settings.files)
        for sha256, size in manifest.files.items():
            with (Path(folder) / sha256).open("rb") as file:
                store.put(file, limit_bytes=size)
        place.parent.mkdir(parents=True, exist_ok=True)
        (Path(folder) / DATABASE).replace(place)
        _sync(place.parent)
        # The index followed another trail; the next question builds it again.
        shutil.rmtree(settings.index, ignore_errors=True)
    return manifest, before


def begin_epoch(site: Site, manifest: Manifest) -> Checkpoint:
    """Begin a new epoch of the chain after a restore: an entry says so and a checkpoint signs it, so that it shows."""
    with site.database.writing() as session:
        number = checkpoints.epoch(session) + 1
        audit.record(
            session,
            Action.TRAIL_RESTORED,
            by=None,
            noun="trail",
            epoch=number,
            sequence=manifest.sequence,
            hash=manifest.hash,
            made_at=manifest.made_at,
        )
    return checkpoints.make(site)


def _write(site: Site, file: Any, progress: Progress | None) -> Manifest:
    with tempfile.TemporaryDirectory(dir=site.settings.storage, prefix="saving-") as folder:
        copy = Path(folder) / DATABASE
        with site.database.engine.connect() as connection, _sqlite(copy) as target:
            connection.connection.driver_connection.backup(target)  # type: ignore[union-attr]  # Never closed here.
        schema, head, files = _inside(copy)
        manifest = Manifest(
            FORMAT, __version__, iso(clock.now()), schema, head.sequence, head.hash, _sha256(copy), files
        )
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
            archive.writestr(MANIFEST, json.dumps(asdict(manifest), indent=1, sort_keys=True))
            archive.write(copy, DATABASE, zipfile.ZIP_DEFLATED)
            for done, sha256 in enumerate(files, start=1):
                if not site.store.check(sha256):
                    raise Refused(
                        Sentence(
                            "Tệp {sha256} đã mất hoặc bị thay đổi nên chưa sao lưu được. Hãy chạy `docctl verify`.",
                            "The file {sha256} is missing or altered, so no backup was made. Run `docctl verify`.",
                        ).fill(sha256=sha256)
                    )
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
        with zipfile.ZipFile(source) as archive:
            manifest = Manifest(**json.loads(archive.read(MANIFEST)))
            wanted = {DATABASE: manifest.database} | {f"files/{sha256}": sha256 for sha256 in manifest.files}
            if set(archive.namelist()) != {MANIFEST, *wanted}:
                raise Refused(DAMAGED.fill(what=Sentence("thiếu hoặc thừa tệp", "files are missing or too many")))
            for name, sha256 in wanted.items():
                with (
                    archive.open(name) as packed,
                    (folder / (DATABASE if name == DATABASE else sha256)).open("wb") as out,
                ):
                    shutil.copyfileobj(packed, out, CHUNK)
                if _sha256(Path(out.name)) != sha256:
                    raise Refused(DAMAGED.fill(what=Sentence(f"{name} đã khác", f"{name} has other bytes")))
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


def _set_aside(place: Path) -> Path:
    """Rename a database that is there, log and all; refuses while another process has it open."""
    with _sqlite(place) as connection:
        try:
            # Leaving WAL needs the database for oneself, and leaves one file without its log.
            alone = connection.execute("PRAGMA journal_mode=DELETE").fetchone()[0] == "delete"
        except pysqlite3.DatabaseError as error:
            # What cannot be opened as a database is what a restore may have to replace.
            alone = "locked" not in str(error) and "busy" not in str(error)
    if not alone:
        raise Refused(
            Sentence(
                "Máy chủ docctl còn đang chạy trên thư mục này. Hãy dừng rồi khôi phục lại.",
                "A docctl server is still running on this folder. Stop it, then restore again.",
            )
        )
    aside = place.with_name(f"{place.name}.before-{clock.now():%Y%m%dT%H%M%S%f}")
    for suffix in ("-wal", "-shm"):
        if (log := place.with_name(place.name + suffix)).exists():
            log.replace(aside.with_name(aside.name + suffix))
    place.replace(aside)
    return aside


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
