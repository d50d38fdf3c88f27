"""Import of an office's files: each becomes a draft, or stands in force under an earlier decision; nothing is guessed."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import clock, contents, documents, jobs, people, revisions, units
from docctl.contents import Content
from docctl.documents import Document
from docctl.files import check, extract
from docctl.files.extract import Extracted
from docctl.files.kinds import Kind
from docctl.files.readers import NotExtractable
from docctl.importing.cover import Cover, Doubt, read_cover
from docctl.importing.people import importer
from docctl.people import Reader
from docctl.revisions import Change, Revision
from docctl.rules import Refused, Sentence
from docctl.site import Site
from docctl.text import fold
from docctl.units import Unit

BATCH = 20

SAME_CODE_ELSEWHERE = Sentence(
    "Đã nhận, nhưng mã này cũng là mã của “{title}” (bộ “{series}”). Hãy xem có đúng là hai bộ mã khác nhau không.",
    "Stored, but “{title}” (series “{series}”) bears this code too. Check that these are two series.",
)
SAME_CODE_HERE = Sentence(
    "Đã nhận và đánh dấu trùng mã với “{title}” trong cùng đơn vị và lĩnh vực. Hãy đổi mã hoặc lĩnh vực của một tài liệu.",
    "Stored and marked: “{title}” of the same unit and field bears this code. Give one of them another code or field.",
)
SAME_EDITION = Sentence(
    "Lần {edition} của tài liệu này đã có với nội dung khác; tệp chưa được nhận. Hãy đổi lần ban hành trên bìa nếu là bản mới.",
    "Edition {edition} of this document is there with other content; the file was not taken. Raise its edition if it is new.",
)
STILL_OPEN = Sentence(
    "Tài liệu đang có phiên bản {edition} chưa xong; tệp chưa được nhận. Hãy hoàn tất hoặc bỏ bản đó rồi nhập lại.",
    "Revision {edition} of the document is still open; the file was not taken. Finish or discard it, then import again.",
)
NO_DATE = Sentence(
    "Không có ngày hiệu lực nên chỉ nhận làm dự thảo. Hãy nhập lại với --effective.",
    "There is no effective date, so it was taken as a draft. Import again with --effective.",
)
EARLIER = Sentence(
    "Bản đang có hiệu lực từ {day}, không trước ngày của bản này; tệp chưa được nhận.",
    "The revision in force began on {day}, not before this one; the file was not taken.",
)
FROM_FILE = Sentence("Nhập từ tệp có sẵn: {name}", "Taken from the existing file: {name}")
WHOLE = "Toàn bộ tài liệu"


@dataclass(frozen=True)
class Plan:
    """How to import: where the documents belong, who is their author, and whether they are in force already."""

    unit: str = ""
    type: str = "QT"
    field: str | None = None
    author: str = ""
    in_force_under: str = ""
    effective: datetime | None = None
    dry_run: bool = False


@dataclass
class Result:
    """What became of every source; each is in exactly one of the lists or counts.

    `left_out` names the files of a folder that are no documents by their extension, and so no sources.
    """

    read: int = 0
    created: int = 0
    revised: int = 0
    unchanged: int = 0
    conflicts: list[dict[str, str]] = field(default_factory=list)
    needs_a_person: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    stored: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as the JSON of the interface, with what was stored added."""
        return dict(vars(self))


@dataclass(frozen=True)
class Source:
    """A file to import: its name below the given folder, its bytes in the store, and what its cover says."""

    name: str
    file_name: str
    field: str
    kind: Kind
    sha256: str
    size: int
    text: Extracted | Sentence
    cover: Cover


def import_documents(
    site: Site,
    paths: Iterable[Path],
    plan: Plan,
    *,
    actor: str = "",
    locale: str = "vi",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Result:
    """Import files and folders, in one transaction after all texts were read; safe to repeat.

    Files are told apart by their bytes: what is stored already counts as unchanged. Files and folders whose names
    begin with a dot, an underscore or a tilde are left out.
    """
    result = Result()
    found = list(_files(paths, result.left_out))
    result.read = len(found)
    with site.database.reading() as session:
        # Whoever is missing is said before the files are read, which may take minutes.
        _Hand(session, plan, actor=actor, locale=locale, result=result).ready()
    known = _known_hashes(site)
    fresh: list[tuple[str, Path, str, Kind, str, int]] = []
    for name, path, series in found:
        try:
            kind = check.check(path, path.name)
            with path.open("rb") as stream:
                stored = site.store.put(stream, limit_bytes=site.settings.max_upload_mb * 1024 * 1024)
        except (Refused, OSError) as error:
            result.failed.append({"source": name, "reason": _why(error, locale)})
            continue
        if stored.sha256 in known:
            result.unchanged += 1
            continue
        known.add(stored.sha256)
        fresh.append((name, path, series, kind, stored.sha256, stored.size))
    progress(len(found) - len(fresh), len(found))
    sources = list(_read(site, fresh, lambda done: progress(len(found) - len(fresh) + done, len(found))))
    with site.database.session_for_writing() as session:
        hand = _Hand(session, plan, actor=actor, locale=locale, result=result)
        for source in sources:
            hand.take(source)
        if plan.dry_run:
            session.rollback()
        else:
            session.commit()
    return result


class _Hand:
    """Takes one source after the other into the documents, and notes what became of it."""

    def __init__(self, session: Session, plan: Plan, *, actor: str, locale: str, result: Result) -> None:
        self.session, self.plan, self.locale, self.result = session, plan, locale, result
        self.unit = units.find(session, plan.unit) if plan.unit else units.office(session)
        self.type = documents.find_type(session, plan.type)
        self.by = importer(session, actor, self.unit)

    @cached_property
    def author(self) -> Reader:
        """Whose drafts the files become."""
        return _author(self.session, self.plan.author, self.by, self.unit)

    def ready(self) -> None:
        """Raise Refused when drafts will need an author and there is none."""
        if not self.plan.in_force_under:
            _ = self.author

    def take(self, source: Source) -> None:
        """Store one source, or say why not; a savepoint keeps a refused one from leaving anything behind."""
        try:
            with self.session.begin_nested():
                self._take(source)
        except Refused as refused:
            self.result.failed.append({"source": source.name, "reason": refused.sentence.get(self.locale)})

    def _take(self, source: Source) -> None:
        code = source.cover.code or documents.next_code(self.session, self.type, self.unit, source.field)
        code = documents.checked_code(code)
        series = source.field if self.plan.field is None else self.plan.field
        namesakes = documents.namesakes(self.session, code, unit_id=self.unit.id, field=series)
        same = [row.document for row in namesakes if row.same_scope]
        earlier = next((row for row in same if fold(row.title) == fold(source.cover.title)), None)
        if earlier is not None and (refusal := self._unfit(earlier, source)):
            self._conflict(source, code, refusal)
            return
        document = earlier or documents.add(
            self.session,
            by=self.by,
            title=source.cover.title,
            type=self.type,
            unit=self.unit,
            field=series,
            code=code,
            allow_clash=True,
        )
        self._store(source, document)
        self._note(source, document, code, same=same, others=[row.document for row in namesakes], revised=bool(earlier))

    def _unfit(self, document: Document, source: Source) -> Sentence | None:
        edition, amendment = _numbers(source.cover)
        taken = revisions.with_edition(self.session, document, edition, amendment)
        if taken is not None:
            return SAME_EDITION.fill(edition=taken.edition_text)
        begins = self._begins(source)
        standing = revisions.newest_issued(self.session, document)
        if begins and standing and standing.effective_from and standing.effective_from >= begins:
            return EARLIER.fill(day=f"{clock.local(standing.effective_from):%d/%m/%Y}")
        waiting = revisions.open_revision(self.session, document)
        return STILL_OPEN.fill(edition=waiting.edition_text) if waiting else None

    def _begins(self, source: Source) -> datetime | None:
        if not self.plan.in_force_under:
            return None
        day = source.cover.effective or source.cover.date
        return self.plan.effective or (clock.midnight(day) if day else None)

    def _store(self, source: Source, document: Document) -> Revision:
        content = _kept(self.session, source)
        edition, amendment = _numbers(source.cover)
        begins = self._begins(source)
        if begins is not None:
            made = revisions.import_in_force(
                self.session,
                document,
                by=self.by,
                edition=edition,
                amendment=amendment,
                title=source.cover.title,
                content=content,
                file_name=source.file_name,
                source=source.name,
                effective_from=begins,
                decision=self.plan.in_force_under,
                cover_date=source.cover.date,
            )
        else:
            made = revisions.draft(
                self.session,
                document,
                by=self.author,
                edition=edition,
                amendment=amendment,
                title=source.cover.title,
                content=content,
                file_name=source.file_name,
                changes=[Change(WHOLE, "", FROM_FILE.fill(name=source.file_name).get(self.locale))],
                source=source.name,
                cover_date=source.cover.date,
            )
        self.result.stored.append(_stored(made, source))
        return made

    def _note(
        self,
        source: Source,
        document: Document,
        code: str,
        *,
        same: Sequence[Document],
        others: Sequence[Document],
        revised: bool,
    ) -> None:
        doubts = [doubt for doubt in source.cover.doubts if doubt.field != "code" or source.cover.code]
        if self.plan.in_force_under and self._begins(source) is None:
            doubts.append(Doubt("effective", NO_DATE))
        if isinstance(source.text, Sentence):
            doubts.append(Doubt("text", source.text))
        if others and not revised:
            named = SAME_CODE_HERE if same else SAME_CODE_ELSEWHERE
            self._conflict(source, code, named.fill(title=others[0].title, series=others[0].field or "–"), doubts)
        elif doubts:
            self.result.needs_a_person.append(
                {
                    "source": source.name,
                    "field": ", ".join(dict.fromkeys(doubt.field for doubt in doubts)),
                    "reason": self._said(doubt.sentence for doubt in doubts),
                }
            )
        elif revised:
            self.result.revised += 1
        else:
            self.result.created += 1

    def _conflict(self, source: Source, code: str, sentence: Sentence, doubts: Sequence[Doubt] = ()) -> None:
        reason = self._said([sentence, *(doubt.sentence for doubt in doubts)])
        self.result.conflicts.append({"source": source.name, "code": code, "reason": reason})

    def _said(self, sentences: Iterable[Sentence]) -> str:
        return " ".join(sentence.get(self.locale) for sentence in sentences)


def _files(paths: Iterable[Path], left_out: list[str]) -> Iterator[tuple[str, Path, str]]:
    """Yield name below the given folder, path, and the folder that names the series; note what is no document."""
    taken = {kind.value for kind in Kind}
    for given in paths:
        if given.is_file():
            yield given.name, given, ""
            continue
        for folder, below, names in os.walk(given):
            below[:] = sorted(name for name in below if not name.startswith((".", "_", "~")))
            for name in sorted(names):
                path = Path(folder) / name
                inside = path.relative_to(given)
                if name.startswith((".", "_", "~")):
                    continue
                if path.suffix.lower().lstrip(".") in taken:
                    yield inside.as_posix(), path, " / ".join(inside.parts[:-1])
                else:
                    left_out.append(inside.as_posix())


def _read(
    site: Site, fresh: Sequence[tuple[str, Path, str, Kind, str, int]], progress: Callable[[int], None]
) -> Iterator[Source]:
    for start in range(0, len(fresh), BATCH):
        batch = fresh[start : start + BATCH]
        wanted = {site.store.path(sha256): kind for _, _, _, kind, sha256, _ in batch}
        texts = extract.extract_batch(wanted)
        for name, path, series, kind, sha256, size in batch:
            given = texts[site.store.path(sha256)]
            text: Extracted | Sentence = given.sentence if isinstance(given, NotExtractable) else given
            cover = read_cover(text.text if isinstance(text, Extracted) else "", path.name)
            yield Source(name, check.clean_name(path.name), series, kind, sha256, size, text, cover)
        progress(start + len(batch))


def _known_hashes(site: Site) -> set[str]:
    with site.database.reading() as session:
        query = select(Revision.file_sha256).where(Revision.file_sha256.is_not(None), Revision.state != "discarded")
        return {sha256 for sha256 in session.scalars(query) if sha256}


def _kept(session: Session, source: Source) -> Content:
    content = contents.keep(session, sha256=source.sha256, size=source.size, kind=source.kind)
    jobs.keep_found(session, source.sha256, source.text)
    return content


def _author(session: Session, name: str, by: Reader, unit: Unit) -> Reader:
    """Return whose drafts the files become: the named author, else the importer if an author, else the first author."""
    if name:
        return people.reader(session, people.find(session, name))
    others = [people.reader(session, account) for account in people.all_accounts(session) if not account.disabled_at]
    for author in (by, *others):
        if "author" in author.roles_in(unit.id):
            return author
    raise Refused(
        Sentence(
            "Chưa có người soạn thảo để đứng tên dự thảo. Hãy thêm bằng `docctl user add NAME --role author`, hoặc ghi --author.",
            "There is no author for the drafts. Add one with `docctl user add NAME --role author`, or give --author.",
        )
    )


def _numbers(cover: Cover) -> tuple[int, int]:
    return (1 if cover.edition is None else cover.edition, cover.amendment or 0)


def _stored(made: Revision, source: Source) -> dict[str, Any]:
    return {
        "source": source.name,
        "document": made.document_id,
        "revision": made.id,
        "code": made.document.code,
        "title": made.title,
        "edition": made.edition_code,
        "date": _iso(made.cover_date),
        "sha256": made.file_sha256,
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _why(error: Exception, locale: str) -> str:
    return error.sentence.get(locale) if isinstance(error, Refused) else str(error)
