"""The sample office's laws and procedures: 264 of 319 covered, and a changed decree that was assessed."""

from datetime import date

from docctl import external, procedures, watch
from docctl.demo import law
from docctl.site import Site


def test_264_of_319_procedures_are_covered_which_is_82_point_8_percent(sample_site: Site):
    with sample_site.database.reading() as session:
        found = procedures.coverage.on(session, date(2022, 12, 31))
        assert (found.all.covered, found.all.applied, found.all.percent) == (264, 319, 82.8)
        assert sum(share.applied for share in found.by_field) == 319
        assert len(procedures.alarms(session).without_document) == 55
    assert len({sample.code for sample in law.catalogue()}) == 319


def test_every_document_citing_the_changed_decree_was_assessed_within_three_months_but_for_what_must_change(
    sample_site: Site,
):
    with sample_site.database.reading() as session:
        rows = watch.board.all_standing(session)
        assert {row.assessment.cause_number for row in rows} == {"104/2022/NĐ-CP"}
        assert {row.assessment.deadline for row in rows} == {date(2023, 4, 3)}  # 01/04/2023 is a Saturday.
        assert all(row.bucket == "on_time" for row in rows if row.assessment.state == "no_effect")
        assert external.with_number(session, "123/2015/ND-CP").amended_by(date(2023, 1, 1))
