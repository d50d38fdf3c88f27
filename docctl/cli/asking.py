"""Questions from the command line: search, and what is in force."""

import time
from typing import Any

import click

from docctl import authority, clock, documents, intervals, people, revisions
from docctl.cli.main import instant, json_option, opened, say
from docctl.exporting import plain
from docctl.search import finding, following


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--scope", type=click.Choice(["in-force", "all"]), default="in-force", show_default=True)
@click.option("--on", default=None, metavar="DATE", help="What was in force then.")
@click.option("--unit", default=None)
@click.option("--type", "type_code", default=None)
@click.option("--document", default=None, metavar="ID", type=click.IntRange(1), help="In the history of one document.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--as", "actor", default=None, metavar="USER", help="Who asks; without, only what is in force is found.")
@json_option
def search(
    words: tuple[str, ...],
    scope: str,
    on: str | None,
    unit: str | None,
    type_code: str | None,
    document: int | None,
    limit: int,
    actor: str | None,
    as_json: bool,
) -> None:
    """Search the documents, with or without accents."""
    with opened() as site:
        following.follow(site.database, site.engine)
        with site.database.reading() as session:
            reader = authority.reader(session, people.find(session, actor)) if actor else None
            found = finding.find(
                session,
                site.engine,
                " ".join(words),
                reader=reader,
                scope=scope,
                on=instant(on, "--on"),
                unit=unit,
                type=type_code,
                document=document,
                limit=limit,
            )
    result = found.as_dict()
    lines = [f"{hit['code']}\t{hit['edition']}\t{hit['state']}\t{hit['title']}" for hit in result["hits"]]
    say(as_json, result, f"{result['total']} found in {result['took_ms']:.0f} ms", *lines)


@click.command("in-force")
@click.option("--on", default=None, metavar="DATE", help="Now by default.")
@click.option("--known-at", default=None, metavar="INSTANT", help="As it was known then.")
@click.option("--document", default=None, metavar="ID|CODE")
@click.option("--compare", default=None, metavar="DATE", help="Say what came in, went out and changed until that date.")
@json_option
def in_force(on: str | None, known_at: str | None, document: str | None, compare: str | None, as_json: bool) -> None:
    """Say what is in force, or was, or will be, on a date."""
    began = time.perf_counter()
    if compare is not None:
        _compare(on, known_at, compare, as_json)
        return
    with opened() as site, site.database.reading() as session:
        # Opening the site has set the office's time zone, in which the dates are meant.
        at, known = instant(on, "--on") or clock.now(), instant(known_at, "--known-at")
        only = documents.find(session, document) if document else None
        found = [plain.standing(row) for row in revisions.standing(session, on=at, known_at=known, document=only)]
    result: dict[str, Any] = {"on": plain.instant(at), "known_at": plain.instant(known), "documents": found}
    lines = [f"{row['code']}\t{row['edition']}\t{row['effective_from']}\t{row['title']}" for row in found]
    took = (time.perf_counter() - began) * 1000
    say(as_json, result, *lines, f"{len(found)} in force on {clock.local(at):%d/%m/%Y %H:%M} ({took:.0f} ms)")


def _compare(on: str | None, known_at: str | None, compare: str, as_json: bool) -> None:
    with opened() as site, site.database.reading() as session:
        at, known = instant(on, "--on") or clock.now(), instant(known_at, "--known-at")
        until = instant(compare, "--compare") or clock.now()
        found = intervals.difference(session, at, until, known)
    result: dict[str, Any] = {
        "on": plain.instant(at),
        "compare": plain.instant(until),
        "known_at": plain.instant(known),
        "same": found.same,
    }
    result["came"], result["went"] = [_line(row) for row in found.came], [_line(row) for row in found.went]
    result["changed"] = [{"before": _line(one), "after": _line(other)} for one, other in found.changed]
    lines = [f"+ {row.code}\t{row.edition_text}\t{row.title}" for row in found.came]
    lines += [f"- {row.code}\t{row.edition_text}\t{row.title}" for row in found.went]
    lines += [f"~ {new.code}\t{old.edition_text} → {new.edition_text}\t{new.title}" for old, new in found.changed]
    say(as_json, result, *lines, f"{found.same} unchanged")


def _line(row: intervals.Standing) -> dict[str, Any]:
    return {
        "document": row.document_id,
        "code": row.code,
        "title": row.title,
        "revision": row.revision_id,
        "edition": row.edition_text if row.amendment else f"{row.edition:02d}",
        "effective_from": plain.instant(row.effective_from),
        "effective_to": plain.instant(row.effective_to),
        "sha256": row.sha256,
        "decision": row.decision,
    }


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(search)
    main.add_command(in_force)
