"""A document from draft to withdrawal, driven by programs alone."""

import io
from datetime import timedelta

from docctl import clock
from tests.conftest import PASSWORD


def test_a_document_goes_its_whole_way_by_calls(program):
    author, controller = program("author"), program("controller")
    document = author.post("/documents", {"title": "Đăng ký khai sinh lưu động", "unit": "TP"})
    path = f"/documents/{document['document']}"
    assert author.get("/documents?code=" + document["code"])["items"][0]["in_force"] is None
    content = "Trình tự đăng ký khai sinh lưu động.".encode()
    draft = author.post(
        f"{path}/revisions", {"file": (io.BytesIO(content), "Quy trình.txt"), "change_summary": "Ban hành mới."}
    )
    revision = f"/revisions/{draft['revision']}"
    assert author.get(revision)["changes"] == [
        {"section": "Whole document", "old": "", "new": "Ban hành mới.", "basis": ""}
    ]
    assert author.act(revision, "submit")["state"] == "in_review"
    for name in ("reviewer", "format-reviewer"):
        program(name).act(revision, "endorse", password=PASSWORD)
    assert author.act(revision, "approve", password=PASSWORD, refused=403)["title"]
    assert program("approver").act(revision, "approve", password="sai mật khẩu", refused=403)["field"] == "password"
    assert program("approver").act(revision, "approve", password=PASSWORD)["state"] == "approved"
    today = clock.today()
    decide(program, "1/QĐ-UBND", today - timedelta(days=5), {"action": "issue", "revision": draft["revision"]})
    staff = program("staff", read_only=True)
    assert [row["edition"] for row in staff.get(f"/in-force?on={today}")["documents"]] == ["01"]
    assert staff.get(f"/in-force?on={today - timedelta(days=6)}")["documents"] == []
    assert staff.get("/search?q=khai sinh luu dong")["hits"][0]["document"] == document["document"]
    assert staff.call("GET", f"{revision}/original").data == content
    assert "lưu động" in staff.get(f"{revision}/text")["text"]
    line = {"action": "withdraw", "document": document["code"], "reason": "Thủ tục đã bãi bỏ."}
    decide(program, "2/QĐ-UBND", today - timedelta(days=1), line)
    assert staff.get(f"/in-force?on={today}")["documents"] == []
    assert staff.call("GET", revision).status_code == 404
    assert controller.get(revision)["status"] == "withdrawn"
    head = program("auditor").get("/audit/head")
    entries = program("auditor").get(f"/audit?document={document['document']}&limit=500")["items"]
    assert {"document.added", "revision.drafted", "revision.moved"} <= {row["action"] for row in entries}
    assert head["sequence"] >= entries[-1]["sequence"]


def decide(program, number, on, line):
    controller, approver = program("controller"), program("approver")
    made = controller.post(
        "/decisions",
        {"title": "Về tài liệu", "number": number, "date": str(on), "effective_from": str(on), "lines": [line]},
    )
    path = f"/decisions/{made['decision']}"
    found = controller.post(f"{path}/check", status=200)
    assert found["errors"] == []
    approver.act(path, "sign", password=PASSWORD)
    assert controller.act(path, "execute")["state"] == "executed"


def test_a_dry_run_with_errors_names_the_line_and_leaves_the_decision_a_draft(program, make_revision):
    made = make_revision("draft")
    controller = program("controller")
    line = {"action": "issue", "revision": made.id}
    decision = controller.post("/decisions", {"title": "Về tài liệu", "effective_from": "2030-01-01", "lines": [line]})
    found = controller.post(f"/decisions/{decision['decision']}/check", status=200)
    assert found["errors"][0]["line"] == 1
    assert controller.get(f"/decisions/{decision['decision']}")["state"] == "draft"


def test_every_trigger_is_listed_with_the_sentence_that_refuses_it(program, make_revision):
    made = make_revision("in_approval")
    listed = {row["trigger"]: row for row in program("author").get(f"/revisions/{made.id}/transitions")["items"]}
    assert listed["approve"]["allowed"] is False
    assert listed["approve"]["refusal"]
    assert {
        row["trigger"]: row["allowed"] for row in program("approver").get(f"/revisions/{made.id}/transitions")["items"]
    }["approve"]
