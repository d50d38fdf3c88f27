"""Decisions on paper and after their signature, from the command line: papers, the scan, what is owed, corrections."""

from pathlib import Path
from typing import Any

import click

from docctl import authority, clock, decisions, people
from docctl.cli.decisions import loaded_decision
from docctl.cli.documents import kept
from docctl.cli.main import (
    NUMBER,
    acting,
    as_option,
    day_of,
    given_password,
    json_option,
    opened,
    password_options,
    say,
    settings,
    signing,
    spoken,
    write_paper,
)
from docctl.decisions import Correction, Obligation
from docctl.exporting import decisions as papers
from docctl.exporting import plain
from docctl.rules import Refused, Sentence

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FORMATS = ("docx", "pdf", "xlsx")


@click.command("paper")
@click.argument("decision_id", type=NUMBER)
@click.argument("name", type=click.Choice(list(papers.PAPERS)))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help=".docx, .pdf or .xlsx."
)
@as_option
@json_option
def decision_paper(decision_id: int, name: str, output: Path, actor: str, as_json: bool) -> None:
    """Write a decision, or one of its annexes, as .docx, .pdf or .xlsx."""
    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        row = loaded_decision(session, decision_id, by)
        made = papers.paper(session, row, name, by=by, locale=settings().locale)
        write_paper(made, output, FORMATS)
        rows = sum(len(block.rows) for block in made.blocks)
    result = {"decision": decision_id, "paper": name, "file": str(output), "rows": rows}
    say(as_json, result, f"Decision {decision_id}: {name} → {output}, {rows} rows")


@click.command("scan")
@click.argument("decision_id", type=NUMBER)
@click.argument("file", type=FILE)
@as_option
@json_option
def decision_scan(decision_id: int, file: Path, actor: str, as_json: bool) -> None:
    """Attach the scan of a signed decision, once."""
    with acting(actor) as (site, session, by):
        row = loaded_decision(session, decision_id, by)
        made = decisions.attach_scan(session, row, by=by, content=kept(site, session, file), file_name=file.name)
        result = {"decision": decision_id, "file": made.file_name, "sha256": made.sha256}
    say(as_json, result, f"Decision {decision_id}: {result['file']} {result['sha256']}")


@click.command("owed")
@click.argument("decision_id", type=NUMBER)
@click.option("--done", "kind", default=None, metavar="KIND", help="Record that this is done, with its evidence.")
@click.option("--on", "done_on", default=None, metavar="DATE", help="The day on which it was done; today by default.")
@click.option("--evidence", default="", help="The number of a letter, the address of a page, where it hangs.")
@click.option("--file", type=FILE, default=None, help="A file that proves it.")
@as_option
@json_option
def decision_owed(
    decision_id: int, kind: str | None, done_on: str | None, evidence: str, file: Path | None, actor: str, as_json: bool
) -> None:
    """List what is owed after a decision, or record that something of it is done."""
    if kind is None:
        with opened() as site, site.database.reading() as session:
            by = authority.reader(session, people.find(session, actor))
            owed = decisions.obligations(session, loaded_decision(session, decision_id, by))
            result = [_owed(row) for row in owed]
    else:
        day = day_of(done_on, "--on") or clock.today()
        with acting(actor) as (site, session, by):
            owed = decisions.obligations(session, loaded_decision(session, decision_id, by))
            decisions.close_obligation(
                session,
                _named(owed, kind),
                by=by,
                done_on=day,
                evidence=evidence,
                content=kept(site, session, file) if file else None,
                file_name=file.name if file else "",
            )
            result = [_owed(row) for row in owed]
    say(as_json, result, *(f"{r['kind']}\t{r['due_on']}\t{r['done_on'] or '-'}\t{r['name']}" for r in result))


@click.command("correct")
@click.argument("decision_id", type=NUMBER)
@click.option("--number", required=True, help="Of the correction, such as 3/ĐC-UBND.")
@click.option("--date", "signed_on", required=True, metavar="DATE", help="The date of the paper.")
@click.option("--place", required=True, help="Where in the decision.")
@click.option("--wrong", required=True, help="As it reads.")
@click.option("--corrected", required=True, help="As it should read.")
@password_options
@as_option
@json_option
def decision_correct(
    decision_id: int,
    number: str,
    signed_on: str,
    place: str,
    wrong: str,
    corrected: str,
    password: str | None,
    password_stdin: bool,
    actor: str,
    as_json: bool,
) -> None:
    """Record and sign a correction of form (đính chính) of an executed decision."""
    day = day_of(signed_on, "--date")
    proof = signing(actor, given_password(password, password_stdin, needed=True))
    with acting(actor) as (_, session, by):
        made = decisions.correct(
            session,
            loaded_decision(session, decision_id, by),
            by=by,
            number=number,
            signed_on=day,
            place=place,
            wrong=wrong,
            corrected=corrected,
            signing=proof,
        )
        result = _corrected(made)
    say(as_json, result, f"Decision {decision_id}: {result['number']}")


def add_to(main: click.Group) -> None:
    """Put these commands beside the others about decisions."""
    group = main.commands["decision"]
    assert isinstance(group, click.Group)
    for command in (decision_paper, decision_scan, decision_owed, decision_correct):
        group.add_command(command)


def _owed(row: Obligation) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "name": spoken(row.name),
        "due_on": plain.day(row.due_on),
        "done_on": plain.day(row.done_on),
        "late": row.late,
        "evidence": row.evidence,
        "file": row.file_name,
    }


def _corrected(row: Correction) -> dict[str, Any]:
    return {
        "correction": row.id,
        "decision": row.decision_id,
        "number": row.number,
        "date": plain.day(row.signed_on),
        "place": row.place,
        "wrong": row.wrong,
        "corrected": row.corrected,
    }


def _named(owed: list[Obligation], kind: str) -> Obligation:
    found = next((row for row in owed if row.kind == kind.strip()), None)
    if found is None:
        raise Refused(
            Sentence(
                "Không có việc “{kind}”. Các việc: {known}.", "Nothing is owed as {kind}. There are: {known}."
            ).fill(kind=kind[:40], known=", ".join(row.kind for row in owed) or "–")
        )
    return found
