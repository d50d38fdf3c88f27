"""People: passwords, throttle, sessions that die, roles for a time, and work handed over when somebody leaves."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from docctl import audit, clock, people, revisions, units
from docctl.people import FailedSignIn, SignIn, WrongPassword
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.site import Site
from tests.conftest import PASSWORD, Cast, Made, take


def fail(site: Site, name: str, address: str, times: int) -> None:
    with site.database.writing() as session:
        for _ in range(times):
            people.record_failure(session, name, address)


def test_a_wrong_name_and_a_wrong_password_get_the_same_sentence(site: Site) -> None:
    said = set()
    with site.database.reading() as session:
        for name, password in (("author", "sai"), ("nobody", PASSWORD), ("", ""), ("author", "")):
            with pytest.raises(WrongPassword) as wrong:
                people.check_password(session, name, password)
            said.add(wrong.value.sentence)
        assert people.check_password(session, " AUTHOR ", PASSWORD).name == "author"
    assert len(said) == 1


@pytest.mark.parametrize(
    ("name", "address", "times", "throttled"),
    [
        ("author", "10.0.0.1", 4, False),
        ("author", "10.0.0.1", 5, True),
        ("author", "10.9.9.9", 19, False),
        ("author", "10.9.9.9", 20, True),
        ("somebody", "10.0.0.1", 59, False),
        ("somebody", "10.0.0.1", 60, True),
        ("somebody", "10.9.9.9", 200, False),
    ],
)
def test_wrong_passwords_throttle_by_name_and_address_by_name_and_by_address(
    site: Site, name: str, address: str, times: int, throttled: bool
) -> None:
    fail(site, name, address, times)
    with site.database.reading() as session:
        if not throttled:
            assert people.check_password(session, "author", PASSWORD, address="10.0.0.1").name == "author"
            return
        with pytest.raises(Refused) as refused:
            people.check_password(session, "author", PASSWORD, address="10.0.0.1")
        assert not isinstance(refused.value, WrongPassword)
        assert "15" in refused.value.sentence.en


def test_the_throttle_ends_after_its_window_and_signing_is_throttled_alike(site: Site) -> None:
    fail(site, "approver", "10.0.0.1", 5)
    with site.database.reading() as session:
        approver = people.find(session, "approver")
        with pytest.raises(Refused):
            people.reauthenticate(session, approver, PASSWORD, address="10.0.0.1")
        with clock.at(clock.now() + people.FAILURE_WINDOW + timedelta(seconds=1)):
            assert people.reauthenticate(session, approver, PASSWORD, address="10.0.0.1").valid_for(approver.id)


def test_a_good_sign_in_forgets_the_failures_of_its_name(site: Site) -> None:
    fail(site, "author", "10.0.0.1", 4)
    with site.database.writing() as session:
        people.open_session(session, people.find(session, "author"))
        assert session.query(FailedSignIn).count() == 0


def test_a_session_lives_in_the_database_by_the_hash_of_its_token_and_dies_there(site: Site) -> None:
    with site.database.writing() as session:
        author = people.find(session, "author")
        one, two = people.open_session(session, author), people.open_session(session, author)
        assert one != two
        assert one not in repr(session.query(SignIn.token_hash).all())
        found = people.session_account(session, one)
        assert found is not None
        assert found[0].id == author.id
        people.close_session(session, one)
    with site.database.reading() as session:
        assert people.session_account(session, one) is None, "a copied cookie is dead"
        assert people.session_account(session, two) is not None
        assert people.session_account(session, "forged") is None


def test_a_session_ends_after_8_idle_hours_and_after_24_in_any_case(site: Site) -> None:
    with site.database.writing() as session:
        token = people.open_session(session, people.find(session, "author"))
    began = clock.now()
    for hours, alive in ((7, True), (9, False)):
        with site.database.reading() as session, clock.at(began + timedelta(hours=hours)):
            assert bool(people.session_account(session, token)) is alive
    for hours in (6, 12, 18, 23):
        with site.database.writing() as session, clock.at(began + timedelta(hours=hours)):
            people.touch(session, token)
            assert people.session_account(session, token)
    with site.database.reading() as session, clock.at(began + timedelta(hours=24, minutes=1)):
        assert people.session_account(session, token) is None


def test_a_new_password_ends_every_session_and_a_short_one_is_refused(site: Site) -> None:
    with site.database.writing() as session:
        author = people.find(session, "author")
        token = people.open_session(session, author)
        with pytest.raises(Refused) as refused:
            people.set_password(session, author, "ngắn")
        assert refused.value.field == "new_password"
        people.set_password(session, author, "một câu mật khẩu mới")
        assert people.session_account(session, token) is None
        assert people.check_password(session, "author", "một câu mật khẩu mới")


def test_passwords_are_kept_as_argon2id_at_the_cost_that_was_chosen(site: Site) -> None:
    with site.database.writing() as session:
        added = people.add(session, name="mới", password="một câu đủ dài", roles=["staff"], unit=units.office(session))
        assert added.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_a_closed_account_signs_in_no_more_and_keeps_its_name_on_the_records(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("approved")
    with site.database.writing() as session:
        approver = people.find(session, "approver")
        token = people.open_session(session, approver)
        people.disable(session, approver)
        assert people.session_account(session, token) is None
        with pytest.raises(WrongPassword):
            people.check_password(session, "approver", PASSWORD)
        with pytest.raises(Refused):
            people.find(session, "approver")
        assert audit.of_record(session, "revision", made.id)[-1].actor == "Chức danh approver"


def test_open_drafts_go_to_the_successor_and_what_is_under_review_stays_its_authors(
    site: Site, cast: Cast, make_revision: Callable[..., Made]
) -> None:
    drafts = [make_revision("draft", title=f"Dự thảo {n}") for n in range(2)]
    under_review = make_revision("in_review", title="Đang xem xét")
    with site.database.writing() as session:
        leaving, heir = people.find(session, "author"), people.find(session, "neighbour")
        people.grant(session, heir, "author", unit=units.find(session, "TP"))
        admin = people.find(session, "admin")
        assert revisions.hand_over(session, leaving, heir, by=admin) == 2
        people.disable(session, leaving)
    with site.database.reading() as session:
        assert {session.get_one(Revision, row.id).author.name for row in drafts} == {"neighbour"}
        assert session.get_one(Revision, under_review.id).author.name == "author"
        last = audit.of_record(session, "revision", drafts[0].id)[-1]
        assert (last.actor, last.values["author_id"]) == ("Chức danh admin", heir.id)
    take(site, cast, drafts[0].id, "submit", by="neighbour")


def test_a_role_counts_from_its_first_day_to_its_last(site: Site) -> None:
    today = clock.today()
    with site.database.writing() as session:
        staff = people.find(session, "staff")
        people.grant(
            session, staff, "approver", valid_from=today + timedelta(days=1), valid_to=today + timedelta(days=3)
        )
    with site.database.reading() as session:
        staff = people.find(session, "staff")
        for away, holds in ((0, False), (1, True), (3, True), (4, False)):
            assert people.reader(session, staff, day=today + timedelta(days=away)).has("approver") is holds, away


def test_a_role_in_a_unit_reaches_the_units_below_it_and_no_other(site: Site) -> None:
    with site.database.writing() as session:
        tp = units.find(session, "TP")
        team = units.add(session, code="TP-HT", name_vi="Tổ Hộ tịch", parent=tp)
        reviewer = people.reader(session, people.find(session, "author"))
        assert "author" in reviewer.roles_in(team.id)
        assert reviewer.roles_in(units.find(session, "NV").id) == frozenset()
        assert reviewer.roles_in(None) == frozenset(), "one unit is not the whole office"


def test_an_unknown_role_and_a_taken_name_are_refused(site: Site) -> None:
    with site.database.writing() as session:
        with pytest.raises(Refused) as refused:
            people.grant(session, people.find(session, "staff"), "king")
        assert refused.value.field == "role"
        with pytest.raises(Refused) as refused:
            people.add(session, name=" STAFF ", password="một câu đủ dài", roles=[], unit=units.office(session))
        assert refused.value.field == "name"
