"""Setting up and serving: init, upgrade, demo, serve, units, types, accounts, workflows."""

import secrets
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import click

from docctl import audit, authority, checkpoints, clock, documents, people, reorganising, units, workflow
from docctl.audit import Action
from docctl.cli.main import NUMBER, Group, acting, as_option, fail, json_option, note, opened, say, settings, spoken
from docctl.database import Database, knows_schema, newest_schema, schema_version
from docctl.rules import ROLES, Refused, Sentence
from docctl.site import Site, bring_up, settle, workflow_files


@click.command()
@click.option("--office", default="", help="The office's name.")
@click.option("--admin", default="admin", show_default=True, help="The first administrator's sign-in name.")
@json_option
def init(office: str, admin: str, as_json: bool) -> None:
    """Make storage, schema and the first administrator; the one-time password is printed once."""
    database = Database(settings().database_url)
    if schema_version(database):
        fail("The storage folder has a database already. Nothing was changed.")
    password = secrets.token_urlsafe(12)
    with opened(migrate=True) as site:
        with site.database.writing() as session:
            unit = units.add(
                session, code="CQ", name_vi=office or "Cơ quan", name_en=office or "The office", kind="office"
            )
            documents.add_standard_types(session)
            account = people.add(
                session,
                name=admin,
                password=password,
                roles=["admin"],
                unit=unit,
                title_vi="Quản trị hệ thống",
                title_en="Administrator",
                must_change_password=True,
            )
            audit.record(
                session,
                Action.ACCOUNT_ADDED,
                by=None,
                noun="account",
                record_id=account.id,
                name=account.name,
                roles=["admin"],
            )
        checkpoints.make(site)
    say(
        as_json,
        {"storage": str(settings().storage), "name": admin, "password": password},
        f"Storage made in {settings().storage}.",
        f"Sign in as {admin} with the one-time password {password} and change it.",
    )


@click.command("upgrade")
@json_option
def upgrade_command(as_json: bool) -> None:
    """Migrate the schema to this program's version."""
    database = Database(settings().database_url)
    before = schema_version(database)
    if before and not knows_schema(before):
        fail(
            f"The database has schema {before}, newer than this program's {newest_schema()}. Install the newer docctl."
        )
    after = bring_up(database)
    say(as_json, {"before": before, "after": after}, f"Schema {before or 'none'} → {after}.")


@click.command()
@json_option
def demo(as_json: bool) -> None:
    """Load the sample organisation; a second run changes nothing."""
    from docctl import demo as sample

    new = schema_version(Database(settings().database_url)) is None
    # A new trail begins on the office's first day, so that its entries stand in the order of time.
    with clock.at(sample.BEGAN) if new else nullcontext(), opened(migrate=True):
        pass
    with opened() as site:
        loaded = sample.load(site, progress=note)
    lines = [f"The sample organisation is loaded: {loaded.in_force} documents in force."]
    lines += (
        [f"Sign in as {', '.join(loaded.accounts)}; the password of each is {loaded.password}"]
        if loaded.password
        else []
    )
    say(as_json, loaded.as_dict(), *lines)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--threads", default=8, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, threads: int) -> None:
    """Serve the pages until interrupted."""
    from docctl import jobs
    from docctl.search import finding

    with opened() as site:
        server = listening(site, host=host, port=port, threads=threads)
        workers = jobs.Workers(site)
        workers.start()
        with site.database.reading() as session:
            finding.warm(session, site.engine)
        settle()
        note(f"docctl serves on http://{host}:{server.effective_port}")
        try:
            server.run()
        finally:
            workers.stop()


def listening(site: Site, *, host: str, port: int, threads: int) -> Any:
    """Return the server of a site, bound to its address and not running yet."""
    import waitress

    from docctl import create_app

    return waitress.create_server(
        create_app(site),
        host=host,
        port=port,
        threads=threads,
        ident=None,
        max_request_body_size=(site.settings.max_upload_mb + 1) * 1024 * 1024,
        # What proxies say reaches the application, which knows how many it may believe and that /metrics is asked from elsewhere.
        clear_untrusted_proxy_headers=False,
    )


@click.group(cls=Group)
def unit() -> None:
    """Organisational units."""


@unit.command("add")
@click.argument("code")
@click.argument("name_vi")
@click.option("--name-en", default="")
@click.option("--parent", default=None, help="The code of the unit above; the office by default.")
@as_option
@json_option
def unit_add(code: str, name_vi: str, name_en: str, parent: str | None, actor: str, as_json: bool) -> None:
    """Add a unit."""
    with opened() as site, site.database.writing() as session:
        by = authority.reader(session, people.find(session, actor))
        _administrator(by)
        above = units.find(session, parent) if parent else units.office(session)
        made = units.add(session, code=code, name_vi=name_vi, name_en=name_en, parent=above)
        audit.record(session, Action.UNIT_ADDED, by=by.account, noun="unit", record_id=made.id, code=code, name=name_vi)
        result = {"unit": made.id, "code": made.code}
    say(as_json, result, f"Unit {code} added.")


@unit.command("rename")
@click.argument("code")
@click.argument("name_vi")
@click.option("--name-en", default="")
@as_option
@json_option
def unit_rename(code: str, name_vi: str, name_en: str, actor: str, as_json: bool) -> None:
    """Give a unit another name from today on; old records keep the old one."""
    with acting(actor) as (_, session, by):
        found = units.find(session, code)
        reorganising.rename(session, found, by=by, name_vi=name_vi, name_en=name_en)
        result = {"code": found.code, "name_vi": found.name_vi, "name_en": found.name_en}
    say(as_json, result, f"Unit {code} is called {name_vi}.")


@unit.command("merge")
@click.argument("codes", nargs=-1, required=True)
@click.option("--into", required=True, metavar="CODE", help="The unit that goes on.")
@click.option("--name-vi", default="", help="Its name, when it is new.")
@click.option("--name-en", default="")
@as_option
@json_option
def unit_merge(codes: tuple[str, ...], into: str, name_vi: str, name_en: str, actor: str, as_json: bool) -> None:
    """Merge units into one, new or not; their documents, drafts, roles and people go on there."""
    with acting(actor) as (_, session, by):
        ending = [units.find(session, code) for code in codes]
        target = (
            reorganising.add(session, by=by, code=into, name_vi=name_vi, name_en=name_en)
            if name_vi
            else units.find(session, into)
        )
        moved = reorganising.merge(session, ending, target, by=by).counts
    say(as_json, {"merged": list(codes), "into": into, **moved}, f"{', '.join(codes)} → {into}: {_told(moved)}.")


@unit.command("split")
@click.argument("code")
@click.option(
    "--into",
    "parts",
    multiple=True,
    required=True,
    metavar="CODE",
    help="A unit that takes over; the first is the main one.",
)
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="FIELD=CODE",
    help="Where the documents of a field go; else to the first.",
)
@as_option
@json_option
def unit_split(code: str, parts: tuple[str, ...], fields: tuple[str, ...], actor: str, as_json: bool) -> None:
    """Split a unit into others; its documents go by field, its roles to each part."""
    given = dict(pair.rsplit("=", 1) for pair in fields if "=" in pair)
    if len(given) != len(fields):
        raise click.BadParameter("give FIELD=CODE.", param_hint="--field")
    with acting(actor) as (_, session, by):
        found = [units.find(session, part) for part in parts]
        by_field = {name: units.find(session, part) for name, part in given.items()}
        moved = reorganising.split(session, units.find(session, code), found, by=by, fields=by_field).counts
    say(as_json, {"split": code, "into": list(parts), **moved}, f"{code} → {', '.join(parts)}: {_told(moved)}.")


def _told(moved: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in moved.items() if number) or "nothing hung on it"


@unit.command("list")
@json_option
def unit_list(as_json: bool) -> None:
    """List the units."""
    with opened() as site, site.database.reading() as session:
        found: list[dict[str, Any]] = [
            {
                "code": row.code,
                "name_vi": row.name_vi,
                "name_en": row.name_en,
                "ended": row.valid_to,
                "successors": [part.code for part in reorganising.successors(session, row)],
            }
            for row in units.all_units(session)
        ]
    lines = [
        f"{row['code']}\t{row['name_vi']}" + (f"\t→ {', '.join(row['successors'])}" if row["ended"] else "")
        for row in found
    ]
    say(as_json, {"units": found}, *lines)


@click.group("type", cls=Group)
def type_group() -> None:
    """Document types."""


@type_group.command("add")
@click.argument("code")
@click.argument("name_vi")
@click.argument("name_en")
@click.option("--level", type=NUMBER, default=2, show_default=True)
@click.option("--pattern", required=True, help="Such as QT-{unit}-{number:02d}.")
@click.option("--workflow", "workflow_name", default="revision", show_default=True)
@click.option(
    "--posting",
    type=click.Choice(documents.POSTINGS),
    default=documents.NOT_POSTED,
    show_default=True,
    help="What people without sign-in are shown.",
)
@as_option
@json_option
def type_add(
    code: str,
    name_vi: str,
    name_en: str,
    level: int,
    pattern: str,
    workflow_name: str,
    posting: str,
    actor: str,
    as_json: bool,
) -> None:
    """Add a document type."""
    with opened() as site, site.database.writing() as session:
        by = authority.reader(session, people.find(session, actor))
        _administrator(by)
        made = documents.add_type(
            session,
            code=code.upper(),
            name_vi=name_vi,
            name_en=name_en,
            level=level,
            code_pattern=pattern,
            workflow=workflow_name,
            posting=posting,
        )
        audit.record(
            session,
            Action.TYPE_ADDED,
            by=by.account,
            noun="document_type",
            record_id=made.id,
            code=made.code,
            posting=posting,
        )
        result = {"type": made.id, "code": made.code}
    say(as_json, result, f"Type {made.code} added.")


@type_group.command("list")
@json_option
def type_list(as_json: bool) -> None:
    """List the document types."""
    with opened() as site, site.database.reading() as session:
        found = [
            {"code": row.code, "name_vi": row.name_vi, "pattern": row.code_pattern, "workflow": row.workflow}
            for row in documents.all_types(session)
        ]
    say(as_json, {"types": found}, *(f"{row['code']}\t{row['pattern']}\t{row['name_vi']}" for row in found))


@click.group(cls=Group)
def user() -> None:
    """Accounts."""


@user.command("add")
@click.argument("name")
@click.option("--role", "roles", multiple=True, required=True, type=click.Choice(sorted(ROLES)))
@click.option("--unit", "unit_code", default=None, help="The person's unit; the office by default.")
@click.option("--in-unit", is_flag=True, help="Give the roles in that unit only, not in the whole office.")
@click.option("--full-name", default="")
@click.option("--title-vi", default="")
@click.option("--title-en", default="")
@click.option("--email", default="", help="The address for notices by mail.")
@click.option("--password", default=None, help="Else a one-time password is printed.")
@click.option("--as", "actor", default=None, metavar="USER", help="Who acts.")
@json_option
def user_add(
    name: str,
    roles: tuple[str, ...],
    unit_code: str | None,
    in_unit: bool,
    full_name: str,
    title_vi: str,
    title_en: str,
    email: str,
    password: str | None,
    actor: str | None,
    as_json: bool,
) -> None:
    """Add an account; without --password a one-time password is printed once."""
    one_time = None if password else secrets.token_urlsafe(12)
    with opened() as site, site.database.writing() as session:
        where = units.find(session, unit_code) if unit_code else units.office(session)
        account = people.add(
            session,
            name=name,
            password=password or one_time or "",
            roles=[(role, where) if in_unit else role for role in roles],
            unit=where,
            full_name=full_name,
            title_vi=title_vi,
            title_en=title_en,
            must_change_password=one_time is not None,
            email=email,
        )
        audit.record(
            session,
            Action.ACCOUNT_ADDED,
            by=people.find(session, actor) if actor else None,
            noun="account",
            record_id=account.id,
            name=account.name,
            roles=list(roles),
            unit=where.code,
        )
        result = {"user": account.id, "name": account.name, "roles": list(roles), "password": one_time}
    lines = [f"Account {result['name']} added."]
    lines += [f"One-time password: {one_time}"] if one_time else []
    say(as_json, result, *lines)


@user.command("disable")
@click.argument("name")
@click.option("--successor", required=True, help="Who takes over everything that is open.")
@click.option("--pass-roles", is_flag=True, help="The successor takes over the roles too.")
@click.option("--as", "actor", default=None, metavar="USER", help="Who acts.")
@json_option
def user_disable(name: str, successor: str, pass_roles: bool, actor: str | None, as_json: bool) -> None:
    """Close an account; everything open goes to a named successor, in the same transaction."""
    from docctl import leaving

    with opened() as site, site.database.writing() as session:
        closing, heir = people.find(session, name), people.find(session, successor)
        by = people.find(session, actor) if actor else None
        moved = leaving.close(session, closing, heir, by=by, pass_roles=pass_roles)
    told = ", ".join(f"{n} {kind}" for kind, n in moved.items())
    say(
        as_json,
        {"disabled": name, "successor": successor, **moved},
        f"{name} is closed; {told} went to {successor} or ended.",
    )


@user.command("hand-over")
@click.argument("name")
@click.option("--to", "successor", required=True, metavar="USER", help="The author who takes over the open drafts.")
@click.option("--as", "actor", default=None, metavar="USER", help="Who acts.")
@json_option
def user_hand_over(name: str, successor: str, actor: str | None, as_json: bool) -> None:
    """Give somebody's open drafts to another author; the account stays open."""
    from docctl import revisions

    with opened() as site, site.database.writing() as session:
        given, heir = people.find(session, name), people.find(session, successor)
        if not people.reader(session, heir).has("author"):
            raise Refused(
                Sentence(
                    "{name} không phải là người soạn thảo nên không nhận được dự thảo. Hãy chọn người soạn thảo.",
                    "{name} is not an author and cannot take over drafts. Choose an author.",
                ).fill(name=heir.name)
            )
        moved = revisions.hand_over(session, given, heir, by=people.find(session, actor) if actor else None)
    say(as_json, {"from": name, "to": successor, "drafts": moved}, f"{moved} drafts went from {name} to {successor}.")


@user.command("list")
@json_option
def user_list(as_json: bool) -> None:
    """List the accounts with their roles."""
    with opened() as site, site.database.reading() as session:
        found: list[dict[str, Any]] = [
            {
                "name": account.name,
                "title": account.title(settings().locale),
                "unit": account.unit.code,
                "roles": [given.role for given in account.grants],
                "disabled": account.disabled_at is not None,
            }
            for account in people.all_accounts(session)
        ]
    say(
        as_json,
        {"users": found},
        *(
            f"{row['name']}\t{','.join(row['roles'])}\t{row['unit']}\t{row['title']}{' (closed)' if row['disabled'] else ''}"
            for row in found
        ),
    )


@click.group("workflow", cls=Group)
def workflow_group() -> None:
    """Workflow files."""


@workflow_group.command("check")
@json_option
def workflow_check(as_json: bool) -> None:
    """Check the workflow files, and that none was changed without raising its version."""
    files = workflow_files(settings())
    if schema_version(Database(settings().database_url)):
        with opened():
            pass  # Opening registers new versions and refuses changed ones.
    found = [{"name": file.name, "version": file.version, "sha256": file.sha256} for file in files]
    say(as_json, {"ok": True, "workflows": found}, *(f"{file.name} {file.version}: good" for file in files))


@workflow_group.command("list")
@json_option
def workflow_list(as_json: bool) -> None:
    """List the workflows with their versions."""
    files = workflow_files(settings())
    found = [
        {"name": file.name, "version": file.version, "label": spoken(file.label), "sha256": file.sha256}
        for file in files
    ]
    say(as_json, {"workflows": found}, *(f"{row['name']}\t{row['version']}\t{row['label']}" for row in found))


@workflow_group.command("draw")
@click.argument("name")
@click.option("--table", is_flag=True, help="As a table of words.")
@json_option
def workflow_draw(name: str, table: bool, as_json: bool) -> None:
    """Draw a workflow as SVG."""
    files: dict[str, Any] = {file.name: file for file in workflow_files(settings())}
    if name not in files:
        fail(f"There is no workflow {name}. The workflows: {', '.join(files)}.")
    drawn = (workflow.table if table else workflow.draw)(files[name], locale=settings().locale)
    say(as_json, {"name": name, "drawing": drawn}, drawn)


@click.group("delegation", cls=Group)
def delegation_group() -> None:
    """Delegations in writing."""


@delegation_group.command("add")
@click.argument("giver", metavar="FROM")
@click.argument("deputy", metavar="TO")
@click.option("--form", required=True, type=click.Choice(list(authority.FORMS)), help="How the deputy signs.")
@click.option("--document", "number", required=True, help="The number of the written act.")
@click.option("--document-date", required=True, metavar="DATE", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--from", "begins", required=True, metavar="DATE", type=click.DateTime(["%Y-%m-%d"]))
@click.option("--to", "ends", required=True, metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="The last day.")
@click.option("--unit", default=None, help="Only for this unit and those below it.")
@as_option
@json_option
def delegation_add(
    giver: str,
    deputy: str,
    form: str,
    number: str,
    document_date: datetime,
    begins: datetime,
    ends: datetime,
    unit: str | None,
    actor: str,
    as_json: bool,
) -> None:
    """Record that FROM lets TO approve and sign in the name of FROM, for a time."""
    with acting(actor) as (_, session, by):
        made = authority.delegate(
            session,
            by=by,
            giver=people.find(session, giver),
            deputy=people.find(session, deputy),
            form=form,
            document_number=number,
            document_date=document_date.date(),
            valid_from=begins.date(),
            valid_to=ends.date(),
            unit=units.find(session, unit) if unit else None,
        )
        result = _delegation(made)
    say(as_json, result, f"Delegation {result['delegation']}: {result['text']}")


@delegation_group.command("end")
@click.argument("delegation_id", type=NUMBER)
@click.option(
    "--on", required=True, metavar="DATE", type=click.DateTime(["%Y-%m-%d"]), help="The first day without it."
)
@as_option
@json_option
def delegation_end(delegation_id: int, on: datetime, actor: str, as_json: bool) -> None:
    """End a delegation before it runs out."""
    with acting(actor) as (_, session, by):
        found = next((row for row in authority.all_delegations(session) if row.id == delegation_id), None)
        if found is None:
            raise Refused(Sentence("Không có ủy quyền số {n}.", "There is no delegation {n}.").fill(n=delegation_id))
        authority.end(session, found, by=by, on=on.date())
        result = _delegation(found)
    say(as_json, result, f"Delegation {delegation_id} ends on {result['ended_on']}.")


@delegation_group.command("list")
@json_option
def delegation_list(as_json: bool) -> None:
    """List every delegation, ended ones too."""
    with opened() as site, site.database.reading() as session:
        found = [_delegation(row) for row in authority.all_delegations(session)]
    lines = [
        f"{row['delegation']}\t{row['from']} → {row['to']}\t{row['valid_from']} – {row['ended_on'] or row['valid_to']}\t{row['text']}"
        for row in found
    ]
    say(as_json, {"delegations": found}, *lines)


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    for command in (init, upgrade_command, demo, serve, unit, type_group, user, workflow_group, delegation_group):
        main.add_command(command)


def _administrator(by: people.Reader) -> None:
    if not by.has("admin", "controller"):
        raise Refused(
            Sentence(
                "Chỉ quản trị hoặc người kiểm soát tài liệu được sửa cấu hình.",
                "Only the administrator or a document controller changes the configuration.",
            )
        )


def _delegation(row: authority.Delegation) -> dict[str, Any]:
    return {
        "delegation": row.id,
        "from": row.giver.name,
        "to": row.deputy.name,
        "form": row.form,
        "document": row.document_number,
        "document_date": row.document_date.isoformat(),
        "unit": row.unit.code if row.unit else None,
        "valid_from": row.valid_from.isoformat(),
        "valid_to": row.valid_to.isoformat(),
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "text": spoken(row.words),
    }
