"""Every write of what search shows must come with an entry of the trail that search heeds; else it would show the past."""

import re
from typing import Any

from sqlalchemy import Connection, Engine, event

from docctl.search.remembering import CONFIGURES, HEEDED

SHOWN = ("document", "document_type", "revision", "content_page", "content_text", "unit")
_WRITES = re.compile(rf"\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?({'|'.join(SHOWN)})\"?\s", re.IGNORECASE)
_MIGRATES = re.compile(r"\s*(?:INSERT INTO|UPDATE) alembic_version\s", re.IGNORECASE)  # No search goes on meanwhile.
_TELLS = re.compile(r"\s*INSERT INTO audit_entry\s", re.IGNORECASE)


def watch() -> None:
    """Refuse, from now on and in this process, the commit of a write that search would not hear of."""
    event.listen(Engine, "before_cursor_execute", _note)
    event.listen(Engine, "commit", _judge)
    event.listen(Engine, "rollback", _forget)


def _note(connection: Connection, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
    if written := _WRITES.match(statement):
        connection.info.setdefault("shown", set()).add(written[1])
    elif _MIGRATES.match(statement):
        connection.info["heard"] = True
    elif _TELLS.match(statement):
        rows = parameters if many else [parameters]
        values = [str(value) for row in rows for value in (row.values() if isinstance(row, dict) else row)]
        heard = any(value in HEEDED or CONFIGURES in value for value in values)
        connection.info["heard"] = connection.info.get("heard") or heard


def _judge(connection: Connection) -> None:
    shown, heard = connection.info.pop("shown", ()), connection.info.pop("heard", False)
    assert heard or not shown, f"{', '.join(sorted(shown))} written without an entry that search heeds"


def _forget(connection: Connection) -> None:
    connection.info.pop("shown", None)
    connection.info.pop("heard", None)
