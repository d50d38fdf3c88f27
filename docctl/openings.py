"""The sentences that open the pages of a document and of a revision: what it is now, since when, by which decision, who acts next."""

from datetime import datetime

from sqlalchemy.orm import Session

from docctl import clock, contents, lifecycle, revisions
from docctl.documents import Document
from docctl.people import Reader
from docctl.revisions import IN_FORCE, SCHEDULED, SUPERSEDED, WITHDRAWN, Revision
from docctl.rules import RULES, Sentence

TONES = {IN_FORCE: "good", SUPERSEDED: "warn", WITHDRAWN: "stop", "discarded": "stop"}

_STANDS = {
    IN_FORCE: Sentence(
        "Lần ban hành {edition} còn hiệu lực từ {since}{decision}.",
        "Edition {edition} is in force since {since}{decision}.",
    ),
    SCHEDULED: Sentence(
        "Lần ban hành {edition} đã ban hành{decision} và sẽ có hiệu lực từ {since}.",
        "Edition {edition} is issued{decision} and takes effect on {since}.",
    ),
    SUPERSEDED: Sentence(
        "Lần ban hành {edition} đã hết hiệu lực từ {until}{by_next}; trước đó có hiệu lực từ {since}{decision}.",
        "Edition {edition} is no longer in force: superseded on {until}{by_next}. It was in force from {since}{decision}.",
    ),
    WITHDRAWN: Sentence(
        "Lần ban hành {edition} đã bị hủy bỏ từ {until}{withdrawal}; trước đó có hiệu lực từ {since}{decision}.",
        "Edition {edition} was withdrawn on {until}{withdrawal}. It was in force from {since}{decision}.",
    ),
}
_OPEN = Sentence(
    "Lần ban hành {edition}: {state}; người soạn thảo: {author}. {waiting}",
    "Edition {edition}: {state}; author: {author}. {waiting}",
)
_MEANWHILE = Sentence(
    "Lần ban hành {edition} vẫn còn hiệu lực.",
    "Edition {edition} stays in force meanwhile.",
)
_ENDS = Sentence("Hết hiệu lực từ {until}.", "It ends on {until}.")
_IMPORTED = Sentence(
    "Phiên bản được nhập từ bộ tài liệu sẵn có, chưa từng được phê duyệt trong hệ thống này.",
    "It was imported from the office's existing set and never approved here.",
)
_BY = Sentence(" theo quyết định {number}", " by decision {number}")
_BY_NEXT = Sentence(" bởi lần ban hành {edition}", " by edition {edition}")
_NOTHING = Sentence("", "")
_NONE_IN_FORCE = Sentence(
    "Tài liệu không có lần ban hành nào còn hiệu lực.", "No edition of this document is in force."
)
_NO_REVISION = Sentence(
    "Tài liệu chưa có phiên bản nào. Hãy bắt đầu bằng một dự thảo.",
    "This document has no revision yet. Begin with a draft.",
)
# The fonts of before Unicode, as people call them.
FONTS = {"tcvn3": "TCVN3 (ABC)", "vni": "VNI"}
_READING = Sentence(
    "Nội dung tệp đang được đọc để tra cứu; tải lại trang sau ít giây.",
    "The text of the file is being read for search; reload the page in a few seconds.",
)
_UNREADABLE = Sentence(
    "Không đọc được nội dung tệp để tra cứu: {reason}", "The text of the file is not available for search: {reason}"
)

_READ = Sentence("Đã đọc chữ trong tệp; tra cứu được.", "The text was read and can be searched.")
_PAGES = Sentence("{n} trang.", "{n} pages.")
_REWRITTEN = Sentence(
    "Chữ gõ bằng phông {fonts} đã được chuyển sang Unicode để tra cứu; tệp gốc giữ nguyên.",
    "What was typed in the fonts of {fonts} was rewritten in Unicode for search; the file stays as it is.",
)
_UNPROOFED = Sentence(
    "Chữ của {n} trang do máy nhận dạng từ bản quét, chưa ai soát lại: có thể sai dấu.",
    "The words of {n} pages were recognised by machine in a scan and nobody has proofed them: accents can be wrong.",
)
_SCANS_WAITING = Sentence(
    "Tệp có trang quét không có lớp chữ; máy đang nhận dạng ở chế độ nền, có thể mất vài phút.",
    "The file has scanned pages without a text layer; they are being read in the background, which can take minutes.",
)
_SCANS_LEFT = Sentence(
    "{n} trang là bản quét không có lớp chữ và chưa đọc được.", "{n} pages are scans without a text layer, and unread."
)


def of_text(session: Session, revision: Revision) -> list[Sentence]:
    """Return what is known of the text of a revision's file: read or not and why, how, and how far it can be trusted."""
    text = revisions.text_of(session, revision)
    if text is None:
        return []
    if text.status == contents.WAITING:
        return [_READING]
    if text.status == contents.UNAVAILABLE:
        reason = Sentence(text.reason("vi"), text.reason("en"))
        return [reason, _SCANS_WAITING] if text.ocr == contents.SCANS_WAITING else [reason]
    sources = [page.source for page in contents.pages(session, text.sha256)]
    said = [_READ, *([_PAGES.fill(n=len(sources))] if len(sources) > 1 else [])]
    if text.encodings:
        said.append(_REWRITTEN.fill(fonts=", ".join(FONTS.get(name, name) for name in text.encodings.split())))
    if recognised := sources.count("ocr"):
        said.append(_UNPROOFED.fill(n=recognised))
    if text.ocr == contents.SCANS_WAITING:
        said.append(_SCANS_WAITING)
    elif left := sources.count("scan"):
        said.append(_SCANS_LEFT.fill(n=left))
    return said


def of_revision(session: Session, revision: Revision, *, by: Reader) -> list[Sentence]:
    """Return the sentences that say what a revision is now; the first one alone answers, the others add to it."""
    status = revision.status()
    if status in _STANDS:
        said = [_STANDS[status].fill(**_interval(session, revision))]
        if status == IN_FORCE and revision.effective_to:
            said.append(_ENDS.fill(until=_day(revision.effective_to)))
        return [*said, _IMPORTED] if revision.origin == "import" else said
    follows = lifecycle.workflow_of(session, revision)
    state = follows.states[revision.state].label
    said = [
        _OPEN.fill(
            edition=revision.edition_text,
            state=Sentence(state.vi[:1].lower() + state.vi[1:], state.en[:1].lower() + state.en[1:]),
            author=Sentence(revision.author.title("vi"), revision.author.title("en")),
            waiting=revisions.waiting_for(session, revision, by=by),
        )
    ]
    current = revisions.compared_with(session, revision)
    return [*said, _MEANWHILE.fill(edition=current.edition_text)] if current else said


def of_document(session: Session, document: Document, *, by: Reader) -> list[Sentence]:
    """Return the sentences that say what of a document is in force, and what is on its way that the person may see."""
    seen = revisions.of_document(session, document, by=by)
    current = [row for row in seen if row.status() == IN_FORCE]
    coming = [row for row in seen if row.status() == SCHEDULED]
    if current or coming:
        return [sentence for row in (*current, *coming) for sentence in of_revision(session, row, by=by)]
    ended = [row for row in seen if row.status() in (WITHDRAWN, SUPERSEDED)]
    if ended:
        return [of_revision(session, ended[0], by=by)[0], _NONE_IN_FORCE]
    return [_NONE_IN_FORCE] if seen else [_NO_REVISION]


def tone_of_document(session: Session, document: Document) -> str:
    """Return the tone of a document's sentence: good while an edition is in force."""
    return "good" if revisions.in_force(session, document=document) else "wait"


def missing(session: Session, revision: Revision) -> list[Sentence]:
    """Return what an open revision still lacks, and why the text of its file cannot be searched."""
    found = []
    if revision.state in revisions.OPEN:
        if not revision.file_sha256:
            found.append(RULES["has_file"].sentence)
        if not revision.change_rows:
            found.append(RULES["has_change_row"].sentence)
        if revisions.unsettled(session, revision):
            found.append(RULES["changes_settled"].sentence)
    text = revisions.text_of(session, revision)
    if text is not None and text.status == contents.WAITING:
        found.append(_READING)
    if text is not None and text.status == contents.UNAVAILABLE and text.ocr != contents.SCANS_WAITING:
        found.append(_UNREADABLE.fill(reason=Sentence(text.reason("vi"), text.reason("en"))))
    return found


def _interval(session: Session, revision: Revision) -> dict[str, object]:
    after = revisions.successor(session, revision)
    return {
        "edition": revision.edition_text,
        "since": _day(revision.effective_from),
        "until": _day(revision.effective_to),
        "decision": _by(revisions.decision_of(session, revision)),
        "withdrawal": _by(revisions.withdrawal_of(session, revision)),
        "by_next": _BY_NEXT.fill(edition=after.edition_text) if after else _NOTHING,
    }


def _by(number: str) -> Sentence:
    return _BY.fill(number=number) if number else _NOTHING


def _day(instant: datetime | None) -> str:
    return clock.local(instant).strftime("%d/%m/%Y") if instant else ""
