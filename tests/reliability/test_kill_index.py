"""The index is killed while it is written and damaged while it is read: search answers rightly soon after, and nothing is lost."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from docctl.search import finding, following
from docctl.site import Site, open_site
from tests.conftest import Cast, Made, settings
from tests.reliability.serving import Client, Server

pytestmark = [pytest.mark.kill, pytest.mark.timeout(900)]

KILLS, DAMAGES, SERVED = 150, 20, 5  # For each engine.
SOON = 10.0
SEED = 20221027
FIRST = 12

# Forks a process for each line it reads, says its number, and waits for its end: what takes long is imported once.
SPAWNER = """
import os
import sys
import traceback
from itertools import count
from pathlib import Path
from docctl.config import load
from docctl.search import following, tantivy, whoosh
from docctl.site import open_site

def index(storage, search, how):
    site = open_site(load({"DOCCTL_STORAGE": storage, "DOCCTL_SECRET_KEY": "a key of the tests", "DOCCTL_SEARCH": search}))
    following.DOCUMENTS_AT_ONCE = 5
    following.follow(site.database, site.engine)
    with site.database.reading() as session:
        ids = range(1, 1000)
        rows = following.indexed(session, ids)
    for _ in count():
        if how == "rebuild":
            following.rebuild(site.database, site.engine)
        else:
            site.engine.apply(rows, (), site.engine.position(), site.engine.mark())

for line in sys.stdin:
    child = os.fork()
    if not child:
        try:
            index(*line.split())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Indexers:
    """Processes that write an index until they are killed."""

    def __init__(self) -> None:
        self.spawner = subprocess.Popen(
            [sys.executable, "-c", SPAWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def kill_one(self, site: Site, how: str, after: float) -> None:
        """Let one write, and kill it after some seconds."""
        assert self.spawner.stdin is not None
        assert self.spawner.stdout is not None
        print(site.settings.storage, site.settings.search, how, file=self.spawner.stdin, flush=True)
        child = int(self.spawner.stdout.readline())
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
        assert int(self.spawner.stdout.readline()) == signal.SIGKILL, "it ended by itself"

    def close(self) -> None:
        """End the process that starts them."""
        assert self.spawner.stdin is not None
        assert self.spawner.stdout is not None
        self.spawner.stdin.close()
        self.spawner.wait(30)
        self.spawner.stdout.close()


@pytest.fixture
def indexers() -> Iterator[Indexers]:
    """Processes that write an index until they are killed; what starts them ends with the test."""
    some = Indexers()
    yield some
    some.close()


@pytest.fixture(params=["whoosh", "tantivy"])
def searched(request: pytest.FixtureRequest, site: Site, make_revision: Callable[..., Made]) -> Iterator[Site]:
    """The sample office with one of the engines and some procedures, each with a word of its own."""
    for number in range(FIRST):
        make_revision("in_force" if number % 3 else "draft", code=f"QT {number}", title=title(number))
    site.close()
    opened = open_site(replace(settings(site.settings.storage), search=request.param))
    following.follow(opened.database, opened.engine)
    yield opened
    opened.close()


def title(number: int) -> str:
    return f"Quy trình riêng r{number}r giải quyết hồ sơ"


def found(site: Site, words: str) -> tuple[set[str], bool]:
    """Return the titles that the auditor finds, and whether the answer says that it is not complete."""
    with site.database.reading() as session:
        reader = Cast(site).reader(session, "auditor")
        results = finding.find(session, site.engine, words, reader=reader, scope="all", limit=1000)
        return {hit.title for hit in results.hits}, finding.BEING_BUILT in results.understood


def healed(site: Site, everything: set[str]) -> float:
    """Let the index follow as the server does every two seconds, see that all is found, and return the seconds it took."""
    began, spent = time.monotonic(), time.process_time()
    following.follow(site.database, site.engine)
    assert found(site, "quy trinh rieng") == (everything, False)
    for one in random.Random(len(everything)).sample(sorted(everything), 3):
        assert found(site, one.split()[3]) == ({one}, False)
    assert time.process_time() - spent < SOON
    return time.monotonic() - began


def test_no_kill_of_whoever_indexes_loses_anything(
    searched: Site, indexers: Indexers, make_document: Callable[..., int], make_revision: Callable[..., Made]
) -> None:
    chance = random.Random(SEED)
    everything = {title(number) for number in range(FIRST)}
    incomplete, slowest = 0, 0.0
    for kill in range(KILLS):
        if kill % 5 == 0:
            make_revision("draft", title=title(FIRST + kill))
            everything.add(title(FIRST + kill))
        indexers.kill_one(searched, "rebuild" if kill % 3 == 0 else "apply", chance.uniform(0.02, 0.2))
        titles, said = found(searched, "quy trinh rieng")
        # Whatever was indexed before is found; an act of a moment ago may not be there yet.
        assert titles <= everything
        assert said or len(everything - titles) <= 1
        incomplete += said
        slowest = max(slowest, healed(searched, everything))
    print(
        f"\n{searched.settings.search}: {KILLS} kills, nothing lost, {incomplete} answers said that they were not complete; "
        f"right again after {slowest:.2f} s at most"
    )


def harm(index: Path, chance: random.Random) -> str:
    """Delete, cut short or flip a bit of one file of an index, or delete a folder; return what was done."""
    files = sorted(path for path in index.rglob("*") if path.is_file() and path.name != "LOCK")
    path = chance.choice(files)
    how = chance.choice(["delete", "truncate", "flip", "flip", "folder"])
    if how == "folder":
        shutil.rmtree(path.parent)
    elif how == "delete":
        path.unlink()
    elif how == "truncate":
        # A thread of tantivy's own reads a fresh index once more; nobody can keep a file whole under it.
        time.sleep(0.2)
        os.truncate(path, chance.randrange(path.stat().st_size or 1))
    elif path.stat().st_size:
        bits = bytearray(path.read_bytes())
        bits[chance.randrange(len(bits))] ^= 1 << chance.randrange(8)
        with path.open("r+b") as file:  # In place, under whoever has it open.
            file.write(bits)
    return f"{how} {path.relative_to(index)}"


def test_no_damage_to_the_index_gives_a_wrong_answer(searched: Site) -> None:
    chance = random.Random(SEED)
    everything = {title(number) for number in range(FIRST)}
    slowest = 0.0
    for _ in range(DAMAGES):
        what = harm(searched.settings.index, chance)
        titles, said = found(searched, chance.choice(["quy trinh rieng", "giai quyet", '"quy trình riêng"', "quy*"]))
        assert titles <= everything, what
        assert said or titles == everything, what
        slowest = max(slowest, healed(searched, everything))
    print(f"\n{searched.settings.search}: {DAMAGES} damages, right again after {slowest:.2f} s at most")


def test_a_server_goes_on_answering_over_damage_to_its_index(searched: Site) -> None:
    chance = random.Random(SEED + 1)
    searched.close()
    server = Server(searched.settings.storage, more={"DOCCTL_SEARCH": searched.settings.search}).start()
    slowest = 0.0
    try:
        auditor = Client(server.port).sign_in("auditor")
        for number in range(SERVED):
            what = harm(searched.settings.index, chance)
            began = time.monotonic()  # Each asks for a word that nobody asked for: nothing is remembered.
            words = title(number).split()[3]
            while title(number) not in (page := auditor.read(f"/search?q={words}&scope=all")):
                assert "is being built again" in page, what
                assert time.monotonic() - began < 60, what
                time.sleep(0.1)
            slowest = max(slowest, time.monotonic() - began)
        auditor.close()
    finally:
        server.stop()
    print(f"\n{searched.settings.search}: {SERVED} damages under a server, right again after {slowest:.2f} s at most")
