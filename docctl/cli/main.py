"""What every command shares: opening the site, naming the actor, one JSON document or plain lines, exit statuses."""

import functools
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from docctl import __version__, audit, authority, clock, config, exporting, jobs, people
from docctl.audit import Action
from docctl.config import ConfigError, Settings
from docctl.database import DatabaseError
from docctl.exporting import Paper, plain
from docctl.people import Reader, Reauthenticated
from docctl.rules import Refused, Sentence
from docctl.site import Site, open_site
from docctl.workflow import WorkflowError

Command = Callable[..., Any]
REFUSED = 1
NUMBER = click.IntRange(0, 2**31 - 1)  # An id or a count: what every database takes.


class Group(click.Group):
    """A group whose refusals become one sentence on stderr and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; 0 done, 1 refused or found something, 2 wrong usage."""
        try:
            return super().invoke(ctx)
        except Refused as error:
            fail(error.sentence.get(settings().locale))
        except WorkflowError as error:
            fail(error.text(settings().locale))
        except (ConfigError, DatabaseError) as error:
            fail(str(error))
        except IntegrityError as error:
            fail(f"The database's own guard refused it: {error.orig}. Nothing was changed.")


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__)
def main() -> None:
    """Document control for ISO 9001 quality documents, with a versioned workflow."""


@functools.cache
def settings() -> Settings:
    """Return the settings of this process."""
    return config.load()


@contextmanager
def opened(*, migrate: bool = False) -> Iterator[Site]:
    """Open the site of the settings, and close it."""
    site = open_site(settings(), migrate=migrate)
    try:
        yield site
    finally:
        site.close()


@contextmanager
def acting(name: str) -> Iterator[tuple[Site, Session, Reader]]:
    """Open the site for one act of a person: commits at a clean end, then index and texts follow.

    A refused attempt is recorded in the trail, as it is on the pages.
    """
    with opened() as site:
        try:
            with site.database.writing() as session:
                yield site, session, authority.reader(session, people.find(session, name))
        except Refused as error:
            _record_refusal(site, name, error)
            raise
        jobs.wake(site)


def signing(name: str, password: str | None) -> Reauthenticated | None:
    """Check the password of an act that signs, before the write lock is taken; None when none was given."""
    if password is None:
        return None
    with opened() as site:
        try:
            with site.database.reading() as session:
                return people.reauthenticate(session, people.find(session, name), password, address="cli")
        except Refused as error:
            _record_refusal(site, name, error)
            raise


def json_option(command: Command) -> Command:
    """Add `--json`: one JSON document on stdout."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")(command)


def as_option(command: Command) -> Command:
    """Add `--as USER`: who acts."""
    return click.option("--as", "actor", required=True, metavar="USER", help="Who acts.")(command)


def password_options(command: Command) -> Command:
    """Add the ways to enter the password that a signing act asks for."""
    command = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")(command)
    return click.option("--password", metavar="TEXT", help="The actor's password, for acts that sign.")(command)


def given_password(password: str | None, from_stdin: bool, *, needed: bool) -> str | None:
    """Return the password from the option, from stdin, or asked for on a terminal when the act signs."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if password is None and needed and sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, err=True))
    return password


def say(as_json: bool, document: Any, *lines: str) -> None:
    """Print one JSON document, or the lines for a person."""
    if as_json:
        click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=_plain))
        return
    for line in lines:
        click.echo(line)


def note(line: str) -> None:
    """Print a line of progress to stderr."""
    click.echo(line, err=True)


def fail(sentence: str) -> NoReturn:
    """Say on stderr why not, and exit with 1."""
    click.echo(sentence, err=True)
    raise SystemExit(REFUSED)


def instant(text: str | None, option: str) -> datetime | None:
    """Read a DATE or an ISO instant; a wrong one is wrong usage."""
    if text is None:
        return None
    try:
        return clock.parse(text)
    except ValueError as error:
        raise click.BadParameter(
            f"{text}: give YYYY-MM-DD, a day that exists, or an ISO instant with an offset.", param_hint=option
        ) from error


def day_of(text: str | None, option: str) -> date | None:
    """Read a DATE or an ISO instant as a day in the office's time zone."""
    at = instant(text, option)
    return clock.local(at).date() if at else None


def write_paper(paper: Paper, output: Path, formats: Sequence[str] = ("docx", "pdf")) -> None:
    """Write a paper as the file that its ending asks for; another ending is wrong usage."""
    format = output.suffix.removeprefix(".").lower()
    if format not in formats:
        *most, last = (f".{ending}" for ending in formats)
        raise click.BadParameter(f"Give a name that ends in {', '.join(most)} or {last}.", param_hint="-o")
    output.write_bytes(exporting.write(paper, format))


def spoken(sentence: Sentence) -> str:
    """Return a sentence in the office's language."""
    return sentence.get(settings().locale)


def _record_refusal(site: Site, name: str, error: Refused) -> None:
    with site.database.writing() as session:
        account = next((known for known in people.all_accounts(session) if known.name == name.strip().casefold()), None)
        command = click.get_current_context().command_path
        audit.record(session, Action.ACT_REFUSED, by=account, path=command, name=name[:80], sentence=error.sentence.en)
        if isinstance(error, people.WrongPassword):
            people.record_failure(session, error.name, "cli")


def _plain(value: Any) -> str:
    return str(plain.instant(value)) if isinstance(value, datetime) else str(value)
