"""The public pages: what is in force of posted types, for everybody; nothing of anything else, and no cookie."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from urllib.parse import quote_plus

import pysqlite3
import pytest
from flask import Flask

from docctl import clock, documents, jobs, posting, procedures, verify
from docctl.documents import Document
from docctl.procedures import Entry
from docctl.site import Site
from docctl.web import public
from docctl.web.throttle import Throttle
from tests.conftest import PASSWORD, Cast, Made, decide
from tests.web.conftest import Browser

ATOM = "{http://www.w3.org/2005/Atom}"


def restrict(site: Site, cast: Cast, document_id: int) -> None:
    with site.database.writing() as session:
        document = session.get_one(Document, document_id)
        documents.set_confidential(session, document, by=cast.reader(session, "controller"), confidential=True)


def set_posting(site: Site, cast: Cast, type: str, level: str) -> None:
    with site.database.writing() as session:
        kind = documents.find_type(session, type)
        posting.set_type(session, kind, by=cast.reader(session, "controller"), posting=level)


def test_a_citizen_finds_and_opens_what_is_in_force(
    site: Site, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force", title="Quy trình cấp bản sao trích lục hộ tịch")
    jobs.wake(site)
    assert f"/public/documents/{made.document_id}" in stranger.read("/public/?field=")
    assert "trích lục" in stranger.read("/public/search?q=trich+luc")
    page = stranger.read(f"/public/documents/{made.document_id}")
    assert "IN FORCE" in page
    assert made.code in page
    assert "1/QĐ-UBND" in page


@pytest.mark.parametrize("state", ["draft", "in_review", "approved", "scheduled", "discarded"])
def test_what_is_not_in_force_is_not_there(
    site: Site, stranger: Browser, make_revision: Callable[..., Made], state: str
) -> None:
    made = make_revision(state, title="Quy trình chưa ai được đọc")
    jobs.wake(site)
    assert stranger.get(f"/public/documents/{made.document_id}").status_code == 404
    assert "chưa ai" not in stranger.read("/public/") + stranger.read("/public/?field=")
    assert ">0</b> found" in stranger.read("/public/search?q=chua+ai+duoc+doc")


def test_a_restricted_document_and_an_unposted_type_are_not_there(
    site: Site, cast: Cast, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force", title="Quy trình bảo vệ bí mật nhà nước")
    jobs.wake(site)
    assert stranger.get(f"/public/documents/{made.document_id}").status_code == 200
    restrict(site, cast, made.document_id)
    other = make_revision("in_force", title="Hướng dẫn nội bộ kho lưu trữ")
    set_posting(site, cast, "QT", "nothing")
    jobs.wake(site)
    for path in (f"/public/documents/{made.document_id}", f"/public/documents/{other.document_id}"):
        assert stranger.get(path).status_code == 404
        assert stranger.get(f"{path}/rendition").status_code == 404
    seen = stranger.read("/public/") + stranger.read("/public/search?q=bi+mat") + stranger.get("/public/feed.atom").text
    assert "bí mật" not in seen
    assert "nội bộ" not in seen


def test_of_a_listed_type_the_title_is_posted_and_the_text_is_not(
    site: Site, cast: Cast, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force", title="Sổ tay chất lượng", text="Từ hiếm zyzzyva chỉ có trong nội dung.")
    set_posting(site, cast, "QT", "listed")
    jobs.wake(site)
    assert f"/public/documents/{made.document_id}" in stranger.read("/public/search?q=so+tay+chat+luong")
    assert ">0</b> found" in stranger.read("/public/search?q=zyzzyva")
    page = stranger.read(f"/public/documents/{made.document_id}")
    assert "Its text is not posted" in page
    assert "rendition" not in page
    assert stranger.get(f"/public/documents/{made.document_id}/rendition").status_code == 404


def test_what_was_withdrawn_says_so_and_is_not_read_any_more(
    site: Site, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("withdrawn", title="Quy trình đã hủy bỏ")
    jobs.wake(site)
    page = stranger.read(f"/public/documents/{made.document_id}")
    assert "NO LONGER IN FORCE" in page
    assert "2/QĐ-UBND" in page
    assert stranger.get(f"/public/documents/{made.document_id}/rendition").status_code == 404
    assert ">0</b> found" in stranger.read("/public/search?q=da+huy+bo")


def test_the_pages_need_no_cookie_and_set_none(
    site: Site, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    made = make_revision("in_force")
    jobs.wake(site)
    for path in ("/", "/?field=", "/search?q=khai+sinh", "/procedures", f"/documents/{made.document_id}", "/feed.atom"):
        answer = stranger.get(f"/public{path}")
        assert answer.status_code == 200, path
        assert "Set-Cookie" not in answer.headers, path
        assert answer.headers["Cache-Control"] == "public, no-cache", path
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
        again = stranger.get(f"/public{path}", headers={"If-None-Match": answer.headers["ETag"]})
        assert again.status_code == 304, path


def test_the_address_carries_the_language(site: Site, stranger: Browser, make_revision: Callable[..., Made]) -> None:
    make_revision("in_force")
    page = stranger.read("/public/?lang=vi")
    assert 'lang="vi"' in page
    assert "/public/?field=&lang=vi" in page
    assert 'lang="en"' in stranger.read("/public/?lang=en")


def test_the_feed_tells_of_new_editions_and_ends(
    site: Site, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    kept, gone = (
        make_revision("in_force", title="Quy trình mới & hay"),
        make_revision("withdrawn", title="Quy trình cũ"),
    )
    make_revision("draft", title="Dự thảo kín")
    feed = ElementTree.fromstring(stranger.get("/public/feed.atom").data)
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles[0] == f"{gone.code} Quy trình cũ: withdrawn"
    assert sorted(titles[1:]) == sorted([f"{gone.code} Quy trình cũ: new", f"{kept.code} Quy trình mới & hay: new"])
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.findall(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids) == 3
    assert feed.findtext(f"{ATOM}updated") == feed.findtext(f"{ATOM}entry/{ATOM}updated")


def test_administrative_procedures_lead_to_posted_documents_only(
    site: Site, cast: Cast, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    shown, hidden = (
        make_revision("in_force", title="Quy trình công khai"),
        make_revision("in_force", title="Quy trình kín"),
    )
    restrict(site, cast, hidden.document_id)
    with site.database.writing() as session:
        controller = cast.reader(session, "controller")
        for number, made in enumerate((shown, hidden), start=1):
            entry = Entry(code=f"1.00000{number}", title=f"Thủ tục {number}", field="Hộ tịch")
            row = procedures.add(session, entry, by=controller)
            procedures.link(session, row, session.get_one(Document, made.document_id), by=controller)
    page = stranger.read("/public/procedures")
    assert f"/public/documents/{shown.document_id}" in page
    assert "Thủ tục 2" in page
    assert f"/public/documents/{hidden.document_id}" not in page
    assert hidden.code not in page
    assert "1.000001" in stranger.read(f"/public/documents/{shown.document_id}")


def test_an_address_that_asks_too_much_is_told_to_wait(app: Flask, stranger: Browser) -> None:
    app.extensions["public throttle"] = Throttle(burst=2, rate=1e-6)
    answers = [stranger.get("/public/", environ_overrides={"REMOTE_ADDR": "192.0.2.7"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert "Set-Cookie" not in answers[-1].headers
    assert stranger.get("/public/", environ_overrides={"REMOTE_ADDR": "192.0.2.8"}).status_code == 200


def test_the_throttle_fills_again_with_time() -> None:
    throttle = Throttle(burst=10, rate=2)
    assert [throttle.wait("a", 5, now=0.0) for _ in range(3)] == [0, 0, 3]
    assert throttle.wait("b", 10, now=0.0) == 0
    assert throttle.wait("a", 5, now=2.4) == 1
    assert throttle.wait("a", 5, now=2.5) == 0


def test_signing_the_posting_ticks_what_was_owed(
    site: Site, sign_in: Callable[..., Browser], make_revision: Callable[..., Made]
) -> None:
    make_revision("in_force")
    controller = sign_in("controller")
    assert "1/QĐ-UBND" in controller.read("/posting")
    assert controller.send("/decisions/1/posting", password="không phải").status_code in (401, 409)
    assert controller.send("/decisions/1/posting", password=PASSWORD).status_code == 303
    page = controller.read("/posting")
    assert "1 posted, 0 taken down, 0 not posted" in page
    decision = controller.read("/decisions/1")
    assert "1 tài liệu được đăng" in decision
    assert "/public/" in decision
    assert controller.send("/decisions/1/posting", password=PASSWORD).status_code == 409


def test_a_posting_of_the_future_and_of_nothing_is_refused(
    site: Site, cast: Cast, sign_in: Callable[..., Browser], make_revision: Callable[..., Made]
) -> None:
    later = make_revision("approved")
    number = decide(site, cast, issue=[later.id], on=clock.today() + timedelta(days=3))
    controller = sign_in("controller")
    controller.read("/posting")
    answer = controller.send(f"/decisions/{number}/posting", password=PASSWORD)
    assert answer.status_code == 409
    assert "takes effect on" in answer.text
    make_revision("in_force")
    set_posting(site, cast, "QT", "nothing")
    answer = controller.send(f"/decisions/{number + 1}/posting", password=PASSWORD)
    assert answer.status_code == 409
    assert "No document of this decision is shown" in answer.text


def test_only_a_controller_decides_and_signs(
    sign_in: Callable[..., Browser], make_revision: Callable[..., Made]
) -> None:
    make_revision("in_force")
    staff = sign_in("staff")
    staff.read("/")
    assert staff.get("/posting").status_code == 403
    assert staff.send("/posting/types/1", posting="content").status_code == 403
    auditor = sign_in("auditor")
    assert "Sign the posting" not in auditor.read("/posting")
    assert auditor.send("/decisions/1/posting", password=PASSWORD).status_code == 403


def test_verify_sees_what_somebody_made_public_behind_the_trail(
    site: Site, cast: Cast, sign_in: Callable[..., Browser], make_revision: Callable[..., Made]
) -> None:
    make_revision("in_force")
    controller = sign_in("controller")
    controller.read("/posting")
    controller.send("/decisions/1/posting", password=PASSWORD)
    set_posting(site, cast, "ST", "content")
    assert verify.verify(site).problems == []
    with closing(pysqlite3.connect(str(site.settings.storage / "docctl.db"))) as connection:
        connection.execute("UPDATE document_type SET posting = 'content' WHERE code = 'HD'")
        connection.execute("DROP TRIGGER posting_never_changes")
        connection.execute("UPDATE posting SET on_show = 5")
        connection.commit()
    found = {(problem.what, problem.record) for problem in verify.verify(site).problems}
    assert {("state", "document_type HD"), ("state", "posting 1"), ("schema", "trigger posting_never_changes")} <= found


def listed(
    site: Site, make_document: Callable[..., int], make_revision: Callable[..., Made], title: str, **given: str
) -> Made:
    """Put an instruction in force: of its type the title is posted and the text is not."""
    document = make_document(title, type="HD", **given)
    return make_revision("in_force", document_id=document, title=title)


def documents_on(page: str) -> list[str]:
    return re.findall(r'class="title"[^>]*><a href="/public/documents/(\d+)', page)


def test_the_own_code_of_a_listed_document_leads_to_it_alone_and_not_to_what_is_spelled_alike(
    site: Site,
    cast: Cast,
    stranger: Browser,
    make_document: Callable[..., int],
    make_revision: Callable[..., Made],
) -> None:
    for number in range(3):
        make_revision("in_force", title=f"Quy trình hộ tịch số {number}", code=f"HT-VP-0{number}")
    made = listed(site, make_document, make_revision, "Hướng dẫn lưu hồ sơ", code="HD-VP-05")
    set_posting(site, cast, "HD", "listed")
    jobs.wake(site)
    for typed in ("HD-VP-05", "hd vp 05", "HD VP 5", "Hướng dẫn lưu hồ sơ"):
        page = stranger.read(f"/public/search?q={quote_plus(typed)}")
        assert documents_on(page)[0] == str(made.document_id), typed
        assert "This was searched for" not in page, typed
    assert ">1</b> found" in stranger.read("/public/search?q=HD-VP-05")


def test_over_all_pages_every_hit_and_every_listed_document_stands_once(
    site: Site,
    cast: Cast,
    stranger: Browser,
    make_document: Callable[..., int],
    make_revision: Callable[..., Made],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(public, "PAGE", 3)  # Pages of twenty would need a whole office.
    made = [make_revision("in_force", title=f"Lưu hồ sơ phòng {number}").document_id for number in range(5)]
    for title in ("Lưu hồ sơ", *(f"Hướng dẫn lưu hồ sơ {number}" for number in range(4))):
        made.append(listed(site, make_document, make_revision, title).document_id)
    for title in ("Kế hoạch", *(f"Kế hoạch {number}" for number in range(4))):  # No hit stands between these.
        listed(site, make_document, make_revision, title)
    set_posting(site, cast, "HD", "listed")
    jobs.wake(site)
    pages = [documents_on(stranger.read(f"/public/search?q=luu+ho+so&page={number}")) for number in range(1, 6)]
    assert [len(page) for page in pages] == [3, 3, 3, 1, 0]
    assert pages[0][0] == str(made[5])  # Its whole title is what was typed.
    assert sorted(int(id) for page in pages for id in page) == sorted(made)
    pages = [documents_on(stranger.read(f"/public/search?q=ke+hoach&page={number}")) for number in range(1, 4)]
    assert [len(page) for page in pages] == [3, 2, 0]
    assert len({id for page in pages for id in page}) == 5


def test_while_the_index_is_being_built_the_public_page_says_so_and_not_that_nothing_is_there(
    site: Site, stranger: Browser, make_revision: Callable[..., Made]
) -> None:
    make_revision("in_force", title="Quy trình cấp bản sao trích lục hộ tịch")
    page = stranger.read("/public/search?q=trich+luc")
    assert "The search index is being built again" in page
    assert "Nothing found" not in page
    assert "found, of" not in page
    jobs.wake(site)
    assert "being built" not in stranger.read("/public/search?q=trich+luc")
