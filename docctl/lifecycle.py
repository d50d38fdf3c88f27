"""The one door through which a state changes: workflow, signature and trail together, in the caller's transaction."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from docctl import audit, clock, notices, workflow
from docctl.audit import Action
from docctl.database import Base, Instant, Kept
from docctl.people import Account, Reader, Reauthenticated
from docctl.rules import Facts, Refused, Sentence
from docctl.workflow import Workflow, WorkflowError


class Stale(Refused):
    """Somebody else acted first, or the page was old."""

    def __init__(self) -> None:
        super().__init__(
            Sentence(
                "Có người vừa làm thay đổi hồ sơ này. Hãy tải lại trang, xem trạng thái mới rồi quyết định.",
                "Somebody has just changed this record. Reload the page, read its new state, then decide.",
            )
        )


class WorkflowVersion(Kept, Base):
    """A version of a workflow file as it was first seen; revisions finish under the version they began with."""

    SEALED = frozenset({"source"})

    __tablename__ = "workflow_version"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(Instant)


class Signature(Base):
    """What a person signed: meaning, title and authority on that day, time and content hash; never changed.

    A signature of an earlier round than its revision's is void: sending back or taking back begins a new round.
    """

    __tablename__ = "signature"
    __table_args__ = (
        CheckConstraint(
            "(CASE WHEN revision_id IS NULL THEN 0 ELSE 1 END + CASE WHEN decision_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN change_request_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN recall_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN legal_assessment_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN disposal_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN internal_audit_id IS NULL THEN 0 ELSE 1 END "
            "+ CASE WHEN nonconformity_id IS NULL THEN 0 ELSE 1 END) = 1",
            name="subject",
        ),
        Index("ix_signature_revision", "revision_id", "round"),
        Index("uq_signature_request_seat", "change_request_id", "round", "seat", unique=True),
        Index("uq_signature_seat", "revision_id", "round", "seat", unique=True),
        Index("uq_signature_person", "revision_id", "round", "account_id", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    revision_id: Mapped[int | None] = mapped_column(ForeignKey("revision.id"))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), index=True)
    change_request_id: Mapped[int | None] = mapped_column(ForeignKey("change_request.id"))
    recall_id: Mapped[int | None] = mapped_column(ForeignKey("recall.id"), index=True)
    legal_assessment_id: Mapped[int | None] = mapped_column(ForeignKey("legal_assessment.id"), index=True)
    disposal_id: Mapped[int | None] = mapped_column(ForeignKey("disposal.id"), index=True)
    internal_audit_id: Mapped[int | None] = mapped_column(ForeignKey("internal_audit.id"), index=True)
    nonconformity_id: Mapped[int | None] = mapped_column(ForeignKey("nonconformity.id"), index=True)
    round: Mapped[int]
    seat: Mapped[str] = mapped_column(String(40))
    meaning: Mapped[str] = mapped_column(String(40))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    person: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(200))
    authority: Mapped[str] = mapped_column(Text, default="")
    signed_at: Mapped[datetime] = mapped_column(Instant)
    content_hash: Mapped[str] = mapped_column(String(64))

    account: Mapped[Account] = relationship()

    def recorded(self) -> dict[str, Any]:
        """Return everything that the signature says, for the trail: whoever changes the one must change the other."""
        return {
            "id": self.id,
            "round": self.round,
            "seat": self.seat,
            "meaning": self.meaning,
            "account_id": self.account_id,
            "person": self.person,
            "title": self.title,
            "authority": self.authority,
            "signed_at": self.signed_at,
            "content_hash": self.content_hash,
        }


class Subject:
    """Mixed into the tables of what moves through a workflow, under the version it began with, in rounds of signatures.

    `lock` rises with every write, so that a page that is old is noticed. The state is a column of each table's own,
    which knows the states there are.
    """

    NOUN: ClassVar[str]
    MOVED: ClassVar[Action]
    __table_args__: Any
    id: Mapped[int]
    state: Mapped[str]
    round: Mapped[int] = mapped_column(default=1)
    lock: Mapped[int] = mapped_column(default=1)
    workflow: Mapped[str] = mapped_column(String(60))
    workflow_version: Mapped[int]

    def __init_subclass__(cls, **given: Any) -> None:
        """Bind the version to those that are registered; a key of two columns has to be among the table's arguments."""
        follows = ForeignKeyConstraint(
            ["workflow", "workflow_version"], ["workflow_version.name", "workflow_version.version"]
        )
        cls.__table_args__ = (follows, *cls.__table_args__)
        super().__init_subclass__(**given)


def register(session: Session, files: Iterable[Workflow]) -> None:
    """Keep each workflow version the first time it is seen.

    Raises WorkflowError when a file was changed without raising its version: records that began under the registered
    version would otherwise follow rules that nobody announced.
    """
    for given in files:
        known = session.scalars(
            select(WorkflowVersion).where(WorkflowVersion.name == given.name, WorkflowVersion.version == given.version)
        ).first()
        if known is None:
            session.add(
                WorkflowVersion(
                    name=given.name,
                    version=given.version,
                    sha256=given.sha256,
                    source=given.source,
                    registered_at=clock.now(),
                )
            )
            audit.record(
                session,
                Action.WORKFLOW_REGISTERED,
                by=None,
                noun="workflow",
                name=given.name,
                version=given.version,
                sha256=given.sha256,
            )
        elif known.sha256 != given.sha256:
            raise WorkflowError.changed(given)
    session.flush()


def unregistered(session: Session, files: Iterable[Workflow]) -> bool:
    """Say whether a file has a version not seen before; raises WorkflowError for a changed one."""
    known = {(row.name, row.version): row.sha256 for row in session.scalars(select(WorkflowVersion))}
    for given in files:
        if known.get((given.name, given.version), given.sha256) != given.sha256:
            raise WorkflowError.changed(given)
    return any((given.name, given.version) not in known for given in files)


def newest(session: Session, name: str) -> Workflow:
    """Return the newest registered version of a workflow, for what begins now."""
    row = session.scalars(
        select(WorkflowVersion).where(WorkflowVersion.name == name).order_by(WorkflowVersion.version.desc())
    ).first()
    if row is None:
        raise Refused(
            Sentence(
                "Chưa có quy trình xử lý “{name}”. Hãy đặt tệp {name}.toml vào thư mục workflows.",
                "There is no workflow {name}. Put {name}.toml into the workflows folder.",
            ).fill(name=name)
        )
    return _parsed(row)


def workflow_of(session: Session, subject: Any) -> Workflow:
    """Return the workflow version that a revision or decision began with."""
    loaded: dict[tuple[str, int], Workflow] = session.info.setdefault("workflows", {})
    key = (subject.workflow, subject.workflow_version)
    if key not in loaded:
        loaded[key] = _parsed(
            session.scalars(
                select(WorkflowVersion).where(WorkflowVersion.name == key[0], WorkflowVersion.version == key[1])
            ).one()
        )
    return loaded[key]


def begun(follows: Workflow) -> dict[str, Any]:
    """Return the columns of a subject that begins now under a version of its workflow."""
    return {"round": 1, "lock": 1, "workflow": follows.name, "workflow_version": follows.version}


def label(session: Session, subject: Any) -> Sentence:
    """Return the word for the state that a subject is in."""
    return workflow_of(session, subject).states[subject.state].label


def move(
    session: Session,
    subject: Any,
    trigger: str,
    *,
    by: Reader,
    facts: Facts,
    signing: Reauthenticated | None = None,
    seen: int | None = None,
    seat: str = "",
    content_hash: str = "",
    authority: str = "",
    document_id: int | None = None,
    changes: dict[str, Any] | None = None,
    **detail: Any,
) -> str:
    """Move a subject by a trigger and return its new state.

    Checks the workflow, keeps the signature, changes the state by compare-and-set (`seen` is the lock value of the page
    that asked; the row's own by default) and writes the trail, all in the caller's transaction. `changes` are the other
    columns that the act sets. Raises Refused with the sentence of the first rule that says no, and Stale when the row
    is no longer what the caller saw.
    """
    before = subject.state
    follows = workflow_of(session, subject)
    if seen is not None and seen != subject.lock:
        raise Stale
    after = workflow.fire(follows, before, trigger, facts)
    meaning = follows.triggers[trigger].signs
    changed = {name: value for name, value in (changes or {}).items() if getattr(subject, name) != value}
    signed: dict[str, Any] = {}
    if meaning:
        row = sign(
            session, subject, meaning, by=by, signing=signing, seat=seat, content_hash=content_hash, authority=authority
        )
        signed = {"meaning": meaning, "seat": seat, "content_hash": content_hash, "signature": row.recorded()}
    table = type(subject)
    moved = session.scalars(
        update(table)
        .where(table.id == subject.id, table.state == before, table.lock == subject.lock)
        .values(state=after, lock=subject.lock + 1, **changed)
        .returning(table.id)
        .execution_options(synchronize_session=False)
    ).all()
    if len(moved) != 1:
        raise Stale
    # Columns alone: what hangs on the subject has not changed and need not be read again.
    session.refresh(subject, ["state", "lock", *changed])
    audit.record(
        session,
        subject.MOVED,
        by=by.account,
        noun=subject.NOUN,
        record_id=subject.id,
        document_id=document_id,
        trigger=trigger,
        before=before,
        state=after,
        **({"reason": facts.reason} if facts.reason else {}),
        **(changed | signed),
        **detail,
    )
    if subject.NOUN in notices.ANNOUNCED:
        notices.announce(session, subject.NOUN, subject.id, after, by=by.account)
    return after


def signatures(session: Session, subject: Any) -> list[Signature]:
    """Return the signatures under a record, oldest first, void ones included."""
    under = getattr(Signature, f"{subject.NOUN}_id") == subject.id
    return list(session.scalars(select(Signature).where(under).order_by(Signature.id)))


def signed_in_round(session: Session, subject: Any) -> list[Signature]:
    """Return the signatures that still count: those of the record's present round."""
    return [row for row in signatures(session, subject) if row.round == subject.round]


def sign(
    session: Session,
    subject: Any,
    meaning: str,
    *,
    by: Reader,
    signing: Reauthenticated | None,
    content_hash: str,
    seat: str = "",
    authority: str = "",
) -> Signature:
    """Keep a signature under a record, for an act that moves it or for one that leaves it where it is.

    Raises Refused unless the person has just entered the password again. The caller writes it into the trail.
    """
    if signing is None or not signing.valid_for(by.id):
        raise Refused(
            Sentence("Việc này cần ký: hãy nhập lại mật khẩu của bạn.", "This act signs: enter your password again."),
            field="password",
        )
    row = Signature(
        **{f"{subject.NOUN}_id": subject.id},
        round=subject.round,
        seat=seat or meaning,
        meaning=meaning,
        account_id=by.id,
        person=by.account.full_name,
        title=by.account.title_vi,
        authority=authority,
        signed_at=clock.now(),
        content_hash=content_hash,
    )
    session.add(row)
    session.flush()
    return row


@lru_cache(maxsize=64)
def _parse(name: str, source: str) -> Workflow:
    return workflow.parse(source, path=Path(f"{name}.toml"))


def _parsed(row: WorkflowVersion) -> Workflow:
    return _parse(row.name, row.source)
