"""An office set up by the command line alone, and a way to run commands in it, here or in a process of their own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docx
import pytest
from click.testing import CliRunner, Result

from docctl import clock
from docctl.cli import main
from docctl.cli.main import settings

PASSWORD = "một câu mật khẩu để thử"
ACCOUNTS = {
    "author": "author",
    "reviewer": "reviewer",
    "format-reviewer": "format_reviewer",
    "approver": "approver",
    "controller": "controller",
    "staff": "staff",
}


@dataclass
class Terminal:
    """A storage folder and the commands typed into it."""

    storage: Path

    def type(self, *words: object, **environment: str) -> Result:
        """Run a command in this process and return what it printed and its exit status."""
        settings.cache_clear()
        try:
            return CliRunner().invoke(main, [str(word) for word in words], env=self._environment(environment))
        finally:
            settings.cache_clear()

    def json(self, *words: object, **environment: str) -> Any:
        """Run a command that succeeds, with `--json`, and return its document."""
        result = self.type(*words, "--json", **environment)
        # A clean site without a checkpoint to compare with is clean, and not proved to its end.
        assert result.exit_code == (3 if words[0] == "verify" else 0), result.stderr
        return json.loads(result.stdout)

    def refused(self, *words: object, **environment: str) -> str:
        """Run a command that is refused and return its one sentence."""
        result = self.type(*words, **environment)
        assert result.exit_code == 1, result.output
        assert "Traceback" not in result.output
        return result.stderr.strip()

    def process(self, *words: object, **environment: str) -> Any:
        """Run a command with `--json` in a process of its own, as on another day with no server running."""
        command = [sys.executable, "-c", "from docctl.cli import main; main()", *map(str, words), "--json"]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DOCCTL_")}
        run = subprocess.run(command, env=environ | self._environment(environment), capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        return json.loads(run.stdout)

    def _environment(self, given: dict[str, str]) -> dict[str, str]:
        return {"DOCCTL_STORAGE": str(self.storage), "DOCCTL_LOCALE": "en", **given}


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave no setting of the machine in a test, and no stopped clock behind it."""
    for name in os.environ:
        if name.startswith("DOCCTL_"):
            monkeypatch.delenv(name)
    yield
    clock.stop(None)
    clock.use_zone("Asia/Ho_Chi_Minh")


@pytest.fixture
def empty(tmp_path: Path) -> Terminal:
    """A folder in which nothing was done yet."""
    return Terminal(tmp_path / "storage")


@pytest.fixture(scope="session")
def first_office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage folder made by `docctl init` and `docctl user add`; each test gets a copy."""
    terminal = Terminal(tmp_path_factory.mktemp("terminal") / "storage")
    terminal.json("init", "--office", "Ủy ban nhân dân mẫu")
    for name, role in ACCOUNTS.items():
        terminal.json("user", "add", name, "--role", role, "--password", PASSWORD)
    return terminal.storage


@pytest.fixture
def terminal(first_office: Path, tmp_path: Path) -> Terminal:
    """An office with one account a role and no documents."""
    shutil.copytree(first_office, tmp_path / "storage")
    return Terminal(tmp_path / "storage")


@pytest.fixture
def paper(tmp_path: Path) -> Path:
    """A small real file."""
    document = docx.Document()
    document.add_paragraph("Trình tự đăng ký khai sinh lưu động tại thôn, bản.")
    path = tmp_path / "Đăng ký khai sinh lưu động.docx"
    document.save(str(path))
    return path
