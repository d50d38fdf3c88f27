"""The report of an internal audit, and a nonconformity and corrective-action slip, as plain values for a file of any type."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from docctl import audit, clock, lifecycle, units
from docctl.exporting.paper import DRAFT, Block, Cell, Paper, Row, Signer, signed_here
from docctl.internal_audits import (
    GRADES,
    SIDES,
    VERDICTS,
    Evidence,
    InternalAudit,
    Nonconformity,
    Sample,
    checklist,
    findings,
    sampling,
)
from docctl.internal_audits import auditing as audits
from docctl.rules import Sentence

REPORT = Sentence("Báo cáo đánh giá nội bộ số {number}", "Report of internal audit {number}")
OPENING = (
    ("title", Sentence("Tên cuộc đánh giá: {said}", "Audit: {said}")),
    ("scope", Sentence("Phạm vi: {said}", "Scope: {said}")),
    ("criteria", Sentence("Chuẩn mực: {said}", "Criteria: {said}")),
    ("team", Sentence("Đoàn đánh giá: {said}", "Team: {said}")),
    ("plan", Sentence("Kế hoạch: {said}", "Plan: {said}")),
)
DAYS = Sentence("Thời gian: từ {start} đến {end}.", "Days: from {start} to {end}.")
SUM = Sentence(
    "Đã xem {walked} trên {samples} mẫu; {conforms} câu trả lời phù hợp, {nonconforming} không phù hợp, "
    "{not_applicable} không áp dụng; {findings} phát hiện, trong đó {closed} đã đóng.",
    "{walked} of {samples} samples walked; {conforms} answers conform, {nonconforming} do not, {not_applicable} do not "
    "apply; {findings} findings, {closed} of them closed.",
)
DRAWN = Sentence(
    "Cách lấy mẫu ngẫu nhiên: xếp các tài liệu còn hiệu lực theo SHA-256 của “hạt giống:số tài liệu”, lấy từ đầu danh sách; "
    "ai cũng làm lại được.",
    "How the random samples were drawn: documents in force ordered by the SHA-256 of “seed:number of the document”, taken "
    "from the top; anybody can do the same.",
)
CONCLUSION = Sentence("Kết luận: {said}", "Conclusion: {said}")
LEAD = Sentence("Đánh giá viên", "Auditor")
DRAWS = Sentence("I. Lấy mẫu ngẫu nhiên", "I. Random draws")
DRAW_HEADINGS = (
    Sentence("Lần", "No."),
    Sentence("Hạt giống", "Seed"),
    Sentence("Số mẫu", "Samples"),
    Sentence("Trên tổng số", "Out of"),
    Sentence("Giới hạn", "Within"),
    Sentence("Lúc", "At"),
    Sentence("Làm lại cho kết quả", "Drawn again"),
)
AGAIN = {True: Sentence("như cũ", "the same"), False: Sentence("KHÁC", "DIFFERENT")}
SAMPLES = Sentence("II. Mẫu đã xem", "II. Samples")
SAMPLE_HEADINGS = (
    Sentence("STT", "No."),
    Sentence("Mã tài liệu", "Code"),
    Sentence("Tên tài liệu", "Title"),
    Sentence("Lần ban hành", "Edition"),
    Sentence("Đơn vị", "Unit"),
    Sentence("Số tài liệu", "Number"),
    Sentence("Cách lấy", "How taken"),
    VERDICTS["conforms"],
    VERDICTS["nonconforming"],
    VERDICTS["not_applicable"],
)
HOW = {True: Sentence("Ngẫu nhiên", "Random"), False: Sentence("Chọn", "Chosen")}
POINTS = Sentence("III. Kết quả theo danh mục kiểm tra", "III. Results by point of the checklist")
POINT_HEADINGS = (
    Sentence("Mục", "Point"),
    Sentence("Nội dung kiểm tra", "What was asked"),
    VERDICTS["conforms"],
    VERDICTS["nonconforming"],
    VERDICTS["not_applicable"],
    Sentence("Ghi nhận", "What was seen"),
)
FOUND = Sentence("IV. Phát hiện", "IV. Findings")
FOUND_HEADINGS = (
    Sentence("Số phiếu", "Slip"),
    Sentence("Mức độ", "Grade"),
    Sentence("Yêu cầu", "Requirement"),
    Sentence("Điều không phù hợp", "What does not conform"),
    Sentence("Bằng chứng", "Evidence"),
    Sentence("Đơn vị", "Unit"),
    Sentence("Hạn", "Due"),
    Sentence("Hành động khắc phục", "Corrective action"),
    Sentence("Tình trạng", "State"),
)
SLIP = Sentence(
    "Phiếu không phù hợp và hành động khắc phục số {number}", "Nonconformity and corrective action {number}"
)
SLIP_OPENING = (
    ("requirement", Sentence("Yêu cầu: {said}", "Requirement: {said}")),
    ("statement", Sentence("Điều không phù hợp: {said}", "What does not conform: {said}")),
    ("cause", Sentence("Nguyên nhân: {said}", "Cause: {said}")),
    ("correction", Sentence("Khắc phục ngay: {said}", "Correction at once: {said}")),
    ("remedy", Sentence("Hành động khắc phục để không tái diễn: {said}", "Action so that it does not recur: {said}")),
    ("proof", Sentence("Bằng chứng đã khắc phục: {said}", "What proves it: {said}")),
    ("verification", Sentence("Kết quả xác nhận: {said}", "Verified: {said}")),
)
ABOUT = Sentence(
    "Đơn vị: {unit}. Mức độ: {grade}. Cuộc đánh giá số {number}. Hạn báo cáo khắc phục: {due}. Tình trạng: {state}.",
    "Unit: {unit}. Grade: {grade}. Internal audit {number}. Corrective report due on {due}. State: {state}.",
)
SAMPLE = Sentence("Mẫu: {code} {title}, lần ban hành {edition}.", "Sample: {code} {title}, edition {edition}.")
EVIDENCE_HEADINGS = (
    Sentence("Loại", "Kind"),
    Sentence("Bằng chứng", "Evidence"),
    Sentence("Ghi chú", "Note"),
    Sentence("Người đưa vào", "Added by"),
    Sentence("Lúc", "At"),
)
SLIP_SIGNERS = (Sentence("Trưởng đơn vị", "Head of the unit"), Sentence("Đánh giá viên", "Auditor"))
NOT_YET = "……"
REVISION = Sentence("Phiên bản {what}", "Revision {what}")
DECISION = Sentence("Quyết định {what}", "Decision {what}")
ENTRY = Sentence("Nhật ký mục {n}, mã băm {hash}", "Audit trail entry {n}, hash {hash}")
FILE = Sentence("Tệp {name}, SHA-256 {hash}", "File {name}, SHA-256 {hash}")


def report(session: Session, found: InternalAudit, *, locale: str) -> Paper:
    """Return the report of an audit; it bears the end of the trail at which it was signed, or the present one."""
    samples, slips = audits.samples(session, found), findings.of_audit(session, found)
    signed = lifecycle.signatures(session, found)
    counts = [sampling.tally(row) for row in samples]
    said = {
        **{verdict: sum(count[verdict] for count in counts) for verdict in VERDICTS},
        "walked": sum(not row.open_points for row in samples),
        "samples": len(samples),
        "findings": len(slips),
        "closed": sum(not findings.is_pending(row) for row in slips),
    }
    days = DAYS.fill(start=_day(found.first_day), end=_day(found.last_day))
    drawn = sampling.draws(session, found)
    blocks = [
        *([Block(DRAWS.get(locale), _said(DRAW_HEADINGS, locale), _draws(session, found, locale))] if drawn else []),
        Block(SAMPLES.get(locale), _said(SAMPLE_HEADINGS, locale), [_sample(row, locale) for row in samples]),
        Block(POINTS.get(locale), _said(POINT_HEADINGS, locale), list(_points(found, samples, locale))),
        Block(FOUND.get(locale), _said(FOUND_HEADINGS, locale), [_finding(session, row, locale) for row in slips]),
    ]
    return Paper(
        title=REPORT.fill(number=found.number_text).get(locale),
        office=units.office(session).name(locale),
        code="",
        made_at=clock.now(),
        subtitle="" if signed else DRAFT.get(locale),
        opening=[
            *_paragraphs(OPENING, found, locale),
            days.get(locale),
            SUM.fill(**said).get(locale),
            *([DRAWN.get(locale)] if drawn else []),
        ],
        blocks=blocks,
        closing=[
            CONCLUSION.fill(said=found.conclusion or NOT_YET).get(locale),
            *(signed_here(row).get(locale) for row in signed),
        ],
        signers=[Signer(LEAD.get(locale), signed[0].person if signed else "")],
        head=found.head or audit.head(session),
        locale=locale,
        motto=True,
    )


def slip(session: Session, found: Nonconformity, *, locale: str) -> Paper:
    """Return a slip: the finding with its evidence, the corrective report with its proof, and who verified it."""
    signed = lifecycle.signed_in_round(session, found)
    names = {row.meaning: row.person for row in signed}
    about = ABOUT.fill(
        unit=found.unit.name(locale),
        grade=GRADES[found.grade],
        number=found.internal_audit.number_text,
        due=_day(found.due_on),
        state=lifecycle.label(session, found),
    )
    sample = found.sample
    which = (
        SAMPLE.fill(
            code=sample.document.code,
            title=sample.document.title,
            edition=sample.revision.edition_text if sample.revision else "–",
        )
        if sample
        else None
    )
    blocks = [
        Block(
            words.get(locale),
            _said(EVIDENCE_HEADINGS, locale),
            [_evidence_row(row, locale) for row in found.evidence if row.side == side],
        )
        for side, words in SIDES.items()
    ]
    return Paper(
        title=SLIP.fill(number=found.number_text).get(locale),
        office=units.office(session).name(locale),
        code="",
        made_at=clock.now(),
        subtitle="" if signed else DRAFT.get(locale),
        opening=[
            about.get(locale),
            *([which.get(locale)] if which else []),
            *_paragraphs(SLIP_OPENING, found, locale),
        ],
        blocks=blocks,
        closing=[signed_here(row).get(locale) for row in signed],
        signers=[
            Signer(capacity.get(locale), names.get(meaning, ""))
            for capacity, meaning in zip(SLIP_SIGNERS, ("answered", "verified"), strict=True)
        ],
        head=audit.head(session),
        locale=locale,
        motto=True,
        landscape=False,
    )


def named(row: Evidence) -> Sentence:
    """Return what a piece of evidence is, in words that a paper can carry."""
    if row.revision is not None:
        about = f"{row.revision.document.code} {row.revision.edition_text} {row.revision.title}"
        return REVISION.fill(what=about)
    if row.decision is not None:
        return DECISION.fill(what=row.decision.number or row.decision.title)
    if row.entry_sequence is not None:
        return ENTRY.fill(n=row.entry_sequence, hash=row.entry_hash[:16])
    return FILE.fill(name=row.file_name, hash=(row.sha256 or "")[:16])


def _paragraphs(lines: Iterable[tuple[str, Sentence]], row: object, locale: str) -> list[str]:
    given = [(sentence, getattr(row, name) or "") for name, sentence in lines]
    return [sentence.fill(said=said.replace("\n", "; ")).get(locale) for sentence, said in given if said]


def _draws(session: Session, found: InternalAudit, locale: str) -> list[Row]:
    return [
        [
            row.position,
            row.seed,
            row.size,
            len(row.population_ids),
            row.within,
            clock.local(row.drawn_at).strftime("%d/%m/%Y %H:%M"),
            AGAIN[sampling.reproduced(session, row)].get(locale),
        ]
        for row in sampling.draws(session, found)
    ]


def _sample(row: Sample, locale: str) -> list[Cell]:
    count = sampling.tally(row)
    return [
        row.position,
        row.document.code,
        row.document.title,
        row.revision.edition_text if row.revision else "–",
        row.document.unit.name(locale),
        row.document_id,
        HOW[row.draw_id is not None].get(locale),
        *(count[verdict] for verdict in VERDICTS),
    ]


def _points(found: InternalAudit, samples: list[Sample], locale: str) -> Iterable[Row]:
    codes = dict.fromkeys(answer.point for row in samples for answer in row.answers)
    for code in codes:
        answers = [(row, answer) for row in samples for answer in row.answers if answer.point == code]
        notes = [f"{row.document.code}: {answer.note}" for row, answer in answers if answer.note]
        yield [
            code,
            checklist.point(found.checklist, code).words.get(locale),
            *(sum(answer.verdict == verdict for _, answer in answers) for verdict in VERDICTS),
            "; ".join(notes),
        ]


def _finding(session: Session, row: Nonconformity, locale: str) -> list[Cell]:
    shown = [named(each).get(locale) for each in row.evidence if each.side == "finding"]
    return [
        row.number_text,
        GRADES[row.grade].get(locale),
        row.requirement,
        row.statement,
        "; ".join(shown),
        row.unit.name(locale),
        row.due_on,
        row.remedy,
        lifecycle.label(session, row).get(locale),
    ]


def _evidence_row(row: Evidence, locale: str) -> list[Cell]:
    return [
        SIDES[row.side].get(locale),
        named(row).get(locale),
        row.note,
        row.added_by.title(locale),
        clock.local(row.added_at).strftime("%d/%m/%Y %H:%M"),
    ]


def _day(day: object) -> str:
    return day.strftime("%d/%m/%Y") if hasattr(day, "strftime") else NOT_YET


def _said(headings: Iterable[Sentence], locale: str) -> list[str]:
    return [heading.get(locale) for heading in headings]
