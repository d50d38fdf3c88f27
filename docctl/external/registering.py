"""What is done to external documents: entered, changed, checked, and amended by another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock, deadlines, units
from docctl.audit import Action
from docctl.citations import number_key
from docctl.external.table import KINDS_OF_CHANGE, Change, ExternalChange, ExternalDocument
from docctl.lifecycle import Stale
from docctl.people import Reader
from docctl.rules import NoRole, Refused, Sentence
from docctl.text import clean_name

LONGEST_NUMBER = 200
LONGEST_TITLE = 4000

ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được sửa danh mục tài liệu bên ngoài.",
    "Only a document controller may change the register of external documents.",
)
_REVERSED = Sentence(
    "Ngày hiệu lực {effective} trước ngày ban hành {issued}. Hãy đối chiếu với văn bản gốc.",
    "Its effective date {effective} is before its issue date {issued}. Compare with the original.",
)
_ENDS_EARLY = Sentence(
    "Ngày hết hiệu lực {ends} không sau ngày có hiệu lực {effective}. Hãy đối chiếu với văn bản gốc.",
    "It ends on {ends}, not after its effective date {effective}. Compare with the original.",
)
_NO_DATE = Sentence(
    "Chưa có ngày hiệu lực nên chưa biết tình trạng. Hãy bổ sung.",
    "It has no effective date, so its state is not known. Add the date.",
)
_ODD_NUMBER = Sentence(
    "Số hiệu “{number}” không giống số hiệu văn bản (ví dụ 123/2015/NĐ-CP). Hãy đối chiếu với văn bản gốc.",
    "The number {number} does not look like one (for example 123/2015/NĐ-CP). Compare with the original.",
)
_NO_TITLE = Sentence("Chưa có trích yếu. Hãy bổ sung.", "It has no title. Add it.")
_CHANGED_EARLY = Sentence(
    "Được {number} sửa đổi, thay thế từ {day}, trước ngày có hiệu lực {effective}. Hãy đối chiếu.",
    "{number} changes it from {day}, before its effective date {effective}. Compare with the originals.",
)
_CHANGE_UNREAD = Sentence(
    "Văn bản sửa đổi “{number}” không giống số hiệu văn bản. Hãy đối chiếu với văn bản gốc.",
    "The amending act {number} does not look like the number of one. Compare with the original.",
)


@dataclass(frozen=True)
class Entry:
    """What the register says of an external document, as somebody types or imports it."""

    number: str
    title: str
    kind: str = ""
    category: str = ""
    issuer: str = ""
    issued_on: date | None = None
    effective_from: date | None = None
    ends_on: date | None = None
    clauses: str = ""
    units: str = ""
    check_months: int | None = None
    changes: Sequence[Change] = ()


def keeping_refusal(*, by: Reader) -> Sentence | None:
    """Return why somebody may not change the register, or None."""
    return None if by.has("controller") else ONLY_CONTROLLER


def refuse_others(by: Reader) -> None:
    """Raise NoRole unless somebody may change the register."""
    if sentence := keeping_refusal(by=by):
        raise NoRole(sentence)


def with_number(session: Session, number: str) -> ExternalDocument | None:
    """Return the external document whose number is the same but for accents, case and spaces."""
    return session.scalars(select(ExternalDocument).where(ExternalDocument.number_key == number_key(number))).first()


def add(session: Session, entry: Entry, *, by: Reader) -> ExternalDocument:
    """Enter an external document; a number that is there already, however written, is refused."""
    refuse_others(by)
    entry = checked(session, entry)
    if twin := with_number(session, entry.number):
        raise Refused(
            Sentence(
                "Số hiệu {number} đã có trong danh mục: “{title}”. Hãy sửa mục đó.",
                "The number {number} is in the register already: {title}. Change that entry.",
            ).fill(number=twin.number, title=twin.title),
            field="number",
        )
    row = ExternalDocument(number_key=number_key(entry.number), created_at=clock.now(), lock=1, checked_by="")
    _fill(row, entry)
    row.changes = [_change(position, change) for position, change in enumerate(entry.changes, start=1)]
    session.add(row)
    session.flush()
    audit.record(
        session,
        Action.EXTERNAL_ADDED,
        by=by.account,
        noun="external_document",
        record_id=row.id,
        **recorded(row),
    )
    return row


def edit(session: Session, row: ExternalDocument, entry: Entry, *, by: Reader, seen: int | None = None) -> bool:
    """Change what the register says; returns whether anything was different. The changes by other laws stay."""
    refuse_others(by)
    if seen is not None and seen != row.lock:
        raise Stale
    entry = checked(session, entry)
    twin = with_number(session, entry.number)
    if twin is not None and twin.id != row.id:
        raise Refused(
            Sentence(
                "Số hiệu {number} là của một mục khác trong danh mục.", "The number {number} is that of another entry."
            ).fill(number=twin.number),
            field="number",
        )
    before = recorded(row)
    row.number_key = number_key(entry.number)
    _fill(row, entry)
    return _changed(session, row, before, by=by)


def set_changes(session: Session, row: ExternalDocument, changes: Iterable[Change], *, by: Reader) -> bool:
    """Write anew the list of what changed an external document; returns whether it was another list."""
    refuse_others(by)
    wanted = [_checked_change(change) for change in changes]
    if wanted == [Change(old.number, old.effective_from, old.kind) for old in row.changes]:
        return False
    before = recorded(row)
    row.changes = []
    session.flush()
    row.changes = [_change(position, change) for position, change in enumerate(wanted, start=1)]
    return _changed(session, row, before, by=by)


def amend(
    session: Session, row: ExternalDocument, change: Change, *, by: Reader, seen: int | None = None
) -> ExternalChange:
    """Note that another law amends, replaces or repeals this one."""
    refuse_others(by)
    if seen is not None and seen != row.lock:
        raise Stale
    change = _checked_change(change)
    if change.effective_from is None:
        raise Refused(
            Sentence(
                "Hãy ghi ngày có hiệu lực của văn bản sửa đổi: hạn 3 tháng tính từ ngày đó.",
                "Give the day on which the amending act takes effect: the three months run from it.",
            ),
            field="effective_from",
        )
    if any(old.number_key == number_key(change.number) and old.kind == change.kind for old in row.changes):
        raise Refused(
            Sentence(
                "Danh mục đã ghi {number} cho văn bản này.", "The register has {number} for this document already."
            ).fill(number=change.number),
            field="number",
        )
    before = recorded(row)
    made = _change(len(row.changes) + 1, change)
    row.changes.append(made)
    _changed(session, row, before, by=by)
    return made


def check(session: Session, row: ExternalDocument, *, by: Reader, on: date | None = None) -> None:
    """Note that somebody looked today whether the entry is still right."""
    refuse_others(by)
    before = recorded(row)
    row.checked_on, row.checked_by = on or clock.today(), by.account.title_vi
    _changed(session, row, before, by=by)


def warnings(row: ExternalDocument) -> list[Sentence]:
    """Return what is odd about an entry: it is kept as it came, and a person should look."""
    found = []
    effective = _day(row.effective_from)
    if not looks_like_a_number(row.number):
        found.append(_ODD_NUMBER.fill(number=row.number))
    if not row.title:
        found.append(_NO_TITLE)
    if row.issued_on and row.effective_from and row.effective_from < row.issued_on:
        found.append(_REVERSED.fill(effective=effective, issued=_day(row.issued_on)))
    if row.effective_from is None:
        found.append(_NO_DATE)
    if row.ends_on and row.effective_from and row.ends_on <= row.effective_from:
        found.append(_ENDS_EARLY.fill(ends=_day(row.ends_on), effective=effective))
    for change in row.changes:
        if not looks_like_a_number(change.number):
            found.append(_CHANGE_UNREAD.fill(number=change.number))
        if change.effective_from and row.effective_from and change.effective_from < row.effective_from:
            found.append(
                _CHANGED_EARLY.fill(number=change.number, day=_day(change.effective_from), effective=effective)
            )
    return found


def looks_like_a_number(number: str) -> bool:
    """Say whether a text is written like the number of a law: a figure before a slash or a dash, and letters after."""
    head, _, rest = number.replace("-", "/", 1).partition("/")
    return any(c.isdigit() for c in head) and any(c.isalpha() for c in rest) and not rest.endswith("-")


def check_due(row: ExternalDocument) -> date | None:
    """Return the day by which the entry should be looked at again, None without a period."""
    if row.check_months is None:
        return None
    return deadlines.months_after(row.checked_on or clock.local(row.created_at).date(), row.check_months)


def checked(session: Session, entry: Entry) -> Entry:
    """Return an entry with its texts tidied; raises Refused for what cannot be kept."""
    number, title = _tidy(entry.number), _tidy(entry.title)
    if not number or len(number) > LONGEST_NUMBER:
        raise Refused(
            Sentence(
                "Hãy ghi số hiệu, dài không quá {n} ký tự, ví dụ 123/2015/NĐ-CP.",
                "Give the number, at most {n} characters, for example 123/2015/NĐ-CP.",
            ).fill(n=LONGEST_NUMBER),
            field="number",
        )
    if len(title) > LONGEST_TITLE:
        raise Refused(
            Sentence("Trích yếu dài quá {n} ký tự.", "The title has more than {n} characters.").fill(n=LONGEST_TITLE),
            field="title",
        )
    return Entry(
        number=number,
        title=title,
        kind=_tidy(entry.kind)[:100],
        category=_tidy(entry.category)[:200],
        issuer=_tidy(entry.issuer),
        issued_on=entry.issued_on,
        effective_from=entry.effective_from,
        ends_on=entry.ends_on,
        clauses=clean_lines(entry.clauses),
        units=_units(session, entry.units),
        check_months=entry.check_months,
        changes=[_checked_change(change) for change in entry.changes],
    )


def clean_lines(typed: str) -> str:
    """Return a text of several lines with each tidied."""
    return "\n".join(line for line in (_tidy(row) for row in typed.splitlines()) if line)


def recorded(row: ExternalDocument) -> dict[str, Any]:
    """Return every controlled column, for the trail."""
    return {
        "number": row.number,
        "kind": row.kind,
        "category": row.category,
        "title": row.title,
        "issuer": row.issuer,
        "issued_on": row.issued_on,
        "effective_from": row.effective_from,
        "ends_on": row.ends_on,
        "clauses": row.clauses,
        "units": row.units,
        "check_months": row.check_months,
        "checked_on": row.checked_on,
        "checked_by": row.checked_by,
        "created_at": row.created_at,
        "changes": [
            [change.kind, change.number, change.effective_from and change.effective_from.isoformat()]
            for change in row.changes
        ],
    }


def _fill(row: ExternalDocument, entry: Entry) -> None:
    for name in ("number", "title", "kind", "category", "issuer", "issued_on", "effective_from", "ends_on"):
        setattr(row, name, getattr(entry, name))
    for name in ("clauses", "units", "check_months"):
        setattr(row, name, getattr(entry, name))


def _changed(session: Session, row: ExternalDocument, before: dict[str, Any], *, by: Reader) -> bool:
    return audit.edited(session, Action.EXTERNAL_CHANGED, row, by=by.account, before=before, after=recorded(row))


def _change(position: int, change: Change) -> ExternalChange:
    return ExternalChange(
        position=position,
        kind=change.kind,
        number=change.number,
        number_key=number_key(change.number),
        effective_from=change.effective_from,
    )


def _checked_change(change: Change) -> Change:
    number = _tidy(change.number)
    if not number or len(number) > LONGEST_NUMBER or change.kind not in KINDS_OF_CHANGE:
        raise Refused(
            Sentence(
                "Hãy ghi số hiệu của văn bản sửa đổi, thay thế hoặc bãi bỏ, ví dụ 104/2022/NĐ-CP.",
                "Give the number of the act that amends, replaces or repeals it, for example 104/2022/NĐ-CP.",
            ),
            field="changed_by",
        )
    return Change(number, change.effective_from, change.kind)


def _units(session: Session, typed: str) -> str:
    codes = [code.strip() for code in typed.replace(";", ",").split(",") if code.strip()]
    return ", ".join(units.find(session, code).code for code in codes)


def _tidy(typed: str) -> str:
    return " ".join(clean_name(typed).split())


def _day(day: date | None) -> str:
    return day.strftime("%d/%m/%Y") if day else ""
