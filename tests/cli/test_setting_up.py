"""Setting up by the command line: init, accounts, units, types, workflows, settings, and how commands say no."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from docctl import __version__
from docctl.database import MIGRATIONS, Database
from tests.cli.conftest import PASSWORD, Terminal
from tests.reliability.serving import environment


def test_init_makes_an_office_and_prints_the_administrators_password_once(empty: Terminal):
    made = empty.json("init", "--office", "Ủy ban nhân dân mẫu")
    assert set(made) == {"storage", "name", "password"}
    assert made["name"] == "admin"
    assert len(made["password"]) >= 10
    assert (empty.storage / "docctl.db").exists()
    assert empty.json("user", "list")["users"][0]["roles"] == ["admin"]
    assert "Nothing was changed" in empty.refused("init")


def test_before_init_every_command_says_what_to_do(empty: Terminal):
    assert "docctl init" in empty.refused("in-force")


def test_the_version_is_printed(empty: Terminal):
    assert __version__ in empty.type("--version").stdout


def test_an_up_to_date_schema_is_left_alone_by_upgrade(terminal: Terminal):
    versions = terminal.json("upgrade")
    assert versions["before"] == versions["after"]


def test_an_account_without_a_password_gets_one_that_is_printed_once(terminal: Terminal):
    made = terminal.json("user", "add", "clerk", "--role", "staff", "--title-vi", "Văn thư")
    assert len(made["password"]) >= 10
    assert terminal.json("user", "add", "clerk-2", "--role", "staff", "--password", PASSWORD)["password"] is None
    listed = {row["name"]: row for row in terminal.json("user", "list")["users"]}
    assert listed["clerk"]["title"] == "Văn thư"
    assert not listed["clerk"]["disabled"]


def test_a_name_that_is_taken_and_a_short_password_are_refused(terminal: Terminal):
    assert "taken" in terminal.refused("user", "add", "staff", "--role", "staff", "--password", PASSWORD)
    assert "10 characters" in terminal.refused("user", "add", "clerk", "--role", "staff", "--password", "ngắn")


def test_a_closed_account_hands_its_drafts_to_its_successor(terminal: Terminal):
    terminal.json("user", "add", "author-2", "--role", "author", "--password", PASSWORD)
    document = terminal.json("document", "add", "Quy trình thử", "--as", "author")["document"]
    revision = terminal.json("revision", "add", document, "--as", "author")["revision"]
    assert "somebody else" in terminal.refused("user", "disable", "author", "--successor", "author")
    assert terminal.json("user", "disable", "author", "--successor", "author-2", "--as", "admin")["drafts"] == 1
    terminal.json("revision", "edit", revision, "--title", "Quy trình thử nghiệm", "--as", "author-2")
    assert "no active account" in terminal.refused("document", "add", "Quy trình khác", "--as", "author")


def test_before_there_is_a_controller_the_administrator_brings_in_what_the_office_has(empty: Terminal, paper: Path):
    empty.json("init", "--office", "Ủy ban nhân dân mẫu")
    assert len(empty.json("import", "documents", paper)["stored"]) == 1
    assert empty.json("import", "documents", paper)["unchanged"] == 1
    empty.json("user", "add", "author", "--role", "author", "--password", PASSWORD)
    empty.json("user", "add", "staff", "--role", "staff", "--password", PASSWORD)
    assert "--role controller" in empty.refused("import", "documents", paper)
    assert "not an author" in empty.refused("user", "hand-over", "admin", "--to", "staff")
    assert empty.json("user", "hand-over", "admin", "--to", "author", "--as", "admin")["drafts"] == 1
    empty.json("revision", "edit", 1, "--title", "Tên mới", "--as", "author")
    assert empty.json("verify")["ok"]


def test_units_and_types_are_configured_by_those_who_may(terminal: Terminal):
    terminal.json("unit", "add", "TP", "Phòng Tư pháp", "--name-en", "Justice division", "--as", "admin")
    assert {row["code"] for row in terminal.json("unit", "list")["units"]} == {"CQ", "TP"}
    pattern = "TB/{unit}/{number:03d}"
    terminal.json("type", "add", "TB", "Thông báo", "Notice", "--pattern", pattern, "--as", "admin")
    assert {"code": "TB", "name_vi": "Thông báo", "pattern": pattern, "workflow": "revision"} in terminal.json(
        "type", "list"
    )["types"]
    made = terminal.json("document", "add", "Lịch trực", "--type", "TB", "--unit", "TP", "--as", "author")
    assert made["code"] == "TB/TP/001"
    assert "administrator" in terminal.refused("unit", "add", "NV", "Phòng Nội vụ", "--as", "staff")
    assert {row["code"] for row in terminal.json("unit", "list")["units"]} == {"CQ", "TP"}


def test_the_workflows_are_checked_listed_and_drawn(terminal: Terminal):
    names = {"revision", "revision-short", "decision"}
    assert names <= {row["name"] for row in terminal.json("workflow", "check")["workflows"]}
    assert all(len(row["sha256"]) == 64 for row in terminal.json("workflow", "list")["workflows"])
    assert terminal.json("workflow", "draw", "revision")["drawing"].startswith("<svg")
    assert "Draft" in terminal.type("workflow", "draw", "revision", "--table").stdout
    assert "decision" in terminal.refused("workflow", "draw", "tea")


def test_a_workflow_that_was_changed_without_a_new_version_stops_every_command(terminal: Terminal, tmp_path):
    own = tmp_path / "workflows"
    own.mkdir()
    shipped = _shipped("revision.toml")
    (own / "revision.toml").write_text(shipped.replace('en = "Draft" }', 'en = "Sketch" }'), encoding="utf-8")
    sentence = terminal.refused("in-force", DOCCTL_WORKFLOWS=str(own))
    assert "version" in sentence
    (own / "revision.toml").write_text(shipped.replace("version = 1", "version = 2"), encoding="utf-8")
    terminal.json("in-force", DOCCTL_WORKFLOWS=str(own))


@pytest.mark.parametrize(
    ("name", "near"), [("DOCCTL_STORAG", "DOCCTL_STORAGE"), ("DOCCTL_LOCAL", "DOCCTL_LOCALE"), ("DOCCTL_PORT", "")]
)
def test_an_unknown_setting_is_an_error_that_names_the_nearest_known_one(terminal: Terminal, name: str, near: str):
    sentence = terminal.refused("in-force", **{name: "x"})
    assert name in sentence
    assert f"Did you mean {near}" in sentence


def test_the_clock_stops_for_tests_only(terminal: Terminal):
    stopped = "2026-03-01T09:00:00+07:00"
    assert "DOCCTL_TESTING" in terminal.refused("in-force", DOCCTL_NOW=stopped)
    assert terminal.json("in-force", DOCCTL_NOW=stopped, DOCCTL_TESTING="1")["on"] == stopped


def test_a_date_means_midnight_in_the_offices_time_zone(terminal: Terminal):
    assert terminal.json("in-force", "--on", "2026-03-01")["on"] == "2026-03-01T00:00:00+07:00"
    elsewhere = terminal.json("in-force", "--on", "2026-03-01", DOCCTL_TIMEZONE="Europe/Paris")
    assert elsewhere["on"] == "2026-03-01T00:00:00+01:00"
    assert "Atlantis" in terminal.refused("in-force", DOCCTL_TIMEZONE="Asia/Atlantis")


@pytest.mark.parametrize(
    "words",
    [
        ("in-force", "--on", "2026-02-30"),
        ("in-force", "--on", "26/10/2022"),
        ("in-force", "--known-at", "2026-02-01T10:00:00"),
        ("document", "add", "Không có người làm"),
        ("revision", "act", "abc", "submit", "--as", "author"),
        ("user", "add", "clerk", "--role", "king"),
        ("search",),
        ("tea",),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(terminal: Terminal, words: tuple[str, ...]):
    result = terminal.type(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Error" in result.stderr or "Usage" in result.stderr


def test_refusals_are_in_the_offices_language(terminal: Terminal):
    assert "Không có tài liệu" in terminal.refused("in-force", "--document", "QT-99", DOCCTL_LOCALE="vi")
    assert "There is no document" in terminal.refused("in-force", "--document", "QT-99")


def test_a_refused_act_is_in_the_trail_and_verify_finds_everything_whole(terminal: Terminal):
    before = terminal.json("verify")
    terminal.refused("document", "add", "Quy trình thử", "--as", "staff")
    after = terminal.json("verify")
    assert set(after) >= {"ok", "head", "checked", "problems"}
    assert (after["ok"], after["problems"]) == (True, [])
    assert after["head"]["sequence"] == before["head"]["sequence"] + 1


def test_json_goes_to_stdout_alone(terminal: Terminal):
    result = terminal.type("user", "list", "--json")
    assert json.loads(result.stdout)["users"]
    assert result.stderr == ""


def _shipped(name: str) -> str:
    from docctl.config import load

    return (load({}).workflow_folders()[-1] / name).read_text(encoding="utf-8")


def test_a_token_is_printed_once_listed_without_its_secret_and_ended_by_its_person(terminal: Terminal):
    made = terminal.json("token", "create", "một cửa", "--as", "controller", "--read-only")
    assert made["token"].startswith("docctl_")
    listed = terminal.json("token", "list")["tokens"]
    assert [(row["name"], row["user"], row["read_only"]) for row in listed] == [("một cửa", "controller", True)]
    assert made["token"] not in str(listed)
    assert "no token" in terminal.refused("token", "end", listed[0]["id"], "--as", "staff")
    assert terminal.json("token", "end", listed[0]["id"], "--as", "controller")["ended"]
    assert terminal.json("verify")["ok"]


def test_a_database_of_any_earlier_version_is_upgraded_whatever_its_number(empty: Terminal):
    database = Database(f"sqlite:///{empty.storage / 'docctl.db'}")
    scripts = ScriptDirectory(str(MIGRATIONS))
    versions = [script.revision for script in scripts.walk_revisions()][::-1]
    for version in (versions[2], max(versions[:-1])):
        with database.engine.execution_options(writes=True).connect() as connection:
            config = Config()
            config.set_main_option("script_location", str(MIGRATIONS))
            config.attributes["connection"] = connection
            command.upgrade(config, version)
            connection.commit()
        assert empty.json("upgrade") == {"before": version, "after": versions[-1]}
        database.dispose()
        for file in empty.storage.iterdir():
            file.unlink()


def test_a_process_that_serves_has_the_program_itself_out_of_garbage_collection(terminal: Terminal):
    ask = "import gc, wsgi; print(gc.get_freeze_count(), wsgi.app.name)"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=Path(__file__).parents[2],
        env=environment(terminal.storage),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    count, name = done.stdout.split()
    assert int(count) > 50_000
    assert name == "docctl.web"
