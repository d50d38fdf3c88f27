"""Whether every act in a storage folder is there whole: rows, signatures, trail and files, compared without `docctl verify`."""

import hashlib
import json
from collections import defaultdict
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from docctl.site import Site


def halves(site: Site, *, read_files: bool = False) -> list[str]:
    """Return a sentence for each act of which only a part is there; `read_files` also reads every file again."""
    with site.database.reading() as session:
        trail = _rows(session, "SELECT * FROM audit_entry ORDER BY sequence")
        found = _gaps(trail)
        for noun in ("revision", "decision"):
            entries: dict[int, list[dict[str, Any]]] = defaultdict(list)
            for entry in trail:
                if entry["noun"] == noun and entry["action"].startswith(f"{noun}."):
                    entries[entry["record_id"]].append({"action": entry["action"], **json.loads(entry["detail"])})
            rows = {row["id"]: row for row in _rows(session, f"SELECT * FROM {noun}")}
            found += [f"{noun} {key} is in the trail but not there" for key in entries.keys() - rows.keys()]
            for key, row in rows.items():
                found += _replayed(noun, row, entries[key], _signatures(session, noun, key))
        found += _documents(session, trail)
        found += _lines(session)
        found += _files(site, session, read_files=read_files)
    return found


def _gaps(trail: list[dict[str, Any]]) -> list[str]:
    wanted = range(1, len(trail) + 1)
    return [] if [entry["sequence"] for entry in trail] == list(wanted) else ["the trail has a gap"]


def _replayed(noun: str, row: dict[str, Any], entries: list[dict[str, Any]], signed: list[str]) -> list[str]:
    name = f"{noun} {row['id']}"
    if not entries:
        return [f"{name} is there but not in the trail"]
    states = [entry["state"] for entry in entries if "state" in entry]
    found = [] if states[-1] == row["state"] else [f"{name} is {row['state']}, in the trail {states[-1]}"]
    counted = sum(entry["action"] in (f"{noun}.moved", f"{noun}.edited") for entry in entries)
    if row["lock"] != counted + 1:
        found.append(f"{name} has lock {row['lock']}, the trail {counted} changes")
    recorded = [entry["meaning"] for entry in entries if entry.get("meaning")]
    if recorded != signed:
        found.append(f"{name} has signatures {signed}, the trail {recorded}")
    return found


def _signatures(session: Session, noun: str, key: int) -> list[str]:
    rows = _rows(session, f"SELECT meaning FROM signature WHERE {noun}_id = :key ORDER BY id", key=key)
    return [row["meaning"] for row in rows]


def _documents(session: Session, trail: list[dict[str, Any]]) -> list[str]:
    rows = {row["id"] for row in _rows(session, "SELECT id FROM document")}
    told = {entry["record_id"] for entry in trail if entry["action"] == "document.added"}
    return [f"document {key} and its trail do not agree" for key in rows ^ told]


def _lines(session: Session) -> list[str]:
    """An executed decision has done every line, any other one none."""
    issued = _rows(
        session,
        "SELECT l.decision_id AS decision, l.position, d.state AS decided, r.state, r.decision_id, r.effective_from "
        "FROM decision_line l JOIN decision d ON d.id = l.decision_id JOIN revision r ON r.id = l.revision_id",
    )
    return [
        f"line {row['position']} of decision {row['decision']} ({row['decided']}) issues a revision that is {row['state']}"
        for row in issued
        if (row["decided"] == "executed")
        != (row["decision_id"] == row["decision"] and row["state"] in ("issued", "withdrawn"))
    ]


def _files(site: Site, session: Session, *, read_files: bool) -> list[str]:
    found = []
    for row in _rows(session, "SELECT sha256, size FROM content"):
        path = site.store.path(row["sha256"])
        if not path.is_file() or path.stat().st_size != row["size"]:
            found.append(f"content {row['sha256']} has no whole file")
        elif read_files and hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
            found.append(f"content {row['sha256']} has another file")
    lost = "SELECT r.id FROM revision r LEFT JOIN content_text t ON t.sha256 = r.file_sha256 WHERE t.sha256 IS NULL"
    found += [f"revision {row['id']} has a file that waits for nobody to read it" for row in _rows(session, lost)]
    empty = "SELECT id FROM revision WHERE id NOT IN (SELECT revision_id FROM change_row)"
    return found + [f"revision {row['id']} has lost its change table" for row in _rows(session, empty)]


def _rows(session: Session, query: str, **given: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in session.execute(text(query), given).mappings()]
