"""Distribution lists, reading and controlled copies from the command line."""

import shutil
from pathlib import Path
from typing import Any

import click
from sqlalchemy.orm import Session

from docctl import authority, distribution, documents, people, units
from docctl.cli.documents import loaded
from docctl.cli.main import NUMBER, Group, acting, as_option, json_option, opened, say, settings, spoken
from docctl.distribution import DistributionEntry, ReadTask, copies, lists, reading
from docctl.exporting import labels, plain
from docctl.people import Reader
from docctl.rules import Refused, Sentence


@click.group("distribution", cls=Group)
def distribution_group() -> None:
    """Distribution lists, and what was distributed."""


@distribution_group.command("list")
@click.option("--type", "type_code", default=None, help="Of one type of document.")
@click.option("--document", "reference", default=None, metavar="ID|CODE", help="The list that counts for a document.")
@json_option
def list_entries(type_code: str | None, reference: str | None, as_json: bool) -> None:
    """List the lines of distribution lists: of all types, of one, or of a document."""
    with opened() as site, site.database.reading() as session:
        if reference:
            document = documents.find(session, reference)
            found = distribution.Directory(session).entries(document)
        else:
            kind = documents.find_type(session, type_code) if type_code else None
            found = lists.entries(session, type=kind)
        result = [entry_dict(row) for row in found]
    say(as_json, result, *(f"{r['id']}\t{r['of']}\t{r['whom']}\t{r['medium']}\t{r['copies']}" for r in result))


@distribution_group.command("add")
@click.option("--type", "type_code", default=None, help="Put it into the list of a type.")
@click.option("--document", "reference", default=None, metavar="ID|CODE", help="Put it into a document's own list.")
@click.option("--target", type=click.Choice(list(lists.TARGETS)), required=True)
@click.option("--unit", default=None, help="The code of the unit.")
@click.option("--role", default="")
@click.option("--person", default=None, metavar="NAME")
@click.option("--medium", type=click.Choice(list(lists.MEDIA)), default=lists.ELECTRONIC, show_default=True)
@click.option("--copies", "number", default=0, type=NUMBER, help="Numbered copies.")
@click.option("--reads/--no-reads", default=True, show_default=True)
@as_option
@json_option
def add_entry(
    type_code: str | None,
    reference: str | None,
    target: str,
    unit: str | None,
    role: str,
    person: str | None,
    medium: str,
    number: int,
    reads: bool,
    actor: str,
    as_json: bool,
) -> None:
    """Add a line to the list of a type, or of one document."""
    if bool(type_code) == bool(reference):
        raise click.UsageError("Give --type or --document.")
    with acting(actor) as (_, session, by):
        made = lists.add(
            session,
            by=by,
            target=target,
            type=documents.find_type(session, type_code) if type_code else None,
            document=documents.find(session, reference) if reference else None,
            unit=units.find(session, unit) if unit else None,
            role=role,
            person=people.find(session, person) if person else None,
            medium=medium,
            copies=number,
            reads=reads,
        )
        result = entry_dict(made)
    say(as_json, result, f"Line {result['id']}: {result['whom']}")


@distribution_group.command("remove")
@click.argument("entry_id", type=NUMBER)
@as_option
@json_option
def remove_entry(entry_id: int, actor: str, as_json: bool) -> None:
    """Take a line out of its list."""
    with acting(actor) as (_, session, by):
        entry = lists.find(session, entry_id)
        if entry is None:
            raise _none(entry_id)
        lists.remove(session, entry, by=by)
        result = entry_dict(entry)
    say(as_json, result, f"Line {entry_id} removed")


@distribution_group.command("show")
@click.argument("revision_id", type=NUMBER)
@as_option
@json_option
def show(revision_id: int, actor: str, as_json: bool) -> None:
    """Show who reads a revision, who holds which copy, and its ledger."""
    with opened() as site, site.database.reading() as session:
        revision = loaded(session, revision_id, _reader(session, actor))
        count = distribution.ledger(session, revision)
        result: dict[str, Any] = {
            "revision": revision.id,
            "code": revision.document.code,
            "edition": revision.edition_code,
            "ledger": plain.ledger(count),
            "readers": [plain.read_task(row) for row in reading.tasks_of(session, revision)],
            "copies": [plain.copy(row, settings().locale) for row in copies.copies_of(session, revision)],
        }
    lines = [f"{row['mark']}\t{row['number']}\t{row['holder']}\t{row['state']}" for row in result["copies"]]
    lines += [f"{row['person']}\t{row['state']}" for row in result["readers"]]
    say(as_json, result, f"{result['code']} {result['edition']}: {count.held}/{count.issued} held", *lines)


@click.group("read", cls=Group)
def read_group() -> None:
    """Reading what was distributed, and confirming it."""


@read_group.command("list")
@as_option
@json_option
def pending(actor: str, as_json: bool) -> None:
    """List what a person has still to read."""
    with opened() as site, site.database.reading() as session:
        result = [plain.read_task(row) for row in reading.pending(session, by=_reader(session, actor))]
    say(as_json, result, *(f"{row['task']}\t{row['code']}\t{row['state']}\t{row['title']}" for row in result))


@read_group.command("open")
@click.argument("task_id", type=NUMBER)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True)
@as_option
@json_option
def open_document(task_id: int, output: Path, actor: str, as_json: bool) -> None:
    """Write the document to a file, and record that the person opened it."""
    with acting(actor) as (site, session, by):
        task = _task(session, task_id, by)
        revision = loaded(session, task.revision_id, by)
        reading.opened(session, revision, by=by)
        if revision.file_sha256:
            with site.store.open(revision.file_sha256) as source, output.open("wb") as target:
                shutil.copyfileobj(source, target)
        result = plain.read_task(task)
    say(as_json, result, f"{result['code']}: {result['state']}, {output}")


@read_group.command("confirm")
@click.argument("task_id", type=NUMBER)
@as_option
@json_option
def confirm(task_id: int, actor: str, as_json: bool) -> None:
    """Confirm having read and understood a document that was opened."""
    _act_on_task(task_id, "understand", actor, "", as_json)


@read_group.command("exempt")
@click.argument("task_id", type=NUMBER)
@click.option("--reason", default="")
@as_option
@json_option
def exempt(task_id: int, reason: str, actor: str, as_json: bool) -> None:
    """Exempt a person from reading a revision, with a reason."""
    _act_on_task(task_id, "exempt", actor, reason, as_json)


@click.group("copy", cls=Group)
def copy_group() -> None:
    """Controlled copies."""


@copy_group.command("act")
@click.argument("copy")
@click.argument("trigger")
@click.option("--reason", default="", help="Of a loss.")
@click.option("--condition", default="", help="How the copy came back.")
@as_option
@json_option
def act_on_copy(copy: str, trigger: str, reason: str, condition: str, actor: str, as_json: bool) -> None:
    """Take a copy (C12 or code|edition|number) through deliver, receive, return, declare_lost, destroy or archive."""
    with acting(actor) as (_, session, by):
        found = copies.find(session, copy)
        copies.act(session, found, trigger, by=by, reason=reason, condition=condition)
        result = plain.copy(found, settings().locale)
    say(as_json, result, f"{result['mark']} {result['code']} {result['number']}: {result['state']}")


@copy_group.command("add")
@click.argument("revision_id", type=NUMBER)
@click.option("--unit", default=None, help="The code of the unit that will hold them.")
@click.option("--person", default=None, metavar="NAME", help="Who will hold them.")
@click.option("--medium", type=click.Choice(list(lists.MEDIA)), default=lists.PAPER, show_default=True)
@click.option("--copies", "number", default=1, show_default=True, type=NUMBER)
@as_option
@json_option
def add_copies(
    revision_id: int, unit: str | None, person: str | None, medium: str, number: int, actor: str, as_json: bool
) -> None:
    """Make further numbered copies of a revision that is issued."""
    with acting(actor) as (_, session, by):
        made = distribution.issue_more(
            session,
            loaded(session, revision_id, by),
            by=by,
            medium=medium,
            count=number,
            unit=units.find(session, unit) if unit else None,
            person=people.find(session, person) if person else None,
        )
        result = [plain.copy(row, settings().locale) for row in made]
    say(as_json, result, *(f"{row['mark']}\t{row['number']}\t{row['holder']}" for row in result))


@copy_group.command("labels")
@click.argument("revision_id", type=NUMBER)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), required=True, help="A .pdf file.")
@as_option
@json_option
def label_sheet(revision_id: int, output: Path, actor: str, as_json: bool) -> None:
    """Write a sheet of labels with QR codes for the copies on paper that are out."""
    with opened() as site, site.database.reading() as session:
        by = _reader(session, actor)
        revision = loaded(session, revision_id, by)
        lists.refuse_unless_controller(by, revision.document)
        found = copies.to_label(session, revision)
        if not found:
            raise Refused(Sentence("Không có bản giấy nào đang ở ngoài.", "No copy on paper is out."))
        base, locale = settings().base_url.rstrip("/"), settings().locale
        output.write_bytes(labels.write(found, base=base, office=units.office(session).name(locale), locale=locale))
    result = {"revision": revision_id, "file": str(output), "labels": len(found)}
    say(as_json, result, f"Revision {revision_id}: {len(found)} labels → {output}")


def entry_dict(row: DistributionEntry) -> dict[str, Any]:
    """Return a line of a list as the JSON of the command line."""
    return {
        "id": row.id,
        "of": row.document.code if row.document else row.type.code if row.type else "",
        "target": row.target,
        "whom": spoken(row.whom),
        "medium": row.medium,
        "copies": row.copies,
        "reads": row.reads,
    }


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    for group in (distribution_group, read_group, copy_group):
        main.add_command(group)


def _act_on_task(task_id: int, trigger: str, actor: str, reason: str, as_json: bool) -> None:
    with acting(actor) as (_, session, by):
        task = _task(session, task_id, by)
        reading.act(session, task, trigger, by=by, reason=reason)
        result = plain.read_task(task)
    say(as_json, result, f"{result['code']}: {result['state']}")


def _task(session: Session, task_id: int, by: Reader) -> ReadTask:
    found = reading.load(session, task_id, by=by)
    if found is None:
        raise _none(task_id)
    return found


def _reader(session: Session, name: str) -> Reader:
    return authority.reader(session, people.find(session, name))


def _none(number: int) -> Refused:
    return Refused(
        Sentence("Không có mục số {n}, hoặc bạn không được xem.", "There is no {n} that you may see.").fill(n=number)
    )
