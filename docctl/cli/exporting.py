"""Registers from the command line, as files."""

from pathlib import Path

import click

from docctl import authority, exporting, people
from docctl.cli.main import instant, json_option, opened, say, settings
from docctl.exporting import registers
from docctl.people import Account, Reader
from docctl.register import Asked


@click.command("export")
@click.argument("name")
@click.option("--format", "format_", type=click.Choice(list(exporting.FORMATS)), default="xlsx", show_default=True)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."
)
@click.option("--on", default=None, metavar="DATE", help="Now by default.")
@click.option("--unit", default="")
@click.option("--type", "type_code", default="")
@click.option("--as", "actor", default=None, metavar="USER", help="Who asks; without, the whole register is written.")
@json_option
def export(
    name: str,
    format_: str,
    output: Path,
    on: str | None,
    unit: str,
    type_code: str,
    actor: str | None,
    as_json: bool,
) -> None:
    """Write a register as a workbook, a Word document, a PDF or text with commas."""
    with opened() as site, site.database.reading() as session:
        # Whoever holds the storage folder sees everything in it, as with a backup.
        by = authority.reader(session, people.find(session, actor)) if actor else Reader(Account(), {"auditor": None})
        asked = Asked(unit=unit, type=type_code, at=instant(on, "--on"))
        paper = registers.find(name).paper(session, asked, by=by, locale=settings().locale)
    output.write_bytes(exporting.write(paper, format_))
    rows = sum(len(block.rows) for block in paper.blocks)
    result = {"register": name, "format": format_, "file": str(output), "rows": rows}
    say(as_json, result, f"{paper.title}: {rows} rows → {output}")


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(export)
