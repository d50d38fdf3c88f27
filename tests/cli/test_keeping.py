"""Keeping house by the command line: verify, backup and restore, the index, delegations."""

import json
from pathlib import Path

from docctl import clock
from tests.cli.conftest import PASSWORD, Terminal


def test_verify_is_clean_in_one_json_document_with_the_head(terminal: Terminal) -> None:
    found = terminal.json("verify")
    assert found["ok"] is True
    assert found["problems"] == []
    assert found["head"]["sequence"] == found["checked"]["audit_entry"] > 0
    assert len(found["head"]["hash"]) == 64
    plain = terminal.type("verify")
    assert plain.exit_code == 3
    assert "cannot be excluded" in plain.stderr
    assert found["head"]["hash"] in plain.stdout


def test_a_backup_is_restored_into_an_empty_folder_and_verified(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "backup.zip"
    made = terminal.json("backup", file)
    assert made["bytes"] == file.stat().st_size
    other = Terminal(tmp_path / "other")
    assert other.json("restore", file)["head"] == made["head"]
    # The restore itself is an entry: it begins a new epoch, so that a rollback shows.
    assert other.json("verify")["head"]["sequence"] == made["head"]["sequence"] + 1
    assert "--force" in other.refused("restore", file)
    again = other.type("restore", file, "--force")
    assert again.exit_code == 0
    assert "is kept as" in again.stderr
    file.write_bytes(file.read_bytes()[:-100])
    assert "damaged" in Terminal(tmp_path / "third").refused("restore", file)


def test_the_index_is_built_anew(terminal: Terminal) -> None:
    found = terminal.json("reindex", "--texts")
    assert found["position"] == terminal.json("verify")["head"]["sequence"]


def test_a_delegation_is_added_listed_and_ended(terminal: Terminal) -> None:
    today = clock.today().isoformat()
    words = ("--form", "TUQ.", "--document", "12/GUQ", "--document-date", "2022-03-01", "--from", today, "--to", today)
    made = terminal.json("delegation", "add", "approver", "staff", *words, "--as", "controller")
    assert made["text"].endswith("no. 12/GUQ of 01/03/2022")
    assert "never passed on" in terminal.refused("delegation", "add", "staff", "author", *words, "--as", "controller")
    assert terminal.json("delegation", "list")["delegations"] == [made]
    ended = terminal.json("delegation", "end", made["delegation"], "--on", today, "--as", "approver")
    assert ended["ended_on"] == today
    assert terminal.type("delegation", "add", "approver", "staff", "--as", "controller").exit_code == 2


def test_a_deputy_approves_by_the_command_line(terminal: Terminal, paper: Path) -> None:
    today = clock.today().isoformat()
    words = ("--form", "KT.", "--document", "5/QĐ", "--document-date", today, "--from", today, "--to", today)
    terminal.json("delegation", "add", "approver", "staff", *words, "--as", "controller")
    document = terminal.json("document", "add", "Quy trình chứng thực", "--as", "author")["document"]
    revision = terminal.json(
        "revision", "add", document, "--file", paper, "--change", "5.2|05 ngày|03 ngày|Luật Hộ tịch", "--as", "author"
    )["revision"]
    for trigger, who in (
        ("submit", "author"),
        ("endorse", "reviewer"),
        ("endorse", "format-reviewer"),
        ("approve", "staff"),
    ):
        signing = () if trigger == "submit" else ("--password", PASSWORD)
        state = terminal.json("revision", "act", revision, trigger, *signing, "--as", who)["state"]
    assert state == "approved"
    assert json.dumps(terminal.json("verify")["problems"]) == "[]"
