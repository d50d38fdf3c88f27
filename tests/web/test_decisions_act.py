"""Checking, signing, executing and giving up a decision by page."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from docctl import clock, decisions, revisions
from docctl.decisions import Decision, Line
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.site import Site
from tests.conftest import PASSWORD, decide


@pytest.fixture
def ready(site: Site, cast) -> Callable[..., int]:
    """Return a function that drafts a decision with number, dates and lines by the verb and returns its id."""

    def make(issue: list[int] = (), withdraw: list[int] = (), number: str = "77/QĐ-UBND", **given) -> int:
        with site.database.writing() as session:
            lines = [Line("issue", revision=session.get_one(Revision, row)) for row in issue]
            lines += [Line("withdraw", document=session.get_one(Document, row), reason="Đã bãi bỏ") for row in withdraw]
            details = {
                "title": "Đợt ban hành",
                "number": number,
                "signed_on": clock.today(),
                "effective_from": clock.today(),
            }
            return decisions.draft(session, by=cast.reader(session, "controller"), lines=lines, **details | given).id

    return make


def lock(page: str) -> str:
    return re.search(r'name="lock" value="(\d+)"', page)[1]


def act(browser, decision_id: int, trigger: str, **form):
    page = browser.read(f"/decisions/{decision_id}")
    return browser.send(f"/decisions/{decision_id}/transitions", trigger=trigger, lock=lock(page), **form)


def state(site: Site, decision_id: int) -> str:
    with site.database.reading() as session:
        return session.get_one(Decision, decision_id).state


def in_force(site: Site) -> set[int]:
    with site.database.reading() as session:
        return {row.id for row in revisions.in_force(session)}


def test_a_decision_goes_from_draft_to_executed_and_says_at_each_step_what_it_will_do(
    sign_in, site, ready, make_revision
):
    old = make_revision("in_force", code="QT-1")
    new = make_revision("approved", document_id=old.document_id)
    gone, fresh = make_revision("in_force", code="QT-2"), make_revision("approved", code="QT-3")
    decision_id = ready(issue=[new.id, fresh.id], withdraw=[gone.document_id])
    controller, approver = sign_in("controller"), sign_in("approver")
    page = controller.read(f"/decisions/{decision_id}")
    assert "No errors: it can be executed as it stands." in page
    assert "<b>2 → 2</b>" in page
    assert act(controller, decision_id, "check").status_code == 303
    assert "Waiting for its signer." in controller.read(f"/decisions/{decision_id}")
    assert act(approver, decision_id, "sign", password=PASSWORD).status_code == 303
    page = controller.read(f"/decisions/{decision_id}")
    assert (
        "2 revisions are issued (1 of them supersede an edition in force) and 1 documents are withdrawn; "
        "in force: 2 before, 2 after." in page
    )
    assert in_force(site) == {old.id, gone.id}
    assert act(controller, decision_id, "execute").status_code == 303
    assert in_force(site) == {new.id, fresh.id}
    page = controller.read(f"/decisions/{decision_id}")
    assert f"executed on {clock.today():%d/%m/%Y}: 2 documents issued and 1 withdrawn" in page
    assert f"/revisions/{old.id}" in page  # What was superseded, and what was withdrawn.
    assert f"/revisions/{gone.id}" in page
    assert "Chức danh approver" in page
    assert "Execute</button>" not in page


def test_one_bad_line_is_named_with_a_link_and_nothing_changes(sign_in, site, ready, make_revision):
    good, bad = make_revision("approved", code="QT-1"), make_revision("in_approval", code="QT-2")
    decision_id = ready(issue=[good.id, bad.id])
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{decision_id}")
    assert '<a href="#line-2">Line 2 (QT-2)</a>' in page
    assert "The dry run found 1 error(s)" in page
    answer = act_anyway(controller, decision_id, "check")
    assert answer.status_code == 303
    assert answer.location.endswith("#check")
    assert state(site, decision_id) == "draft"


def test_a_line_gone_bad_after_the_signature_stops_the_whole_execution(sign_in, site, cast, ready, make_revision):
    good, other = make_revision("approved", code="QT-1"), make_revision("in_force", code="QT-2")
    decision_id = ready(issue=[good.id], withdraw=[other.document_id])
    controller = sign_in("controller")
    act(controller, decision_id, "check")
    act(sign_in("approver"), decision_id, "sign", password=PASSWORD)
    decide(site, cast, withdraw=[other.document_id], on=clock.today() - timedelta(days=1))
    before = in_force(site)
    answer = act_anyway(controller, decision_id, "execute")
    assert answer.status_code == 409
    assert "Line 2 (QT-2)" in answer.text
    assert state(site, decision_id) == "signed"
    assert in_force(site) == before


def act_anyway(browser, decision_id: int, trigger: str, **form):
    """Send what a page with a disabled button would not."""
    browser.read(f"/decisions/{decision_id}")
    with browser.application.extensions["site"].database.reading() as session:
        seen = session.get_one(Decision, decision_id).lock
    return browser.send(f"/decisions/{decision_id}/transitions", trigger=trigger, lock=str(seen), **form)


def test_a_wrong_password_signs_nothing_and_says_so_beside_the_field(sign_in, site, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    act(sign_in("controller"), decision_id, "check")
    approver = sign_in("approver")
    answer = act(approver, decision_id, "sign", password="không phải mật khẩu")
    assert answer.status_code == 409
    assert 'aria-invalid="true"' in answer.text
    assert "so nothing was signed" in answer.text
    assert state(site, decision_id) == "checked"


def test_a_number_taken_in_its_year_is_refused_with_the_decision_that_has_it(sign_in, site, ready, make_revision):
    make_revision("in_force")  # Issued by decision 1/QĐ-UBND of today's year, or of the year 30 days ago.
    with site.database.reading() as session:
        taken = session.get_one(Decision, 1)
        number, signed_on = taken.number, taken.signed_on
    decision_id = ready(issue=[make_revision("approved").id], number=number.lower(), signed_on=signed_on)
    act(sign_in("controller"), decision_id, "check")
    answer = act(sign_in("approver"), decision_id, "sign", password=PASSWORD)
    assert answer.status_code == 409
    assert f"of {signed_on.year} is taken by the decision" in answer.text
    assert state(site, decision_id) == "checked"


def test_giving_up_needs_a_reason_and_keeps_what_was_typed(sign_in, site, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    controller = sign_in("controller")
    assert act(controller, decision_id, "discard", reason=" ").status_code == 409
    assert state(site, decision_id) == "draft"
    assert act(controller, decision_id, "discard", reason="Chưa đủ căn cứ").status_code == 303
    assert state(site, decision_id) == "cancelled"
    assert "Chưa đủ căn cứ" in controller.read(f"/decisions/{decision_id}")


def test_an_act_is_posted_never_asked_for(sign_in, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    assert sign_in("controller").get(f"/decisions/{decision_id}/transitions").status_code == 405


def test_an_act_needs_its_role(sign_in, site, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    assert act_anyway(sign_in("approver"), decision_id, "check").status_code == 403
    assert act_anyway(sign_in("auditor"), decision_id, "check").status_code == 403
    act(sign_in("controller"), decision_id, "check")
    assert act_anyway(sign_in("controller"), decision_id, "sign", password=PASSWORD).status_code == 403
    assert state(site, decision_id) == "checked"


def test_an_open_decision_is_not_there_for_those_who_may_not_see_it(sign_in, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    for name in ("staff", "author", "admin"):
        browser = sign_in(name)
        assert browser.get(f"/decisions/{decision_id}").status_code == 404, name
        assert browser.get(f"/decisions/{decision_id}/annex").status_code == 404, name
        sent = browser.send(f"/decisions/{decision_id}/transitions", trigger="check", lock="1")
        assert sent.status_code == 404, name
    assert sign_in("controller").get("/decisions/999999").status_code == 404


def test_the_same_button_twice_acts_once(sign_in, site, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    controller = sign_in("controller")
    seen = lock(controller.read(f"/decisions/{decision_id}"))
    path = f"/decisions/{decision_id}/transitions"
    assert controller.send(path, trigger="check", lock=seen).status_code == 303
    assert controller.send(path, trigger="check", lock=seen).status_code == 409
    assert controller.send(path, trigger="discard", reason="x", lock=seen).status_code == 409
    assert state(site, decision_id) == "checked"


def test_changing_the_details_of_a_checked_decision_makes_it_a_draft_again(sign_in, site, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    controller = sign_in("controller")
    act(controller, decision_id, "check")
    seen = lock(controller.read(f"/decisions/{decision_id}"))
    said = {"title": "Tên khác", "number": "78/QĐ-UBND", "signed_on": "26/10/2026", "effective_from": "1-11-2026"}
    answer = controller.send(f"/decisions/{decision_id}", **said, signer_form="TM.", lock=seen)
    assert answer.status_code == 303
    assert state(site, decision_id) == "draft"
    page = controller.read(f"/decisions/{decision_id}")
    assert "Decision 78/QĐ-UBND" in page
    assert "01/11/2026" in page
    assert controller.send(f"/decisions/{decision_id}", **said, lock=seen).status_code == 409  # The tab is behind.


def test_a_detail_that_is_wrong_is_marked_and_what_was_typed_stays(sign_in, ready, make_revision):
    decision_id = ready(issue=[make_revision("approved").id])
    controller = sign_in("controller")
    seen = lock(controller.read(f"/decisions/{decision_id}"))
    answer = controller.send(
        f"/decisions/{decision_id}", title="Tên đang sửa", signed_on="30/02/2026", number="9/QĐ", lock=seen
    )
    assert answer.status_code == 409
    assert "Tên đang sửa" in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "There is no day “30/02/2026”" in answer.text


def test_the_annex_lists_what_is_issued_and_withdrawn(sign_in, ready, make_revision):
    gone, fresh = make_revision("in_force", code="QT-2"), make_revision("approved", code="QT-3")
    decision_id = ready(issue=[fresh.id], withdraw=[gone.document_id])
    page = sign_in("controller").read(f"/decisions/{decision_id}/annex")
    first, second = page.index("<caption>New "), page.index("<caption>Withdrawn ")
    assert first < page.index(">QT-3<") < second < page.index(">QT-2<")
    assert "Đã bãi bỏ" in page


def test_staff_read_an_executed_decision_without_links_that_lead_nowhere(sign_in, make_revision):
    old = make_revision("superseded", code="QT-1")
    page = sign_in("staff").read("/decisions/2")
    assert "QT-1" in page
    assert f'href="/revisions/{old.id}"' not in page
    assert "Change the details" not in page
