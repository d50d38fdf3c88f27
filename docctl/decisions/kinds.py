"""The five kinds of line that annex 1 tells apart; that of a line that issues follows from what the document had."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl.decisions.checking import lines_of
from docctl.decisions.table import ISSUE, KEEP, WITHDRAW, Decision
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Sentence

NEW, AMEND, REISSUE = "new", "amend", "reissue"
KINDS: dict[str, Sentence] = {
    NEW: Sentence("Ban hành mới", "New"),
    AMEND: Sentence("Sửa đổi, thay thế", "Amended, replaced"),
    REISSUE: Sentence("Ban hành lại", "Issued again"),
    WITHDRAW: Sentence("Hủy bỏ", "Withdrawn"),
    KEEP: Sentence("Giữ nguyên", "Kept"),
}


def kinds(session: Session, decision: Decision) -> dict[int, str]:
    """Return the kind of every line by its number, the same before and after the decision is executed."""
    lines = lines_of(session, decision)
    issued = [line.revision for line in lines if line.revision is not None]
    known = kinds_of(session, issued)
    return {
        line.position: known[line.revision.id] if line.action == ISSUE and line.revision else line.action
        for line in lines
    }


def kinds_of(session: Session, revisions: list[Revision]) -> dict[int, str]:
    """Return by revision what issuing it is: new, an amendment inside the edition, or the document issued again."""
    wanted = [revision.document_id for revision in revisions]
    query = select(Revision).where(Revision.document_id.in_(wanted), Revision.state.in_(WAS_ISSUED))
    editions: dict[int, list[tuple[int, int, int]]] = {}
    for row in session.scalars(query):
        editions.setdefault(row.document_id, []).append((row.edition, row.amendment, row.id))
    return {revision.id: _kind(revision, editions.get(revision.document_id, [])) for revision in revisions}


def _kind(revision: Revision, editions: list[tuple[int, int, int]]) -> str:
    own = (revision.edition, revision.amendment)
    earlier = [
        (edition, amendment)
        for edition, amendment, key in editions
        if key != revision.id and (edition, amendment) < own
    ]
    if not earlier:
        return NEW
    return AMEND if max(earlier)[0] == revision.edition else REISSUE
