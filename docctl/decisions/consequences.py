"""What executing a decision brings with it besides its lines: forms left behind, and people to tell.

Each question asks one noun and is listed in `ASKED`; copies and coverage add theirs there.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import clock
from docctl.decisions.table import WITHDRAW, Consequence, DecisionLine
from docctl.documents import Document
from docctl.people import Account
from docctl.revisions import Revision, in_force_at
from docctl.rules import Sentence

FORM_LEVEL = 4  # Of the document types: forms and records.
Question = Callable[[Session, Sequence[DecisionLine], datetime], Consequence]


def consequences(session: Session, lines: Sequence[DecisionLine], begins: datetime) -> list[Consequence]:
    """Return everything that executing the lines on a day brings with it; what comes to nothing is left out."""
    found = [ask(session, lines, begins) for ask in ASKED]
    return [row for row in found if row.items]


def forms_left_behind(session: Session, lines: Sequence[DecisionLine], begins: datetime) -> Consequence:
    """Return the forms of withdrawn procedures that stay in force: forms whose code holds the procedure's code."""
    withdrawn = {line.document.code_key: line.document for line in lines if line.action == WITHDRAW}
    named = {line.document_id for line in lines}
    query = select(Revision).join(Document).where(in_force_at(max(begins, clock.now())))
    query = query.options(joinedload(Revision.document).joinedload(Document.type))
    items = []
    for revision in session.scalars(query.order_by(Document.code_key)) if withdrawn else ():
        form = revision.document
        if form.type.level != FORM_LEVEL or form.id in named:
            continue
        if owner := next((row for key, row in withdrawn.items() if key and key in form.code_key), None):
            items.append(
                Sentence("{form} {title} (của {owner})", "{form} {title} (of {owner})").fill(
                    form=form.code, title=revision.title, owner=owner.code
                )
            )
    return Consequence(
        Sentence(
            "Biểu mẫu của quy trình bị hủy bỏ mà vẫn còn hiệu lực", "Forms of withdrawn procedures that stay in force"
        ),
        items,
    )


def people_to_notify(session: Session, lines: Sequence[DecisionLine], begins: datetime) -> Consequence:
    """Return the units whose documents change, each with how many documents and how many people it has."""
    documents: dict[int, set[int]] = {}
    units = {}
    for line in lines:
        units[line.document.unit_id] = line.document.unit
        documents.setdefault(line.document.unit_id, set()).add(line.document_id)
    people: dict[int, int] = {}
    for unit_id in session.scalars(select(Account.unit_id).where(Account.disabled_at.is_(None))):
        people[unit_id] = people.get(unit_id, 0) + 1
    items = [
        Sentence("{vi}: {documents} tài liệu, {people} người", "{en}: {documents} documents, {people} people").fill(
            vi=unit.name("vi"), en=unit.name("en"), documents=len(documents[key]), people=people.get(key, 0)
        )
        for key, unit in sorted(units.items(), key=lambda pair: pair[1].code)
    ]
    return Consequence(Sentence("Đơn vị cần thông báo", "Units to notify"), items)


ASKED: tuple[Question, ...] = (forms_left_behind, people_to_notify)
