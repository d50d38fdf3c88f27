"""Home is a to-do list: each of the cast sees what waits for him, and nothing that is not his."""

from datetime import timedelta

import pytest

from docctl import clock
from tests.conftest import decide


def part(page: str, id: str) -> str:
    """Return one section of a page, or nothing."""
    return page.split(f'<section class="section" id="{id}"')[1].split("</section>")[0] if f'id="{id}"' in page else ""


@pytest.mark.parametrize(
    ("state", "who", "act"),
    [
        ("draft", "author", "Submit for review"),
        ("in_review", "reviewer", "Endorse"),
        ("in_review", "format-reviewer", "Endorse"),
        ("in_approval", "approver", "Approve"),
    ],
)
def test_what_waits_for_me_stands_first_with_its_one_act(make_revision, sign_in, state, who, act):
    made = make_revision(state)
    waits = part(sign_in(who).read("/"), "mine")
    assert made.code in waits
    assert f'href="/revisions/{made.id}">{act}</a>' in waits


def test_a_draft_that_still_lacks_its_file_waits_for_its_author(make_revision, sign_in):
    made = make_revision("draft", bare=True)
    assert f'href="/revisions/{made.id}">Finish the draft</a>' in part(sign_in("author").read("/"), "mine")


def test_a_reviewer_who_has_endorsed_is_no_longer_waited_for(make_revision, site, cast, sign_in):
    from tests.conftest import take

    made = make_revision("in_review")
    take(site, cast, made.id, "endorse")
    assert made.code not in part(sign_in("reviewer").read("/"), "mine")
    assert made.code in part(sign_in("format-reviewer").read("/"), "mine")


def test_an_author_sees_whom_he_waits_for(make_revision, sign_in):
    made = make_revision("in_review")
    page = sign_in("author").read("/")
    assert made.code not in part(page, "mine")
    assert made.code in part(page, "theirs")
    assert "Waiting for endorsement" in part(page, "theirs")


def test_what_waits_longest_stands_first(make_revision, sign_in):
    with clock.at(clock.now() - timedelta(days=9)):
        old = make_revision("in_review")
    new = make_revision("in_review")
    with clock.at(clock.now() - timedelta(days=20)):
        oldest = make_revision("draft")
    from_author = part(sign_in("reviewer").read("/"), "mine")
    assert from_author.index(old.code) < from_author.index(new.code)
    assert oldest.code not in from_author


def test_a_controller_is_told_how_many_approved_revisions_wait_for_a_decision(make_revision, sign_in):
    make_revision("approved")
    make_revision("approved")
    assert "2 approved revisions wait for a decision" in sign_in("controller").read("/")
    assert "wait for a decision" not in sign_in("author").read("/")


def test_what_changed_lately_is_told_with_its_count_and_old_news_is_not(make_revision, sign_in):
    recent = make_revision("in_force")
    old = make_revision("in_force", on=clock.today() - timedelta(days=90))
    news = part(sign_in("staff").read("/"), "news")
    assert recent.code in news
    assert old.code not in news


def test_staff_see_nothing_that_is_not_in_force(make_revision, sign_in):
    hidden = [
        make_revision(state, title=f"Bí mật {state}") for state in ("draft", "in_review", "scheduled", "withdrawn")
    ]
    page = sign_in("staff").read("/")
    assert "Bí mật" not in page
    assert all(f"/revisions/{made.id}" not in page for made in hidden)


def test_an_administrator_is_pointed_to_accounts_and_backup_and_has_no_business_act(make_revision, sign_in):
    make_revision("in_approval")
    page = sign_in("admin").read("/")
    assert 'href="/accounts"' in part(page, "keeping")
    assert "docctl backup" in part(page, "keeping")
    assert not part(page, "mine")


def test_an_empty_home_says_what_to_do_first(sign_in):
    assert "Begin a revision" in part(sign_in("author").read("/"), "mine")
    assert "What others send you" in part(sign_in("approver").read("/"), "mine")


def test_a_signed_decision_waits_for_the_controller(make_revision, site, cast, sign_in):
    made = make_revision("approved")
    decide(site, cast, issue=[made.id], on=clock.today(), until="sign")
    assert "Execute" in part(sign_in("controller").read("/"), "mine")


def test_a_stranger_is_asked_to_sign_in(stranger):
    answer = stranger.get("/")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/")
