"""PostgreSQL takes the same schema, the same guards and the same life of a document; the server is the tests' own."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from docctl import audit, clock, contents, decisions, documents, people, revisions, units
from docctl.decisions import Line
from docctl.revisions import Change
from docctl.site import Site, open_site

from .conftest import CHEAP, PASSWORD, settings
from .schema import every_table

ROLES = ("author", "reviewer", "format_reviewer", "approver", "controller")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL of its own on a free loopback port."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed")
    folder = tmp_path_factory.mktemp("postgresql")
    as_server: dict[str, object] = {}
    if os.geteuid() == 0:
        # The server refuses to run as root, so its own account runs it, in a folder that it can reach.
        account = pwd.getpwnam("postgres")
        folder = Path("/tmp") / f"docctl-postgresql-{os.getpid()}"
        folder.mkdir(mode=0o700)
        os.chown(folder, account.pw_uid, account.pw_gid)
        as_server = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = lambda *command: subprocess.run(command, check=True, capture_output=True, timeout=60, cwd=folder, **as_server)  # noqa: E731
    binaries, data = found[-1].parent, folder / "data"
    run(binaries / "initdb", "-D", data, "-A", "trust", "-U", "postgres")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c fsync=off -k {folder}"
    run(binaries / "pg_ctl", "-D", data, "-w", "-o", options, "-l", folder / "log", "start")
    yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
    run(binaries / "pg_ctl", "-D", data, "-m", "immediate", "stop")
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgresql_site(server: str, tmp_path: Path) -> Iterator[Site]:
    opened = open_site(replace(settings(tmp_path / "storage"), database_url=server), migrate=True)
    yield opened
    opened.close()


def test_a_document_lives_its_whole_life_on_postgresql_and_the_guards_hold(postgresql_site):
    site = postgresql_site
    with site.database.writing() as session:
        office = units.add(session, code="UBND", name_vi="Ủy ban nhân dân mẫu", kind="office")
        documents.add_standard_types(session)
        by, signing = {}, {}
        for role in ROLES:
            account = people.add(session, name=role, password=PASSWORD, roles=[role], unit=office)
            account.password_hash = CHEAP.hash(PASSWORD)
            by[role] = people.reader(session, account)
            signing[role] = people.reauthenticate(session, account, PASSWORD)
        document = documents.add(
            session, by=by["author"], title="Đăng ký khai sinh", type=documents.find_type(session, "QT"), unit=office
        )
        content = contents.keep(session, sha256="a" * 64, size=3, kind="txt")

        def issue(number: str, day: str) -> revisions.Revision:
            made = revisions.draft(
                session, document, by=by["author"], content=content, file_name="a.txt", changes=[Change("1", "a", "b")]
            )
            revisions.submit(session, made, by=by["author"])
            revisions.endorse(session, made, by=by["reviewer"], signing=signing["reviewer"])
            revisions.endorse(session, made, by=by["format_reviewer"], signing=signing["format_reviewer"])
            revisions.approve(session, made, by=by["approver"], signing=signing["approver"])
            decision = decisions.draft(
                session,
                by=by["controller"],
                title="Ban hành",
                number=number,
                signed_on=clock.today(),
                effective_from=clock.local(clock.parse(day)).date(),
                lines=[Line("issue", revision=made)],
            )
            decisions.check(session, decision, by=by["controller"])
            decisions.sign(session, decision, by=by["approver"], signing=signing["approver"])
            decisions.execute(session, decision, by=by["controller"])
            return made

        first, second = issue("1/QĐ", "2026-01-01"), issue("2/QĐ", "2026-02-01")
        assert [row.id for row in revisions.in_force(session, on=clock.parse("2026-01-31"))] == [first.id]
        assert [row.id for row in revisions.in_force(session, on=clock.parse("2026-02-01"))] == [second.id]
    with site.database.reading() as session:
        chain = list(audit.entries(session))
        assert [entry.hash for entry in chain] == [audit.entry_hash(entry) for entry in chain]
        assert compare_metadata(MigrationContext.configure(session.connection()), every_table()) == []
    for forbidden in (
        "UPDATE revision SET effective_to = NULL WHERE id = 1",
        "UPDATE revision SET file_name = 'other.txt' WHERE id = 2",
        "UPDATE revision SET state = 'draft' WHERE id = 2",
        "UPDATE decision SET title = 'other' WHERE id = 1",
        "UPDATE audit_entry SET actor = 'nobody' WHERE sequence = 1",
        "DELETE FROM audit_entry WHERE sequence = 1",
        "DELETE FROM signature WHERE id = 1",
        "DELETE FROM revision WHERE id = 1",
    ):
        with site.database.engine.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(text(forbidden))
