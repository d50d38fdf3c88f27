"""The page of a revision: one sentence first, the one act that is mine, what is missing, and a history that proves it."""

import pytest

from tests.conftest import decide, take


def acts(page: str) -> str:
    """Return the part of a page that offers acts, or nothing."""
    return (
        page.split('<div class="acts"')[1].split('<section class="section"')[0] if '<div class="acts"' in page else ""
    )


@pytest.mark.parametrize(
    ("state", "who", "sentence"),
    [
        ("draft", "author", "Edition 01/00: draft; author: Title of author. Waiting for the author"),
        ("in_review", "reviewer", "Edition 01/00: in review; author: Title of author. Waiting for endorsement"),
        ("in_approval", "approver", "Waiting for the approver."),
        ("approved", "controller", "Waiting for a decision to issue it."),
        ("scheduled", "controller", "Edition 01/00 is issued by decision 1/QĐ-UBND and takes effect on"),
        ("in_force", "staff", "Edition 01/00 is in force since"),
        ("superseded", "auditor", "by edition 01/01. It was in force from"),
        ("withdrawn", "auditor", "Edition 01/00 was withdrawn on"),
        ("discarded", "author", "Edition 01/00: discarded"),
    ],
)
def test_it_opens_with_one_sentence_of_what_it_is_now(make_revision, sign_in, state, who, sentence):
    made = make_revision(state)
    opening = sign_in(who).read(f"/revisions/{made.id}").split('<p class="opening')[1].split("</p>")[0]
    assert sentence in opening


@pytest.mark.parametrize(
    ("state", "who", "label"),
    [
        ("draft", "author", "Submit for review"),
        ("in_review", "reviewer", "Endorse"),
        ("in_review", "format-reviewer", "Endorse"),
        ("in_approval", "approver", "Approve"),
    ],
)
def test_the_act_that_is_mine_is_the_only_filled_button(make_revision, sign_in, state, who, label):
    made = make_revision(state)
    offered = acts(sign_in(who).read(f"/revisions/{made.id}")).split('<form class="act-panel"')[0]
    assert offered.count("btn-primary") == 1
    assert label in offered


def test_a_refused_act_stands_disabled_beside_the_sentence_why(make_revision, sign_in):
    made = make_revision("draft", bare=True)
    page = sign_in("author").read(f"/revisions/{made.id}")
    assert "disabled" in acts(page)
    assert "The revision has no file yet; upload one before submitting." in acts(page)
    assert "The change table is empty" in page.split("What is missing")[1]


@pytest.mark.parametrize("who", ["auditor", "staff", "admin", "controller"])
def test_those_who_take_no_part_in_it_are_offered_nothing(make_revision, sign_in, who):
    made = make_revision("in_force")
    assert not acts(sign_in(who).read(f"/revisions/{made.id}"))


@pytest.mark.parametrize(
    "state", ["draft", "in_review", "in_approval", "approved", "scheduled", "superseded", "withdrawn"]
)
@pytest.mark.parametrize("who", ["staff", "admin", "neighbour"])
def test_what_somebody_may_not_see_is_not_there(make_revision, sign_in, state, who):
    made = make_revision(state)
    browser = sign_in(who)
    assert browser.get(f"/revisions/{made.id}").status_code == 404
    assert browser.get(f"/revisions/{made.id}/original").status_code == 404


def test_the_history_tells_who_did_what_when_and_why_and_shows_signatures(make_revision, sign_in):
    made = make_revision("in_force")
    history = sign_in("auditor").read(f"/revisions/{made.id}").split('id="history"')[1]
    steps = ["revision drafted", "Submit for review", "Endorse", "Endorse", "Approve", "Sign", "Issue"]
    at = -1
    for step in steps:
        at = history.index(step, at + 1)
    assert history.count('class="signed"') == 4
    assert 'href="/decisions/1">1/QĐ-UBND</a>' in history


def test_signatures_of_an_earlier_round_are_kept_and_shown_void(make_revision, site, cast, sign_in):
    made = make_revision("in_review")
    take(site, cast, made.id, "endorse")
    browser = sign_in("format-reviewer")
    browser.get(f"/revisions/{made.id}")
    browser.send(f"/revisions/{made.id}/transitions", trigger="send_back", reason="Thiếu căn cứ.", lock="3")
    page = sign_in("author").read(f"/revisions/{made.id}")
    signatures = page.split('id="signatures"')[1].split("</section>")[0]
    assert "<s>Reviewed and endorsed" in signatures
    assert "<strong>void</strong>" in signatures
    assert "Thiếu căn cứ." in page.split('id="history"')[1]


def test_the_workflow_is_drawn_with_the_present_state_marked_and_its_version(make_revision, sign_in):
    made = make_revision("in_review")
    page = sign_in("reviewer").read(f"/revisions/{made.id}")
    assert page.count("is-current") == 1
    assert "version 2" in page.split('id="workflow"')[1]


def test_an_open_revision_is_set_beside_the_one_in_force(make_revision, sign_in):
    current = make_revision("in_force")
    later = make_revision("in_review", document_id=current.document_id)
    page = sign_in("reviewer").read(f"/revisions/{later.id}")
    assert "Edition 01/00 stays in force meanwhile." in page
    assert f'href="/revisions/{current.id}"' in page.split('id="against"')[1].split("</section>")[0]


def test_the_page_says_it_in_vietnamese_too(make_revision, sign_in):
    made = make_revision("in_force")
    page = sign_in("staff", "vi").read(f"/revisions/{made.id}")
    assert '<html lang="vi">' in page
    assert "Lần ban hành 01/00 còn hiệu lực từ" in page


def test_hostile_titles_are_text(make_revision, sign_in):
    made = make_revision("draft", title='"><img src=x onerror=alert(1)>')
    text = sign_in("author").get(f"/revisions/{made.id}").text
    assert "<img src=x" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


def test_a_decision_that_withdraws_is_named_and_linked(make_revision, site, cast, sign_in):
    from docctl import clock

    made = make_revision("in_force")
    decision = decide(site, cast, withdraw=[made.document_id], on=clock.today())
    page = sign_in("controller").read(f"/revisions/{made.id}")
    assert f'<a href="/decisions/{decision}">2/QĐ-UBND</a>' in page.split("Withdrawn by decision")[1]
