#!/usr/bin/env python3
"""Checks an evidence pack of docctl. Plain Python 3.9 or newer, nothing to install, no network.

    python3 check.py PACK.zip [--head SEQUENCE:HASH] [--key HEX]
    python3 check.py FOLDER

Give the head of a print made earlier (on minutes, on an annex, on a report): then whoever runs the server cannot have
rewritten what came before it. Give the site's public key from a source of your own: then nobody else signed the pack.
Exit status: 0 everything agrees, 1 something does not (each named), 2 the pack could not be read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
GENESIS = "0" * 64


class Pack:
    """The files of a pack, zipped or unpacked; a file that cannot be read is a problem of its own."""

    def __init__(self, path: Path) -> None:
        self.folder = path if path.is_dir() else None
        self.archive = None if self.folder else zipfile.ZipFile(path)

    def names(self) -> list[str]:
        """Return every file's name."""
        if self.archive:
            return [name for name in self.archive.namelist() if not name.endswith("/")]
        assert self.folder is not None
        return [file.relative_to(self.folder).as_posix() for file in self.folder.rglob("*") if file.is_file()]

    def read(self, name: str) -> bytes:
        """Return a file's bytes; raises KeyError when it is not there and ValueError when it is damaged."""
        try:
            if self.archive:
                return self.archive.read(name)
            assert self.folder is not None
            return (self.folder / name).read_bytes()
        except KeyError:
            raise
        except FileNotFoundError as error:
            raise KeyError(name) from error
        except Exception as error:
            raise ValueError(str(error)) from error


class Checker:
    """Everything that is wrong with a pack, by name."""

    def __init__(self, pack: Pack, key: str, head: str) -> None:
        self.pack, self.key, self.printed = pack, key.lower(), head
        self.problems: list[str] = []
        self.done: list[str] = []

    def run(self) -> None:
        """Check files, then the trail, then what is bound to it."""
        manifest = self._manifest()
        if manifest is None:
            return
        self._files(manifest)
        entries = self._lines("trail.jsonl")
        points = self._lines("checkpoints.jsonl")
        steps: list[tuple[str, Any, tuple[Any, ...]]] = [
            ("trail.jsonl", self._chain, (entries, manifest)),
            ("checkpoints.jsonl", self._checkpoints, (points, entries, manifest)),
            ("trail.jsonl", self._printed, (entries,)),
            ("signatures.json", self._signatures, (entries,)),
            (MANIFEST, self._revisions, (entries, manifest)),
        ]
        for name, step, given in steps:
            try:
                step(*given)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                # Damage can turn a name or a value into another one that no step can go on with.
                self.wrong(f"{name}: cannot be compared with the trail, one of the two was altered: {error!r}")

    def wrong(self, what: str) -> None:
        """Note a problem."""
        self.problems.append(what)

    def _manifest(self) -> dict[str, Any] | None:
        try:
            raw = self.pack.read(MANIFEST)
            manifest = json.loads(raw)
            signature = bytes.fromhex(self.pack.read(SIGNATURE).decode().strip())
        except (KeyError, ValueError) as error:
            self.wrong(f"{MANIFEST} or {SIGNATURE}: cannot be read: {error}")
            return None
        key = str(manifest.get("key", ""))
        if self.key and key != self.key:
            self.wrong(f"{MANIFEST}: is signed with the key {key}, not with yours")
        if not valid_signature(key, raw, signature):
            self.wrong(f"{MANIFEST}: its signature ({SIGNATURE}) is not over its bytes: one of the two was altered")
        self.done.append(f"manifest signed by key {key}")
        return dict(manifest)

    def _files(self, manifest: dict[str, Any]) -> None:
        listed = {row["path"]: row for row in manifest["files"]}
        for name in self.pack.names():
            if name not in listed and name not in (MANIFEST, SIGNATURE):
                self.wrong(f"{name}: is not in the manifest: somebody added it")
        for name, row in listed.items():
            try:
                found = hashlib.sha256(self.pack.read(name)).hexdigest()
            except KeyError:
                self.wrong(f"{name}: is missing")
            except ValueError as error:
                self.wrong(f"{name}: is damaged: {error}")
            else:
                if found != row["sha256"]:
                    self.wrong(f"{name}: has other bytes than the manifest says")
        self.done.append(f"{len(listed)} files by SHA-256")

    def _lines(self, name: str) -> list[dict[str, Any]]:
        try:
            return [json.loads(line) for line in self.pack.read(name).decode("utf-8").splitlines() if line]
        except (KeyError, ValueError) as error:
            self.wrong(f"{name}: cannot be read: {error}")
            return []

    def _chain(self, entries: list[dict[str, Any]], manifest: dict[str, Any]) -> None:
        before = GENESIS
        for number, entry in enumerate(entries, start=1):
            if entry.get("sequence") != number:
                self.wrong(f"trail.jsonl: entry {number} is missing or out of its place")
                return
            if entry.get("prev_hash") != before:
                self.wrong(f"trail.jsonl: entry {number} is not chained to the one before it")
            if hash_of(entry) != entry.get("hash"):
                self.wrong(f"trail.jsonl: entry {number} does not give its hash: it was altered")
            before = str(entry.get("hash"))
        head = manifest["head"]
        if (len(entries), before) != (head["sequence"], head["hash"]):
            self.wrong(f"trail.jsonl: ends at entry {len(entries)}, the manifest's head is entry {head['sequence']}")
        self.done.append(f"{len(entries)} entries of the trail, each chained to the one before it")

    def _checkpoints(
        self, points: list[dict[str, Any]], entries: list[dict[str, Any]], manifest: dict[str, Any]
    ) -> None:
        for number, point in enumerate(points, start=1):
            record = f"checkpoints.jsonl: line {number} (entry {point.get('sequence')})"
            said = {name: value for name, value in point.items() if name != "signature"}
            if point.get("key") != manifest["key"]:
                self.wrong(f"{record} is signed with another key than the manifest")
            elif not valid_signature(point["key"], canonical(said).encode(), bytes.fromhex(point["signature"])):
                self.wrong(f"{record} does not bear its signature: it was altered")
            elif not agrees(entries, int(point["sequence"]), str(point["hash"])):
                self.wrong(f"{record} names another head than the trail has there: the history was rewritten or cut")
        self.done.append(f"{len(points)} signed checkpoints")

    def _printed(self, entries: list[dict[str, Any]]) -> None:
        if not self.printed:
            return
        sequence, _, digest = self.printed.partition(":")
        if not agrees(entries, int(sequence), digest.lower()):
            self.wrong(
                f"trail.jsonl: has another entry {sequence} than the printed head: the history was rewritten or cut"
            )
        self.done.append(f"the printed head of entry {sequence}")

    def _signatures(self, entries: list[dict[str, Any]]) -> None:
        told: dict[int, tuple[str, Any, dict[str, Any]]] = {}
        for entry in entries:
            detail = json.loads(entry["detail"])
            signed = detail.get("signature")
            if isinstance(signed, dict):
                told[signed["id"]] = (entry["noun"], entry["record_id"], signed)
                if entry["action"] == "correction.made":  # Signed under the decision that it corrects.
                    told[signed["id"]] = ("decision", detail.get("decision_id"), signed)
        try:
            rows = json.loads(self.pack.read("signatures.json"))
        except (KeyError, ValueError) as error:
            self.wrong(f"signatures.json: cannot be read: {error}")
            return
        for row in rows:
            subject = ("revision", row["revision_id"]) if row["revision_id"] else ("decision", row["decision_id"])
            noun, record, signed = told.get(row["id"], ("", None, {}))
            if (noun, record) != subject or any(row.get(name) != value for name, value in signed.items()):
                self.wrong(f"signatures.json: signature {row['id']} is not what the trail says of it")
        self.done.append(f"{len(rows)} signatures against the trail")

    def _revisions(self, entries: list[dict[str, Any]], manifest: dict[str, Any]) -> None:
        told: dict[int, dict[str, Any]] = {}
        for entry in entries:
            if entry["noun"] == "revision" and entry["action"].startswith("revision."):
                told.setdefault(entry["record_id"], {}).update(json.loads(entry["detail"]))
        for row in manifest["revisions"]:
            known = told.get(row["id"], {})
            for name in ("state", "file_sha256", "content_hash", "effective_from", "effective_to", "title"):
                if known.get(name) != row.get(name):
                    self.wrong(f"{MANIFEST}: revision {row['id']}: {name} is not what the trail says")
            if row.get("original"):
                original: dict[str, Any] = next(
                    (file for file in manifest["files"] if file["path"] == row["original"]), {}
                )
                if original.get("sha256") != known.get("file_sha256"):
                    self.wrong(f"{row['original']}: is not the file that the trail says was approved or imported")
        self.done.append(f"{len(manifest['revisions'])} revisions with their files against the trail")


def agrees(entries: list[dict[str, Any]], sequence: int, digest: str) -> bool:
    """Say whether the trail has an entry with that hash in that place."""
    if sequence == 0:
        return digest == GENESIS
    return 0 < sequence <= len(entries) and entries[sequence - 1].get("hash") == digest


def hash_of(entry: dict[str, Any]) -> str:
    """Return the SHA-256 over every column of an entry and the hash of the one before it."""
    names = ("sequence", "at", "actor_id", "actor", "actor_title", "action", "noun", "record_id", "document_id")
    columns = [entry.get(name) for name in (*names, "detail", "prev_hash")]
    return hashlib.sha256(canonical(columns).encode()).hexdigest()


def canonical(value: Any) -> str:
    """Write a value as JSON in one way only."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# Ed25519 after RFC 8032, section 5.1: verification only, in plain integers.
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = "tuple[int, int, int, int]"


def _add(one: Any, other: Any) -> Any:
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times(number: int, point: Any) -> Any:
    result = (0, 1, 1, 0)
    while number:
        if number & 1:
            result = _add(result, point)
        point = _add(point, point)
        number >>= 1
    return result


def _x(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    if not square:
        return None if sign else 0
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def _point(data: bytes) -> Any:
    number = int.from_bytes(data, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = _x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = _point(BASE_Y.to_bytes(32, "little"))


def valid_signature(key: str, message: bytes, signature: bytes) -> bool:
    """Say whether an Ed25519 signature is over a message by the key, given in hex."""
    try:
        public = bytes.fromhex(key)
    except ValueError:
        return False
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r, s = _point(public), _point(signature[:32]), int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    left = _times(s, BASE)
    right = _add(r, _times(int.from_bytes(digest, "little") % ORDER, a))
    return not (left[0] * right[2] - right[0] * left[2]) % P and not (left[1] * right[2] - right[1] * left[2]) % P


def main() -> int:
    """Check the pack that is named, or the folder that this file lies in."""
    parser = argparse.ArgumentParser(description="Checks an evidence pack of docctl.")
    parser.add_argument("pack", nargs="?", default=str(Path(__file__).resolve().parent), help="the .zip, or its folder")
    parser.add_argument("--head", default="", metavar="SEQUENCE:HASH", help="a head that was printed earlier")
    parser.add_argument("--key", default="", metavar="HEX", help="the site's public key, from a source of your own")
    given = parser.parse_args()
    try:
        checker = Checker(Pack(Path(given.pack)), given.key, given.head)
    except (OSError, zipfile.BadZipFile) as error:
        print(f"{given.pack}: cannot be read: {error}", file=sys.stderr)
        return 2
    checker.run()
    for line in checker.done:
        print(f"checked: {line}")
    for problem in checker.problems:
        print(f"WRONG: {problem}")
    print("Something does not agree." if checker.problems else "Everything agrees.")
    return 1 if checker.problems else 0


if __name__ == "__main__":
    sys.exit(main())
