"""The sample office of the tests: a real site in a folder of its own, a named cast, and revisions made through the verbs."""

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from docctl import authority, clock, contents, decisions, documents, lifecycle, people, revisions, units
from docctl.config import Settings, load
from docctl.contents import Content
from docctl.documents import Document
from docctl.people import Reader, Reauthenticated
from docctl.revisions import Change
from docctl.site import Site, open_site
from tests import heeding

PASSWORD = "một câu mật khẩu để thử"

# One sentence each: what the person is in the tests for. The units limit the role; none is the whole office.
CAST: dict[str, tuple[str, tuple[str, ...], str]] = {
    "author": ("author", ("TP",), "Writes the procedures of the justice division and may sign nothing."),
    "neighbour": ("author", ("NV",), "Writes for another division; what is not in force here is none of his business."),
    "reviewer": ("reviewer", ("TP", "NV"), "Heads both divisions and endorses the content."),
    "format-reviewer": ("format_reviewer", (), "Is the ISO secretary and endorses the form of every document."),
    "approver": ("approver", (), "Is the vice chair who approves, and signs decisions."),
    "controller": ("controller", (), "Keeps the register and executes decisions; approves nothing."),
    "staff": ("staff", (), "Reads what is in force, and nothing else."),
    "auditor": ("auditor", (), "Reads everything and changes nothing."),
    "admin": ("admin", (), "Keeps accounts; takes part in no business."),
}

# Cheap on purpose: checking a password stays real, only the cost that slows down a thief is left out.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

LIVES = (
    "draft",
    "in_review",
    "in_approval",
    "approved",
    "scheduled",
    "in_force",
    "superseded",
    "withdrawn",
    "discarded",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option with which a complete machine proves that it ran everything."""
    parser.addoption("--nothing-skipped", action="store_true", help="Fail when any test was skipped.")


def pytest_configure() -> None:
    """Watch, in every test, that search hears of what it shows."""
    heeding.watch()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail a run that promised to skip nothing and did."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = len(reporter.stats.get("skipped", ())) if reporter else 0
    if session.config.getoption("--nothing-skipped") and skipped and exitstatus == 0:
        reporter.write_line(f"{skipped} skipped, though nothing may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@dataclass(frozen=True)
class Made:
    """What `make_revision` made; ids, since each test reads in sessions of its own."""

    id: int
    document_id: int
    code: str


@dataclass(frozen=True)
class Cast:
    """The people of the tests, looked up in the session of whoever asks."""

    site: Site

    def reader(self, session: Session, name: str) -> Reader:
        """Return one of the cast with today's roles."""
        return authority.reader(session, people.find(session, name))

    def signing(self, session: Session, name: str) -> Reauthenticated:
        """Let one of the cast enter the password again, as signing asks."""
        return people.reauthenticate(session, people.find(session, name), PASSWORD)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real documents beside the project."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real documents are not beside the project (shared/data)")
    return folder


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage folder with units, types and the cast; each test gets a copy."""
    storage = tmp_path_factory.mktemp("office")
    site = open_site(settings(storage), migrate=True)
    with site.database.writing() as session:
        office = units.add(session, code="UBND", name_vi="Ủy ban nhân dân mẫu", name_en="Sample office", kind="office")
        found = {
            "TP": units.add(session, code="TP", name_vi="Phòng Tư pháp", name_en="Justice division", parent=office),
            "NV": units.add(session, code="NV", name_vi="Phòng Nội vụ", name_en="Home affairs division", parent=office),
        }
        documents.add_standard_types(session)
        for name, (role, reach, _) in CAST.items():
            account = people.add(
                session,
                name=name,
                password=PASSWORD,
                roles=[(role, found[unit]) for unit in reach] or [role],
                unit=found[reach[0]] if reach else office,
                title_vi=f"Chức danh {name}",
                title_en=f"Title of {name}",
            )
            account.password_hash = CHEAP.hash(PASSWORD)
    site.close()
    return storage


@pytest.fixture
def site(office: Path, tmp_path: Path) -> Iterator[Site]:
    """A real site over a copy of the sample office."""
    storage = tmp_path / "storage"
    shutil.copytree(office, storage)
    opened = open_site(settings(storage))
    yield opened
    opened.close()


@pytest.fixture
def cast(site: Site) -> Cast:
    """The people of the sample office."""
    return Cast(site)


@pytest.fixture
def make_document(site: Site, cast: Cast) -> Callable[..., int]:
    """Return a function that adds a document by the author, or by somebody else, and returns its id."""

    def make(
        title: str = "Quy trình đăng ký khai sinh",
        *,
        by: str = "author",
        type: str = "QT",
        unit: str = "",
        **given: str,
    ) -> int:
        with site.database.writing() as session:
            return documents.add(
                session,
                by=cast.reader(session, by),
                title=title,
                type=documents.find_type(session, type),
                unit=units.find(session, unit or (CAST[by][1] or ("TP",))[0]),
                **given,
            ).id

    return make


@pytest.fixture
def make_revision(site: Site, cast: Cast, make_document: Callable[..., int]) -> Callable[..., Made]:
    """Return a function that takes a revision through its life, by the verbs, until it is in a state of LIVES.

    Those that were issued took effect 30 days ago (`on=` another day); a scheduled one takes effect in 30 days.
    """

    def make(
        state: str = "draft",
        *,
        document_id: int | None = None,
        title: str = "Quy trình đăng ký khai sinh",
        text: str = "Nội dung của quy trình.",
        by: str = "author",
        unit: str = "",
        code: str = "",
        on: date | None = None,
        bare: bool = False,
    ) -> Made:
        document_id = document_id or make_document(title, by=by, unit=unit, code=code)
        with site.database.writing() as session:
            document = session.get_one(Document, document_id)
            revision = revisions.draft(
                session,
                document,
                by=cast.reader(session, by),
                content=None if bare else keep(site, session, text),
                file_name="" if bare else "Quy trình.txt",
                change_summary="Rút ngắn thời hạn giải quyết.",
                changes=[] if bare else [Change("5.2", "05 ngày làm việc", "03 ngày làm việc", "Luật Hộ tịch")],
            )
            made = Made(revision.id, document.id, document.code)
        for step in STEPS[state]:
            take(site, cast, made.id, step, by=by)
        if state in ("scheduled", "in_force", "superseded", "withdrawn"):
            away = 30 if state == "scheduled" else -30
            decide(site, cast, issue=[made.id], on=on or clock.today() + timedelta(days=away))
        if state == "superseded":
            later = make("approved", document_id=document_id, text="Lần sau.", by=by)
            decide(site, cast, issue=[later.id], on=clock.today() - timedelta(days=10))
        if state == "withdrawn":
            decide(site, cast, withdraw=[document_id], on=clock.today() - timedelta(days=10))
        return made

    return make


STEPS: dict[str, tuple[str, ...]] = {
    "draft": (),
    "discarded": ("discard",),
    "in_review": ("submit",),
    "in_approval": ("submit", "endorse", "endorse"),
    **dict.fromkeys(
        ("approved", "scheduled", "in_force", "superseded", "withdrawn"), ("submit", "endorse", "endorse", "approve")
    ),
}


def settings(storage: Path) -> Settings:
    """Return the settings of a test's site: nothing of the machine's environment counts."""
    return load({"DOCCTL_STORAGE": str(storage), "DOCCTL_SECRET_KEY": "a key of the tests"})


def keep(site: Site, session: Session, text: str) -> Content:
    """Keep a text file and its text, as an upload and its extraction do."""
    stored = site.store.put(io.BytesIO(text.encode()), limit_bytes=1 << 20)
    content = contents.keep(session, sha256=stored.sha256, size=stored.size, kind="txt")
    contents.has_text(session, content.sha256, text=text, method="plain")
    return content


def take(site: Site, cast: Cast, revision_id: int, trigger: str, *, by: str = "author") -> None:
    """Fire one trigger as whoever of the cast it belongs to; of two reviewers, the one whose seat is open."""
    with site.database.writing() as session:
        revision = session.get_one(revisions.Revision, revision_id)
        signed = lifecycle.signed_in_round(session, revision)
        who = {"endorse": "format-reviewer" if signed else "reviewer", "approve": "approver"}.get(trigger, by)
        revisions.act(
            session,
            revision,
            trigger,
            by=cast.reader(session, who),
            reason="Không còn cần." if trigger == "discard" else "",
            signing=cast.signing(session, who) if trigger in ("endorse", "approve") else None,
        )


def decide(
    site: Site,
    cast: Cast,
    *,
    issue: list[int] | None = None,
    withdraw: list[int] | None = None,
    on: date,
    until: str = "execute",
) -> int:
    """Draft, check, sign and execute a decision that takes effect on a day; returns its id.

    `until` names the last step that is taken: draft, check, sign or execute.
    """
    with site.database.writing() as session:
        controller, approver = cast.reader(session, "controller"), cast.reader(session, "approver")
        lines = [decisions.Line("issue", revision=session.get_one(revisions.Revision, row)) for row in issue or []]
        lines += [
            decisions.Line("withdraw", document=session.get_one(Document, row), reason="Thủ tục đã bãi bỏ.")
            for row in withdraw or []
        ]
        number = f"{len(decisions.all_decisions(session, by=controller)) + 1}/QĐ-UBND"
        decision = decisions.draft(
            session,
            by=controller,
            title="Về việc ban hành tài liệu",
            effective_from=on,
            number=number,
            signed_on=on,
            lines=lines,
        )
        steps: dict[str, Callable[[], object]] = {
            "draft": lambda: None,
            "check": lambda: decisions.check(session, decision, by=controller),
            "sign": lambda: decisions.sign(session, decision, by=approver, signing=cast.signing(session, "approver")),
            "execute": lambda: decisions.execute(session, decision, by=controller),
        }
        for step, go in steps.items():
            go()
            if step == until:
                break
        return decision.id
