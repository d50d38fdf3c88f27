"""Authority: one's own, or lent in writing for a time and a scope, quoted by every signature, never passed on."""

from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pysqlite3
import pytest
from sqlalchemy.orm import Session

from docctl import audit, authority, clock, decisions, people, revisions, units
from docctl.authority import Authority, Delegation
from docctl.lifecycle import signatures
from docctl.revisions import Revision
from docctl.rules import NoRole, Refused
from docctl.site import Site
from docctl.verify import verify
from tests.conftest import Cast, Made

Make = Callable[..., Made]


def lend(
    session: Session, cast: Cast, giver: str = "approver", to: str = "staff", by: str = "", **given: Any
) -> Delegation:
    """Lend authority for three days around today, as the giver, or as given."""
    today = clock.today()
    usual: dict[str, Any] = {
        "form": "TUQ.",
        "document_number": "12/GUQ-UBND",
        "document_date": date(2022, 3, 1),
        "valid_from": today - timedelta(days=1),
        "valid_to": today + timedelta(days=1),
    }
    return authority.delegate(
        session,
        by=cast.reader(session, by or giver),
        giver=people.find(session, giver),
        deputy=people.find(session, to),
        **(usual | given),
    )


def approve(session: Session, cast: Cast, made: Made, name: str) -> str:
    row = session.get_one(Revision, made.id)
    return revisions.approve(session, row, by=cast.reader(session, name), signing=cast.signing(session, name))


def test_an_approver_signs_by_the_authority_of_the_own_title(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("approved")
    with site.database.reading() as session:
        assert (
            signatures(session, session.get_one(Revision, made.id))[-1].authority
            == "Theo thẩm quyền của chức danh Chức danh approver"
        )
        assert [row.authority for row in signatures(session, session.get_one(Revision, made.id))[:2]] == ["", ""], (
            "a review needs none"
        )


def test_a_deputy_approves_and_the_signature_quotes_the_written_act(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session, pytest.raises(NoRole):
        approve(session, cast, made, "staff")
    with site.database.writing() as session:
        lend(session, cast)
        assert approve(session, cast, made, "staff") == "approved"
        words = signatures(session, session.get_one(Revision, made.id))[-1].authority
        assert words == "TUQ. Chức danh approver, theo giấy ủy quyền số 12/GUQ-UBND ngày 01/03/2022"
        assert audit.of_record(session, "revision", made.id)[-1].values["signature"]["authority"] == words
    assert verify(site).problems == []


@pytest.mark.parametrize(("away", "may"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_delegation_counts_from_its_first_day_to_its_last_in_the_offices_time_zone(
    site: Site, cast: Cast, make_revision: Make, away: int, may: bool
) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session:
        lend(session, cast)
    day = clock.today() + timedelta(days=away)
    for instant in (clock.midnight(day), clock.midnight(day + timedelta(days=1)) - timedelta(seconds=1)):
        with site.database.reading() as session, clock.at(instant):
            row, deputy = session.get_one(Revision, made.id), cast.reader(session, "staff")
            offer = next(act for act in revisions.acts(session, row, by=deputy) if act.trigger == "approve")
            assert (offer.refusal is None) is may


def test_a_page_loaded_yesterday_does_not_carry_yesterdays_authority(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    """The reader was made while the delegation lived; the signature is asked for when it has run out."""
    made = make_revision("in_approval")
    with site.database.writing() as session:
        lend(session, cast)
        deputy = cast.reader(session, "staff")
        signing = cast.signing(session, "staff")
        with clock.at(clock.now() + timedelta(days=3)), pytest.raises(Refused, match="không có thẩm quyền"):
            revisions.approve(session, session.get_one(Revision, made.id), by=deputy, signing=signing)


def test_a_delegation_for_one_unit_reaches_no_other_and_no_decision(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    here, there = make_revision("in_approval"), make_revision("in_approval", by="neighbour", title="Nội vụ")
    with site.database.writing() as session:
        lend(session, cast, unit=units.find(session, "TP"))
    with site.database.writing() as session, pytest.raises(NoRole):
        approve(session, cast, there, "staff")
    with site.database.writing() as session:
        assert approve(session, cast, here, "staff") == "approved"
        deputy = cast.reader(session, "staff")
        assert isinstance(authority.authority(session, deputy, None, clock.today()), people.Sentence)
        assert not deputy.sees_everything


def test_a_deputy_for_the_whole_office_signs_a_decision(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        lend(session, cast, form="KT.", document_number="5/QĐ-PC")
        decision = decisions.draft(
            session,
            by=cast.reader(session, "controller"),
            title="Ban hành",
            number="1/QĐ",
            signed_on=clock.today(),
            effective_from=clock.today(),
            lines=[decisions.Line("issue", revision=session.get_one(Revision, made.id))],
        )
        decisions.check(session, decision, by=cast.reader(session, "controller"))
        decisions.sign(session, decision, by=cast.reader(session, "staff"), signing=cast.signing(session, "staff"))
        assert decision.signer_id == people.find(session, "staff").id
        (mark,) = signatures(session, decision)
        assert mark.authority.startswith("KT. Chức danh approver, theo văn bản phân công ký thay số 5/QĐ-PC")


def test_what_was_delegated_is_never_passed_on(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        lend(session, cast)
        with pytest.raises(Refused, match="không được ủy quyền lại"):
            lend(session, cast, giver="staff", to="auditor")


def test_nobody_delegates_more_than_the_own_authority(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        head = people.find(session, "reviewer")
        people.grant(session, head, "approver", unit=units.find(session, "TP"))
        for name in ("author", "controller", "admin"):
            with pytest.raises(Refused):
                lend(session, cast, giver=name)
        with pytest.raises(Refused):
            lend(session, cast, giver="reviewer", unit=units.find(session, "NV"))
        lend(session, cast, giver="reviewer")
        deputy = cast.reader(session, "staff")
        assert "approver" in deputy.roles_in(units.find(session, "TP").id)
        assert "approver" not in deputy.roles_in(units.find(session, "NV").id)
        assert "approver" not in deputy.roles_in(None)


def test_an_authority_that_its_giver_has_lost_is_lost_to_the_deputy(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        lend(session, cast)
        assert cast.reader(session, "staff").has("approver")
        people.disable(session, people.find(session, "approver"))
        assert not cast.reader(session, "staff").has("approver")


def test_the_author_does_not_approve_as_a_deputy_either(site: Site, cast: Cast, make_revision: Make) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session:
        lend(session, cast, to="author")
        with pytest.raises(Refused, match="tự phê duyệt"):
            approve(session, cast, made, "author")


def test_only_the_giver_or_a_controller_records_a_delegation_and_nobody_one_to_himself(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        for name in ("staff", "admin", "author", "auditor"):
            with pytest.raises(NoRole):
                lend(session, cast, by=name, to="reviewer")
        with pytest.raises(NoRole):
            lend(session, cast, by="controller", to="controller")
        made = lend(session, cast, by="controller")
        entry = audit.of_record(session, "delegation", made.id)[-1]
        assert (entry.action, entry.actor) == ("delegation.made", "Chức danh controller")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"form": "TM."}, "form"),
        ({"document_number": "  "}, "document_number"),
        ({"document_number": "x" * 81}, "document_number"),
        ({"valid_to": date(2000, 1, 1)}, "valid_to"),
        ({"to": "approver", "by": "controller"}, "to"),
    ],
)
def test_a_delegation_that_is_not_in_order_is_refused_with_its_field(
    site: Site, cast: Cast, given: dict[str, Any], field: str
) -> None:
    with site.database.writing() as session, pytest.raises(Refused) as refused:
        lend(session, cast, **given)
    assert refused.value.field == field


def test_a_delegation_ends_early_once_and_what_was_signed_before_stays(
    site: Site, cast: Cast, make_revision: Make
) -> None:
    made = make_revision("in_approval")
    with site.database.writing() as session:
        lent = lend(session, cast)
        approve(session, cast, made, "staff")
        with pytest.raises(NoRole):
            authority.end(session, lent, by=cast.reader(session, "staff"), on=clock.today())
        authority.end(session, lent, by=cast.reader(session, "approver"), on=clock.today())
        assert not cast.reader(session, "staff").has("approver")
        with pytest.raises(Refused, match="một lần"):
            authority.end(session, lent, by=cast.reader(session, "approver"), on=clock.today())
        assert session.get_one(Revision, made.id).state == "approved"
    assert verify(site).problems == []


def test_own_authority_comes_before_a_lent_one(site: Site, cast: Cast) -> None:
    with site.database.writing() as session:
        people.grant(session, people.find(session, "staff"), "approver")
        lend(session, cast)
        found = authority.authority(session, cast.reader(session, "staff"), None, clock.today())
        assert isinstance(found, Authority)
        assert found.delegation is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE delegation SET valid_to = '2099-12-31'",
        "UPDATE delegation SET unit_id = 2",
        "UPDATE delegation SET to_account_id = 1",
        "UPDATE delegation SET ended_on = NULL WHERE id = 2",
        "UPDATE delegation SET ended_on = '2099-01-01' WHERE id = 2",
        "DELETE FROM delegation",
        "REPLACE INTO delegation SELECT * FROM delegation WHERE id = 1",
        "INSERT INTO delegation SELECT 9, from_account_id, to_account_id, 'TM.', document_number, document_date, unit_id, "
        "valid_from, valid_to, ended_on, made_at, made_by_id FROM delegation WHERE id = 1",
        "INSERT INTO delegation SELECT 9, from_account_id, from_account_id, form, document_number, document_date, unit_id, "
        "valid_from, valid_to, ended_on, made_at, made_by_id FROM delegation WHERE id = 1",
        "INSERT INTO delegation SELECT 9, to_account_id, from_account_id, form, document_number, document_date, unit_id, "
        "valid_from, valid_to, ended_on, made_at, made_by_id FROM delegation WHERE id = 1",
        "INSERT INTO delegation SELECT 9, from_account_id, to_account_id, form, document_number, document_date, unit_id, "
        "valid_from, NULL, ended_on, made_at, made_by_id FROM delegation WHERE id = 1",
        "INSERT INTO delegation SELECT 9, from_account_id, to_account_id, form, '', document_date, unit_id, "
        "valid_from, valid_to, ended_on, made_at, made_by_id FROM delegation WHERE id = 1",
    ],
)
def test_the_database_itself_refuses_a_delegation_that_grows_changes_or_is_passed_on(
    site: Site, cast: Cast, statement: str
) -> None:
    with site.database.writing() as session:
        lend(session, cast)
        authority.end(session, lend(session, cast, to="auditor"), by=cast.reader(session, "approver"), on=clock.today())
    with closing(pysqlite3.connect(str(site.settings.storage / "docctl.db"), isolation_level=None)) as connection:
        assert connection.execute("SELECT count(*) FROM delegation").fetchone() == (2,)
        with pytest.raises(pysqlite3.IntegrityError):
            connection.execute(statement)
