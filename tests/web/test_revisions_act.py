"""Acts on a revision: they work, they ask for the right person, the password and the reason, and a second press does nothing."""

import pytest
from sqlalchemy import func, select

from docctl import audit, people
from docctl.lifecycle import Signature
from docctl.revisions import Revision
from tests.conftest import PASSWORD

SIGNS = {"endorse": "reviewer", "approve": "approver"}
FROM = {
    "submit": ("draft", "author", "in_review"),
    "endorse": ("in_review", "reviewer", "in_review"),
    "approve": ("in_approval", "approver", "approved"),
    "send_back": ("in_review", "reviewer", "draft"),
    "take_back": ("in_review", "author", "draft"),
    "reopen": ("approved", "approver", "draft"),
    "discard": ("draft", "author", "discarded"),
}
NEEDS_REASON = ("send_back", "take_back", "reopen", "discard")


def press(browser, revision_id: int, trigger: str, **form: str):
    """Press the button of an act on the page as it stands now."""
    page = browser.get(f"/revisions/{revision_id}").text
    lock = page.split('name="lock" value="')[1].split('"')[0] if 'name="lock" value="' in page else "1"
    return browser.send(f"/revisions/{revision_id}/transitions", **{"trigger": trigger, "lock": lock, **form})


def full(trigger: str) -> dict[str, str]:
    """Return what an act asks for."""
    asked = {"reason": "Cần xem lại."} if trigger in NEEDS_REASON else {}
    return asked | ({"password": PASSWORD} if trigger in SIGNS else {})


def state(site, revision_id: int) -> str:
    with site.database.reading() as session:
        return session.get_one(Revision, revision_id).state


def signatures(site) -> int:
    with site.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Signature).where(Signature.revision_id.is_not(None)))


@pytest.mark.parametrize("trigger", FROM)
def test_it_works(site, make_revision, sign_in, trigger):
    begins, who, ends = FROM[trigger]
    made = make_revision(begins)
    answer = press(sign_in(who), made.id, trigger, **full(trigger))
    assert (answer.status_code, answer.location) == (303, f"/revisions/{made.id}"), answer.text
    assert state(site, made.id) == ends


@pytest.mark.parametrize("trigger", FROM)
def test_it_needs_the_role(site, make_revision, sign_in, trigger):
    made = make_revision(FROM[trigger][0])
    with site.database.reading() as session:
        lock = str(session.get_one(Revision, made.id).lock)
    answer = press(sign_in("auditor"), made.id, trigger, lock=lock, **full(trigger))
    assert answer.status_code == 403
    assert state(site, made.id) == FROM[trigger][0]


@pytest.mark.parametrize("trigger", NEEDS_REASON)
def test_without_a_reason_it_is_refused_on_its_field(site, make_revision, sign_in, trigger):
    begins, who, _ = FROM[trigger]
    made = make_revision(begins)
    answer = press(sign_in(who), made.id, trigger, reason="  ")
    assert answer.status_code == 409
    assert f'id="act-{trigger}-reason-error"' in answer.text
    assert state(site, made.id) == begins


@pytest.mark.parametrize("trigger", SIGNS)
def test_without_the_password_nothing_is_signed(site, make_revision, sign_in, trigger):
    begins, who, _ = FROM[trigger]
    made = make_revision(begins)
    before = signatures(site)
    for typed in ({}, {"password": "wrong password"}):
        answer = press(sign_in(who), made.id, trigger, **typed)
        assert answer.status_code == 409
        assert f'id="act-{trigger}-password-error"' in answer.text
    assert (state(site, made.id), signatures(site)) == (begins, before)


def test_the_password_of_somebody_else_signs_nothing(site, make_revision, sign_in):
    made = make_revision("in_approval")
    with site.database.writing() as session:
        people.set_password(session, people.find(session, "approver"), "another sentence of his own")
    browser = sign_in("approver", password="another sentence of his own")
    assert press(browser, made.id, "approve", password=PASSWORD).status_code == 409
    assert state(site, made.id) == "in_approval"


def test_a_refused_act_keeps_the_reason_that_was_typed(make_revision, sign_in, cast):
    made = make_revision("in_review")
    answer = press(sign_in("reviewer"), made.id, "endorse", reason="Đã xem kỹ.", password="wrong password")
    assert 'aria-invalid="true"' in answer.text
    assert "so nothing was signed" not in answer.text or "The password is wrong" in answer.text


@pytest.mark.parametrize("trigger", FROM)
def test_an_old_page_does_nothing(site, make_revision, sign_in, trigger):
    begins, who, _ = FROM[trigger]
    made = make_revision(begins)
    answer = press(sign_in(who), made.id, trigger, lock="0", **full(trigger))
    assert answer.status_code == 409
    assert "Somebody has just changed this record" in answer.text
    assert state(site, made.id) == begins


def test_a_second_press_changes_nothing(site, make_revision, sign_in):
    made = make_revision("in_approval")
    browser = sign_in("approver")
    page = browser.get(f"/revisions/{made.id}").text
    lock = page.split('name="lock" value="')[1].split('"')[0]
    form = {"trigger": "approve", "lock": lock, "password": PASSWORD}
    answers = [browser.send(f"/revisions/{made.id}/transitions", **form).status_code for _ in range(2)]
    assert answers == [303, 409]
    assert signatures(site) == 3


@pytest.mark.parametrize("trigger", ["issue", "withdraw", "execute", "", "no_such_act"])
def test_no_page_issues_or_withdraws(site, make_revision, sign_in, trigger):
    for begins in ("approved", "in_force"):
        made = make_revision(begins)
        before = state(site, made.id)
        answer = press(sign_in("controller"), made.id, trigger, reason="x", password=PASSWORD)
        assert answer.status_code in (403, 409)
        assert state(site, made.id) == before


@pytest.mark.parametrize("who", ["staff", "neighbour", "admin"])
def test_anothers_revision_is_not_found(site, make_revision, sign_in, who):
    made = make_revision("in_review")
    assert press(sign_in(who), made.id, "take_back", reason="x").status_code == 404
    assert state(site, made.id) == "in_review"


def test_reading_the_address_changes_nothing(make_revision, sign_in):
    made = make_revision("draft")
    assert sign_in("author").get(f"/revisions/{made.id}/transitions?trigger=submit").status_code == 405


def test_without_the_token_of_the_page_nothing_happens(site, make_revision, sign_in):
    made = make_revision("draft")
    answer = sign_in("author").post(f"/revisions/{made.id}/transitions", data={"trigger": "submit", "lock": "1"})
    assert answer.status_code == 400
    assert state(site, made.id) == "draft"


def test_a_stranger_is_asked_to_sign_in(site, make_revision, stranger):
    made = make_revision("in_approval")
    stranger.get("/sign-in")
    answer = stranger.send(f"/revisions/{made.id}/transitions", trigger="approve", password=PASSWORD)
    assert answer.location.startswith("/sign-in")
    assert state(site, made.id) == "in_approval"


def test_a_refused_attempt_is_in_the_trail(site, make_revision, sign_in):
    made = make_revision("in_approval")
    press(sign_in("author"), made.id, "approve", password=PASSWORD)
    with site.database.reading() as session:
        last = list(audit.entries(session))[-1]
        assert (last.action, last.actor, last.values["trigger"]) == ("act.refused", "Chức danh author", "approve")


class TestTheAuthorCannotApprove:
    """By no route: neither by his page, nor by a replayed form, nor in a second tab, nor with a second role."""

    def test_his_page_offers_no_such_button(self, make_revision, sign_in):
        made = make_revision("in_approval")
        assert 'value="approve"' not in sign_in("author").read(f"/revisions/{made.id}")

    def test_a_form_taken_from_the_approvers_page_is_refused(self, site, make_revision, sign_in):
        made = make_revision("in_approval")
        lock = sign_in("approver").get(f"/revisions/{made.id}").text.split('name="lock" value="')[1].split('"')[0]
        answer = press(sign_in("author"), made.id, "approve", lock=lock, password=PASSWORD)
        assert answer.status_code == 403
        assert state(site, made.id) == "in_approval"

    def test_an_author_who_is_also_approver_sees_why_not_and_is_refused(self, site, make_revision, sign_in):
        made = make_revision("in_approval")
        with site.database.writing() as session:
            people.grant(session, people.find(session, "author"), "approver")
        browser = sign_in("author")
        page = browser.read(f"/revisions/{made.id}")
        assert "The author may not approve his or her own revision." in page
        assert press(browser, made.id, "approve", password=PASSWORD).status_code == 409
        assert state(site, made.id) == "in_approval"

    def test_a_second_tab_opened_before_he_lost_a_role_is_refused(self, site, make_revision, sign_in):
        made = make_revision("in_approval", by="neighbour")
        with site.database.writing() as session:
            people.grant(session, people.find(session, "author"), "approver")
        browser = sign_in("author")
        tab = browser.read(f"/revisions/{made.id}")
        assert 'value="approve"' in tab
        with site.database.writing() as session:
            for grant in people.find(session, "author").grants:
                if grant.role == "approver":
                    session.delete(grant)
        lock = tab.split('name="lock" value="')[1].split('"')[0]
        answer = browser.send(f"/revisions/{made.id}/transitions", trigger="approve", lock=lock, password=PASSWORD)
        assert answer.status_code == 404  # Without the role he does not even see it.
        assert state(site, made.id) == "in_approval"
