"""The minutes that an office signs, of a recall (F6) and of a disposal (F7), as plain values for a page, a Word document or a PDF."""

from sqlalchemy.orm import Session

from docctl import audit, clock, lifecycle, recall, units
from docctl.exporting.paper import DRAFT, Block, Cell, Paper, Signer, signed_here
from docctl.recall import Recall, RecallLine
from docctl.retention import Disposal, disposal
from docctl.rules import Sentence

RECALL = Sentence("Biên bản thu hồi tài liệu", "Minutes of a recall")
ON_PAPER = Sentence("I. Bản giấy", "I. Copies on paper")
ELECTRONIC = Sentence("II. Bản điện tử: xác nhận đã hủy", "II. Electronic copies: confirmed destroyed")
HEADINGS = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Lần ban hành", "Edition"),
    Sentence("Số bản", "Copy"),
    Sentence("Nơi giữ", "Holder"),
    Sentence("Phát", "Issued"),
    Sentence("Thu", "Returned"),
    Sentence("Thiếu", "Missing"),
    Sentence("Tình trạng", "Condition"),
    Sentence("Ngày", "Date"),
    Sentence("Người giao (ký)", "Handed over by"),
    Sentence("Người nhận (ký)", "Taken back by"),
)
NUMBER = Sentence("Số: {number}. Ngày lập: {day}.", "Number: {number}. Date: {day}.")
BASIS = Sentence("Căn cứ: {basis}.", "Basis: {basis}.")
WHO = Sentence("Thành phần: {who}.", "Participants: {who}.")
SUM = Sentence(
    "Đã phát {issued} bản = đang giữ {held} + đã thu {returned} + đã hủy {destroyed} + lưu {archived} + mất {lost}. "
    "Trả sau hạn: {late} bản.",
    "Issued {issued} = held {held} + returned {returned} + destroyed {destroyed} + archived {archived} + lost {lost}. "
    "Returned late: {late}.",
)
SIGNERS = (Sentence("Người lập biên bản", "Recorded by"), Sentence("Người chứng kiến", "Witnessed by"))
NOT_YET = Sentence("……", "……")


def of_recall(session: Session, found: Recall, *, locale: str) -> Paper:
    """Return the minutes of a recall; they bear the end of the trail at which they were signed, or the present one."""
    lines = recall.lines_of(session, found)
    count = recall.ledger(session, found)
    counted = {name: getattr(count, name) for name in ("issued", "held", "returned", "destroyed", "archived", "lost")}
    late = sum(line.late and not recall.is_held(line) and line.copy.state != "lost" for line in lines)
    blocks = [
        _block(session, caption, rows, locale)
        for caption, rows in (
            (ON_PAPER, [line for line in lines if line.copy.medium != "electronic"]),
            (ELECTRONIC, [line for line in lines if line.copy.medium == "electronic"]),
        )
        if rows
    ]
    opening = [BASIS.fill(basis=found.basis), WHO.fill(who=found.participants or NOT_YET.vi)]
    closing = [SUM.fill(late=late, **counted)]
    return _minutes(session, found, "F6", RECALL, opening, blocks, closing, locale)


def _minutes(
    session: Session,
    found: Recall | Disposal,
    code: str,
    title: Sentence,
    opening: list[Sentence],
    blocks: list[Block],
    closing: list[Sentence],
    locale: str,
) -> Paper:
    """Return minutes of any kind: number and day come first, the two signatures of the present round last."""
    signed = lifecycle.signed_in_round(session, found)
    day = found.held_on.strftime("%d/%m/%Y") if found.held_on else NOT_YET.vi
    opening = [NUMBER.fill(number=found.number or NOT_YET.vi, day=day), *opening]
    names = [row.person for row in signed] + ["", ""]
    return Paper(
        title=title.get(locale),
        office=units.office(session).name(locale),
        code=code,
        made_at=clock.now(),
        subtitle="" if signed else DRAFT.get(locale),
        opening=[row.get(locale) for row in opening],
        blocks=blocks,
        closing=[row.get(locale) for row in (*closing, *map(signed_here, signed))],
        signers=[Signer(capacity.get(locale), name) for capacity, name in zip(SIGNERS, names, strict=False)],
        head=found.head or audit.head(session),
        locale=locale,
        motto=True,
    )


def _block(session: Session, caption: Sentence, lines: list[RecallLine], locale: str) -> Block:
    rows = [row(session, number, line, locale) for number, line in enumerate(lines, start=1)]
    return Block(caption.get(locale), [heading.get(locale) for heading in HEADINGS], rows)


def row(session: Session, number: int, line: RecallLine, locale: str) -> list[str | int | None]:
    """Return what the minutes say of one copy, under HEADINGS."""
    copy = line.copy
    back = not recall.is_held(line) and copy.state != "lost"
    settled = clock.local(copy.settled_at).strftime("%d/%m/%Y") if copy.settled_at else ""
    said = lifecycle.label(session, copy).get(locale)
    return [
        number,
        copy.revision.document.code,
        copy.revision.title,
        copy.revision.edition_text,
        copy.number_text,
        copy.holder.get(locale),
        1,
        int(back),
        int(not back),
        f"{said}: {copy.condition}" if copy.condition else said,
        settled,
        "",
        copy.settled_by.title(locale) if copy.settled_by and back else "",
    ]


DISPOSAL = Sentence("Biên bản tiêu hủy tài liệu", "Minutes of a disposal")
DISPOSED = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Lần ban hành", "Edition"),
    Sentence("Số bản", "Copies"),
    Sentence("Lý do", "Reason"),
    Sentence("Thời hạn lưu đến", "Kept until"),
    Sentence("SHA-256", "SHA-256"),
)
HOW = Sentence(
    "Phương pháp: {method}. Người thực hiện: {done_by}. Người giám sát: {witness}.",
    "Method: {method}. Carried out by: {done_by}. Witness: {witness}.",
)
COUNCIL = Sentence("Hội đồng: {who}.", "Council: {who}.")


def of_disposal(session: Session, found: Disposal, *, locale: str) -> Paper:
    """Return the minutes of a disposal (F7); copies are the original and those on paper in the archive."""
    lines = disposal.lines_of(session, found)
    archived = disposal.archived_copies(session, [line.revision_id for line in lines])
    opening = [
        COUNCIL.fill(who=found.council or NOT_YET.vi),
        BASIS.fill(basis=found.basis or NOT_YET.vi),
        HOW.fill(**{name: getattr(found, name) or NOT_YET.vi for name in ("method", "done_by", "witness")}),
    ]
    rows: list[list[Cell]] = [
        [
            line.position,
            line.revision.document.code,
            line.revision.title,
            line.revision.edition_text,
            1 + archived.get(line.revision_id, 0),
            line.reason,
            line.keep_until,
            (line.revision.file_sha256 or "")[:16],
        ]
        for line in lines
    ]
    blocks = [Block("", [heading.get(locale) for heading in DISPOSED], rows)]
    return _minutes(session, found, "F7", DISPOSAL, opening, blocks, [], locale)
