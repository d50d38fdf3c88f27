"""Recalls from the command line: what is out, what came back, and the signed minutes."""

from pathlib import Path

import click
from sqlalchemy.orm import Session

from docctl import authority, people, recall
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
from docctl.distribution import copies
from docctl.exporting import minutes, plain
from docctl.people import Reader
from docctl.recall import Recall
from docctl.rules import Refused, Sentence


@click.group("recall", cls=Group)
def recall_group() -> None:
    """Recalls of controlled copies, and their minutes."""


@recall_group.command("list")
@as_option
@json_option
def list_recalls(actor: str, as_json: bool) -> None:
    """List the recalls, open ones first."""
    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        found = recall.all_recalls(session) if recall.may_see(by) else []
        result = [plain.recalled(session, row) for row in found]
    say(as_json, result, *(f"{r['recall']}\t{r['decision']}\t{r['state']}\t{r['ledger']['held']}" for r in result))


@recall_group.command("show")
@click.argument("recall_id", type=NUMBER)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default=None, help="Minutes: .docx, .pdf."
)
@as_option
@json_option
def show(recall_id: int, output: Path | None, actor: str, as_json: bool) -> None:
    """Show a recall with its copies, and write its minutes as .docx or .pdf."""
    with opened() as site, site.database.reading() as session:
        found = _loaded(session, recall_id, authority.reader(session, people.find(session, actor)))
        result = plain.recalled(session, found) | {
            "copies": [plain.recall_line(line, settings().locale) for line in recall.lines_of(session, found)]
        }
        if output is not None:
            write_paper(minutes.of_recall(session, found, locale=settings().locale), output)
    lines = [f"{row['mark']}\t{row['code']}\t{row['number']}\t{row['state']}" for row in result["copies"]]
    say(as_json, result, f"{result['decision']}: {result['state']}", *lines)


@recall_group.command("return")
@click.argument("recall_id", type=NUMBER)
@click.argument("marks", nargs=-1, required=True)
@click.option("--condition", default="", help="How the copies came back.")
@as_option
@json_option
def take_back(recall_id: int, marks: tuple[str, ...], condition: str, actor: str, as_json: bool) -> None:
    """Record the return of copies (C12, or code|edition|number): all of them, or none."""
    with acting(actor) as (_, session, by):
        found = _loaded(session, recall_id, by)
        back = [recall.take_back(session, found, mark, by=by, condition=condition) for mark in marks]
        result = [plain.copy(copy, settings().locale) for copy in back]
    say(as_json, result, *(f"{row['mark']} {row['code']} {row['number']}: {row['state']}" for row in result))


@recall_group.command("lost")
@click.argument("recall_id", type=NUMBER)
@click.argument("mark")
@click.option("--reason", required=True)
@as_option
@json_option
def lost(recall_id: int, mark: str, reason: str, actor: str, as_json: bool) -> None:
    """Declare a copy of a recall lost, with the reason."""
    with acting(actor) as (_, session, by):
        found = _loaded(session, recall_id, by)
        gone = recall.settle(session, found, copies.find(session, mark), by=by, lost=reason)
        result = plain.copy(gone, settings().locale)
    say(as_json, result, f"{result['mark']} {result['code']} {result['number']}: {result['state']}")


@recall_group.command("minutes")
@click.argument("recall_id", type=NUMBER)
@click.option("--number", required=True)
@click.option("--date", "held_on", required=True, metavar="DATE")
@click.option("--participants", required=True)
@as_option
@json_option
def write_minutes(recall_id: int, number: str, held_on: str, participants: str, actor: str, as_json: bool) -> None:
    """Write number, date and participants of the minutes."""
    with acting(actor) as (_, session, by):
        found = _loaded(session, recall_id, by)
        day = day_of(held_on, "--date")
        recall.edit(session, found, by=by, number=number, held_on=day, participants=participants)
        result = plain.recalled(session, found)
    say(as_json, result, f"Recall {recall_id}: {number}")


@recall_group.command("act")
@click.argument("recall_id", type=NUMBER)
@click.argument("trigger")
@click.option("--reason", default="")
@password_options
@as_option
@json_option
def act(
    recall_id: int, trigger: str, reason: str, password: str | None, password_stdin: bool, actor: str, as_json: bool
) -> None:
    """Take the minutes through reconcile, witness or reopen."""
    proof = signing(actor, given_password(password, password_stdin, needed=trigger in ("reconcile", "witness")))
    with acting(actor) as (_, session, by):
        found = _loaded(session, recall_id, by)
        recall.act(session, found, trigger, by=by, reason=reason, signing=proof)
        result = plain.recalled(session, found)
    say(as_json, result, f"Recall {recall_id}: {result['state']}")


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(recall_group)


def _loaded(session: Session, recall_id: int, by: Reader) -> Recall:
    found = recall.load(session, recall_id, by=by)
    if found is None:
        raise Refused(
            Sentence(
                "Không có đợt thu hồi số {n}, hoặc bạn không được xem.", "There is no recall {n} that you may see."
            ).fill(n=recall_id)
        )
    return found
