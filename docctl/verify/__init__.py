"""The proof that nothing was altered: schema, trail, stored states, signatures, files and checkpoints, each against another."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from docctl import audit, checkpoints
from docctl.audit import Head
from docctl.checkpoints import Checkpoint
from docctl.database import Base
from docctl.site import Site
from docctl.verify import anchors, approvals, replay, schema, storage, trail
from docctl.verify.anchors import Tail
from docctl.verify.findings import Findings, Problem, Progress
from docctl.verify.storage import Scope

__all__ = ["Problem", "Progress", "Report", "Scope", "Tail", "covers", "verify"]

Stage = Callable[[Connection, Findings], None]
CHECKED = ("audit_entry", "signature", "content", "workflow_version")


@dataclass(frozen=True)
class Report:
    """What was checked (tables by name, and how many rows of each), up to which head, and everything that is wrong.

    `tail` is what no checkpoint vouches for; None when no checkpoints were given.
    """

    head: Head
    checked: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    tail: Tail | None = None
    scope: Scope = field(default_factory=Scope)

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
            "tail": self.tail.as_dict() if self.tail else None,
            "files": self.scope.words(),
            "covers": covers(),
        }


def covers() -> dict[str, list[str]]:
    """Return which tables are covered, and how: by the trail, by a check of their own, by checkpoints alone, or not."""
    replayed = sorted({name for noun in replay.NOUNS for name in (noun.noun, noun.table) if name})
    outside = sorted(checkpoints.EPHEMERAL - set(CHECKED))
    rest = set(Base.metadata.tables) - set(replayed) - set(CHECKED) - set(outside)
    return {"replayed": replayed, "checked": list(CHECKED), "by_checkpoint_only": sorted(rest), "not": outside}


def verify(
    site: Site,
    progress: Progress | None = None,
    *,
    points: Iterable[Checkpoint] | None = None,
    scope: Scope = Scope(),  # noqa: B008 - frozen, so that one serves all.
) -> Report:
    """Check everything that a site keeps, in one snapshot of its database; changes nothing.

    `points` are the checkpoints to compare with; without them a cut tail cannot be excluded. Memory stays small however
    long the trail is; time is mostly that of reading every stored file again, which `scope` can make less.
    """
    findings = Findings(progress)
    tail = None
    with site.database.reading() as session:
        connection = session.connection()
        beside = (partial(storage.check_files, site.store, scope), partial(storage.check_index, site.engine))
        for stage in (schema.check, trail.check, replay.check, approvals.check, *beside):
            _run(stage, connection, findings)
        try:
            head = audit.head(session)
            if points is not None:
                key = checkpoints.public_key(site.settings)
                tail = anchors.check(points, key, site.store, head, connection, findings)
        except DatabaseError as error:
            head = Head(0, audit.GENESIS)
            findings.found("database", "database", str(error.orig))
    return Report(head, findings.checked, findings.problems, tail, scope)


def _run(stage: Stage, connection: Connection, findings: Findings) -> None:
    try:
        stage(connection, findings)
    except DatabaseError as error:
        # A table that is gone or a damaged page ends one stage, never the report.
        findings.found("database", "database", str(error.orig))
