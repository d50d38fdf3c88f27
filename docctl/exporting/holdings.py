"""F4 and F6 as lists: who holds and who read what is in force, and what became of every copy that was asked back."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import audit, clock, recall, register, units
from docctl.distribution import MEDIA, ControlledCopy, ReadTask, copies
from docctl.exporting import minutes
from docctl.exporting.paper import Block, Cell, Paper, Row
from docctl.people import Account, Reader
from docctl.recall import RecallLine
from docctl.register import Asked
from docctl.revisions import Revision
from docctl.rules import Sentence
from docctl.text import code_key, fold

DISTRIBUTION = Sentence("Danh sách phân phối tài liệu", "Distribution list")
RECALLS = Sentence("Sổ theo dõi thu hồi tài liệu", "Register of recalls")
COPIES = Sentence("I. Bản kiểm soát ({n})", "I. Controlled copies ({n})")
READERS = Sentence("II. Người được giao đọc ({n})", "II. People asked to read ({n})")
ON = Sentence("Tài liệu còn hiệu lực ngày {day}", "What is in force on {day}")
BACK, NOT_BACK = Sentence("Đã thu", "Returned"), Sentence("Chưa thu", "Not returned")
HEADINGS = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Lần", "Edition"),
    Sentence("Ngày hiệu lực", "Effective from"),
    Sentence("Tóm tắt thay đổi", "Summary of changes"),
    Sentence("Nơi nhận", "Goes to"),
    Sentence("Hình thức", "Medium"),
    Sentence("Số bản", "Copy"),
    Sentence("Người phát", "Handed out by"),
    Sentence("Ngày phát", "Handed out on"),
    Sentence("Người nhận", "Received by"),
    Sentence("Ký lúc", "Signed for at"),
    Sentence("Mở lúc", "Opened at"),
    Sentence("Hiểu lúc", "Understood at"),
    Sentence("Bản cũ", "Old copy"),
    Sentence("Ngày thu bản cũ", "Old copy returned on"),
)
RECALL_HEADINGS = (
    Sentence("Biên bản số", "Minutes no."),
    Sentence("Quyết định", "Decision"),
    Sentence("Hạn trả", "Due"),
)

Holder = tuple[int, int | None, int | None]


def distribution(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F4 of what is in force on a day: all of it for those who see everything, else what the reader has part in."""
    at = asked.at or clock.now()
    found = register.find(session, asked, by=by, limit=None).rows
    shown = {row.revision.id: row.revision for row in found if row.revision is not None}
    order = {revision_id: number for number, revision_id in enumerate(shown)}
    held = [row for row in _copies(session, list(shown)) if by.sees_everything or copies.facts(row, by=by).holder]
    asked_to = [row for row in _readings(session, list(shown)) if by.sees_everything or row.account_id == by.id]
    old = _old_copies(session, held)
    held.sort(key=lambda row: (order[row.revision_id], row.number))
    asked_to.sort(key=lambda row: (order[row.revision_id], row.account.unit.code, row.account.full_name))
    heads = [heading.get(locale) for heading in HEADINGS]
    return Paper(
        title=DISTRIBUTION.get(locale),
        subtitle=ON.fill(day=clock.local(at).strftime("%d/%m/%Y")).get(locale),
        office=units.office(session).name(locale),
        code="F4",
        made_at=clock.now(),
        blocks=[
            Block(
                COPIES.fill(n=len(held)).get(locale),
                heads,
                [_copy(number, row, old, locale) for number, row in enumerate(held, start=1)],
                [row.revision.document_id for row in held],
            ),
            Block(
                READERS.fill(n=len(asked_to)).get(locale),
                heads,
                [_reading(number, row, locale) for number, row in enumerate(asked_to, start=1)],
                [row.revision.document_id for row in asked_to],
            ),
        ],
        head=audit.head(session),
        locale=locale,
    )


def recalls(session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
    """Return F6 over all recalls, newest first: one line for each copy that was asked back; for those who may see recalls."""
    known = recall.all_recalls(session) if recall.may_see(by) else []
    rows: list[Row] = []
    about: list[int] = []
    for each in known:
        for line in recall.lines_of(session, each):
            if not _wanted(session, line, asked):
                continue
            plain = minutes.row(session, len(rows) + 1, line, locale)
            number, decision = each.number or "", recall.decision_number(session, each)
            rows.append([*plain[:4], number, decision, line.due_on, *plain[4:]])
            about.append(line.copy.revision.document_id)
    heads = [heading.get(locale) for heading in (*minutes.HEADINGS[:4], *RECALL_HEADINGS, *minutes.HEADINGS[4:])]
    return Paper(
        title=RECALLS.get(locale),
        office=units.office(session).name(locale),
        code="F6",
        made_at=clock.now(),
        blocks=[Block("", heads, rows, about)],
        head=audit.head(session),
        locale=locale,
    )


def holders(session: Session, revision_ids: Sequence[int], locale: str) -> dict[int, str]:
    """Return by revision who holds copies of it, in words, each holder once."""
    found: dict[int, dict[str, None]] = {}
    for row in _copies(session, revision_ids):
        found.setdefault(row.revision_id, {})[row.holder.get(locale)] = None
    return {revision_id: "; ".join(names) for revision_id, names in found.items()}


def _copies(session: Session, revision_ids: Sequence[int]) -> list[ControlledCopy]:
    loaded = (
        joinedload(ControlledCopy.revision).joinedload(Revision.document),
        joinedload(ControlledCopy.unit),
        joinedload(ControlledCopy.account),
    )
    query = select(ControlledCopy).where(ControlledCopy.revision_id.in_(revision_ids)).options(*loaded)
    return list(session.scalars(query.order_by(ControlledCopy.revision_id, ControlledCopy.number)))


def _readings(session: Session, revision_ids: Sequence[int]) -> list[ReadTask]:
    loaded = (
        joinedload(ReadTask.revision).joinedload(Revision.document),
        joinedload(ReadTask.account).joinedload(Account.unit),
    )
    query = select(ReadTask).where(ReadTask.revision_id.in_(revision_ids)).options(*loaded)
    return list(session.scalars(query.order_by(ReadTask.id)))


def _old_copies(session: Session, held: Sequence[ControlledCopy]) -> Mapping[Holder, ControlledCopy]:
    """Return, by document and holder, the newest copy of an edition that is no longer in force."""
    ids = {row.revision.document_id for row in held}
    earlier = select(Revision.id).where(Revision.document_id.in_(ids), Revision.effective_to <= clock.now())
    return {_holder(row): row for row in _copies(session, list(session.scalars(earlier.order_by(Revision.id))))}


def _holder(row: ControlledCopy) -> Holder:
    return row.revision.document_id, row.unit_id, row.account_id


def _copy(number: int, row: ControlledCopy, old: Mapping[Holder, ControlledCopy], locale: str) -> list[Cell]:
    before = old.get(_holder(row))
    said = ""
    if before is not None:
        said = f"{before.revision.edition_text}: {(BACK if before.settled_at else NOT_BACK).get(locale)}"
    return [
        *_start(number, row.revision),
        row.holder.get(locale),
        MEDIA[row.medium].get(locale),
        row.number_text,
        row.delivered_by.title(locale) if row.delivered_by else "",
        _day(row.delivered_at),
        row.received_by.title(locale) if row.received_by else "",
        _moment(row.received_at),
        "",
        "",
        said,
        _day(before.settled_at) if before else None,
    ]


def _reading(number: int, row: ReadTask, locale: str) -> list[Cell]:
    person = row.account
    name = (
        f"{person.full_name}, {person.title(locale)}" if person.full_name != person.title(locale) else person.full_name
    )
    return [
        *_start(number, row.revision),
        person.unit.name(locale),
        MEDIA["electronic"].get(locale),
        "",
        "",
        _day(row.asked_at),
        name,
        "",
        _moment(row.opened_at),
        _moment(row.understood_at) or row.exempt_reason,
        "",
        None,
    ]


def _start(number: int, revision: Revision) -> list[Cell]:
    return [
        number,
        revision.document.code,
        revision.title,
        revision.edition_text,
        _day(revision.effective_from),
        revision.change_summary,
    ]


def _wanted(session: Session, line: RecallLine, asked: Asked) -> bool:
    document = line.copy.revision.document
    if asked.unit and document.unit_id not in units.with_descendants(session, units.find(session, asked.unit).id):
        return False
    if asked.type and document.type.code != asked.type:
        return False
    if not asked.words.strip():
        return True
    title = fold(line.copy.revision.title)
    return code_key(asked.words) in document.code_key or all(word in title for word in fold(asked.words).split())


def _day(at: datetime | None) -> date | None:
    return clock.local(at).date() if at else None


def _moment(at: datetime | None) -> str:
    return clock.local(at).strftime("%d/%m/%Y %H:%M") if at else ""
