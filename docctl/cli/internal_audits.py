"""Internal audits from the command line: open one, draw samples, see how it stands, write its report."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from docctl import authority, documents, internal_audits, people, units
from docctl.cli.main import (
    Group,
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
    write_paper,
)
from docctl.exporting import internal_audits as papers
from docctl.internal_audits import InternalAudit, Nonconformity, findings, sampling
from docctl.internal_audits import auditing as audits


@click.group("internal-audit", cls=Group)
def internal_audit_group() -> None:
    """Internal audits: samples of the master list, the walk, findings and corrective actions."""


@internal_audit_group.command("list")
@as_option
@json_option
def list_audits(actor: str, as_json: bool) -> None:
    """List the audits, the newest first."""
    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        result = [_as_dict(session, row) for row in audits.all_audits(session, by=by)]
    say(as_json, result, *(f"{r['number']}\t{r['state']}\t{r['walked']}/{r['samples']}\t{r['title']}" for r in result))


@internal_audit_group.command("findings")
@click.option("--open", "only_open", is_flag=True, help="Only those that somebody still has to act on.")
@as_option
@json_option
def list_findings(only_open: bool, actor: str, as_json: bool) -> None:
    """List the findings with their corrective-action slips, those due first before others."""
    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        rows = findings.visible(session, by=by)
        result = [_slip(row) for row in rows if findings.is_pending(row) or not only_open]
    say(as_json, result, *(f"{r['number']}\t{r['state']}\t{r['due']}\t{r['unit']}\t{r['statement']}" for r in result))


@internal_audit_group.command("open")
@click.argument("title")
@click.option("--scope", default="")
@click.option("--from", "first", default=None, metavar="DATE")
@click.option("--to", "last", default=None, metavar="DATE")
@click.option("--team", default="")
@click.option("--plan", default="")
@as_option
@json_option
def open_audit(title: str, first: str | None, last: str | None, actor: str, as_json: bool, **words: str) -> None:
    """Open an audit under the next number of the year."""
    with acting(actor) as (_, session, by):
        made = internal_audits.open_audit(
            session, by=by, title=title, first_day=day_of(first, "--from"), last_day=day_of(last, "--to"), **words
        )
        result = _as_dict(session, made)
    say(as_json, result, f"{result['number']}: {result['state']}")


@internal_audit_group.command("draw")
@click.argument("number")
@click.option("--size", type=int, required=True)
@click.option("--seed", default="", help="One is made, and printed, when left out.")
@click.option("--unit", default="")
@click.option("--type", "type_code", default="")
@as_option
@json_option
def draw(number: str, size: int, seed: str, unit: str, type_code: str, actor: str, as_json: bool) -> None:
    """Draw samples at random from the documents in force, by a seed with which anybody can draw the same."""
    with acting(actor) as (_, session, by):
        found = audits.find(session, number, by=by)
        taken = internal_audits.draw(
            session,
            found,
            by=by,
            size=size,
            seed=seed,
            unit=units.find(session, unit) if unit else None,
            type=documents.find_type(session, type_code) if type_code else None,
        )
        made = sampling.draws(session, found)[-1]
        codes = [row.document.code for row in taken]
        result = {
            "seed": made.seed,
            "population": len(made.population_ids),
            "samples": [{"document": row.document_id, "code": row.document.code} for row in taken],
        }
    say(as_json, result, f"seed {made.seed}", *codes)


@internal_audit_group.command("act")
@click.argument("number")
@click.argument("trigger")
@click.option("--reason", default="")
@password_options
@as_option
@json_option
def act(
    number: str, trigger: str, reason: str, password: str | None, password_stdin: bool, actor: str, as_json: bool
) -> None:
    """Take an audit through begin, report or cancel."""
    proof = signing(actor, given_password(password, password_stdin, needed=trigger == "report"))
    with acting(actor) as (_, session, by):
        found = audits.find(session, number, by=by)
        audits.act(session, found, trigger, by=by, reason=reason, signing=proof)
        result = _as_dict(session, found)
    say(as_json, result, f"{result['number']}: {result['state']}")


@internal_audit_group.command("show")
@click.argument("number")
@as_option
@json_option
def show(number: str, actor: str, as_json: bool) -> None:
    """Show an audit with its draws, samples and findings."""
    with opened() as site, site.database.reading() as session:
        found = audits.find(session, number, by=authority.reader(session, people.find(session, actor)))
        result = _as_dict(session, found) | {
            "draws": [
                {"seed": row.seed, "size": row.size, "reproduced": sampling.reproduced(session, row)}
                for row in sampling.draws(session, found)
            ],
            "sampled": [
                {"document": row.document_id, "code": row.document.code, **sampling.tally(row)}
                for row in audits.samples(session, found)
            ],
            "slips": [_slip(row) for row in findings.of_audit(session, found)],
        }
    say(as_json, result, f"{result['number']}: {result['state']}, {result['walked']} of {result['samples']} walked")


@internal_audit_group.command("report")
@click.argument("number")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help=".docx or .pdf")
@as_option
@json_option
def report(number: str, output: Path, actor: str, as_json: bool) -> None:
    """Write the report of an audit as .docx or .pdf, with the head of the trail on every page."""
    with opened() as site, site.database.reading() as session:
        found = audits.find(session, number, by=authority.reader(session, people.find(session, actor)))
        paper = papers.report(session, found, locale=settings().locale)
        write_paper(paper, output)
        result = {"number": found.number_text, "file": str(output), "head": paper.foot}
    say(as_json, result, f"{result['number']}: {output}")


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(internal_audit_group)


def _as_dict(session: Session, row: InternalAudit) -> dict[str, Any]:
    samples, slips = audits.samples(session, row), findings.of_audit(session, row)
    return {
        "internal_audit": row.id,
        "number": row.number_text,
        "title": row.title,
        "state": row.state,
        "samples": len(samples),
        "walked": sum(not each.open_points for each in samples),
        "findings": len(slips),
        "closed": sum(not findings.is_pending(each) for each in slips),
    }


def _slip(row: Nonconformity) -> dict[str, Any]:
    return {
        "nonconformity": row.id,
        "number": row.number_text,
        "grade": row.grade,
        "unit": row.unit.code,
        "statement": row.statement,
        "due": row.due_on.isoformat(),
        "late": findings.is_late(row),
        "state": row.state,
    }
