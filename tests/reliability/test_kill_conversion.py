"""The server is killed while it makes PDFs: nothing is lost, what was left off is taken up again, and each is made once."""

import io
import random
import time
from collections import Counter
from collections.abc import Callable

import docx
import pytest

from docctl import audit, contents, renditions
from docctl.files import convert
from docctl.files.kinds import Kind
from docctl.site import Site
from tests.reliability.serving import Server, verified

KILLS = 100
FILES = 8
SEED = 20221026

pytestmark = [
    pytest.mark.kill,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(convert.available() is not None, reason="LibreOffice or bubblewrap is not installed"),
]


def upload(site: Site, number: int, round_: int) -> str:
    """Keep a Word file of its own and ask for its PDF, as an upload does; returns its SHA-256."""
    document = docx.Document()
    for line in range(40):
        document.add_paragraph(f"Tệp {number} đợt {round_}, dòng {line}: hồ sơ đăng ký hộ tịch.")
    file = io.BytesIO()
    document.save(file)
    file.seek(0)
    stored = site.store.put(file, limit_bytes=1 << 24)
    with site.database.writing() as session:
        contents.keep(session, sha256=stored.sha256, size=stored.size, kind="docx")
    renditions.ask(site.database, site.store, stored.sha256, Kind.DOCX)
    return stored.sha256


def counts(site: Site) -> dict[str, int]:
    with site.database.reading() as session:
        return renditions.counts(session)


def test_killed_in_the_middle_of_conversions_the_server_loses_nothing_and_makes_each_once(
    site: Site, serve: Callable[..., Server]
) -> None:
    chance, asked = random.Random(SEED), [upload(site, number, 0) for number in range(FILES)]
    server = serve()
    for kill in range(KILLS):
        time.sleep(chance.uniform(0.05, 2.5))
        server.kill()
        if counts(site)["waiting"] < 3:
            asked += [upload(site, number, kill + 1) for number in range(FILES)]
        server.spawn()
        server.ready()
    until = time.monotonic() + 300
    while counts(site)["waiting"] and time.monotonic() < until:
        time.sleep(1)
    server.stop()
    assert counts(site) == {"ready": len(asked), "waiting": 0, "asks": 0, "unavailable": 0}
    with site.database.reading() as session:
        for sha256 in asked:
            row = renditions.of(session, sha256)
            assert row is not None
            assert site.store.check(str(row.sha256))
        told = Counter(
            entry.values["source_sha256"] for entry in audit.entries(session) if entry.action == "rendition.made"
        )
    assert told == Counter(asked), "each was made, and told, exactly once"
    assert verified(site.settings.storage)["problems"] == []
    print(f"\n{KILLS} kills, {len(asked)} files converted, each once")
