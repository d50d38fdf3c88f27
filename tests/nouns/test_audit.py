"""The trail: one entry an act in the act's own transaction, chained, and never changed by anybody."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime

import pysqlite3
import pytest

from docctl import audit, clock, people, revisions
from docctl.audit import GENESIS, Action, AuditEntry
from docctl.rules import Refused
from docctl.site import Site
from tests.conftest import Cast, Made


def test_each_entry_is_chained_to_the_one_before_it(site: Site, make_revision: Callable[..., Made]) -> None:
    make_revision("withdrawn")
    with site.database.reading() as session:
        chain = list(audit.entries(session))
        assert [entry.sequence for entry in chain] == list(range(1, len(chain) + 1))
        assert [entry.prev_hash for entry in chain] == [GENESIS, *(entry.hash for entry in chain[:-1])]
        assert [audit.entry_hash(entry) for entry in chain] == [entry.hash for entry in chain]
        assert audit.head(session) == audit.Head(chain[-1].sequence, chain[-1].hash)
        assert len(chain) > 15


def test_the_hash_covers_every_column_of_an_entry(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        by = people.find(session, "author")
        entry = audit.record(session, Action.SIGNED_IN, by=by, noun="account", record_id=by.id, document_id=None, x=1)
        seen = {entry.hash, audit.entry_hash(entry)}
        assert len(seen) == 1
        with session.no_autoflush:
            for column, value in {
                "sequence": 99,
                "at": datetime(2020, 1, 1, tzinfo=UTC),
                "actor_id": 99,
                "actor": "x",
                "actor_title": "x",
                "action": "x",
                "noun": "x",
                "record_id": 99,
                "document_id": 99,
                "detail": "{}",
                "prev_hash": "x",
            }.items():
                kept = getattr(entry, column)
                setattr(entry, column, value)
                seen.add(audit.entry_hash(entry))
                setattr(entry, column, kept)
        assert len(seen) == 12
        assert set(AuditEntry.__table__.columns.keys()) - {"hash"} == {
            *("sequence", "at", "actor_id", "actor", "actor_title", "action", "noun", "record_id"),
            *("document_id", "detail", "prev_hash"),
        }


def test_the_detail_is_written_in_one_way_only() -> None:
    said = audit.canonical({"b": date(2022, 10, 26), "a": ["Đ", None, True], "c": clock.midnight(date(2022, 10, 26))})
    assert said == '{"a":["Đ",null,true],"b":"2022-10-26","c":"2022-10-25T17:00:00.000000Z"}'


def test_an_act_that_is_undone_leaves_no_entry(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> None:
    made = make_revision("draft")
    with site.database.reading() as session:
        before = audit.head(session)

    class Interrupted(Exception):
        """Stands for a crash between the act and its commit."""

    def interrupted() -> None:
        with site.database.writing() as session:
            revisions.submit(session, session.get_one(revisions.Revision, made.id), by=cast.reader(session, "author"))
            assert audit.head(session).sequence == before.sequence + 1
            raise Interrupted

    with pytest.raises(Interrupted):
        interrupted()
    with site.database.reading() as session:
        assert audit.head(session) == before


FORBIDDEN = {
    "an entry is changed": "UPDATE audit_entry SET actor = 'ai đó' WHERE sequence = 2",
    "an entry is changed to itself": "UPDATE audit_entry SET actor = actor",
    "the last entry is deleted": "DELETE FROM audit_entry WHERE sequence = (SELECT max(sequence) FROM audit_entry)",
    "all entries are deleted": "DELETE FROM audit_entry",
    "an entry is replaced": "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry WHERE sequence = 2",
    "an entry is replaced by another": (
        "REPLACE INTO audit_entry SELECT sequence, at, actor_id, 'ai đó', actor_title, action, noun, record_id, document_id, "
        "detail, prev_hash, hash FROM audit_entry WHERE sequence = 2"
    ),
    "the last entry is replaced": (
        "REPLACE INTO audit_entry SELECT sequence, at, actor_id, 'ai đó', actor_title, action, noun, record_id, document_id, "
        "detail, prev_hash, 'h' FROM audit_entry ORDER BY sequence DESC LIMIT 1"
    ),
    "an entry is replaced by its hash": (
        "REPLACE INTO audit_entry SELECT (SELECT max(sequence) + 1 FROM audit_entry), at, actor_id, actor, actor_title, "
        "action, noun, record_id, document_id, detail, 'nothing before', hash FROM audit_entry WHERE sequence = 2"
    ),
    "an entry is put in with a gap": (
        "INSERT INTO audit_entry SELECT sequence + 1000, at, actor_id, actor, actor_title, action, noun, record_id, "
        "document_id, detail, hash, 'h' FROM audit_entry ORDER BY sequence DESC LIMIT 1"
    ),
    "an entry is put in that is not chained": (
        "INSERT INTO audit_entry SELECT sequence + 1, at, actor_id, actor, actor_title, action, noun, record_id, "
        "document_id, detail, 'nothing before', 'h' FROM audit_entry ORDER BY sequence DESC LIMIT 1"
    ),
    "an entry is upserted": (
        "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE sequence = 2 "
        "ON CONFLICT (sequence) DO UPDATE SET actor = 'ai đó'"
    ),
}


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_database_refuses_when(site: Site, make_revision: Callable[..., Made], what: str, recursive: str) -> None:
    make_revision("approved")
    with closing(pysqlite3.connect(str(site.settings.storage / "docctl.db"), isolation_level=None)) as connection:
        connection.execute(f"PRAGMA recursive_triggers={recursive}")
        before = connection.execute("SELECT * FROM audit_entry ORDER BY sequence").fetchall()
        with pytest.raises(pysqlite3.IntegrityError):
            connection.execute(FORBIDDEN[what])
        assert connection.execute("SELECT * FROM audit_entry ORDER BY sequence").fetchall() == before


def test_a_refused_attempt_changes_nothing_but_can_be_recorded_by_the_edge(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session, pytest.raises(Refused):
        revisions.act(
            session, session.get_one(revisions.Revision, made.id), "approve", by=cast.reader(session, "author")
        )
    with site.database.writing() as session:
        audit.record(
            session, Action.ACT_REFUSED, by=people.find(session, "author"), noun="revisions", record_id=made.id
        )
    with site.database.reading() as session:
        assert next(iter(reversed(list(audit.entries(session))))).action == "act.refused"
        assert session.get_one(revisions.Revision, made.id).state == "in_approval"


def test_a_long_trail_is_read_from_where_the_reader_stopped(site: Site, make_revision: Callable[..., Made]) -> None:
    made = make_revision("approved")
    with site.database.reading() as session:
        end = audit.head(session).sequence
        assert [entry.sequence for entry in audit.entries(session, after=end - 2)] == [end - 1, end]
        assert audit.documents_touched(session, after=end - 1) == (end, {made.document_id})
        assert audit.documents_touched(session, after=end) == (end, set())
