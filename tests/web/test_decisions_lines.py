"""Adding and removing the lines of a decision by page."""

import re
from collections.abc import Callable

import pytest

from docctl import clock, decisions
from docctl.decisions import Decision
from docctl.site import Site


@pytest.fixture
def begun(site: Site, cast) -> Callable[..., int]:
    """Return a function that drafts a decision by the verb and returns its id."""

    def begin(**given) -> int:
        with site.database.writing() as session:
            return decisions.draft(
                session,
                by=cast.reader(session, "controller"),
                title="Đợt ban hành",
                effective_from=clock.today(),
                **given,
            ).id

    return begin


def lines(site: Site, decision_id: int) -> list[tuple[str, int, str]]:
    with site.database.reading() as session:
        decision = session.get_one(Decision, decision_id)
        return [(line.action, line.document_id, line.reason) for line in decision.lines]


def lock(page: str) -> str:
    return re.search(r'name="lock" value="(\d+)"', page)[1]


def test_ticked_revisions_become_lines(sign_in, site, begun, make_revision):
    made, other = make_revision("approved"), make_revision("approved", title="Quy trình kết hôn")
    decision_id = begun()
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{decision_id}")
    answer = controller.send(f"/decisions/{decision_id}/lines", revision=str(made.id), lock=lock(page))
    assert answer.status_code == 303
    assert lines(site, decision_id) == [("issue", made.document_id, "")]
    page = controller.read(f"/decisions/{decision_id}")
    assert f'id="revision-{other.id}"' in page
    assert f'id="revision-{made.id}"' not in page  # It is in a decision now, so it no longer waits.


def test_pasted_codes_become_lines_with_reasons_and_replacements(sign_in, site, begun, make_revision):
    first, second = make_revision("approved", code="QT-A"), make_revision("approved", code="QT-B")
    gone, also = make_revision("in_force", code="QT-C"), make_revision("in_force", code="QT-D")
    decision_id = begun()
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{decision_id}")
    answer = controller.send(
        f"/decisions/{decision_id}/lines",
        issue="qt - a\n\n  QT-B ;  \n",
        withdraw="QT-C; Gộp vào quy trình khác; QT-A\nQT-D\t\t",
        reason="Thủ tục đã bãi bỏ",
        lock=lock(page),
    )
    assert answer.status_code == 303, answer.text
    assert lines(site, decision_id) == [
        ("issue", first.document_id, ""),
        ("issue", second.document_id, ""),
        ("withdraw", gone.document_id, "Gộp vào quy trình khác"),
        ("withdraw", also.document_id, "Thủ tục đã bãi bỏ"),
    ]
    assert "Replaced by QT-A." in controller.read(f"/decisions/{decision_id}")


def test_every_code_that_names_nothing_or_too_much_gets_its_line_and_nothing_typed_is_lost(
    sign_in, site, begun, make_revision
):
    make_revision("approved", code="QT-A")
    one = make_revision("in_force", code="QT-E")
    make_revision("in_force", code="QT-E", unit="NV", by="neighbour", title="Quy trình khác cùng mã")
    make_revision("draft", code="QT-F")
    decision_id = begun()
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{decision_id}")
    typed = {"issue": "QT-A\nQT-X\nQT-F\nQT-A; lý do", "withdraw": "QT-Y; bỏ\nQT-E; trùng"}
    answer = controller.send(f"/decisions/{decision_id}/lines", **typed, lock=lock(page))
    assert answer.status_code == 409
    assert lines(site, decision_id) == []
    assert "5 lines could not be read" in answer.text
    assert "Line 2 (QT-X)" in answer.text
    assert "Line 3 (QT-F)" in answer.text
    assert "has no approved revision to issue" in answer.text
    assert "Line 4 (QT-A)" in answer.text
    assert "Line 1 (QT-Y)" in answer.text
    assert "2 documents bear the code “QT-E”" in answer.text
    assert f"#{one.document_id}" in answer.text
    for said in typed.values():
        assert said in answer.text.replace("&#34;", '"')
    page = controller.read(f"/decisions/{decision_id}")
    answer = controller.send(f"/decisions/{decision_id}/lines", withdraw=f"#{one.document_id}; trùng", lock=lock(page))
    assert answer.status_code == 303
    assert lines(site, decision_id) == [("withdraw", one.document_id, "trùng")]


def test_adding_nothing_says_what_to_do(sign_in, begun):
    decision_id = begun()
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{decision_id}")
    answer = controller.send(f"/decisions/{decision_id}/lines", lock=lock(page))
    assert answer.status_code == 409
    assert "No line was chosen." in answer.text


def test_ticked_lines_are_removed_and_the_others_numbered_anew(sign_in, site, begun, make_revision):
    made = [make_revision("approved", code=f"QT-{n}") for n in range(3)]
    decision_id = begun()
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{decision_id}")
    controller.send(f"/decisions/{decision_id}/lines", issue="QT-0\nQT-1\nQT-2", lock=lock(page))
    page = controller.read(f"/decisions/{decision_id}")
    answer = controller.send(f"/decisions/{decision_id}/lines/removal", line="2", lock=lock(page))
    assert answer.status_code == 303
    assert [document for _, document, _ in lines(site, decision_id)] == [made[0].document_id, made[2].document_id]
    assert 'id="line-3"' not in controller.read(f"/decisions/{decision_id}")


def test_a_second_tab_that_is_behind_changes_nothing(sign_in, site, begun, make_revision):
    make_revision("approved", code="QT-A")
    decision_id = begun()
    controller = sign_in("controller")
    old = lock(controller.read(f"/decisions/{decision_id}"))
    controller.send(f"/decisions/{decision_id}/lines", issue="QT-A", lock=old)
    before = lines(site, decision_id)
    assert controller.send(f"/decisions/{decision_id}/lines/removal", line="1", lock=old).status_code == 409
    assert controller.send(f"/decisions/{decision_id}/lines", issue="QT-A", lock=old).status_code == 409
    assert controller.send(f"/decisions/{decision_id}/lines", issue="QT-A").status_code == 409
    assert lines(site, decision_id) == before


def test_a_missing_reason_is_written_where_the_error_says_so(sign_in, site, begun, make_revision):
    for number in range(3):
        make_revision("in_force", code=f"QT-{number}")
    decision_id = begun()
    controller = sign_in("controller")
    page = controller.read(f"/decisions/{decision_id}")
    controller.send(f"/decisions/{decision_id}/lines", withdraw="QT-0\nQT-1; cũ\nQT-2", lock=lock(page))
    page = controller.read(f"/decisions/{decision_id}")
    assert page.count("Give the reason for the withdrawal.") == 4  # Two lines, each in the dry run and in the table.
    said = {"reason-1": "Đã bãi bỏ", "reason-2": "cũ", "reason-3": " ", "usual": "Gộp quy trình"}
    answer = controller.send(f"/decisions/{decision_id}/lines/reasons", **said, lock=lock(page))
    assert answer.status_code == 303
    assert [reason for _, _, reason in lines(site, decision_id)] == ["Đã bãi bỏ", "cũ", "Gộp quy trình"]
    assert "No errors" in controller.read(f"/decisions/{decision_id}")
    assert controller.send(f"/decisions/{decision_id}/lines/reasons", **said, lock=lock(page)).status_code == 409
    assert sign_in("approver").send(f"/decisions/{decision_id}/lines/reasons", **said, lock="9").status_code == 403
    assert sign_in("staff").send(f"/decisions/{decision_id}/lines/reasons", **said, lock="9").status_code == 404


def test_lines_are_added_and_removed_by_posting_only(sign_in, begun):
    decision_id = begun()
    controller = sign_in("controller")
    assert controller.get(f"/decisions/{decision_id}/lines").status_code == 405
    assert controller.get(f"/decisions/{decision_id}/lines/removal").status_code == 405
    assert controller.get(f"/decisions/{decision_id}/lines/reasons").status_code == 405


def test_only_the_controller_changes_lines_and_others_cannot_even_see_an_open_decision(
    sign_in, site, begun, make_revision
):
    make_revision("approved", code="QT-A")
    decision_id = begun()
    for name, status in (("approver", 403), ("auditor", 403), ("author", 404), ("staff", 404)):
        answer = sign_in(name).send(f"/decisions/{decision_id}/lines", issue="QT-A", lock="1")
        assert answer.status_code == status, name
    assert lines(site, decision_id) == []


def test_an_executed_decision_keeps_its_lines(sign_in, site, make_revision):
    make_revision("in_force")
    make_revision("approved", code="QT-A")
    controller = sign_in("controller")
    page = controller.read("/decisions/1")
    assert "/decisions/1/lines" not in page
    before = lines(site, 1)
    with site.database.reading() as session:
        seen = str(session.get_one(Decision, 1).lock)
    answer = controller.send("/decisions/1/lines", issue="QT-A", lock=seen)
    assert answer.status_code == 409
    assert "A signed decision can no longer be changed." in answer.text
    assert lines(site, 1) == before
