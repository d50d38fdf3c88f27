"""Suggestions while typing: titles, codes and one's own latest words, as far as somebody may know of them."""

import time

from docctl import jobs
from docctl.search import suggesting

BIRTH, MARRIAGE = "Quy trình đăng ký lại khai sinh", "Quy trình đăng ký kết hôn"


def asked(browser, typed, **given):
    answer = browser.get("/search/suggestions", query_string={"q": typed, **given})
    assert answer.status_code == 200
    return [(item["kind"], item["text"]) for item in answer.json["items"]]


def test_the_beginning_of_a_word_of_a_title_suggests_the_document_and_where_it_opens(sign_in, site, make_revision):
    made = make_revision("in_force", title=BIRTH)
    make_revision("in_force", title=MARRIAGE)
    jobs.wake(site)
    staff = sign_in("staff")
    for typed in ("khai s", "KHAI SI", "khai sinh", "đăng ký lại k", "lai khai"):
        assert asked(staff, typed) == [("document", BIRTH)], typed
    assert len(asked(staff, "dang ky")) == 2
    item = staff.get("/search/suggestions?q=khai+s").json["items"][0]
    assert item["url"] == f"/revisions/{made.id}"
    assert item["code"] == made.code


def test_the_title_that_begins_with_what_was_typed_comes_first(sign_in, site, make_revision):
    make_revision("in_force", title="Quy trình đăng ký kết hôn")
    make_revision("in_force", title="Đăng ký kết hôn có yếu tố nước ngoài")
    jobs.wake(site)
    assert asked(sign_in("staff"), "dang ky ket")[0][1] == "Đăng ký kết hôn có yếu tố nước ngoài"


def test_half_a_code_suggests_its_document_however_it_is_written(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH, code="QT 01/CX-HCTP")
    make_revision("in_force", title=MARRIAGE, code="QT 12/CX-HCTP")
    jobs.wake(site)
    staff = sign_in("staff")
    for typed in ("QT 01", "qt 01/c", "QT 01/CX-HCTP", "qt 0", "qt01", "01/cx"):
        assert ("document", BIRTH) in asked(staff, typed), typed
        assert ("document", MARRIAGE) not in asked(staff, typed), typed


def test_words_that_stand_in_texts_only_suggest_nothing(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH, text="Nộp hồ sơ tại bộ phận một cửa.")
    jobs.wake(site)
    assert asked(sign_in("staff"), "bo phan") == []


def test_a_draft_is_suggested_to_nobody_who_may_not_see_it(sign_in, site, make_revision):
    make_revision("draft", title="Quy trình tuyệt mật")
    jobs.wake(site)
    assert asked(sign_in("staff"), "tuyet") == []
    assert asked(sign_in("staff"), "tuyet", scope="all") == []
    assert asked(sign_in("neighbour"), "tuyet", scope="all") == []
    assert asked(sign_in("author"), "tuyet") == []
    assert asked(sign_in("author"), "tuyet", scope="all") == [("document", "Quy trình tuyệt mật")]


def test_the_database_has_the_last_word_when_the_index_is_behind(sign_in, site, cast, make_revision):
    from datetime import timedelta

    from docctl import clock
    from tests.conftest import decide

    made = make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff = sign_in("staff")
    assert asked(staff, "khai") == [("document", BIRTH)]
    decide(
        site, cast, withdraw=[made.document_id], on=clock.today() - timedelta(days=1)
    )  # The index does not know yet.
    assert asked(staff, "khai") == []


def test_ones_own_latest_words_are_suggested_to_oneself_alone_and_can_be_forgotten(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    staff, author = sign_in("staff"), sign_in("author")
    staff.read("/search?q=lai+khai+sinh")
    staff.read("/search?q=khong+co+gi+het+ca")
    assert asked(staff, "") == [("recent", "lai khai sinh")]
    assert asked(staff, "lai")[0] == ("recent", "lai khai sinh")
    jobs.wake(site)  # From memory into the database.
    assert asked(staff, "khai")[0] == ("recent", "lai khai sinh")
    assert asked(author, "") == []
    staff.read("/saved-searches")
    assert staff.send("/search/recent/removal").status_code == 303
    assert asked(staff, "") == []


def test_suggestions_ask_for_sign_in(stranger):
    assert stranger.get("/search/suggestions?q=khai").status_code == 303


def test_suggestions_cost_little(site, cast, make_revision):
    for n in range(20):
        make_revision("in_force", title=f"Quy trình đăng ký số {n} về hộ tịch")
    jobs.wake(site)
    with site.database.reading() as session:
        reader = cast.reader(session, "staff")
        assert suggesting.suggest(session, site.engine, "quy tr", reader=reader)  # What is kept is worked out once.
        began = time.process_time()
        for typed in ("quy tr", "dang k", "ho ti", "dang ky so 1"):
            suggesting.suggest(session, site.engine, typed, reader=reader)
        each = (time.process_time() - began) / 4
    print(f"a suggestion took {each * 1000:.1f} ms of CPU")
    assert each < 0.1
