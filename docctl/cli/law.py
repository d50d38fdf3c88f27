"""External documents, coverage and holidays from the command line."""

from datetime import date

import click

from docctl import clock, external, holidays, procedures, reports, watch
from docctl.cli.main import REFUSED, Group, acting, as_option, fail, json_option, note, opened, say, settings
from docctl.exporting import plain_law
from docctl.external import Change


@click.group("external", cls=Group)
def external_group() -> None:
    """The register of laws, decrees and standards."""


@external_group.command("amend")
@click.argument("number")
@click.option("--with", "changer", required=True, metavar="NUMBER", help="The act that changes it.")
@click.option("--effective", required=True, metavar="DATE", help="Since when.")
@click.option("--kind", type=click.Choice(external.KINDS_OF_CHANGE), default=external.AMENDED, show_default=True)
@as_option
@json_option
def amend(number: str, changer: str, effective: str, kind: str, actor: str, as_json: bool) -> None:
    """Note that another act amends, replaces or repeals NUMBER."""
    day = read_day(effective, "--effective")
    with acting(actor) as (_site, session, by):
        row = external.with_number(session, number)
        if row is None:
            fail(f"{number}: not in the register. Import it first: docctl import external FILE.")
        made = watch.amend(session, row, Change(changer, day, kind), by=by)
        opened_for = [each.code for each in made]
        result = {"id": row.id, "number": row.number, "changes": len(row.changes), "assessments": opened_for}
    said = f"{row.number}: {kind} by {changer} from {day:%d/%m/%Y}; {len(made)} assessments opened"
    say(as_json, result, said)


@external_group.command("list")
@click.option("--on", default=None, metavar="DATE", help="Their states then; today by default.")
@click.option("--state", type=click.Choice(external.ASKED_STATES), default=external.EVERY, show_default=True)
@json_option
def list_external(on: str | None, state: str, as_json: bool) -> None:
    """List the external documents with their states on a day."""
    with opened() as site, site.database.reading() as session:
        day = read_day(on, "--on") if on else clock.today()
        found = external.find(session, external.Asked(state=state, on=day), limit=None)
        rows = [
            {
                "id": row.id,
                "number": row.number,
                "kind": row.kind,
                "title": row.title,
                "issuer": row.issuer,
                "issued_on": _iso(row.issued_on),
                "effective_from": _iso(row.effective_from),
                "state": row.state_on(day),
                "amended_by": [change.number for change in row.amended_by(day)],
                "warnings": [sentence.en for sentence in external.warnings(row)],
            }
            for row in found.rows
        ]
    lines = [f"{row['number']}\t{row['state']}\t{row['effective_from']}\t{row['title']}" for row in rows]
    result = {"on": day.isoformat(), "total": found.total, "of": found.all, "documents": rows}
    say(as_json, result, *lines, f"{found.total} of {found.all} on {day:%d/%m/%Y}")


@click.command()
@click.option("--on", default=None, metavar="DATE", help="Today by default.")
@json_option
def coverage(on: str | None, as_json: bool) -> None:
    """Say how many administrative procedures are covered by a document in force, of how many that apply."""
    with opened() as site, site.database.reading() as session:
        day = read_day(on, "--on") if on else clock.today()
        found = procedures.coverage.on(session, day)
        alarms = procedures.alarms(session, day)
    result = plain_law.coverage(found, alarms)
    lines = [f"{share.name or '–'}\t{share.covered}/{share.applied}" for share in found.by_field]
    percent = f" = {found.all.percent} %" if found.all.percent is not None else ""
    say(as_json, result, *lines, f"{found.all.covered}/{found.all.applied}{percent} on {day:%d/%m/%Y}")


@click.group("holiday", cls=Group)
def holiday_group() -> None:
    """The days off over which deadlines roll."""


@holiday_group.command("add")
@click.argument("day")
@click.argument("name")
@as_option
@json_option
def add_holiday(day: str, name: str, actor: str, as_json: bool) -> None:
    """List a day off."""
    with acting(actor) as (_site, session, by):
        made = holidays.add(session, read_day(day, "DAY"), name, by=by)
        result = {"day": made.day.isoformat(), "name": made.name}
    say(as_json, result, f"{made.day:%d/%m/%Y} {made.name}")


@holiday_group.command("remove")
@click.argument("day")
@as_option
@json_option
def remove_holiday(day: str, actor: str, as_json: bool) -> None:
    """Take a day off the list."""
    with acting(actor) as (_site, session, by):
        holidays.remove(session, read_day(day, "DAY"), by=by)
    say(as_json, {"removed": day}, f"{day} removed")


@holiday_group.command("list")
@json_option
def list_holidays(as_json: bool) -> None:
    """List the days off."""
    with opened() as site, site.database.reading() as session:
        rows = [{"day": row.day.isoformat(), "name": row.name} for row in holidays.listed(session)]
    say(as_json, {"holidays": rows}, *(f"{row['day']}\t{row['name']}" for row in rows))


@click.command("report")
@click.argument("year", type=click.IntRange(1990, 2999))
@json_option
def report(year: int, as_json: bool) -> None:
    """Give the figures of a year, each with its query, and the contradictions found; exit status 1 when there are any."""
    with opened() as site, site.database.reading() as session:
        found = reports.of_year(session, year)
    locale = settings().locale
    lines = [f"{row.label.get(locale)}: {row.text} ({row.on:%d/%m/%Y}, {row.name})" for row in found.year.figures]
    lines += [f"{row.number}: +{row.issued} −{row.withdrawn}" for row in found.year.decisions]
    lines += [f"{row.name}: {row.value} ({row.source})" for row in found.typed]
    say(as_json, found.as_dict(locale), *lines)
    for row in found.contradictions:
        note(f"{row.about} ({row.said}): {row.sentence.get(locale)}")
    if found.contradictions:
        raise SystemExit(REFUSED)


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    for command in (external_group, coverage, report, holiday_group):
        main.add_command(command)


def read_day(typed: str, option: str) -> date:
    """Read a day; a wrong one is wrong usage."""
    try:
        return clock.local(clock.parse(typed.strip()[:10])).date()
    except ValueError as error:
        raise click.BadParameter(f"{typed}: give YYYY-MM-DD, a day that exists.", param_hint=option) from error


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
