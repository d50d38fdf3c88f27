"""The readable index of an evidence pack: one HTML file that opens offline and prints."""

import json
from datetime import datetime
from html import escape
from typing import Any

from sqlalchemy.orm import Session

from docctl import clock, units
from docctl.rules import Refused

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; color: #1a2230; }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid #ccd }
table { border-collapse: collapse; width: 100%; font-size: .9em } th, td { text-align: left; vertical-align: top; padding: .3rem .5rem;
border-bottom: 1px solid #dde } code { overflow-wrap: anywhere; font-size: .85em } thead { display: table-header-group } tr { break-inside: avoid }
@media print { body { margin: 0; max-width: none } }
"""
HEADS = {
    "revisions": (
        "Mã / Code",
        "Lần / Edition",
        "Tên / Title",
        "Tình trạng / State",
        "Hiệu lực / In force",
        "Tệp / File",
        "SHA-256",
    ),
    "signatures": (
        "Người ký / Signed by",
        "Chức danh / Title",
        "Ý nghĩa / Meaning",
        "Thẩm quyền / Authority",
        "Lúc / When",
        "Nội dung / Content",
    ),
    "decisions": (
        "Số / Number",
        "Ngày ký / Signed on",
        "Trích yếu / Title",
        "Hiệu lực từ / From",
        "Tình trạng / State",
    ),
    "trail": ("STT / No.", "Lúc / When", "Ai / Who", "Việc / Act", "Lý do / Reason"),
}


def office(session: Session) -> str:
    """Return the name of the office, in Vietnamese."""
    try:
        return units.office(session).name_vi
    except Refused:
        return "docctl"


def index(
    manifest: dict[str, Any],
    decisions: list[dict[str, Any]],
    signatures: list[dict[str, Any]],
    records: dict[str, list[dict[str, Any]]],
    entries: list[dict[str, Any]],
) -> str:
    """Return the page: subject, head, how to check, revisions, signatures, decisions, other records, trail."""
    head = manifest["head"]
    parts = [
        f"<!doctype html><html lang=vi><meta charset=utf-8><title>{escape(manifest['subject'])}</title><style>{STYLE}</style>",
        f"<h1>Hồ sơ bằng chứng / Evidence: {escape(manifest['subject'])}</h1>",
        f"<p>{escape(manifest['office'])} · {_moment(manifest['made_at'])}</p>",
        f"<p>Mốc nhật ký / Head of the trail: {head['sequence']} <code>{head['hash']}</code><br>"
        f"Khóa công khai / Public key: <code>{manifest['key']}</code></p>",
        "<p>Kiểm tra / To check: <code>python3 check.py</code> (Python 3.9+, không cần cài đặt / nothing to install); "
        "<code>--head SỐ:MÃ</code> đối chiếu với mốc đã in trước đây / compares with a head printed earlier.</p>",
        _table("Phiên bản / Revisions", HEADS["revisions"], [_revision(row) for row in manifest["revisions"]]),
        _table("Chữ ký / Signatures", HEADS["signatures"], [_signature(row) for row in signatures]),
        _table("Quyết định / Decisions", HEADS["decisions"], [_decision(row) for row in decisions]),
    ]
    for name, rows in records.items():
        columns = (
            [column for column in rows[0] if rows and not column.endswith("hash") and column != "line"] if rows else []
        )
        parts.append(
            _table(name, columns, [[escape(str(row.get(column) or "")) for column in columns] for row in rows])
        )
    parts.append(_table("Nhật ký / Trail", HEADS["trail"], [_entry(row) for row in entries]))
    return "\n".join(part for part in parts if part) + "</html>\n"


def _table(caption: str, heads: Any, rows: list[list[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th scope=col>{escape(label)}</th>" for label in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<h2>{escape(caption)} ({len(rows)})</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _revision(row: dict[str, Any]) -> list[str]:
    file = f'<a href="{escape(row["original"])}">{escape(row["file_name"] or "")}</a>' if row["original"] else ""
    until = _moment(row["effective_to"]) if row["effective_to"] else "…"
    span = f"{_moment(row['effective_from'])} – {until}" if row["effective_from"] else ""
    state = row["status"] + (f" (imported: {row['source']})" if row["origin"] == "import" else "")
    facts = [escape(row["code"]), row["edition_text"], escape(row["title"]), escape(state), span, file]
    return [*facts, f"<code>{row['file_sha256'] or ''}</code>"]


def _signature(row: dict[str, Any]) -> list[str]:
    subject = f"revision {row['revision_id']}" if row["revision_id"] else f"decision {row['decision_id']}"
    return [
        *(escape(str(row[name] or "")) for name in ("person", "title", "meaning", "authority")),
        _moment(row["signed_at"]),
        f"{subject} <code>{row['content_hash']}</code>",
    ]


def _decision(row: dict[str, Any]) -> list[str]:
    return [escape(str(row[name] or "")) for name in ("number", "signed_on", "title", "effective_from", "state")]


def _entry(row: dict[str, Any]) -> list[str]:
    values = json.loads(row["detail"])
    act = row["action"] + (f" ({values['trigger']})" if values.get("trigger") else "")
    who = f"{row['actor']}, {row['actor_title']}" if row["actor_title"] else row["actor"]
    return [str(row["sequence"]), _moment(row["at"]), escape(who), escape(act), escape(str(values.get("reason") or ""))]


def _moment(text: str) -> str:
    return f"{clock.local(datetime.fromisoformat(text)):%d/%m/%Y %H:%M}"
