"""The evidence pack: a third party checks it with plain Python, and whatever was altered in it is named."""

import ast
import hashlib
import json
import random
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from docctl import checkpoints, clock, evidence, people
from docctl.documents import Document
from docctl.evidence.packing import CHECKER
from docctl.rules import Refused
from docctl.site import Site
from tests.conftest import Cast, Made, decide

Make = Callable[..., Made]


def packed(site: Site, document_id: int, target: Path) -> Path:
    with site.database.reading() as session:
        subject = evidence.of_document(session, session.get_one(Document, document_id))
        by = people.find(session, "auditor")
    evidence.save(site, subject, target, by=by)
    return target


def ran(pack: Path, *more: str, checker: Path = CHECKER) -> subprocess.CompletedProcess[str]:
    """Run the checker as a third party does: no docctl on its path, no packages, nothing of this environment."""
    command = [sys.executable, "-I", "-S", str(checker), str(pack), *more]
    return subprocess.run(command, capture_output=True, text=True, env={"LANG": "C.UTF-8"}, check=False)


@pytest.fixture
def pack(site: Site, make_revision: Make, tmp_path: Path) -> Path:
    """The evidence of a document with two editions, both approved, signed and issued here."""
    return packed(site, make_revision("superseded").document_id, tmp_path / "pack.zip")


def rewritten(pack: Path, change: dict[str, bytes | None]) -> Path:
    """Return the pack with files changed, added or (None) taken out."""
    target = pack.with_name("altered.zip")
    with zipfile.ZipFile(pack) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            if change.get(name, b"") is not None:
                new.writestr(name, change.get(name) or old.read(name))
        for name, data in change.items():
            if data is not None and name not in old.namelist():
                new.writestr(name, data)
    return target


def test_a_clean_pack_passes_on_bare_python(pack: Path) -> None:
    found = ran(pack)
    assert (found.returncode, found.stderr) == (0, ""), found.stdout
    assert "Everything agrees." in found.stdout
    with zipfile.ZipFile(pack) as archive:
        assert archive.read("check.py") == CHECKER.read_bytes()
        assert "Quy trình" in archive.read("index.html").decode()


def test_an_unpacked_pack_checks_itself(pack: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(tmp_path / "pack")
    assert ran(tmp_path / "pack", checker=tmp_path / "pack" / "check.py").returncode == 0


def test_the_checker_is_written_for_python_3_9_and_needs_nothing_else() -> None:
    tree = ast.parse(CHECKER.read_text(), feature_version=(3, 9))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names


@pytest.mark.timeout(300)
def test_the_file_is_named_in_each_of_100_damaged_packs(pack: Path) -> None:
    chance = random.Random(7)
    with zipfile.ZipFile(pack) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    namespace: dict[str, object] = {"__name__": "check"}
    exec(compile(CHECKER.read_text(), str(CHECKER), "exec"), namespace)  # One process for the hundred.
    for number in range(100):
        name = chance.choice(sorted(contents))
        data = bytearray(contents[name])
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        altered = rewritten(pack, {name: None if number % 10 == 0 else bytes(data)})
        checker = namespace["Checker"](namespace["Pack"](altered), "", "")  # type: ignore[operator]
        checker.run()
        assert any(name in problem for problem in checker.problems), (name, checker.problems)


def test_a_file_that_was_added_is_named(pack: Path) -> None:
    found = ran(rewritten(pack, {"originals/99-new.txt": b"never approved"}))
    assert found.returncode == 1
    assert "originals/99-new.txt: is not in the manifest" in found.stdout


def test_bytes_that_were_damaged_on_the_way_are_named(pack: Path) -> None:
    with zipfile.ZipFile(pack) as archive:
        place = archive.getinfo("trail.jsonl").header_offset + 200
    data = bytearray(pack.read_bytes())
    data[place] ^= 255
    pack.write_bytes(bytes(data))
    found = ran(pack)
    assert found.returncode == 1
    assert "trail.jsonl" in found.stdout


def forged(pack: Path, site: Site) -> Path:
    """Return a pack in which somebody who has the site's own key has rewritten history without a seam."""
    with zipfile.ZipFile(pack) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    entries = [json.loads(line) for line in contents["trail.jsonl"].splitlines()]
    entries[2]["actor"] = "Người khác"
    before = "0" * 64
    for entry in entries:
        entry["prev_hash"] = before
        names = ["sequence", "at", "actor_id", "actor", "actor_title", "action", "noun", "record_id", "document_id"]
        columns = [entry[name] for name in (*names, "detail", "prev_hash")]
        text = json.dumps(columns, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        entry["hash"] = before = hashlib.sha256(text.encode()).hexdigest()
    manifest = json.loads(contents["manifest.json"])
    manifest["head"]["hash"] = before
    change = {
        "trail.jsonl": "".join(json.dumps(entry) + "\n" for entry in entries).encode(),
        "checkpoints.jsonl": b"\n",
    }
    for row in manifest["files"]:
        if row["path"] in change:
            row["sha256"] = hashlib.sha256(change[row["path"]]).hexdigest()
    raw = json.dumps(manifest).encode()
    change |= {"manifest.json": raw, "manifest.sig": checkpoints.sign(site.settings, raw).encode()}
    return rewritten(pack, dict(change))


def test_one_old_printed_head_tells_truth_from_a_forgery_by_who_runs_the_server(pack: Path, site: Site) -> None:
    with zipfile.ZipFile(pack) as archive:
        old = json.loads(archive.read("trail.jsonl").splitlines()[9])
    printed = f"{old['sequence']}:{old['hash']}"
    assert ran(pack, "--head", printed).returncode == 0
    altered = forged(pack, site)
    assert ran(altered).returncode == 0  # Nobody can tell it without something of his own.
    found = ran(altered, "--head", printed)
    assert found.returncode == 1
    assert "another entry 10 than the printed head" in found.stdout


def test_a_key_of_ones_own_tells_who_signed(pack: Path, site: Site) -> None:
    assert ran(pack, "--key", checkpoints.public_key(site.settings)).returncode == 0
    assert ran(pack, "--key", "ab" * 32).returncode == 1


def test_a_decision_and_a_day_are_packed_too(site: Site, cast: Cast, make_revision: Make, tmp_path: Path) -> None:
    rows = [make_revision("approved", title=f"Quy trình {number}") for number in range(2)]
    decide(site, cast, issue=[row.id for row in rows], on=clock.today() - timedelta(days=1))
    with site.database.reading() as session:
        subjects = [
            evidence.of_decision(session, evidence.find_decision(session, "1/QĐ-UBND")),
            evidence.of_day(session, clock.now()),
        ]
    for number, subject in enumerate(subjects):
        target = tmp_path / f"{number}.zip"
        made = evidence.save(site, subject, target, by=None)
        assert {row["id"] for row in made["revisions"]} == {row.id for row in rows}
        assert ran(target).returncode == 0


def test_evidence_that_lacks_a_file_is_not_made(site: Site, make_revision: Make, tmp_path: Path) -> None:
    made = make_revision("in_force")
    (sha256,) = site.store.names()
    site.store.path(sha256).unlink()
    with pytest.raises(Refused, match="chưa lập được"):
        packed(site, made.document_id, tmp_path / "pack.zip")
    assert list(tmp_path.glob("*.zip")) == []
