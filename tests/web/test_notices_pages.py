"""The bell and the page of notices: one's own only, marked as read by posting; and the choice of letters."""

from docctl import jobs, people
from docctl.audit import Action
from docctl.notices import HEAD, MAILED
from tests.web.test_accounts_keeping import acted


def test_the_bell_counts_what_is_not_read_and_the_page_leads_to_it(make_revision, sign_in, site):
    made = make_revision("in_review")
    jobs.wake(site)
    reviewer = sign_in("reviewer")
    assert "<b>1</b></a>" in reviewer.read("/")
    page = reviewer.read("/notices")
    assert "1 of 1 not read" in page
    assert f'<a href="/revisions/{made.id}">Endorse: {made.code}' in page
    assert "No notices yet" in sign_in("staff").read("/notices")


def test_a_notice_is_marked_as_read_by_its_owner_only(make_revision, sign_in, site):
    make_revision("in_review", title="Một")
    make_revision("in_review", title="Hai")
    jobs.wake(site)
    reviewer, staff = sign_in("reviewer"), sign_in("staff")
    number = reviewer.read("/notices").split('name="notice" value="')[1].split('"')[0]
    staff.read("/notices")
    assert staff.send("/notices/read", notice=number).status_code == 303
    assert "2 of 2 not read" in reviewer.read("/notices")
    assert reviewer.send("/notices/read", notice=number).status_code == 303
    assert "1 of 2 not read" in reviewer.read("/notices")
    assert reviewer.send("/notices/read").status_code == 303
    assert "0 of 2 not read" in reviewer.read("/notices")
    assert reviewer.get("/notices/read").status_code == 405


def test_the_choice_of_letters_is_kept_and_a_wrong_address_comes_back_as_typed(sign_in, site):
    staff = sign_in("staff")
    page = staff.read("/account/notices")
    kinds = MAILED.keys() - {HEAD}
    assert page.count(" checked") == len(kinds)
    assert "sends no mail yet" in page
    answer = staff.send("/account/notices", email="không phải", kinds="waits")
    assert answer.status_code == 409
    assert 'value="không phải"' in answer.text
    assert "is no address for mail" in answer.text
    assert staff.send("/account/notices", email="staff@office.example", kinds="waits").status_code == 303
    page = staff.read("/account/notices")
    assert 'value="staff@office.example"' in page
    assert page.count(" checked") == 1
    told = acted(site, Action.MAIL_CHOSEN)[-1]
    assert (told["email"], told["refused"]) == ("staff@office.example", sorted(kinds - {"waits"}))


def test_an_auditor_chooses_whether_signed_heads_come_and_is_led_there_from_the_trail(sign_in, site):
    auditor = sign_in("auditor")
    assert '<a href="/account/notices">' in auditor.read("/trail")
    page = auditor.read("/account/notices")
    assert "Checkpoints of the trail for me to keep outside the server" in page
    assert page.count(" checked") == len(MAILED)
    assert auditor.send("/account/notices", email="auditor@office.example", kinds=["waits", "head"]).status_code == 303
    assert acted(site, Action.MAIL_CHOSEN)[-1]["refused"] == ["digest", "found", "reminder"]
    assert '<a href="/account/notices">' not in sign_in("controller").read("/trail")


def test_a_new_account_can_have_an_address(sign_in, site):
    admin = sign_in("admin")
    admin.read("/accounts/new")
    given = {"name": "mới", "full_name": "Cán bộ mới", "title_vi": "Cán bộ", "unit": "TP", "roles": "staff"}
    assert admin.send("/accounts", **given, email="sai").status_code == 409
    assert admin.send("/accounts", **given, email="moi@office.example").status_code == 200
    with site.database.reading() as session:
        assert people.find(session, "mới").email == "moi@office.example"
