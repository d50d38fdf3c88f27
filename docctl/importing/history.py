"""The import of whole revision histories: JSON lines, and their files in a folder or a tar archive."""

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from sqlalchemy.orm import Session

from docctl import clock, contents, documents, histories, jobs, units
from docctl.contents import Content
from docctl.files import check, extract
from docctl.files.extract import Extracted
from docctl.files.kinds import PLAIN, Kind
from docctl.files.readers import NotExtractable
from docctl.histories import KINDS, Told, line_hash
from docctl.importing.people import importer
from docctl.rules import Refused, Sentence
from docctl.site import Site

BATCH = 20  # Documents whose files are read ahead together.

NO_JSON = Sentence(
    "Dòng này không phải JSON. Hãy xuất lại hồ sơ lịch sử rồi nhập lại.",
    "The line is not JSON. Export the history again, then import it again.",
)
LACKS = Sentence(
    "Thiếu hoặc sai trường “{name}”. Hãy sửa dòng này rồi nhập lại.",
    "The field “{name}” is missing or wrong. Mend the line, then import again.",
)
NO_FILE = Sentence(
    "Không thấy tệp {file} trong --files. Hãy bổ sung tệp rồi nhập lại.",
    "The file {file} is not in --files. Add it, then import again.",
)
OTHER_BYTES = Sentence(
    "Tệp {file} không đúng SHA-256 hoặc độ dài ghi trong hồ sơ. Hãy lấy lại tệp gốc rồi nhập lại.",
    "The file {file} has not the SHA-256 or size that the history says. Fetch the original again, then import again.",
)


@dataclass(frozen=True)
class Plan:
    """How to import: what the source is called, where its documents belong, and of which type they are."""

    source: str
    unit: str = ""
    type: str = "QT"
    dry_run: bool = False


@dataclass
class Result:
    """What became of every line; each is in exactly one of the counts or lists, `totals` says what is here now."""

    source: str
    read: int = 0
    created: int = 0
    revised: int = 0
    renamed: int = 0
    withdrawn: int = 0
    reinstated: int = 0
    unchanged: int = 0
    conflicts: list[dict[str, str]] = field(default_factory=list)
    needs_a_person: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    stored: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as the JSON of the command line."""
        return dict(vars(self))


def import_history(
    site: Site,
    history: Path,
    files: Path,
    plan: Plan,
    *,
    actor: str = "",
    locale: str = "vi",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Import a history, one document a transaction: after a crash the next run goes on; safe to repeat.

    A line is known again by what it says, a document by its name in the source, whatever it is called by now.
    """
    result = Result(plan.source)
    with site.database.reading() as session:
        # Whoever is missing is said before any file is read.
        unit = units.find(session, plan.unit) if plan.unit else units.office(session)
        importer(session, actor, unit)
        documents.find_type(session, plan.type)
        known = histories.known_lines(session, plan.source)
    groups = _grouped(history, known, result, locale)
    total = sum(len(lines) for lines in groups.values())
    done = 0
    with _opened(files) as folder:
        hand = _Hand(site, plan, actor, locale, folder, result)
        for batch in _batches(list(groups.values())):
            ready = hand.ready(batch)
            for lines, able in zip(batch, ready, strict=True):
                hand.take(able)
                done += len(lines)
                progress(done, total)
    with site.database.reading() as session:
        result.totals = histories.totals(session, plan.source)
    return result


class _Hand:
    """Takes the lines of one document after the other, each document in a transaction of its own."""

    def __init__(self, site: Site, plan: Plan, actor: str, locale: str, folder: "Files", result: Result) -> None:
        self.site, self.plan, self.actor, self.locale = site, plan, actor, locale
        self.folder, self.result = folder, result
        self.texts: dict[str, Extracted | NotExtractable] = {}

    def ready(self, batch: list[list[Told]]) -> list[list[tuple[Told, "Kept | None"]]]:
        """Put the files of several documents into the store, and read their texts in one worker process."""
        ready: list[list[tuple[Told, Kept | None]]] = []
        for lines in batch:
            able: list[tuple[Told, Kept | None]] = []
            for line in lines:
                try:
                    able.append((line, self._stored(line)))
                except Refused as refused:
                    self._failed(line, refused.sentence)
            ready.append(able)
        kept = {row.sha256: row for able in ready for _, row in able if row}
        paths = {self.site.store.path(row.sha256): row.kind for row in kept.values()}
        found = extract.extract_batch({path: kind for path, kind in paths.items() if kind not in PLAIN})
        # Plain text is decoded and not parsed: a process of its own for each would take most of the time.
        found |= {path: _plain(path, kind) for path, kind in paths.items() if kind in PLAIN}
        self.texts = {sha256: found[self.site.store.path(sha256)] for sha256 in kept}
        return ready

    def take(self, able: list[tuple[Told, "Kept | None"]]) -> None:
        """Store what can be stored, and say of the rest why not."""
        try:
            if able:
                self._write(able)
        except Refused as refused:
            for line, _ in able:
                self._failed(line, refused.sentence)

    def _write(self, able: list[tuple[Told, "Kept | None"]]) -> None:
        with self.site.database.session_for_writing() as session:
            unit = units.find(session, self.plan.unit) if self.plan.unit else units.office(session)
            by = importer(session, self.actor, unit)
            for line, kept in able:
                if kept:
                    line.content = self._content(session, kept)
                    line.file_name = kept.name
            _, refused = histories.take(
                session,
                self.plan.source,
                [line for line, _ in able],
                by=by,
                type=documents.find_type(session, self.plan.type),
                unit=unit,
            )
            self._note([line for line, _ in able], refused)
            if self.plan.dry_run:
                session.rollback()
            else:
                session.commit()

    def _note(self, lines: list[Told], refused: list[tuple[Told, Sentence]]) -> None:
        reasons = {id(line): sentence for line, sentence in refused}
        for line in lines:
            named = {"source": _named(line)}
            if id(line) in reasons:
                self.result.conflicts.append({**named, "code": line.doc, "reason": reasons[id(line)].get(self.locale)})
                continue
            if line.revision is not None:
                self.result.stored.append(_said(line))
            if line.flags:
                reason = " ".join(histories.FLAGS[flag].get(self.locale) for flag in dict.fromkeys(line.flags))
                self.result.needs_a_person.append({**named, "field": "effective_utc", "reason": reason})
            else:
                self._count(line)

    def _count(self, line: Told) -> None:
        # A line that renames and revises brings an edition: it counts as a revision.
        for kind in ("created", "reinstated", "revised", "withdrawn", "renamed"):
            if kind in line.kinds:
                setattr(self.result, kind, getattr(self.result, kind) + 1)
                return

    def _stored(self, line: Told) -> "Kept | None":
        """Put the file of a line into the store; None for a line that brings none."""
        if not line.brings_edition or not line.given.get("file"):
            return None
        name = str(line.given["file"])
        given = self.folder.open(name)
        if given is None:
            raise Refused(NO_FILE.fill(file=name))
        title = check.clean_name(PurePosixPath(line.path or name).name)
        kinds: list[Kind] = []
        with closing(given):
            stored = self.site.store.put(
                given,
                limit_bytes=self.site.settings.max_upload_mb << 20,
                inspect=lambda path: kinds.append(check.check(path, title)),
            )
        wanted = line.given.get("sha256", stored.sha256), line.given.get("size", stored.size)
        if (stored.sha256, stored.size) != wanted:
            raise Refused(OTHER_BYTES.fill(file=name))
        return Kept(stored.sha256, stored.size, kinds[0], title)

    def _content(self, session: Session, kept: "Kept") -> Content:
        content = contents.keep(session, sha256=kept.sha256, size=kept.size, kind=kept.kind)
        text = self.texts[kept.sha256]
        jobs.keep_found(session, kept.sha256, text.sentence if isinstance(text, NotExtractable) else text)
        return content

    def _failed(self, line: Told, sentence: Sentence) -> None:
        self.result.failed.append({"source": _named(line), "reason": sentence.get(self.locale)})


@dataclass(frozen=True)
class Kept:
    """A file that is in the store."""

    sha256: str
    size: int
    kind: Kind
    name: str


class Files:
    """The files of a history, by the names that its lines give them; never a name that leads elsewhere."""

    def open(self, name: str) -> BinaryIO | None:
        """Open a file, None when it is not there."""
        raise NotImplementedError


class Folder(Files):
    """Files in a folder: the one that holds `files/`, or that folder itself."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    def open(self, name: str) -> BinaryIO | None:
        """Open a file of the folder."""
        for candidate in _candidates(name):
            path = (self.root / candidate).resolve()
            if path.is_relative_to(self.root) and path.is_file():
                return path.open("rb")
        return None


class Archive(Files):
    """Files in a tar archive, read member by member and never unpacked."""

    def __init__(self, archive: tarfile.TarFile) -> None:
        self.archive = archive
        self.members = {member.name.removeprefix("./"): member for member in archive.getmembers() if member.isfile()}

    def open(self, name: str) -> BinaryIO | None:
        """Open a member of the archive."""
        for candidate in _candidates(name):
            if candidate in self.members and (found := self.archive.extractfile(self.members[candidate])):
                with found:
                    return io.BytesIO(found.read())
        return None


def _candidates(name: str) -> Iterator[str]:
    yield name
    yield PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix()


def _opened(files: Path) -> AbstractContextManager[Files]:
    if files.is_dir():
        return nullcontext(Folder(files))
    try:
        return _open_archive(files)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise Refused(
            Sentence(
                "Không đọc được {file}: {error}. Hãy đưa một thư mục hoặc một tệp .tar, .tar.gz.",
                "{file} cannot be read: {error}. Give a folder, or a .tar or .tar.gz file.",
            ).fill(file=files, error=error)
        ) from error


class _open_archive(AbstractContextManager[Files]):
    def __init__(self, path: Path) -> None:
        self.archive = tarfile.open(path)  # noqa: SIM115 - closed at the end of the context.
        self.files = Archive(self.archive)

    def __enter__(self) -> Files:
        return self.files

    def __exit__(self, *raised: object) -> None:
        self.archive.close()


def _grouped(history: Path, known: set[str], result: Result, locale: str) -> dict[str, list[Told]]:
    """Return the lines that are new by document, in their order; note those that are known or cannot be read."""
    groups: dict[str, list[Told]] = {}
    for number, text in enumerate(history.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not text.strip():
            continue
        result.read += 1
        try:
            line = _line(text)
        except Refused as refused:
            result.failed.append({"source": f"{history.name}:{number}", "reason": refused.sentence.get(locale)})
            continue
        digest = line_hash(line.given)
        if digest in known:
            result.unchanged += 1
            continue
        known.add(digest)
        groups.setdefault(line.doc, []).append(line)
    return groups


def _line(text: str) -> Told:
    try:
        given = json.loads(text)
    except ValueError as error:
        raise Refused(NO_JSON) from error
    if not isinstance(given, dict):
        raise Refused(NO_JSON)
    kinds = str(given.get("kind", "")).split("+")
    if not set(kinds) <= set(KINDS):
        raise Refused(LACKS.fill(name="kind"))
    return Told(
        doc=_text(given, "doc")[:80],
        kinds=kinds,
        effective_at=_instant(given),
        author=_text(given, "author")[:200],
        subject=str(given.get("subject") or ""),
        name=_text(given, "name"),
        path=str(given.get("path") or ""),
        rev=_number(given),
        given=given,
    )


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Refused(LACKS.fill(name=name))
    return value.strip()


def _number(given: dict[str, Any]) -> int:
    value = given.get("rev")
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1_000_000:
        raise Refused(LACKS.fill(name="rev"))
    return value


def _instant(given: dict[str, Any]) -> datetime:
    try:
        return clock.parse(_text(given, "effective_utc"))
    except ValueError as error:
        raise Refused(LACKS.fill(name="effective_utc")) from error


def _plain(path: Path, kind: Kind) -> Extracted | NotExtractable:
    try:
        return extract.extract(path, kind)
    except NotExtractable as reason:
        return reason


def _batches(groups: list[list[Told]]) -> Iterator[list[list[Told]]]:
    for start in range(0, len(groups), BATCH):
        yield groups[start : start + BATCH]


def _named(line: Told) -> str:
    return f"{line.doc} {'+'.join(line.kinds)} {line.given.get('effective_utc')}"


def _said(line: Told) -> dict[str, Any]:
    revision = line.revision
    assert revision is not None
    return {
        "source": _named(line),
        "doc": line.doc,
        "document": revision.document_id,
        "code": revision.document.code,
        "revision": revision.id,
        "edition": revision.edition_code,
        "author": line.author,
        "effective_from": clock.local(line.effective_at).isoformat(),
        "sha256": revision.file_sha256,
    }
