"""Distribution, reading, copies, a recall, retention and a disposal, by the command line alone."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from docctl import clock
from tests.cli.conftest import PASSWORD, Terminal
from tests.cli.test_whole_life import approved, decide


@pytest.fixture
def issued(terminal: Terminal, paper: Path) -> int:
    """A procedure in force that the staff reads and of which the office holds three copies on paper; the revision's id."""
    own = ("--type", "QT", "--target", "own_unit", "--medium", "paper", "--copies", "3", "--no-reads")
    terminal.json("distribution", "add", *own, "--as", "controller")
    terminal.json("distribution", "add", "--type", "QT", "--target", "role", "--role", "staff", "--as", "controller")
    document = terminal.json("document", "add", "Quy trình chứng thực", "--code", "QT-01", "--as", "author")["document"]
    revision = approved(terminal, document, paper)
    decide(terminal, "1/QĐ-UBND", clock.today() - timedelta(days=2), "--issue", revision)
    return revision


def copies(terminal: Terminal, revision: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = terminal.json("distribution", "show", revision, "--as", "controller")["copies"]
    return found


def test_a_line_of_a_list_is_added_listed_and_taken_out(terminal: Terminal) -> None:
    line = ("--type", "HD", "--target", "person", "--person", "staff", "--copies", "2", "--medium", "paper")
    made = terminal.json("distribution", "add", *line, "--as", "controller")
    assert terminal.json("distribution", "list", "--type", "HD") == [made]
    assert "Only a document controller" in terminal.refused("distribution", "remove", made["id"], "--as", "staff")
    terminal.json("distribution", "remove", made["id"], "--as", "controller")
    assert terminal.json("distribution", "list", "--type", "HD") == []
    assert terminal.type("distribution", "add", "--target", "everybody", "--as", "controller").exit_code == 2


def test_a_reader_opens_confirms_and_is_done(terminal: Terminal, issued: int, tmp_path: Path) -> None:
    (task,) = terminal.json("read", "list", "--as", "staff")
    assert (task["revision"], task["state"]) == (issued, "waiting")
    assert terminal.refused("read", "confirm", task["task"], "--as", "staff")
    file = tmp_path / "read.docx"
    assert terminal.json("read", "open", task["task"], "-o", file, "--as", "staff")["state"] == "opened"
    assert file.read_bytes()
    assert "There is no" in terminal.refused("read", "confirm", task["task"], "--as", "author")
    assert terminal.json("read", "confirm", task["task"], "--as", "staff")["state"] == "understood"
    assert terminal.json("read", "list", "--as", "staff") == []


def test_an_exemption_needs_a_reason(terminal: Terminal, issued: int) -> None:
    (task,) = terminal.json("read", "list", "--as", "staff")
    assert "reason" in terminal.refused("read", "exempt", task["task"], "--as", "controller")
    done = terminal.json("read", "exempt", task["task"], "--reason", "Nghỉ phép", "--as", "controller")
    assert (done["state"], done["exempt_reason"]) == ("exempt", "Nghỉ phép")


def test_copies_go_out_more_are_made_and_a_recall_is_closed(terminal: Terminal, issued: int, tmp_path: Path) -> None:
    more = terminal.json("copy", "add", issued, "--person", "staff", "--copies", "1", "--as", "controller")
    assert [row["number"] for row in more] == ["004/004"]
    for row in copies(terminal, issued):
        assert terminal.json("copy", "act", row["mark"], "deliver", "--as", "controller")["state"] == "delivered"
    assert terminal.json("copy", "act", "QT-01|1|4", "receive", "--as", "staff")["state"] == "received"
    assert terminal.refused("copy", "act", "C1", "receive", "--as", "nobody")
    decide(terminal, "2/QĐ-UBND", clock.today(), "--withdraw", "QT-01:Thủ tục đã bãi bỏ.")
    (found,) = terminal.json("recall", "list", "--as", "reviewer")
    number, marks = found["recall"], [row["mark"] for row in copies(terminal, issued)]
    assert "C999" in terminal.refused("recall", "return", number, marks[0], "C999", "--as", "controller")
    assert terminal.json("recall", "show", number, "--as", "reviewer")["ledger"]["held"] == 4, "all of them, or none"
    back = terminal.json("recall", "return", number, *marks[:3], "--condition", "Nguyên vẹn", "--as", "controller")
    assert [row["state"] for row in back] == ["returned"] * 3
    minutes = ("--number", "01/BB-TH", "--date", clock.today(), "--participants", "Văn thư; cán bộ")
    terminal.json("recall", "minutes", number, *minutes, "--as", "controller")
    reconcile = ("recall", "act", number, "reconcile", "--password", PASSWORD, "--as", "controller")
    assert "neither returned nor declared lost" in terminal.refused(*reconcile)
    lost = terminal.json("recall", "lost", number, marks[3], "--reason", "Thất lạc.", "--as", "controller")
    assert lost["state"] == "lost"
    terminal.json("copy", "act", marks[0], "destroy", "--as", "controller")
    assert terminal.json(*reconcile)["state"] == "reconciled"
    witness = ("recall", "act", number, "witness", "--password", PASSWORD, "--as")
    assert terminal.json(*witness, "reviewer")["state"] == "closed"
    shown = terminal.json("recall", "show", number, "-o", tmp_path / "f6.docx", "--as", "reviewer")
    assert shown["ledger"] == {
        **{"issued": 4, "held": 0, "returned": 2, "destroyed": 1, "archived": 0, "lost": 1},
        "balances": True,
    }
    assert (tmp_path / "f6.docx").read_bytes()[:2] == b"PK"
    assert terminal.json("verify")["problems"] == []


def test_what_is_past_its_retention_is_disposed_of_by_minutes_unless_it_is_held(
    terminal: Terminal, issued: int, tmp_path: Path
) -> None:
    terminal.json("retention", "period", "QT", "--years", "1", "--as", "controller")
    decide(terminal, "2/QĐ-UBND", clock.today(), "--withdraw", "QT-01:Thủ tục đã bãi bỏ.")
    later = {"DOCCTL_TESTING": "1", "DOCCTL_NOW": f"{clock.today() + timedelta(days=800)}T09:00:00+07:00"}
    (row,) = terminal.json("retention", "list", "--standing", "due", "--as", "controller", **later)
    assert row["revision"] == issued
    held = terminal.json("retention", "hold", "QT-01", "--reason", "Đang thanh tra", "--as", "controller", **later)
    assert terminal.json("retention", "list", "--standing", "due", "--as", "controller", **later) == []
    words = ("--number", "01/BB-TL", "--date", clock.today() + timedelta(days=800), "--basis", "Điều 5")
    words = (*words, "--council", "Hội đồng", "--method", "Cắt nhỏ", "--done-by", "Văn thư", "--witness", "Lưu trữ")
    number = terminal.json("disposal", "add", issued, *words, "--as", "controller", **later)["disposal"]
    agree = ("disposal", "act", number, "agree", "--password", PASSWORD, "--as", "controller")
    assert "QT-01" in terminal.refused(*agree, **later)
    end = ("retention", "release", held["hold"], "--reason", "Xong thanh tra", "--as", "controller")
    terminal.json(*end, **later)
    assert terminal.json(*agree, **later)["state"] == "agreed"
    carry = ("disposal", "act", number, "carry_out", "--password", PASSWORD, "--as")
    assert terminal.refused(*carry, "controller", **later)
    assert terminal.json(*carry, "reviewer", **later)["state"] == "executed"
    terminal.json("disposal", "show", number, "-o", tmp_path / "f7.pdf", "--as", "reviewer", **later)
    assert (tmp_path / "f7.pdf").read_bytes().startswith(b"%PDF")
