"""Saved searches by page: kept for oneself, opened, removed; and what is offered when nothing is found."""

import re

from docctl import jobs

BIRTH = "Quy trình đăng ký lại khai sinh"


def test_a_search_is_saved_with_its_filters_opened_and_removed(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    make_revision("in_force", title=BIRTH, by="neighbour", unit="NV")
    jobs.wake(site)
    staff = sign_in("staff")
    page = staff.read("/search?q=khai+sinh&unit=NV")
    assert "Save this search" in page
    assert 'type="hidden" name="unit" value="NV"' in page
    saved = staff.send("/saved-searches", q="khai sinh", unit="NV", name="Hộ tịch của Nội vụ")
    assert saved.status_code == 303
    assert saved.location == "/search?q=khai+sinh&unit=NV"
    listed = staff.read("/saved-searches")
    assert "Hộ tịch của Nội vụ" in listed
    assert re.search(r'data-label="Found now">1<', listed)
    number = re.search(r"/saved-searches/(\d+)/removal", listed)[1]
    assert staff.get(f"/saved-searches/{number}").location == "/search?q=khai+sinh&unit=NV"
    assert staff.send(f"/saved-searches/{number}/removal").status_code == 303
    assert "You have saved no search yet." in staff.read("/saved-searches")


def test_a_notice_leads_to_the_search_that_it_is_about_and_goes_with_it(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff = sign_in("staff")
    staff.read("/search?q=khai+sinh")
    staff.send("/saved-searches", q="khai sinh", name="")
    make_revision("in_force", title="Cấp bản sao khai sinh")
    jobs.wake(site)
    page = staff.read("/notices")
    assert "Saved search “khai sinh” found something new" in page
    address = re.search(r'href="(/saved-searches/\d+)"', page)[1]
    assert staff.get(address).location == "/search?q=khai+sinh"
    staff.read("/saved-searches")
    staff.send(f"{address}/removal")
    assert "found something new" not in staff.read("/notices")


def test_anothers_saved_search_is_not_there(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff, author = sign_in("staff"), sign_in("author")
    staff.read("/saved-searches")
    staff.send("/saved-searches", q="khai sinh")
    number = re.search(r"/saved-searches/(\d+)/removal", staff.read("/saved-searches"))[1]
    author.read("/saved-searches")
    assert author.get(f"/saved-searches/{number}").status_code == 404
    assert author.send(f"/saved-searches/{number}/removal").status_code == 404
    assert "khai sinh" not in author.read("/saved-searches")


def test_a_taken_name_is_a_sentence_and_what_was_typed_stays(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff = sign_in("staff")
    staff.read("/saved-searches")
    staff.send("/saved-searches", q="khai sinh", name="Hộ tịch")
    again = staff.send("/saved-searches", q="kết hôn", unit="TP", name="Hộ tịch")
    assert again.status_code == 409
    assert "Give this one another name." in again.text
    assert 'value="kết hôn"' in again.text
    assert re.search(r'name="unit"[^>]*value="TP"', again.text)


def test_staff_who_ask_for_everything_in_a_saved_search_get_what_is_in_force(sign_in, site, make_revision):
    make_revision("draft", title="Quy trình tuyệt mật")
    jobs.wake(site)
    staff = sign_in("staff")
    staff.read("/saved-searches")
    saved = staff.send("/saved-searches", q="tuyệt mật", scope="all")
    assert saved.location == "/search?q=tuy%E1%BB%87t+m%E1%BA%ADt"
    assert re.search(r'data-label="Found now">0<', staff.read("/saved-searches"))


def test_saved_searches_ask_for_sign_in_and_a_token(stranger, sign_in):
    assert stranger.get("/saved-searches").status_code == 303
    assert sign_in("staff").post("/saved-searches", data={"q": "khai sinh"}).status_code in (400, 403)


def test_who_finds_nothing_and_may_ask_is_offered_the_request_with_the_words_in_it(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    author = sign_in("author")
    page = author.read("/search?q=c%E1%BA%A5p+gi%E1%BA%A5y+ph%C3%A9p+karaoke")
    address = re.search(r'href="(/requests/new[^"]+)"', page)[1]
    assert re.search(r'name="title"[^>]*value="cấp giấy phép karaoke"', author.read(address))
    assert "/requests/new" not in sign_in("auditor").read("/search?q=karaoke")


def test_the_page_of_a_hit_leads_to_that_page_in_the_reader(sign_in, site, make_revision):
    made = make_revision("in_force", title=BIRTH, text="Trang đầu.\fGiấy chứng sinh ở trang sau.")
    jobs.wake(site)
    page = sign_in("staff").read("/search?q=chung+sinh")
    assert f'href="/revisions/{made.id}/read?page=2&q=chung+sinh"' in page


def hidden(page):
    return re.search(r'action="/saved-searches">.*?name="q" value="([^"]*)"', page, re.S)[1]


def test_a_search_that_was_spelled_otherwise_is_saved_as_it_was_searched_and_tells_what_comes(
    sign_in, site, make_revision
):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff = sign_in("staff")
    page = staff.read("/search?q=khai+sinj+-karaoke+unit:TP")
    assert "instead of" in page
    assert hidden(page) == "khai sinh -karaoke unit:TP"
    page = staff.read("/search?q=khai+sinj")
    assert hidden(page) == "khai sinh"
    staff.send("/saved-searches", q=hidden(page))
    assert re.search(r'data-label="Found now">1<', staff.read("/saved-searches"))
    make_revision("in_force", title="Cấp bản sao khai sinh")
    jobs.wake(site)
    assert "Saved search “khai sinh” found something new" in staff.read("/notices")


def test_a_unit_alone_is_watched_too(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff = sign_in("staff")
    staff.send("/saved-searches", q=hidden(staff.read("/search?q=unit:TP")))
    assert re.search(r'data-label="Found now">1<', staff.read("/saved-searches"))
    make_revision("in_force", title="Cấp bản sao trích lục", unit="NV", by="neighbour")
    jobs.wake(site)
    assert "found something new" not in staff.read("/notices")
    make_revision("in_force", title="Cấp bản sao khai sinh")
    jobs.wake(site)
    assert "Saved search “unit:TP” found something new" in staff.read("/notices")


def test_who_saves_words_that_no_document_has_all_of_is_told_that_all_are_needed(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff = sign_in("staff")
    said = "Only documents that have all the words are told of."
    assert said in staff.read("/search?q=dang+ky+khai+sinh+karaoke")
    assert said not in staff.read("/search?q=dang+ky+khai+sinh")
