"""The dry run of a decision: everything that stands in the way, what deserves a look, and what executing would do."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import (
    or_,
    select,
)
from sqlalchemy.orm import Session, joinedload

from docctl import clock, distribution, procedures, revisions
from docctl.decisions.consequences import consequences
from docctl.decisions.table import ISSUE, KEEP, WITHDRAW, Check, Decision, DecisionLine, Problem
from docctl.documents import Document
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Sentence


def dry_run(session: Session, decision: Decision) -> Check:
    """Say what executing would do, and everything that stands in its way; changes nothing."""
    found = Check()
    lines = lines_of(session, decision)
    if not lines:
        found.errors.append(
            Problem(
                Sentence(
                    "Quyết định chưa có dòng nào. Hãy thêm phiên bản để ban hành hoặc tài liệu để hủy bỏ.",
                    "The decision has no lines. Add revisions to issue or documents to withdraw.",
                )
            )
        )
    if decision.effective_from is None:
        found.errors.append(
            Problem(
                Sentence("Chưa ghi ngày hiệu lực. Hãy ghi ngày.", "There is no effective date. Give one."),
                mend="details",
            )
        )
        return found
    begins = clock.midnight(decision.effective_from)
    standing = standing_of(session, lines)
    promised = _promised(session, decision, lines)
    often = Counter(line.document_id for line in lines)
    for line in lines:
        for sentence in _line_errors(line, standing.get(line.document_id, []), begins, often, promised):
            found.errors.append(Problem(sentence, line.position, line.document.code, _mended_at(line)))
    found.warnings.extend(_warnings(session, decision, lines))
    found.uncovered.extend(_uncovered(session, decision, lines))
    found.warnings.extend(found.uncovered)
    found.consequences.extend(consequences(session, lines, begins))
    return _counted(session, found, lines, standing, begins)


def lines_of(session: Session, decision: Decision) -> list[DecisionLine]:
    """Return the lines in order, with their documents and revisions loaded at once."""
    query = (
        select(DecisionLine)
        .where(DecisionLine.decision_id == decision.id)
        .order_by(DecisionLine.position)
        .options(
            joinedload(DecisionLine.document).joinedload(Document.unit),
            joinedload(DecisionLine.replaced_by),
            joinedload(DecisionLine.revision).selectinload(Revision.change_rows),
            joinedload(DecisionLine.revision).joinedload(Revision.document),
        )
    )
    return list(session.scalars(query))


def _mended_at(line: DecisionLine) -> str:
    """Return where an error of a line is mended: an unapproved revision on its own page, all else on the line."""
    revision = line.revision
    if revision is not None and (
        revision.state != "approved" or revisions.content_hash(revision) != revision.content_hash
    ):
        return f"revision {revision.id}"
    return ""


def _line_errors(
    line: DecisionLine,
    standing: Sequence[Revision],
    begins: datetime,
    often: Counter[int],
    promised: dict[int, str],
) -> Iterable[Sentence]:
    if often[line.document_id] > 1:
        yield Sentence(
            "Tài liệu này có ở nhiều dòng. Hãy giữ một dòng.",
            "This document stands on several lines. Keep one of them.",
        )
    if line.action == KEEP:
        if not any(stands_at(revision, begins) for revision in standing):
            yield Sentence(
                "Tài liệu không còn hiệu lực vào ngày đó nên không giữ được. Hãy xóa dòng này.",
                "The document is not in force on that day, so it cannot be kept. Remove the line.",
            )
        return
    if line.action == WITHDRAW:
        if not any(revision.effective_to is None or revision.effective_to > begins for revision in standing):
            yield Sentence(
                "Tài liệu không có phiên bản nào còn hiệu lực vào ngày đó nên không có gì để hủy bỏ. Hãy xóa dòng này.",
                "The document has no revision in force on that day, so there is nothing to withdraw. Remove the line.",
            )
        if not line.reason:
            yield Sentence("Hãy ghi lý do hủy bỏ.", "Give the reason for the withdrawal.")
        return
    revision = line.revision
    assert revision is not None  # A constraint of the table says so.
    if revision.state != "approved":
        yield Sentence(
            "Phiên bản {edition} chưa được phê duyệt, hoặc đã được ban hành. Hãy xóa dòng này hoặc hoàn tất phê duyệt.",
            "Revision {edition} is not approved, or is issued already. Remove the line or finish the approval.",
        ).fill(edition=revision.edition_text)
    elif revisions.content_hash(revision) != revision.content_hash:
        yield Sentence(
            "Nội dung đã khác với nội dung được ký duyệt. Hãy mở lại và phê duyệt lại.",
            "The content is not the one that was signed. Reopen it and have it approved again.",
        )
    if revision.id in promised:
        yield Sentence(
            "Phiên bản này đã nằm trong quyết định đã ký {number}.", "This revision is in the signed decision {number}."
        ).fill(number=promised[revision.id])
    for earlier in standing:
        if earlier.effective_from is not None and earlier.effective_from >= begins:
            yield Sentence(
                "Phiên bản {edition} có hiệu lực từ {day}, không trước ngày của quyết định này. Hãy chọn ngày hiệu lực sau ngày đó.",
                "Revision {edition} takes effect on {day}, not before this decision's date. Choose a later effective date.",
            ).fill(edition=earlier.edition_text, day=clock.local(earlier.effective_from).strftime("%d/%m/%Y"))
        elif earlier.effective_to is not None and earlier.effective_to > begins:
            yield Sentence(
                "Phiên bản {edition} còn hiệu lực đến {day}. Hãy chọn ngày hiệu lực từ ngày đó.",
                "Revision {edition} is in force until {day}. Choose that day or a later one.",
            ).fill(edition=earlier.edition_text, day=clock.local(earlier.effective_to).strftime("%d/%m/%Y"))


def _uncovered(session: Session, decision: Decision, lines: Sequence[DecisionLine]) -> Iterable[Problem]:
    """Yield the administrative procedures that no document would cover any more, on the line that takes the last one."""
    withdrawn = {line.document_id: line for line in lines if line.action == WITHDRAW}
    issued = [line.document_id for line in lines if line.action == ISSUE]
    held = {link.procedure_id: link for link in procedures.linking.links(session) if link.document_id in withdrawn}
    if not held:
        return
    for row in procedures.left_uncovered(session, withdrawn=withdrawn, issued=issued, on=decision.effective_from):
        line = withdrawn[held[row.id].document_id]
        sentence = Sentence(
            "Thủ tục hành chính {code} “{title}” sẽ không còn quy trình nào. Hãy xác nhận, hoặc sửa các dòng.",
            "Administrative procedure {code} “{title}” would be left without a document. Confirm it, or change the lines.",
        )
        said = sentence.fill(code=row.code, title=row.title)
        yield Problem(said, line.position, line.document.code, procedure=row.code)


def _warnings(session: Session, decision: Decision, lines: Sequence[DecisionLine]) -> Iterable[Problem]:
    if not decision.number or decision.signed_on is None:
        yield Problem(
            Sentence(
                "Chưa có số hoặc ngày ký; cần có trước khi ký.", "Number or date is missing; signing will need them."
            )
        )
    elif decision.effective_from and decision.effective_from < decision.signed_on:
        yield Problem(
            Sentence(
                "Ngày hiệu lực trước ngày ký: hiệu lực trở về trước. Hãy xem lại có đúng không.",
                "The effective date is before the date of signature: a retroactive effect. Check that it is meant.",
            )
        )
    withdrawn = [line for line in lines if line.action == WITHDRAW]
    open_ones = select(Revision).where(
        Revision.document_id.in_([line.document_id for line in withdrawn]), Revision.state.in_(revisions.OPEN)
    )
    pending = {revision.document_id: revision for revision in session.scalars(open_ones)}
    for line in lines:
        if line.document.code_clash:
            yield Problem(
                Sentence(
                    "Mã này trùng với tài liệu khác trong cùng đơn vị và lĩnh vực.",
                    "The code clashes with another document of the unit and field.",
                ),
                line.position,
                line.document.code,
            )
        if line.action == WITHDRAW and line.document_id in pending:
            yield Problem(
                Sentence(
                    "Tài liệu sẽ hủy bỏ còn dự thảo {edition} chưa xong.",
                    "A draft ({edition}) of this document is still open.",
                ).fill(edition=pending[line.document_id].edition_text),
                line.position,
                line.document.code,
            )


def _counted(
    session: Session,
    found: Check,
    lines: Sequence[DecisionLine],
    standing: dict[int, list[Revision]],
    begins: datetime,
) -> Check:
    def stands(document_id: int) -> bool:
        return any(stands_at(revision, begins) for revision in standing.get(document_id, []))

    issued = [line for line in lines if line.action == ISSUE]
    withdrawn = [line for line in lines if line.action == WITHDRAW]
    superseded = sum(stands(line.document_id) for line in issued)
    before = len(revisions.in_force(session, on=begins))
    moved = [*issued, *withdrawn]
    ending = [row.id for line in moved for row in standing.get(line.document_id, []) if _ends(row, begins)]
    directory = distribution.Directory(session)
    plans = [directory.plan(line.document) for line in issued]
    return Check(
        errors=found.errors,
        warnings=found.warnings,
        consequences=found.consequences,
        kept=sum(line.action == KEEP for line in lines),
        issued=len(issued),
        superseded=superseded,
        withdrawn=len(withdrawn),
        in_force_before=before,
        in_force_after=before + len(issued) - superseded - sum(stands(line.document_id) for line in withdrawn),
        copies_to_recall=distribution.count_held(session, ending),
        copies_to_issue=sum(len(plan.holdings) for plan in plans),
        uncovered=found.uncovered,
        readers=len({account_id for plan in plans for account_id in plan.readers}),
    )


def _ends(revision: Revision, at: datetime) -> bool:
    return revision.effective_to is None or revision.effective_to > at


def stands_at(revision: Revision, at: datetime) -> bool:
    """Say whether a revision is in force at an instant."""
    begins, ends = revision.effective_from, revision.effective_to
    return begins is not None and begins <= at and (ends is None or ends > at)


def standing_of(session: Session, lines: Sequence[DecisionLine]) -> dict[int, list[Revision]]:
    """Return by document the issued revisions whose interval has not been cut short to nothing."""
    wanted = [line.document_id for line in lines]
    query = select(Revision).where(
        Revision.document_id.in_(wanted),
        Revision.state.in_(WAS_ISSUED),
        or_(Revision.effective_to.is_(None), Revision.effective_to > Revision.effective_from),
    )
    found: dict[int, list[Revision]] = {}
    for revision in session.scalars(query.order_by(Revision.effective_from)):
        found.setdefault(revision.document_id, []).append(revision)
    return found


def _promised(session: Session, decision: Decision, lines: Sequence[DecisionLine]) -> dict[int, str]:
    query = (
        select(DecisionLine.revision_id, Decision.number)
        .join(Decision)
        .where(
            DecisionLine.revision_id.in_([line.revision_id for line in lines if line.revision_id]),
            Decision.state == "signed",
            Decision.id != decision.id,
        )
    )
    return {revision_id: number for revision_id, number in session.execute(query) if revision_id is not None}


def first_error(found: Check) -> Sentence:
    """Return the first error of a dry run as one sentence, with how many more there are."""
    problem = found.errors[0]
    more = len(found.errors) - 1
    sentence = on_line(problem.line, problem.code, problem.sentence) if problem.line else problem.sentence
    if not more:
        return sentence
    return Sentence("{first} (và {more} lỗi khác)", "{first} (and {more} more errors)").fill(first=sentence, more=more)


def on_line(line: int, code: str, sentence: Sentence) -> Sentence:
    """Return a sentence with the number and the code of its line before it."""
    return Sentence("Dòng {line} ({code}): {sentence}", "Line {line} ({code}): {sentence}").fill(
        line=line, code=code, sentence=sentence
    )
