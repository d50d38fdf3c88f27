"""A decision on paper and after its signature by the command line, and deputies who may and may not sign it."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import docx
import pytest

from docctl import clock
from tests.cli.conftest import PASSWORD, Terminal
from tests.cli.test_whole_life import approved, decide


@pytest.fixture
def executed(terminal: Terminal, paper: Path) -> int:
    """A decision of today that issues one document."""
    document = terminal.json("document", "add", "Quy trình chứng thực", "--as", "author")["document"]
    revision = approved(terminal, document, paper)
    return int(decide(terminal, "9/QĐ-UBND", clock.today(), "--issue", revision)["decision"])


def test_the_papers_of_a_decision_are_written(terminal: Terminal, executed: int, tmp_path: Path) -> None:
    for name, rows in (("decision", 0), ("annex-1", 1), ("annex-2", 0), ("annex-3", 1)):
        file = tmp_path / f"{name}.docx"
        written = terminal.json("decision", "paper", executed, name, "-o", file, "--as", "controller")
        assert (name, written["rows"]) == (name, rows)
        assert "9/QĐ-UBND" in "\n".join(row.text for row in docx.Document(str(file)).paragraphs)
    assert terminal.type("decision", "paper", executed, "annex-9", "-o", file, "--as", "controller").exit_code == 2
    assert terminal.type("decision", "paper", executed, "annex-1", "-o", "a.odt", "--as", "controller").exit_code == 2


def test_the_scan_is_attached_once(terminal: Terminal, executed: int, paper: Path) -> None:
    assert terminal.json("decision", "scan", executed, paper, "--as", "controller")["file"] == paper.name
    assert "a scan is not replaced" in terminal.refused("decision", "scan", executed, paper, "--as", "controller")


def test_what_is_owed_is_listed_and_closed_with_its_evidence(terminal: Terminal, executed: int, paper: Path) -> None:
    owed = terminal.json("decision", "owed", executed, "--as", "controller")
    assert {row["done_on"] for row in owed} == {None}
    kind = owed[0]["kind"]
    assert "Give the evidence" in terminal.refused("decision", "owed", executed, "--done", kind, "--as", "controller")
    words = ("decision", "owed", executed, "--done", kind, "--evidence", "Công văn 15", "--file", paper)
    done = terminal.json(*words, "--as", "controller")
    assert [row["done_on"] for row in done if row["kind"] == kind] == [clock.today().isoformat()]
    assert "Only a document controller" in terminal.refused(*words, "--as", "author")
    assert kind in terminal.refused("decision", "owed", executed, "--done", "dance", "--as", "controller")


def test_a_correction_of_form_is_signed(terminal: Terminal, executed: int) -> None:
    words = ("decision", "correct", executed, "--number", "3/ĐC", "--date", "2026-01-05", "--place", "Điều 3")
    words = (*words, "--wrong", "thi hánh", "--corrected", "thi hành", "--as", "controller")
    assert "enter your password again" in terminal.refused(*words)
    assert terminal.json(*words, "--password", PASSWORD)["number"] == "3/ĐC"
    assert terminal.json("verify")["problems"] == []


@pytest.fixture
def waiting(terminal: Terminal, paper: Path) -> int:
    """A checked decision that waits for its signer."""
    document = terminal.json("document", "add", "Quy trình chứng thực", "--as", "author")["document"]
    line = ("--issue", approved(terminal, document, paper))
    day = ("--date", clock.today(), "--effective", clock.today())
    made = terminal.json("decision", "add", "Ban hành", "--number", "9/QĐ", *day, *line, "--as", "controller")
    assert terminal.json("decision", "check", made["decision"], "--as", "controller")["errors"] == []
    return int(made["decision"])


@pytest.fixture
def delegate(terminal: Terminal) -> Callable[[date, date], int]:
    """Return a function that lets an auditor, who sees decisions, sign for the approver between two days."""

    terminal.json("user", "add", "deputy", "--role", "auditor", "--password", PASSWORD)

    def add(begins: date, ends: date) -> int:
        words = ("--form", "KT.", "--document", "12/GUQ", "--document-date", begins, "--from", begins, "--to", ends)
        return int(terminal.json("delegation", "add", "approver", "deputy", *words, "--as", "controller")["delegation"])

    return add


def sign(decision: int, name: str) -> tuple[object, ...]:
    return ("decision", "act", decision, "sign", "--password", PASSWORD, "--as", name)


def test_a_deputy_whose_delegation_ended_yesterday_cannot_sign_today_and_reads_why(
    terminal: Terminal, waiting: int, delegate: Callable[[date, date], int]
) -> None:
    today = clock.today()
    delegate(today - timedelta(days=30), today - timedelta(days=1))
    said = terminal.refused(*sign(waiting, "deputy"))
    assert "12/GUQ" in said
    assert f"{today - timedelta(days=1):%d/%m/%Y}" in said
    assert terminal.json("decision", "show", waiting, "--as", "controller")["state"] == "checked"
    delegate(today, today)
    assert terminal.json(*sign(waiting, "deputy"))["state"] == "signed"


def test_a_deputy_cannot_delegate_and_reads_why(
    terminal: Terminal, waiting: int, delegate: Callable[[date, date], int]
) -> None:
    today = clock.today()
    delegate(today, today)
    words = ("--form", "TUQ.", "--document", "13/GUQ", "--document-date", today, "--from", today, "--to", today)
    assert "never passed on" in terminal.refused("delegation", "add", "deputy", "author", *words, "--as", "controller")
    assert terminal.refused(*sign(waiting, "author"))
    assert len(terminal.json("delegation", "list")["delegations"]) == 1
