"""Changing one's own password by page."""

from docctl import audit
from docctl.audit import Action
from tests.conftest import PASSWORD

NEW = "một câu mới dài hơn"


def change(browser, old=PASSWORD, new=NEW, again=None):
    browser.read("/account/password")
    return browser.send("/account/password", password=old, new_password=new, again=new if again is None else again)


def test_a_new_password_ends_the_other_sessions_and_keeps_this_one(sign_in, site):
    here, elsewhere = sign_in("staff"), sign_in("staff")
    assert change(here).status_code == 303
    assert here.get("/").status_code == 200
    assert elsewhere.get("/").status_code == 303  # To the sign-in page.
    assert sign_in("staff", password=NEW).get("/").status_code == 200
    with site.database.reading() as session:
        assert [row.actor for row in audit.entries(session) if row.action == Action.PASSWORD_CHANGED] == [
            "Chức danh staff"
        ]


def test_the_cookie_of_the_session_is_another_one_afterwards(sign_in):
    browser = sign_in("staff")
    before = browser.get_cookie("docctl").value
    change(browser)
    copied = browser.get_cookie("docctl").value
    assert copied != before
    browser.set_cookie("docctl", before)
    assert browser.get("/").status_code == 303


def test_a_wrong_old_password_changes_nothing(sign_in):
    browser = sign_in("staff")
    answer = change(browser, old="không phải nó")
    assert answer.status_code == 409
    assert 'aria-invalid="true"' in answer.text
    assert sign_in("staff").get("/").status_code == 200


def test_a_short_a_repeated_and_an_unequal_password_are_refused_with_their_field_marked(sign_in):
    browser = sign_in("staff")
    for new, again, sentence in (
        ("ngắn", "ngắn", "at least 10 characters"),
        (PASSWORD, PASSWORD, "must differ"),
        (NEW, f"{NEW}!", "was not the same twice"),
    ):
        answer = change(browser, new=new, again=again)
        assert answer.status_code == 409
        assert sentence in answer.text
        assert NEW not in answer.text  # No password ever comes back in a page.
    assert sign_in("staff").get("/").status_code == 200


def test_a_one_time_password_lets_nobody_past_the_page_that_changes_it(sign_in, app, site):
    admin = sign_in("admin")
    admin.read("/accounts")
    given = one_time(admin.send(f"/accounts/{account_id(site, 'staff')}/one-time-password").text)
    browser = app.test_client()
    browser.get("/sign-in")
    assert browser.send("/sign-in", name="staff", password=given).status_code == 303
    assert browser.get("/documents").location == "/account/password"
    assert "Choose one of your own" in browser.read("/account/password")
    assert change(browser, old=given).status_code == 303
    assert browser.get("/documents").status_code == 200


def test_the_form_needs_its_token(sign_in):
    browser = sign_in("staff")
    sent = {"password": PASSWORD, "new_password": NEW, "again": NEW}
    assert browser.post("/account/password", data=sent).status_code == 400
    assert sign_in("staff").get("/").status_code == 200


def test_only_who_is_signed_in_has_a_password_to_change(stranger):
    assert stranger.get("/account/password").status_code == 303


def one_time(page: str) -> str:
    return page.split("<dd><code>")[2].split("</code>")[0]


def account_id(site, name: str) -> int:
    from docctl import people

    with site.database.reading() as session:
        return people.find(session, name).id
