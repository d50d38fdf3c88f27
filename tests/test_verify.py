"""A site that has lived verifies clean; whatever is then altered behind its back is named.

The tamperer opens the database as anybody with a copy of SQLite can, takes the triggers off, and puts them back.
It knows nothing of how the verifier looks.
"""

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pysqlite3
import pytest

from docctl import authority, clock, decisions, documents, people, revisions, units
from docctl.decisions import Line
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import Change, Revision
from docctl.site import Site, open_site
from docctl.verify import Report, verify
from tests.conftest import LIVES, Cast, Made, decide, keep, settings, take

TODAY = date.today()  # noqa: DTZ011 - only an offset from now is wanted.


@dataclass(frozen=True)
class Lived:
    """The storage folder of an office that has lived, and the ids of what is tampered with."""

    storage: Path
    issued: int  # A revision in force, approved in its second round, under a deputy's signature.
    withdrawn: int
    draft: int
    imported: int
    document: int  # Of the issued revision; its code was settled after the approval.
    decision: int  # Executed.
    checked: int
    delegation: int
    sha256: str  # The file of the issued revision.


@pytest.fixture(scope="module")
def lived(office: Path, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """An office in which everything that the trail can tell has happened once."""
    storage = tmp_path_factory.mktemp("lived") / "storage"
    shutil.copytree(office, storage)
    site = open_site(settings(storage))
    try:
        return live(site, Cast(site), storage)
    finally:
        site.close()


def live(site: Site, cast: Cast, storage: Path) -> Lived:
    delegation = delegated(site, cast)
    document, issued = written(site, cast, "Quy trình chứng thực", "QT-TP-01")
    clashing, _ = written(site, cast, "Quy trình chứng thực chữ ký", "QT-TP-01", allow_clash=True)
    sent_back_and_edited(site, cast, issued)
    for trigger in ("submit", "endorse", "endorse"):
        take(site, cast, issued, trigger)
    with site.database.writing() as session:  # The deputy of the delegation approves, not the approver.
        revisions.approve(
            session,
            session.get_one(Revision, issued),
            by=cast.reader(session, "auditor"),
            signing=cast.signing(session, "auditor"),
        )
    decision = decide(site, cast, issue=[issued], on=TODAY - timedelta(days=60))
    settled(site, cast, document)
    old_document, withdrawn = written(site, cast, "Quy trình cấp lại", "QT-TP-02")
    take_to_approval(site, cast, withdrawn)
    decide(site, cast, issue=[withdrawn], on=TODAY - timedelta(days=50))
    _, second = written(site, cast, "Quy trình cấp lại, đổi tên", "", document_id=old_document)
    take_to_approval(site, cast, second)
    decide(site, cast, issue=[second], on=TODAY - timedelta(days=40))
    decide(site, cast, withdraw=[old_document], on=TODAY - timedelta(days=30))
    _, imported = brought_in(site, cast)
    _, discarded = written(site, cast, "Quy trình bỏ", "QT-TP-04")
    take(site, cast, discarded, "discard")
    _, waiting = written(site, cast, "Quy trình chờ", "QT-TP-05")
    take_to_approval(site, cast, waiting)
    checked = only_checked(site, cast, waiting)
    with site.database.reading() as session:
        draft = session.query(Revision).filter_by(document_id=clashing).one().id
        sha256 = session.get_one(Revision, issued).file_sha256 or ""
    return Lived(storage, issued, second, draft, imported, document, decision, checked, delegation, sha256)


def delegated(site: Site, cast: Cast) -> int:
    with site.database.writing() as session:
        return authority.delegate(
            session,
            by=cast.reader(session, "controller"),
            giver=people.find(session, "approver"),
            deputy=people.find(session, "auditor"),
            form="TUQ.",
            document_number="15/GUQ-UBND",
            document_date=TODAY - timedelta(days=9),
            valid_from=TODAY - timedelta(days=8),
            valid_to=TODAY + timedelta(days=8),
        ).id


def written(
    site: Site, cast: Cast, title: str, code: str, *, allow_clash: bool = False, document_id: int = 0
) -> tuple[int, int]:
    with site.database.writing() as session:
        by = cast.reader(session, "author")
        document = (
            session.get_one(Document, document_id) if document_id else added(session, by, title, code, allow_clash)
        )
        revision = revisions.draft(
            session,
            document,
            by=by,
            title=title,
            content=keep(site, session, f"Nội dung của {title} {code}"),
            file_name="Quy trình.txt",
            change_summary="Rút ngắn thời hạn.",
            changes=[
                Change("5.2", "05 ngày", "03 ngày", "Luật Hộ tịch"),
                Change("6", "bản giấy", "bản điện tử", "Nghị định 61"),
            ],
        )
        return document.id, revision.id


def added(session: object, by: Reader, title: str, code: str, allow_clash: bool) -> Document:
    return documents.add(
        session,  # type: ignore[arg-type]
        by=by,
        title=title,
        code=code,
        type=documents.find_type(session, "QT"),  # type: ignore[arg-type]
        unit=units.find(session, "TP"),  # type: ignore[arg-type]
        field="Hộ tịch",
        allow_clash=allow_clash,
    )


def sent_back_and_edited(site: Site, cast: Cast, revision_id: int) -> None:
    take(site, cast, revision_id, "submit")
    take(site, cast, revision_id, "endorse")
    with site.database.writing() as session:
        revision = session.get_one(Revision, revision_id)
        revisions.send_back(session, revision, by=cast.reader(session, "format-reviewer"), reason="Sai thể thức.")
        revisions.edit(
            session,
            revision,
            by=cast.reader(session, "author"),
            seen=revision.lock,
            change_summary="Rút ngắn thời hạn, sửa thể thức.",
            changes=[
                Change("5.2", "05 ngày", "03 ngày", "Luật Hộ tịch 2014"),
                Change("7", "", "Thêm bước", "ISO 9001"),
            ],
        )


def settled(site: Site, cast: Cast, document_id: int) -> None:
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        documents.settle_code(
            session, session.get_one(Document, document_id), by=controller, code="QT-TP-01A", field="Hộ tịch"
        )


def take_to_approval(site: Site, cast: Cast, revision_id: int) -> None:
    for trigger in ("submit", "endorse", "endorse", "approve"):
        take(site, cast, revision_id, trigger)


def brought_in(site: Site, cast: Cast) -> tuple[int, int]:
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        document = added(session, by, "Quy trình có sẵn", "QT-TP-03", False)
        revision = revisions.import_in_force(
            session,
            document,
            by=by,
            edition=2,
            amendment=1,
            title=document.title,
            content=keep(site, session, "Bản đã ban hành từ trước."),
            file_name="co-san.doc",
            source="co-san.doc",
            effective_from=clock.midnight(TODAY - timedelta(days=400)),
            decision="12/QĐ-UBND",
            cover_date=TODAY - timedelta(days=401),
        )
        return document.id, revision.id


def only_checked(site: Site, cast: Cast, revision_id: int) -> int:
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        decision = decisions.draft(
            session,
            by=by,
            title="Ban hành đợt sau",
            effective_from=TODAY + timedelta(days=9),
            number="99/QĐ-UBND",
            signed_on=TODAY,
            lines=[Line("issue", revision=session.get_one(Revision, revision_id))],
        )
        decisions.check(session, decision, by=by)
        return decision.id


@pytest.fixture
def copy(lived: Lived, tmp_path: Path) -> Path:
    """A copy of the lived storage folder, to tamper with."""
    storage = tmp_path / "copy"
    shutil.copytree(lived.storage, storage)
    return storage


@pytest.fixture
def report(copy: Path) -> Callable[[], Report]:
    """Return a function that verifies the copy."""

    def verified() -> Report:
        site = open_site(settings(copy))
        try:
            return verify(site)
        finally:
            site.close()

    return verified


def tamper(storage: Path, *statements: str) -> int:
    """Run SQL with every trigger taken off, keys and checks switched off, and the triggers put back as they were."""
    with closing(pysqlite3.connect(str(storage / "docctl.db"), isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        changed = sum(connection.execute(statement).rowcount for statement in statements)
        for _, sql in triggers:
            connection.execute(sql)
        return int(changed)


def asked(storage: Path, query: str) -> list[tuple[object, ...]]:
    with closing(pysqlite3.connect(str(storage / "docctl.db"))) as connection:
        return list(connection.execute(query).fetchall())


def named(report: Report, record: str, *words: str) -> bool:
    """Say whether a problem names the record, and one of its problems each of the words."""
    about = [problem for problem in report.problems if problem.record == record]
    return bool(about) and all(any(word in f"{row.what} {row.detail}" for row in about) for word in words)


def test_a_site_with_revisions_in_every_state_verifies_clean(site: Site, make_revision: Callable[..., Made]) -> None:
    for state in LIVES:
        make_revision(state, title=f"Quy trình {state}")
    report = verify(site)
    assert report.problems == []
    assert report.ok


def test_a_whole_life_verifies_clean_and_says_what_was_covered(lived: Lived, report: Callable[[], Report]) -> None:
    found = report()
    assert found.problems == []
    counted = asked(lived.storage, "SELECT count(*) FROM audit_entry")[0][0]
    assert found.checked["audit_entry"] == counted == found.head.sequence
    for table in (
        "document",
        "revision",
        "change_row",
        "decision",
        "decision_line",
        "signature",
        "delegation",
        "content",
    ):
        assert found.checked[table] == asked(lived.storage, f"SELECT count(*) FROM {table}")[0][0] > 0, table
    assert (
        found.checked["triggers"]
        == asked(lived.storage, "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'")[0][0]
    )


OTHER_TIME = "'2019-01-01T00:00:00.000000Z'"
OTHER_HASH = f"'{'ab' * 32}'"

# Every column that the trail controls, by hand, with another value than it has.
DOCUMENT = {
    "code": "'QT-TP-77'",
    "code_key": "'QTTP77'",
    "title": "'Tên khác'",
    "type_id": "(SELECT id FROM document_type WHERE code = 'HD')",
    "unit_id": "(SELECT id FROM unit WHERE code = 'NV')",
    "field": "'Đất đai'",
    "confidential": "1",
    "code_clash": "1",
    "created_at": OTHER_TIME,
    "created_by_id": "created_by_id + 1",
}
REVISION = {
    "document_id": "document_id + 4",
    "edition": "9",
    "amendment": "9",
    "title": "'Tên khác'",
    "state": "'approved'",
    "round": "1",
    "workflow": "'revision-short'",
    "workflow_version": "workflow_version + 1",
    "author_id": "author_id + 1",
    "file_sha256": OTHER_HASH,
    "file_name": "'khac.txt'",
    "change_summary": "'Không đổi gì.'",
    "major": "NOT major",
    "content_hash": OTHER_HASH,
    "effective_from": OTHER_TIME,
    "effective_to": "'2090-01-01T00:00:00.000000Z'",
    "decision_id": "decision_id + 1",
    "withdrawn_by_id": "1",
    "origin": "'import'",
    "origin_decision": "'1/QĐ'",
    "source": "'khac'",
    "cover_date": "'2001-02-03'",
    "created_at": OTHER_TIME,
    "status_token": "'khac'",
}
DECISION = {
    "number": "'1000/QĐ-UBND'",
    "number_key": "'1000'",
    "year": "year - 1",
    "signed_on": "date(signed_on, '-1 day')",
    "title": "'Về việc khác'",
    "effective_from": "date(effective_from, '-1 day')",
    "signer_id": "signer_id + 1",
    "signer_form": "'KT.'",
    "signing_block": "'KT.'",
    "state": "'signed'",
    "round": "2",
    "workflow": "'revision'",
    "workflow_version": "workflow_version + 1",
    "checked_hash": OTHER_HASH,
    "drafted_by_id": "drafted_by_id + 1",
    "created_at": OTHER_TIME,
    "executed_at": OTHER_TIME,
}
DELEGATION = {
    "from_account_id": "from_account_id + 1",
    "to_account_id": "to_account_id + 1",
    "form": "'KT.'",
    "document_number": "'16/GUQ'",
    "document_date": "date(document_date, '-1 day')",
    "unit_id": "2",
    "valid_from": "date(valid_from, '-90 day')",
    "valid_to": "date(valid_to, '+90 day')",
    "ended_on": "'2030-01-01'",
    "made_by_id": "made_by_id + 1",
}


@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        (table, column, value)
        for table, columns in (
            ("document", DOCUMENT),
            ("revision", REVISION),
            ("decision", DECISION),
            ("delegation", DELEGATION),
        )
        for column, value in columns.items()
    ],
)
def test_a_controlled_column_that_was_altered_is_named(
    lived: Lived, copy: Path, report: Callable[[], Report], table: str, column: str, value: str
) -> None:
    row = {
        "document": lived.document,
        "revision": lived.issued,
        "decision": lived.decision,
        "delegation": lived.delegation,
    }[table]
    assert tamper(copy, f"UPDATE {table} SET {column} = {value} WHERE id = {row} AND {column} IS NOT {value}") == 1
    assert named(report(), f"{table} {row}")


def test_no_controlled_column_is_left_out_of_the_test_above(lived: Lived) -> None:
    beside = {  # Columns about which the trail says nothing, and why that is no harm.
        "document": {"id"},
        "revision": {"id", "lock"},  # The lock only tells an old page from a new one.
        "decision": {"id", "lock"},
        "delegation": {"id", "made_at"},  # The entry's own time says it.
    }
    for table, columns in (
        ("document", DOCUMENT),
        ("revision", REVISION),
        ("decision", DECISION),
        ("delegation", DELEGATION),
    ):
        stored = {str(row[1]) for row in asked(lived.storage, f"PRAGMA table_info({table})")}
        assert stored == set(columns) | beside[table]


@pytest.mark.parametrize("column", ["position", "section", "old", "new", "basis"])
def test_a_change_row_that_was_altered_is_named(
    lived: Lived, copy: Path, report: Callable[[], Report], column: str
) -> None:
    value = "7" if column == "position" else "'khác'"
    tamper(copy, f"UPDATE change_row SET {column} = {value} WHERE revision_id = {lived.issued} AND position = 2")
    assert named(report(), f"revision {lived.issued}", "changes" if column != "position" else "positions")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM change_row WHERE revision_id = {issued} AND position = 2",
        "INSERT INTO change_row (revision_id, position, section, old, new, basis) VALUES ({issued}, 3, '9', '', 'x', '')",
    ],
)
def test_a_change_row_that_came_or_went_is_named(
    lived: Lived, copy: Path, report: Callable[[], Report], statement: str
) -> None:
    assert tamper(copy, statement.format(issued=lived.issued)) == 1
    assert named(report(), f"revision {lived.issued}", "changes", "content hash")


@pytest.mark.parametrize(
    "change",
    ["position = 8", "reason = 'khác'", "document_id = document_id + 1", "replaced_by_id = 1", "revision_id = 2"],
)
@pytest.mark.parametrize("which", ["decision", "checked"])
def test_a_decision_line_that_was_altered_is_named(
    lived: Lived, copy: Path, report: Callable[[], Report], change: str, which: str
) -> None:
    decision = getattr(lived, which)
    assert tamper(copy, f"UPDATE decision_line SET {change} WHERE decision_id = {decision}") == 1
    assert named(report(), f"decision {decision}", "lines", "hash of its check")


@pytest.mark.parametrize(
    "change",
    [
        "at = '2019-01-01T00:00:00.000000Z'",
        "actor_id = actor_id + 1",
        "actor = 'ai đó'",
        "actor_title = 'Chủ tịch'",
        "action = 'revision.edited'",
        "noun = noun || 's'",
        "record_id = 777",
        "document_id = 777",
        "detail = replace(detail, 'a', 'b')",
        "detail = 'not JSON'",
        "prev_hash = hash",
        "hash = 'ff' || substr(hash, 3)",
    ],
)
def test_a_trail_entry_in_the_middle_that_was_altered_is_named(
    copy: Path, report: Callable[[], Report], change: str
) -> None:
    assert tamper(copy, f"UPDATE audit_entry SET {change} WHERE sequence = 30") == 1
    assert named(report(), "audit_entry 30", "hash" if "JSON" not in change else "detail")


def test_a_trail_entry_that_was_taken_out_leaves_a_gap_that_is_named(copy: Path, report: Callable[[], Report]) -> None:
    assert tamper(copy, "DELETE FROM audit_entry WHERE sequence = 30") == 1
    assert named(report(), "audit_entry 31", "entry 30")


def test_a_cut_tail_shows_in_the_states_that_nobody_tells_of_any_more(
    lived: Lived, copy: Path, report: Callable[[], Report]
) -> None:
    head = report().head
    assert tamper(copy, "DELETE FROM audit_entry WHERE sequence = (SELECT max(sequence) FROM audit_entry)") == 1
    found = report()
    assert named(found, f"decision {lived.checked}", "state")
    assert found.head.sequence == head.sequence - 1


def test_a_history_that_was_rewritten_and_hashed_anew_contradicts_what_is_stored_and_has_another_head(
    lived: Lived, copy: Path, report: Callable[[], Report]
) -> None:
    head = report().head
    target = asked(
        copy, f"SELECT sequence FROM audit_entry WHERE detail LIKE '%sửa thể thức%' AND record_id = {lived.issued}"
    )
    tamper(
        copy,
        f"UPDATE audit_entry SET detail = replace(detail, 'sửa thể thức', 'sửa hết') WHERE sequence = {target[0][0]}",
    )
    hash_anew(copy)
    found = report()
    assert not any(problem.what == "trail" for problem in found.problems), "the forger knows the formula"
    assert named(found, f"revision {lived.issued}", "change_summary")
    assert found.head.sequence == head.sequence
    assert found.head.hash != head.hash


def hash_anew(storage: Path) -> None:
    """Chain a trail again as a forger would who has read what the hash is made of."""
    columns = "sequence, at, actor_id, actor, actor_title, action, noun, record_id, document_id, detail"
    statements, last = [], "0" * 64
    for row in asked(storage, f"SELECT {columns} FROM audit_entry ORDER BY sequence"):
        digest = hashlib.sha256(
            json.dumps([*row, last], ensure_ascii=False, separators=(",", ":")).encode()
        ).hexdigest()
        statements.append(f"UPDATE audit_entry SET prev_hash = '{last}', hash = '{digest}' WHERE sequence = {row[0]}")
        last = digest
    tamper(storage, "UPDATE audit_entry SET hash = 'x' || sequence", *statements)


def test_a_signature_that_was_moved_to_another_revision_is_named(
    lived: Lived, copy: Path, report: Callable[[], Report]
) -> None:
    signature = signature_of(copy, lived.issued, "approved")
    assert tamper(copy, f"UPDATE signature SET revision_id = {lived.draft} WHERE id = {signature}") == 1
    found = report()
    assert named(found, f"signature {signature}", "not what entry")
    assert named(found, f"revision {lived.issued}", "no valid approval")


@pytest.mark.parametrize(
    "change",
    [
        "round = 1",
        "seat = 'elsewhere'",
        "meaning = 'endorsed'",
        "account_id = 1",
        "person = 'ai đó'",
        "title = 'Chủ tịch'",
        "authority = 'tự ký'",
        f"signed_at = {OTHER_TIME}",
        f"content_hash = {OTHER_HASH}",
    ],
)
def test_a_signature_that_was_altered_is_named(
    lived: Lived, copy: Path, report: Callable[[], Report], change: str
) -> None:
    signature = signature_of(copy, lived.issued, "approved")
    assert tamper(copy, f"UPDATE signature SET {change} WHERE id = {signature}") == 1
    assert named(report(), f"signature {signature}", "not what entry")


def test_a_signature_that_went_or_was_forged_is_named(lived: Lived, copy: Path, report: Callable[[], Report]) -> None:
    gone = signature_of(copy, lived.issued, "endorsed")
    columns = "revision_id, round, meaning, person, title, authority, signed_at, content_hash"
    tamper(
        copy,
        f"INSERT INTO signature ({columns}, seat, account_id) SELECT {columns}, 'more', 1 FROM signature WHERE id = {gone}",
        f"DELETE FROM signature WHERE id = {gone}",
    )
    forged = asked(copy, "SELECT max(id) FROM signature")[0][0]
    found = report()
    assert named(found, f"signature {gone}", "missing")
    assert named(found, f"signature {forged}", "no entry")
    assert named(found, f"revision {lived.issued}", "lacks a valid endorsement: content")


def test_an_approval_by_the_author_counts_for_nothing_even_if_the_trail_agrees(
    lived: Lived, copy: Path, report: Callable[[], Report]
) -> None:
    tamper(
        copy,
        f"UPDATE revision SET author_id = (SELECT account_id FROM signature WHERE revision_id = {lived.issued} "
        f"AND meaning = 'approved') WHERE id = {lived.issued}",
    )
    assert named(report(), f"revision {lived.issued}", "author_id", "no valid approval")


def test_a_decision_that_lost_its_signature_is_named(lived: Lived, copy: Path, report: Callable[[], Report]) -> None:
    assert tamper(copy, f"DELETE FROM signature WHERE decision_id = {lived.decision}") == 1
    assert named(report(), f"decision {lived.decision}", "no signature of its signer")


def test_two_revisions_in_force_at_once_are_named(lived: Lived, copy: Path, report: Callable[[], Report]) -> None:
    tamper(
        copy,
        "DROP INDEX uq_revision_in_force",
        f"UPDATE revision SET document_id = {lived.document} WHERE id = {lived.imported}",
    )
    first, second = sorted((lived.issued, lived.imported))
    assert named(report(), f"revision {first}", f"same time as revision {second}")


@pytest.mark.parametrize("table", ["document", "revision", "decision", "delegation"])
def test_a_row_that_was_deleted_is_named(lived: Lived, copy: Path, report: Callable[[], Report], table: str) -> None:
    row = {"document": "document", "revision": "issued", "decision": "decision", "delegation": "delegation"}[table]
    assert tamper(copy, f"DELETE FROM {table} WHERE id = {getattr(lived, row)}") == 1
    assert named(report(), f"{table} {getattr(lived, row)}", "gone")


def test_a_revision_that_nobody_recorded_is_named(lived: Lived, copy: Path, report: Callable[[], Report]) -> None:
    columns = ", ".join(
        str(row[1])
        for row in asked(copy, "PRAGMA table_info(revision)")
        if row[1] not in ("id", "edition", "status_token")
    )
    tamper(
        copy,
        f"INSERT INTO revision ({columns}, edition) SELECT {columns}, 40 FROM revision WHERE id = {lived.withdrawn}",
    )
    new = asked(copy, "SELECT max(id) FROM revision")[0][0]
    assert named(report(), f"revision {new}", "does not tell")


@pytest.mark.parametrize("trigger", ["audit_entry_never_changes", "revision_content_is_frozen", "delegation_only_ends"])
def test_a_trigger_that_was_dropped_or_weakened_is_named(
    copy: Path, report: Callable[[], Report], trigger: str
) -> None:
    with closing(pysqlite3.connect(str(copy / "docctl.db"), isolation_level=None)) as connection:
        sql = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", [trigger]).fetchone()[0]
        connection.execute(f"DROP TRIGGER {trigger}")
    assert named(report(), f"trigger {trigger}", "missing")
    with closing(pysqlite3.connect(str(copy / "docctl.db"), isolation_level=None)) as connection:
        connection.execute(sql.replace("WHEN ", "WHEN 0 AND "))
    assert named(report(), f"trigger {trigger}", "differs")


@pytest.mark.parametrize(
    ("statement", "record"),
    [
        ("DROP INDEX uq_revision_in_force", "index uq_revision_in_force"),
        ("CREATE TABLE beside (id INTEGER)", "table beside"),
        ("CREATE TRIGGER more AFTER INSERT ON document BEGIN SELECT 1; END", "trigger more"),
        ("ALTER TABLE revision ADD COLUMN approved_anyway BOOLEAN", "table revision"),
        ("ALTER TABLE decision DROP COLUMN signer_form", "table decision"),
    ],
)
def test_a_schema_that_was_altered_is_named(
    copy: Path, report: Callable[[], Report], statement: str, record: str
) -> None:
    tamper(copy, *(["DROP TRIGGER IF EXISTS decision_words_are_frozen"] if "DROP COLUMN" in statement else []))
    with closing(pysqlite3.connect(str(copy / "docctl.db"), isolation_level=None)) as connection:
        if "DROP COLUMN" in statement:
            connection.execute("DROP TRIGGER decision_words_are_frozen")
        connection.execute(statement)
    assert named(report(), record)


def test_a_row_that_breaks_a_check_or_a_key_is_named(lived: Lived, copy: Path, report: Callable[[], Report]) -> None:
    tamper(
        copy,
        f"UPDATE revision SET origin = 'magic' WHERE id = {lived.draft}",
        f"UPDATE revision SET author_id = 4711 WHERE id = {lived.imported}",
    )
    found = report()
    assert named(found, "database", "CHECK constraint failed in revision")
    assert any(problem.what == "foreign key" and problem.record.startswith("revision") for problem in found.problems)


def test_a_workflow_version_that_was_rewritten_is_named(copy: Path, report: Callable[[], Report]) -> None:
    tamper(
        copy, "UPDATE workflow_version SET source = replace(source, '\"not_the_author\", ', '') WHERE name = 'revision'"
    )
    assert named(report(), "workflow_version revision 2", "SHA-256")


def test_a_file_flipped_by_one_bit_and_one_that_is_gone_are_named(
    lived: Lived, copy: Path, report: Callable[[], Report]
) -> None:
    flipped = stored(copy, lived.sha256)
    flipped.chmod(0o644)
    content = bytearray(flipped.read_bytes())
    content[7] ^= 1
    flipped.write_bytes(content)
    gone = str(asked(copy, f"SELECT sha256 FROM content WHERE sha256 <> '{lived.sha256}' LIMIT 1")[0][0])
    stored(copy, gone).unlink()
    found = report()
    assert named(found, f"content {lived.sha256}", "other bytes")
    assert named(found, f"content {gone}", "missing")
    assert len(found.problems) == 2


def test_a_file_without_a_row_is_a_count_and_no_problem(copy: Path, report: Callable[[], Report]) -> None:
    site = open_site(settings(copy))
    site.store.put(io.BytesIO(b"left behind by a crash"), limit_bytes=1000)
    site.close()
    found = report()
    assert found.checked["files_without_rows"] == 1
    assert found.ok


def test_an_index_that_is_ahead_of_the_trail_or_followed_another_one_is_named(copy: Path) -> None:
    site = open_site(settings(copy))
    try:
        with site.engine.indexing():
            site.engine.apply([], [], 1_000_000, "f" * 64)
        assert named(verify(site), "search index", "past the trail's end")
        site.engine.clear()
        with site.engine.indexing():
            site.engine.apply([], [], 3, "f" * 64)
        assert named(verify(site), "search index", "another trail")
    finally:
        site.close()


def test_the_command_exits_with_1_and_names_every_record(lived: Lived, copy: Path) -> None:
    assert command(copy).returncode == 3  # Nothing is wrong, and no checkpoint vouches for it.
    tamper(copy, f"UPDATE revision SET title = 'Tên khác' WHERE id IN ({lived.issued}, {lived.imported})")
    answer = command(copy)
    assert answer.returncode == 1
    said = json.loads(answer.stdout)
    assert said["ok"] is False
    assert {row["record"] for row in said["problems"]} == {f"revision {lived.issued}", f"revision {lived.imported}"}
    assert set(said) == {"ok", "head", "checked", "problems", "tail", "anchored", "files", "covers"}
    assert f"revision {lived.issued}" in answer.stderr


@pytest.mark.parametrize("page", [1, 8, 40, 70])
def test_a_damaged_database_page_is_a_problem_and_no_traceback(copy: Path, page: int) -> None:
    with (copy / "docctl.db").open("r+b") as file:
        file.seek(4096 * page)
        file.write(b"\xff" * 4096)
    answer = command(copy)
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "database" in {row["record"] for row in json.loads(answer.stdout)["problems"]}


def command(storage: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "DOCCTL_STORAGE": str(storage)}
    line = [sys.executable, "-c", "from docctl.cli import main; main()", "verify", "--json"]
    return subprocess.run(line, env=environment, capture_output=True, text=True, timeout=120, check=False)


def signature_of(storage: Path, revision_id: int, meaning: str) -> int:
    found = asked(
        storage,
        f"SELECT id FROM signature WHERE revision_id = {revision_id} AND meaning = '{meaning}' ORDER BY round DESC, id LIMIT 1",
    )
    return int(str(found[0][0]))


def stored(storage: Path, sha256: str) -> Path:
    return storage / "files" / sha256[:2] / sha256[2:]
