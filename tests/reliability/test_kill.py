"""The server is killed in the middle of everything: what was answered is there, what was not is there whole or not at all."""

import contextlib
import hashlib
import http.client
import io
import os
import random
import re
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from html import unescape
from pathlib import Path

import docx
import pytest
from sqlalchemy import text

from docctl import clock, decisions
from docctl.revisions import Revision
from docctl.site import Site, open_site
from tests.conftest import PASSWORD, Cast, Made, settings
from tests.reliability.serving import Answer, Client, Server, verified
from tests.reliability.wholeness import halves

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1800)]

LIFE_KILLS = 180
EXECUTE_KILLS = 20
CLERKS = 2
SEED = 20221026
LIFE = (
    ("upload", "author"),
    ("submit", "author"),
    ("endorse", "reviewer"),
    ("endorse", "format-reviewer"),
    ("approve", "approver"),
    ("decide", "controller"),
    ("line", "controller"),
    ("check", "controller"),
    ("sign", "approver"),
    ("execute", "controller"),
)
_LOCK = re.compile(r'name="lock"[^>]*value="(\d+)"')


@dataclass(frozen=True)
class Deed:
    """One act as a client wrote it down: what, on which record, by whom; a file by its SHA-256."""

    what: str
    record: str
    who: str
    sha256: str = ""


@dataclass
class Journal:
    """What the clients wrote down: each act before it was sent, and again when its answer had come."""

    attempted: list[Deed] = field(default_factory=list)
    acknowledged: list[Deed] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    silently_done: int = 0


class Clerk:
    """Somebody who takes one document after another through its life, and goes on after a kill where the kill came."""

    def __init__(self, number: int, journal: Journal, site: Site) -> None:
        self.number, self.journal, self.site = number, journal, site
        self.life, self.step = 1, 0
        self.unanswered: Deed | None = None
        self.people: dict[str, Client] = {}

    @property
    def title(self) -> str:
        """The title of the present document."""
        return f"Quy trình {self.number}-{self.life:04d} giải quyết hồ sơ"

    def greet(self, server: Server) -> None:
        """Connect anew: sign-ins of before the kill must still count, and what got no answer is looked for."""
        for name in ("author", "reviewer", "format-reviewer", "approver", "controller"):
            known = self.people.get(name)
            self.people[name] = client = Client(server.port)
            if known is None:
                client.sign_in(name)
            else:
                client.cookies, client.token = known.cookies, known.token
        if self.unanswered is not None and not lost(self.site, [self.unanswered]):
            self.journal.silently_done += 1
            self.advance()
        self.unanswered = None

    def leave(self) -> None:
        """Hang up."""
        for client in self.people.values():
            client.close()

    def work(self) -> None:
        """Take one step after another; a connection that breaks ends it."""
        with contextlib.suppress(http.client.HTTPException, OSError):
            for _ in range(1000):
                what, who = LIFE[self.step]
                getattr(self, what, partial(self.act, what))(who)
                self.advance()

    def advance(self) -> None:
        """Go on to the next step, or to the next document."""
        self.life, self.step = (self.life, self.step + 1) if self.step + 1 < len(LIFE) else (self.life + 1, 0)

    def upload(self, who: str) -> None:
        """Add the document with its file and its change table."""
        file = written(self.title, as_docx=self.life % 2 == 0)
        form = {
            "title": self.title,
            "type": "QT",
            "unit": "TP",
            "change_summary": "Lần đầu.",
            "changes-0-section": "5.2",
            "changes-0-old": "",
            "changes-0-new": "03 ngày làm việc",
            "changes-0-basis": "Luật Hộ tịch",
        }
        self.do(Deed("upload", self.title, who, hashlib.sha256(file[1]).hexdigest()), "/documents", form, file=file)

    def decide(self, who: str) -> None:
        """Begin the decision that issues the document."""
        today = clock.today().strftime("%d/%m/%Y")
        number = f"{self.number}{self.life:04d}/QĐ-UBND"
        form = {"title": self.title, "number": number, "signed_on": today, "effective_from": today}
        self.do(Deed("decide", self.title, who), "/decisions", form)

    def line(self, who: str) -> None:
        """Add the document's line to the decision."""
        page = self.page("decision")
        code = self.one("SELECT d.code FROM document d JOIN revision r ON r.document_id = d.id WHERE r.title = :title")
        form = {"issue": code, "withdraw": "", "reason": "", "lock": self.lock(page, who)}
        self.do(Deed("line", page, who), f"{page}/lines", form)

    def act(self, trigger: str, who: str) -> None:
        """Press a button of a page that was just read."""
        page = self.page("decision" if trigger in ("check", "sign", "execute") else "revision")
        form = {"trigger": trigger, "lock": self.lock(page, who)}
        form |= {"password": PASSWORD} if trigger in ("endorse", "approve", "sign") else {}
        self.do(Deed(trigger, page, who), f"{page}/transitions", form)

    def do(self, deed: Deed, path: str, form: dict[str, str], *, file: tuple[str, bytes] | None = None) -> None:
        """Write the act down, send it, and write down that the answer came."""
        self.unanswered = deed
        self.journal.attempted.append(deed)
        answer = self.people[deed.who].post(path, form, file=file)
        self.unanswered = None
        if answer.status != 303:
            self.journal.unexpected.append(f"{deed}: {answer.status} {told(answer)}")
            raise ConnectionError("an act was not taken")
        self.journal.acknowledged.append(deed)

    def page(self, noun: str) -> str:
        """Return the address of the present revision or decision."""
        return f"/{noun}s/{self.one(f'SELECT id FROM {noun} WHERE title = :title')}"

    def one(self, query: str) -> str:
        """Look up one value about the present document."""
        with self.site.database.reading() as session:
            return str(session.execute(text(query), {"title": self.title}).scalar_one())

    def lock(self, page: str, who: str) -> str:
        """Read a page as somebody and return the lock of its forms."""
        found = _LOCK.search(self.people[who].read(page))
        return found[1] if found else ""


def told(answer: Answer) -> str:
    """Return the words of a page without its marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", unescape(answer.text)).split())[:600]


def written(title: str, *, as_docx: bool) -> tuple[str, bytes]:
    """Return the name and the bytes of a small real file."""
    if not as_docx:
        return f"{title}.txt", f"{title}\nThời hạn giải quyết: 03 ngày làm việc.".encode()
    paper = docx.Document()
    paper.add_heading(title)
    for number in range(1, 40):
        paper.add_paragraph(f"Điều {number}. Hồ sơ được giải quyết trong 03 ngày làm việc.")
    file = io.BytesIO()
    paper.save(file)
    return f"{title}.docx", file.getvalue()


def lost(site: Site, deeds: list[Deed]) -> list[Deed]:
    """Return the acknowledged acts that cannot be found."""
    with site.database.reading() as session:
        moved = {
            (row.noun, row.record_id, row.trigger, row.name)
            for row in session.execute(
                text(
                    "SELECT e.noun, e.record_id, json_extract(e.detail, '$.trigger') AS trigger, a.name FROM audit_entry e "
                    "JOIN account a ON a.id = e.actor_id WHERE e.action IN ('revision.moved', 'decision.moved')"
                )
            )
        }
        uploaded = {
            (row.title, row.file_sha256) for row in session.execute(text("SELECT title, file_sha256 FROM revision"))
        }
        decided = set(session.scalars(text("SELECT title FROM decision")))
        lined = {f"/decisions/{row}" for row in session.scalars(text("SELECT decision_id FROM decision_line"))}

    def there(deed: Deed) -> bool:
        if deed.what == "upload":
            return (deed.record, deed.sha256) in uploaded and site.store.check(deed.sha256)
        if deed.what == "decide":
            return deed.record in decided
        if deed.what == "line":
            return deed.record in lined
        _, noun, record = deed.record.split("/")
        return (noun.removesuffix("s"), int(record), deed.what, deed.who) in moved

    return [deed for deed in deeds if not there(deed)]


def test_no_acknowledged_act_is_lost_and_none_is_half_done_over_180_kills(site: Site) -> None:
    dice = random.Random(SEED)
    journal, server = Journal(), Server(site.settings.storage)
    clerks = [Clerk(number, journal, site) for number in range(1, CLERKS + 1)]
    checked = 0
    at_start = 0
    try:
        for kill in range(1, LIFE_KILLS + 1):
            if kill % 8 == 0:
                at_start += 1
                server.spawn()
                time.sleep(dice.uniform(0.0, 1.5))
                server.kill()
                continue
            server.start()
            assert halves(site) == [], f"after kill {kill - 1}"
            assert lost(site, journal.acknowledged[checked:]) == [], f"after kill {kill - 1}"
            checked = len(journal.acknowledged)
            for clerk in clerks:
                clerk.greet(server)
            clerks[0].people["author"].read("/search?q=quy+trinh")
            workers = [threading.Thread(target=clerk.work) for clerk in clerks]
            for worker in workers:
                worker.start()
            time.sleep(dice.uniform(0.02, 1.2))
            server.kill()
            for worker in workers:
                worker.join(60)
            for clerk in clerks:
                clerk.leave()
            assert journal.unexpected == [], server.said()[-3000:]
            if kill % 20 == 0 or kill == LIFE_KILLS:
                assert verified(site.settings.storage)["problems"] == []
        server.start()
        wait_for_texts(site)
        find_everything(site, server)
    finally:
        server.kill()
        for clerk in clerks:
            clerk.leave()
    assert halves(site, read_files=True) == []
    assert lost(site, journal.acknowledged) == []
    assert verified(site.settings.storage)["problems"] == []
    leftovers = len(list((site.settings.storage / "tmp").iterdir()))
    assert leftovers <= LIFE_KILLS * CLERKS
    done = Counter(deed.what for deed in journal.acknowledged)
    assert set(done) == {what for what, _ in LIFE}
    print(
        f"\n{LIFE_KILLS} kills ({at_start} of them at start-up): {len(journal.acknowledged)} acts acknowledged of "
        f"{len(journal.attempted)} attempted, lost 0, half 0, {journal.silently_done} whole without an answer; {leftovers} broken uploads left; {dict(done)}"
    )


def wait_for_texts(site: Site) -> None:
    """Wait until the text of every file was read, whatever reading a kill broke off."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with site.database.reading() as session:
            waiting = session.scalar(text("SELECT count(*) FROM content_text WHERE status = 'waiting'"))
        if not waiting:
            break
        time.sleep(0.5)
    with site.database.reading() as session:
        assert not session.scalar(text("SELECT count(*) FROM content_text WHERE status <> 'extracted'"))


def find_everything(site: Site, server: Server) -> None:
    """Search for some of what is in force, as staff, until the index has followed."""
    with site.database.reading() as session:
        issued = list(session.scalars(text("SELECT title FROM revision WHERE state = 'issued' ORDER BY id")))
    staff = Client(server.port).sign_in("staff")
    for title in issued[:: max(1, len(issued) // 20)]:
        words = title.split()[2]
        until = time.monotonic() + 60
        while title not in (page := staff.read(f"/search?q={words}")) and time.monotonic() < until:
            time.sleep(0.5)
        assert title in page
    staff.close()


def test_what_a_broken_upload_left_behind_is_swept_at_a_later_start(site: Site) -> None:
    old, new = (site.settings.storage / "tmp" / name for name in ("old", "new"))
    for leftover in (old, new):
        leftover.write_bytes(b"half a file")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(old, (two_days_ago, two_days_ago))
    server = Server(site.settings.storage).start()
    server.stop()
    assert not old.exists()
    assert new.exists()


def test_a_kill_while_a_decision_of_181_lines_is_executed_leaves_all_of_it_or_nothing(
    site: Site, cast: Cast, make_revision: Callable[..., Made], tmp_path: Path
) -> None:
    decision_id, lock = signed_decision(
        site, cast, [make_revision("approved", title=f"Quy trình số {n}") for n in range(181)]
    )
    site.close()
    dice, outcomes = random.Random(SEED), Counter[int]()
    took = execute_until(site.settings.storage, tmp_path / "whole", decision_id, lock, None)
    assert took[1] == 181
    for kill in range(EXECUTE_KILLS):
        # The last kills come after the commit: a machine is never as fast as it was a moment ago.
        moment = 1.5 * took[0] * (kill + dice.random()) / EXECUTE_KILLS
        _, issued = execute_until(site.settings.storage, tmp_path / f"kill-{kill}", decision_id, lock, moment)
        assert issued in (0, 181)
        outcomes[issued] += 1
    print(f"\n{EXECUTE_KILLS} kills over executing 181 lines in {took[0]:.2f} s: {dict(outcomes)}; none in between")
    assert outcomes[0] > 0


def signed_decision(site: Site, cast: Cast, lines: list[Made]) -> tuple[int, int]:
    """Draft, check and sign a decision that issues every line; return its id and lock."""
    with site.database.writing() as session:
        controller, approver = cast.reader(session, "controller"), cast.reader(session, "approver")
        decision = decisions.draft(
            session,
            by=controller,
            title="Về việc ban hành 181 tài liệu",
            effective_from=clock.today() - timedelta(days=1),
            number="181/QĐ-UBND",
            signed_on=clock.today() - timedelta(days=1),
            lines=[decisions.Line("issue", revision=session.get_one(Revision, made.id)) for made in lines],
        )
        decisions.check(session, decision, by=controller)
        decisions.sign(session, decision, by=approver, signing=cast.signing(session, "approver"))
        return decision.id, decision.lock


def execute_until(storage: Path, copy: Path, decision_id: int, lock: int, moment: float | None) -> tuple[float, int]:
    """Execute on a copy of the storage and kill the server after `moment` seconds; return the time and the lines issued.

    Without a moment the server may finish. What was killed is opened again, proved whole, and executed to its end.
    """
    folder = copy / "storage"
    shutil.copytree(storage, folder)
    server = Server(folder).start()
    try:
        controller = Client(server.port).sign_in("controller")
        form = {"trigger": "execute", "lock": str(lock)}
        controller.begin(f"/decisions/{decision_id}/transitions", form)
        began = time.monotonic()
        controller.finish()
        if moment is None:
            answer = controller.answer(began)
            assert answer.status == 303, told(answer)
        else:
            time.sleep(max(0.0, began + moment - time.monotonic()))
        took = time.monotonic() - began
        server.kill()
        controller.close()
        opened = open_site(settings(folder))
        assert halves(opened) == []
        with opened.database.reading() as session:
            issued = session.scalar(text("SELECT count(*) FROM revision WHERE state = 'issued'")) or 0
        opened.close()
        assert verified(folder)["problems"] == []
    finally:
        server.kill()
    shutil.rmtree(copy)
    return took, issued
