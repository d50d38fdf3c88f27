"""What the store of contents promises."""

import hashlib
import io
import os
import stat
import time
from pathlib import Path

import pytest

from docctl.files.store import Store, Stored
from docctl.rules import Refused

LIMIT = 1 << 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_content_is_kept_under_its_sha256(store: Store, tmp_path: Path) -> None:
    stored = store.put(io.BytesIO(b"quy tr\xc3\xacnh"), limit_bytes=LIMIT)
    digest = hashlib.sha256(b"quy tr\xc3\xacnh").hexdigest()
    assert stored == Stored(digest, 10)
    assert store.path(digest) == tmp_path / "files" / digest[:2] / digest[2:]
    with store.open(digest) as file:
        assert file.read() == b"quy tr\xc3\xacnh"


def test_the_same_content_twice_is_one_file(store: Store, tmp_path: Path) -> None:
    assert store.put(io.BytesIO(b"x"), limit_bytes=LIMIT) == store.put(io.BytesIO(b"x"), limit_bytes=LIMIT)
    assert len(files(tmp_path)) == 1
    assert len(list(store.names())) == 1


def test_two_documents_with_one_md5_stay_two(store: Store, shared_data: Path) -> None:
    folder = shared_data / "nasty" / "collisions"
    one, two = ((folder / name).read_bytes() for name in ("md5-1.docx", "md5-2.docx"))
    assert hashlib.md5(one).digest() == hashlib.md5(two).digest()
    names = {store.put(io.BytesIO(data), limit_bytes=LIMIT).sha256 for data in (one, two)}
    assert len(names) == 2


def test_a_kept_file_cannot_be_written(store: Store) -> None:
    path = store.path(store.put(io.BytesIO(b"x"), limit_bytes=LIMIT).sha256)
    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_a_file_of_exactly_the_limit_is_kept_and_one_byte_more_is_refused(store: Store, tmp_path: Path) -> None:
    store.put(io.BytesIO(b"a" * LIMIT), limit_bytes=LIMIT)
    with pytest.raises(Refused) as refused:
        store.put(io.BytesIO(b"b" * (LIMIT + 1)), limit_bytes=LIMIT)
    assert "1 MB" in refused.value.sentence.vi
    assert refused.value.field == "file"
    assert len(files(tmp_path)) == 1


def test_what_the_inspection_refuses_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    seen = []

    def inspect(path: Path) -> None:
        seen.append(path.read_bytes())
        raise LookupError

    with pytest.raises(LookupError):
        store.put(io.BytesIO(b"whole"), limit_bytes=LIMIT, inspect=inspect)
    assert seen == [b"whole"]
    assert files(tmp_path) == []


def test_an_upload_that_breaks_off_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    class Broken(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        store.put(Broken(), limit_bytes=LIMIT)  # type: ignore[arg-type]
    assert files(tmp_path) == []


def test_a_changed_or_lost_content_is_found_out_and_healed_by_the_same_upload(store: Store) -> None:
    name = store.put(io.BytesIO(b"x"), limit_bytes=LIMIT).sha256
    assert store.check(name)
    path = store.path(name)
    path.chmod(0o644)
    path.write_bytes(b"y")
    assert not store.check(name)
    store.put(io.BytesIO(b"x"), limit_bytes=LIMIT)
    assert store.check(name)
    path.unlink()
    assert not store.check(name)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 64, "0" * 63, "0" * 64 + "\n"])
def test_no_name_leads_out_of_the_store(store: Store, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        store.path(name)


def test_the_sweep_removes_old_leavings_and_spares_an_upload_under_way(store: Store, tmp_path: Path) -> None:
    old, new = tmp_path / "tmp" / "old", tmp_path / "tmp" / "new"
    for path in (old, new):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    assert store.sweep() == 1
    assert files(tmp_path / "tmp") == [new]


def test_the_bytes_reach_the_disk_before_the_name_and_the_name_before_the_answer(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    acts = []
    really_sync, really_rename = os.fsync, os.replace

    def sync(descriptor: int) -> None:
        acts.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        really_sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", lambda a, b: (acts.append("name"), really_rename(a, b)))
    store.put(io.BytesIO(b"x"), limit_bytes=LIMIT)
    assert acts == ["file", "folder", "name", "folder"]
