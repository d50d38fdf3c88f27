"""Administrative procedures: coverage on any day with both numbers, alarms, exclusion with a reason, links that end."""

from datetime import date, timedelta

import pytest

from docctl import audit, clock, decisions, procedures, verify
from docctl.documents import Document
from docctl.procedures import Entry, Event
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import decide


@pytest.fixture
def catalogue(site: Site, cast, make_revision):
    """Three procedures, the first covered by a document in force for 30 days, the second by the same one; ids."""
    made = make_revision("in_force")
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        document = session.get_one(Document, made.document_id)
        rows = [
            procedures.add(session, Entry(code=f"1.00000{n}", title=f"Thủ tục {n}", field="Hộ tịch"), by=by)
            for n in range(3)
        ]
        for row in rows[:2]:
            procedures.link(session, row, document, by=by)
        return made, [row.id for row in rows]


def share(site: Site, day: date | None = None) -> tuple[int, int]:
    with site.database.reading() as session:
        found = procedures.coverage.on(session, day).all
        return found.covered, found.applied


def test_coverage_has_its_denominator_and_follows_the_documents_in_force_on_the_day(site: Site, catalogue):
    assert share(site) == (2, 3)
    assert share(site, clock.today() - timedelta(days=31)) == (0, 3)
    assert share(site, clock.today() - timedelta(days=30)) == (2, 3)


def test_what_the_office_does_not_apply_leaves_the_denominator_with_its_reason(site: Site, cast, catalogue):
    _, ids = catalogue
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        bare = session.get_one(procedures.Procedure, ids[2])
        with pytest.raises(Refused):
            procedures.exclude(session, [bare], by=by, reason="  ")
        assert procedures.exclude(session, [bare], by=by, reason="Không thuộc thẩm quyền cấp xã.") == 1
    assert share(site) == (2, 2)
    assert share(site, clock.today() - timedelta(days=1)) == (2, 3)  # It applied until yesterday.


def test_a_repealed_procedure_with_a_live_document_alarms_and_leaves_the_denominator(site: Site, cast, catalogue):
    made, ids = catalogue
    with site.database.writing() as session:
        row = session.get_one(procedures.Procedure, ids[0])
        event = Event("repealed", "1217/QĐ-UBND", clock.today())
        procedures.decide(session, row, event, by=cast.reader(session, "controller"))
    assert share(site) == (1, 2)
    with site.database.reading() as session:
        alarms = procedures.alarms(session)
    assert [(alarm.procedure.id, alarm.link.document_id) for alarm in alarms.repealed_with_document] == [
        (ids[0], made.document_id)
    ]
    assert [alarm.procedure.id for alarm in alarms.without_document] == [ids[2]]


def test_a_withdrawn_document_alarms_for_what_it_leaves_uncovered_and_the_dry_run_can_ask_before(
    site: Site, cast, catalogue
):
    made, ids = catalogue
    with site.database.reading() as session:
        before = procedures.left_uncovered(session, withdrawn=[made.document_id])
        assert [row.id for row in before] == ids[:2]
        assert procedures.left_uncovered(session, withdrawn=[made.document_id], issued=[made.document_id]) == []
        assert procedures.left_uncovered(session, withdrawn=[made.document_id + 1]) == []
    decision_id = decide(site, cast, withdraw=[made.document_id], on=clock.today(), until="draft")
    with site.database.reading() as session:
        found = decisions.dry_run(session, session.get_one(decisions.Decision, decision_id))
        assert [("1.000000" in row.sentence.vi, row.line) for row in found.uncovered] == [(True, 1), (False, 1)]
        assert [row for row in found.warnings if row in found.uncovered] == found.uncovered
    decide(site, cast, withdraw=[made.document_id], on=clock.today())
    assert share(site) == (0, 3)
    with site.database.reading() as session:
        assert [alarm.procedure.id for alarm in procedures.alarms(session).withdrawn_document] == ids[:2]


def test_the_dry_run_asks_to_confirm_each_procedure_that_is_left_without_a_document(site: Site, cast, catalogue):
    made, _ids = catalogue
    decision_id = decide(site, cast, withdraw=[made.document_id], on=clock.today(), until="draft")
    with site.database.writing() as session:
        decision, controller = session.get_one(decisions.Decision, decision_id), cast.reader(session, "controller")
        left = [row.procedure for row in decisions.dry_run(session, decision).uncovered]
        assert len(left) == 2
        for confirmed in ([], left[:1]):
            with pytest.raises(Refused) as refused:
                decisions.check(session, decision, by=controller, confirmed=confirmed)
            missing = [code for code in left if code not in confirmed]
            assert refused.value.field == "confirmed"
            assert ", ".join(missing) in refused.value.sentence.en
            assert not any(code in refused.value.sentence.en for code in confirmed)
            assert decision.state == "draft"
        decisions.check(session, decision, by=controller, confirmed=left)
        assert decision.state == "checked"
        entry = audit.of_record(session, "decision", decision_id)[-1]
        assert (entry.values["left_uncovered"], entry.values["confirmed"]) == (left, True)


def test_a_link_ends_once_and_stays_on_record(site: Site, cast, catalogue):
    _, ids = catalogue
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        row = session.get_one(procedures.Procedure, ids[0])
        held = procedures.linking.of_procedure(session, row)[0]
        procedures.unlink(session, held, by=by)
        assert procedures.linking.of_procedure(session, row) == []
        again = procedures.link(session, row, held.document, by=by)
        assert again.id != held.id
        assert procedures.link(session, row, held.document, by=by).id == again.id
    assert verify.verify(site).ok


def test_documents_with_a_title_like_that_of_a_procedure_are_offered_and_nothing_is_linked(
    site: Site, cast, make_revision
):
    made = make_revision("in_force", title="Quy trình đăng ký khai sinh có yếu tố nước ngoài")
    make_revision("in_force", title="Quy trình cấp giấy phép xây dựng")
    with site.database.writing() as session:
        entry = Entry(code="1.000893", title="Thủ tục đăng ký khai sinh có yếu tố nước ngoài")
        row = procedures.add(session, entry, by=cast.reader(session, "controller"))
        found = procedures.linking.suggestions(session, [row])[row.id]
        assert [(each.document.id, each.likeness) for each in found] == [(made.document_id, 1.0)]
        assert procedures.linking.of_procedure(session, row) == []


def test_a_provinces_code_is_that_of_the_nation_and_only_a_controller_enters_one(site: Site, cast):
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        procedures.add(session, Entry(code="1.011442.000.00.00.H13", title="Đăng ký"), by=by)
        assert procedures.with_code(session, "1.011442").title == "Đăng ký"
        with pytest.raises(Refused):
            procedures.add(session, Entry(code="1.011442", title="Đăng ký"), by=by)
        with pytest.raises(NoRole):
            procedures.add(session, Entry(code="1.011443", title="Đăng ký"), by=cast.reader(session, "staff"))
