"""The administrator keeps the accounts by page: adds, closes, resets."""

from docctl import audit, people
from docctl.audit import Action
from docctl.people import Account
from docctl.revisions import Revision
from docctl.site import Site

PERSON = {
    "name": "New.Clerk",
    "full_name": "Cán bộ mới",
    "title_vi": "Chuyên viên",
    "title_en": "Officer",
    "unit": "TP",
    "roles": ["author", "staff"],
}


def account(site: Site, name: str) -> Account:
    with site.database.reading() as session:
        found = next(row for row in people.all_accounts(session) if row.name == name)
        assert found.grants is not None
        return found


def acted(site: Site, action: str) -> list[dict]:
    with site.database.reading() as session:
        # What every account became is told beside the act; here the act alone is looked at.
        told = [row.values for row in audit.entries(session) if row.action == action]
        return [{name: value for name, value in values.items() if name != "kept"} for values in told]


def test_the_list_says_who_has_which_roles_where(sign_in):
    page = sign_in("admin").read("/accounts")
    assert "of 9</span> accounts are open" in page
    assert "Unit head (content review)" in page
    assert "whole office" in page
    assert "Justice division" in page


def test_an_added_account_gets_a_password_that_is_shown_once(sign_in, app, site):
    admin = sign_in("admin")
    admin.read("/accounts/new")
    answer = admin.send("/accounts", **PERSON, in_unit="y")
    assert answer.status_code == 200
    given = answer.text.split("<dd><code>")[2].split("</code>")[0]
    assert given not in admin.read("/accounts")
    made = account(site, "new.clerk")
    assert {(row.role, row.unit_id) for row in made.grants} == {("author", made.unit_id), ("staff", made.unit_id)}
    browser = app.test_client()
    browser.get("/sign-in")
    assert browser.send("/sign-in", name="new.clerk", password=given).status_code == 303
    assert acted(site, Action.ACCOUNT_ADDED)[-1]["roles"] == ["author", "staff"]


def test_what_is_wrong_with_a_new_account_is_marked_and_what_was_typed_stays(sign_in):
    admin = sign_in("admin")
    admin.read("/accounts/new")
    for wrong, sentence in (({"name": "staff"}, "is empty or taken"), ({"roles": []}, "Choose at least one role.")):
        answer = admin.send("/accounts", **PERSON | wrong)
        assert answer.status_code == 409
        assert sentence in answer.text
        assert 'value="Cán bộ mới"' in answer.text


def test_the_page_of_a_closure_says_what_will_move_before_the_act(sign_in, site, make_revision):
    draft, reviewed = make_revision("draft", code="QT 01"), make_revision("in_review", code="QT 02")
    admin = sign_in("admin")
    author = account(site, "author")
    assert f'href="/accounts/{author.id}/closure"' in admin.read("/accounts")
    page = admin.read(f"/accounts/{author.id}/closure")
    for words in ("Drafts of documents", draft.code, reviewed.code, "what is sent back goes to the successor"):
        assert words in page
    counts = [row.split("<")[0] for row in page.split('data-label="How many">')[1:]]
    assert counts == ["1", "1", "0", "0", "0", "0", "0", "0"]
    assert account(site, "author").disabled_at is None


def test_closing_an_account_hands_its_drafts_over_and_ends_its_sessions(sign_in, site, make_revision):
    made = make_revision("draft")
    leaving, admin = sign_in("author"), sign_in("admin")
    author, heir = account(site, "author"), account(site, "neighbour")
    admin.read(f"/accounts/{author.id}/closure")
    answer = admin.send(f"/accounts/{author.id}/closure", successor=str(heir.id))
    assert answer.status_code == 409, "an author of another unit could not go on with the draft"
    assert "neighbour is no author of TP, and cannot take over 1 drafts" in answer.text
    assert f'value="{heir.id}" selected' in answer.text
    answer = admin.send(f"/accounts/{author.id}/closure", successor=str(heir.id), pass_roles="1")
    assert answer.status_code == 303
    assert "author is closed; what was open is with neighbour now." in admin.read("/accounts")
    assert leaving.get("/").status_code == 303
    with site.database.reading() as session:
        assert session.get_one(Revision, made.id).author_id == heir.id
    told = acted(site, Action.ACCOUNT_DISABLED)[-1]
    assert told.pop("disabled_at")
    assert told == {
        "name": "author",
        "successor": "neighbour",
        "drafts": 1,
        "requests": 0,
        "decisions": 0,
        "copies": 0,
        "readings": 0,
        "listings": 0,
        "delegations": 0,
        "roles": ["author"],
    }


def test_closing_needs_a_successor_who_can_act(sign_in, site):
    admin = sign_in("admin")
    admin.read("/accounts")
    author = account(site, "author")
    for successor in ("", str(author.id), "999999"):
        answer = admin.send(f"/accounts/{author.id}/closure", successor=successor)
        assert answer.status_code == 409
        assert "Choose a successor" in answer.text
    assert account(site, "author").disabled_at is None


def test_a_closed_account_is_closed_once_and_an_administrator_does_not_close_his_own(sign_in, site):
    admin = sign_in("admin")
    admin.read("/accounts")
    staff, heir, own = account(site, "staff"), account(site, "author"), account(site, "admin")
    assert admin.send(f"/accounts/{staff.id}/closure", successor=str(heir.id)).status_code == 303
    assert admin.send(f"/accounts/{staff.id}/closure", successor=str(heir.id)).status_code == 409
    assert admin.send(f"/accounts/{staff.id}/one-time-password").status_code == 409
    assert admin.send(f"/accounts/{own.id}/closure", successor=str(heir.id)).status_code == 409
    assert admin.send("/accounts/999999/closure", successor=str(heir.id)).status_code == 404
    assert len(acted(site, Action.ACCOUNT_DISABLED)) == 1


def test_a_reset_password_ends_the_old_one(sign_in, site):
    staff, admin = sign_in("staff"), sign_in("admin")
    admin.read("/accounts")
    answer = admin.send(f"/accounts/{account(site, 'staff').id}/one-time-password")
    assert answer.status_code == 200
    assert "shown once" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert staff.get("/").status_code == 303
    assert acted(site, Action.PASSWORD_CHANGED)[-1] == {"name": "staff", "one_time": True}


def test_accounts_are_changed_by_posting_only(sign_in):
    admin = sign_in("admin")
    assert admin.get("/accounts/1/one-time-password").status_code == 405


def test_nobody_but_the_administrator_keeps_accounts(sign_in, site):
    target = account(site, "staff").id
    for name in ("controller", "auditor", "staff"):
        browser = sign_in(name)
        assert browser.get("/accounts").status_code == 403, name
        assert browser.get("/accounts/new").status_code == 403, name
        assert browser.get(f"/accounts/{target}/closure").status_code == 403, name
        assert browser.send("/accounts", **PERSON).status_code == 403, name
        assert browser.send(f"/accounts/{target}/closure", successor="1").status_code == 403, name
        assert browser.send(f"/accounts/{target}/one-time-password").status_code == 403, name
    assert account(site, "staff").disabled_at is None
