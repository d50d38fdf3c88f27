"""Decisions: everything they say happens at once or not at all, on the day they name, under a number of their own."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import audit, clock, decisions, revisions
from docctl.decisions import Check, Decision, Line
from docctl.documents import Document
from docctl.lifecycle import Stale, signatures
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import Cast, Made, decide
from tests.nouns.conftest import Set

Make = Callable[..., Made]


def drafted(session: Session, cast: Cast, lines: list[Line], **given: Any) -> Decision:
    usual: dict[str, Any] = {
        "title": "Ban hành tài liệu",
        "number": "2804/QĐ-UBND",
        "signed_on": clock.today(),
        "effective_from": clock.today(),
    }
    return decisions.draft(session, by=cast.reader(session, "controller"), lines=lines, **(usual | given))


def signed(session: Session, cast: Cast, lines: list[Line], **given: Any) -> Decision:
    decision = drafted(session, cast, lines, **given)
    found = decisions.check(session, decision, by=cast.reader(session, "controller"))
    assert found.errors == []
    decisions.sign(session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver"))
    return decision


def issuing(session: Session, *made: Made) -> list[Line]:
    return [Line("issue", revision=session.get_one(Revision, row.id)) for row in made]


def withdrawing(session: Session, *made: Made, reason: str = "Bãi bỏ.") -> list[Line]:
    return [Line("withdraw", document=session.get_one(Document, row.document_id), reason=reason) for row in made]


def errors(found: Check) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.sentence.en) for problem in found.errors]


def interval(site: Site, revision_id: int) -> tuple[str, Any, Any]:
    with site.database.reading() as session:
        row = session.get_one(Revision, revision_id)
        return row.state, row.effective_from, row.effective_to


def test_a_decision_issues_what_is_approved_and_withdraws_what_stands_in_one_act(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    new, old = make_revision("approved"), make_revision("in_force", title="Quy trình cũ")
    with site.database.writing() as session:
        decision = signed(session, cast, issuing(session, new) + withdrawing(session, old))
        found = decisions.execute(session, decision, by=cast.reader(session, "controller"))
    assert (found.issued, found.withdrawn, found.superseded) == (1, 1, 0)
    begins = clock.midnight(clock.today())
    assert interval(site, new.id) == ("issued", begins, None)
    assert interval(site, old.id)[0::2] == ("withdrawn", begins)
    with site.database.reading() as session:
        assert session.get_one(Revision, new.id).decision_id == decision.id
        assert session.get_one(Revision, old.id).withdrawn_by_id == decision.id
        assert session.get_one(Decision, decision.id).state == "executed"


def test_the_dry_run_counts_what_executing_does_and_changes_nothing(
    site: Site, cast: Cast, make_revision: Make, everything: Callable[[], dict[str, str]]
) -> None:
    standing, new = make_revision("in_force"), make_revision("approved", title="Quy trình mới")
    second = make_revision("approved", document_id=standing.document_id, text="Lần hai")
    other = make_revision("in_force", title="Sẽ hủy bỏ")
    with site.database.writing() as session:
        decision = drafted(session, cast, issuing(session, new, second) + withdrawing(session, other)).id
    before = everything()
    with site.database.reading() as session:
        found = decisions.dry_run(session, session.get_one(Decision, decision))
    assert (found.issued, found.superseded, found.withdrawn) == (2, 1, 1)
    assert (found.in_force_before, found.in_force_after) == (2, 2)
    assert everything() == before


def test_the_earlier_revision_ends_exactly_where_the_later_one_begins(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    first = make_revision("in_force")
    second = make_revision("approved", document_id=first.document_id, text="Lần hai")
    day = clock.today() - timedelta(days=3)
    decide(site, cast, issue=[second.id], on=day)
    assert interval(site, first.id)[2] == interval(site, second.id)[1] == clock.midnight(day)
    with site.database.reading() as session:
        last = audit.of_record(session, "revision", first.id)[-1]
        assert (last.action, last.values["decision"]) == ("revision.superseded", "2/QĐ-UBND")


def test_what_was_scheduled_and_is_withdrawn_before_its_day_never_begins(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("scheduled")
    decide(site, cast, withdraw=[made.document_id], on=clock.today())
    state, begins, ends = interval(site, made.id)
    assert state == "withdrawn"
    assert begins == ends > clock.now()
    with site.database.reading() as session:
        assert revisions.in_force(session, on=begins) == []


def test_a_decision_of_181_lines_executes_as_one_act(site: Site, cast: Cast, large: Set) -> None:
    with site.database.writing() as session:
        lines = [Line("issue", revision=session.get_one(Revision, row)) for row in large.approved]
        lines += [Line("withdraw", document=session.get_one(Document, row), reason="Bãi bỏ.") for row in large.standing]
        decision = signed(session, cast, lines).id
    began = time.perf_counter()
    with site.database.writing() as session:
        found = decisions.execute(session, session.get_one(Decision, decision), by=cast.reader(session, "controller"))
    print(f"\n181 lines executed in {time.perf_counter() - began:.2f} s")
    assert (found.issued, found.withdrawn) == (101, 80)
    with site.database.reading() as session:
        assert {row.id for row in revisions.in_force(session)} == set(large.approved)
        assert len({row.at for row in audit.of_record(session, "decision", decision)}) > 1


@pytest.mark.parametrize("bad", ["reopened", "reason", "twice", "withdrawn"])
def test_one_bad_line_of_181_changes_nothing_and_is_named(
    site: Site, cast: Cast, make_set: Callable[..., Set], everything: Callable[[], dict[str, str]], bad: str
) -> None:
    made = make_set(4, 3)
    with site.database.writing() as session:
        lines = [Line("issue", revision=session.get_one(Revision, row)) for row in made.approved]
        lines += [Line("withdraw", document=session.get_one(Document, row), reason="Bãi bỏ.") for row in made.standing]
        if bad == "twice":
            lines.append(lines[-1])
        if bad == "reason":
            lines[5] = Line("withdraw", document=lines[5].document)
        decision = drafted(session, cast, lines).id
        if bad == "reopened":
            row = session.get_one(Revision, made.approved[2])
            revisions.reopen(session, row, by=cast.reader(session, "approver"), reason="Sai.")
    if bad == "withdrawn":
        decide(site, cast, withdraw=[made.standing[0]], on=clock.today())
    wanted = {"reopened": {3}, "reason": {6}, "twice": {7, 8}, "withdrawn": {5}}[bad]
    before = everything()
    with site.database.writing() as session:
        row = session.get_one(Decision, decision)
        found = decisions.check(session, row, by=cast.reader(session, "controller"))
        assert {line for line, _ in errors(found)} == wanted
    assert everything() == before


def test_a_line_that_goes_bad_after_the_signature_stops_all_181_and_no_byte_of_any_table_changes(
    site: Site, cast: Cast, large: Set, everything: Callable[[], dict[str, str]]
) -> None:
    with site.database.writing() as session:
        lines = [Line("issue", revision=session.get_one(Revision, row)) for row in large.approved]
        lines += [Line("withdraw", document=session.get_one(Document, row), reason="Bãi bỏ.") for row in large.standing]
        decision = signed(session, cast, lines).id
    # Another decision is faster with one of the 80 documents.
    decide(site, cast, withdraw=[large.standing[48]], on=clock.today() - timedelta(days=1))
    before = everything()
    with pytest.raises(Refused) as refused, site.database.writing() as session:
        decisions.execute(session, session.get_one(Decision, decision), by=cast.reader(session, "controller"))
    assert "150" in refused.value.sentence.en
    assert "CU-48" in refused.value.sentence.en
    assert everything() == before


def test_a_failure_in_the_middle_of_executing_changes_nothing(
    site: Site, cast: Cast, make_set: Callable[..., Set], everything: Callable[[], dict[str, str]]
) -> None:
    """The database itself refuses one line, as when another program holds a row that the dry run cannot see."""
    made = make_set(5, 0)
    with site.database.writing() as session:
        decision = signed(
            session, cast, [Line("issue", revision=session.get_one(Revision, row)) for row in made.approved]
        ).id
    with site.database.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TRIGGER fourth BEFORE UPDATE ON revision WHEN NEW.id = {made.approved[3]} "
            "BEGIN SELECT RAISE(ABORT, 'the disk says no'); END"
        )
    before = everything()
    with pytest.raises(IntegrityError), site.database.writing() as session:
        decisions.execute(session, session.get_one(Decision, decision), by=cast.reader(session, "controller"))
    assert everything() == before


def test_a_number_is_used_once_in_its_year_however_it_is_spelled(site: Site, cast: Cast, make_revision: Make) -> None:
    one, two, three = (make_revision("approved", title=f"Quy trình {n}") for n in range(3))
    with site.database.writing() as session:
        signed(session, cast, issuing(session, one), number="2804/QĐ-UBND")
    with site.database.writing() as session, pytest.raises(Refused) as refused:
        signed(session, cast, issuing(session, two), number="2804/qđ-ubnd")
    assert refused.value.field == "number"
    with site.database.writing() as session:
        last_year = date(clock.today().year - 1, 5, 4)
        assert (
            signed(session, cast, issuing(session, three), number="2804/QĐ-UBND", signed_on=last_year).state == "signed"
        )


def test_a_decision_without_number_or_date_is_checked_but_not_signed(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        for number, day, wanted in (("", clock.today(), "số"), ("5/QĐ", None, "ngày")):
            decision = drafted(session, cast, issuing(session, made), number=number, signed_on=day)
            found = decisions.check(session, decision, by=cast.reader(session, "controller"))
            assert (found.errors, len(found.warnings)) == ([], 1)
            with pytest.raises(Refused, match=wanted):
                decisions.sign(
                    session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
                )
            decisions.act(session, decision, "discard", by=cast.reader(session, "controller"), reason="Chưa đủ.")


def test_an_effect_before_the_signature_is_a_warning_and_not_an_error(
    site: Site, cast: Cast, make_revision: Make, yesterday: date
) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        found = decisions.dry_run(session, drafted(session, cast, issuing(session, made), effective_from=yesterday))
    assert found.errors == []
    assert "retroactive" in found.warnings[0].sentence.en


def test_an_empty_decision_and_one_without_a_day_are_errors(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        empty = decisions.dry_run(session, drafted(session, cast, []))
        dayless = decisions.dry_run(session, drafted(session, cast, issuing(session, made), effective_from=None))
    assert "no lines" in errors(empty)[0][1]
    assert "no effective date" in errors(dayless)[0][1]


def test_a_revision_that_is_not_approved_is_an_error_on_its_line(site: Site, cast: Cast, make_revision: Make) -> None:
    good = make_revision("approved")
    rest = [make_revision(life, title=life) for life in ("draft", "in_review", "in_approval", "in_force", "discarded")]
    with site.database.writing() as session:
        found = decisions.dry_run(session, drafted(session, cast, issuing(session, good, *rest)))
    assert {line for line, _ in errors(found)} == {2, 3, 4, 5, 6}


def test_an_edition_does_not_take_effect_before_the_one_it_follows(site: Site, cast: Cast, make_revision: Make) -> None:
    first = make_revision("in_force", on=clock.today() - timedelta(days=10))
    second = make_revision("approved", document_id=first.document_id, text="Lần hai")
    with site.database.writing() as session:
        for away, refused in ((11, True), (10, True), (9, False)):
            day = clock.today() - timedelta(days=away)
            found = decisions.dry_run(session, drafted(session, cast, issuing(session, second), effective_from=day))
            assert bool(found.errors) is refused, away


def test_changing_a_checked_decision_voids_its_check(site: Site, cast: Cast, make_revision: Make) -> None:
    one, two = make_revision("approved"), make_revision("approved", title="Thứ hai")
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        decision = drafted(session, cast, issuing(session, one))
        decisions.check(session, decision, by=controller)
        assert decision.state == "checked"
        decisions.add_lines(session, decision, issuing(session, two), by=controller)
        assert (decision.state, decision.checked_hash) == ("draft", None)
        with pytest.raises(Refused):
            decisions.sign(
                session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
            )
        decisions.remove_lines(session, decision, [1], by=controller)
        assert [(line.position, line.revision_id) for line in decision.lines] == [(1, two.id)]


def test_a_signed_decision_changes_no_more_and_an_executed_one_never_reopens(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        controller, approver = cast.reader(session, "controller"), cast.reader(session, "approver")
        decision = signed(session, cast, issuing(session, made))
        with pytest.raises(Refused, match="đã ký"):
            decisions.add_lines(session, decision, issuing(session, made), by=controller)
        decisions.execute(session, decision, by=controller)
        assert decisions.check(session, decision, by=controller).errors, "a dry run finds nothing left to do"
        assert decision.state == "executed"
        for trigger in ("sign", "execute", "change", "discard", "cancel"):
            with pytest.raises(Refused):
                decisions.act(
                    session, decision, trigger, by=approver, reason="x", signing=cast.signing(session, "approver")
                )


def test_a_cancelled_decision_gives_its_revisions_and_its_number_back(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        decision = signed(session, cast, issuing(session, made))
        assert decisions.awaiting_issue(session) == []
        decisions.act(session, decision, "cancel", by=cast.reader(session, "approver"), reason="Hoãn.")
        assert [row.id for row in decisions.awaiting_issue(session)] == [made.id]
        again = signed(session, cast, issuing(session, made))
        decisions.execute(session, again, by=cast.reader(session, "controller"))


def test_what_a_signed_decision_holds_no_other_may_issue(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        signed(session, cast, issuing(session, made))
        found = decisions.dry_run(session, drafted(session, cast, issuing(session, made), number="2805"))
    assert "2804" in errors(found)[0][1]


def test_only_a_controller_drafts_checks_and_executes_and_only_an_approver_signs(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("approved")
    for name in ("author", "reviewer", "format-reviewer", "approver", "staff", "auditor", "admin"):
        with site.database.writing() as session, pytest.raises(Refused):
            decisions.draft(session, by=cast.reader(session, name), title="Ban hành")
    with site.database.writing() as session:
        decision = drafted(session, cast, issuing(session, made))
        with pytest.raises(NoRole):
            decisions.check(session, decision, by=cast.reader(session, "approver"))
        decisions.check(session, decision, by=cast.reader(session, "controller"))
        with pytest.raises(NoRole):
            decisions.sign(
                session, decision, by=cast.reader(session, "controller"), signing=cast.signing(session, "controller")
            )
        decisions.sign(
            session, decision, by=cast.reader(session, "approver"), signing=cast.signing(session, "approver")
        )
        with pytest.raises(NoRole):
            decisions.execute(session, decision, by=cast.reader(session, "approver"))
        marks = signatures(session, decision)
        assert [(row.meaning, row.content_hash) for row in marks] == [("signed", decision.checked_hash)]


def test_an_old_page_of_a_decision_is_told_so(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        decision = drafted(session, cast, issuing(session, made))
        seen = decision.lock
        decisions.check(session, decision, by=controller, seen=seen)
        with pytest.raises(Stale):
            decisions.act(session, decision, "discard", by=controller, reason="x", seen=seen)
