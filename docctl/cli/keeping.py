"""Keeping house: verify, backup, restore, reindex and bench."""

import subprocess
import sys
from pathlib import Path

import click
from sqlalchemy.exc import DatabaseError

from docctl import backup, contents, jobs, renditions
from docctl.audit import GENESIS, Head
from docctl.cli.main import REFUSED, fail, json_option, note, opened, say, settings, spoken
from docctl.config import CHECKOUT
from docctl.database import newest_schema
from docctl.rules import Sentence
from docctl.search import following
from docctl.site import Site
from docctl.verify import Problem, Progress, Report
from docctl.verify import verify as verified


@click.command()
@json_option
def verify(as_json: bool) -> None:
    """Check trail, signatures, stored states, files, index and database; exit status 1 names every record that fails."""
    try:
        with opened() as site:
            report = verified(site, bar())
    except DatabaseError as error:
        # So damaged that it does not even open: that too is a finding and not an accident.
        report = Report(Head(0, GENESIS), {}, [Problem("database", "database", str(error.orig))])
    _tell(report, as_json)


@click.command()
@click.option("--texts", is_flag=True, help="Also try again to read the texts that were not available.")
@json_option
def reindex(texts: bool, as_json: bool) -> None:
    """Build the search index anew from the database."""
    with opened() as site:
        again = _read_again(site) if texts else 0
        site.engine.clear()
        note("Building the index…")
        count = following.follow(site.database, site.engine)
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
    if made.schema < newest_schema():
        note(f"The backup has schema {made.schema}. Run `docctl upgrade`, then `docctl verify`.")
        say(as_json, {"restored": str(file), "head": {"sequence": made.sequence, "hash": made.hash}}, "Restored.")
        return
    with opened() as site:
        _tell(verified(site, bar()), as_json)


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


def add_to(main: click.Group) -> None:
    """Put these commands into the program."""
    for command in (verify, reindex, render, backup_command, restore_command, bench):
        main.add_command(command)


def _drawn(stage: str, done: int, total: int) -> None:
    filled = 30 * done // total if total else 30
    end = "\n" if done >= total else ""
    click.echo(f"\r{stage:<10} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}{end}", nl=False, err=True)


def _tell(report: Report, as_json: bool) -> None:
    counts = ", ".join(f"{name} {number}" for name, number in report.checked.items())
    say(as_json, report.as_dict(), f"Checked: {counts}.", f"Head: entry {report.head.sequence}, {report.head.hash}.")
    for problem in report.problems:
        note(f"{problem.what}: {problem.record}: {problem.detail}")
    if not report.ok:
        note(spoken(Sentence("Tìm thấy {n} lỗi.", "{n} problems found.").fill(n=len(report.problems))))
        raise SystemExit(REFUSED)


def _read_again(site: Site) -> int:
    with site.database.writing() as session:
        waiting = contents.ask_again(session)
    note(f"Reading {waiting} texts again…")
    jobs.extract_waiting(site)
    jobs.read_scans(site)
    return waiting
