"""The proof that nothing was altered: schema, trail, stored states, signatures and files, each checked against another."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from docctl import audit
from docctl.audit import Head
from docctl.site import Site
from docctl.verify import approvals, replay, schema, storage, trail
from docctl.verify.findings import Findings, Problem, Progress

__all__ = ["Problem", "Progress", "Report", "verify"]

Stage = Callable[[Connection, Findings], None]


@dataclass(frozen=True)
class Report:
    """What was checked (tables by name, and how many rows of each), up to which head, and everything that is wrong."""

    head: Head
    checked: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_dict(self) -> dict[str, Any]:
        """Return the report as the JSON of the command line."""
        return {
            "ok": self.ok,
            "head": {"sequence": self.head.sequence, "hash": self.head.hash},
            "checked": self.checked,
            "problems": [{"what": row.what, "record": row.record, "detail": row.detail} for row in self.problems],
        }


def verify(site: Site, progress: Progress | None = None) -> Report:
    """Check everything that a site keeps, in one snapshot of its database; changes nothing.

    Memory stays small however long the trail is; time is mostly that of reading every stored file again.
    """
    findings = Findings(progress)
    with site.database.reading() as session:
        connection = session.connection()
        beside = (partial(storage.check_files, site.store), partial(storage.check_index, site.engine))
        for stage in (schema.check, trail.check, replay.check, approvals.check, *beside):
            _run(stage, connection, findings)
        try:
            head = audit.head(session)
        except DatabaseError:
            head = Head(0, audit.GENESIS)
    return Report(head, findings.checked, findings.problems)


def _run(stage: Stage, connection: Connection, findings: Findings) -> None:
    try:
        stage(connection, findings)
    except DatabaseError as error:
        # A table that is gone or a damaged page ends one stage, never the report.
        findings.found("database", "database", str(error.orig))
