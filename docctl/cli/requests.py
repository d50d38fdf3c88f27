"""Change requests from the command line."""

from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from docctl import authority, documents, people, requests, units
from docctl.cli.documents import kept, read_change
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
    spoken,
)
from docctl.exporting import plain
from docctl.people import Reader
from docctl.requests import CONCLUSIONS, KINDS, STATES, Asked, ChangeRequest, Words
from docctl.rules import Refused, Sentence
from docctl.text import clean_name

SIGNS = ("submit", "opine", "accept", "return")


@click.group(cls=Group)
def request() -> None:
    """Change requests."""


@request.command("add")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.option("--document", "reference", default=None, metavar="CODE", help="The document to amend or withdraw.")
@click.option("--title", default="", help="The proposed title.")
@click.option("--type", "type_code", default=None, help="Of a new document.")
@click.option("--unit", "unit_code", default=None, help="Of a new document.")
@click.option("--code", default="", help="Of a new document; else the next one of its type's pattern.")
@click.option("--reason", default="", help="Why.")
@click.option("--change", "changes", multiple=True, metavar="SECTION|OLD|NEW|BASIS", help="A row of what would change.")
@click.option("--drafter", default=None, metavar="USER", help="Who writes the draft.")
@click.option("--draft-due", default=None, metavar="DATE", help="When the draft is due.")
@click.option("--effective", default=None, metavar="DATE", help="The proposed effective date.")
@click.option("--edition", type=click.IntRange(0), default=None, help="Lần ban hành.")
@click.option("--amendment", type=click.IntRange(0), default=None, help="Lần sửa đổi.")
@click.option("--replaced-by", default=None, metavar="CODE", help="What takes the place of a withdrawn document.")
@click.option("--affected", multiple=True, metavar="UNIT", help="A unit concerned.")
@click.option("--legal-basis", default="", help="The law that the change follows from.")
@click.option("--law-effective", default=None, metavar="DATE", help="When that law takes effect.")
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A draft enclosed.")
@as_option
@json_option
def request_add(kind: str, actor: str, as_json: bool, **given: Any) -> None:
    """Make a change request; it gets the next number of the year."""
    with acting(actor) as (site, session, by):
        content = kept(site, session, given["path"]) if given["path"] else None
        made = requests.draft(session, by=by, kind=kind, words=_words(session, given, content))
        result = plain.request(session, made, settings().locale)
    say(as_json, result, f"Request {made.id}: {made.number_text} {kind}, draft")


@request.command("act")
@click.argument("request_id", type=NUMBER)
@click.argument("trigger")
@click.option("--reason", default="")
@click.option("--conclusion", type=click.Choice(list(CONCLUSIONS)), default="agree", show_default=True)
@click.option("--remark", default="", help="Of an opinion; needed when it disagrees.")
@password_options
@as_option
@json_option
def request_act(
    request_id: int,
    trigger: str,
    reason: str,
    conclusion: str,
    remark: str,
    password: str | None,
    password_stdin: bool,
    actor: str,
    as_json: bool,
) -> None:
    """Take a request through submit, opine, accept, return, send_back, take_back or cancel."""
    proof = signing(actor, given_password(password, password_stdin, needed=trigger in SIGNS))
    with acting(actor) as (_, session, by):
        row = _loaded(session, request_id, by)
        requests.act(session, row, trigger, by=by, reason=reason, conclusion=conclusion, remark=remark, signing=proof)
        result = plain.request(session, row, settings().locale)
    say(as_json, result, f"Request {result['number']}: {result['state']}")


@request.command("show")
@click.argument("request_id", type=NUMBER)
@as_option
@json_option
def request_show(request_id: int, actor: str, as_json: bool) -> None:
    """Show a request, and for every act whether it is allowed or why not."""
    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        row = _loaded(session, request_id, by)
        result = plain.request(session, row, settings().locale) | {
            "acts": [plain.act(act, settings().locale) for act in requests.acts(session, row, by=by)]
        }
        opening = spoken(requests.opening(session, row, by=by))
    lines = [f"{act['trigger']}\t{act['refusal'] or 'allowed'}" for act in result["acts"]]
    say(as_json, result, f"{result['number']}: {opening}", *lines)


@request.command("list")
@click.option("--kind", type=click.Choice(list(KINDS)), default=None)
@click.option("--state", type=click.Choice(["open", *STATES]), default=None)
@click.option("--unit", "unit_code", default="")
@click.option("--year", type=NUMBER, default=None)
@as_option
@json_option
def request_list(
    kind: str | None, state: str | None, unit_code: str, year: int | None, actor: str, as_json: bool
) -> None:
    """List the requests that somebody may see, newest first."""
    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        asked = Asked(kind=kind or "", state=state or "", unit=unit_code, year=year)
        rows = [plain.request(session, row, settings().locale) for row in requests.find(session, asked, by=by)]
    lines = [f"{r['request']}\t{r['number']}\t{r['kind']}\t{r['state']}\t{r['code']}\t{r['title']}" for r in rows]
    say(as_json, {"items": rows}, *lines)


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(request)


def _words(session: Session, given: dict[str, Any], content: Any) -> Words:
    return Words(
        document=documents.find(session, given["reference"]) if given["reference"] else None,
        type=documents.find_type(session, given["type_code"]) if given["type_code"] else None,
        unit=units.find(session, given["unit_code"]) if given["unit_code"] else None,
        code=given["code"],
        title=given["title"],
        edition=given["edition"],
        amendment=given["amendment"],
        effective_on=day_of(given["effective"], "--effective"),
        reason=given["reason"],
        affected=given["affected"],
        replaced_by=documents.find(session, given["replaced_by"]) if given["replaced_by"] else None,
        drafter=people.find(session, given["drafter"]) if given["drafter"] else None,
        draft_due=day_of(given["draft_due"], "--draft-due"),
        content=content,
        file_name=clean_name(given["path"].name) if given["path"] else "",
        legal_basis=given["legal_basis"],
        law_effective_on=day_of(given["law_effective"], "--law-effective"),
        changes=[read_change(row) for row in given["changes"]],
    )


def _loaded(session: Session, request_id: int, by: Reader) -> ChangeRequest:
    found = requests.load(session, request_id, by=by)
    if found is None:
        raise Refused(
            Sentence(
                "Không có phiếu yêu cầu {n}, hoặc bạn không được xem.", "There is no request {n} that you may see."
            ).fill(n=request_id)
        )
    return found
