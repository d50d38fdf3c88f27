"""Search by page."""

import io
import re
from datetime import timedelta
from html import escape
from urllib.parse import unquote

from python_calamine import CalamineWorkbook

from docctl import clock, jobs
from tests.conftest import decide

BIRTH = "Quy trình đăng ký lại khai sinh"


def test_three_words_without_accents_find_what_is_in_force_and_the_first_hit_opens_it(sign_in, site, make_revision):
    made = make_revision("in_force", title=BIRTH, text="Thời hạn giải quyết là năm ngày làm việc.")
    make_revision("in_force", title="Quy trình cấp giấy xác nhận hôn nhân", text="Nộp hồ sơ tại bộ phận một cửa.")
    jobs.wake(site)
    staff = sign_in("staff")
    assert 'action="/search"' in staff.read("/")
    page = staff.read("/search?q=lai+khai+sinh")
    assert re.search(r'class="title"[^>]*><a href="([^"]+)"', page)[1] == f"/revisions/{made.id}"
    assert "found, of 2 in force" in page
    assert made.code in page
    assert "01/00" in page
    assert "Phòng Tư pháp" in page or "Justice division" in page
    assert staff.get(f"/revisions/{made.id}").status_code == 200


def test_what_is_found_is_marked_in_the_passage(sign_in, site, make_revision):
    make_revision("in_force", text="Hồ sơ gồm giấy chứng sinh và tờ khai theo mẫu quy định.")
    jobs.wake(site)
    page = sign_in("staff").read("/search?q=chung+sinh")
    assert re.search(r"<mark>chứng</mark>.*<mark>sinh</mark>|<mark>chứng sinh</mark>", page)


def test_a_superseded_hit_offers_the_edition_in_force(sign_in, site, make_revision):
    old = make_revision("superseded", title=BIRTH)
    jobs.wake(site)
    page = sign_in("auditor").read("/search?q=khai+sinh&scope=all")
    assert f'href="/revisions/{old.id}"' in page
    assert "Open the edition in force" in page


def test_staff_who_ask_for_everything_are_refused_with_a_sentence_and_keep_their_words(sign_in, site, make_revision):
    make_revision("superseded", title=BIRTH)
    jobs.wake(site)
    answer = sign_in("staff").get("/search?q=khai+sinh&scope=all")
    assert answer.status_code == 403
    assert "You may search what is in force only." in answer.text
    assert 'value="khai sinh"' in answer.text
    assert "/revisions/" not in answer.text
    assert 'name="scope"' not in sign_in("staff").read("/search?q=khai+sinh")


def test_a_draft_is_no_hit_and_no_count_for_who_may_not_see_it(sign_in, site, make_revision):
    make_revision("draft", title="Quy trình tuyệt mật")
    jobs.wake(site)
    page = sign_in("staff").read("/search?q=tuyet+mat")
    assert "<b>0</b> found, of 0 in force" in page
    assert "<b>1</b> found" in sign_in("author").read("/search?q=tuyet+mat&scope=all")


def test_a_day_is_typed_as_offices_write_it_or_in_iso(sign_in, site, make_revision):
    made = make_revision("withdrawn", title=BIRTH)  # In force from 30 to 10 days ago.
    jobs.wake(site)
    then, auditor = clock.today() - timedelta(days=20), sign_in("auditor")
    for written in (f"{then.day}/{then.month}/{then.year}", then.isoformat(), f"{then.isoformat()}T12:00:00%2B07:00"):
        page = auditor.read(f"/search?q=khai+sinh&on={written}")
        assert f"/revisions/{made.id}" in page, written
    assert "<b>0</b> found" in auditor.read("/search?q=khai+sinh")


def test_a_day_that_does_not_exist_is_answered_with_a_sentence_and_the_words_stay(sign_in):
    for typed in ("31/02/2026", "hôm qua", "2026-13-01", "2026-10-26T99:00", "1/1/0001"):
        answer = sign_in("auditor").get("/search", query_string={"q": "khai sinh", "on": typed})
        assert answer.status_code == 409, typed
        assert escape(f"There is no day “{typed}”") in answer.text
        assert 'value="khai sinh"' in answer.text


def test_an_unknown_unit_or_type_is_a_sentence(sign_in):
    auditor = sign_in("auditor")
    assert auditor.get("/search?q=x&unit=KHONG").status_code == 409
    assert auditor.get("/search?q=x&type=KHONG").status_code == 409
    assert auditor.get("/search?q=x&scope=mine").status_code == 409


def test_nothing_found_says_what_to_try(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    page = sign_in("auditor").read("/search?q=khong+co+gi+het")
    assert "Nothing found for “khong co gi het”." in page
    assert "Try fewer words" in page
    assert "Search everything, not only what is in force" in page


def test_nothing_found_behind_filters_offers_the_same_words_without_them(sign_in, site, make_revision):
    made = make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    auditor = sign_in("auditor")
    page = auditor.read("/search?q=khai+sinh&scope=all&state=in_review&year=2001&sort=newest")
    assert "The filters narrow the search too." in page
    (without,) = re.findall(r'<a class="btn" href="([^"]+)">Search without the filters', page)
    assert without == "/search?q=khai+sinh&scope=all&sort=newest"
    assert f"/revisions/{made.id}" in auditor.read(without)
    assert '<option selected value="in_review">in review</option>' in page
    assert "filters narrow" not in auditor.read("/search?q=khong+co+gi+het&scope=all")


def test_a_page_behind_the_last_leads_back_to_the_first_of_the_same_question(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    page = sign_in("staff").read("/search?q=khai+sinh&type=QT&page=9")
    assert re.findall(r'href="([^"]+)">First page', page) == ["/search?q=khai+sinh&type=QT"]


def test_what_was_found_comes_as_a_workbook_with_its_passages(sign_in, site, make_revision):
    for number in range(23):
        make_revision("in_force", title=f"Quy trình chung số {number}", text="=Việc chung của cơ quan.")
    make_revision("draft", title="Quy trình chung chưa ban hành", text="Việc chung sắp tới.")
    jobs.wake(site)
    staff = sign_in("staff")
    (url,) = re.findall(r'href="([^"]+)">All rows as an Excel file', staff.read("/search?q=viec+chung&type=QT"))
    book = CalamineWorkbook.from_filelike(io.BytesIO(staff.get(url).data))
    head, *rows = book.get_sheet_by_index(0).to_python()
    assert len(rows) == 23
    assert {row[head.index("State")] for row in rows} == {"in force"}
    assert {row[head.index("Passage")] for row in rows} == {"=Việc chung của cơ quan."}
    assert "Excel" not in staff.read("/search?q=khong+co+gi+het")


def test_the_workbook_of_another_day_says_which(sign_in, site, make_revision):
    make_revision("withdrawn", title=BIRTH)  # In force from 30 to 10 days ago.
    jobs.wake(site)
    then = f"{clock.today() - timedelta(days=20):%d/%m/%Y}"
    answer = sign_in("auditor").get(f"/search?q=khai+sinh&on={then}&format=xlsx")
    _head, row = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert f"in force on {then}" in row
    assert f"in force on {then.replace('/', '-')}" in unquote(answer.headers["Content-Disposition"])


def test_no_words_ask_for_words(sign_in):
    assert "Type a code or a few words." in sign_in("staff").read("/search")


def test_long_results_come_in_pages_that_keep_the_question(sign_in, site, make_revision):
    for number in range(21):
        make_revision("in_force", title=f"Quy trình chung số {number}")
    jobs.wake(site)
    staff = sign_in("staff")
    onward = re.search(r'rel="next" href="([^"]+)"', staff.read("/search?q=quy+trinh&type=QT"))[1]
    assert "q=quy" in onward
    assert "type=QT" in onward
    assert staff.read(onward.replace("&amp;", "&")).count('class="title"') == 2  # The head of the column and one row.


def test_search_asks_for_sign_in(stranger):
    assert stranger.get("/search?q=x").status_code == 303


def test_while_the_index_is_being_built_nothing_says_that_a_document_does_not_exist(sign_in, site, make_revision):
    made = make_revision("in_force", title=BIRTH)
    author = sign_in("author")
    site.engine.clear()
    page = author.read("/search?q=khai+sinh")
    assert page.count("The search index is being built again, so not everything is found yet.") == 1
    assert "Nothing found" not in page
    assert "<b>0</b> found" not in page
    assert "/requests/new?kind=new&title" not in page
    assert "The search index is being built again" in author.read("/search?q=khai+sinh&format=xlsx")
    assert site.heard.taken() == []  # The administrator would read that it was searched for in vain.
    jobs.wake(site)
    assert f"/revisions/{made.id}" in author.read("/search?q=khai+sinh")
    assert [question.found for question in site.heard.taken()] == [True]


def test_a_day_in_the_past_says_in_force_on_that_day_and_leads_to_the_edition_of_today(sign_in, site, make_revision):
    old = make_revision("superseded", title=BIRTH)  # In force from 30 to 10 days ago.
    jobs.wake(site)
    then = clock.today() - timedelta(days=20)
    auditor = sign_in("auditor")
    page = auditor.read(f"/search?q=khai+sinh&on={then.isoformat()}")
    assert f"found, of 1 in force on {then:%d/%m/%Y}" in page
    assert f"in force on {then:%d/%m/%Y}</span>" in page
    (today,) = re.findall(r'href="/revisions/(\d+)">Open the edition in force', page)
    assert int(today) != old.id
    assert f"còn hiệu lực ngày {then:%d/%m/%Y}</span>" in sign_in("auditor", locale="vi").read(
        f"/search?q=khai+sinh&on={then.isoformat()}"
    )
    now = auditor.read(f"/search?q=khai+sinh&on={clock.today().isoformat()}")
    assert f"/revisions/{today}" in now
    assert "Open the edition in force" not in now


def test_a_day_to_come_leads_to_the_edition_that_is_in_force_until_then(sign_in, site, cast, make_revision):
    made = make_revision("in_force", title=BIRTH)
    later = make_revision("approved", document_id=made.document_id, title=BIRTH, text="Lần sau.")
    decide(site, cast, issue=[later.id], on=clock.today() + timedelta(days=30))
    jobs.wake(site)
    then = clock.today() + timedelta(days=40)
    page = sign_in("auditor").read(f"/search?q=khai+sinh&on={then.isoformat()}")
    assert re.findall(r'class="title"[^>]*><a href="/revisions/(\d+)', page) == [str(later.id)]
    assert f'href="/revisions/{made.id}">Open the edition in force' in page


def test_a_documents_history_is_searched_from_its_page_and_kept_through_filters_until_it_is_left(
    sign_in, site, make_revision
):
    old = make_revision("superseded", title=BIRTH, text="Nộp bản sao sổ hộ khẩu.")
    make_revision("superseded", title="Quy trình nhập sổ hộ khẩu", text="Sổ hộ khẩu.")
    jobs.wake(site)
    auditor = sign_in("auditor")
    page = auditor.read(f"/documents/{old.document_id}")
    form = re.search(r'<form[^>]*aria-label="Search in this document\'s history">.*?</form>', page)[0]
    asked = dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', form))
    assert asked == {"document": str(old.document_id), "scope": "all"}
    page = auditor.read(f"/search?q=ho+khau&document={old.document_id}&scope=all&sort=newest")
    assert set(re.findall(r'class="title"[^>]*><a href="/revisions/(\d+)', page)) == {str(old.id)}
    assert "<b>1</b> found, of 2 editions of this document" in page
    assert f"Only in the history of {old.code} – {BIRTH}." in page
    assert re.search(rf'<input[^>]*name="document"[^>]*value="{old.document_id}"', page)
    (leave,) = re.findall(r'href="([^"]+)">Search all documents', page)
    assert leave == "/search?q=ho+khau&scope=all&sort=newest"
    assert len(re.findall(r'class="title"[^>]*><a href="/revisions/', auditor.read(leave))) == 3
    nothing = auditor.read(f"/search?q=karaoke&document={old.document_id}&scope=all")
    assert f"Only in the history of {old.code}" in nothing


def test_staff_who_see_only_what_is_in_force_are_not_offered_a_documents_history(sign_in, site, make_revision):
    made = make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff = sign_in("staff")
    assert "Search in this document's history" not in staff.read(f"/documents/{made.document_id}")
    assert staff.get(f"/search?q=khai+sinh&document={made.document_id}").status_code == 404
    assert sign_in("auditor").get("/search?q=khai+sinh&document=999").status_code == 404


def test_the_page_says_how_to_search_and_folds_the_filters_unless_one_is_set(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    auditor = sign_in("auditor")
    page = auditor.read("/search?q=khai+sinh&scope=in-force&unit=&sort=")
    for said in ('"two words"', "-word", "word*", "code:", "unit:"):
        assert said in page
    assert '<details class="folded"><summary>Filters' in page
    assert 'placeholder="DD/MM/YYYY"' in page
    assert '<details class="folded" open>' in auditor.read("/search?q=khai+sinh&scope=all")
    assert 'placeholder="ngày/tháng/năm"' in sign_in("auditor", locale="vi").read("/search")
