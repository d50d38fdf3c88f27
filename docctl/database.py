"""The database: the engine and its pragmas, sessions that read or write, and column types."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, DateTime, Engine, String, create_engine, event, inspect, text
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.schema import MetaData
from sqlalchemy.types import TypeDecorator

SAFE_SQLITE = (3, 51, 3)  # 3.7.0 to 3.51.2 can corrupt a WAL database that has several writers.
MIGRATIONS = Path(__file__).resolve().parent / "migrations"
PRAGMAS = {"synchronous": 2, "foreign_keys": 1, "recursive_triggers": 1, "busy_timeout": 10_000, "trusted_schema": 0}

log = logging.getLogger(__name__)


class DatabaseError(Exception):
    """The database cannot be used as it is; the message says what to do."""


class Base(DeclarativeBase):
    """The tables of docctl; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Kept:
    """Mixed into the tables of what an office has set up: the trail repeats a row as it now is whenever one is written.

    Nobody need remember it: what a flush wrote is noted here, and the next entry of the same transaction tells it.
    """

    UNTOLD: ClassVar[frozenset[str]] = frozenset()  # Columns that a person changes for himself alone.
    SEALED: ClassVar[frozenset[str]] = frozenset()  # Columns that are told by their SHA-256 only.

    @classmethod
    def beside(cls, connection: Connection, key: str) -> dict[str, Any]:
        """Return what is told of a row besides its columns: nothing, unless rows of other tables belong to it."""
        return {}


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC: `timestamptz` on PostgreSQL, fixed-width ISO text that sorts by time on SQLite."""

    impl = String(27)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Choose the column type of the dialect."""
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Refuse a naive datetime: it would be read in another zone than it was meant in."""
        if value is None or dialect.name == "postgresql":
            return value
        if value.tzinfo is None:
            raise ValueError("an instant needs a time zone")
        return iso(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Give back an aware datetime in UTC."""
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.astimezone(UTC)
        found = datetime.fromisoformat(value)
        return found if found.tzinfo is UTC else found.astimezone(UTC)


def iso(instant: datetime) -> str:
    """Write an instant as 27 characters that sort by time: `2022-10-25T17:00:00.000000Z`."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Database:
    """One database: short write transactions that begin by taking the write lock, and reads that never wait."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _engine(url)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session whose reads all see one snapshot and whose changes are thrown away."""
        with Session(self.engine, autoflush=False, expire_on_commit=False) as session:
            # Closing rolls back and leaves what was read as it is; a rollback by name would empty every loaded object.
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session that holds the write lock; it commits at a clean end and else rolls back."""
        with self.session_for_writing() as session:
            yield session
            session.commit()

    def session_for_writing(self) -> Session:
        """Return a session whose transaction begins IMMEDIATE; the caller commits it explicitly."""
        session = Session(self.engine.execution_options(writes=True), expire_on_commit=False)
        return session

    def session_for_reading(self) -> Session:
        """Return a session that only reads; the caller closes it."""
        return Session(self.engine, autoflush=False, expire_on_commit=False)

    def dispose(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    import pysqlite3

    if pysqlite3.sqlite_version_info < SAFE_SQLITE:
        raise DatabaseError(
            f"SQLite {pysqlite3.sqlite_version} can corrupt the database. Install pysqlite3 0.6 or newer."
        )
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, module=pysqlite3, pool_size=8, max_overflow=56, pool_timeout=30)

    @event.listens_for(engine, "connect")
    def _open(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy sends BEGIN itself, below, so that writes can be IMMEDIATE.
        connection.execute("PRAGMA journal_mode=WAL")
        for name, value in PRAGMAS.items():
            connection.execute(f"PRAGMA {name}={value}")
            if connection.execute(f"PRAGMA {name}").fetchone()[0] != value:
                raise DatabaseError(f"SQLite did not take PRAGMA {name}={value}. Install pysqlite3 0.6 or newer.")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


@event.listens_for(Session, "after_flush")
def _note(session: Session, context: Any) -> None:
    """Note which kept rows a flush wrote, added or deleted."""
    for row in (*session.new, *session.dirty, *session.deleted):
        if not isinstance(row, Kept):
            continue
        state = inspect(row)
        changed = {attribute.key for attribute in state.attrs if attribute.history.has_changes()}
        if row in session.dirty and not changed - row.UNTOLD:
            continue
        key = tuple(state.mapper.primary_key_from_instance(row))
        session.info.setdefault("written", {})[state.mapper.local_table.description, key] = type(row)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    """Forget what a transaction that never was had written."""
    session.info.pop("written", None)


def readable(session: Session) -> bool:
    """Say whether the database answers."""
    return session.execute(text("SELECT 1")).scalar() == 1


def upgrade(database: Database) -> str:
    """Bring the schema to this program's version and return that version; an up-to-date one is left alone."""
    with database.engine.execution_options(writes=True).connect() as connection:
        command.upgrade(_alembic(connection), "head")
        connection.commit()
    return newest_schema()


def schema_version(database: Database) -> str | None:
    """Return the version of the database's schema, None for an empty database."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def newest_schema() -> str:
    """Return the schema version that this program works with."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


def knows_schema(version: str) -> bool:
    """Say whether a schema is one that this program has a migration for: one that it does not know is newer than it."""
    return version in {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _alembic(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
