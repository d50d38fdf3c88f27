"""Reading the lines of a decision from the rows of a spreadsheet, dry: every row that cannot be read is named."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from docctl.decisions.kinds import AMEND, KINDS, NEW, REISSUE, kinds_of
from docctl.decisions.lines import Codes
from docctl.decisions.table import ISSUE, KEEP, MOST_TYPED, WITHDRAW, Line, Problem, Unread
from docctl.rules import Refused, Sentence
from docctl.text import clean_name, fold

# What the offices write above a column, folded; the first that fits counts.
COLUMNS = {
    "code": ("ma tai lieu", "ma hieu", "ma so", "ma", "code", "ky hieu"),
    "act": ("viec", "loai", "hinh thuc", "noi dung", "act", "action", "kind"),
    "reason": ("ly do", "reason", "ghi chu", "note"),
    "replaced_by": ("thay bang", "thay the bang", "thay boi", "tai lieu thay the", "replaced by"),
}
# What they write in a row; a line that issues may say of which kind it is, and is then held to it.
ACTS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(("ban hanh", "issue"), (ISSUE, "")),
    **dict.fromkeys(("moi", "ban hanh moi", "viet moi", "new"), (ISSUE, NEW)),
    **dict.fromkeys(
        ("sua", "sua doi", "sua-thay", "sua doi, thay the", "thay the", "amend", "replace"), (ISSUE, AMEND)
    ),
    **dict.fromkeys(("ban hanh lai", "re-issue", "reissue"), (ISSUE, REISSUE)),
    **dict.fromkeys(("huy", "huy bo", "bai bo", "withdraw"), (WITHDRAW, "")),
    **dict.fromkeys(("giu", "giu nguyen", "keep"), (KEEP, "")),
}
HEAD_WITHIN = 20  # Rows above the head: the name of the office, of the annex.


def read_sheet(session: Session, rows: Sequence[Sequence[str]], *, reason: str = "") -> list[Line]:
    """Read the rows of a sheet whose head names a column of codes, and where there are: act, reason, replacement.

    Raises Unread with every row that names nothing, or another thing than its document allows; row numbers are those
    that a spreadsheet program shows.
    """
    top, columns = _head(rows)
    given = [(number, _parts(row, columns)) for number, row in enumerate(rows[top + 1 :], start=top + 2)]
    given = [(number, parts) for number, parts in given if parts["code"]]
    if not given or len(given) > MOST_TYPED:
        raise Refused(
            Sentence(
                "Bảng tính cần có từ 1 đến {n} dòng có mã; bảng này có {found}.",
                "The sheet needs 1 to {n} rows with a code; this one has {found}.",
            ).fill(n=MOST_TYPED, found=len(given)),
            field="sheet",
        )
    known = Codes(session, [code for _, parts in given for code in (parts["code"], parts["replaced_by"]) if code])
    of = kinds_of(session, list(known.approved.values()))
    lines: list[Line] = []
    problems: list[Problem] = []
    first: dict[int, int] = {}
    for number, parts in given:
        try:
            line = _line(known, parts, of, reason)
            document = line.document or (line.revision.document if line.revision else None)
            assert document is not None  # Every line names one.
            if (earlier := first.setdefault(document.id, number)) != number:
                raise Refused(
                    Sentence("Tài liệu này đã có ở dòng {n} của bảng.", "Row {n} names this document already.").fill(
                        n=earlier
                    )
                )
            lines.append(line)
        except Refused as refused:
            problems.append(Problem(refused.sentence, number, parts["code"]))
    if problems:
        raise Unread({"sheet": problems})
    return lines


def _line(known: Codes, parts: dict[str, str], of: dict[int, str], reason: str) -> Line:
    said = " ".join(fold(parts["act"]).split())
    if said and said not in ACTS:
        raise Refused(
            Sentence(
                "Không hiểu việc “{said}”. Hãy ghi: mới, sửa đổi, ban hành lại, hủy bỏ hoặc giữ nguyên.",
                "“{said}” is no act. Write: new, amend, re-issue, withdraw or keep.",
            ).fill(said=parts["act"])
        )
    action, kind = ACTS.get(said, (ISSUE, ""))
    if action == KEEP:
        return known.keep([parts["code"]])
    if action == WITHDRAW:
        return known.withdraw([parts["code"], parts["reason"], parts["replaced_by"]], reason=reason)
    line = known.issue([parts["code"]])
    assert line.revision is not None  # A line that issues has one.
    if kind and of[line.revision.id] != kind:
        raise Refused(
            Sentence(
                "Bảng ghi “{said}”, nhưng lần ban hành {edition} là “{kind}”. Hãy sửa ô này hoặc số lần ban hành.",
                "The sheet says “{said}”, but edition {edition} is “{kind}”. Mend this cell or the edition's number.",
            ).fill(said=parts["act"], edition=line.revision.edition_text, kind=KINDS[of[line.revision.id]])
        )
    return line


def _head(rows: Sequence[Sequence[str]]) -> tuple[int, dict[str, int]]:
    for number, row in enumerate(rows[:HEAD_WITHIN]):
        folded = [" ".join(fold(cell).split()) for cell in row]
        found = {
            name: next((folded.index(word) for word in words if word in folded), -1) for name, words in COLUMNS.items()
        }
        if found["code"] >= 0:
            return number, {name: column for name, column in found.items() if column >= 0}
    raise Refused(
        Sentence(
            "Không thấy cột mã. Dòng đầu bảng cần ghi: Mã; nếu có thì thêm Việc, Lý do, Thay bằng.",
            "There is no column of codes. The head of the table needs: Code; and, where there are, Act, Reason, Replaced by.",
        ),
        field="sheet",
    )


def _parts(row: Sequence[str], columns: dict[str, int]) -> dict[str, str]:
    cells = {name: row[column] if column < len(row) else "" for name, column in columns.items()}
    return {name: clean_name(cells.get(name, "")).strip() for name in COLUMNS}
