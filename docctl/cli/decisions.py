"""Decisions from the command line."""

from pathlib import Path

import click
from sqlalchemy.orm import Session

from docctl import authority, decisions, documents, people
from docctl.cli.documents import loaded
from docctl.cli.main import (
    NUMBER,
    Group,
    acting,
    as_option,
    day_of,
    fail,
    given_password,
    json_option,
    note,
    opened,
    password_options,
    say,
    settings,
    signing,
    spoken,
)
from docctl.decisions import Check, Decision, Line
from docctl.exporting import plain
from docctl.files import sheets
from docctl.people import Reader
from docctl.rules import Refused, Sentence

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group(cls=Group)
def decision() -> None:
    """Decisions."""


@decision.command("add")
@click.argument("title")
@click.option("--number", default="", help="Such as 2804/QĐ-UBND.")
@click.option("--date", "signed_on", default=None, metavar="DATE", help="The date of signature.")
@click.option("--effective", default=None, metavar="DATE", help="The day on which it takes effect, from 00:00.")
@click.option("--issue", "issued", multiple=True, type=NUMBER, metavar="REVISION", help="A revision to issue, by id.")
@click.option("--withdraw", "withdrawn", multiple=True, metavar="DOCUMENT:REASON", help="A document to withdraw.")
@click.option("--keep", "kept_ones", multiple=True, metavar="DOCUMENT", help="A document that stays as it is.")
@click.option(
    "--sheet", type=FILE, default=None, help="An .xlsx or .xls with the columns Code, Act, Reason, Replaced by."
)
@click.option("--everything-approved", is_flag=True, help="Issue every approved revision that waits.")
@as_option
@json_option
def decision_add(
    title: str,
    number: str,
    signed_on: str | None,
    effective: str | None,
    issued: tuple[int, ...],
    withdrawn: tuple[str, ...],
    kept_ones: tuple[str, ...],
    sheet: Path | None,
    everything_approved: bool,
    actor: str,
    as_json: bool,
) -> None:
    """Draft a decision with its lines."""
    with acting(actor) as (_, session, by):
        lines = [Line(decisions.ISSUE, revision=loaded(session, number_, by)) for number_ in issued]
        if everything_approved:
            chosen = set(issued)
            lines += [
                Line(decisions.ISSUE, revision=row) for row in decisions.awaiting_issue(session) if row.id not in chosen
            ]
        lines += [_withdrawal(session, row) for row in withdrawn]
        lines += [Line(decisions.KEEP, document=documents.find(session, row)) for row in kept_ones]
        lines += _of_sheet(session, sheet) if sheet else []
        made = decisions.draft(
            session,
            by=by,
            title=title,
            number=number,
            signed_on=day_of(signed_on, "--date"),
            effective_from=day_of(effective, "--effective"),
            lines=lines,
        )
        result = plain.decision(made)
    say(as_json, result, f"Decision {made.id}: {len(made.lines)} lines, draft")


@decision.command("check")
@click.argument("decision_id", type=NUMBER)
@click.option("--as", "actor", default=None, metavar="USER", help="Mark it as checked in this person's name.")
@click.option(
    "--confirm",
    "confirmed",
    multiple=True,
    metavar="PROCEDURE",
    help="An administrative procedure that may be left without a document; once one is named, all must be.",
)
@json_option
def decision_check(decision_id: int, actor: str | None, confirmed: tuple[str, ...], as_json: bool) -> None:
    """Run the dry run; exit status 1 when it finds errors."""
    if actor:
        with acting(actor) as (_, session, by):
            found = decisions.check(
                session, loaded_decision(session, decision_id, by), by=by, confirmed=confirmed or None
            )
    else:
        with opened() as site, site.database.reading() as session:
            row = session.get(Decision, decision_id)
            if row is None:
                raise _none(decision_id)
            found = decisions.dry_run(session, row)
    say(as_json, plain.check(found, settings().locale), *_lines_of(found))
    if found.errors:
        fail(spoken(Sentence("Còn {n} lỗi.", "{n} errors remain.").fill(n=len(found.errors))))


@decision.command("act")
@click.argument("decision_id", type=NUMBER)
@click.argument("trigger")
@click.option("--reason", default="")
@password_options
@as_option
@json_option
def decision_act(
    decision_id: int, trigger: str, reason: str, password: str | None, password_stdin: bool, actor: str, as_json: bool
) -> None:
    """Take a decision through check, change, sign, execute, discard or cancel."""
    proof = signing(actor, given_password(password, password_stdin, needed=trigger == "sign"))
    with acting(actor) as (_, session, by):
        row = loaded_decision(session, decision_id, by)
        found = decisions.act(session, row, trigger, by=by, reason=reason, signing=proof)
        result = plain.decision(row) | ({"check": plain.check(found, settings().locale)} if found else {})
    say(as_json, result, f"Decision {decision_id}: {row.state}", *(_lines_of(found) if found else []))
    if found and found.errors:
        fail(spoken(Sentence("Còn {n} lỗi.", "{n} errors remain.").fill(n=len(found.errors))))


@decision.command("execute")
@click.argument("decision_id", type=NUMBER)
@as_option
@json_option
def decision_execute(decision_id: int, actor: str, as_json: bool) -> None:
    """Execute a signed decision: everything at once, or nothing."""
    with acting(actor) as (_, session, by):
        row = loaded_decision(session, decision_id, by)
        found = decisions.execute(session, row, by=by)
        result = plain.decision(row) | {"check": plain.check(found, settings().locale)}
    say(as_json, result, f"Decision {decision_id}: {row.state}", *_lines_of(found))


@decision.command("show")
@click.argument("decision_id", type=NUMBER)
@as_option
@json_option
def decision_show(decision_id: int, actor: str, as_json: bool) -> None:
    """Show a decision and its lines."""
    with opened() as site, site.database.reading() as session:
        row = loaded_decision(session, decision_id, authority.reader(session, people.find(session, actor)))
        result = plain.decision(row)
    lines = [f"{line['line']}\t{line['action']}\t{line['code']}\t{line['title']}" for line in result["lines"]]
    say(as_json, result, f"{result['number'] or decision_id}: {result['state']}", *lines)


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(decision)


def _lines_of(found: Check) -> list[str]:
    counts = Sentence(
        "Ban hành {issued} (thay thế {superseded}), hủy bỏ {withdrawn}; còn hiệu lực: {before} → {after}.",
        "Issues {issued} (superseding {superseded}), withdraws {withdrawn}; in force: {before} → {after}.",
    ).fill(
        issued=found.issued,
        superseded=found.superseded,
        withdrawn=found.withdrawn,
        before=found.in_force_before,
        after=found.in_force_after,
    )
    problems = [("!", row) for row in found.errors] + [("?", row) for row in found.warnings]
    return [spoken(counts)] + [f"{mark} {row.line or '-'} {row.code}: {spoken(row.sentence)}" for mark, row in problems]


def loaded_decision(session: Session, decision_id: int, by: Reader) -> Decision:
    """Return a decision that somebody may see, or refuse."""
    found = decisions.load(session, decision_id, by=by)
    if found is None:
        raise _none(decision_id)
    return found


def _none(decision_id: int) -> Refused:
    return Refused(
        Sentence(
            "Không có quyết định số {n}, hoặc bạn không được xem.", "There is no decision {n} that you may see."
        ).fill(n=decision_id)
    )


def _of_sheet(session: Session, path: Path) -> list[Line]:
    """Read a sheet dry; every row that cannot be read is named on stderr before the refusal."""
    try:
        return decisions.read_sheet(session, sheets.rows_of(path, path.name))
    except decisions.Unread as unread:
        for row in unread.problems["sheet"]:
            note(f"{row.line}\t{row.code}\t{spoken(row.sentence)}")
        raise


def _withdrawal(session: Session, given: str) -> Line:
    reference, _, reason = given.partition(":")
    return Line(decisions.WITHDRAW, document=documents.find(session, reference), reason=reason)
