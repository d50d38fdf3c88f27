"""Internal audits: samples that anybody can draw again, a walk that leaves nothing out, findings closed by another's eyes."""

import hashlib
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import announcing, audit, clock, internal_audits, notices, reorganising, tasks, units, verify
from docctl.internal_audits import InternalAudit, Nonconformity, Sample, findings, sampling
from docctl.internal_audits import auditing as audits
from docctl.lifecycle import Stale
from docctl.reports import facts, figures
from docctl.rules import NoRole, Refused
from docctl.site import Site
from tests.conftest import Cast, Made, keep

Make = Callable[..., Made]
ANSWER = {
    "cause": "Người nhận bàn giao không được phổ biến.",
    "correction": "Đã thu hồi bản cũ.",
    "remedy": "Đưa việc thu hồi vào biên bản bàn giao.",
    "proof": "Biên bản bàn giao ngày 20/10.",
}


def opened(site: Site, cast: Cast, **words: str) -> int:
    with site.database.writing() as session:
        day = clock.today()
        made = internal_audits.open_audit(
            session,
            by=cast.reader(session, "auditor"),
            title="Đánh giá nội bộ đợt 1",
            scope="Phòng Tư pháp và Phòng Nội vụ",
            first_day=day,
            last_day=day + timedelta(days=2),
            **words,
        )
        return made.id


def under_way(site: Site, cast: Cast, *codes: str) -> int:
    made = opened(site, cast)
    with site.database.writing() as session:
        found, by = session.get_one(InternalAudit, made), cast.reader(session, "auditor")
        internal_audits.choose(session, found, codes, by=by)
        audits.act(session, found, "begin", by=by)
    return made


def walked(session: Session, cast: Cast, sample: Sample, **wrong: str) -> None:
    answers = {row.point: ("conforms", "") for row in sample.answers}
    answers |= {point.replace("_", "."): ("nonconforming", note) for point, note in wrong.items()}
    internal_audits.walk(session, sample, answers, by=cast.reader(session, "auditor"))


def raised(site: Site, cast: Cast, made: int, **given: object) -> int:
    with site.database.writing() as session:
        found = session.get_one(InternalAudit, made)
        return internal_audits.raise_finding(
            session,
            found,
            by=cast.reader(session, "auditor"),
            unit=units.find(session, "TP"),
            statement="Còn một bản cũ trên bàn tiếp dân.",
            sample=audits.samples(session, found)[0],
            point="8.6",
            **given,
        ).id


def answered(site: Site, cast: Cast, slip: int, *, by: str = "reviewer") -> None:
    with site.database.writing() as session:
        row, who = session.get_one(Nonconformity, slip), cast.reader(session, by)
        findings.write(session, row, by=who, **ANSWER)
        findings.act(session, row, "answer", by=who, signing=cast.signing(session, by))


def clean(site: Site) -> list[str]:
    return [str(problem) for problem in verify.verify(site).problems]


def test_a_draw_can_be_done_again_by_anybody_with_the_printed_seed(site: Site, cast: Cast, make_revision: Make) -> None:
    ids = [make_revision("in_force", title=f"Quy trình {number}").document_id for number in range(1, 6)]
    make_revision("draft", title="Chưa ban hành")
    made = opened(site, cast)
    with site.database.writing() as session:
        found, by = session.get_one(InternalAudit, made), cast.reader(session, "auditor")
        taken = internal_audits.draw(session, found, by=by, size=3, seed="26102022")
        by_hand = sorted(ids, key=lambda number: hashlib.sha256(f"26102022:{number}".encode()).hexdigest())
        assert [row.document_id for row in taken] == by_hand[:3]
        assert internal_audits.draw(session, found, by=by, size=2)[0].document_id in by_hand[3:]
        first, second = sampling.draws(session, found)
        assert (first.seed, first.size, first.population_ids) == ("26102022", 3, sorted(ids))
        assert len(second.seed) == 8, "a seed that nobody chose was made"
        assert all(sampling.reproduced(session, row) for row in (first, second))
        with pytest.raises(Refused, match="từ 1 đến 0"):
            internal_audits.draw(session, found, by=by, size=1)
    assert clean(site) == []


def test_a_sample_that_was_put_in_place_of_another_is_noticed(site: Site, cast: Cast, make_revision: Make) -> None:
    made = opened(site, cast)
    drawn = [make_revision("in_force", title=f"Quy trình {number}").document_id for number in range(1, 4)]
    with site.database.writing() as session:
        found, by = session.get_one(InternalAudit, made), cast.reader(session, "auditor")
        row = internal_audits.draw(session, found, by=by, size=1)[0]
        other = next(number for number in drawn if number != row.document_id)
    with pytest.raises(IntegrityError, match="stays what it is"), site.database.writing() as session:
        session.execute(text(f"UPDATE audit_sample SET document_id = {other}"))
    with site.database.writing() as session:
        session.execute(text("DROP TRIGGER audit_sample_only_walks"))
        session.execute(text(f"UPDATE audit_sample SET document_id = {other}"))
    with site.database.reading() as session:
        assert not sampling.reproduced(session, sampling.draws(session, session.get_one(InternalAudit, made))[0])
    assert any("audit_sample 1" in problem for problem in clean(site))


def test_an_audit_begins_with_a_plan_and_samples_and_is_reported_when_every_point_is_answered(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    code = make_revision("in_force").code
    made = opened(site, cast)
    with site.database.writing() as session:
        found, by = session.get_one(InternalAudit, made), cast.reader(session, "auditor")
        assert found.number_text == f"01/{clock.today().year}"
        with pytest.raises(Refused, match="còn thiếu: mẫu"):
            audits.act(session, found, "begin", by=by)
        (sample,) = internal_audits.choose(session, found, [code], by=by)
        with pytest.raises(Refused, match="bắt đầu cuộc đánh giá"):
            walked(session, cast, sample)
        audits.act(session, found, "begin", by=by)
        with pytest.raises(Refused, match="1 trên 1 mẫu, kết luận"):
            audits.act(session, found, "report", by=by, signing=cast.signing(session, "auditor"))
        with pytest.raises(Refused, match="ghi điều không phù hợp"):
            internal_audits.walk(session, sample, {"8.6": ("nonconforming", " ")}, by=by)
        walked(session, cast, sample, **{"8_6": "Còn một bản cũ."})
        day = clock.today()
        audits.edit(session, found, by=by, first_day=day, last_day=day, conclusion="Hệ thống được duy trì.")
        with pytest.raises(Refused, match="nhập lại mật khẩu"):
            audits.act(session, found, "report", by=by)
        before = audit.head(session)
        audits.act(session, found, "report", by=by, signing=cast.signing(session, "auditor"))
        assert found.head == before
        with pytest.raises(Refused, match="không sửa được nữa"):
            walked(session, cast, sample)
    for change in ("internal_audit SET conclusion = 'khác'", "checklist_answer SET verdict = 'conforms', note = ''"):
        with pytest.raises(IntegrityError, match=r"never changes|under way"), site.database.writing() as session:
            session.execute(text(f"UPDATE {change}"))
    assert clean(site) == []


def test_answers_that_somebody_else_gave_meanwhile_are_not_written_over(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = under_way(site, cast, make_revision("in_force").code)
    with site.database.writing() as session:
        sample = audits.samples(session, session.get_one(InternalAudit, made))[0]
        seen = {row.point: row.verdict for row in sample.answers}
        walked(session, cast, sample)
        with pytest.raises(Stale):
            internal_audits.walk(session, sample, {}, by=cast.reader(session, "auditor"), seen=seen)


def test_a_finding_goes_to_the_unit_with_two_months_and_is_closed_by_another_than_who_answered(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_force")
    slip = raised(site, cast, under_way(site, cast, made.code))
    assert announcing.tell(site.database, site.settings) >= 1
    with site.database.reading() as session:
        row, head = session.get_one(Nonconformity, slip), cast.reader(session, "reviewer")
        assert row.due_on == findings.due_date(session) >= clock.today() + timedelta(days=58)
        told, _number = notices.of_reader(session, by=head)
        assert "Còn một bản cũ trên bàn tiếp dân" in told[0].text_vi
        assert told[0].text_vi.startswith("Ghi báo cáo khắc phục")
        mine = tasks.waiting_for_me(session, by=head)
        assert [task.act.en for task in mine if task.subject is row] == ["Write the corrective report"]
        assert tasks.waiting_for_me(session, by=cast.reader(session, "auditor")) == []
        assert findings.load(session, slip, by=cast.reader(session, "staff")) is None
    with site.database.writing() as session:
        row, head = session.get_one(Nonconformity, slip), cast.reader(session, "reviewer")
        with pytest.raises(Refused, match="nguyên nhân, hành động khắc phục, bằng chứng"):
            findings.act(session, row, "answer", by=head, signing=cast.signing(session, "reviewer"))
        with pytest.raises(NoRole):
            findings.write(session, row, by=cast.reader(session, "auditor"), cause="Tôi viết hộ")
        proof = keep(site, session, "Biên bản bàn giao")
        findings.link(session, row, by=head, side="proof", content=proof, file_name="Biên bản.txt")
    answered(site, cast, slip)
    with site.database.writing() as session:
        row, auditor = session.get_one(Nonconformity, slip), cast.reader(session, "auditor")
        assert [task.act.en for task in tasks.waiting_for_me(session, by=auditor)] == ["Verify and close"]
        with pytest.raises(Refused):
            findings.act(session, row, "close", by=auditor, signing=cast.signing(session, "auditor"))
        findings.act(session, row, "send_back", by=auditor, reason="Thiếu ảnh chụp quầy.")
        assert (row.state, row.round, row.answered_by_id) == ("open", 2, None)
    answered(site, cast, slip)
    with site.database.writing() as session:
        row, auditor = session.get_one(Nonconformity, slip), cast.reader(session, "auditor")
        findings.act(session, row, "close", by=auditor, reason="Đã xem quầy.", signing=cast.signing(session, "auditor"))
        assert (row.state, row.verification) == ("closed", "Đã xem quầy.")
    for change in ("nonconformity SET due_on = '2030-01-01'", "nonconformity_evidence SET note = 'khác'"):
        with pytest.raises(IntegrityError, match="never change"), site.database.writing() as session:
            session.execute(text(f"UPDATE {change}"))
    assert clean(site) == []


def test_whoever_answered_cannot_verify_even_with_both_roles_and_neither_can_sql(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    slip = raised(site, cast, under_way(site, cast, make_revision("in_force").code))
    with site.database.writing() as session:
        session.execute(
            text(
                "INSERT INTO role_grant (account_id, role, unit_id, valid_from) "
                "SELECT account.id, 'auditor', NULL, '2020-01-01' FROM account WHERE name = 'reviewer'"
            )
        )
    answered(site, cast, slip)
    with site.database.writing() as session:
        row, both = session.get_one(Nonconformity, slip), cast.reader(session, "reviewer")
        with pytest.raises(Refused, match="không được tự xác nhận"):
            findings.act(session, row, "close", by=both, reason="Tốt", signing=cast.signing(session, "reviewer"))
    with pytest.raises(IntegrityError), site.database.writing() as session:
        session.execute(
            text(
                "UPDATE nonconformity SET state = 'closed', verification = 'x', closed_by_id = "
                "(SELECT id FROM account WHERE name = 'auditor'), closed_at = answered_at"
            )
        )


def test_evidence_is_named_as_people_name_it(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_force")
    slip = raised(site, cast, under_way(site, cast, made.code))
    with site.database.writing() as session:
        row, by = session.get_one(Nonconformity, slip), cast.reader(session, "auditor")
        for reference, kind in (
            (made.code, "revision"),
            ("1/QĐ-UBND", "decision"),
            ("12", "entry"),
            (f"http://docctl.example/revisions/{made.id}", "revision"),
            ("/decisions/1#lines", "decision"),
        ):
            record = findings.look_up(session, reference, by=by)
            assert list(record) == [kind], reference
            findings.link(session, row, by=by, side="finding", **record)
        assert len(row.evidence) == 5
        with pytest.raises(Refused, match="Không tìm thấy"):
            findings.look_up(session, "không có gì", by=by)
        with pytest.raises(Refused, match="Không tìm thấy"):
            findings.look_up(session, "12", by=cast.reader(session, "reviewer"))
    assert clean(site) == []


def test_only_auditors_open_audits_and_a_slip_of_another_unit_is_not_seen(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    with site.database.writing() as session, pytest.raises(NoRole):
        internal_audits.open_audit(session, by=cast.reader(session, "controller"), title="Tự mở")
    slip = raised(site, cast, under_way(site, cast, make_revision("in_force").code))
    with site.database.writing() as session:
        session.execute(text("UPDATE role_grant SET valid_to = '2020-01-02' WHERE role = 'reviewer'"))
    with site.database.reading() as session:
        assert findings.load(session, slip, by=cast.reader(session, "reviewer")) is None
        assert findings.load(session, slip, by=cast.reader(session, "controller")) is not None


def test_a_corrective_report_that_is_due_soon_or_late_stands_in_the_digest(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    slip = raised(
        site, cast, under_way(site, cast, make_revision("in_force").code), due_on=clock.today() + timedelta(days=7)
    )
    with site.database.reading() as session:
        head = cast.reader(session, "reviewer")
        assert [row.id for row in findings.to_remind(session, by=head)] == [slip]
        assert findings.to_remind(session, by=cast.reader(session, "auditor")) == []
    for days, found in ((1, []), (10, [slip])):
        with clock.at(clock.midnight(clock.today() + timedelta(days=days))), site.database.reading() as session:
            assert [row.id for row in findings.to_remind(session, by=cast.reader(session, "reviewer"))] == found


def test_after_a_merger_the_head_of_the_successor_answers(site: Site, cast: Cast, make_revision: Make) -> None:
    slip = raised(site, cast, under_way(site, cast, make_revision("in_force").code))
    with site.database.writing() as session:
        into = units.find(session, "NV")
        session.execute(text(f"DELETE FROM role_grant WHERE role = 'reviewer' AND unit_id <> {into.id}"))
    with site.database.reading() as session:
        assert findings.load(session, slip, by=cast.reader(session, "reviewer")) is None
    with site.database.writing() as session:
        justice = units.find(session, "TP")
        reorganising.merge(session, [justice], units.find(session, "NV"), by=cast.reader(session, "admin"))
    answered(site, cast, slip)


def test_the_self_assessment_counts_corrective_reports_that_were_due_and_in_time(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = under_way(site, cast, make_revision("in_force").code)
    due = clock.today() + timedelta(days=1)
    first, _late = (raised(site, cast, made, due_on=due) for _ in range(2))
    answered(site, cast, first)
    later = clock.midnight(clock.today() + timedelta(days=3))
    with clock.at(later), site.database.reading() as session:
        found = facts.facts(session, figures.of_year(session, due.year))
        assert found["corrected"].met is False
        assert found["corrected"].sentence.en.startswith("1 of 2 corrective reports due in the year in time")


def test_the_self_assessment_counts_the_audits_of_the_year_and_how_many_were_reported(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    code = make_revision("in_force", title="Quy trình đánh giá nội bộ").code
    first, second, called_off = under_way(site, cast, code), under_way(site, cast, code), opened(site, cast)
    year = clock.today().year
    with site.database.writing() as session:
        by = cast.reader(session, "auditor")
        audits.act(session, session.get_one(InternalAudit, called_off), "cancel", by=by, reason="Hoãn sang năm sau.")
    after = clock.midnight(date(year + 1, 1, 1))
    with clock.at(after), site.database.reading() as session:
        computed = figures.of_year(session, year)
        found = facts.facts(session, computed)["internal_audit"]
        assert (computed.figure("internal_audits_reported").text, found.met) == ("0/2 = 0,0 %", False)
    for reported, made in enumerate((first, second), start=1):
        with site.database.writing() as session:
            row, by = session.get_one(InternalAudit, made), cast.reader(session, "auditor")
            walked(session, cast, audits.samples(session, row)[0])
            words = {"conclusion": "Hệ thống được duy trì.", "first_day": row.first_day, "last_day": row.last_day}
            audits.edit(session, row, by=by, **words)
            audits.act(session, row, "report", by=by, signing=cast.signing(session, "auditor"))
        with clock.at(after), site.database.reading() as session:
            computed = figures.of_year(session, year)
            figure, found = (
                computed.figure("internal_audits_reported"),
                facts.facts(session, computed)["internal_audit"],
            )
            assert (figure.numerator, figure.denominator, figure.on) == (reported, 2, date(year, 12, 31))
            assert (found.met, found.behind) == (None, "/internal-audits#audits")
            assert figure.text in found.sentence.en
            assert figures.of_year(session, year + 1).figure("internal_audits_reported").denominator == 0
