"""The search page measured: CPU of a whole request beside the search inside it, and how soon an act is found; `python -m benchmarks.pages`."""

import argparse
import hashlib
import json
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote_plus

from sqlalchemy import Connection, insert

from benchmarks.corpus import Made, documents
from benchmarks.fts5 import Fts5
from benchmarks.queries import mix
from docctl import audit, authority, jobs, people, revisions, units, web
from docctl import documents as documents_
from docctl.audit import Action
from docctl.config import load
from docctl.contents import Content, ContentText
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.search import Query, finding, following
from docctl.site import Site, open_site, settle, workflow_files

RESULTS = Path(__file__).parent / "results" / "pages.json"
SIZES = ((300, "whoosh"), (10_000, "tantivy"), (100_000, "tantivy"))
ACTS = 60
PAUSE, POLL = 0.2, 0.005  # Seconds between two acts, and between two looks whether one is found.
SINCE = datetime(2020, 1, 1, tzinfo=UTC)
PASSWORD = "a sentence only for measuring"
TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')

T = TypeVar("T")


@dataclass(frozen=True)
class Line:
    """One row of the table: CPU milliseconds at p50, of docctl and of what it is compared with."""

    documents: int
    engine: str
    what: str
    docctl: float
    beside: str
    baseline: float

    @property
    def ratio(self) -> float:
        """How many times the baseline docctl takes."""
        return self.docctl / self.baseline


def main() -> None:
    """Measure each office and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pages", description=__doc__)
    parser.add_argument("--offices", nargs="+", default=[f"{size}:{name}" for size, name in SIZES], help="SIZE:ENGINE")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    lines: list[Line] = []
    for office in options.offices:
        size, _, name = office.partition(":")
        with tempfile.TemporaryDirectory() as folder:
            lines += measured(Path(folder), int(size), name)
    print("| documents | engine | what | docctl ms | beside | ms | ratio |\n|--:|---|---|--:|---|--:|--:|")
    for line in lines:
        print(
            f"| {line.documents} | {line.engine} | {line.what} | {line.docctl:.2f} | {line.beside} "
            f"| {line.baseline:.2f} | {line.ratio:.2f} |"
        )
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps([asdict(line) | {"ratio": line.ratio} for line in lines], indent=1) + "\n")


def measured(folder: Path, size: int, engine: str) -> list[Line]:
    """Make an office of some size, and measure its search page and how soon an act is found."""
    site = open_site(
        load({"DOCCTL_STORAGE": str(folder / "storage"), "DOCCTL_SECRET_KEY": "bench", "DOCCTL_SEARCH": engine}),
        migrate=True,
    )
    try:
        fill(site, size)
        following.rebuild(site.database, site.engine)
        lines = list(_page(site, size, engine))
        if size <= 300:
            lines += _acts(site, folder, size, engine)
        return lines
    finally:
        site.close()


def fill(site: Site, size: int) -> None:
    """Write people by the verbs, and procedures in force row by row, as an import of an office's set leaves them."""
    with site.database.writing() as session:
        office = units.add(session, code="UBND", name_vi="Ủy ban nhân dân mẫu", name_en="Sample office", kind="office")
        for code in ("TP", "NV", "XD", "KT", "YT", "GD"):
            units.add(session, code=code, name_vi=f"Phòng {code}", name_en=f"Division {code}", parent=office)
        documents_.add_standard_types(session)
        for name in ("author", "staff"):
            people.add(session, name=name, password=PASSWORD, roles=[name], unit=office, title_vi=name)
    with site.database.writing() as session:
        connection = session.connection()
        version = next(each.version for each in workflow_files(site.settings) if each.name == "revision")
        made = documents(size)
        while some := list(islice(made, 1000)):
            _write(connection, some, version)
        audit.record(session, Action.DOCUMENT_ADDED, by=None, noun="document", documents=size)


def _write(connection: Connection, some: Sequence[Made], version: int) -> None:
    shas = [hashlib.sha256(each.body.encode()).hexdigest() for each in some]
    contents = [{"sha256": sha, "size": len(each.body), "kind": "txt"} for sha, each in zip(shas, some, strict=True)]
    texts = [{"sha256": sha, "status": "extracted", "text": each.body} for sha, each in zip(shas, some, strict=True)]
    rows = [
        {"id": each.id, "code": each.code, "code_key": f"{each.id:08}", "title": each.title, "unit_id": 2 + each.id % 6}
        for each in some
    ]
    issued = [
        {"id": each.id, "document_id": each.id, "title": each.title, "file_sha256": sha, "content_hash": sha}
        for sha, each in zip(shas, some, strict=True)
    ]
    shared: dict[Any, dict[str, Any]] = {
        Content: {"stored_at": SINCE},
        ContentText: {},
        Document: {"type_id": 1, "created_at": SINCE, "created_by_id": 1},
        Revision: {
            "edition": 1, "amendment": 0, "state": "issued", "workflow": "revision", "workflow_version": version,
            "author_id": 1, "file_name": "a.txt", "effective_from": SINCE, "origin": "import",
            "origin_decision": "2115/QĐ", "source": "s", "created_at": SINCE,
        },
    }  # fmt: skip
    given: tuple[list[dict[str, Any]], ...] = (contents, texts, rows, issued)
    for table, values in zip(shared, given, strict=True):
        connection.execute(insert(table), [{**shared[table], **row} for row in values])


def _page(site: Site, size: int, engine: str) -> list[Line]:
    """Ask as a member of staff: with nothing decoded, with lists decoded, and with the answer remembered."""
    client = web.create(site).test_client()
    token = TOKEN.search(client.get("/sign-in").text)
    client.post("/sign-in", data={"name": "staff", "password": PASSWORD, "csrf_token": token[1] if token else ""})
    asked = [words for some in mix(size).values() for words in some]

    def page(words: str, more: str = "") -> None:
        answer = client.get(f"/search?q={quote_plus(words)}{more}")
        assert answer.status_code == 200, answer.status
        assert 'class="figure"' in answer.text

    def forget() -> None:
        memory = finding._memories[site.engine]
        memory.ranked.clear()
        memory.counted.clear()

    settle()  # As the server does before it serves.

    began = _cpu(lambda: page("quy trinh"))
    first = [_cpu(partial(page, words)) for words in asked]
    again, inside, narrowed = [], [], []
    with site.database.reading() as session:
        reader = authority.reader(session, people.find(session, "staff"))
        search = partial(finding.find, session, site.engine, reader=reader, counted=True)
        for _ in range(3):
            forget()
            inside += [_cpu(partial(search, words)) for words in asked]
            forget()
            again += [_cpu(partial(page, words)) for words in asked]
            forget()
            narrowed += [_cpu(partial(page, words, "&unit=NV")) for words in asked]
    remembered = [_cpu(partial(page, words, "&unit=NV")) for words in asked]
    after = {
        name: statistics.median(_after(act, partial(page, "khai sinh")) for _ in range(9))
        for name, act in _done(site, size)
    }
    plain = statistics.median(_cpu(lambda: client.get("/account")) for _ in range(20))
    middle = statistics.median(inside)
    within = "the search in it"
    return [
        Line(size, engine, "search page, p50", statistics.median(again), within, middle),
        Line(size, engine, "search page, first time", statistics.median(first), within, middle),
        Line(size, engine, "search page of one unit", statistics.median(narrowed), within, middle),
        Line(size, engine, "search page, remembered", statistics.median(remembered), "another page", plain),
        *(Line(size, engine, f"search page after {name}", time, "another page", plain) for name, time in after.items()),
        Line(size, engine, "search page, the first of a process", began, "another page", plain),
    ]


def _done(site: Site, size: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what others do between two searches: it must not make the second one read everything anew."""
    fresh = islice(documents(size + ACTS + 100), size + ACTS, None)

    def signed_in() -> None:
        with site.database.writing() as session:
            audit.record(session, Action.SIGNED_IN, by=people.find(session, "author"), noun="account")

    def indexed() -> None:
        _issued(site, next(fresh))
        following.follow(site.database, site.engine)

    yield "somebody signed in", signed_in
    yield "a procedure was issued", lambda: _issued(site, next(fresh))
    yield "a procedure was issued and indexed", indexed


def _after(act: Callable[[], object], work: Callable[[], object]) -> float:
    act()
    return _cpu(work)


def _acts(site: Site, folder: Path, size: int, engine: str) -> list[Line]:
    """Commit acts one by one beside the workers of a server, and measure from each commit until a search finds it."""
    baseline = Fts5(folder / "fts5.sqlite")
    waited, spent, theirs = [], [], []
    workers = jobs.Workers(site)
    workers.start()
    try:
        for each in islice(documents(size + ACTS), size, None):
            _issued(site, each)
            began, cpu = time.perf_counter(), time.process_time()
            jobs.wake(site)  # As every request does after its commit.
            while not site.engine.search(Query.parse(_word(each))).total:
                time.sleep(POLL)
            waited.append(1000 * (time.perf_counter() - began))
            spent.append(1000 * (time.process_time() - cpu))
            time.sleep(PAUSE)
            theirs.append(_wall(partial(_elsewhere, baseline, each)))
    finally:
        workers.stop()
    ways = (("p50", statistics.median), ("p95", lambda times: statistics.quantiles(times, n=20)[-1]))
    beside = statistics.median(theirs)
    return [
        Line(size, engine, f"act findable after its commit, {how}, {name}", of(times), "in FTS5", beside)
        for how, times in (("by the clock", waited), ("CPU", spent))
        for name, of in ways
    ]


def _word(each: Made) -> str:
    return f"w{each.id}w"


def _issued(site: Site, each: Made) -> None:
    """Commit a procedure that takes effect, its text read already, as the import of an issued set does."""
    with site.database.writing() as session:
        author = authority.reader(session, people.find(session, "author"))
        document = documents_.add(
            session, by=author, title=f"{each.title} {_word(each)}", type=documents_.find_type(session, "QT"),
            unit=units.find(session, "NV"), code=f"M {each.id}",
        )  # fmt: skip
        sha = hashlib.sha256(each.body.encode()).hexdigest()
        session.execute(insert(Content), [{"sha256": sha, "size": 1, "kind": "txt", "stored_at": SINCE}])
        session.execute(insert(ContentText), [{"sha256": sha, "status": "extracted", "text": each.body}])
        revisions.import_in_force(
            session, document, by=author, edition=1, amendment=0, title=document.title,
            content=session.get_one(Content, sha), file_name="a.txt", source="s", effective_from=SINCE,
            decision="2115/QĐ",
        )  # fmt: skip


def _elsewhere(baseline: Fts5, each: Made) -> None:
    baseline.add([each])
    baseline.search(Query.parse(each.title), False)


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def _wall(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


if __name__ == "__main__":
    main()
