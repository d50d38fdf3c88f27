"""The page of changes: one revision against another, in the line or side by side, with the sections that changed."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _

from docctl import comparison, revisions
from docctl.comparison import Comparison
from docctl.redline import ChangedSection, Entry
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.web import asking, edge

AROUND = 1  # Unchanged paragraphs shown before and after a change.
FEWEST_HIDDEN = 3  # Fewer unchanged paragraphs than this are shown: hiding them would save nothing.

blueprint = Blueprint("changes", __name__)


@blueprint.get("/revisions/<int:revision_id>/changes")
def show(revision_id: int) -> str:
    """Show what changed in the text of a revision since another one, in force unless `against` names one."""
    session, me = edge.reading(), edge.me()
    revision = revisions.load(session, revision_id, by=me) or abort(404)
    against = _against(revision)
    found = comparison.between(session, against, revision) if against else None
    return render_template(
        "changes/show.html",
        revision=revision,
        document=revision.document,
        status=revision.status(),
        against=against,
        offered=comparison.choices(session, revision, by=me),
        absent=found if isinstance(found, Sentence) else None,
        found=found if isinstance(found, Comparison) else None,
        side=_side(),
        whole=_whole(),
        address=_address,
        parts=_parts(found.entries) if isinstance(found, Comparison) else [],
        sections=[_section(row) for row in found.changed] if isinstance(found, Comparison) else [],
        missing=[_section(row) for row in found.forgotten.sections] if isinstance(found, Comparison) else [],
    )


def _against(revision: Revision) -> Revision | None:
    session, me = edge.reading(), edge.me()
    if not request.args.get("against"):
        return comparison.usual(session, revision, by=me)
    asked = asking.read_number(request.args["against"], default=-1)
    return next((row for row in comparison.choices(session, revision, by=me) if row.id == asked), None) or abort(404)


def _side() -> bool:
    return request.args.get("view") == "side"


def _whole() -> bool:
    return request.args.get("whole") == "1"


def _address(**changed: Any) -> str:
    """Return this page's address with some of its questions answered otherwise."""
    kept = {name: request.args[name] for name in ("against", "view", "whole") if request.args.get(name)}
    given = {name: value for name, value in {**kept, **changed}.items() if value}
    return url_for("changes.show", **{**(request.view_args or {}), **given})


def _parts(entries: Sequence[Entry]) -> list[SimpleNamespace]:
    """Return what the page shows in order: runs of paragraphs, tables, and gaps of what did not change."""
    shown = set(range(len(entries))) if _whole() else _near_changes(entries)
    parts: list[SimpleNamespace] = []
    numbered = enumerate(entries)
    for hidden, run in groupby(numbered, key=lambda pair: pair[0] not in shown):
        pairs = list(run)
        if hidden:
            parts.append(SimpleNamespace(kind="gap", n=len(pairs), entries=[]))
            continue
        for table, some in groupby(pairs, key=lambda pair: pair[1].is_row):
            parts.append(SimpleNamespace(kind="table" if table else "text", n=0, entries=list(some)))
    return parts


def _near_changes(entries: Sequence[Entry]) -> set[int]:
    """Return the numbers of the entries to show: those that changed, their neighbours, and the headings they stand under."""
    shown: set[int] = set()
    heading = None
    for number, entry in enumerate(entries):
        heading = number if entry.block.heading else heading
        if entry.kind != "same":
            shown |= set(range(max(0, number - AROUND), min(len(entries), number + AROUND + 1)))
            shown |= {heading} if heading is not None else set()
    return shown | _short_gaps(shown, len(entries))


def _short_gaps(shown: Iterable[int], total: int) -> set[int]:
    filled: set[int] = set()
    last = -1
    for number in [*sorted(shown), total]:
        if 0 < number - last - 1 < FEWEST_HIDDEN and last >= 0 and number < total:
            filled |= set(range(last + 1, number))
        last = number
    return filled


def _section(row: ChangedSection) -> SimpleNamespace:
    words = {
        "changed": _("changed"),
        "accents": _("accents only"),
        "added": _("added"),
        "removed": _("removed"),
        "moved_from": _("moved away"),
        "moved_to": _("moved here"),
    }
    return SimpleNamespace(
        title=row.section.title or _("Before the first heading"),
        what=", ".join(f"{n} {words[kind]}" for kind, n in row.counts.items()),
        pages=", ".join(map(str, sorted(row.pages))),
        first=row.first,
    )
