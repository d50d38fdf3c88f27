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


def test_a_code_as_it_is_written_comes_before_codes_with_other_numbers(sign_in, site, make_revision, monkeypatch):
    monkeypatch.setattr(suggesting, "READ", 3)  # So that few documents are as many as an index has too many of.
    for n in range(6):
        make_revision("in_force", title=f"Quy trình số {n}", code=f"QT-1.00{n}", text="Theo QT 01/CX. " * 9)
    make_revision("in_force", title=MARRIAGE, code="QT 012/CX-HCTP")
    make_revision("in_force", title=BIRTH, code="QT 01/CX-HCTP")
    jobs.wake(site)
    staff = sign_in("staff")
    for typed in ("QT 01/", "QT-01/", "qt01.", "qt.01/cx-h", "Qt 01 cx", "QT–01–CX", "code:qt01/", "qt 01 "):
        found = asked(staff, typed)
        assert found[0] == ("document", BIRTH), typed
        assert ("document", MARRIAGE) not in found, typed
    for typed in ("QT-01", "qt01", "code:QT01"):  # Of which the number may go on.
        assert asked(staff, typed)[:2] == [("document", BIRTH), ("document", MARRIAGE)], typed
    assert asked(staff, "QT-1")[0] == ("document", "Quy trình số 0")
    assert ("document", BIRTH) not in asked(staff, "QT-1.")
    assert asked(staff, "QT-1.005")[0] == ("document", "Quy trình số 5")
    assert asked(staff, "QT 0")[:2] == [("document", BIRTH), ("document", MARRIAGE)]


def test_what_follows_code_is_a_code_however_far_it_is_typed(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH, code="QT-TP.07")
    make_revision("in_force", title="Sổ tay QT-TP", code="ST-01", text="Xem QT-TP.07.")
    jobs.wake(site)
    staff = sign_in("staff")
    for typed in (
        "code:QT-TP",
        "code:qt",
        "code: QT-TP.0",
        "mã:qt-tp.07",
        "Mã: tp",
        "code:tp.07",
        "khai sinh code:QT-TP",
    ):
        assert asked(staff, typed) == [("document", BIRTH)], typed
    assert ("document", "Sổ tay QT-TP") in asked(staff, "QT-TP")
    for typed in ("code:", "code:khai", "code:%", "code:_", 'code:"'):
        assert asked(staff, typed) == [], typed


def test_other_words_for_the_same_suggest_what_they_find_after_what_was_typed(sign_in, site, make_revision):
    long = "Rà soát thủ tục hành chính"
    make_revision("in_force", title=long, code="QT-31")
    make_revision("in_force", title="Công bố TTHC", code="QT-32")
    make_revision("in_force", title="Quy trình cấp giấy phép xây dựng", code="QT-33")
    jobs.wake(site)
    staff = sign_in("staff")
    assert asked(staff, "TTHC") == [("document", "Công bố TTHC"), ("document", long)]
    assert asked(staff, "thu tuc hanh chinh") == [("document", long), ("document", "Công bố TTHC")]
    assert asked(staff, "GPXD") == [("document", "Quy trình cấp giấy phép xây dựng")]
    assert asked(staff, "ra soat tthc") == [("document", long)]
    assert asked(staff, "code:TTHC") == []


def test_half_a_code_of_what_one_may_not_see_suggests_nothing(sign_in, site, make_revision):
    make_revision("draft", title="Quy trình tuyệt mật", code="QT-77.01")
    make_revision("superseded", title=BIRTH, code="QT-78.01")
    jobs.wake(site)
    for typed in ("QT-77", "code:QT-77.01"):
        assert asked(sign_in("staff"), typed) == []
        assert asked(sign_in("neighbour"), typed, scope="all") == []
        assert asked(sign_in("author"), typed) == []
        assert asked(sign_in("author"), typed, scope="all") == [("document", "Quy trình tuyệt mật")]
    assert asked(sign_in("staff"), "QT-78") == [("document", BIRTH)]  # Once, though it has two editions.


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
