"""Backups: complete or not there at all, and restored only when every byte is what the manifest says."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from docctl import audit, backup, checkpoints, revisions
from docctl.revisions import Revision
from docctl.rules import Refused
from docctl.search import following
from docctl.site import Site, open_site
from docctl.verify import verify
from tests.conftest import Cast, Made, settings, take

Make = Callable[..., Made]


@pytest.fixture
def saved(site: Site, make_revision: Make, tmp_path: Path) -> Path:
    """A backup of a site with a document in force and a draft."""
    make_revision("in_force")
    make_revision("draft", title="Dự thảo", text="Nội dung khác.")
    backup.save(site, tmp_path / "backup.zip")
    return tmp_path / "backup.zip"


def repacked(source: Path, target: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            kept = change(name, old.read(name))
            if kept:
                new.writestr(*kept)
        new.comment = b"0" * 64
    whole = target.read_bytes()[:-64]
    target.write_bytes(whole + hashlib.sha256(whole).hexdigest().encode())
    return target


def test_an_archive_that_is_only_packed_anew_is_the_same_backup(saved: Path, tmp_path: Path) -> None:
    same = repacked(saved, tmp_path / "same.zip", lambda name, content: (name, content))
    manifest, _ = backup.restore(settings(tmp_path / "other"), same)
    assert manifest == backup.restore(settings(tmp_path / "third"), saved)[0]


def test_a_restored_site_is_the_site_that_was_saved_and_verifies(site: Site, saved: Path, tmp_path: Path) -> None:
    manifest, before = backup.restore(settings(tmp_path / "other"), saved)
    assert before is None
    opened = open_site(settings(tmp_path / "other"))
    try:
        assert verify(opened).problems == []
        with opened.database.reading() as session, site.database.reading() as original:
            assert manifest.hash == audit.head(original).hash
            (restored,) = audit.past(session, manifest.sequence)
            assert (restored.action, restored.prev_hash) == ("trail.restored", manifest.hash)
            assert (restored.values["epoch"], checkpoints.epoch(session)) == (2, 2)
            assert len(revisions.in_force(session)) == 1
        assert following.follow(opened.database, opened.engine) > 0
        assert not list((tmp_path / "other").glob("restoring-*"))
    finally:
        opened.close()


def test_a_backup_is_one_instant_while_others_go_on_writing(
    site: Site, cast: Cast, make_revision: Make, tmp_path: Path
) -> None:
    made = make_revision("draft")
    acts = iter(("submit", "endorse", "endorse"))

    def meanwhile(stage: str, done: int, total: int) -> None:
        take(site, cast, made.id, next(acts))

    manifest = backup.save(site, tmp_path / "a.zip", meanwhile)
    with site.database.reading() as session:
        assert manifest.sequence < audit.head(session).sequence
        assert session.get_one(Revision, made.id).state == "in_review"
    backup.restore(settings(tmp_path / "other"), tmp_path / "a.zip")
    opened = open_site(settings(tmp_path / "other"))
    with opened.database.reading() as session:
        assert session.get_one(Revision, made.id).state == "draft"
    assert verify(opened).ok
    opened.close()


def test_a_backup_that_lacks_a_file_is_not_made_and_leaves_nothing_behind(
    site: Site, make_revision: Make, tmp_path: Path
) -> None:
    make_revision("in_force")
    with site.database.reading() as session:
        sha256 = revisions.in_force(session)[0].file_sha256 or ""
    site.store.path(sha256).unlink()
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(Refused, match=sha256):
        backup.save(site, target / "a.zip")
    assert list(target.iterdir()) == []
    assert not list(site.settings.storage.glob("saving-*"))


def flipped(content: bytes) -> bytes:
    return content[:40] + bytes([content[40] ^ 1]) + content[41:] if len(content) > 40 else b"?" + content[1:]


@pytest.mark.parametrize(
    "damage",
    [
        lambda name, content: (name, flipped(content)) if name == backup.DATABASE else (name, content),
        lambda name, content: (name, flipped(content)) if name.startswith("files/") else (name, content),
        lambda name, content: None if name.startswith("files/") else (name, content),
        lambda name, content: None if name == backup.MANIFEST else (name, content),
        lambda name, content: None if name == backup.DATABASE else (name, content),
        lambda name, content: (name, b"{}") if name == backup.MANIFEST else (name, content),
        lambda name, content: (name, b"[]") if name == backup.MANIFEST else (name, content),
        lambda name, content: (f"../{name}", content) if name.startswith("files/") else (name, content),
    ],
)
def test_a_damaged_archive_is_refused_and_changes_nothing(
    saved: Path, tmp_path: Path, damage: Callable[[str, bytes], tuple[str, bytes] | None]
) -> None:
    damaged = repacked(saved, tmp_path / "damaged.zip", damage)
    with pytest.raises(Refused):
        backup.restore(settings(tmp_path / "other"), damaged)
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_an_archive_that_was_cut_off_is_refused(saved: Path, tmp_path: Path, share: float) -> None:
    whole = saved.read_bytes()
    (tmp_path / "cut.zip").write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(Refused):
        backup.restore(settings(tmp_path / "other"), tmp_path / "cut.zip")
    assert list((tmp_path / "other").iterdir()) == []


def test_a_database_that_is_there_is_replaced_only_by_force_and_kept_beside(
    site: Site, cast: Cast, saved: Path, make_revision: Make
) -> None:
    later = make_revision("draft", title="Sau bản sao lưu")
    own = site.settings
    site.database.dispose()
    with pytest.raises(Refused, match="--force"):
        backup.restore(own, saved)
    _, before = backup.restore(own, saved, force=True)
    assert before is not None
    assert before.exists()
    opened = open_site(settings(own.storage))
    assert verify(opened).ok
    with opened.database.reading() as session:
        assert session.get(Revision, later.id) is None
    opened.close()
    shutil.move(before, own.storage / "docctl.db")
    opened = open_site(settings(own.storage))
    with opened.database.reading() as session:
        assert session.get(Revision, later.id) is not None
    opened.close()


def test_restoring_under_a_running_server_is_refused(site: Site, saved: Path) -> None:
    with site.database.reading() as session:
        audit.head(session)  # A connection is open, as a server's is.
        with pytest.raises(Refused, match="còn đang chạy"):
            backup.restore(site.settings, saved, force=True)
        assert audit.head(session).sequence > 0
    assert verify(site).ok


def test_a_backup_of_a_newer_docctl_is_refused(saved: Path, tmp_path: Path) -> None:
    def newer(name: str, content: bytes) -> tuple[str, bytes]:
        if name != backup.MANIFEST:
            return name, content
        return name, json.dumps(json.loads(content) | {"schema": "9999"}).encode()

    with pytest.raises(Refused, match="mới hơn"):
        backup.restore(settings(tmp_path / "other"), repacked(saved, tmp_path / "newer.zip", newer))


def test_an_interrupted_backup_leaves_the_earlier_one(site: Site, saved: Path) -> None:
    earlier = saved.read_bytes()

    class Interrupted(Exception):
        """Stands for a power cut in the middle."""

    def cut(stage: str, done: int, total: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        backup.save(site, saved, cut)
    assert saved.read_bytes() == earlier
    assert [file.name for file in saved.parent.iterdir() if "backup.zip" in file.name] == ["backup.zip"]
