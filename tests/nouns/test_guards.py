"""The database as the last guard: a plain SQLite connection without any of docctl's settings is refused all the same."""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pysqlite3
import pytest
from sqlalchemy.exc import IntegrityError

from docctl import clock, decisions, revisions
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.site import Site
from tests.conftest import Cast, Made, keep

Make = Callable[..., Made]


@pytest.fixture
def raw(site: Site) -> Iterator[Any]:
    """A connection as any program opens one: keys unchecked, triggers not recursive."""
    with closing(pysqlite3.connect(str(site.settings.storage / "docctl.db"), isolation_level=None)) as connection:
        connection.execute("PRAGMA recursive_triggers=OFF")
        connection.execute("PRAGMA foreign_keys=OFF")
        yield connection


def refused(raw: Any, statement: str, **given: Any) -> None:
    """Run a statement that must be refused and must leave every row as it was."""
    tables = [row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    before = [raw.execute(f"SELECT * FROM {table}").fetchall() for table in tables]
    with pytest.raises(pysqlite3.IntegrityError):
        raw.execute(statement, given)
    assert [raw.execute(f"SELECT * FROM {table}").fetchall() for table in tables] == before


COLUMNS = (
    "document_id, edition, amendment, title, state, round, lock, workflow, workflow_version, author_id, file_sha256, "
    "file_name, change_summary, content_hash, effective_from, effective_to, decision_id, withdrawn_by_id, origin, "
    "origin_decision, source, cover_date, created_at"
)


def copied(**other: str) -> str:
    """Return the statement that makes a revision like another one, but for some columns."""
    wanted = ", ".join(other.get(name, name) for name in COLUMNS.split(", "))
    return f"INSERT INTO revision ({COLUMNS}) SELECT {wanted} FROM revision WHERE id = :id"


def test_a_revision_does_not_begin_in_a_later_state(raw: Any, make_revision: Make) -> None:
    made = make_revision("draft")
    for state in ("in_review", "in_approval", "approved", "issued", "withdrawn"):
        refused(raw, copied(state=f"'{state}'", edition="9", content_hash="'x'", effective_from="'2020'"), id=made.id)


NO_PATHS = {
    "draft": ("in_approval", "approved", "issued", "withdrawn"),
    "in_review": ("approved", "issued", "withdrawn", "discarded"),
    "in_approval": ("in_review", "issued", "discarded"),
    "approved": ("in_review", "in_approval", "withdrawn", "discarded"),
    "in_force": ("draft", "in_review", "in_approval", "approved", "discarded"),
    "withdrawn": ("draft", "approved", "issued", "discarded"),
    "discarded": ("draft", "in_review", "issued"),
}


@pytest.mark.parametrize("life", NO_PATHS)
def test_a_revision_takes_no_path_that_is_none(raw: Any, make_revision: Make, life: str) -> None:
    made = make_revision(life)
    for state in NO_PATHS[life]:
        refused(raw, "UPDATE revision SET state = :state WHERE id = :id", state=state, id=made.id)


def test_an_approval_without_a_signature_is_refused(raw: Any, make_revision: Make) -> None:
    made = make_revision("in_approval")
    refused(raw, "UPDATE revision SET state = 'approved' WHERE id = :id", id=made.id)


SIGN = (
    "INSERT INTO signature (revision_id, round, seat, meaning, account_id, person, title, authority, signed_at, content_hash) "
    "SELECT id, {round}, 'approved', 'approved', {account}, 'x', 'x', '', created_at, {hash} FROM revision WHERE id = {id}"
)


@pytest.mark.parametrize(
    ("round", "account", "hash", "good"),
    [
        ("round", "author_id", "content_hash", False),
        ("round + 1", "author_id + 1", "content_hash", False),
        ("round", "author_id + 1", "'x'", False),
        ("round", "author_id + 1", "content_hash", True),
    ],
)
def test_an_approval_signed_by_the_author_in_another_round_or_on_other_content_is_refused(
    raw: Any, make_revision: Make, round: str, account: str, hash: str, good: bool
) -> None:
    made = make_revision("in_approval")
    raw.execute(SIGN.format(id=made.id, round=round, account=account, hash=hash))
    if good:  # The shape of the statement is right: only what is wrong with it was refused.
        raw.execute("UPDATE revision SET state = 'approved' WHERE id = :id", {"id": made.id})
        return
    refused(raw, "UPDATE revision SET state = 'approved' WHERE id = :id", id=made.id)


SIGNED_FOR = (
    "title = 'khác'",
    "file_sha256 = NULL",
    "file_name = 'khác'",
    "change_summary = 'khác'",
    "edition = edition + 5",
    "amendment = amendment + 5",
    "author_id = author_id + 1",
    "document_id = document_id + 1",
    "origin = 'import'",
    "workflow_version = workflow_version + 1",
    "created_at = '2000'",
)


@pytest.mark.parametrize("life", ["in_review", "approved", "in_force", "withdrawn"])
def test_what_was_submitted_stays_as_it_was_signed(raw: Any, make_revision: Make, life: str) -> None:
    made = make_revision(life)
    for change in SIGNED_FOR:
        refused(raw, f"UPDATE revision SET {change} WHERE id = :id", id=made.id)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE change_row SET new = 'khác' WHERE revision_id = :id",
        "UPDATE change_row SET revision_id = 99 WHERE revision_id = :id",
        "DELETE FROM change_row WHERE revision_id = :id",
        "INSERT INTO change_row (revision_id, position, section, old, new, basis) VALUES (:id, 9, 'x', '', '', '')",
    ],
)
def test_the_change_table_is_frozen_with_its_revision(raw: Any, make_revision: Make, statement: str) -> None:
    made = make_revision("in_review")
    refused(raw, statement, id=made.id)


def test_an_issue_without_an_executed_decision_is_refused(raw: Any, make_revision: Make) -> None:
    made = make_revision("approved")
    other = make_revision("in_force", title="Khác")
    (decision,) = raw.execute("SELECT decision_id FROM revision WHERE id = ?", [other.id]).fetchone()
    change = "UPDATE revision SET state = 'issued', effective_from = '2022-01-01T00:00:00.000000Z', decision_id = :d"
    for number in (None, 4711, decision):
        refused(raw, f"{change} WHERE id = :id", id=made.id, d=number)


def test_a_withdrawal_without_an_executed_decision_is_refused(raw: Any, make_revision: Make) -> None:
    made = make_revision("in_force")
    change = (
        "UPDATE revision SET state = 'withdrawn', effective_to = '2090-01-01T00:00:00.000000Z', withdrawn_by_id = :d"
    )
    for number in (None, 4711, 1):
        refused(raw, f"{change} WHERE id = :id", id=made.id, d=number)


def test_two_revisions_of_a_document_in_force_at_once_are_refused(raw: Any, make_revision: Make) -> None:
    made = make_revision("superseded")
    imported = {"state": "'issued'", "origin": "'import'", "edition": "7"}
    for begins, ends in (
        ("'1999-01-01T00:00:00.000000Z'", "NULL"),
        ("'1999-01-01T00:00:00.000000Z'", "'2090-01-01T00:00:00.000000Z'"),
        ("effective_from", "effective_to"),
        ("'2080-01-01T00:00:00.000000Z'", "'2081-01-01T00:00:00.000000Z'"),
    ):
        refused(raw, copied(effective_from=begins, effective_to=ends, **imported), id=made.id)
    raw.execute(
        copied(
            effective_from="'1999-01-01T00:00:00.000000Z'", effective_to="'2000-01-01T00:00:00.000000Z'", **imported
        ),
        {"id": made.id},
    )


def test_an_interval_ends_earlier_and_does_nothing_else(raw: Any, make_revision: Make) -> None:
    made = make_revision("superseded")
    for change in (
        "effective_to = NULL",
        "effective_to = '2090-01-01T00:00:00.000000Z'",
        "effective_from = '1999-01-01T00:00:00.000000Z'",
        "effective_from = NULL",
    ):
        refused(raw, f"UPDATE revision SET {change} WHERE id = :id", id=made.id)


WRITTEN_ONCE = ("audit_entry", "signature", "workflow_version", "content")
KEPT = (*WRITTEN_ONCE, "document", "revision", "decision", "account")


def test_nothing_that_counts_is_ever_deleted(raw: Any, make_revision: Make) -> None:
    make_revision("withdrawn")
    for table in KEPT:
        refused(raw, f"DELETE FROM {table}")


def test_what_is_written_once_is_never_changed(raw: Any, make_revision: Make) -> None:
    make_revision("withdrawn")
    for table in WRITTEN_ONCE:
        for column in raw.execute(f"PRAGMA table_info({table})").fetchall():
            refused(raw, f"UPDATE {table} SET {column[1]} = {column[1]}")


def test_no_row_that_counts_is_replaced_by_its_key(raw: Any, make_revision: Make) -> None:
    make_revision("withdrawn")
    for table in KEPT:
        refused(raw, f"REPLACE INTO {table} SELECT * FROM {table}")
        refused(raw, f"INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1")


# A new key, and the other columns by which a row is the only one of its kind: REPLACE would delete the row that is there.
TAKEN = {
    "a signature's seat": "signature(id)",
    "an account's name": "account(id)",
    "a workflow's version": "workflow_version(id)",
    "a document's code": "document(id)",
    "a revision's edition": "revision(id)",
}


@pytest.mark.parametrize("what", TAKEN)
def test_no_row_is_replaced_by_another_that_takes_its_place(raw: Any, make_revision: Make, what: str) -> None:
    make_revision("in_force")
    table = TAKEN[what].removesuffix("(id)")
    others = ", ".join(row[1] for row in raw.execute(f"PRAGMA table_info({table})") if row[1] != "id")
    picked = others if table != "revision" else others.replace("origin,", "'import',")
    refused(raw, f"REPLACE INTO {table} (id, {others}) SELECT 4711, {picked} FROM {table} LIMIT 1")


def test_no_entry_is_replaced_by_a_new_one_that_bears_its_hash(raw: Any, make_revision: Make) -> None:
    make_revision("approved")
    refused(
        raw,
        "REPLACE INTO audit_entry SELECT (SELECT max(sequence) + 1 FROM audit_entry), at, actor_id, actor, actor_title, "
        "action, noun, record_id, document_id, detail, (SELECT hash FROM audit_entry ORDER BY sequence DESC LIMIT 1), hash "
        "FROM audit_entry WHERE sequence = 4",
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE OR REPLACE revision SET edition = 1, amendment = 0 WHERE id = :draft",
        "UPDATE OR REPLACE revision SET id = :issued WHERE id = :draft",
        "UPDATE OR REPLACE document SET code_key = (SELECT code_key FROM document WHERE id = :document) WHERE id <> :document",
        "UPDATE OR REPLACE document SET id = :document WHERE id <> :document",
        "UPDATE OR REPLACE account SET name = 'approver' WHERE name = 'staff'",
        "UPDATE OR REPLACE account SET id = 1 WHERE name = 'staff'",
        "UPDATE OR REPLACE decision SET id = 1 WHERE id <> 1",
    ],
)
def test_no_row_is_replaced_by_an_update_that_takes_its_place(
    site: Site, cast: Cast, raw: Any, make_revision: Make, statement: str
) -> None:
    issued = make_revision("in_force")
    draft = make_revision("draft", document_id=issued.document_id)
    make_revision("in_force", title="Khác")
    assert raw.execute("SELECT edition, amendment FROM revision WHERE id = ?", [issued.id]).fetchone() == (1, 0)
    given = {"draft": draft.id, "issued": issued.id, "document": issued.document_id}
    refused(raw, statement, **{name: value for name, value in given.items() if f":{name}" in statement})


@pytest.mark.parametrize("number", ["'1/QĐ-UBND'", "''"])
def test_a_decision_without_a_signer_is_neither_signed_nor_executed(
    raw: Any, site: Site, cast: Cast, make_revision: Make, number: str
) -> None:
    made = make_revision("approved")
    checked = checked_decision(site, cast, made)
    for change in (
        "state = 'signed'",
        "state = 'signed', signer_id = 5",
        "state = 'executed', executed_at = '2026'",
        f"state = 'signed', signer_id = 5, number = {number}",
    ):
        refused(raw, f"UPDATE decision SET {change} WHERE id = :id", id=checked)


def checked_decision(site: Site, cast: Cast, made: Made, **given: Any) -> int:
    with site.database.writing() as session:
        decision = decisions.draft(
            session,
            by=cast.reader(session, "controller"),
            title="Ban hành",
            effective_from=clock.today(),
            **({"number": "77/QĐ", "signed_on": clock.today()} | given),
            lines=[decisions.Line("issue", revision=session.get_one(Revision, made.id))],
        )
        decisions.check(session, decision, by=cast.reader(session, "controller"))
        return decision.id


def test_an_executed_decision_neither_reopens_nor_changes(raw: Any, make_revision: Make) -> None:
    make_revision("in_force")
    for change in (
        "state = 'draft', executed_at = NULL",
        "state = 'signed', executed_at = NULL",
        "state = 'cancelled', executed_at = NULL",
        "title = 'khác'",
        "number = '9'",
        "year = 1999",
        "signed_on = '1999-01-01'",
        "effective_from = '1999-01-01'",
        "signer_id = 1",
        "checked_hash = 'x'",
        "executed_at = NULL",
    ):
        refused(raw, f"UPDATE decision SET {change}")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE decision_line SET reason = 'khác'",
        "UPDATE decision_line SET decision_id = 99",
        "DELETE FROM decision_line",
        "INSERT INTO decision_line (decision_id, position, action, document_id, reason) VALUES (1, 9, 'withdraw', 1, 'x')",
    ],
)
def test_the_lines_of_a_checked_or_executed_decision_are_frozen(
    raw: Any, site: Site, cast: Cast, make_revision: Make, statement: str
) -> None:
    checked_decision(site, cast, make_revision("approved"))
    refused(raw, statement)


def test_a_second_signed_decision_of_one_number_and_year_is_refused_and_replaces_nothing(
    raw: Any, site: Site, cast: Cast, make_revision: Make
) -> None:
    day = clock.today() - timedelta(days=30)
    make_revision("in_force", on=day)
    checked = checked_decision(site, cast, make_revision("approved", title="Khác"), number="1/QĐ-UBND", signed_on=day)
    raw.execute(
        "INSERT INTO signature (decision_id, round, seat, meaning, account_id, person, title, authority, signed_at, content_hash) "
        "SELECT id, round, 'signed', 'signed', 5, 'x', 'x', '', created_at, checked_hash FROM decision WHERE id = ?",
        [checked],
    )
    for verb in ("UPDATE", "UPDATE OR REPLACE"):
        refused(raw, f"{verb} decision SET state = 'signed', signer_id = 5 WHERE id = :id", id=checked)


def test_two_open_revisions_of_a_document_are_refused(raw: Any, make_revision: Make) -> None:
    made = make_revision("draft")
    refused(raw, copied(edition="9"), id=made.id)


def test_a_content_that_another_row_names_by_a_wrong_hash_is_refused(site: Site, raw: Any) -> None:
    with site.database.writing() as session:
        keep(site, session, "một")
    refused(raw, "INSERT INTO content (sha256, size, kind, stored_at) VALUES ('short', 1, 'txt', '2026')")
    refused(raw, f"INSERT INTO content (sha256, size, kind, stored_at) VALUES ('{'a' * 64}', 0, 'txt', '2026')")


def test_the_program_itself_opens_the_database_with_keys_checked(site: Site) -> None:
    with pytest.raises(IntegrityError), site.database.writing() as session:
        session.add(
            Document(
                code="X", code_key="X", title="X", type_id=999, unit_id=999, created_at=clock.now(), created_by_id=999
            )
        )
    with site.database.reading() as session:
        assert revisions.in_force(session) == []


def test_the_status_page_of_a_paper_cannot_be_moved_to_another_revision(raw: Any, make_revision: Make) -> None:
    old, new = make_revision("withdrawn", title="Cũ"), make_revision("in_force", title="Mới")
    token = raw.execute("SELECT status_token FROM revision WHERE id = ?", (new.id,)).fetchone()[0]
    refused(raw, "UPDATE revision SET status_token = :token WHERE id = :id", token="khác", id=new.id)
    taken = copied(edition="9", state="'draft'", effective_from="NULL", effective_to="NULL")
    taken = taken.replace("created_at)", "created_at, status_token)").replace(
        "created_at FROM", "created_at, :token FROM"
    )
    refused(raw, taken.replace("INSERT", "INSERT OR REPLACE"), token=token, id=old.id)


def asked(trigger: str) -> Iterator[str]:
    """Yield the questions within brackets of a trigger, what is new or old in the row replaced by a parameter."""
    for begin in re.finditer(r"\(\s*SELECT\b", trigger):
        depth = 0
        for place in range(begin.start(), len(trigger)):
            depth += (trigger[place] == "(") - (trigger[place] == ")")
            if not depth:
                yield re.sub(r'\b(NEW|OLD)\."?\w+"?', "?1", trigger[begin.start() + 1 : place])
                break


def test_no_guard_reads_a_whole_table_for_one_row(raw: Any) -> None:
    looked = 0
    for name, sql in raw.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall():
        for question in asked(sql):
            try:
                plan = raw.execute(f"EXPLAIN QUERY PLAN {question}", ("x",) if "?1" in question else ()).fetchall()
            except pysqlite3.OperationalError as error:
                if "no such column" not in str(error):
                    raise
                continue  # A question within a question, which is looked at as a whole.
            looked += 1
            whole = [row[3] for row in plan if re.match(r"SCAN (?!CONSTANT)(?!.* USING INDEX)", row[3])]
            assert whole == [], f"{name}: {question}"
    assert looked > 80
