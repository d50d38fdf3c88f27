"""Keeping house: verify, backup, restore, reindex and bench."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import DatabaseError

from docctl import anchoring, backup, checkpoints, contents, documents, evidence, jobs, notices, people, renditions
from docctl.audit import GENESIS, Head
from docctl.checkpoints import Checkpoint
from docctl.cli.main import REFUSED, fail, instant, json_option, note, opened, say, settings, spoken
from docctl.config import CHECKOUT, ConfigError
from docctl.database import newest_schema
from docctl.rules import Refused, Sentence
from docctl.search import following
from docctl.site import Site
from docctl.verify import Problem, Progress, Report, Scope, covers
from docctl.verify import verify as verified
from docctl.workflow import WorkflowError

UNCHECKED, UNANCHORED = 2, 3


BUSY = Sentence(
    "Một tiến trình khác đang ghi chỉ mục tìm kiếm. Hãy chờ rồi chạy lại `docctl reindex`.",
    "Another process is writing the search index. Wait, then run `docctl reindex` again.",
)

NO_SERVER = Sentence(
    "Chưa có máy chủ thư (DOCCTL_SMTP_URL) nên không gửi được. Hãy dùng -o để ghi mốc ra tệp.",
    "There is no mail server (DOCCTL_SMTP_URL), so nothing can be sent. Use -o to write it to a file.",
)
NOBODY = Sentence(
    "Không có đánh giá viên nào có địa chỉ thư và muốn nhận mốc kiểm soát, nên không gửi cho ai.",
    "No auditor has an address for mail and wants checkpoints, so it was sent to nobody.",
)


@click.command()
@click.option(
    "--anchor",
    "anchor_paths",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Checkpoints that somebody kept, a file or a folder of them; without, those of DOCCTL_CHECKPOINTS.",
)
@click.option("--quick", is_flag=True, help="Look for the files, and do not read them again.")
@click.option("--subset", default="1/1", metavar="N/T", help="Read only part N of T of the files again.")
@json_option
def verify(anchor_paths: tuple[Path, ...], quick: bool, subset: str, as_json: bool) -> None:
    """Check trail, signatures, stored states, files, index, database and checkpoints; 0 clean, 1 found, 2 not checked, 3 clean but for a tail.

    Exit status 1 names every record that fails. Status 3 says that all is clean, and how many entries nothing vouches
    for, since when: those after the newest checkpoint that was given by --anchor or by DOCCTL_CHECKPOINTS, or, without
    any, all of them.
    """
    scope = _scope(quick, subset)
    try:
        with opened() as site:
            report = verified(site, bar(), points=_points(site, anchor_paths), scope=scope)
    except (ConfigError, Refused) as error:
        note(spoken(error.sentence) if isinstance(error, Refused) else str(error))
        raise SystemExit(UNCHECKED) from error
    except WorkflowError as error:
        report = Report(Head(0, GENESIS), {}, [Problem("state", "workflow_version", error.text("en"))])
    except DatabaseError as error:
        # So damaged that it does not even open: that too is a finding and not an accident.
        report = Report(Head(0, GENESIS), {}, [Problem("database", "database", str(error.orig))])
    _tell(report, as_json)
    if report.tail.entries:
        raise SystemExit(UNANCHORED)


@click.command("checkpoint")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Also write it to this file.")
@click.option("--mail", is_flag=True, help="Also send it to the auditors who want checkpoints by mail.")
@json_option
def checkpoint_command(output: Path | None, mail: bool, as_json: bool) -> None:
    """Sign the present head of the trail and append it to the checkpoints; keep or print it elsewhere too."""
    with opened() as site:
        if mail and not site.settings.smtp_url:
            fail(spoken(NO_SERVER))
        made = checkpoints.make(site)
        place = checkpoints.folder(site.settings) / checkpoints.NAME
        letters = anchoring.send_now(site, made) if mail else 0
        if mail:
            jobs.post(site)
    if output:
        output.write_text(made.line() + "\n", encoding="utf-8")
    say(
        as_json,
        {**vars(made), "written_to": str(place), "letters": letters},
        f"Checkpoint of entry {made.sequence}, epoch {made.epoch}, {made.at}:",
        f"  head      {made.hash}",
        f"  key       {made.key}",
        f"  signature {made.signature}",
        f"Appended to {place}.",
        *([f"Written to {letters} auditors by mail."] if mail else []),
    )
    if mail and not letters:
        note(spoken(NOBODY))


@click.command("evidence")
@click.argument("code", default="")
@click.option("--decision", "decision_reference", default="", metavar="N", help="A decision, by number or id.")
@click.option("--on", default=None, metavar="DATE", help="Everything in force on that date.")
@click.option("-o", "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.zip")
@click.option("--as", "actor", default="", metavar="USER", help="Who takes it, for the trail.")
@json_option
def evidence_command(
    code: str, decision_reference: str, on: str | None, output: Path, actor: str, as_json: bool
) -> None:
    """Write the evidence of a document, a decision or a day as one archive that a third party can check without docctl."""
    if sum(map(bool, (code, decision_reference, on))) != 1:
        raise click.UsageError("Give one of CODE, --decision N and --on DATE.")
    with opened() as site:
        with site.database.reading() as session:
            by = people.find(session, actor) if actor else None
            at = instant(on, "--on")
            if at is not None:
                subject = evidence.of_day(session, at)
            elif decision_reference:
                subject = evidence.of_decision(session, evidence.find_decision(session, decision_reference))
            else:
                subject = evidence.of_document(session, documents.find(session, code))
        made = evidence.save(site, subject, output, by=by)
    result = {"file": str(output), "subject": made["subject"], "head": made["head"], "key": made["key"]}
    result |= {"files": len(made["files"]), "revisions": len(made["revisions"]), "bytes": output.stat().st_size}
    say(
        as_json,
        result,
        f"{output}: {result['revisions']} revisions, {result['files']} files, up to entry {made['head']['sequence']}.",
        f"Check it with: python3 check.py {output} --key {made['key']}",
    )


@click.command()
@json_option
def mail(as_json: bool) -> None:
    """Send the letters that wait now; a serving process does it by itself. Exit status 1 when some still wait."""
    with opened() as site:
        jobs.post(site)
        with site.database.reading() as session:
            waiting, sent = notices.queue(session)
    errors = sorted({row.last_error for row in waiting if row.last_error})
    result = {"sent": sent, "waiting": len(waiting), "errors": errors}
    say(as_json, result, f"{sent} letters sent so far, {len(waiting)} wait.", *errors)
    if waiting:
        sys.exit(REFUSED)


@click.command()
@click.option("--texts", is_flag=True, help="Also try again to read the texts that were not available.")
@json_option
def reindex(texts: bool, as_json: bool) -> None:
    """Build the search index anew from the database, while searching goes on; interrupted, it goes on where it stopped."""
    with opened() as site:
        again = _read_again(site) if texts else 0
        note("Building the index…")
        try:
            count = following.rebuild(site.database, site.engine, _index_bar())
        except TimeoutError:
            fail(spoken(BUSY))
        result = {"documents": count, "position": site.engine.position(), "texts_read_again": again}
    say(as_json, result, f"{count} documents indexed, up to entry {result['position']} of the trail.")


@click.command()
@click.option("--all", "everything", is_flag=True, help="Also for the files that nobody has opened yet.")
@json_option
def render(everything: bool, as_json: bool) -> None:
    """Make the PDFs that wait to be made; the server does so by itself while it runs."""
    with opened() as site:
        if everything:
            with site.database.reading() as session:
                sources = renditions.every_source(session)
            for sha256, kind in sources:
                renditions.ask(site.database, site.store, sha256, kind)
        made = jobs.render_waiting(site, bar())
        with site.database.reading() as session:
            counts = renditions.counts(session)
    ready, asks, unavailable = (counts.get(name, 0) for name in ("ready", "asks", "unavailable"))
    line = f"{made} made or tried; {ready} ready, {asks} wait for their author, {unavailable} not available."
    say(as_json, {"tried": made, **counts}, line)


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option
def backup_command(file: Path, as_json: bool) -> None:
    """Write database and files into one archive, while the server goes on working."""
    with opened() as site:
        made = backup.save(site, file, bar())
    size = file.stat().st_size
    result = {
        "file": str(file),
        "bytes": size,
        "files": len(made.files),
        "head": {"sequence": made.sequence, "hash": made.hash},
    }
    say(
        as_json,
        result,
        f"{file}: {size:,} bytes, {len(made.files)} files, up to entry {made.sequence} ({made.hash[:12]}).",
    )


@click.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace the database that is there; it is kept beside the new one.")
@json_option
def restore_command(file: Path, force: bool, as_json: bool) -> None:
    """Put a backup in place and verify it; nothing changes when the archive is damaged."""
    made, before = backup.restore(settings(), file, force=force)
    if before:
        note(f"The database that was there is kept as {before}.")
    if made.schema != newest_schema():
        note(f"The backup had schema {made.schema}; it was brought up to {newest_schema()}.")
    with opened() as site:
        report = verified(site, bar())
        point = checkpoints.make(site)
    note(f"Epoch {point.epoch} of the trail began at entry {point.sequence}.")
    _tell(report, as_json, head={"sequence": made.sequence, "hash": made.hash}, epoch=point.epoch)


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def bench(arguments: tuple[str, ...]) -> None:
    """Run the benchmarks of a checkout."""
    if not (CHECKOUT / "benchmarks" / "__main__.py").is_file():
        fail(
            spoken(
                Sentence(
                    "Các phép đo chỉ có trong bản mã nguồn. Hãy chạy `make bench` ở đó.",
                    "The benchmarks are in a checkout of the source only. Run `make bench` there.",
                )
            )
        )
    raise SystemExit(subprocess.run([sys.executable, "-m", "benchmarks", *arguments], cwd=CHECKOUT).returncode)  # noqa: S603


def bar() -> Progress | None:
    """Return what draws progress on a terminal; None where nobody watches."""
    return _drawn if sys.stderr.isatty() else None


def _index_bar() -> following.Progress | None:
    drawn = bar()
    return (lambda done, total: drawn("index", done, total)) if drawn else None


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    for command in (
        verify,
        mail,
        checkpoint_command,
        evidence_command,
        reindex,
        render,
        backup_command,
        restore_command,
        bench,
    ):
        main.add_command(command)


def _drawn(stage: str, done: int, total: int) -> None:
    filled = 30 * done // total if total else 30
    end = "\n" if done >= total else ""
    click.echo(f"\r{stage:<10} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}{end}", nl=False, err=True)


def _tell(report: Report, as_json: bool, **more: Any) -> None:
    counts = ", ".join(f"{name} {number}" for name, number in report.checked.items())
    covered = covers()
    by_trail, by_points = ", ".join(covered["replayed"] + covered["checked"]), ", ".join(covered["by_checkpoint_only"])
    tables = (
        f"Tables proved by the trail: {by_trail}; by checkpoints only: {by_points}; not: {', '.join(covered['not'])}."
    )
    say(
        as_json,
        report.as_dict() | more,
        f"Checked: {counts}.",
        tables,
        f"Files: {report.scope.words()}.",
        f"Head: entry {report.head.sequence}, {report.head.hash}.",
    )
    _tell_tail(report)
    for problem in report.problems:
        note(f"{problem.what}: {problem.record}: {problem.detail}")
    if not report.ok:
        note(spoken(Sentence("Tìm thấy {n} lỗi.", "{n} problems found.").fill(n=len(report.problems))))
        raise SystemExit(REFUSED)


def _tell_tail(report: Report) -> None:
    if not report.anchored:
        sentence = Sentence(
            "Không có mốc kiểm soát nào để đối chiếu (--anchor): không loại trừ được việc viết lại {n} mục nhật ký từ {since}, "
            "cắt bớt phần cuối hoặc thay bằng cơ sở dữ liệu cũ.",
            "There was no checkpoint to compare with (--anchor): that the {n} entries since {since} were written anew, that a "
            "tail was cut off or that an older database was put in their place cannot be excluded.",
        ).fill(n=report.tail.entries, since=report.tail.since)
    elif report.tail.entries:
        sentence = Sentence(
            "{n} mục cuối nhật ký, từ {since}, chưa có mốc kiểm soát nào xác nhận: không loại trừ được việc sửa chúng.",
            "No checkpoint vouches for the last {n} entries, since {since}: that they were changed cannot be excluded.",
        ).fill(n=report.tail.entries, since=report.tail.since)
    else:
        return
    note(spoken(sentence))


def _points(site: Site, anchor_paths: tuple[Path, ...]) -> list[list[Checkpoint]] | None:
    """Return the checkpoints to compare with, None when there are none to be had."""
    configured = site.settings.checkpoints
    paths = anchor_paths or ((configured,) if configured and configured.is_dir() else ())
    return [row for path in paths for row in checkpoints.rows(path)] if paths else None


def _scope(quick: bool, subset: str) -> Scope:
    part, _, parts = subset.partition("/")
    if not (part.isdigit() and parts.isdigit() and 1 <= int(part) <= int(parts) <= 10_000):
        raise click.BadParameter(f"{subset}: write N/T with N from 1 to T, for example 1/7.", param_hint="--subset")
    return Scope(quick, int(part), int(parts))


def _read_again(site: Site) -> int:
    with site.database.writing() as session:
        waiting = contents.ask_again(session)
    note(f"Reading {waiting} texts again…")
    jobs.extract_waiting(site)
    jobs.read_scans(site)
    return waiting
