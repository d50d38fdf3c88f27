"""The sample organisation as it is loaded: what is in force when, work in every state, evidence behind it, loaded once."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from docctl import audit, clock, contents, decisions, demo, documents, lifecycle, people, revisions, units
from docctl.audit import AuditEntry
from docctl.decisions import Decision
from docctl.demo import Loaded, loading, organisation
from docctl.files import extract
from docctl.files.kinds import Kind
from docctl.people import Account
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.search import finding
from docctl.site import Site, open_site
from tests.sample import SAMPLE_PASSWORD, sample_settings


def in_force_on(site: Site, day: str) -> int:
    with site.database.reading() as session:
        return len(revisions.in_force(session, on=clock.parse(day)))


@pytest.mark.parametrize(
    ("day", "count"),
    [
        ("2020-09-07", 0),
        ("2020-09-08", 252),
        ("2022-10-25", 252),
        ("2022-10-26", 273),
        ("2023-09-14", 273),
        ("2023-09-15", 273),
    ],
)
def test_252_documents_are_in_force_from_2020_and_273_since_decision_2804(sample_site: Site, day: str, count: int):
    assert in_force_on(sample_site, day) == count


def test_273_documents_are_in_force_today_and_loading_says_so(sample_site: Site, sample_office: tuple[Path, Loaded]):
    loaded = sample_office[1]
    with sample_site.database.reading() as session:
        assert len(revisions.in_force(session)) == loaded.in_force == 273
    assert loaded.password == SAMPLE_PASSWORD
    assert loaded.accounts == [person.name for person in organisation.PEOPLE]


def test_what_was_known_the_evening_before_decision_2804_had_no_withdrawal_in_it(sample_site: Site):
    evening = clock.midnight(date(2022, 10, 25)) + timedelta(hours=20)
    with sample_site.database.reading() as session:
        on = clock.midnight(date(2022, 10, 26))
        assert len(revisions.standing(session, on=on, known_at=evening)) == 252
        assert len(revisions.standing(session, on=on, known_at=evening + timedelta(days=1))) == 273


def test_the_decision_of_2022_issued_101_and_withdrew_80_with_a_reason_each(sample_site: Site):
    with sample_site.database.reading() as session:
        decision = session.scalars(select(Decision).where(Decision.number == "2804/QĐ-UBND")).one()
        assert Counter(line.action for line in decision.lines) == {"issue": 101, "withdraw": 80}
        assert all(line.reason for line in decision.lines if line.action == "withdraw")
        assert sum(line.replaced_by_id is not None for line in decision.lines) > 20
        assert decision.signer is not None
        assert decision.signer.name == "approver"
        assert decision.signed_on == decision.effective_from == date(2022, 10, 26)


def test_revisions_stand_in_every_state(sample_site: Site):
    with sample_site.database.reading() as session:
        rows = session.scalars(select(Revision)).all()
        counted = Counter(row.status() for row in rows)
        assert {
            "draft",
            "in_review",
            "in_approval",
            "approved",
            "scheduled",
            "in_force",
            "superseded",
            "withdrawn",
            "discarded",
        } == set(counted)
        assert (counted["superseded"], counted["withdrawn"], counted["scheduled"]) == (7, 80, 1)
        seats = [len(lifecycle.signed_in_round(session, row)) for row in rows if row.state == "in_review"]
        assert sorted(seats) == [0, 1, 1]
        sent_back = [row for row in rows if row.round == 2]
        assert [row.state for row in sent_back] == ["draft"]
        reasons = [entry.values.get("reason") for entry in audit.of_record(session, "revision", sent_back[0].id)]
        assert loading.SENT_BACK in reasons


def test_a_scheduled_revision_takes_effect_by_itself_on_its_day(sample_site: Site):
    with sample_site.database.reading() as session:
        scheduled = next(row for row in session.scalars(select(Revision)) if row.status() == "scheduled")
        assert scheduled.effective_from is not None
        before = revisions.in_force(session, document=scheduled.document)
        after = revisions.in_force(session, document=scheduled.document, on=scheduled.effective_from)
        assert [row.id for row in after] == [scheduled.id] != [row.id for row in before]


def test_one_decision_waits_for_its_signer_and_one_has_errors_that_name_their_lines(sample_site: Site):
    with sample_site.database.reading() as session:
        by = people.reader(session, people.find(session, "controller"))
        waiting = [row for row in decisions.all_decisions(session, by=by) if row.state != "executed"]
        assert sorted(row.state for row in waiting) == ["checked", "draft"]
        found = {row.state: decisions.dry_run(session, row) for row in waiting}
        assert found["checked"].errors == []
        assert [problem.line for problem in found["draft"].errors] == [1, 2]


def test_every_revision_issued_was_endorsed_in_each_seat_and_approved_by_others_than_its_author(sample_site: Site):
    with sample_site.database.reading() as session:
        for row in session.scalars(select(Revision).where(Revision.state.in_(revisions.WAS_ISSUED))):
            signatures = lifecycle.signatures(session, row)
            seats = ["content"] if row.workflow == "revision-short" else ["content", "format"]
            assert [each.seat for each in signatures] == [*seats, "approved"]
            assert {each.content_hash for each in signatures} == {row.content_hash}
            assert row.author_id not in {each.account_id for each in signatures}
            titles = {each.account_id: each.title for each in signatures}
            assert all(session.get_one(Account, key).title_vi == title for key, title in titles.items())


def test_the_trail_stands_in_the_order_of_time_and_people_act_in_office_hours(sample_site: Site):
    with sample_site.database.reading() as session:
        query = select(AuditEntry.at, AuditEntry.actor_id).order_by(AuditEntry.sequence)
        acts = [(clock.local(at), actor) for at, actor in session.execute(query)]
    assert acts == sorted(acts, key=lambda act: act[0])
    for at, actor in acts:
        if actor and at.date() < clock.today() - timedelta(days=1):
            assert at.weekday() < 5
            assert 8 <= at.hour < 17, at


def test_every_file_is_in_the_store_and_its_text_is_what_the_extractor_reads(sample_site: Site):
    with sample_site.database.reading() as session:
        assert contents.waiting(session) == []
        rows = session.scalars(select(Revision).order_by(Revision.id)).all()
        assert all(sample_site.store.check(row.file_sha256 or "") for row in rows)
        for row in rows[:: len(rows) // 4]:
            kept = revisions.text_of(session, row)
            read = extract.extract(sample_site.store.path(row.file_sha256 or ""), Kind("docx"))
            assert kept is not None
            assert kept.text.split() == read.text.split()


def test_the_index_has_followed_and_finds_a_procedure_without_accents(sample_site: Site):
    with sample_site.database.reading() as session:
        found = finding.find(session, sample_site.engine, "dang ky lai khai sinh", reader=None)
        assert found.hits[0].title == "Đăng ký lại khai sinh"
        assert sample_site.engine.position() == audit.head(session).sequence


def test_each_sample_account_signs_in_with_the_password_and_holds_its_one_role(sample_site: Site):
    with sample_site.database.reading() as session:
        for person in organisation.PEOPLE:
            account = people.check_password(session, person.name, SAMPLE_PASSWORD)
            assert list(people.reader(session, account).reach) == [person.role]
            assert (account.title_vi, account.title_en) == (person.title_vi, person.title_en)
            assert not account.must_change_password


def test_loading_again_changes_nothing(sample_site: Site):
    with sample_site.database.reading() as session:
        before = audit.head(session)
    began = time.monotonic()
    again = demo.load(sample_site)
    assert (again.password, again.stages, again.in_force) == (None, [], 273)
    assert time.monotonic() - began < 5
    with sample_site.database.reading() as session:
        assert audit.head(session) == before
        people.check_password(session, "staff", SAMPLE_PASSWORD)


def test_the_storage_of_another_office_is_left_alone(site: Site, make_document):
    make_document("Quy trình của cơ quan này")
    with site.database.reading() as session:
        before = audit.head(session)
    with pytest.raises(Refused, match="cơ quan khác"):
        demo.load(site)
    with site.database.reading() as session:
        assert audit.head(session) == before
        assert {unit.code for unit in units.all_units(session)} == {"UBND", "TP", "NV"}


def test_with_a_stopped_clock_nothing_is_told_that_has_not_happened_yet(tmp_path: Path):
    site = open_site(sample_settings(tmp_path), migrate=True)
    with clock.at(datetime.fromisoformat("2020-05-04T09:00:00+07:00")):
        loaded = demo.load(site)
    assert (loaded.in_force, loaded.stages) == (0, [])
    assert [len(loading._stages(day)) for day in (date(2020, 9, 7), date(2022, 10, 25), date(2022, 10, 26))] == [
        0,
        1,
        2,
    ]
    site.close()


@pytest.mark.kill
def test_loading_that_was_killed_in_the_middle_is_completed_by_the_next_run(tmp_path: Path):
    environment = {**os.environ, "DOCCTL_STORAGE": str(tmp_path), "DOCCTL_DEMO_PASSWORD": SAMPLE_PASSWORD}
    command = [sys.executable, "-c", "from docctl.cli import main; main()", "demo"]
    killed = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    assert killed.stderr is not None
    for line in killed.stderr:
        if line.startswith("Decision 2804"):
            killed.send_signal(signal.SIGKILL)
            break
    killed.stderr.close()
    assert killed.wait() == -signal.SIGKILL
    site = open_site(sample_settings(tmp_path))
    assert in_force_on(site, "2022-10-26") == 252
    with site.database.reading() as session:
        new = organisation.decision_2804()[0][0].code
        with pytest.raises(Refused):
            documents.find(session, new)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert SAMPLE_PASSWORD in done.stdout
    assert in_force_on(site, "2022-10-26") == 273
    with site.database.reading() as session:
        people.check_password(session, "author", SAMPLE_PASSWORD)
    site.close()
