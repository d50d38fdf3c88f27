"""Samples of an audit: drawn at random from the master list with a printed seed, or chosen; and walked with the checklist."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import audit, clock, documents, intervals, revisions, units
from docctl.audit import Action
from docctl.documents import Document, DocumentType
from docctl.internal_audits import auditing, checklist
from docctl.internal_audits.auditing import UNDER_WAY, refuse_unless_auditor, refuse_when_over, samples
from docctl.internal_audits.table import (
    CONFORMS,
    NONCONFORMING,
    NOT_APPLICABLE,
    UNANSWERED,
    Answer,
    Draw,
    InternalAudit,
    Sample,
)
from docctl.lifecycle import Stale
from docctl.people import Reader
from docctl.rules import Refused, Sentence
from docctl.text import clean_name
from docctl.units import Unit

MOST = 500  # Samples of one draw.
VERDICTS: dict[str, Sentence] = {
    CONFORMS: Sentence("Phù hợp", "Conforms"),
    NONCONFORMING: Sentence("Không phù hợp", "Does not conform"),
    NOT_APPLICABLE: Sentence("Không áp dụng", "Not applicable"),
}


def ranked(seed: str, population: Iterable[int]) -> list[int]:
    """Return documents in the order in which a seed draws them: by the SHA-256 of `seed:number of the document`.

    Anybody can do the same with a sheet of paper and `sha256sum`; no random generator of any language is involved.
    """
    return sorted(population, key=lambda number: hashlib.sha256(f"{seed}:{number}".encode()).hexdigest())


def new_seed() -> str:
    """Return a seed that nobody chose."""
    return secrets.token_hex(4)


def draw(
    session: Session,
    found: InternalAudit,
    *,
    by: Reader,
    size: int,
    seed: str = "",
    unit: Unit | None = None,
    type: DocumentType | None = None,
) -> list[Sample]:
    """Draw some documents in force now at random, of the whole office or of one unit or type, without those taken already."""
    _refuse(found, by)
    seed = "".join(clean_name(seed).split())[:60] or new_seed()
    known = {row.document_id for row in samples(session, found)}
    population = [row.document_id for row in _master_list(session, by, unit, type) if row.document_id not in known]
    if not 1 <= size <= min(MOST, len(population)):
        raise Refused(
            Sentence(
                "Hãy ghi số mẫu từ 1 đến {most} ({n} tài liệu còn hiệu lực chưa được lấy mẫu).",
                "Write a number of samples from 1 to {most} ({n} documents in force are not sampled yet).",
            ).fill(most=min(MOST, len(population)), n=len(population)),
            field="size",
        )
    position = session.scalar(select(func.count()).where(Draw.internal_audit_id == found.id)) or 0
    made = Draw(
        internal_audit_id=found.id,
        position=position + 1,
        seed=seed,
        size=size,
        within=", ".join(row.code for row in (unit, type) if row is not None),
        population=" ".join(map(str, sorted(population))),
        drawn_at=clock.now(),
        drawn_by_id=by.id,
    )
    session.add(made)
    session.flush()
    columns = ("internal_audit_id", "position", "seed", "size", "within", "population", "drawn_at", "drawn_by_id")
    audit.record(
        session,
        Action.AUDIT_DRAWN,
        by=by.account,
        noun="audit_draw",
        record_id=made.id,
        **{name: getattr(made, name) for name in columns},
    )
    return [
        _take(session, found, session.get_one(Document, number), by=by, drawn=made)
        for number in ranked(seed, population)[:size]
    ]


def choose(session: Session, found: InternalAudit, codes: Sequence[str], *, by: Reader) -> list[Sample]:
    """Take documents that the auditor names by their codes, in force or not."""
    _refuse(found, by)
    wanted = [code for code in (code.strip() for code in codes) if code]
    if not wanted:
        raise Refused(Sentence("Hãy ghi ít nhất một mã tài liệu.", "Give the code of at least one document."), "codes")
    known = {row.document_id for row in samples(session, found)}
    taken = []
    for code in wanted[:MOST]:
        try:
            document = documents.find(session, code)
        except Refused as refused:
            raise Refused(refused.sentence, field="codes") from None
        if document.id not in known:
            known.add(document.id)
            taken.append(_take(session, found, document, by=by))
    return taken


def walk(
    session: Session,
    sample: Sample,
    answers: Mapping[str, tuple[str, str]],
    *,
    by: Reader,
    seen: Mapping[str, str] | None = None,
) -> None:
    """Write down the answers to points of the checklist, by code: the verdict and what was seen.

    `seen` are the verdicts that the page showed: when somebody else has answered otherwise since, nothing is changed.
    """
    found = session.get_one(InternalAudit, sample.internal_audit_id)
    refuse_unless_auditor(by)
    refuse_when_over(found)
    if found.state != UNDER_WAY:
        raise Refused(
            Sentence("Hãy bắt đầu cuộc đánh giá trước khi xem mẫu.", "Begin the audit before walking its samples.")
        )
    if seen is not None and any(row.verdict != seen.get(row.point, row.verdict) for row in sample.answers):
        raise Stale
    before = _answers(sample)
    for row in sample.answers:
        verdict, note = answers.get(row.point, (row.verdict, row.note))
        note = auditing.clean(note)
        if verdict not in VERDICTS and verdict != UNANSWERED:
            raise Refused(Sentence("Hãy chọn một kết luận.", "Choose a verdict."), field=f"note-{row.point}")
        if verdict == NONCONFORMING and not note:
            raise Refused(
                Sentence(
                    "Mục {point}: hãy ghi điều không phù hợp đã thấy.",
                    "Point {point}: write down what does not conform.",
                ).fill(point=row.point),
                field=f"note-{row.point}",
            )
        row.verdict, row.note = verdict, note
    if _answers(sample) == before:
        return
    sample.walked_at, sample.walked_by_id = clock.now(), by.id
    session.flush()
    audit.record(
        session,
        Action.AUDIT_WALKED,
        by=by.account,
        noun="audit_sample",
        record_id=sample.id,
        document_id=sample.document_id,
        internal_audit_id=sample.internal_audit_id,
        walked_at=sample.walked_at,
        walked_by_id=sample.walked_by_id,
        answers=_answers(sample),
    )


def draws(session: Session, found: InternalAudit) -> list[Draw]:
    """Return the random draws of an audit in order."""
    return list(session.scalars(select(Draw).where(Draw.internal_audit_id == found.id).order_by(Draw.position)))


def reproduced(session: Session, made: Draw) -> bool:
    """Draw again with the seed and the list on record, and say whether the same samples come out in the same order."""
    taken = select(Sample.document_id).where(Sample.draw_id == made.id).order_by(Sample.position)
    return ranked(made.seed, made.population_ids)[: made.size] == list(session.scalars(taken))


def tally(sample: Sample) -> dict[str, int]:
    """Return how many points of a sample have each verdict; the empty word counts those that are open."""
    return {verdict: sum(row.verdict == verdict for row in sample.answers) for verdict in (*VERDICTS, UNANSWERED)}


def of_audit(session: Session, found: InternalAudit, sample_id: int) -> Sample | None:
    """Return a sample, if it is one of this audit."""
    row = session.get(Sample, sample_id)
    return row if row is not None and row.internal_audit_id == found.id else None


def _take(
    session: Session, found: InternalAudit, document: Document, *, by: Reader, drawn: Draw | None = None
) -> Sample:
    standing = revisions.in_force(session, document=document)
    edition = standing[0] if standing else revisions.newest_issued(session, document)
    last = session.scalar(select(func.max(Sample.position)).where(Sample.internal_audit_id == found.id)) or 0
    sample = Sample(
        internal_audit_id=found.id,
        position=last + 1,
        document_id=document.id,
        revision_id=edition.id if edition else None,
        draw_id=drawn.id if drawn else None,
        taken_at=clock.now(),
    )
    sample.answers = [
        Answer(position=number, point=point.code, verdict=UNANSWERED, note="")
        for number, point in enumerate(checklist.versions()[found.checklist], start=1)
    ]
    session.add(sample)
    session.flush()
    columns = ("internal_audit_id", "position", "revision_id", "draw_id", "taken_at", "walked_at", "walked_by_id")
    own: dict[str, Any] = {name: getattr(sample, name) for name in columns}
    audit.record(
        session,
        Action.AUDIT_SAMPLED,
        by=by.account,
        noun="audit_sample",
        record_id=sample.id,
        document_id=document.id,
        **own,
        answers=_answers(sample),
    )
    return sample


def _master_list(
    session: Session, by: Reader, unit: Unit | None, type: DocumentType | None
) -> list[intervals.Standing]:
    rows = intervals.in_force(session, clock.now(), by=by)
    if unit is None and type is None:
        return rows
    where = select(Document.id)
    if unit is not None:
        where = where.where(Document.unit_id.in_(units.with_descendants(session, unit.id)))
    if type is not None:
        where = where.where(Document.type_id == type.id)
    within = set(session.scalars(where))
    return [row for row in rows if row.document_id in within]


def _answers(sample: Sample) -> list[list[str]]:
    return [[row.point, row.verdict, row.note] for row in sample.answers]


def _refuse(found: InternalAudit, by: Reader) -> None:
    refuse_unless_auditor(by)
    refuse_when_over(found)
