"""Documents and revisions from the command line."""

from io import BytesIO
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from docctl import contents, documents, histories, lifecycle, register, revisions, units
from docctl.cli.main import (
    NUMBER,
    Group,
    acting,
    as_option,
    given_password,
    json_option,
    opened,
    password_options,
    say,
    settings,
    signing,
)
from docctl.contents import Content
from docctl.exporting import plain
from docctl.files import check
from docctl.people import Reader
from docctl.revisions import Change, Revision
from docctl.rules import Refused, Sentence
from docctl.site import Site
from docctl.text import clean_name


@click.group(cls=Group)
def document() -> None:
    """Documents."""


@document.command("add")
@click.argument("title")
@click.option("--code", default="", help="Else the next one of the type's pattern.")
@click.option("--type", "type_code", default="QT", show_default=True)
@click.option("--unit", "unit_code", default=None, help="The office by default.")
@click.option("--field", default="", help="Lĩnh vực: the series within which the code is unique.")
@as_option
@json_option
def document_add(
    title: str, code: str, type_code: str, unit_code: str | None, field: str, actor: str, as_json: bool
) -> None:
    """Add a document."""
    with acting(actor) as (_, session, by):
        made = documents.add(
            session,
            by=by,
            title=title,
            type=documents.find_type(session, type_code),
            unit=units.find(session, unit_code) if unit_code else units.office(session),
            field=field,
            code=code,
        )
        result = {"document": made.id, "code": made.code, "title": made.title}
    say(as_json, result, f"Document {made.id}: {made.code} {made.title}")


@document.command("show")
@click.argument("reference")
@click.option("--as", "actor", default=None, metavar="USER", help="Who asks; else only what is in force is shown.")
@json_option
def document_show(reference: str, actor: str | None, as_json: bool) -> None:
    """Show a document and its revisions."""
    from docctl import authority, people

    with opened() as site, site.database.reading() as session:
        found = documents.find(session, reference)
        by = authority.reader(session, people.find(session, actor)) if actor else None
        rows = revisions.of_document(session, found, by=by) if by else revisions.in_force(session, document=found)
        told = histories.of_document(session, found) if by and register.sees_more(by) else []
        result = plain.document(found) | {
            "revisions": [plain.revision(row) for row in rows],
            "history": [_line(event) for event in told],
        }
    lines = [f"{result['document']}\t{result['code']}\t{result['title']}"]
    lines += [
        f"  {row['revision']}\t{row['edition']}\t{row['status']}\t{row['effective_from'] or ''}"
        for row in result["revisions"]
    ]
    say(as_json, result, *lines)


@click.group(cls=Group)
def revision() -> None:
    """Revisions."""


@revision.command("add")
@click.argument("reference")
@click.option(
    "--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="The document's file."
)
@click.option("--edition", type=click.IntRange(0), default=None, help="Lần ban hành.")
@click.option("--amendment", type=click.IntRange(0), default=None, help="Lần sửa đổi.")
@click.option("--title", default="")
@click.option("--summary", default="", help="What changes, in a sentence.")
@click.option("--change", "changes", multiple=True, metavar="SECTION|OLD|NEW|BASIS", help="A row of the change table.")
@click.option("--major/--minor", default=None, help="Whether everybody reads it again; a new edition is major.")
@as_option
@json_option
def revision_add(
    reference: str,
    path: Path | None,
    edition: int | None,
    amendment: int | None,
    title: str,
    summary: str,
    changes: tuple[str, ...],
    major: bool | None,
    actor: str,
    as_json: bool,
) -> None:
    """Begin a draft of a document (by id or code)."""
    with acting(actor) as (site, session, by):
        made = revisions.draft(
            session,
            documents.find(session, reference),
            by=by,
            edition=edition,
            amendment=amendment,
            title=title,
            change_summary=summary,
            major=major,
            content=kept(site, session, path) if path else None,
            file_name=clean_name(path.name) if path else "",
            changes=[read_change(row) for row in changes],
        )
        result = plain.revision(made)
    say(as_json, result, f"Revision {made.id}: {made.document.code} {made.edition_text}, draft")


@revision.command("edit")
@click.argument("revision_id", type=NUMBER)
@click.option("--file", "path", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--edition", type=click.IntRange(0), default=None)
@click.option("--amendment", type=click.IntRange(0), default=None)
@click.option("--title", default=None)
@click.option("--summary", default=None)
@click.option("--change", "changes", multiple=True, metavar="SECTION|OLD|NEW|BASIS", help="Replaces the change table.")
@click.option("--major/--minor", default=None, help="Whether everybody reads it again.")
@as_option
@json_option
def revision_edit(
    revision_id: int,
    path: Path | None,
    edition: int | None,
    amendment: int | None,
    title: str | None,
    summary: str | None,
    changes: tuple[str, ...],
    major: bool | None,
    actor: str,
    as_json: bool,
) -> None:
    """Change a draft; what is not given stays."""
    with acting(actor) as (site, session, by):
        found = loaded(session, revision_id, by)
        revisions.edit(
            session,
            found,
            by=by,
            seen=found.lock,
            title=title,
            edition=edition,
            amendment=amendment,
            change_summary=summary,
            major=major,
            content=kept(site, session, path) if path else None,
            file_name=clean_name(path.name) if path else "",
            changes=[read_change(row) for row in changes] if changes else None,
        )
        result = plain.revision(found)
    say(as_json, result, f"Revision {revision_id} changed")


@revision.command("act")
@click.argument("revision_id", type=NUMBER)
@click.argument("trigger")
@click.option("--reason", default="", help="For acts that ask for one.")
@password_options
@as_option
@json_option
def revision_act(
    revision_id: int, trigger: str, reason: str, password: str | None, password_stdin: bool, actor: str, as_json: bool
) -> None:
    """Take a revision through submit, endorse, send_back, take_back, approve, reopen or discard."""
    signs = trigger in ("endorse", "approve")
    proof = signing(actor, given_password(password, password_stdin, needed=signs))
    with acting(actor) as (_, session, by):
        found = loaded(session, revision_id, by)
        revisions.act(session, found, trigger, by=by, reason=reason, signing=proof)
        result = plain.revision(found)
    say(as_json, result, f"Revision {revision_id}: {found.state}")


@revision.command("template")
@click.argument("revision_id", type=NUMBER)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."
)
@as_option
@json_option
def revision_template(revision_id: int, output: Path, actor: str, as_json: bool) -> None:
    """Write the Word file that a draft begins with: its cover and change table."""
    from docctl import authority, people
    from docctl.exporting import template

    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        found = loaded(session, revision_id, by)
        output.write_bytes(template.write(template.cover_of(session, found, by=by, locale=settings().locale)))
    say(as_json, {"revision": revision_id, "file": str(output)}, f"Revision {revision_id}: template → {output}")


@revision.command("read-again")
@click.argument("revision_id", type=NUMBER)
@as_option
@json_option
def revision_read_again(revision_id: int, actor: str, as_json: bool) -> None:
    """Read a file again whose text could not be read."""
    with acting(actor) as (_, session, by):
        found = loaded(session, revision_id, by)
        revisions.read_again(session, found, by=by)
        result = plain.revision(found)
    say(as_json, result, f"Revision {revision_id}: read again")


@revision.command("show")
@click.argument("revision_id", type=NUMBER)
@as_option
@json_option
def revision_show(revision_id: int, actor: str, as_json: bool) -> None:
    """Show a revision, and for every act whether it is allowed or why not."""
    from docctl import authority, people

    with opened() as site, site.database.reading() as session:
        by = authority.reader(session, people.find(session, actor))
        found = loaded(session, revision_id, by)
        locale = settings().locale
        acts = revisions.acts(session, found, by=by)
        result = plain.revision(found) | {
            "waiting_for": revisions.waiting_for(session, found, by=by).get(locale),
            "acts": [plain.act(act, locale) for act in acts],
            "signatures": [plain.signature(row, found.round) for row in lifecycle.signatures(session, found)],
        }
    lines = [f"{result['code']} {result['edition']}: {result['status']}. {result['waiting_for']}"]
    lines += [f"  {act['trigger']}: {act['refusal'] or 'allowed'}" for act in result["acts"]]
    say(as_json, result, *lines)


def _line(event: histories.HistoryEvent) -> dict[str, Any]:
    return {
        "source": event.source,
        "doc": event.doc,
        "kind": event.kind,
        "effective_at": plain.instant(event.effective_at),
        "author": event.author,
        "subject": event.subject,
        "name": event.name,
        "path": event.path,
        "rev": event.rev,
        "flags": event.flags.split(),
        "revision": event.revision_id,
        "sha256": event.revision.file_sha256 if event.revision else None,
    }


def loaded(session: Session, revision_id: int, by: Reader) -> Revision:
    """Return a revision that the person may see; raises Refused when there is none."""
    found = revisions.load(session, revision_id, by=by)
    if found is None:
        raise Refused(
            Sentence(
                "Không có phiên bản số {n}, hoặc bạn không được xem.", "There is no revision {n} that you may see."
            ).fill(n=revision_id)
        )
    return found


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    main.add_command(document)
    main.add_command(revision)


def kept(site: Site, session: Session, path: Path) -> Content:
    """Check a file by the rules of an upload and keep it in the store."""
    kind = check.check(path, path.name)
    stored = site.store.put(BytesIO(path.read_bytes()), limit_bytes=site.settings.max_upload_mb * 1024 * 1024)
    return contents.keep(session, sha256=stored.sha256, size=stored.size, kind=kind)


def read_change(row: str) -> Change:
    """Read a row of a change table as it is typed on the command line."""
    parts = [part.strip() for part in row.split("|")]
    if len(parts) < 3:
        raise click.BadParameter(f"{row}: give SECTION|OLD|NEW|BASIS.", param_hint="--change")
    return Change(parts[0], parts[1], parts[2], parts[3] if len(parts) > 3 else "")
