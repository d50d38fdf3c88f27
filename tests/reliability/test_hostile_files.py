"""Every hostile file through the real server: an answer in time, a sentence for who sent it, and nothing leaves or grows."""

import os
import random
import re
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from docctl import contents
from docctl.database import Database
from docctl.files import convert
from docctl.site import Site
from tests.reliability.serving import Client, Server, verified

pytestmark = pytest.mark.large

SECONDS = 15
MEMORY_KB = 512 << 10
ORDINARY = 60


class Watch:
    """Looks at the memory of a process's descendants while it works, and remembers the most that one of them took."""

    def __init__(self, pid: int) -> None:
        self.pid, self.most, self.who = pid, 0, ""
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Watch":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopping.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.stopping.wait(0.05):
            for pid in descendants(self.pid):
                try:
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    continue
                found = re.search(r"VmHWM:\s+(\d+)", status)
                if found and int(found[1]) > self.most:
                    self.most, self.who = int(found[1]), status.split("\n")[0]


def descendants(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        try:
            tasks = list(Path(f"/proc/{waiting.pop()}/task").iterdir())
            children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
        found += children
        waiting += children
    return found


class Listener:
    """A server on loopback that answers nothing and counts who calls."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.calls = 0
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                caller, _ = self.socket.accept()
            except OSError:
                return
            self.calls += 1
            caller.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.socket.close()


@pytest.fixture
def server(site: Site, tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "home").mkdir()
    more = {"TMPDIR": str(tmp_path / "tmp"), "HOME": str(tmp_path / "home")}
    running = Server(site.settings.storage, more=more).start()
    yield running
    running.stop()


def calling(path: Path, into: Path, port: int) -> Path:
    """Copy an office package so that everything it refers to outside lies on the listening server."""
    into.mkdir(exist_ok=True)
    made = into / f"calls-{path.name}"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(made, "w") as new:
        for part in old.namelist():
            data = old.read(part)
            if part.endswith((".rels", ".xml")):
                data = re.sub(
                    rb"(Target=\"|SYSTEM \")(https?|file|ftp)://[^\"]*", rb"\1http://127.0.0.1:%d/x" % port, data
                )
            if part == "word/_rels/document.xml.rels":
                image = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/image"
                extra = (
                    b'<Relationship Id="rIdCall" Type="%s" Target="http://127.0.0.1:%d/i.png" TargetMode="External"/>'
                )
                data = data.replace(b"</Relationships>", extra % (image, port) + b"</Relationships>")
            new.writestr(part, data)
    return made


def rtf_that_calls(into: Path, port: int) -> Path:
    made = into / "calls.rtf"
    made.write_text(rf'{{\rtf1 x {{\field{{\*\fldinst INCLUDEPICTURE "http://127.0.0.1:{port}/p.png" \\d}}}}}}')
    return made


def sent(browser: Client, path: Path) -> tuple[int, float, str]:
    """Upload a file as the first draft of a new document; returns status, seconds and the sentence of a refusal."""
    browser.read("/documents/new")
    form = {"title": f"Tài liệu {path.name}", "type": "QT", "unit": "TP", "code": "", "field": path.name}
    form |= {"change_summary": "", "kept": "", "confidential": ""}
    form = {name: value for name, value in form.items() if value or name in ("code", "kept")}
    answer = browser.post("/documents", form, file=(path.name, path.read_bytes()))
    problem = re.search(r'id="file-error".*?<span>(.*?)</span>', answer.text, re.S)
    return answer.status, answer.seconds, problem[1] if problem else ""


def all_read(storage: Path, seconds: float) -> dict[str, str]:
    """Wait until no text waits any more; returns the status of each content."""
    database = Database(f"sqlite:///{storage / 'docctl.db'}")
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            with database.reading() as session:
                if not contents.count_waiting(session) and not contents.waiting_scans(session):
                    return {row.sha256: row.status for row in session.query(contents.ContentText)}
            time.sleep(0.5)
    finally:
        database.dispose()
    raise AssertionError("texts still wait")


def at_rest(folder: Path, before: set[str], seconds: float) -> set[str]:
    """Wait until the PDFs for reading are made too, whose work has a folder of its own; returns what is left beside the storage."""
    until = time.monotonic() + seconds
    quiet = 0
    while time.monotonic() < until and quiet < 6:
        quiet = 0 if around(folder) - before else quiet + 1
        time.sleep(0.5)
    return around(folder) - before


def around(folder: Path) -> set[str]:
    """Return everything beside the storage folder, by name."""
    found = {
        str(Path(at, name).relative_to(folder)) for at, folders, names in os.walk(folder) for name in folders + names
    }
    return {name for name in found if Path(name).parts[0] not in ("storage", "calls", "serve.log")}


@pytest.mark.timeout(900)
def test_hostile_files_are_answered_explained_and_contained(server, site, shared_data, tmp_path, listener) -> None:
    nasty = sorted(path for path in (shared_data / "nasty").rglob("*") if path.is_file())
    assert len(nasty) == 44
    mine = [
        calling(path, tmp_path / "calls", listener.port)
        for path in nasty
        if path.suffix in (".docx", ".xlsx", ".odt") and zipfile.is_zipfile(path) and "rotected" not in path.name
    ]
    mine.append(rtf_that_calls(tmp_path / "calls", listener.port))
    before = around(tmp_path)
    browser = Client(server.port).sign_in("author")
    with Watch(server.process.pid) as watch:
        slowest, refused, failed = 0.0, {}, []
        for path in [*nasty, *mine]:
            status, seconds, sentence = sent(browser, path)
            slowest = max(slowest, seconds)
            if status >= 500 or status not in (303, 409):
                failed.append((path.name, status))
            if status == 409:
                refused[path.name] = sentence
        statuses = all_read(site.settings.storage, 600)
        left = at_rest(tmp_path, before, 300)
    browser.close()
    print(
        f"slowest {slowest:.2f} s; {len(refused)} refused; worker {watch.most / 1024:.0f} MiB ({watch.who}); {len(statuses)} read"
    )
    assert failed == []
    assert slowest < SECONDS
    assert [name for name, sentence in refused.items() if len(sentence) < 30] == []
    assert listener.calls == 0
    assert watch.most < MEMORY_KB, watch.who
    assert left == set()
    assert "Traceback" not in server.said()
    assert verified(site.settings.storage)["ok"]


@pytest.mark.timeout(900)
def test_sixty_ordinary_files_are_all_taken(server, shared_data) -> None:
    folders = ("vn-iso-procedures", "qms-forms", "qms-md", "vn-legacy-encoding/tcvn3", "vn-legacy-encoding/vni")
    ordinary = [
        path
        for folder in folders
        for path in sorted((shared_data / folder).rglob("*"))
        if path.is_file() and path.suffix.lower() in (".doc", ".docx", ".xlsx", ".xls", ".rtf", ".pdf", ".md")
    ]
    some = random.Random(60).sample(ordinary, ORDINARY)
    browser = Client(server.port).sign_in("author")
    answers = {path.name: sent(browser, path) for path in some}
    browser.close()
    assert {name: answer for name, answer in answers.items() if answer[0] != 303} == {}


def test_the_listener_hears_who_calls(listener) -> None:
    socket.create_connection(("127.0.0.1", listener.port)).close()
    time.sleep(0.2)
    assert listener.calls == 1


@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice in its sandbox is not here")
def test_the_watch_sees_the_memory_of_children() -> None:
    import subprocess
    import sys

    with Watch(os.getpid()) as watch:
        subprocess.run([sys.executable, "-c", "x = bytearray(120 << 20); import time; time.sleep(0.5)"], check=True)
    assert watch.most > 100 << 10
