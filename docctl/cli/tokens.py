"""Tokens of other programs from the command line."""

import click

from docctl import people, tokens
from docctl.cli.main import NUMBER, Group, as_option, json_option, opened, say
from docctl.exporting import plain


@click.group("token", cls=Group)
def token_group() -> None:
    """Tokens with which other programs act for a person."""


@token_group.command("create")
@click.argument("name")
@click.option("--read-only", is_flag=True, help="It may ask, and change nothing.")
@click.option("--as", "actor", required=True, metavar="USER", help="The person for whom the program acts.")
@json_option
def token_create(name: str, read_only: bool, actor: str, as_json: bool) -> None:
    """Make a token for a program; it is printed once."""
    with opened() as site, site.database.writing() as session:
        account = people.find(session, actor)
        token = tokens.create(session, account, name, read_only=read_only, by=account)
    result = {"token": token, "name": name, "user": actor, "read_only": read_only}
    say(as_json, result, f"Token for {name}, acting for {actor}: {token}", "Keep it now; it is not shown again.")


@token_group.command("list")
@json_option
def token_list(as_json: bool) -> None:
    """List the tokens, ended ones too."""
    with opened() as site, site.database.reading() as session:
        found = [
            {
                "id": row.id,
                "name": row.name,
                "user": row.account.name,
                "read_only": row.read_only,
                "made": plain.instant(row.created_at),
                "ended": plain.instant(row.ended_at),
            }
            for row in tokens.all_tokens(session)
        ]
    lines = [
        f"{row['id']}\t{row['user']}\t{'read only' if row['read_only'] else 'read and act'}\t"
        f"{'ended' if row['ended'] else 'live'}\t{row['name']}"
        for row in found
    ]
    say(as_json, {"tokens": found}, *lines)


@token_group.command("end")
@click.argument("token_id", type=NUMBER)
@as_option
@json_option
def token_end(token_id: int, actor: str, as_json: bool) -> None:
    """End a token; the program that has it is shut out at once."""
    with opened() as site, site.database.writing() as session:
        row = tokens.end(session, token_id, by=people.reader(session, people.find(session, actor)))
        result = {"id": row.id, "name": row.name, "ended": plain.instant(row.ended_at)}
    say(as_json, result, f"Token {token_id} ({result['name']}) has ended.")


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(token_group)
