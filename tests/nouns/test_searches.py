"""Saved searches tell once what matches anew and may be seen; figures of searches name nobody."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text

from docctl import clock, jobs, notices, people, searches
from docctl.notices import FOUND, Mail, Notice
from docctl.rules import Refused
from docctl.searches import Wish
from docctl.searches.asking import AskedWords
from docctl.verify import verify
from tests.conftest import decide, take

BIRTH = "Quy trình đăng ký lại khai sinh"


@pytest.fixture
def save(site, cast):
    """Return a function that saves a search for one of the cast, once the index has followed."""

    def make(who, words="khai sinh", **narrowed):
        jobs.wake(site)
        with site.database.writing() as session:
            return searches.save(session, site.engine, Wish(words, **narrowed), by=cast.reader(session, who)).id

    return make


def told(site, who):
    jobs.wake(site)
    with site.database.reading() as session:
        account = people.find(session, who)
        query = select(Notice).where(Notice.account_id == account.id, Notice.kind == FOUND).order_by(Notice.id)
        return [row.text_en for row in session.scalars(query)]


def letters(site, who):
    with site.database.reading() as session:
        account = people.find(session, who)
        return list(session.scalars(select(Mail.subject).where(Mail.account_id == account.id, Mail.kind == FOUND)))


def address(site, cast, who, *, without=()):
    with site.database.writing() as session:
        wanted = [kind for kind in notices.MAILED if kind not in without]
        notices.choose(session, by=cast.reader(session, who), email=f"{who}@office.example", wanted=wanted)


def test_what_matches_anew_is_told_once_in_the_page_and_by_mail(site, cast, make_revision, save):
    make_revision("in_force", title=BIRTH)
    address(site, cast, "staff")
    save("staff")
    assert told(site, "staff") == []  # What was there already is known.
    made = make_revision("in_force", title="Cấp bản sao khai sinh")
    make_revision("in_force", title="Đăng ký kết hôn")
    assert told(site, "staff") == [f"Saved search “khai sinh” found something new: {made.code} Cấp bản sao khai sinh"]
    assert len(letters(site, "staff")) == 1
    with site.database.writing() as session:  # The document is named by the trail again, and nothing is new.
        from docctl import documents

        document = session.get_one(documents.Document, made.document_id)
        documents.set_confidential(session, document, by=cast.reader(session, "controller"), confidential=True)
    assert len(told(site, "staff")) == 1


def test_a_draft_is_told_to_whoever_may_see_it_and_to_nobody_else(site, cast, make_revision, save):
    for who in ("author", "neighbour", "staff"):
        save(who, scope="all")
    make_revision("draft", title="Quy trình khai sinh tuyệt mật")
    assert len(told(site, "author")) == 1
    assert told(site, "neighbour") == []
    assert told(site, "staff") == []


def test_what_begins_to_be_in_force_at_midnight_is_told_with_no_act(site, cast, make_revision, save):
    made = make_revision("approved", title=BIRTH)
    save("staff")
    decide(site, cast, issue=[made.id], on=clock.today() + timedelta(days=3))
    assert told(site, "staff") == []
    with clock.at(clock.midnight(clock.today() + timedelta(days=3))):
        assert len(told(site, "staff")) == 1
        assert len(told(site, "staff")) == 1


def test_a_text_that_is_read_later_is_found_then(site, cast, make_revision, save):
    save("auditor", words="giay chung sinh", scope="all")
    made = make_revision("draft", title="Một quy trình", text="Hồ sơ có giấy chứng sinh.")
    assert len(told(site, "auditor")) == 1
    take(site, cast, made.id, "submit")
    assert len(told(site, "auditor")) == 1


def test_filters_hold_for_what_is_told(site, cast, make_revision, save):
    save("staff", unit="NV")
    make_revision("in_force", title=BIRTH)
    assert told(site, "staff") == []
    make_revision("in_force", title=BIRTH, by="neighbour", unit="NV")
    assert len(told(site, "staff")) == 1


def test_no_letter_comes_of_a_kind_that_is_not_wanted_and_the_notice_comes_all_the_same(
    site, cast, make_revision, save
):
    address(site, cast, "staff", without=(FOUND,))
    save("staff")
    make_revision("in_force", title=BIRTH)
    assert len(told(site, "staff")) == 1
    assert letters(site, "staff") == []


def test_many_new_ones_are_one_notice(site, cast, make_revision, save):
    save("staff")
    for n in range(5):
        make_revision("in_force", title=f"{BIRTH} số {n}")
    assert told(site, "staff")[0].endswith("… and 2 more")
    assert len(told(site, "staff")) == 1


def test_a_closed_account_is_told_nothing(site, cast, make_revision, save):
    save("staff")
    with site.database.writing() as session:
        people.disable(session, people.find(session, "staff"))
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    with site.database.reading() as session:
        assert session.scalars(select(Notice).where(Notice.kind == FOUND)).all() == []


def test_a_name_is_taken_once_and_a_search_that_finds_too_much_is_not_watched(site, make_revision, save, monkeypatch):
    save("staff")
    with pytest.raises(Refused, match="Bạn đã lưu một tra cứu tên"):
        save("staff")
    make_revision("in_force", title=BIRTH)
    make_revision("in_force", title=BIRTH)
    monkeypatch.setattr("docctl.searches.saving.MOST_WATCHED", 1)
    with pytest.raises(Refused, match="Tra cứu này có 2 kết quả"):
        save("auditor")


def asked(site, cast, who, words, *, found=False, took_ms=3.0):
    with site.database.reading() as session:
        site.heard.note(by=cast.reader(session, who), words=words, found=found, took_ms=took_ms)


def stored(site) -> str:
    """Return everything that the tables of figures hold, as one text."""
    with site.database.reading() as session:
        return repr(session.execute(text("SELECT * FROM asked_words")).all())


def test_words_are_kept_for_the_administrator_only_when_three_people_typed_them(site, cast):
    for who in ("staff", "staff", "author"):
        asked(site, cast, who, "Nghỉ phép")
        asked(site, cast, who, "lương của chánh văn phòng", found=True, took_ms=900)
    jobs.wake(site)
    assert "phep" not in stored(site)
    assert "luong" not in stored(site)
    with site.database.reading() as session:
        figures = searches.figures(session)
    assert (figures.searches, figures.nothing, figures.slow) == (6, 3, 3)
    assert (figures.found_nothing, figures.took_long) == ([], [])
    assert (figures.nothing_hidden, figures.slow_hidden) == (3, 3)
    asked(site, cast, "auditor", "nghi phep")
    jobs.wake(site)
    with site.database.reading() as session:
        shown = searches.figures(session).found_nothing
        assert [(row.words, row.times, row.nothing) for row in shown] == [("nghi phep", 4, 4)]
        assert session.scalars(select(AskedWords.askers).where(AskedWords.words != "")).all() == ["[]"]


def test_figures_go_after_thirty_days_and_ones_own_words_after_the_tenth(site, cast):
    for n in range(12):
        asked(site, cast, "staff", f"khai sinh {n}", found=True)
    jobs.wake(site)
    with site.database.reading() as session:
        reader = cast.reader(session, "staff")
        assert searches.recent(session, site.heard, by=reader) == [f"khai sinh {n}" for n in range(11, 1, -1)]
    with clock.at(clock.now() + timedelta(days=31)):
        asked(site, cast, "author", "kết hôn")
        jobs.wake(site)
        with site.database.reading() as session:
            assert searches.figures(session).searches == 1
            assert session.scalar(text("SELECT count(*) FROM asked_words")) == 1


def test_what_people_search_for_leaves_no_word_in_the_trail_and_the_record_stays_whole(site, cast, make_revision, save):
    make_revision("in_force", title=BIRTH)
    save("staff")
    asked(site, cast, "staff", "khai sinh", found=True)
    jobs.wake(site)
    assert verify(site).problems == []
