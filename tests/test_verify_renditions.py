"""`docctl verify` names an original or a rendition with a flipped bit, and a rendition that the trail does not tell of."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pysqlite3
import pytest

from docctl import jobs, renditions
from docctl.files.kinds import Kind
from docctl.revisions import Revision
from docctl.site import Site
from docctl.verify import Problem, verify
from tests.conftest import Made


@pytest.fixture
def made(site: Site, make_revision: Callable[..., Made]) -> Made:
    """A revision in force whose PDF was made."""
    made = make_revision("in_force")
    with site.database.reading() as session:
        sha256 = str(session.get_one(Revision, made.id).file_sha256)
    renditions.ask(site.database, site.store, sha256, Kind.TXT)
    jobs.render_waiting(site)
    return made


def files(site: Site, made: Made) -> tuple[Path, Path]:
    """Return where the original and the rendition lie."""
    with site.database.reading() as session:
        row = renditions.of(session, session.get_one(Revision, made.id).file_sha256)
        assert row is not None
        assert row.sha256 is not None
        return site.store.path(row.source_sha256), site.store.path(row.sha256)


def flip(path: Path) -> None:
    """Change one bit of a file, as a bad disk does."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def named(problems: list[Problem], what: str) -> bool:
    return any(what in problem.detail for problem in problems)


def test_an_office_with_renditions_verifies_clean(site: Site, made: Made) -> None:
    report = verify(site)
    assert report.problems == []
    assert report.checked["rendition"] == 1


@pytest.mark.parametrize(("which", "said"), [(0, "(the original of revision 1)"), (1, "(the rendition of revision 1)")])
def test_a_flipped_bit_is_named_with_what_the_file_is(site: Site, made: Made, which: int, said: str) -> None:
    path = files(site, made)[which]
    flip(path)
    problems = verify(site).problems
    assert [problem.record for problem in problems] == [f"content {path.parent.name}{path.name}"]
    assert named(problems, f"other bytes than it was stored with {said}")


@pytest.mark.parametrize(
    ("column", "value"),
    [("sha256", "source_sha256"), ("choice", "'accept'"), ("engine", "'khac'"), ("pages", "9"), ("signatures", "1")],
)
def test_a_rendition_that_was_altered_is_named(site: Site, made: Made, column: str, value: str) -> None:
    with closing(pysqlite3.connect(str(site.settings.storage / "docctl.db"), isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        with pytest.raises(pysqlite3.IntegrityError, match="never changes"):
            connection.execute(f"UPDATE rendition SET {column} = {value}")
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(f"UPDATE rendition SET {column} = {value}")
        for _, sql in triggers:
            connection.execute(sql)
    assert any(problem.record == "rendition 1" for problem in verify(site).problems)
