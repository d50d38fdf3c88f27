"""A change request made by a program: what is missing is said, opinions are signed, and it opens its draft."""

import pytest

from tests.conftest import PASSWORD


@pytest.fixture
def amend(make_revision):
    made = make_revision("in_force")
    return {
        "kind": "amend",
        "document": made.code,
        "reason": "Luật sửa đổi có hiệu lực.",
        "drafter": "author",
        "draft_due": "2030-01-31",
        "changes": [{"section": "5.2", "old": "05 ngày", "new": "03 ngày", "basis": "Luật Hộ tịch"}],
    }


def test_a_request_goes_from_the_author_to_the_leadership_and_opens_its_draft(program, amend):
    author = program("author")
    made = author.post("/change-requests", amend)
    path = f"/change-requests/{made['request']}"
    assert made["missing"] == []
    author.act(path, "submit", password=PASSWORD)
    for name in ("reviewer", "format-reviewer"):
        program(name).act(path, "opine", conclusion="agree", password=PASSWORD)
    accepted = program("approver").act(path, "accept", password=PASSWORD)
    assert accepted["state"] == "accepted"
    draft = author.get(f"/revisions/{accepted['revision']}")
    assert draft["state"] == "draft"
    assert [row["new"] for row in draft["changes"]] == ["03 ngày"]
    assert [row["request"] for row in author.get("/change-requests?kind=amend")["items"]] == [made["request"]]


def test_what_is_missing_is_said_and_a_bad_kind_is_refused(program):
    author = program("author")
    assert author.post("/change-requests", {"kind": "new", "unit": "TP"})["missing"]
    assert author.call("POST", "/change-requests", {"kind": "burn"}).status_code == 422
    assert program("staff").get("/change-requests")["items"] == []


def test_a_redline_names_what_changed(program, make_revision):
    first = make_revision("in_force", text="1. Mục đích\nThời hạn 05 ngày làm việc.")
    later = make_revision("draft", document_id=first.document_id, text="1. Mục đích\nThời hạn 03 ngày làm việc.")
    author = program("author")
    found = author.get(f"/revisions/{later.id}/changes")
    assert found["against"] == first.id
    assert any(piece[2] == "03" for row in found["entries"] for cell in row["cells"] for piece in cell)
    assert author.call("GET", f"/revisions/{later.id}/changes?against=999").status_code == 404
