"""Documents: the things with a code, over their whole life; their types, codes and clashes of codes."""

import re
import tomllib
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from docctl import audit, clock
from docctl.audit import Action
from docctl.database import Base, Instant, Kept
from docctl.people import Account, Reader
from docctl.rules import NoRole, Refused, Sentence
from docctl.text import clean_name, code_key, number
from docctl.units import Unit

LONGEST_CODE = 80
LONGEST_TITLE = 2000
SENT_TWICE = timedelta(minutes=5)

# What people who are not signed in are shown of a type: nothing, that its documents are in force, or what they say too.
NOT_POSTED, LISTED, CONTENT = "nothing", "listed", "content"
POSTINGS = (NOT_POSTED, LISTED, CONTENT)


class DocumentType(Kept, Base):
    """A type of document: its level, the pattern of its codes, its workflow and its periods; configuration, not code."""

    __tablename__ = "document_type"
    __table_args__ = (CheckConstraint(f"posting IN {POSTINGS}", name="posting"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name_vi: Mapped[str] = mapped_column(String(200))
    name_en: Mapped[str] = mapped_column(String(200))
    level: Mapped[int]
    code_pattern: Mapped[str] = mapped_column(String(80))
    workflow: Mapped[str] = mapped_column(String(60), default="revision")
    review_months: Mapped[int | None]
    retention_years: Mapped[int | None]
    recall_days: Mapped[int] = mapped_column(default=15, server_default=text("15"))
    posting: Mapped[str] = mapped_column(String(10), default=NOT_POSTED, server_default=text(f"'{NOT_POSTED}'"))

    def name(self, locale: str) -> str:
        """Return the type's name in a language."""
        return self.name_en if locale == "en" else self.name_vi


class Document(Base):
    """A document; its code is unique within its unit and field unless `code_clash` says that a person must settle it."""

    __tablename__ = "document"
    __table_args__ = (
        Index(
            "uq_document_code",
            "unit_id",
            "field",
            "code_key",
            unique=True,
            sqlite_where=text("NOT code_clash"),
            postgresql_where=text("NOT code_clash"),
        ),
        CheckConstraint("length(code) > 0", name="code"),
        CheckConstraint("length(title) > 0", name="title"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(LONGEST_CODE))
    code_key: Mapped[str] = mapped_column(String(LONGEST_CODE), index=True)
    title: Mapped[str] = mapped_column(Text)
    type_id: Mapped[int] = mapped_column(ForeignKey("document_type.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    field: Mapped[str] = mapped_column(String(200), default="")
    code_clash: Mapped[bool] = mapped_column(default=False)
    confidential: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(Instant)
    created_by_id: Mapped[int] = mapped_column(ForeignKey("account.id"))

    type: Mapped[DocumentType] = relationship()
    unit: Mapped[Unit] = relationship()


@dataclass(frozen=True)
class Namesake:
    """Another document that bears the same code."""

    document: Document
    same_scope: bool


def add_type(
    session: Session,
    *,
    code: str,
    name_vi: str,
    name_en: str,
    level: int,
    code_pattern: str,
    workflow: str = "revision",
    review_months: int | None = None,
    retention_years: int | None = None,
    recall_days: int = 15,
    posting: str = NOT_POSTED,
) -> DocumentType:
    """Add a document type."""
    document_type = DocumentType(
        code=code,
        name_vi=name_vi,
        name_en=name_en,
        level=level,
        code_pattern=code_pattern,
        workflow=workflow,
        review_months=review_months,
        retention_years=retention_years,
        recall_days=recall_days,
        posting=posting,
    )
    session.add(document_type)
    session.flush()
    return document_type


def add_standard_types(session: Session) -> None:
    """Add the types that a new office begins with, from `standard_types.toml`."""
    for given in standard_types():
        add_type(session, **given)


def standard_types() -> list[dict[str, Any]]:
    """Return the types of `standard_types.toml`, as `add_type` takes them."""
    path = Path(__file__).parent / "standard_types.toml"
    listed: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8"))["types"]
    return listed


def all_types(session: Session) -> list[DocumentType]:
    """Return every type, by level and code."""
    return list(session.scalars(select(DocumentType).order_by(DocumentType.level, DocumentType.code)))


def find_type(session: Session, code: str) -> DocumentType:
    """Return the type with a code; raises Refused with the codes there are."""
    found = session.scalars(select(DocumentType).where(DocumentType.code == code.strip().upper())).first()
    if found is None:
        known = ", ".join(session.scalars(select(DocumentType.code).order_by(DocumentType.code)))
        raise Refused(
            Sentence(
                "Không có loại tài liệu “{code}”. Các loại đang có: {known}.",
                "There is no document type {code}. The types there are: {known}.",
            ).fill(code=code, known=known),
            field="type",
        )
    return found


def add(
    session: Session,
    *,
    by: Reader,
    title: str,
    type: DocumentType,
    unit: Unit,
    field: str = "",
    code: str = "",
    allow_clash: bool = False,
    confidential: bool = False,
    opened_by: Account | None = None,
) -> Document:
    """Add a document; without a code it gets the next one of its type's pattern.

    The title of a confidential one is told to nobody who is not signed in. `opened_by` is whoever adds it in the name
    of `by`: the trail names who acted.

    A code that another document of the same unit and field bears is refused, or, with `allow_clash` (imports), kept
    and marked for a person to settle: it is never dropped and never written over.
    """
    if not may_add(unit, by=by):
        raise NoRole(
            Sentence(
                "Chỉ người soạn thảo hoặc người kiểm soát tài liệu của đơn vị mới được thêm tài liệu.",
                "Only an author or a document controller of the unit may add a document.",
            )
        )
    title = checked_title(title)
    code = checked_code(code) if code.strip() else next_code(session, type, unit, field)
    clash = any(other.same_scope for other in namesakes(session, code, unit_id=unit.id, field=field.strip()))
    if clash and not allow_clash:
        raise Refused(
            Sentence(
                "Mã “{code}” đã có trong đơn vị và lĩnh vực này. Hãy chọn mã khác, hoặc ghi lĩnh vực khác nếu đây là một bộ mã riêng.",
                "The code {code} is taken in this unit and field. Choose another code, or another field if this is a series of its own.",
            ).fill(code=code),
            field="code",
        )
    document = Document(
        code=code,
        code_key=code_key(code),
        title=title,
        type_id=type.id,
        unit_id=unit.id,
        field=field.strip(),
        code_clash=clash,
        confidential=confidential,
        created_at=clock.now(),
        created_by_id=by.id,
    )
    document.type, document.unit = type, unit
    session.add(document)
    session.flush()
    audit.record(
        session,
        Action.DOCUMENT_ADDED,
        by=opened_by or by.account,
        noun="document",
        record_id=document.id,
        document_id=document.id,
        code=code,
        title=title,
        type=type.code,
        unit=unit.code,
        field=document.field,
        code_clash=clash,
        confidential=confidential,
        created_by_id=document.created_by_id,
        created_at=document.created_at,
    )
    return document


def may_add(unit: Unit, *, by: Reader) -> bool:
    """Say whether somebody may add documents of a unit."""
    return not unit.ended and bool(by.roles_in(unit.id) & {"author", "controller"})


def may_settle(document: Document, *, by: Reader) -> bool:
    """Say whether somebody may settle a clash of codes."""
    return "controller" in by.roles_in(document.unit_id)


def just_added(
    session: Session, *, by: Reader, title: str, type: DocumentType, unit: Unit, field: str
) -> Document | None:
    """Return the document that the same person added under the same words in the last minutes: a form sent twice."""
    query = select(Document).where(
        Document.created_by_id == by.id,
        Document.title == checked_title(title),
        Document.type_id == type.id,
        Document.unit_id == unit.id,
        Document.field == field.strip(),
        Document.created_at > clock.now() - SENT_TWICE,
    )
    return session.scalars(query.order_by(Document.id.desc())).first()


def settle_code(session: Session, document: Document, *, by: Reader, code: str, field: str) -> None:
    """Give a document whose code clashes another code or field, so that the pair is unique again."""
    if not may_settle(document, by=by):
        raise NoRole(
            Sentence("Chỉ người kiểm soát tài liệu được sửa mã.", "Only a document controller may settle a code.")
        )
    code, field = checked_code(code), field.strip()
    others = namesakes(session, code, unit_id=document.unit_id, field=field)
    if any(other.same_scope and other.document.id != document.id for other in others):
        raise Refused(
            Sentence(
                "Mã “{code}” vẫn trùng trong lĩnh vực này. Hãy chọn mã hoặc lĩnh vực khác.",
                "The code {code} still clashes in this field. Choose another code or field.",
            ).fill(code=code),
            field="code",
        )
    before = {"code": document.code, "field": document.field, "code_clash": document.code_clash}
    document.code, document.code_key, document.field, document.code_clash = code, code_key(code), field, False
    session.flush()
    audit.record(
        session,
        Action.CODE_SETTLED,
        by=by.account,
        noun="document",
        record_id=document.id,
        document_id=document.id,
        before=before,
        code=code,
        field=field,
        code_clash=False,
    )


def set_confidential(session: Session, document: Document, *, by: Reader, confidential: bool) -> None:
    """Say that a document's title is, or is no longer, kept from people who are not signed in."""
    if not may_settle(document, by=by):
        raise NoRole(
            Sentence(
                "Chỉ người kiểm soát tài liệu được đổi phạm vi phổ biến.",
                "Only a document controller may say whether a document is confidential.",
            )
        )
    if document.confidential == confidential:
        return
    document.confidential = confidential
    session.flush()
    audit.record(
        session,
        Action.CONFIDENTIALITY_SET,
        by=by.account,
        noun="document",
        record_id=document.id,
        document_id=document.id,
        before={"confidential": not confidential},
        confidential=confidential,
    )


def namesakes(session: Session, code: str, *, unit_id: int, field: str) -> list[Namesake]:
    """Return the documents that bear a code, saying of each whether it is in the same unit and field."""
    query = select(Document).where(Document.code_key == code_key(code)).order_by(Document.id)
    return [Namesake(found, found.unit_id == unit_id and found.field == field) for found in session.scalars(query)]


def next_code(session: Session, type: DocumentType, unit: Unit, field: str = "") -> str:
    """Return the first free code of a type's pattern, such as `QT-{unit}-{number:02d}`."""
    taken = set(session.scalars(select(Document.code_key).where(Document.unit_id == unit.id)))
    number = 1
    while code_key(code := type.code_pattern.format(unit=unit.code, field=field, number=number)) in taken:
        number += 1
    return code


def checked_code(code: str) -> str:
    """Return a code with its spaces tidied; raises Refused when it is none."""
    code = re.sub(r"\s+", " ", clean_name(code)).strip()
    if not code or len(code) > LONGEST_CODE or not any(character.isalnum() for character in code):
        raise Refused(
            Sentence(
                "Mã tài liệu cần có chữ hoặc số và dài không quá {n} ký tự, ví dụ QT 01/CX-HCTP.",
                "A code needs letters or digits and at most {n} characters, for example QT 01/CX-HCTP.",
            ).fill(n=LONGEST_CODE),
            field="code",
        )
    return code


def checked_title(title: str) -> str:
    """Return a title on one line; raises Refused when it is empty or beyond 2,000 characters."""
    title = re.sub(r"\s+", " ", clean_name(title)).strip()
    if not title or len(title) > LONGEST_TITLE:
        raise Refused(
            Sentence(
                "Hãy ghi tên tài liệu, dài không quá {n} ký tự (bạn đã ghi {given}).",
                "Give the document a title of at most {n} characters (yours has {given}).",
            ).fill(n=LONGEST_TITLE, given=len(title)),
            field="title",
        )
    return title


def with_code(session: Session, code: str) -> list[int]:
    """Return the ids of the documents that bear a code."""
    return list(session.scalars(select(Document.id).where(Document.code_key == code_key(code))))


def find(session: Session, reference: str) -> Document:
    """Return the document with an id or a code.

    Raises Refused when there is none, or when several bear the code (then with their ids, for the person to choose).
    """
    reference = reference.strip()
    found = list(session.scalars(select(Document).where(Document.code_key == code_key(reference)))) if reference else []
    if not found and (key := number(reference)) is not None:
        by_id = session.get(Document, key)
        found = [by_id] if by_id else []
    if len(found) == 1:
        return found[0]
    if found:
        choices = "; ".join(f"{document.id}: {document.title}" for document in found)
        raise Refused(
            Sentence(
                "{n} tài liệu cùng mang mã “{code}”. Hãy dùng số: {choices}.",
                "{n} documents bear the code {code}. Use the id: {choices}.",
            ).fill(n=len(found), code=reference, choices=choices),
            field="document",
        )
    raise Refused(
        Sentence(
            "Không có tài liệu mã hay số “{code}”. Hãy tìm theo tên: docctl search.",
            "There is no document {code}. Search for it by title: docctl search.",
        ).fill(code=reference),
        field="document",
    )


def creator(session: Session, document: Document) -> Account:
    """Return the account that added a document."""
    return session.get_one(Account, document.created_by_id)
