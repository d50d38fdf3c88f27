"""Signed heads of the trail: made when due, kept outside, and true or forged, which the verifier tells apart."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import text

from docctl import audit, checkpoints, clock, jobs
from docctl.checkpoints import Checkpoint
from docctl.rules import Refused
from docctl.site import Site
from docctl.verify import Report, covers, verify
from tests.conftest import decide, take


def entries(site: Site, number: int) -> None:
    with site.database.writing() as session:
        for _ in range(number):
            audit.record(session, audit.Action.SIGNED_IN, by=None, noun="account")


def checked(site: Site, *points: Checkpoint) -> Report:
    return verify(site, points=[points])


def test_a_checkpoint_names_the_head_and_is_signed(site: Site) -> None:
    entries(site, 3)
    made = checkpoints.make(site)
    with site.database.reading() as session:
        assert (made.sequence, made.hash) == (audit.head(session).sequence, audit.head(session).hash)
    assert made.valid()
    assert not replace(made, sequence=made.sequence + 1).valid()
    assert checkpoints.read(checkpoints.folder(site.settings)) == [made]
    report = checked(site, made)
    assert (report.problems, report.tail.entries) == ([], 0)


def test_one_is_due_after_a_hundred_entries_a_minute_with_an_entry_and_an_executed_decision(
    site: Site, cast: Any, make_revision: Any
) -> None:
    now = clock.now()
    with clock.at(now):
        entries(site, 1)
        assert checkpoints.follow(site) is not None
        assert checkpoints.follow(site) is None
        entries(site, 99)
        assert checkpoints.follow(site) is None
        entries(site, 1)
        assert checkpoints.follow(site) is not None
    with clock.at(now + timedelta(seconds=61)):
        assert checkpoints.follow(site) is None  # Nobody did anything.
        entries(site, 1)
        assert checkpoints.follow(site) is not None
        row = make_revision("approved")
        checkpoints.make(site)
        decide(site, cast, issue=[row.id], on=clock.today(), until="sign")
        assert checkpoints.follow(site) is None
        other = make_revision("approved", title="Khác")
        checkpoints.make(site)
        decide(site, cast, issue=[other.id], on=clock.today())
        assert checkpoints.follow(site) is not None


def test_after_a_commit_the_head_is_signed_without_being_asked(site: Site) -> None:
    entries(site, 100)
    jobs.wake(site)
    found = checkpoints.last(site.settings)
    assert found is not None
    assert found.sequence >= 100


def test_a_tail_after_the_checkpoint_is_counted(site: Site) -> None:
    entries(site, 2)
    made = checkpoints.make(site)
    entries(site, 5)
    report = checked(site, made)
    assert report.ok
    assert (report.tail.entries, report.tail.since[:4]) == (5, str(clock.now().year))


def test_a_forged_or_altered_checkpoint_is_named(site: Site) -> None:
    entries(site, 2)
    made = checkpoints.make(site)
    stranger = Ed25519PrivateKey.generate()
    other = replace(made, key=stranger.public_key().public_bytes_raw().hex(), hash="0" * 64)
    other = replace(other, signature=stranger.sign(other.signed).hex())
    assert other.valid()
    for wrong, says in ((other, "forged"), (replace(made, hash="0" * 64), "altered")):
        (problem,) = checked(site, wrong).problems
        assert says in problem.detail


def test_a_checkpoint_that_was_taken_out_of_the_row_leaves_a_gap_that_is_named(site: Site) -> None:
    made = []
    for _ in range(3):
        entries(site, 1)
        made.append(checkpoints.make(site))
    assert checked(site, *made).ok
    assert "missing" in checked(site, made[0], made[2]).problems[0].detail


def test_a_line_that_a_crash_broke_off_is_passed_over(site: Site) -> None:
    entries(site, 1)
    made = checkpoints.make(site)
    path = checkpoints.folder(site.settings) / checkpoints.NAME
    with path.open("a") as file:
        file.write(made.line()[:200])
    assert checkpoints.last(site.settings) == made


def test_what_is_no_checkpoint_is_said(site: Site, tmp_path: Any) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"format": 1}) + "\n")
    with pytest.raises(Refused, match="mốc kiểm soát"):
        checkpoints.read(path)


def test_every_table_is_covered_in_a_way_that_is_said(site: Site) -> None:
    said = covers()
    with site.database.reading() as session:
        query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        tables = set(session.scalars(text(query)))
    named = [name for names in said.values() for name in names if "." not in name]
    assert sorted(named) == sorted(tables - {"alembic_version"})
    assert {"document", "revision", "decision", "history_event"} <= set(said["replayed"])


def test_notices_that_are_read_letters_that_are_sent_and_searches_change_nothing_that_a_checkpoint_vouches_for(
    site: Site, cast: Any, make_revision: Any
) -> None:
    from docctl import notices, people, searches
    from docctl.notices import Mail

    made = make_revision("draft")
    jobs.wake(site)
    with site.database.writing() as session:
        people.find(session, "reviewer").email = "reviewer@office.example"
    take(site, cast, made.id, "submit")
    jobs.wake(site)
    point = checkpoints.make(site)
    with site.database.writing() as session:
        assert notices.mark_read(session, by=cast.reader(session, "reviewer")) == 1
        sent = session.query(Mail).one()
        sent.sent_at = clock.now()
        wish = searches.Wish("khai sinh")
        searches.save(session, site.engine, wish, by=cast.reader(session, "staff"))
        site.heard.note(by=cast.reader(session, "staff"), words="khai sinh", found=True, took_ms=1)
    jobs.wake(site)
    report = checked(site, point)
    assert report.tail is not None
    assert (report.problems, report.tail.entries) == ([], 0)
