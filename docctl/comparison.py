"""Two revisions of a document side by side: what changed in the text, and what the change table says of it."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from docctl import contents, redline, revisions
from docctl.contents import ContentText
from docctl.people import Reader
from docctl.redline import ChangedSection, Entry, Forgotten
from docctl.revisions import Revision
from docctl.rules import Sentence

NO_FILE = Sentence(
    "Phiên bản {edition} chưa có tệp, nên chưa so sánh được. Hãy đính kèm tệp vào bản đó.",
    "Edition {edition} has no file yet, so there is nothing to compare. Attach a file to it.",
)
WAITING = Sentence(
    "Chữ trong tệp của phiên bản {edition} đang được đọc; hãy mở lại trang này sau ít phút.",
    "The text of edition {edition} is being read; open this page again in a few minutes.",
)
GONE = Sentence(
    "Không còn chữ của phiên bản {edition} (tệp đã được hủy hoặc chưa từng được đọc), nên không so sánh được.",
    "The text of edition {edition} is not here (its file was disposed of, or never read), so it cannot be compared.",
)
UNREADABLE = Sentence(
    "Không so sánh được vì không có chữ của phiên bản {edition}. {reason}",
    "The comparison is not possible because there is no text of edition {edition}. {reason}",
)
SAME_FILE = Sentence(
    "Hai phiên bản có cùng một tệp, giống nhau từng byte.", "Both revisions have the same file, byte for byte."
)
SAME_TEXT = Sentence(
    "Chữ trong hai tệp giống nhau; chỉ có thể khác ở trình bày, hình ảnh hoặc thông tin của tệp.",
    "The text of both files is the same; only layout, pictures or properties of the file can differ.",
)


@dataclass(frozen=True)
class Comparison:
    """What became of the text of `old` in `new`, block by block, and the sections to hold against the change table."""

    old: Revision
    new: Revision
    entries: list[Entry]
    changed: list[ChangedSection]
    forgotten: Forgotten
    same: Sentence | None

    def count(self, *kinds: str) -> int:
        """Return how many blocks are of some kinds."""
        return sum(entry.kind in kinds for entry in self.entries)


def between(session: Session, old: Revision, new: Revision) -> Comparison | Sentence:
    """Compare two revisions; returns the sentence why not where one has no text. Raises Refused for texts without end."""
    sides = []
    for revision in (old, new):
        row = revisions.text_of(session, revision)
        if sentence := _absent(revision, row):
            return sentence
        assert row is not None
        sides.append(redline.blocks(row.text, contents.layout(session, row)))
    entries = redline.compare(*sides)
    changed = redline.changed_sections(entries)
    table = redline.forgotten(changed, [row.section for row in new.change_rows])
    same = None
    if not changed:
        same = SAME_FILE if old.file_sha256 == new.file_sha256 else SAME_TEXT
    return Comparison(old, new, entries, changed, table, same)


def choices(session: Session, revision: Revision, *, by: Reader) -> list[Revision]:
    """Return the other revisions of the document that somebody may see and that have a file, newest first."""
    return [
        row
        for row in revisions.of_document(session, revision.document, by=by)
        if row.id != revision.id and row.file_sha256 is not None
    ]


def usual(session: Session, revision: Revision, *, by: Reader) -> Revision | None:
    """Return what a revision is compared with unless asked otherwise: what is in force, or else the edition before it."""
    offered = choices(session, revision, by=by)
    current = revisions.compared_with(session, revision) if revisions.is_open(revision) else None
    if current is not None and current.id in {row.id for row in offered}:
        return current
    before = [row for row in offered if (row.edition, row.amendment) < (revision.edition, revision.amendment)]
    issued = [row for row in before if row.effective_from is not None]
    return next(iter(issued or before), None)


def _absent(revision: Revision, row: ContentText | None) -> Sentence | None:
    edition = revision.edition_text
    if revision.file_sha256 is None:
        return NO_FILE.fill(edition=edition)
    if row is None:
        return GONE.fill(edition=edition)
    if row.status == contents.WAITING:
        return WAITING.fill(edition=edition)
    if row.status == contents.UNAVAILABLE:
        return UNREADABLE.fill(edition=edition, reason=Sentence(row.reason_vi, row.reason_en))
    return None if row.text else GONE.fill(edition=edition)
