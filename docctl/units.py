"""Organisational units: configuration with a history, never code."""

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from docctl.database import Base, Kept
from docctl.rules import Refused, Sentence


class Unit(Kept, Base):
    """A department, a commune or the office itself; an ended unit stays, with the unit that follows it."""

    __tablename__ = "unit"
    __table_args__ = (CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name_vi: Mapped[str] = mapped_column(String(300))
    name_en: Mapped[str] = mapped_column(String(300))
    kind: Mapped[str] = mapped_column(String(40), default="department")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[date | None]
    valid_to: Mapped[date | None]
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))

    @property
    def ended(self) -> bool:
        """Whether the unit has ended, merged into others or split up."""
        return self.valid_to is not None

    def name(self, locale: str) -> str:
        """Return the unit's name in a language."""
        return self.name_en if locale == "en" and self.name_en else self.name_vi


class UnitSuccession(Kept, Base):
    """That a unit's work went on in another one: one after a merger, several after a split."""

    __tablename__ = "unit_succession"
    __table_args__ = (CheckConstraint("unit_id <> successor_id", name="units"),)

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)
    successor_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True)


def add(
    session: Session,
    *,
    code: str,
    name_vi: str,
    name_en: str = "",
    kind: str = "department",
    parent: Unit | None = None,
) -> Unit:
    """Add a unit below another; the first unit is the office itself."""
    unit = Unit(code=code, name_vi=name_vi, name_en=name_en, kind=kind, parent_id=parent.id if parent else None)
    session.add(unit)
    session.flush()
    return unit


def all_units(session: Session) -> list[Unit]:
    """Return every unit by code, the office first."""
    return list(session.scalars(select(Unit).order_by(Unit.parent_id.is_not(None), Unit.code)))


def office(session: Session) -> Unit:
    """Return the office itself: the unit without a parent."""
    unit = session.scalars(select(Unit).where(Unit.parent_id.is_(None)).order_by(Unit.id)).first()
    if unit is None:
        raise Refused(
            Sentence(
                "Chưa có cơ quan nào. Hãy chạy `docctl init` hoặc `docctl demo` trước.",
                "There is no office yet. Run `docctl init` or `docctl demo` first.",
            )
        )
    return unit


_OFFICE_NAME = select(Unit.name_vi, Unit.name_en).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1)


def office_name(session: Session, locale: str) -> str:
    """Return the name of the office in a language, for the head of every page; empty before there is an office."""
    found = session.connection().execute(_OFFICE_NAME).first()
    if found is None:
        return ""
    return str(found.name_en if locale == "en" and found.name_en else found.name_vi)


def find(session: Session, code: str) -> Unit:
    """Return the unit with a code, whatever its case; raises Refused with the codes there are."""
    for unit in all_units(session):
        if unit.code.casefold() == code.strip().casefold():
            return unit
    known = ", ".join(unit.code for unit in all_units(session))
    raise Refused(
        Sentence(
            "Không có đơn vị mã “{code}”. Các mã đang có: {known}.",
            "There is no unit {code}. The codes there are: {known}.",
        ).fill(code=code, known=known),
        field="unit",
    )


def with_descendants(session: Session, unit_id: int) -> frozenset[int]:
    """Return the ids of a unit, of all units below it, and of ended units whose work goes on in one of them.

    What was signed in the name of an ended unit keeps that name; whoever has a role in the successor reaches it still.
    """
    return reached(below(session), unit_id)


def below(session: Session) -> dict[int | None, list[int]]:
    """Return by the id of a unit those directly below it, and the ended ones whose work it goes on with."""
    found: dict[int | None, list[int]] = {}
    for child, parent in session.execute(select(Unit.id, Unit.parent_id).where(Unit.valid_to.is_(None))):
        found.setdefault(parent, []).append(child)
    for ended, successor in session.execute(select(UnitSuccession.unit_id, UnitSuccession.successor_id)):
        found.setdefault(successor, []).append(ended)
    return found


def reached(below: Mapping[int | None, Sequence[int]], unit_id: int) -> frozenset[int]:
    """Return a unit and everything that is below it, by what `below` says."""
    found: set[int] = set()
    waiting = [unit_id]
    while waiting:
        found.add(current := waiting.pop())
        waiting += [child for child in below.get(current, []) if child not in found]
    return frozenset(found)
