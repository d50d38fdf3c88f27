"""What the tests of nouns share: a whole office's set of documents in one go, every byte of every table, and a mail server."""

import dataclasses
import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pysqlite3
import pytest

from docctl import clock, documents, people, revisions, units
from docctl.revisions import Change
from docctl.site import Site, open_site
from tests.conftest import Cast, keep, settings
from tests.postbox import Postbox


@dataclass(frozen=True)
class Set:
    """Ids of approved revisions, and of documents in force."""

    approved: list[int]
    standing: list[int]


@pytest.fixture
def make_set(site: Site, cast: Cast) -> Callable[..., Set]:
    """Return a function that brings in documents in force since a year, and takes others as far as approval."""
    return lambda approved, standing: made(site, cast, approved, standing)


@pytest.fixture(scope="session")
def large_office(office: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Set]:
    """A storage folder with 101 approved revisions and 80 documents in force: what one real decision moved."""
    storage = tmp_path_factory.mktemp("large") / "storage"
    shutil.copytree(office, storage)
    opened = open_site(settings(storage))
    found = made(opened, Cast(opened), 101, 80)
    opened.close()
    return storage, found


@pytest.fixture
def large(large_office: tuple[Path, Set], site: Site) -> Set:
    """The 181 in the database of this test's own site."""
    storage, found = large_office
    site.database.dispose()
    for name in ("docctl.db", "docctl.db-wal", "docctl.db-shm"):
        (site.settings.storage / name).unlink(missing_ok=True)
    shutil.copytree(storage, site.settings.storage, dirs_exist_ok=True)
    return found


def made(site: Site, cast: Cast, approved: int, standing: int) -> Set:
    with site.database.writing() as session:
        author, controller = cast.reader(session, "author"), cast.reader(session, "controller")
        type, unit = documents.find_type(session, "QT"), units.find(session, "TP")
        content = keep(site, session, "Một nội dung cho tất cả.")
        found = Set([], [])
        for number in range(standing):
            document = documents.add(
                session, by=controller, title=f"Quy trình cũ {number}", code=f"CU-{number}", type=type, unit=unit
            )
            revisions.import_in_force(
                session,
                document,
                by=controller,
                edition=1,
                amendment=0,
                title=document.title,
                content=content,
                file_name="cu.txt",
                source=f"cu-{number}",
                effective_from=clock.midnight(date(2020, 9, 8)),
                decision="2115/QĐ-UBND",
            )
            found.standing.append(document.id)
        proofs = {name: cast.signing(session, name) for name in ("reviewer", "format-reviewer", "approver")}
        for number in range(approved):
            document = documents.add(
                session, by=author, title=f"Quy trình mới {number}", code=f"MOI-{number}", type=type, unit=unit
            )
            row = revisions.draft(
                session, document, by=author, content=content, file_name="moi.txt", changes=[Change("1", "", "mới")]
            )
            revisions.submit(session, row, by=author)
            for name in ("reviewer", "format-reviewer"):
                revisions.endorse(session, row, by=cast.reader(session, name), signing=proofs[name])
            revisions.approve(session, row, by=cast.reader(session, "approver"), signing=proofs["approver"])
            found.approved.append(row.id)
        return found


@pytest.fixture
def everything(site: Site) -> Callable[[], dict[str, str]]:
    """Return a function that gives a digest of every row of every table, by a connection that is not docctl's."""
    return lambda: digests(site.settings.storage)


def digests(storage: Path) -> dict[str, str]:
    """Return a digest of every row of every table of a storage folder, by table."""
    with closing(pysqlite3.connect(str(storage / "docctl.db"))) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert len(tables) > 15
        return {
            table: hashlib.sha256(repr(connection.execute(f"SELECT * FROM {table}").fetchall()).encode()).hexdigest()
            for table in tables
        }


@pytest.fixture
def yesterday() -> date:
    """The day before today in the office's time zone."""
    return clock.today() - timedelta(days=1)


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    box = Postbox().up()
    yield box
    box.down()


@pytest.fixture
def mailed(site: Site, postbox: Postbox) -> Site:
    """The site with a mail server, and an address for each of those who review and approve."""
    settings = dataclasses.replace(
        site.settings, smtp_url=f"smtp://127.0.0.1:{postbox.port}", base_url="http://docctl.example", locale="en"
    )
    with site.database.writing() as session:
        for name in ("author", "reviewer", "format-reviewer", "approver", "controller"):
            people.find(session, name).email = f"{name}@office.example"
    return dataclasses.replace(site, settings=settings)
