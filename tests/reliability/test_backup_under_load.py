"""Backups while others work: each is one instant, comes back byte for byte, and is refused when a single bit of it is not what it was."""

import contextlib
import io
import os
import random
import shutil
import subprocess
import threading
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from docctl import backup, contents
from docctl.rules import Refused
from docctl.site import Site, open_site
from docctl.verify import verify
from tests.conftest import Made, settings
from tests.reliability import tamperer
from tests.reliability.serving import DOCCTL, environment
from tests.reliability.test_races import Serve, SignIn

BACKUPS, DAMAGED, KILLS = 20, 100, 30
SEED = 20221026

Make = Callable[..., Made]


def restored(archive: Path, folder: Path) -> tuple[backup.Manifest, Path]:
    """Restore an archive into an empty folder and return its manifest and the folder."""
    manifest, _ = backup.restore(settings(folder), archive)
    return manifest, folder


def differences(archive: Path, folder: Path, manifest: backup.Manifest) -> list[str]:
    """Compare what was restored with what the snapshot in the archive holds and refers to, without docctl's own reading."""
    found = []
    snapshot = folder.parent / "snapshot.db"
    with zipfile.ZipFile(archive) as packed:
        snapshot.write_bytes(packed.read("docctl.db"))
        for (sha256,) in tamperer.asked(snapshot, "SELECT sha256 FROM content"):
            file = folder / "files" / sha256[:2] / sha256[2:]
            if not file.is_file() or file.read_bytes() != packed.read(f"files/{sha256}"):
                found.append(f"file {sha256}")
    trail: dict[str, set[str] | None] = {"audit_entry": None}
    database = folder / "docctl.db"
    if tamperer.contents(snapshot, trail) != tamperer.contents(database, trail):
        found.append("tables")
    told = f"SELECT * FROM audit_entry WHERE sequence <= {manifest.sequence} ORDER BY sequence"
    if tamperer.asked(snapshot, told) != tamperer.asked(database, told):
        found.append("trail")
    later = f"SELECT action FROM audit_entry WHERE sequence > {manifest.sequence}"
    if tamperer.asked(snapshot, later) or tamperer.asked(database, later) != [("trail.restored",)]:
        found.append("epoch")
    return found


@pytest.mark.large
@pytest.mark.timeout(900)
def test_20_backups_under_load_come_back_byte_for_byte(
    site: Site, make_revision: Make, serve: Serve, sign_in: SignIn, tmp_path: Path
) -> None:
    make_revision("in_force")
    server = serve()
    writers = [sign_in(server, "author") for _ in range(3)]
    ended, sent = threading.Event(), Counter[int]()

    def write(number: int) -> None:
        until, client = time.monotonic() + 600, writers[number]
        for count in range(100_000):
            if ended.is_set() or time.monotonic() > until:
                return
            client.get("/documents/new")
            form = {
                "title": f"Quy trình {number}-{count}",
                "type": "QT",
                "unit": "TP",
                "code": "",
                "change_summary": "",
            }
            answer = client.post("/documents", form, file=("a.txt", f"Nội dung {number}-{count}".encode() * 200))
            sent[answer.status] += 1

    threads = [threading.Thread(target=write, args=(number,)) for number in range(len(writers))]
    for thread in threads:
        thread.start()
    heads, files = [], []
    try:
        for number in range(BACKUPS):
            archive, answered = tmp_path / f"{number}.zip", sum(sent.values())
            until = time.monotonic() + 120
            # One more than there are writers: at least one of these began after the backup before this one.
            while sum(sent.values()) <= answered + len(writers) and time.monotonic() < until:
                time.sleep(0.01)
            made = backup.save(site, archive)
            heads.append(made.sequence)
            files.append(len(made.files))
    finally:
        ended.set()
        for thread in threads:
            thread.join(60)
    for number in range(BACKUPS):
        archive, folder = tmp_path / f"{number}.zip", tmp_path / f"restored-{number}" / "storage"
        manifest, _ = restored(archive, folder)
        assert differences(archive, folder, manifest) == []
        opened = open_site(settings(folder))
        try:
            assert verify(opened).problems == []
        finally:
            opened.close()
        shutil.rmtree(folder.parent)
        archive.unlink()
    print(f"\n{BACKUPS} backups while {sum(sent.values())} uploads came in: entries {heads[0]} to {heads[-1]}, "
          f"files {files[0]} to {files[-1]}; each restored byte for byte")  # fmt: skip
    assert heads == sorted(set(heads)), "somebody wrote before each of them, and went on meanwhile"
    assert set(sent) == {303}


@pytest.fixture
def archive(site: Site, make_revision: Make, tmp_path: Path) -> Path:
    """A backup of an office with documents in force and some files."""
    for number in range(3):
        make_revision("in_force", title=f"Quy trình {number}", text=f"Nội dung {number} " * 300)
    backup.save(site, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def damage(whole: bytes, dice: random.Random) -> tuple[str, bytes]:
    """Return an archive to which one of the things happened that happen to archives."""
    place = dice.randrange(len(whole))
    how = dice.choice(("bit", "bit", "bit", "cut", "zeros", "twice", "swapped", "longer", "empty"))
    length = dice.choice((1, 16, 512, 4096))
    other = dice.randrange(len(whole))
    damaged = {
        "bit": lambda: whole[:place] + bytes([whole[place] ^ 1 << dice.randrange(8)]) + whole[place + 1 :],
        "cut": lambda: whole[:place],
        "zeros": lambda: whole[:place] + bytes(length) + whole[place + length :],
        "twice": lambda: whole[:place] + whole[place : place + length] + whole[place:],
        "swapped": lambda: whole[other:] + whole[:other],
        "longer": lambda: whole + dice.randbytes(length),
        "empty": lambda: b"",
    }[how]()
    return how, damaged


@pytest.mark.large
def test_100_damaged_backups_are_refused_and_leave_nothing_behind(archive: Path, tmp_path: Path) -> None:
    whole, dice, outcomes = archive.read_bytes(), random.Random(SEED), Counter[str]()
    folder = tmp_path / "other"
    while sum(outcomes.values()) < DAMAGED:
        how, damaged = damage(whole, dice)
        if damaged == whole:
            continue  # Zeros over zeros.
        (tmp_path / "damaged.zip").write_bytes(damaged)
        with pytest.raises(Refused):
            backup.restore(settings(folder), tmp_path / "damaged.zip")
        assert list(folder.iterdir()) == []
        outcomes[how] += 1
    print(f"\n{DAMAGED} damaged backups refused: {dict(outcomes)}")
    restored(archive, folder)


def bulk(site: Site) -> None:
    """Keep 12 MB of files that no packing makes smaller, so that a backup takes a while."""
    dice = random.Random(SEED)
    with site.database.writing() as session:
        for _ in range(24):
            stored = site.store.put(io.BytesIO(dice.randbytes(1 << 19)), limit_bytes=1 << 20)
            contents.keep(session, sha256=stored.sha256, size=stored.size, kind="txt")


def run_and_kill(storage: Path, words: list[str], reached: Callable[[], bool]) -> None:
    """Run a command and kill it as soon as it has come so far; one that is quicker ends by itself."""
    process = subprocess.Popen(
        [str(DOCCTL), *words], env=environment(storage), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 120
    try:
        while process.poll() is None and not reached() and time.monotonic() < until:
            time.sleep(0.0005)
    finally:
        process.kill()
        process.wait(30)


def written(*places: tuple[Path, str]) -> int:
    """Return how many bytes lie in the files of some folders that a pattern names."""
    total = 0
    for folder, pattern in places:
        for path in folder.glob(pattern):
            with contextlib.suppress(OSError):
                total += path.stat().st_size if path.is_file() else 1
    return total


def shares(dice: random.Random, count: int) -> list[float]:
    """Return how much of its bytes a command is to have written when it is killed, from the first to the last."""
    return [(number + dice.random()) / count for number in range(count)]


@pytest.mark.kill
@pytest.mark.timeout(900)
def test_a_kill_during_a_backup_leaves_the_earlier_one_or_the_whole_new_one(
    site: Site, make_revision: Make, tmp_path: Path
) -> None:
    make_revision("in_force")
    bulk(site)
    target, storage = tmp_path / "out" / "backup.zip", site.settings.storage
    target.parent.mkdir()
    backup.save(site, target)
    outcomes, dice = Counter[str](), random.Random(SEED)
    earlier, size = target.read_bytes(), target.stat().st_size
    for share in shares(dice, KILLS):
        # The first bytes are those of the database's copy, the last those of the archive before it gets its name.
        run_and_kill(
            storage,
            ["backup", str(target)],
            lambda share=share: (  # type: ignore[misc]
                written((target.parent, ".backup.zip.*")) >= share * size and written((storage, "saving-*/*")) > 0
            ),
        )
        now = target.read_bytes()
        outcomes["the earlier one" if now == earlier else "a whole new one"] += 1
        with target.open("rb") as file:
            backup._read(file, None)  # Whole, whichever it is.
        earlier = now
    left = [*target.parent.glob(".backup.zip.*"), *storage.glob("saving-*")]
    for path in left:
        _age(path)
    made = backup.save(site, target)
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert list(storage.glob("saving-*")) == []
    folder = tmp_path / "other" / "storage"
    restored(target, folder)
    assert differences(target, folder, made) == []
    print(
        f"\n{KILLS} kills over a backup of {size:,} bytes: {dict(outcomes)}; {len(left)} leftovers, swept by the next one"
    )
    assert outcomes["the earlier one"] > 0


@pytest.mark.kill
@pytest.mark.timeout(900)
@pytest.mark.parametrize("force", [False, True])
def test_a_kill_during_a_restore_leaves_what_was_there_or_the_whole_restored_site(
    site: Site, make_revision: Make, tmp_path: Path, force: bool
) -> None:
    make_revision("in_force")
    bulk(site)
    archive = tmp_path / "backup.zip"
    made = backup.save(site, archive)
    site.database.dispose()
    words = ["restore", str(archive), *(["--force"] if force else [])]
    storage = tmp_path / "other" / "storage"
    outcomes, dice = Counter[str](), random.Random(SEED)
    size = sum(made.files.values())
    for share in shares(dice, KILLS // 2):
        _prepare(storage, site.settings.storage if force else None)
        # Everything is written twice, unpacked and then stored; the database gets its place last, and is verified then.
        there = written((storage, "files/*/*"))
        wanted, begun = share * size * (1.5 if force else 2.2), _inode(storage)

        def reached(wanted: float = wanted, there: int = there, begun: int = begun) -> bool:
            lies = written((storage, "restoring-*/*"), (storage, "files/*/*"), (storage, "tmp/*")) - there
            return lies >= wanted or _inode(storage) != begun

        run_and_kill(storage, words, reached)
        if not (storage / "docctl.db").exists():
            assert not force, "the database that was there must stay until the other takes its place"
            outcomes["nothing is there"] += 1
            continue
        opened = open_site(settings(storage))
        try:
            assert verify(opened).problems == []
        finally:
            opened.close()
        newest = tamperer.asked(storage / "docctl.db", "SELECT action FROM audit_entry ORDER BY sequence DESC LIMIT 1")
        if newest == [("trail.restored",)]:
            assert differences(archive, storage, made) == []
            outcomes["the whole restored site"] += 1
        else:
            assert force
            outcomes["what was there"] += 1
    for path in storage.glob("restoring-*"):
        _age(path)
    backup.restore(settings(storage), archive, force=True)
    assert list(storage.glob("restoring-*")) == []
    print(f"\n{sum(outcomes.values())} kills over a restore of {size:,} bytes: {dict(outcomes)}")
    assert outcomes["nothing is there"] + outcomes["what was there"] > 0
    assert outcomes["the whole restored site"] > 0


def _inode(storage: Path) -> int:
    """Return which file is the database now; 0 while there is none."""
    with contextlib.suppress(OSError):
        return (storage / "docctl.db").stat().st_ino
    return 0


def _prepare(storage: Path, source: Path | None) -> None:
    shutil.rmtree(storage, ignore_errors=True)
    if source is None:
        storage.mkdir(parents=True)
        return
    storage.mkdir(parents=True)
    for name in ("docctl.db", "checkpoint_key"):
        shutil.copy(source / name, storage / name)
    shutil.copytree(source / "files", storage / "files", copy_function=_link)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _age(path: Path) -> None:
    os.utime(path, (1, 1))
