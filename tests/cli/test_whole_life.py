"""The whole life of a document by the command line alone; every question asked by a process of its own."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import docx
import pytest

from tests.cli.conftest import PASSWORD, Terminal

ISSUED, REWRITTEN, WITHDRAWN = date(2026, 3, 2), date(2026, 6, 1), date(2026, 9, 15)
TITLE = "Đăng ký khai sinh lưu động"


def act(terminal: Terminal, revision: int, trigger: str, name: str, **given: Any) -> Any:
    signs = ["--password", PASSWORD] if trigger in ("endorse", "approve") else []
    reason = ["--reason", given["reason"]] if "reason" in given else []
    return terminal.json("revision", "act", revision, trigger, *signs, *reason, "--as", name)


def approved(terminal: Terminal, document: int, paper: Path, *numbers: object) -> int:
    change = "5.2|05 ngày làm việc|03 ngày làm việc|Luật Hộ tịch"
    made = terminal.json("revision", "add", document, "--file", paper, "--change", change, *numbers, "--as", "author")
    assert (made["state"], made["lock"]) == ("draft", 1)
    act(terminal, made["revision"], "submit", "author")
    act(terminal, made["revision"], "endorse", "reviewer")
    assert act(terminal, made["revision"], "endorse", "format-reviewer")["state"] == "in_approval"
    assert act(terminal, made["revision"], "approve", "approver")["state"] == "approved"
    return int(made["revision"])


def decide(terminal: Terminal, number: str, day: date, *lines: object) -> Any:
    made = terminal.json(
        "decision", "add", "Ban hành tài liệu", "--number", number, "--date", day, "--effective", day, *lines,
        "--as", "controller",
    )  # fmt: skip
    checked = terminal.json("decision", "check", made["decision"], "--as", "controller")
    assert checked["errors"] == []
    signed = terminal.json("decision", "act", made["decision"], "sign", "--password", PASSWORD, "--as", "approver")
    assert signed["state"] == "signed"
    return terminal.json("decision", "execute", made["decision"], "--as", "controller")


def around(terminal: Terminal, document: int, day: date) -> list[str | None]:
    """Return the edition in force the day before, the day of and the day after, each asked by another process."""
    found = []
    for when in (day - timedelta(days=1), day, day + timedelta(days=1)):
        answer = terminal.process("in-force", "--on", when, "--document", document)
        assert answer["on"] == f"{when}T00:00:00+07:00"
        assert len(answer["documents"]) < 2
        found.append(answer["documents"][0]["edition"] if answer["documents"] else None)
    return found


@pytest.fixture
def rewritten_paper(tmp_path: Path) -> Path:
    document = docx.Document()
    document.add_paragraph("Trình tự đăng ký khai sinh lưu động, viết lại toàn bộ.")
    path = tmp_path / "Lần 02.docx"
    document.save(str(path))
    return path


def test_a_document_from_draft_to_withdrawal(terminal: Terminal, paper: Path, rewritten_paper: Path):
    document = terminal.json("document", "add", TITLE, "--code", "QT 30/CX-HCTP", "--as", "author")["document"]
    first = approved(terminal, document, paper)
    done = decide(terminal, "112/QĐ-UBND", ISSUED, "--issue", first)
    assert (done["state"], done["check"]["issued"], done["check"]["in_force_after"]) == ("executed", 1, 1)
    assert around(terminal, document, ISSUED) == [None, "01", "01"]

    second = approved(terminal, document, rewritten_paper, "--edition", "2", "--amendment", "0")
    assert around(terminal, document, REWRITTEN) == ["01", "01", "01"]
    done = decide(terminal, "245/QĐ-UBND", REWRITTEN, "--issue", second)
    assert (done["check"]["superseded"], done["check"]["in_force_after"]) == (1, 1)
    assert around(terminal, document, REWRITTEN) == ["01", "02", "02"]

    why = f"{document}:Thủ tục đã bãi bỏ"
    done = decide(terminal, "377/QĐ-UBND", WITHDRAWN, "--withdraw", why)
    assert (done["check"]["withdrawn"], done["check"]["in_force_after"]) == (1, 0)
    assert around(terminal, document, WITHDRAWN) == ["02", None, None]
    assert around(terminal, document, ISSUED) == [None, "01", "01"]

    shown = terminal.json("document", "show", document, "--as", "controller")
    states = {row["edition"]: (row["status"], row["effective_to"]) for row in shown["revisions"]}
    assert states["01"] == ("superseded", f"{REWRITTEN}T00:00:00+07:00")
    assert states["02"] == ("withdrawn", f"{WITHDRAWN}T00:00:00+07:00")
    assert terminal.json("verify")["ok"]


def test_what_is_in_force_carries_interval_file_and_decision(terminal: Terminal, paper: Path):
    document = terminal.json("document", "add", TITLE, "--code", "QT 30/CX-HCTP", "--as", "author")["document"]
    revision = approved(terminal, document, paper)
    decide(terminal, "112/QĐ-UBND", ISSUED, "--issue", revision)
    answer = terminal.json("in-force", "--on", ISSUED)
    assert answer["known_at"] is None
    (row,) = answer["documents"]
    assert row["sha256"] == _sha256(paper)
    assert {key: row[key] for key in ("document", "code", "title", "revision", "edition", "decision")} == {
        "document": document,
        "code": "QT 30/CX-HCTP",
        "title": TITLE,
        "revision": revision,
        "edition": "01",
        "decision": "112/QĐ-UBND",
    }
    assert (row["effective_from"], row["effective_to"]) == (f"{ISSUED}T00:00:00+07:00", None)
    known_before = terminal.json("in-force", "--on", ISSUED, "--known-at", "2020-01-01T00:00:00+07:00")
    assert known_before["documents"] == []
    found = terminal.json("search", "khai sinh luu dong", "--on", ISSUED)
    assert set(found) >= {"total", "took_ms", "hits", "suggestions"}
    assert (found["total"], found["hits"][0]["code"], found["hits"][0]["edition"]) == (1, "QT 30/CX-HCTP", "01")
    assert set(found["hits"][0]) >= {
        "document", "code", "title", "revision", "edition", "state", "unit", "type", "score", "snippet",
    }  # fmt: skip
    assert terminal.json("search", "khai sinh", "--unit", "CQ", "--type", "BM")["total"] == 0


def test_nobody_signs_without_a_password_or_out_of_turn(terminal: Terminal, paper: Path):
    document = terminal.json("document", "add", TITLE, "--as", "author")["document"]
    made = terminal.json("revision", "add", document, "--file", paper, "--as", "author")["revision"]
    assert "change table" in terminal.refused("revision", "act", made, "submit", "--as", "author")
    terminal.json("revision", "edit", made, "--change", "1|cũ|mới|Luật Hộ tịch", "--as", "author")
    terminal.json("revision", "act", made, "submit", "--as", "author")
    endorse = ("revision", "act", made, "endorse")
    assert "password" in terminal.refused(*endorse, "--as", "reviewer")
    assert "password is wrong" in terminal.refused(*endorse, "--password", "không đúng", "--as", "reviewer")
    shown = terminal.json("revision", "show", made, "--as", "reviewer")
    assert (shown["state"], shown["signatures"]) == ("in_review", [])
    acts = {row["trigger"]: row for row in shown["acts"]}
    assert acts["endorse"]["allowed"]
    assert acts["take_back"]["refusal"]
    terminal.json(*endorse, "--password", PASSWORD, "--as", "reviewer")
    for name in ("author", "reviewer", "controller", "staff"):
        terminal.refused("revision", "act", made, "approve", "--password", PASSWORD, "--as", name)
    assert terminal.json("revision", "show", made, "--as", "reviewer")["state"] == "in_review"


def test_a_revision_sent_back_begins_a_new_round_with_its_reason_kept(terminal: Terminal, paper: Path):
    document = terminal.json("document", "add", TITLE, "--as", "author")["document"]
    given = ("--file", paper, "--change", "1|cũ|mới|Luật Hộ tịch")
    made = terminal.json("revision", "add", document, *given, "--as", "author")["revision"]
    act(terminal, made, "submit", "author")
    act(terminal, made, "endorse", "reviewer")
    assert "reason" in terminal.refused("revision", "act", made, "send_back", "--as", "format-reviewer")
    sent = act(terminal, made, "send_back", "format-reviewer", reason="Thiếu căn cứ")
    assert sent["state"] == "draft"
    shown = terminal.json("revision", "show", made, "--as", "author")
    assert [row["void"] for row in shown["signatures"]] == [True]
    assert act(terminal, made, "discard", "author", reason="Viết bản khác")["state"] == "discarded"


def test_a_decision_with_one_bad_line_changes_nothing_and_names_the_line(terminal: Terminal, paper: Path):
    good = terminal.json("document", "add", TITLE, "--as", "author")
    other = terminal.json("document", "add", "Đăng ký khai tử", "--as", "author")
    revision = approved(terminal, good["document"], paper)
    made = terminal.json(
        "decision", "add", "Ban hành", "--number", "9/QĐ-UBND", "--date", ISSUED, "--effective", ISSUED,
        "--everything-approved", "--withdraw", f"{other['code']}:Không còn dùng", "--as", "controller",
    )  # fmt: skip
    assert [line["revision"] for line in made["lines"]] == [revision, None]
    result = terminal.type("decision", "check", made["decision"], "--json", "--as", "controller")
    assert result.exit_code == 1
    assert '"line": 2' in result.stdout
    assert terminal.json("decision", "show", made["decision"], "--as", "controller")["state"] == "draft"
    assert "errors" in terminal.type("decision", "check", made["decision"]).stderr
    assert terminal.refused("decision", "execute", made["decision"], "--as", "controller")
    assert terminal.json("in-force", "--on", ISSUED)["documents"] == []


def test_files_that_cannot_be_documents_are_refused_with_what_to_do(terminal: Terminal, tmp_path: Path):
    document = terminal.json("document", "add", TITLE, "--as", "author")["document"]
    bad = {"trống.docx": b"", "ảnh.docx": b"GIF89a...", "chương trình.exe": b"MZ" * 50}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        sentence = terminal.refused("revision", "add", document, "--file", tmp_path / name, "--as", "author")
        assert len(sentence) > 20
    (tmp_path / "lớn.txt").write_bytes(b"x" * ((1 << 20) + 1))
    large = terminal.refused(
        "revision", "add", document, "--file", tmp_path / "lớn.txt", "--as", "author", DOCCTL_MAX_UPLOAD_MB="1"
    )
    assert "1 MB" in large
    assert terminal.json("document", "show", document, "--as", "author")["revisions"] == []


@pytest.mark.parametrize("title", ["x" * 1094, "Quy trình " + "ấ" * 1084])
def test_a_title_of_1094_characters_is_kept_whole(terminal: Terminal, title: str):
    assert terminal.json("document", "add", title, "--as", "author")["title"] == title
    assert "2000" in terminal.refused("document", "add", "x" * 2001, "--as", "author")


def test_a_code_with_spaces_and_slashes_is_found_as_it_is_typed(terminal: Terminal):
    made = terminal.json("document", "add", TITLE, "--code", "  QT   30 / CX-HCTP ", "--as", "author")
    assert made["code"] == "QT 30 / CX-HCTP"
    assert terminal.json("document", "show", "qt 30/cx-hctp", "--as", "author")["document"] == made["document"]
    assert "taken" in terminal.refused("document", "add", "Khác", "--code", "QT 30/CX-HCTP", "--as", "author")


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
