"""Distribution lists: who reads and who holds copies, for a type of document, or for one document instead."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship

from docctl import audit, clock
from docctl.audit import Action
from docctl.database import Base, Instant
from docctl.documents import Document, DocumentType
from docctl.people import Account, Reader, RoleGrant
from docctl.rules import ROLES, NoRole, Refused, Sentence
from docctl.units import Unit

ELECTRONIC, PAPER, POSTED = "electronic", "paper", "posted"
MOST_COPIES = 200

MEDIA: dict[str, Sentence] = {
    ELECTRONIC: Sentence("Điện tử", "Electronic"),
    PAPER: Sentence("Giấy", "Paper"),
    POSTED: Sentence("Niêm yết", "Posted"),
}
TARGETS: dict[str, Sentence] = {
    "own_unit": Sentence("Đơn vị chủ trì tài liệu", "The document's own unit"),
    "unit": Sentence("Một đơn vị", "A unit"),
    "role": Sentence("Một vai trò", "A role"),
    "person": Sentence("Một người", "A person"),
    "everybody": Sentence("Toàn cơ quan", "Everybody"),
}
HOLDERS = ("own_unit", "unit", "person")

ONLY_CONTROLLER = Sentence(
    "Chỉ người kiểm soát tài liệu mới được sửa danh sách phân phối.",
    "Only a document controller may change a distribution list.",
)

ONLY_KEEPERS = Sentence(
    "Chỉ người kiểm soát tài liệu, đánh giá viên và người xem xét, phê duyệt mới xem được phân phối.",
    "Only document controllers, auditors, reviewers and approvers see the distribution.",
)


class DistributionEntry(Base):
    """A line of the list of a type or of one document: whom it names, who reads, and how many copies of which medium."""

    __tablename__ = "distribution_entry"
    NOUN: ClassVar[str] = "distribution_entry"
    __table_args__ = (
        CheckConstraint("(type_id IS NULL) <> (document_id IS NULL)", name="owner"),
        CheckConstraint("target IN ('own_unit', 'unit', 'role', 'person', 'everybody')", name="target"),
        CheckConstraint(
            "(target = 'unit') = (unit_id IS NOT NULL) AND (target = 'person') = (account_id IS NOT NULL) "
            "AND (target = 'role') = (role <> '')",
            name="whom",
        ),
        CheckConstraint("medium IN ('electronic', 'paper', 'posted')", name="medium"),
        CheckConstraint("copies BETWEEN 0 AND 200", name="copies"),
        CheckConstraint("copies = 0 OR target IN ('own_unit', 'unit', 'person')", name="holder"),
        CheckConstraint("reads OR copies > 0", name="something"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    type_id: Mapped[int | None] = mapped_column(ForeignKey("document_type.id"), index=True)
    document_id: Mapped[int | None] = mapped_column(ForeignKey("document.id"), index=True)
    target: Mapped[str] = mapped_column(String(10))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    role: Mapped[str] = mapped_column(String(20), default="")
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    medium: Mapped[str] = mapped_column(String(10))
    copies: Mapped[int] = mapped_column(default=0)
    reads: Mapped[bool] = mapped_column(default=True)
    added_at: Mapped[datetime] = mapped_column(Instant)
    removed_at: Mapped[datetime | None] = mapped_column(Instant)

    type: Mapped[DocumentType | None] = relationship()
    document: Mapped[Document | None] = relationship()
    unit: Mapped[Unit | None] = relationship()
    account: Mapped[Account | None] = relationship()

    @property
    def whom(self) -> Sentence:
        """Whom the line names, in words."""
        if self.unit is not None:
            return Sentence(self.unit.name("vi"), self.unit.name("en"))
        if self.account is not None:
            return Sentence(self.account.title("vi"), self.account.title("en"))
        return ROLES[self.role] if self.role else TARGETS[self.target]


@dataclass(frozen=True)
class Holding:
    """One copy that a list asks for: its medium, and the unit or the person that will hold it."""

    medium: str
    unit_id: int | None = None
    account_id: int | None = None


@dataclass(frozen=True)
class Plan:
    """What issuing a revision of a document makes: who is asked to read it, and a copy for each holding."""

    readers: list[int] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)


class Directory:
    """Lists, people and units read once, so that a decision of hundreds of lines asks the database a few times only."""

    def __init__(self, session: Session) -> None:
        self.of_type: dict[int, list[DistributionEntry]] = {}
        self.of_document: dict[int, list[DistributionEntry]] = {}
        for entry in session.scalars(
            select(DistributionEntry).where(DistributionEntry.removed_at.is_(None)).order_by(DistributionEntry.id)
        ):
            if entry.document_id is not None:
                self.of_document.setdefault(entry.document_id, []).append(entry)
            elif entry.type_id is not None:
                self.of_type.setdefault(entry.type_id, []).append(entry)
        self._below: dict[int | None, list[int]] = {}
        for unit_id, parent in session.execute(select(Unit.id, Unit.parent_id).order_by(Unit.id)):
            self._below.setdefault(parent, []).append(unit_id)
        self._people(session)

    def entries(self, document: Document) -> list[DistributionEntry]:
        """Return the list that counts for a document: its own where it has one, else its type's."""
        return self.of_document.get(document.id) or self.of_type.get(document.type_id, [])

    def plan(self, document: Document) -> Plan:
        """Say who reads a revision of a document that is issued now, and which copies of it are made."""
        readers: set[int] = set()
        holdings: list[Holding] = []
        for entry in self.entries(document):
            if entry.reads:
                readers |= self._named(entry, document)
            unit_id = document.unit_id if entry.target == "own_unit" else entry.unit_id
            holdings += [Holding(entry.medium, unit_id, entry.account_id)] * entry.copies
        return Plan(sorted(readers), holdings)

    def _named(self, entry: DistributionEntry, document: Document) -> set[int]:
        if entry.target == "everybody":
            return set(self.active)
        if entry.target == "person":
            return {entry.account_id} & set(self.active) if entry.account_id else set()
        if entry.target == "role":
            return {
                account_id
                for account_id, role, unit_id in self.grants
                if role == entry.role and (unit_id is None or document.unit_id in self._within(unit_id))
            }
        unit_id = document.unit_id if entry.target == "own_unit" else entry.unit_id
        within = self._within(unit_id) if unit_id is not None else set()
        return {account_id for account_id, at in self.active.items() if at in within}

    def _people(self, session: Session) -> None:
        today = clock.today()
        query = (
            select(RoleGrant.account_id, RoleGrant.role, RoleGrant.unit_id, Account.unit_id)
            .join(Account, Account.id == RoleGrant.account_id)
            .where(
                Account.disabled_at.is_(None),
                RoleGrant.role != "admin",  # Keeps accounts, and takes no part in the business.
                (RoleGrant.valid_from.is_(None)) | (RoleGrant.valid_from <= today),
                (RoleGrant.valid_to.is_(None)) | (RoleGrant.valid_to >= today),
            )
        )
        rows = session.execute(query).all()
        self.grants = [(row[0], row[1], row[2]) for row in rows]
        self.active = {row[0]: row[3] for row in rows}

    def _within(self, unit_id: int) -> set[int]:
        found: set[int] = set()
        waiting = [unit_id]
        while waiting:
            found.add(current := waiting.pop())
            waiting += [child for child in self._below.get(current, []) if child not in found]
        return found


def add(
    session: Session,
    *,
    by: Reader,
    target: str,
    type: DocumentType | None = None,
    document: Document | None = None,
    unit: Unit | None = None,
    role: str = "",
    person: Account | None = None,
    medium: str = ELECTRONIC,
    copies: int = 0,
    reads: bool = True,
) -> DistributionEntry:
    """Add a line to the list of a type, or to a document's own list, which then counts in place of its type's."""
    refuse_unless_controller(by, document)
    _refuse_nonsense(target, unit, role, person, medium, copies, reads)
    entry = DistributionEntry(
        type_id=type.id if type and document is None else None,
        document_id=document.id if document else None,
        target=target,
        unit_id=unit.id if unit and target == "unit" else None,
        role=role if target == "role" else "",
        account_id=person.id if person and target == "person" else None,
        medium=medium,
        copies=copies,
        reads=reads,
        added_at=clock.now(),
    )
    session.add(entry)
    session.flush()
    audit.record(
        session,
        Action.DISTRIBUTION_LISTED,
        by=by.account,
        noun=entry.NOUN,
        record_id=entry.id,
        document_id=entry.document_id,
        **recorded(entry),
    )
    return entry


def remove(session: Session, entry: DistributionEntry, *, by: Reader) -> None:
    """Take a line out of its list; what was distributed by it stays as it is."""
    refuse_unless_controller(by, entry.document)
    if entry.removed_at is not None:
        return
    entry.removed_at = clock.now()
    session.flush()
    audit.record(
        session,
        Action.DISTRIBUTION_UNLISTED,
        by=by.account,
        noun=entry.NOUN,
        record_id=entry.id,
        document_id=entry.document_id,
        removed_at=entry.removed_at,
    )


def naming(session: Session, *, person: Account | None = None, unit: Unit | None = None) -> list[DistributionEntry]:
    """Return the lines in use, of any list, that name a person or a unit."""
    whom = (
        DistributionEntry.account_id == person.id
        if person
        else DistributionEntry.unit_id == (unit.id if unit else None)
    )
    query = select(DistributionEntry).where(DistributionEntry.removed_at.is_(None), whom).order_by(DistributionEntry.id)
    return list(session.scalars(query))


def pass_on(
    session: Session,
    entry: DistributionEntry,
    *,
    by: Account | None,
    unit_id: int | None = None,
    account_id: int | None = None,
) -> None:
    """Let a line name a successor from now on: the old line is taken out, and one like it comes in."""
    now = clock.now()
    heir = DistributionEntry(
        type_id=entry.type_id,
        document_id=entry.document_id,
        target=entry.target,
        unit_id=unit_id,
        role=entry.role,
        account_id=account_id,
        medium=entry.medium,
        copies=entry.copies,
        reads=entry.reads,
        added_at=now,
    )
    entry.removed_at = now
    session.add(heir)
    session.flush()
    for action, row, detail in (
        (Action.DISTRIBUTION_UNLISTED, entry, {"removed_at": now}),
        (Action.DISTRIBUTION_LISTED, heir, recorded(heir)),
    ):
        about: dict[str, Any] = {"noun": row.NOUN, "record_id": row.id, "document_id": row.document_id, **detail}
        audit.record(session, action, by=by, **about)


def refuse_unless_controller(by: Reader, document: Document | None) -> None:
    """Raise NoRole unless somebody keeps the lists of the whole office, or of the document's unit."""
    if "controller" not in by.roles_in(document.unit_id if document else None):
        raise NoRole(ONLY_CONTROLLER)


def may_see(by: Reader) -> bool:
    """Say whether somebody may see what was distributed to others: whoever keeps, reviews or audits."""
    return by.has("controller", "auditor", "reviewer", "format_reviewer", "approver")


def refuse_unless_seeing(by: Reader) -> None:
    """Raise NoRole unless somebody may see what was distributed to others."""
    if not may_see(by):
        raise NoRole(ONLY_KEEPERS)


def may_change(by: Reader, document: Document | None = None) -> bool:
    """Say whether somebody may change the lists of the whole office, or a document's own."""
    return "controller" in by.roles_in(document.unit_id if document else None)


def entries(
    session: Session, *, type: DocumentType | None = None, document: Document | None = None
) -> list[DistributionEntry]:
    """Return the lines in use of a type's list, of a document's own, or of all types, oldest first."""
    query = select(DistributionEntry).where(DistributionEntry.removed_at.is_(None))
    if document is not None:
        query = query.where(DistributionEntry.document_id == document.id)
    elif type is not None:
        query = query.where(DistributionEntry.type_id == type.id)
    loaded = query.options(joinedload(DistributionEntry.unit), joinedload(DistributionEntry.account))
    return list(session.scalars(loaded.order_by(DistributionEntry.type_id, DistributionEntry.id)))


def find(session: Session, entry_id: int) -> DistributionEntry | None:
    """Return a line by its id."""
    return session.get(DistributionEntry, entry_id)


def recorded(entry: DistributionEntry) -> dict[str, Any]:
    """Return every column, for the trail entry with which a line begins."""
    return {
        "type_id": entry.type_id,
        "target": entry.target,
        "unit_id": entry.unit_id,
        "role": entry.role,
        "account_id": entry.account_id,
        "medium": entry.medium,
        "copies": entry.copies,
        "reads": entry.reads,
        "added_at": entry.added_at,
        "removed_at": entry.removed_at,
    }


def _refuse_nonsense(
    target: str, unit: Unit | None, role: str, person: Account | None, medium: str, copies: int, reads: bool
) -> None:
    given = {"unit": unit is not None, "role": role in ROLES and role != "admin", "person": person is not None}
    for sentence, field_name, wrong in _questions(target, given, medium, copies, reads):
        if wrong:
            raise Refused(sentence, field=field_name)


def _questions(
    target: str, given: dict[str, bool], medium: str, copies: int, reads: bool
) -> Iterable[tuple[Sentence, str, bool]]:
    yield Sentence("Hãy chọn nơi nhận.", "Choose who it goes to."), "target", target not in TARGETS
    yield (
        Sentence("Hãy chọn đúng đơn vị, vai trò hoặc người nhận.", "Choose the unit, the role or the person."),
        target if target in given else "target",
        not given.get(target, True),
    )
    yield Sentence("Hãy chọn hình thức.", "Choose the medium."), "medium", medium not in MEDIA
    yield (
        Sentence("Số bản từ 0 đến {n}.", "The number of copies is from 0 to {n}.").fill(n=MOST_COPIES),
        "copies",
        not 0 <= copies <= MOST_COPIES,
    )
    yield (
        Sentence(
            "Bản có số phải có nơi giữ: một đơn vị hoặc một người, không phải một vai trò hay toàn cơ quan.",
            "A numbered copy needs a holder: a unit or a person, not a role or everybody.",
        ),
        "copies",
        bool(copies) and target not in HOLDERS,
    )
    yield (
        Sentence(
            "Hãy chọn “phải đọc” hoặc ghi số bản; dòng này chưa phân phối gì.",
            "Ask to read, or give a number of copies; this line distributes nothing yet.",
        ),
        "copies",
        not reads and not copies,
    )
