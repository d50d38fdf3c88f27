"""Reading lines as somebody ticked and pasted them: each names one thing, or is named itself."""

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial

from sqlalchemy import (
    or_,
    select,
)
from sqlalchemy.orm import Session, joinedload

from docctl import requests
from docctl.decisions.table import ISSUE, KEEP, MOST_TYPED, WITHDRAW, Line, Problem, Unread
from docctl.documents import Document
from docctl.revisions import Revision
from docctl.rules import Refused, Sentence
from docctl.text import clean_name, code_key


def read_lines(
    session: Session,
    *,
    chosen: Iterable[int] = (),
    issue: str = "",
    withdraw: str = "",
    keep: str = "",
    reason: str = "",
    asked: Iterable[int] = (),
    found: Mapping[int, str] | None = None,
) -> list[Line]:
    """Read lines as somebody chose and typed them.

    `chosen` are ids of approved revisions, `asked` those of accepted requests to withdraw, `found` says by document
    what to do with one that was searched for; `issue` has a code on each line; `withdraw` has `code; reason; code of what
    replaces it`, where `reason` stands in for a missing one. `#12` names a document by its id. Raises Unread with every
    line that names nothing or more than one document, and Refused when there is nothing at all.
    """
    ids = list(dict.fromkeys(chosen))
    by_id = {row.id: row for row in session.scalars(select(Revision).where(Revision.id.in_(ids)))} if ids else {}
    lines = [Line(ISSUE, revision=by_id[wanted]) for wanted in ids if wanted in by_id]
    lines += _requested(session, asked)
    lines += _searched(session, found or {}, reason.strip())
    issued, withdrawn, kept = _typed(issue), _typed(withdraw), _typed(keep)
    if len(issued) + len(withdrawn) + len(kept) > MOST_TYPED:
        raise Refused(
            Sentence(
                "Mỗi lần thêm được tối đa {n} dòng. Hãy chia thành nhiều lần.",
                "At most {n} lines can be added at a time. Add them in parts.",
            ).fill(n=MOST_TYPED),
            field="issue" if len(issued) > len(withdrawn) else "withdraw",
        )
    known = Codes(session, [part for _, parts in issued + withdrawn + kept for part in (parts[0], *parts[2:3])])
    problems: dict[str, list[Problem]] = {"issue": [], "withdraw": [], "keep": []}
    for number, parts in issued:
        _read(lines, problems["issue"], number, parts, known.issue)
    for number, parts in withdrawn:
        _read(lines, problems["withdraw"], number, parts, partial(known.withdraw, reason=reason.strip()))
    for number, parts in kept:
        _read(lines, problems["keep"], number, parts, known.keep)
    if any(problems.values()):
        raise Unread(problems)
    if not lines:
        raise Refused(
            Sentence(
                "Chưa chọn dòng nào. Hãy đánh dấu phiên bản chờ ban hành hoặc dán danh sách mã.",
                "No line was chosen. Tick revisions that wait to be issued, or paste a list of codes.",
            ),
            field="issue",
        )
    return lines


def _requested(session: Session, asked: Iterable[int]) -> list[Line]:
    """Return a line for each accepted request to withdraw that was ticked, in its words."""
    wanted = set(asked)
    waiting = [row for row in requests.withdrawals_waiting(session) if row.id in wanted]
    return [Line(WITHDRAW, document=row.document, reason=row.why, replaced_by=row.replaced_by) for row in waiting]


def _searched(session: Session, found: Mapping[int, str], reason: str) -> list[Line]:
    """Return a line for each document that was searched for and ticked."""
    lines = []
    for document_id, action in found.items():
        document = session.get(Document, document_id)
        if document is None or action not in (ISSUE, WITHDRAW, KEEP):
            continue
        codes = Codes(session, [f"#{document_id}"])
        parts = [f"#{document_id}"]
        if action == ISSUE:
            lines.append(codes.issue(parts))
        else:
            lines.append(codes.keep(parts) if action == KEEP else codes.withdraw(parts, reason=reason))
    return lines


class Codes:
    """Every document that a pasted list names, looked up once."""

    def __init__(self, session: Session, references: Iterable[str]) -> None:
        wanted = [reference for reference in references if reference]
        keys = {code_key(reference) for reference in wanted}
        ids = {int(reference[1:]) for reference in wanted if _is_id(reference)}
        query = select(Document).where(or_(Document.code_key.in_(keys), Document.id.in_(ids))).order_by(Document.id)
        self.documents = list(session.scalars(query.options(joinedload(Document.unit))))
        found = [document.id for document in self.documents]
        approved = select(Revision).where(Revision.document_id.in_(found), Revision.state == "approved")
        self.approved = {revision.document_id: revision for revision in session.scalars(approved)}
        issued = select(Revision).where(Revision.document_id.in_(found), Revision.state == "issued")
        self.issued = {revision.document_id for revision in session.scalars(issued)}

    def issue(self, parts: list[str]) -> Line:
        """Read a line of a code to issue."""
        if any(parts[1:]):
            raise Refused(
                Sentence(
                    "Dòng ban hành chỉ ghi mã. Lý do và tài liệu thay thế chỉ dùng cho dòng hủy bỏ.",
                    "A line to issue is a code alone. A reason and a replacement belong to withdrawals.",
                )
            )
        document = self.one(parts[0], within=self.approved.keys())
        if document.id not in self.approved:
            raise Refused(
                Sentence(
                    "Tài liệu “{title}” chưa có phiên bản nào được phê duyệt để ban hành.",
                    "The document “{title}” has no approved revision to issue.",
                ).fill(title=document.title)
            )
        return Line(ISSUE, revision=self.approved[document.id])

    def withdraw(self, parts: list[str], *, reason: str) -> Line:
        """Read a line of a code to withdraw, its reason, and the code of what replaces it."""
        given = [*parts, "", ""]
        return Line(
            WITHDRAW,
            document=self.one(given[0], within=self.issued),
            reason=given[1] or reason,
            replaced_by=self.one(given[2], within=()) if given[2] else None,
        )

    def keep(self, parts: list[str]) -> Line:
        """Read a line of a code that stays in force."""
        return Line(KEEP, document=self.one(parts[0], within=self.issued))

    def one(self, reference: str, *, within: Collection[int]) -> Document:
        """Return the one document of a code or `#id`; of namesakes the only one that can be acted on."""
        if _is_id(reference):
            found = [document for document in self.documents if document.id == int(reference[1:])]
        else:
            found = [document for document in self.documents if document.code_key == code_key(reference)]
        able = [document for document in found if document.id in within]
        found = able if len(able) == 1 else found
        if not found:
            raise Refused(
                Sentence(
                    "Không có tài liệu mã “{code}”. Hãy xem lại mã trong sổ tài liệu.",
                    "There is no document with the code “{code}”. Look the code up in the register.",
                ).fill(code=reference)
            )
        if len(found) > 1:
            choices = "; ".join(f"#{document.id} {document.title} ({document.unit.code})" for document in found)
            raise Refused(
                Sentence(
                    "{n} tài liệu cùng mang mã “{code}”. Hãy ghi số thay cho mã: {choices}.",
                    "{n} documents bear the code “{code}”. Write a number in place of the code: {choices}.",
                ).fill(n=len(found), code=reference, choices=choices)
            )
        return found[0]


def _is_id(reference: str) -> bool:
    return reference.startswith("#") and reference[1:].isascii() and reference[1:].isdigit() and len(reference) < 12


def _typed(pasted: str) -> list[tuple[int, list[str]]]:
    """Return the lines that say something, with their numbers; the parts of a line stand between `;` or tabs."""
    rows = enumerate(pasted.splitlines(), start=1)
    return [
        (number, [clean_name(part).strip() for part in row.replace("\t", ";").split(";")])
        for number, row in rows
        if row.strip("; \t")
    ]


def _read(
    lines: list[Line], problems: list[Problem], number: int, parts: list[str], read: Callable[[list[str]], Line]
) -> None:
    try:
        lines.append(read(parts))
    except Refused as refused:
        problems.append(Problem(refused.sentence, number, parts[0]))
