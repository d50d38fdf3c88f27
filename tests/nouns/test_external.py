"""External documents: one entry a number, state derived on any day, odd dates warned and kept, changes by other acts."""

from datetime import date

import pytest

from docctl import external, verify
from docctl.external import Change, Entry
from docctl.lifecycle import Stale
from docctl.rules import NoRole, Refused
from docctl.site import Site

DECREE = Entry(
    number="123/2015/NĐ-CP",
    title="Quy định chi tiết một số điều của Luật Hộ tịch",
    kind="Nghị định",
    issued_on=date(2015, 11, 15),
    effective_from=date(2016, 1, 1),
)


def test_its_state_is_derived_from_its_dates_and_from_what_changes_it(site: Site, cast):
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        row = external.add(session, DECREE, by=by)
        assert row.state_on(date(2015, 12, 31)) == external.NOT_YET
        assert row.state_on(date(2016, 1, 1)) == external.IN_FORCE
        external.amend(session, row, Change("104/2022/NĐ-CP", date(2023, 1, 1)), by=by)
        assert row.state_on(date(2023, 1, 1)) == external.IN_FORCE
        assert [change.number for change in row.amended_by(date(2023, 1, 1))] == ["104/2022/NĐ-CP"]
        assert row.amended_by(date(2022, 12, 31)) == []
        external.amend(session, row, Change("1/2030/NĐ-CP", date(2030, 7, 1), external.REPLACED), by=by)
        assert row.state_on(date(2030, 6, 30)) == external.IN_FORCE
        assert row.state_on(date(2030, 7, 1)) == external.EXPIRED
    assert verify.verify(site).ok


def test_a_number_is_the_same_whatever_its_accents_case_and_spaces(site: Site, cast):
    with site.database.writing() as session:
        by = cast.reader(session, "controller")
        external.add(session, Entry(number="2545/QĐ-UBND", title="Ban hành quy chế"), by=by)
        with pytest.raises(Refused) as refused:
            external.add(session, Entry(number="2545 / qd-ubnd", title="Ban hành quy chế"), by=by)
        assert refused.value.field == "number"
        assert external.with_number(session, "2545/QD-UBND").number == "2545/QĐ-UBND"


def test_odd_dates_are_kept_and_warned(site: Site, cast):
    with site.database.writing() as session:
        entry = Entry(
            number="69/2020/TT-BTC", title="Hồ sơ", issued_on=date(2020, 7, 15), effective_from=date(2020, 7, 1)
        )
        row = external.add(session, entry, by=cast.reader(session, "controller"))
        assert row.effective_from == date(2020, 7, 1)
        assert ["15/07/2020" in sentence.vi for sentence in external.warnings(row)] == [True]


def test_only_a_controller_changes_the_register_and_a_stale_page_is_refused(site: Site, cast):
    with site.database.writing() as session:
        with pytest.raises(NoRole):
            external.add(session, DECREE, by=cast.reader(session, "author"))
        by = cast.reader(session, "controller")
        row = external.add(session, DECREE, by=by)
        assert external.edit(session, row, DECREE, by=by, seen=row.lock) is False
        with pytest.raises(Stale):
            external.edit(session, row, DECREE, by=by, seen=row.lock - 1)
        with pytest.raises(Refused):
            external.amend(session, row, Change("104/2022/NĐ-CP"), by=by)


def test_verify_notices_a_date_that_was_changed_behind_the_trail(site: Site, cast):
    with site.database.writing() as session:
        external.add(session, DECREE, by=cast.reader(session, "controller"))
        session.connection().exec_driver_sql("UPDATE external_document SET effective_from = '2017-01-01'")
    found = [problem for problem in verify.verify(site).problems if problem.record == "external_document 1"]
    assert [problem.what for problem in found] == ["state"]
