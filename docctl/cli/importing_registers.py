"""Imports of registers from the command line: external documents, administrative procedures, lists of documents."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from docctl import jobs
from docctl.cli.importing import import_group
from docctl.cli.main import json_option, note, opened, say, settings
from docctl.importing import external, procedures, registers
from docctl.importing.results import Result

A_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
Importer = Callable[..., Result]


def _as(command: Any) -> Any:
    said = "Who imports; the first document controller by default."
    return click.option("--as", "actor", default="", metavar="USER", help=said)(command)


def _options(command: Any) -> Any:
    for option in (
        json_option,
        click.option("--dry-run", is_flag=True, help="Say what would happen and change nothing."),
        click.argument("file", type=A_FILE),
    ):
        command = option(command)
    return command


@import_group.command("external")
@_options
@_as
def import_external(file: Path, dry_run: bool, actor: str, as_json: bool) -> None:
    """Import a table (.tsv, .csv, .xlsx, .xls) of external documents; safe to repeat."""
    _import(external.import_external, file, dry_run=dry_run, actor=actor, as_json=as_json)


@import_group.command("procedures")
@_options
@_as
@click.option("--unit", default="", help="The unit that answers for them.")
def import_procedures(file: Path, dry_run: bool, actor: str, unit: str, as_json: bool) -> None:
    """Import an official list (.xlsx) or full procedures (.jsonl, .jsonl.gz); safe to repeat."""
    _import(procedures.import_procedures, file, dry_run=dry_run, actor=actor, as_json=as_json, unit=unit)


@import_group.command("register")
@_options
@click.option("--as", "register", required=True, type=click.Choice(registers.REGISTERS), help="Which register it is.")
@click.option(
    "--by", "actor", default="", metavar="USER", help="Who imports; the first document controller by default."
)
def import_register(file: Path, dry_run: bool, actor: str, register: str, as_json: bool) -> None:
    """Import a spreadsheet as a register of the office; safe to repeat."""
    _import(registers.import_register, file, register, dry_run=dry_run, actor=actor, as_json=as_json)


def _import(importer: Importer, file: Path, *given: str, as_json: bool, dry_run: bool, **more: Any) -> None:
    with opened() as site:
        found = importer(
            site,
            file,
            *given,
            dry_run=dry_run,
            locale=settings().locale,
            progress=lambda done, total: note(f"{done}/{total}"),
            **more,
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
    say(as_json, result, *lines)


def add_to(main: click.Group) -> None:
    """Put these commands into the program: they are commands of `docctl import`."""
    main.add_command(import_group)
