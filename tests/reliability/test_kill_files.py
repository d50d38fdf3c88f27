"""A server killed while it converts, reads scans or takes an upload: nothing is lost, and each job is done once."""

import contextlib
import hashlib
import http.client
import io
import os
import random
import shutil
import subprocess
import sys
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pypdfium2
import pytest
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from docctl import contents, jobs, revisions
from docctl.audit import Action, AuditEntry
from docctl.files import convert, ocr
from docctl.site import Site, open_site
from tests.conftest import Cast, settings
from tests.files.conftest import RELATIONS, TYPES, WORD
from tests.reliability.serving import Client, Server, environment, verified
from tests.reliability.test_hostile_files import descendants
from tests.reliability.wholeness import halves

pytestmark = [pytest.mark.kill, pytest.mark.timeout(2400)]

KILLS = int(os.environ.get("KILLS", "100"))
WORK = "import sys; from docctl import jobs, site, config; s = site.open_site(config.load()); getattr(jobs, sys.argv[1])(s)"


def drafts(site: Site, cast: Cast, make_revision: Callable, files: list[tuple[Path, str]]) -> list[str]:
    """Put each file into a draft of its own, waiting for its text; returns the hashes."""
    hashes = []
    for number, (path, kind) in enumerate(files):
        made = make_revision("draft", title=f"Quy trình {number}", bare=True)
        with site.database.writing() as session, path.open("rb") as file:
            stored = site.store.put(file, limit_bytes=1 << 26)
            content = contents.keep(session, sha256=stored.sha256, size=stored.size, kind=kind)
            revision, author = session.get_one(revisions.Revision, made.id), cast.reader(session, "author")
            revisions.edit(session, revision, by=author, seen=revision.lock, content=content, file_name=path.name)
        hashes.append(stored.sha256)
    return hashes


def working(pid: int, program: str, seconds: float) -> bool:
    """Wait until a program runs below a process."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for child in descendants(pid):
            with contextlib.suppress(OSError):
                if program in Path(f"/proc/{child}/comm").read_text():
                    return True
        time.sleep(0.01)
    return False


def killed_at_work(site: Site, task: str, program: str, again: Callable[[], None], longest: float) -> tuple[int, int]:
    """Start the task over and over and kill it while the program runs; returns kills, and how often it was done first."""
    chance, kills, done = random.Random(4), 0, 0
    tmp = site.settings.storage.parent / "work"
    tmp.mkdir()
    while kills < KILLS:
        process = subprocess.Popen(
            [sys.executable, "-c", WORK, task], env=environment(site.settings.storage, TMPDIR=str(tmp))
        )
        if working(process.pid, program, 60):
            time.sleep(chance.random() * longest)
        kills += process.poll() is None
        process.kill()
        process.wait(30)
        if not waiting(site):
            done += 1
            again()
    return kills, done


def waiting(site: Site) -> bool:
    with site.database.reading() as session:
        return bool(contents.count_waiting(session) or contents.waiting_scans(session))


def told(site: Site) -> Counter[str]:
    """Return how often the trail says of each content that its text was read."""
    with site.database.reading() as session:
        entries = session.query(AuditEntry).filter_by(action=Action.TEXT_EXTRACTED).all()
        return Counter(entry.values["sha256"] for entry in entries)


@pytest.mark.skipif(convert.available() is not None, reason="LibreOffice in its sandbox is not here")
def test_killed_while_converting_the_work_is_taken_up_and_done_once(site, cast, make_revision, shared_data) -> None:
    files = [(path, "doc") for path in sorted((shared_data / "vn-legacy-encoding" / "tcvn3").glob("*.doc"))[:6]]
    hashes = drafts(site, cast, make_revision, files)
    asked = Counter(hashes)

    def again() -> None:
        with site.database.writing() as session:
            for sha256 in hashes:
                contents.ask_again(session, sha256)
        asked.update(hashes)

    kills, done = killed_at_work(site, "extract_waiting", "soffice", again, longest=1.0)
    assert kills >= KILLS
    jobs.extract_waiting(site)
    assert told(site) == asked
    with site.database.reading() as session:
        assert {contents.text_of(session, sha256).status for sha256 in hashes} == {"extracted"}
        assert {contents.text_of(session, sha256).encodings for sha256 in hashes} <= {"tcvn3", "vni tcvn3"}
    assert all(site.store.check(sha256) for sha256 in hashes)
    assert verified(site.settings.storage)["ok"]
    print(f"{kills} kills while converting; everything was done {done} times between them")


@pytest.mark.skipif(not ocr.available(), reason="tesseract with Vietnamese is not here")
def test_killed_while_reading_a_scan_the_work_is_taken_up_and_done_once(site, cast, make_revision, tmp_path) -> None:
    hashes = drafts(site, cast, make_revision, [(scan(tmp_path, number), "pdf") for number in range(3)])
    jobs.extract_waiting(site)
    asked = Counter(hashes * 2)  # Once for the pages' text layer, once for what is read in the pictures.

    def again() -> None:
        with site.database.writing() as session:
            for sha256 in hashes:
                contents.ask_again(session, sha256)
        jobs.extract_waiting(site)
        asked.update(hashes * 2)

    kills, done = killed_at_work(site, "read_scans", "tesseract", again, longest=0.5)
    assert kills >= KILLS
    jobs.read_scans(site)
    assert told(site) == asked
    with site.database.reading() as session:
        for sha256 in hashes:
            row = contents.text_of(session, sha256)
            assert (row.status, row.ocr) == ("extracted", "done")
            assert [page.source for page in contents.pages(session, sha256)] == ["ocr", "ocr"]
    assert all(site.store.check(sha256) for sha256 in hashes)
    assert verified(site.settings.storage)["ok"]
    print(f"{kills} kills while reading scans; everything was done {done} times between them")


def scan(folder: Path, number: int) -> Path:
    typed, path = folder / f"typed-{number}.pdf", folder / f"scan-{number}.pdf"
    canvas = Canvas(str(typed), pagesize=(595, 842))
    for page in (1, 2):
        for line in range(20):
            canvas.drawString(60, 760 - 30 * line, f"Quy trinh so {number} trang {page} dong {line} tiep nhan ho so")
        canvas.showPage()
    canvas.save()
    drawn, canvas = pypdfium2.PdfDocument(typed), Canvas(str(path), pagesize=(595, 842))
    for page in drawn:
        canvas.drawImage(ImageReader(page.render(scale=2).to_pil()), 0, 0, 595, 842)
        canvas.showPage()
    canvas.save()
    drawn.close()
    return path


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    running = Server(site.settings.storage).start()
    yield running
    running.stop()


def large(number: int) -> bytes:
    """Return a Word document with a picture that no packing makes smaller; half a megabyte to six."""
    words = f"Quy trình số {number}"
    body = f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body><w:p><w:r><w:t>{words}</w:t></w:r></w:p></w:body></w:document>'
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as package:
        package.writestr("[Content_Types].xml", TYPES.format(WORD))
        package.writestr("_rels/.rels", RELATIONS)
        package.writestr("word/document.xml", body)
        package.writestr("word/media/a.dat", b"\1" + os.urandom(random.Random(number).randint(1 << 19, 6 << 20)))
    return made.getvalue()


def test_killed_while_a_file_is_uploaded_it_is_there_whole_or_not_at_all(server, site) -> None:
    chance, number = random.Random(8), 0
    answered: dict[str, str] = {}
    sent: dict[str, str] = {}
    cookies: dict[str, str] = {}
    for _ in range(KILLS):
        client = Client(server.port)
        if cookies:
            client.cookies = cookies
        else:
            client.sign_in("author")
        client.read("/documents/new")
        timer = threading.Timer(0.01 + chance.random() * 0.25, server.kill)
        timer.start()
        with contextlib.suppress(http.client.HTTPException, OSError):
            while True:
                number += 1
                title, data = f"Quy trình tải lên {number}", large(number)
                sent[title] = hashlib.sha256(data).hexdigest()
                form = {"title": title, "type": "QT", "unit": "TP", "code": "", "change_summary": ""}
                if client.post("/documents", form, file=(f"{number}.docx", data)).status == 303:
                    answered[title] = sent[title]
        timer.join()
        cookies = client.cookies
        client.close()
        server.spawn()
        server.ready()
    until = time.monotonic() + 300
    while waiting(site) and time.monotonic() < until:
        time.sleep(0.5)
    server.stop()
    whole = open_site(settings(site.settings.storage))
    try:
        assert halves_but_for_tables(whole) == []
        with whole.database.reading() as session:
            kept = {row.title: row.file_sha256 for row in session.query(revisions.Revision)}
            statuses = Counter(row.status for row in session.query(contents.ContentText))
        assert {title: sha for title, sha in answered.items() if kept.get(title) != sha} == {}
        assert {title for title, sha in kept.items() if sent[title] != sha} == set()
        assert set(statuses) == {"extracted"}
        assert set(told(whole).values()) == {1}
    finally:
        whole.close()
    assert verified(site.settings.storage)["ok"]
    print(f"{KILLS} kills; {len(sent)} uploads sent, {len(answered)} answered, {len(kept)} kept")


def halves_but_for_tables(site: Site) -> list[str]:
    """Return what is there by half; these drafts have no change table yet, which is no loss."""
    return [sentence for sentence in halves(site, read_files=True) if "lost its change table" not in sentence]


def test_the_folders_that_a_kill_left_behind_are_swept_after_a_day(tmp_path, monkeypatch) -> None:
    from docctl.files import process

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("docctl-old", "docctl-new", "other-old"):
        (tmp_path / name / "in").mkdir(parents=True)
        (tmp_path / name / "in" / "a.doc").write_bytes(b"x")
    for name in ("docctl-old", "other-old"):
        os.utime(tmp_path / name, (1, 1))
    assert process.sweep() == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["docctl-new", "other-old"]
    shutil.rmtree(tmp_path / "docctl-new")
