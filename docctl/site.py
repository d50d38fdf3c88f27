"""Everything that a process needs, opened once: settings, clock, database, files, workflows, search."""

import gc
from dataclasses import dataclass, field

from docctl import audit, clock, lifecycle, search, searches, workflow
from docctl import retention as retention  # With the last of the nouns that sign, and tokens, every table is known.
from docctl import tokens as tokens
from docctl import watch as watch
from docctl.config import ConfigError, Settings
from docctl.database import Database, knows_schema, newest_schema, schema_version, upgrade
from docctl.files.pages import Pages
from docctl.files.store import Store
from docctl.search import synonyms
from docctl.workflow import Workflow


@dataclass(frozen=True)
class Site:
    """The opened parts; give it to whoever serves or commands."""

    settings: Settings
    database: Database
    store: Store
    engine: search.Engine
    pages: Pages
    heard: searches.Heard = field(default_factory=searches.Heard)

    def close(self) -> None:
        """Close the database's connections, and the index as far as this thread has it open."""
        self.engine.close()
        self.database.dispose()


def open_site(settings: Settings, *, migrate: bool = False) -> Site:
    """Open a storage folder.

    Raises ConfigError when the schema is older or newer than this program (unless `migrate`), and WorkflowError when
    a workflow file or the site's file of synonyms is wrong, or a workflow was changed without raising its version.
    """
    clock.use_zone(settings.timezone)
    clock.stop(settings.now)
    files = workflow_files(settings)
    synonyms.use(synonyms.load(*(path for path in (settings.synonyms, synonyms.SHIPPED) if path.is_file())))
    settings.storage.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    if migrate:
        bring_up(database)
    _check_schema(database)
    with database.reading() as session:
        anything_new = lifecycle.unregistered(session, files)
    if anything_new:
        with database.writing() as session:
            lifecycle.register(session, files)
    return Site(
        settings,
        database,
        Store(settings.files),
        search.open_engine(settings.search, settings.index),
        Pages(settings.pages),
    )


def settle() -> None:
    """Take what is loaded by now out of garbage collection; for a process that is about to serve.

    Half a million objects of the program itself never become garbage, and a full collection that walks over them
    lengthens the request in which it happens to fall by 50 ms.
    """
    gc.collect()
    gc.freeze()


def bring_up(database: Database) -> str:
    """Migrate the schema to this program's version and record that in the trail; returns the version it now has."""
    if schema_version(database) == newest_schema():
        return newest_schema()
    after = upgrade(database)
    with database.writing() as session:
        audit.take_stock(session, after)
    return after


def workflow_files(settings: Settings) -> list[Workflow]:
    """Read every workflow file, the site's own in place of the shipped ones of the same name."""
    return list(workflow.load_folder(*settings.workflow_folders()).values())


def _check_schema(database: Database) -> None:
    found, wanted = schema_version(database), newest_schema()
    if found is None:
        raise ConfigError("There is no database yet. Run `docctl init` (or `docctl demo` for the sample organisation).")
    if found != wanted and knows_schema(found):
        raise ConfigError(f"The database has schema {found}, this program needs {wanted}. Run `docctl upgrade`.")
    if found != wanted:
        raise ConfigError(
            f"The database has schema {found}, newer than this program's {wanted}. Install the newer docctl."
        )
