"""What follows an executed decision: its obligations with their evidence, its scan, and corrections of its form."""

import hashlib
import tomllib
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from docctl import audit, clock, lifecycle
from docctl.audit import Action
from docctl.contents import Content
from docctl.database import Base, Instant
from docctl.decisions.kinds import NEW, kinds
from docctl.decisions.table import WITHDRAW, Decision
from docctl.lifecycle import Signature
from docctl.people import Account, Reader, Reauthenticated
from docctl.rules import NoRole, Refused, Sentence
from docctl.text import clean_name

PLANNED = Path(__file__).parent.parent / "obligations.toml"
ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được ghi việc này.", "Only a document controller may record this."
)


class Scan(Base):
    """The signed decision as it was scanned, by the hash of its content; attached once, never changed."""

    __tablename__ = "decision_scan"

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    sha256: Mapped[str] = mapped_column(ForeignKey("content.sha256"), index=True)
    file_name: Mapped[str] = mapped_column(String(400))
    attached_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    attached_at: Mapped[datetime] = mapped_column(Instant)

    content: Mapped[Content] = relationship()
    attached_by: Mapped[Account] = relationship()


class Obligation(Base):
    """Something owed after a decision, due on a day; closed once, with its evidence and the day it was done."""

    __tablename__ = "obligation"
    __table_args__ = (
        UniqueConstraint("decision_id", "kind"),
        CheckConstraint(
            "(done_on IS NULL) = (closed_by_id IS NULL) AND (done_on IS NULL OR length(evidence) > 0)", name="closed"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"))
    kind: Mapped[str] = mapped_column(String(40))
    name_vi: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    due_on: Mapped[date]
    done_on: Mapped[date | None]
    evidence: Mapped[str] = mapped_column(Text, default="")
    sha256: Mapped[str | None] = mapped_column(ForeignKey("content.sha256"), index=True)
    file_name: Mapped[str] = mapped_column(String(400), default="")
    closed_by_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))

    decision: Mapped[Decision] = relationship()
    content: Mapped[Content | None] = relationship()
    closed_by: Mapped[Account | None] = relationship()

    @property
    def name(self) -> Sentence:
        """What is owed."""
        return Sentence(self.name_vi, self.name_en)

    @property
    def late(self) -> bool:
        """Whether it is not done and its day has passed."""
        return self.done_on is None and self.due_on < clock.today()


class Correction(Base):
    """A đính chính: a slip of form in an executed decision, how it should read, the paper that says so, and who signed it."""

    __tablename__ = "correction"
    __table_args__ = (Index("uq_correction_signature", "signature_id", unique=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), index=True)
    number: Mapped[str] = mapped_column(String(80))
    signed_on: Mapped[date]
    place: Mapped[str] = mapped_column(String(300))
    wrong: Mapped[str] = mapped_column(Text)
    corrected: Mapped[str] = mapped_column(Text)
    made_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    made_at: Mapped[datetime] = mapped_column(Instant)
    signature_id: Mapped[int | None] = mapped_column(ForeignKey("signature.id"))  # None before corrections were signed.

    made_by: Mapped[Account] = relationship()
    signature: Mapped[Signature | None] = relationship()

    def content_hash(self) -> str:
        """Return the SHA-256, in hex, of what the correction says: whoever records it signs this."""
        words = (self.number, self.signed_on.isoformat(), self.place, self.wrong, self.corrected)
        return hashlib.sha256(audit.canonical([self.decision_id, *words]).encode()).hexdigest()


def begin_obligations(session: Session, decision: Decision, *, by: Reader) -> None:
    """Write down what is owed after a decision that has just been executed, each with its due date."""
    assert decision.effective_from is not None  # It is executed.
    begins = max(clock.today(), decision.effective_from)
    scope = any(kind in (NEW, WITHDRAW) for kind in kinds(session, decision).values())
    for planned in _planned():
        if planned["when"] == "scope" and not scope:
            continue
        row = Obligation(
            decision_id=decision.id,
            kind=planned["kind"],
            name_vi=planned["name_vi"],
            name_en=planned["name_en"],
            due_on=begins + timedelta(days=planned["days"]),
            evidence="",
            file_name="",
        )
        session.add(row)
        session.flush()
        audit.record(
            session,
            Action.OBLIGATION_BEGUN,
            by=by.account,
            noun="obligation",
            record_id=row.id,
            decision_id=decision.id,
            decision=decision.number,
            **{name: getattr(row, name) for name in ("kind", "name_vi", "name_en", "due_on")},
            done_on=None,
            evidence="",
            sha256=None,
            file_name="",
            closed_by_id=None,
        )


def close_obligation(
    session: Session,
    obligation: Obligation,
    *,
    by: Reader,
    done_on: date | None,
    evidence: str,
    content: Content | None = None,
    file_name: str = "",
) -> None:
    """Close an obligation with the day it was done and its evidence: a number, an address, a scan."""
    _refuse_unless_controller(by)
    evidence = evidence.replace("\r\n", "\n").strip()
    if obligation.done_on is not None:
        raise Refused(Sentence("Việc này đã được ghi là xong.", "This is recorded as done already."))
    if not evidence:
        raise Refused(
            Sentence(
                "Hãy ghi bằng chứng: số công văn, địa chỉ trang đăng, nơi niêm yết.",
                "Give the evidence: the number of a letter, the address of a page, where it hangs.",
            ),
            field="evidence",
        )
    if done_on is None or done_on > clock.today():
        raise Refused(
            Sentence("Hãy ghi ngày đã làm, không sau hôm nay.", "Give the day it was done, not after today."),
            field="done_on",
        )
    obligation.done_on, obligation.evidence, obligation.closed_by_id = done_on, evidence, by.id
    if content is not None:
        obligation.sha256, obligation.file_name = content.sha256, file_name
    session.flush()
    audit.record(
        session,
        Action.OBLIGATION_CLOSED,
        by=by.account,
        noun="obligation",
        record_id=obligation.id,
        **{name: getattr(obligation, name) for name in ("done_on", "evidence", "sha256", "file_name", "closed_by_id")},
    )


def attach_scan(session: Session, decision: Decision, *, by: Reader, content: Content, file_name: str) -> Scan:
    """Attach the scan of the signed paper; it is kept by its content and can be attached once only."""
    _refuse_unless_controller(by)
    if decision.state not in ("signed", "executed"):
        raise Refused(
            Sentence("Chỉ đính bản quét vào quyết định đã ký.", "A scan belongs to a decision that is signed."),
            field="file",
        )
    if scan_of(session, decision) is not None:
        raise Refused(
            Sentence(
                "Quyết định đã có bản quét và bản quét không thay được. Nếu sai, hãy lập đính chính.",
                "The decision has its scan, and a scan is not replaced. If it is wrong, record a correction.",
            ),
            field="file",
        )
    scan = Scan(
        decision_id=decision.id,
        sha256=content.sha256,
        file_name=file_name,
        attached_by_id=by.id,
        attached_at=clock.now(),
    )
    session.add(scan)
    session.flush()
    _record(session, Action.DECISION_SCANNED, scan, "decision_scan", decision, by)
    return scan


def correct(
    session: Session,
    decision: Decision,
    *,
    by: Reader,
    number: str,
    signed_on: date | None,
    place: str,
    wrong: str,
    corrected: str,
    signing: Reauthenticated | None = None,
) -> Correction:
    """Record and sign a đính chính on an executed decision: of form alone; what it issued and withdrew stays as it is."""
    _refuse_unless_controller(by)
    if decision.state != "executed":
        raise Refused(
            Sentence(
                "Chỉ đính chính quyết định đã thực hiện; quyết định chưa ký thì sửa trực tiếp.",
                "Only an executed decision is corrected; one that is not signed is simply changed.",
            )
        )
    given = {"number": number, "place": place, "wrong": wrong, "corrected": corrected}
    said = {name: " ".join(clean_name(value).split()) for name, value in given.items()}
    for name, value in said.items():
        if not value:
            raise Refused(Sentence("Hãy ghi đủ ô này.", "Fill this in."), field=name)
    if signed_on is None:
        raise Refused(Sentence("Hãy ghi ngày ký.", "Give the date of signature."), field="signed_on")
    _refuse_content(decision, said["wrong"], said["corrected"])
    row = Correction(
        decision_id=decision.id,
        number=said["number"][:80],
        signed_on=signed_on,
        place=said["place"][:300],
        wrong=said["wrong"],
        corrected=said["corrected"],
        made_by_id=by.id,
        made_at=clock.now(),
    )
    signed = lifecycle.sign(session, decision, "corrected", by=by, signing=signing, content_hash=row.content_hash())
    row.signature_id = signed.id
    session.add(row)
    session.flush()
    _record(session, Action.DECISION_CORRECTED, row, "correction", decision, by, signature=signed.recorded())
    return row


def obligations(session: Session, decision: Decision) -> list[Obligation]:
    """Return what is owed after a decision, in the order of the due dates."""
    query = select(Obligation).where(Obligation.decision_id == decision.id)
    return list(session.scalars(query.order_by(Obligation.due_on, Obligation.id)))


def open_obligations(session: Session, *, by: Reader) -> list[Obligation]:
    """Return what is owed and not done yet, as far as it is somebody's to do, by due date."""
    if "controller" not in by.roles_in(None):
        return []
    return list(session.scalars(select(Obligation).where(Obligation.done_on.is_(None)).order_by(Obligation.due_on)))


def scan_of(session: Session, decision: Decision) -> Scan | None:
    """Return the scan of a decision, if it is attached."""
    return session.scalars(select(Scan).where(Scan.decision_id == decision.id)).first()


def corrections(session: Session, decision: Decision) -> list[Correction]:
    """Return the corrections of a decision, oldest first."""
    query = select(Correction).where(Correction.decision_id == decision.id)
    return list(session.scalars(query.order_by(Correction.signed_on, Correction.id)))


def _refuse_unless_controller(by: Reader) -> None:
    if "controller" not in by.roles_in(None):
        raise NoRole(ONLY_CONTROLLER)


def _refuse_content(decision: Decision, wrong: str, corrected: str) -> None:
    """Refuse what would change content: the code of a line, the date of effect. Those need a later decision."""
    codes = {line.document.code.casefold() for line in decision.lines}
    day = f"{decision.effective_from:%d/%m/%Y}" if decision.effective_from else ""
    if wrong.casefold() == corrected.casefold() and wrong == corrected:
        raise Refused(Sentence("Hai nội dung giống nhau.", "Both read the same."), field="corrected")
    if wrong.casefold() in codes or corrected.casefold() in codes or (day and wrong == day):
        raise Refused(
            Sentence(
                "Đổi mã tài liệu hay ngày hiệu lực là đổi nội dung, không phải đính chính. Hãy lập một quyết định khác.",
                "Another code or date of effect is another content, not a correction of form. Make a later decision.",
            ),
            field="wrong",
        )


def _record(session: Session, action: str, row: Any, noun: str, decision: Decision, by: Reader, **more: Any) -> None:
    columns = {column.key: getattr(row, column.key) for column in type(row).__table__.columns if column.key != "id"}
    audit.record(
        session, action, by=by.account, noun=noun, record_id=row.id, decision=decision.number, **columns, **more
    )


@cache
def _planned() -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = tomllib.loads(PLANNED.read_text(encoding="utf-8"))["obligations"]
    return listed
