"""The proof that nothing was altered: schema, trail, stored states, signatures, files and checkpoints, each against another."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from docctl import audit, checkpoints
from docctl import internal_audits as internal_audits  # With these every table is known, whoever asks.
from docctl import posting as posting
from docctl import reminding as reminding
from docctl import reports as reports
from docctl import tokens as tokens
from docctl.audit import Head
from docctl.checkpoints import Checkpoint
from docctl.database import Base
from docctl.site import Site
from docctl.verify import anchors, approvals, kept, replay, schema, storage, trail
from docctl.verify.anchors import Tail
from docctl.verify.findings import Findings, Problem, Progress
from docctl.verify.storage import Scope

__all__ = ["Problem", "Progress", "Report", "Scope", "Tail", "covers", "verify"]

Stage = Callable[[Connection, Findings], None]
CHECKED = ("audit_entry", "signature", "content", "workflow_version")


@dataclass(frozen=True)
class Report:
    """What was checked (tables by name, and how many rows of each), up to which head, and everything that is wrong.

    `tail` is what no checkpoint vouches for: everything when there were none to compare with (`anchored` False).
    """

    head: Head
    checked: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    tail: Tail = field(default_factory=lambda: Tail(0, ""))
    scope: Scope = field(default_factory=Scope)
    anchored: bool = False

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
            "tail": self.tail.as_dict(),
            "anchored": self.anchored,
            "files": self.scope.words(),
            "covers": covers(),
        }


def covers() -> dict[str, list[str]]:
    """Return which tables are covered, and how: by the trail, by a check of their own, by checkpoints alone, or not."""
    told = {name for noun in replay.NOUNS for name in (noun.noun, noun.table) if name} | {"read_task"}
    replayed = sorted(told | audit.kept_tables().keys() - set(CHECKED))
    replayed = sorted({*replayed, "content_page", "content_heading"})
    rest = set(Base.metadata.tables) - set(replayed) - set(CHECKED) - checkpoints.OUTSIDE
    beside = sorted(f"{table}.{column}" for table, columns in checkpoints.UNTOLD.items() for column in columns)
    outside = [*sorted(checkpoints.OUTSIDE), *beside]
    return {"replayed": replayed, "checked": list(CHECKED), "by_checkpoint_only": sorted(rest), "not": outside}


def verify(
    site: Site,
    progress: Progress | None = None,
    *,
    points: Iterable[Iterable[Checkpoint]] | None = None,
    scope: Scope = Scope(),  # noqa: B008 - frozen, so that one serves all.
) -> Report:
    """Check everything that a site keeps, in one snapshot of its database; changes nothing.

    `points` are the checkpoints to compare with, in rows as they were kept; without them a cut tail cannot be excluded. Memory stays small however
    long the trail is; time is mostly that of reading every stored file again, which `scope` can make less.
    """
    findings = Findings(progress)
    head, tail = Head(0, audit.GENESIS), Tail(0, "")
    try:
        with site.database.reading() as session:
            connection = session.connection()
            beside = (partial(storage.check_files, site.store, scope), partial(storage.check_index, site.engine))
            for stage in (schema.check, trail.check, replay.check, kept.check, approvals.check, *beside):
                _run(stage, connection, findings)
            head = audit.head(session)
            key = checkpoints.public_key(site.settings)
            tail = anchors.check(points or (), key, site.store, head, connection, findings)
    except Exception as error:
        # What does not even open, or whose head cannot be read, is a finding too.
        findings.found("database", "database", _words(error))
    return Report(head, findings.checked, findings.problems, tail, scope, points is not None)


def _run(stage: Stage, connection: Connection, findings: Findings) -> None:
    try:
        stage(connection, findings)
    except Exception as error:
        # A table that is gone, a damaged page, a value that no program wrote: it ends one stage, never the report.
        findings.found("database", "database", _words(error))


def _words(error: Exception) -> str:
    if isinstance(error, DatabaseError):
        return str(error.orig)
    return f"holds what cannot be read: {type(error).__name__}: {error}"
