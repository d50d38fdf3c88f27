"""Retention and disposal from the command line."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from docctl import authority, documents, people, retention
from docctl.cli.main import (
    NUMBER,
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
from docctl.exporting import minutes
from docctl.people import Reader
from docctl.retention import Disposal, Record, disposal, schedule
from docctl.rules import Refused, Sentence


@click.group("retention", cls=Group)
def retention_group() -> None:
    """How long what ended is kept, and what holds it longer."""


@retention_group.command("list")
@click.option("--standing", type=click.Choice([*schedule.STANDINGS, "all"]), default="due", show_default=True)
@as_option
@json_option
def list_records(standing: str, actor: str, as_json: bool) -> None:
    """List what ended with its period: what is due, kept, on hold or disposed of."""
    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        found = retention.records(session) if schedule.may_see(by) else []
        result = [_record(row) for row in found if standing in ("all", row.standing)]
    say(as_json, result, *(f"{r['revision']}\t{r['code']}\t{r['edition']}\t{r['keep_until']}" for r in result))


@retention_group.command("period")
@click.argument("type_code")
@click.option("--years", type=NUMBER, default=None, help="Kept for good when left out.")
@click.option("--recall-days", type=NUMBER, default=15, show_default=True)
@as_option
@json_option
def period(type_code: str, years: int | None, recall_days: int, actor: str, as_json: bool) -> None:
    """Set how many years what ended of a type is kept, and the days its copies have to come back."""
    with acting(actor) as (_, session, by):
        kind = documents.find_type(session, type_code)
        schedule.set_period(session, kind, by=by, years=years, recall_days=recall_days)
        result = {"type": kind.code, "years": kind.retention_years, "recall_days": kind.recall_days}
    say(as_json, result, f"{result['type']}: {result['years'] or '-'}")


@retention_group.command("hold")
@click.argument("reference")
@click.option("--reason", required=True)
@as_option
@json_option
def hold(reference: str, reason: str, actor: str, as_json: bool) -> None:
    """Keep everything of a document (by id or code) until the hold is released."""
    with acting(actor) as (_, session, by):
        made = schedule.hold(session, documents.find(session, reference), by=by, reason=reason)
        result = {"hold": made.id, "document": made.document_id, "reason": made.reason}
    say(as_json, result, f"Hold {result['hold']}")


@retention_group.command("release")
@click.argument("hold_id", type=NUMBER)
@click.option("--reason", required=True)
@as_option
@json_option
def release(hold_id: int, reason: str, actor: str, as_json: bool) -> None:
    """Release a hold."""
    with acting(actor) as (_, session, by):
        found = schedule.find_hold(session, hold_id)
        if found is None:
            raise _none(hold_id)
        schedule.release(session, found, by=by, reason=reason)
    say(as_json, {"hold": hold_id, "released": True}, f"Hold {hold_id} released")


@click.group("disposal", cls=Group)
def disposal_group() -> None:
    """Disposals of what is past its retention, and their minutes."""


@disposal_group.command("add")
@click.argument("revision_ids", nargs=-1, type=NUMBER, required=True)
@click.option("--number", default="")
@click.option("--date", "held_on", default=None, metavar="DATE")
@click.option("--basis", default="")
@click.option("--council", default="")
@click.option("--method", default="")
@click.option("--done-by", default="")
@click.option("--witness", default="")
@as_option
@json_option
def add(revision_ids: tuple[int, ...], held_on: str | None, actor: str, as_json: bool, **words: str) -> None:
    """Draft the minutes of a disposal of revisions that are due."""
    with acting(actor) as (_, session, by):
        made = disposal.draft(session, by=by, revision_ids=revision_ids)
        disposal.edit(session, made, by=by, held_on=day_of(held_on, "--date"), seen=None, **words)
        result = as_dict(made)
    say(as_json, result, f"Disposal {result['disposal']}: {len(result['lines'])} lines, {result['state']}")


@disposal_group.command("act")
@click.argument("disposal_id", type=NUMBER)
@click.argument("trigger")
@click.option("--reason", default="")
@password_options
@as_option
@json_option
def act(
    disposal_id: int, trigger: str, reason: str, password: str | None, password_stdin: bool, actor: str, as_json: bool
) -> None:
    """Take a disposal through agree, carry_out, reopen or cancel."""
    proof = signing(actor, given_password(password, password_stdin, needed=trigger in ("agree", "carry_out")))
    with acting(actor) as (_, session, by):
        found = _loaded(session, disposal_id, by)
        disposal.act(session, found, trigger, by=by, reason=reason, signing=proof)
        result = as_dict(found)
    say(as_json, result, f"Disposal {disposal_id}: {result['state']}")


@disposal_group.command("show")
@click.argument("disposal_id", type=NUMBER)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Minutes: .docx, .pdf."
)
@as_option
@json_option
def show(disposal_id: int, output: Path | None, actor: str, as_json: bool) -> None:
    """Show a disposal, and write its minutes as .docx or .pdf."""
    with opened() as site, site.database.reading() as session:
        found = _loaded(session, disposal_id, authority.reader(session, people.find(session, actor)))
        result = as_dict(found)
        if output is not None:
            write_paper(minutes.of_disposal(session, found, locale=settings().locale), output)
    say(as_json, result, f"{result['number'] or disposal_id}: {result['state']}")


def as_dict(row: Disposal) -> dict[str, Any]:
    """Return a disposal as the JSON of the command line."""
    return {
        "disposal": row.id,
        "number": row.number,
        "date": row.held_on.isoformat() if row.held_on else None,
        "state": row.state,
        "lines": [
            {"line": line.position, "revision": line.revision_id, "keep_until": line.keep_until.isoformat()}
            for line in row.lines
        ],
    }


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(retention_group)
    main.add_command(disposal_group)


def _record(row: Record) -> dict[str, Any]:
    return {
        "revision": row.revision.id,
        "code": row.revision.document.code,
        "edition": row.revision.edition_code,
        "ended": row.ended.isoformat(),
        "years": row.years,
        "keep_until": row.keep_until.isoformat() if row.keep_until else None,
        "standing": row.standing,
        "hold": row.hold.reason if row.hold else None,
        "disposal": row.disposal or None,
    }


def _loaded(session: Session, disposal_id: int, by: Reader) -> Disposal:
    found = disposal.load(session, disposal_id, by=by)
    if found is None:
        raise _none(disposal_id)
    return found


def _none(number: int) -> Refused:
    return Refused(
        Sentence("Không có mục số {n}, hoặc bạn không được xem.", "There is no {n} that you may see.").fill(n=number)
    )
