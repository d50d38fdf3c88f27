"""The legal watch: exactly the citing documents are assessed, with a deadline, a signature or a later edition, and a score."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from docctl import announcing, audit, clock, deadlines, external, holidays, people, procedures, requests, verify, watch
from docctl.documents import Document
from docctl.external import Change, Entry, ExternalDocument
from docctl.notices import Mail
from docctl.procedures import Event
from docctl.rules import NoRole, Refused
from docctl.site import Site
from docctl.watch import LegalAssessment
from tests.conftest import decide

LAW = Entry(
    number="123/2015/NĐ-CP", title="Quy định chi tiết Luật Hộ tịch", kind="Nghị định", effective_from=date(2016, 1, 1)
)
BEGAN = date(2022, 7, 1)  # The change takes effect; its deadline is 03/10/2022, day 94 with the weekend.


@pytest.fixture
def citing_office(site: Site, cast, make_revision):
    """Two documents in force that cite the decree, one that cites another law, one that is only a draft; a law; ids."""
    day = date(2021, 1, 4)
    with clock.at(clock.midnight(day)):
        citing = [
            make_revision("in_force", on=day, code=code, text=f"Căn cứ {words} ngày 15/11/2015 của Chính phủ.")
            for code, words in (("QT-01", "Nghị định số 123/2015/NĐ-CP"), ("QT-02", "Nghị định 123/2015/ND-CP"))
        ]
        make_revision("in_force", on=day, code="QT-03", text="Căn cứ Nghị định số 23/2015/NĐ-CP.")
        make_revision("draft", code="QT-04", text="Căn cứ Nghị định số 123/2015/NĐ-CP.")
    with site.database.writing() as session:
        law = external.add(session, LAW, by=cast.reader(session, "controller"))
        return citing, law.id


def changed(site: Site, cast, law_id: int, *, on: date = BEGAN) -> list[int]:
    """Note the change in the register on a day; ids of the assessments it opened."""
    with clock.at(clock.midnight(on) + timedelta(hours=9)), site.database.writing() as session:
        law = session.get_one(ExternalDocument, law_id)
        by = cast.reader(session, "controller")
        return [row.id for row in watch.amend(session, law, Change("104/2022/NĐ-CP", BEGAN), by=by)]


def act(site: Site, cast, assessment_id: int, trigger: str, *, by: str = "controller", reason: str = "Phải sửa mục 5."):
    with site.database.writing() as session:
        row = session.get_one(LegalAssessment, assessment_id)
        signing = cast.signing(session, by) if trigger == "find_no_effect" else None
        watch.act(session, row, trigger, by=cast.reader(session, by), reason=reason, signing=signing)


def test_a_changed_law_is_assessed_for_exactly_the_documents_in_force_that_cite_it(site: Site, cast, citing_office):
    citing, law_id = citing_office
    ids = changed(site, cast, law_id)
    with site.database.reading() as session:
        rows = [session.get_one(LegalAssessment, row) for row in ids]
        assert {row.document_id for row in rows} == {made.document_id for made in citing}
        assert {row.deadline for row in rows} == {date(2022, 10, 3)}
    with site.database.writing() as session:
        law = session.get_one(ExternalDocument, law_id)
        by = cast.reader(session, "controller")
        assert watch.open_for(session, law, law.changes[0], by=by) == []  # Once is enough.
    assert verify.verify(site).ok


def test_a_citation_that_a_person_rejected_opens_nothing_and_one_that_was_added_does(site: Site, cast, citing_office):
    citing, law_id = citing_office
    with site.database.writing() as session:
        by = cast.reader(session, "author")
        watch.judge(session, session.get_one(Document, citing[0].document_id), "123/2015/NĐ-CP", "rejected", by=by)
        third = session.query(Document).filter_by(code="QT-03").one()
        watch.judge(session, third, "123/2015/NĐ-CP", "confirmed", by=by)
        with pytest.raises(NoRole):
            watch.judge(session, third, "123/2015/NĐ-CP", "rejected", by=cast.reader(session, "staff"))
    ids = changed(site, cast, law_id)
    with site.database.reading() as session:
        codes = {session.get_one(LegalAssessment, row).code for row in ids}
    assert codes == {"QT-02", "QT-03"}
    assert verify.verify(site).ok


@pytest.mark.parametrize(("day", "bucket", "over"), [(88, "on_time", 0), (90, "on_time", 0), (95, "late", 1)])
def test_finished_on_day_88_90_or_95_is_on_time_on_time_or_late(
    site: Site, cast, citing_office, make_revision, day: int, bucket: str, over: int
):
    citing, law_id = citing_office
    first, _ = changed(site, cast, law_id)
    act(site, cast, first, "require_change")
    with pytest.raises(Refused, match="Chưa có lần ban hành"):
        act(site, cast, first, "finish")
    ends = BEGAN + timedelta(days=day)
    later = make_revision("approved", document_id=citing[0].document_id, text="Căn cứ Nghị định số 104/2022/NĐ-CP.")
    decide(site, cast, issue=[later.id], on=ends)
    act(site, cast, first, "finish")
    with site.database.reading() as session:
        row = session.get_one(LegalAssessment, first)
        found = watch.standing(row)
        assert (row.finished_on, found.bucket, found.days) == (ends, bucket, over)
        score = watch.score(session, 2022)
        # The other document was never answered, so it is late as well.
        assert (score.on_time, score.due, score.kept) == (int(bucket == "on_time"), 2, False)
    assert verify.verify(site).ok


def test_by_the_weekend_rule_day_94_is_still_on_time(site: Site):
    with site.database.reading() as session:
        assert (deadlines.deadline(BEGAN, holidays=holidays.days(session)) - BEGAN).days == 94


def test_no_effect_is_signed_with_a_reason_and_the_database_refuses_it_without(site: Site, cast, citing_office):
    _, law_id = citing_office
    first, second = changed(site, cast, law_id)
    with pytest.raises(Refused):
        act(site, cast, first, "find_no_effect", by="reviewer", reason=" ")
    with site.database.writing() as session:
        row, by = session.get_one(LegalAssessment, first), cast.reader(session, "reviewer")
        with pytest.raises(Refused) as refused:
            watch.act(session, row, "find_no_effect", by=by, reason="Chỉ sửa lệ phí.")
    assert refused.value.field == "password"
    act(site, cast, first, "find_no_effect", by="reviewer", reason="Chỉ sửa lệ phí.")
    with site.database.reading() as session:
        row = session.get_one(LegalAssessment, first)
        assert (row.state, row.finding, row.finished_on) == ("no_effect", "Chỉ sửa lệ phí.", clock.today())
        moved = audit.of_record(session, "legal_assessment", first)[-1]
        assert moved.values["meaning"] == "assessed"
    with pytest.raises(IntegrityError), site.database.writing() as session:
        session.connection().exec_driver_sql(
            "UPDATE legal_assessment SET state = 'no_effect', finding = 'x', finished_on = '2022-08-01' WHERE id = ?",
            (second,),
        )
    with pytest.raises(NoRole):
        act(site, cast, second, "require_change", by="staff")
    assert verify.verify(site).ok


def test_an_assessment_opens_a_request_that_says_law_day_and_reason_once(site: Site, cast, citing_office):
    citing, law_id = citing_office
    first, _ = changed(site, cast, law_id)
    act(site, cast, first, "require_change", reason="Sửa thành phần hồ sơ.")
    with site.database.writing() as session:
        row = session.get_one(LegalAssessment, first)
        by = cast.reader(session, "controller")
        made = watch.open_request(session, row, by=by)
        assert (made.kind, made.document_id) == (requests.AMEND, citing[0].document_id)
        assert (made.law_effective_on, made.draft_due) == (BEGAN, date(2022, 10, 3))
        assert "104/2022/NĐ-CP" in made.legal_basis
        assert "Sửa thành phần hồ sơ." in made.why
        with pytest.raises(Refused):
            watch.open_request(session, row, by=by)
    assert verify.verify(site).ok


def test_a_procedure_whose_basis_names_the_law_is_assessed_and_ended_by_its_decision(site: Site, cast, citing_office):
    _, law_id = citing_office
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        entry = procedures.Entry(code="1.000893", title="Khai sinh", basis="Nghị định 123/2015/NĐ-CP")
        procedure_id = procedures.add(session, entry, by=by).id
    ids = changed(site, cast, law_id)
    assert len(ids) == 3
    with site.database.writing() as session:
        row = session.query(LegalAssessment).filter_by(procedure_id=procedure_id).one()
        by = cast.reader(session, "controller")
        watch.act(session, row, "require_change", by=by, reason="Chờ quyết định công bố.")
        procedures.decide(session, row.procedure, Event("amended", "1217/QĐ-BTP", date(2022, 8, 1)), by=by)
        watch.act(session, row, "finish", by=by)
        assert row.finished_on == date(2022, 8, 1)
    assert verify.verify(site).ok


def test_unknown_and_expired_citations_of_documents_in_force_are_listed(site: Site, cast, citing_office):
    _, law_id = citing_office
    with site.database.writing() as session:
        assert [(row.document.code, row.citation.label) for row in watch.citing.unknown(session)] == [
            ("QT-03", "23/2015/NĐ-CP")
        ]
        law = session.get_one(ExternalDocument, law_id)
        by = cast.reader(session, "controller")
        assert watch.citing.expired(session) == []
        external.amend(session, law, Change("1/2024/NĐ-CP", date(2024, 1, 1), external.REPLACED), by=by)
        assert {row.document.code for row in watch.citing.expired(session)} == {"QT-01", "QT-02"}
        assert watch.citing.expired(session, date(2023, 12, 31)) == []
        # Noted without opening anything, as an import does: the board says so, and opens them.
        assert [len(rows) for _, _, rows in watch.unassessed(session)] == [2]
        assert len(watch.open_unassessed(session, by=by)) == 2
        assert watch.unassessed(session) == []


def test_reminders_are_due_60_30_and_7_days_before_the_deadline(site: Site, cast, citing_office):
    _, law_id = citing_office
    changed(site, cast, law_id)
    with site.database.reading() as session:
        deadline = date(2022, 10, 3)
        reminded = [left for left in range(95) if watch.board.to_remind(session, deadline - timedelta(days=left))]
        months = watch.board.by_month(watch.board.all_standing(session, day=date(2022, 8, 1)))
    assert reminded == [7, 30, 60]
    assert [(month.year, month.month, month.counts["due"]) for month in months] == [(2022, 10, 2)]


def test_the_daily_letter_reminds_whoever_may_judge_30_days_before_the_deadline_and_not_the_day_after(
    site: Site, cast, citing_office
):
    _, law_id = citing_office
    changed(site, cast, law_id)
    with site.database.writing() as session:
        for name in ("controller", "staff"):
            people.find(session, name).email = f"{name}@office.example"
    morning = clock.midnight(date(2022, 10, 3) - timedelta(days=30)) + timedelta(hours=9)
    with clock.at(morning):
        announcing.digest(site.database, site.settings)
    with site.database.reading() as session:
        names = {account.id: account.name for account in people.all_accounts(session)}
        letters = [(names[mail.account_id], mail.body) for mail in session.scalars(select(Mail))]
    assert [name for name, _ in letters] == ["controller"]
    assert "QT-01: 123/2015/NĐ-CP" in letters[0][1]
    assert "còn 30 ngày, hạn 03/10/2022" in letters[0][1]
    with clock.at(morning + timedelta(days=1)):
        announcing.digest(site.database, site.settings)
    with site.database.reading() as session:
        assert not any("còn 29 ngày" in mail.body for mail in session.scalars(select(Mail)))
