"""The administrator's page of the search: how the index is, what is looked for in vain, and building it anew."""

import time

from docctl import audit, jobs
from docctl.audit import Action

BIRTH = "Quy trình đăng ký lại khai sinh"


def test_the_administrator_sees_size_position_and_that_nothing_is_behind(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    admin = sign_in("admin")
    jobs.wake(site)
    page = admin.read("/search-index")
    assert "The index is up to date" in page
    assert "whoosh" in page
    assert "kB in" in page
    make_revision("in_force", title=BIRTH)
    assert "The index is behind: 1 documents" in admin.read("/search-index")
    assert "Search index" in admin.read("/")


def test_what_is_searched_for_in_vain_is_shown_without_a_name_when_three_people_typed_it(sign_in, site, make_revision):
    make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    for who in ("staff", "author", "auditor"):
        sign_in(who).read("/search?q=nghi+phep+nam")
    sign_in("staff").read("/search?q=luong+cua+toi")
    jobs.wake(site)
    page = sign_in("admin").read("/search-index")
    assert ">nghi phep nam</a>" in page
    assert "luong cua toi" not in page
    assert "1 searches in vain with words of fewer than 3 people." in page
    assert "Title of staff" not in page


def test_nobody_else_sees_it_or_builds_the_index(sign_in):
    for who in ("controller", "auditor", "staff"):
        browser = sign_in(who)
        assert browser.get("/search-index").status_code == 403
        assert browser.send("/search-index/builds").status_code == 403
    assert "Search index" not in sign_in("controller").read("/")


def test_without_work_in_the_background_the_page_says_which_command_to_run(sign_in, site):
    admin = sign_in("admin")
    assert "run docctl reindex on the server" in admin.read("/search-index")
    assert admin.send("/search-index/builds").status_code == 409


def test_the_index_is_built_anew_in_the_background_and_the_trail_says_who_asked(sign_in, site, make_revision):
    made = make_revision("in_force", title=BIRTH)
    jobs.wake(site)
    before = site.engine.generation()
    admin = sign_in("admin")
    workers = jobs.Workers(site)
    workers.start()
    try:
        assert "Build the index anew" in admin.read("/search-index")
        assert admin.send("/search-index/builds").status_code == 303
        until = time.monotonic() + 60
        while (jobs.rebuilding(site) or site.engine.generation() == before) and time.monotonic() < until:
            time.sleep(0.02)
    finally:
        workers.stop()
    assert site.engine.generation()[0] != before[0]  # Another build.
    assert f"/revisions/{made.id}" in sign_in("staff").read("/search?q=khai+sinh")
    with site.database.reading() as session:
        assert audit.page(session, action=Action.INDEX_REBUILD_ASKED)[0] == 1
