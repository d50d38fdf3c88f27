"""Imports from the command line."""

from pathlib import Path

import click

from docctl import jobs
from docctl.cli.keeping import bar
from docctl.cli.main import Group, instant, json_option, note, opened, say, settings
from docctl.importing import documents as importing
from docctl.importing import history as histories
from docctl.importing.documents import Plan


@click.group("import", cls=Group)
def import_group() -> None:
    """Bring in what an office has."""


@import_group.command("documents")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--unit", default="", help="The unit they belong to; the office by default.")
@click.option("--type", "type_code", default="QT", show_default=True)
@click.option("--field", "series", default=None, help="Lĩnh vực; else the folder that each file lies in.")
@click.option("--author", default="", metavar="USER", help="Whose drafts they become; else the first author.")
@click.option("--in-force-under", default="", metavar="DECISION", help="They are in force under this earlier decision.")
@click.option("--effective", default=None, metavar="DATE", help="Since when; else the date on each cover.")
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@click.option(
    "--as", "actor", default="", metavar="USER", help="Who imports; the first document controller by default."
)
@json_option
def import_documents(
    paths: tuple[Path, ...],
    unit: str,
    type_code: str,
    series: str | None,
    author: str,
    in_force_under: str,
    effective: str | None,
    dry_run: bool,
    actor: str,
    as_json: bool,
) -> None:
    """Import files and folders: .doc .docx .odt .pdf .txt .md; safe to repeat."""
    with opened() as site:
        plan = Plan(
            unit=unit,
            type=type_code,
            field=series,
            author=author,
            in_force_under=in_force_under,
            effective=instant(effective, "--effective"),
            dry_run=dry_run,
        )
        found = importing.import_documents(
            site, paths, plan, actor=actor, locale=settings().locale, progress=lambda done, all_: note(f"{done}/{all_}")
        )
        if not dry_run:
            jobs.wake(site)
    result = found.as_dict()
    lines = [
        f"{found.read} read: {found.created} created, {found.revised} revised, {found.unchanged} unchanged, "
        f"{len(found.conflicts)} conflicts, {len(found.needs_a_person)} need a person, {len(found.failed)} failed"
        + (" (dry run: nothing was changed)" if dry_run else "")
    ]
    for name in ("conflicts", "needs_a_person", "failed"):
        lines += [f"{name.replace('_', ' ')}: {row['source']}: {row['reason']}" for row in result[name]]
    lines += [f"left out: {name}" for name in found.left_out]
    say(as_json, result, *lines)


@import_group.command("history")
@click.argument("history", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--files",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="The folder, .tar or .tar.gz that holds the files which the lines name.",
)
@click.option("--source", default="", help="What the source is called; else the folder that the history lies in.")
@click.option("--unit", default="", help="The unit the documents belong to; the office by default.")
@click.option("--type", "type_code", default="QT", show_default=True)
@click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing.")
@click.option(
    "--as", "actor", default="", metavar="USER", help="Who imports; the first document controller by default."
)
@json_option
def import_history(
    history: Path, files: Path, source: str, unit: str, type_code: str, dry_run: bool, actor: str, as_json: bool
) -> None:
    """Import whole revision histories, one JSON line an edition, a renaming or a withdrawal; safe to repeat."""
    named = (source or history.absolute().parent.name or history.stem)[:200]
    plan = histories.Plan(named, unit=unit, type=type_code, dry_run=dry_run)
    drawn = bar()
    with opened() as site:
        found = histories.import_history(
            site,
            history,
            files,
            plan,
            actor=actor,
            locale=settings().locale,
            progress=lambda done, total: drawn("lines", done, total) if drawn else None,
        )
        if not dry_run:
            jobs.wake(site)
    result = found.as_dict()
    lines = [
        f"{found.read} lines of {named}: {found.created} created, {found.revised} revised, {found.renamed} renamed, "
        f"{found.withdrawn} withdrawn, {found.reinstated} reinstated, {found.unchanged} unchanged, "
        f"{len(found.conflicts)} conflicts, {len(found.needs_a_person)} need a person, {len(found.failed)} failed"
        + (" (dry run: nothing was changed)" if dry_run else ""),
        "Here from this source: " + ", ".join(f"{number} {name}" for name, number in found.totals.items()),
    ]
    for name in ("conflicts", "needs_a_person", "failed"):
        lines += [f"{name.replace('_', ' ')}: {row['source']}: {row['reason']}" for row in result[name]]
    say(as_json, result, *lines)


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(import_group)
