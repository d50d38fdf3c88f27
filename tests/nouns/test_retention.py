"""Retention and disposal: what is due goes under minutes of two signatures; the record and its hash stay for good."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import backup, clock, contents, decisions, documents, jobs, retention, revisions, verify
from docctl.decisions import owing
from docctl.documents import Document
from docctl.people import Reader
from docctl.renditions import Rendition
from docctl.retention import Disposal, disposal, schedule, tombstones
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import Cast, Made, keep

MINUTES = {
    "number": "01/BB-HĐTH",
    "basis": "Bảng thời hạn lưu",
    "council": "Chủ tịch hội đồng; văn thư; thư ký ISO",
    "method": "Cắt vụn, xóa tệp",
    "done_by": "Văn thư",
    "witness": "Đánh giá viên nội bộ",
}


@contextmanager
def later(site: Site, cast: Cast, name: str = "controller", years: int = 6) -> Iterator[tuple[Session, Reader]]:
    with clock.at(in_years(years)), site.database.writing() as session:
        yield session, cast.reader(session, name)


def in_years(years: int) -> datetime:
    return clock.midnight(schedule.after_years(clock.today(), years))


def agreed(site: Site, cast: Cast, *ids: int) -> int:
    with later(site, cast) as (session, by):
        made = disposal.draft(session, by=by, revision_ids=ids)
        disposal.edit(session, made, by=by, held_on=clock.today(), **MINUTES)
        disposal.act(session, made, "agree", by=by, signing=cast.signing(session, "controller"))
        return made.id


def carried_out(site: Site, cast: Cast, *ids: int) -> int:
    made = agreed(site, cast, *ids)
    with later(site, cast, "auditor") as (session, by):
        row = session.get_one(Disposal, made)
        disposal.act(session, row, "carry_out", by=by, signing=cast.signing(session, "auditor"))
    jobs.wake(site)
    return made


def test_what_ended_is_kept_for_the_years_of_its_type(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("withdrawn")
    with site.database.reading() as session:
        (row,) = retention.records(session)
        assert (row.standing, row.years) == (schedule.KEPT, 5)
        assert row.keep_until == schedule.after_years(clock.today() - timedelta(days=10), 5)
        assert retention.due(session) == []
    with later(site, cast) as (session, _):
        assert [row.revision.id for row in retention.due(session)] == [made.id]


@pytest.mark.parametrize(
    ("day", "years", "until"),
    [("2022-10-26", 5, "2027-10-26"), ("2024-02-29", 1, "2025-02-28"), ("2024-02-29", 4, "2028-02-29")],
)
def test_a_period_ends_on_the_corresponding_day(day: str, years: int, until: str) -> None:
    assert schedule.after_years(date.fromisoformat(day), years) == date.fromisoformat(until)


def test_the_content_goes_and_the_record_with_its_hash_stays(
    site: Site, cast: Cast, make_revision: Callable[..., Made], tmp_path: Path
) -> None:
    made = make_revision("withdrawn", text="Nội dung sẽ tiêu hủy.")
    with site.database.reading() as session:
        sha256 = session.get_one(Revision, made.id).file_sha256
        assert sha256 is not None
    assert site.store.check(sha256)
    carried_out(site, cast, made.id)
    assert not site.store.path(sha256).exists()
    with site.database.reading() as session:
        row = session.get_one(Revision, made.id)
        assert (row.file_sha256, row.file_name, row.title) == (sha256, "Quy trình.txt", "Quy trình đăng ký khai sinh")
        assert revisions.content_hash(row) == row.content_hash
        sentence = retention.gone(session, row)
        assert sentence is not None
        assert "01/BB-HĐTH" in sentence.vi
        words = contents.text_of(session, sha256)
        assert words is not None
        assert words.text == ""
    report = verify.verify(site)
    assert report.problems == []
    assert report.checked["content_disposed"] == 1
    backup.save(site, tmp_path / "saved.zip")


def test_verify_names_a_file_that_is_missing_without_minutes_and_one_that_should_be_gone(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    gone, lost = make_revision("withdrawn", text="Một."), make_revision("in_force", title="Khác", text="Hai.")
    with site.database.reading() as session:
        shas = {row.id: str(row.file_sha256) for row in session.query(Revision)}
    carried_out(site, cast, gone.id)
    site.store.path(shas[lost.id]).unlink()
    found = {(row.record, row.detail.split(" ")[0]) for row in verify.verify(site).problems if row.what == "file"}
    assert found == {(f"content {shas[lost.id]}", "its")}


def test_a_file_that_another_revision_uses_stays(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> None:
    made = make_revision("withdrawn", text="Dùng chung.")
    other = make_revision("in_force", title="Quy trình khác", text="Dùng chung.")
    carried_out(site, cast, made.id)
    with site.database.reading() as session:
        sha256 = str(session.get_one(Revision, other.id).file_sha256)
        assert site.store.check(sha256)
        assert session.scalar(text("SELECT count(*) FROM disposed_content")) == 0
        assert retention.gone(session, session.get_one(Revision, made.id)) is not None
        assert retention.gone(session, session.get_one(Revision, other.id)) is None
    assert verify.verify(site).ok


def kept_as(site: Site, cast: Cast, sha256: str, use: str) -> None:
    """Let a record of another kind refer to a content, by the verbs."""
    with site.database.writing() as session:
        by, content = cast.reader(session, "controller"), session.get_one(contents.Content, sha256)
        decision = session.scalars(select(decisions.Decision).where(decisions.Decision.state == "executed")).first()
        assert decision is not None
        if use == "decision_scan":
            owing.attach_scan(session, decision, by=by, content=content, file_name="scan.txt")
        elif use == "obligation":
            owed = owing.obligations(session, decision)[0]
            owing.close_obligation(
                session, owed, by=by, done_on=clock.today(), evidence="Đã gửi", content=content, file_name="cv.txt"
            )
        else:
            # What another content is read as: its PDF here has the same bytes as the revision's own file.
            source = keep(site, session, "Nguồn của bản PDF.")
            made = Rendition(source_sha256=source.sha256, status="ready", sha256=sha256, changed_at=clock.now())
            session.add(made)


@pytest.mark.parametrize("use", ["decision_scan", "obligation", "rendition"])
def test_a_file_that_a_record_of_another_kind_uses_stays(
    site: Site, cast: Cast, make_revision: Callable[..., Made], use: str
) -> None:
    made = make_revision("withdrawn", text="Dùng làm bằng chứng.")
    with site.database.reading() as session:
        sha256 = str(session.get_one(Revision, made.id).file_sha256)
    kept_as(site, cast, sha256, use)
    carried_out(site, cast, made.id)
    assert site.store.check(sha256)
    with site.database.reading() as session:
        assert retention.buried(session) == []
        assert retention.gone(session, session.get_one(Revision, made.id)) is not None
    assert [row for row in verify.verify(site).problems if row.what == "file"] == []


def references(site: Site) -> set[tuple[str, str]]:
    """Return every table and column of the database that refers to a content."""
    with site.database.reading() as session:
        found = inspect(session.connection())
        return {
            (table, key["constrained_columns"][0])
            for table in found.get_table_names()
            for key in found.get_foreign_keys(table)
            if key["referred_table"] == "content"
        }


def test_every_reference_to_a_content_keeps_it_or_is_said_of_it(site: Site) -> None:
    known = references(site)
    spared = {(table, column) for table, column in known if table not in tombstones.SAID_OF_IT}
    assert {"revision", "change_request", "decision_scan", "obligation"} < {table for table, _ in spared}
    assert set(tombstones.uses()) == spared
    assert {table for table, _ in known} - {table for table, _ in spared} == tombstones.SAID_OF_IT
    # A process that opened a site and nothing else must spare the same.
    says = "import docctl.site; from docctl.retention import tombstones; print(tombstones.uses())"
    alone = subprocess.run([sys.executable, "-c", says], capture_output=True, text=True, check=True, timeout=60)
    assert alone.stdout.strip() == str(tombstones.uses())


def test_the_database_spares_and_finds_by_index_whatever_refers_to_a_content(site: Site) -> None:
    with site.database.reading() as session:
        query = "SELECT sql FROM sqlite_master WHERE name = 'disposed_content_is_used_by_nothing'"
        trigger, found = session.scalar(text(query)), inspect(session.connection())
        for table, column in references(site):
            first = {row["column_names"][0] for row in found.get_indexes(table)}
            first |= set(found.get_pk_constraint(table)["constrained_columns"][:1])
            assert column in first, f"{table}.{column} is searched at every commit and needs an index"
    for table, column in tombstones.uses():
        assert f"FROM {table} WHERE {table}.{column} = NEW.sha256" in trigger


def test_the_same_bytes_brought_again_later_are_kept_and_read(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("withdrawn", text="Trở lại.")
    carried_out(site, cast, made.id)
    with site.database.writing() as session:
        content = keep(site, session, "Trở lại.")
        document = documents.add(
            session,
            by=cast.reader(session, "author"),
            title="Quy trình mới",
            type=documents.find_type(session, "QT"),
            unit=cast.reader(session, "author").account.unit,
        )
        revisions.draft(session, document, by=cast.reader(session, "author"), content=content, file_name="a.txt")
        sha256 = content.sha256
    jobs.wake(site)
    assert site.store.check(sha256)
    assert verify.verify(site).ok


def test_a_hold_keeps_it_until_it_is_released(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> None:
    made = make_revision("withdrawn")
    number = agreed(site, cast, made.id)
    with later(site, cast) as (session, by):
        held = schedule.hold(session, session.get_one(Document, made.document_id), by=by, reason="Đang khiếu nại.")
        with pytest.raises(Refused, match="đang được giữ lại rồi"):
            schedule.hold(session, session.get_one(Document, made.document_id), by=by, reason="Lần nữa.")
        hold_id = held.id
    with later(site, cast, "auditor") as (session, by):
        row, proof = session.get_one(Disposal, number), cast.signing(session, "auditor")
        with pytest.raises(Refused, match="Đang giữ lại"):
            disposal.act(session, row, "carry_out", by=by, signing=proof)
    with later(site, cast) as (session, by):
        found = schedule.find_hold(session, hold_id)
        assert found is not None
        with pytest.raises(Refused):
            schedule.release(session, found, by=by, reason=" ")
        schedule.release(session, found, by=by, reason="Đã giải quyết.")
        assert len(retention.due(session)) == 1
    assert verify.verify(site).ok


def test_nobody_disposes_alone_or_before_the_minutes_are_complete(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("withdrawn")
    with later(site, cast) as (session, by):
        row = disposal.draft(session, by=by, revision_ids=[made.id])
        with pytest.raises(Refused, match="còn thiếu"):
            disposal.act(session, row, "agree", by=by, signing=cast.signing(session, "controller"))
        disposal.edit(session, row, by=by, held_on=clock.today(), **MINUTES)
        disposal.act(session, row, "agree", by=by, signing=cast.signing(session, "controller"))
        with pytest.raises(NoRole):
            disposal.act(session, row, "carry_out", by=by, signing=cast.signing(session, "controller"))
    with later(site, cast, "author") as (session, by), pytest.raises(NoRole):
        disposal.draft(session, by=by, revision_ids=[made.id])


def test_what_is_not_due_yet_is_refused(site: Site, cast: Cast, make_revision: Callable[..., Made]) -> None:
    made = make_revision("withdrawn")
    with later(site, cast, years=1) as (session, by):
        row = disposal.draft(session, by=by, revision_ids=[made.id])
        disposal.edit(session, row, by=by, held_on=clock.today(), **MINUTES)
        with pytest.raises(Refused, match="Chưa được tiêu hủy"):
            disposal.act(session, row, "agree", by=by, signing=cast.signing(session, "controller"))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("UPDATE disposal SET state = 'executed', executed_at = created_at", "the signatures of two"),
        ("DELETE FROM disposal_line", "never deleted"),
        ("UPDATE disposal SET method = 'khác'", "never change"),
        (
            "INSERT INTO disposed_content SELECT sha256, (SELECT id FROM disposal), stored_at FROM content",
            "something living uses",
        ),
    ],
)
def test_the_database_guards_what_is_disposed_of(
    site: Site, cast: Cast, make_revision: Callable[..., Made], wrong: str, says: str
) -> None:
    agreed(site, cast, make_revision("withdrawn").id)
    with pytest.raises(IntegrityError, match=says), site.database.writing() as session:
        session.execute(text(wrong))


def test_a_controller_sets_the_years_of_a_type(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        kind, by = documents.find_type(session, "QT"), cast.reader(session, "controller")
        schedule.set_period(session, kind, by=by, years=None, recall_days=20)
        assert (kind.retention_years, kind.recall_days) == (None, 20)
        with pytest.raises(Refused):
            schedule.set_period(session, kind, by=by, years=0, recall_days=20)
        with pytest.raises(NoRole):
            schedule.set_period(session, kind, by=cast.reader(session, "author"), years=1, recall_days=20)
