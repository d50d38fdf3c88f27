"""The self-assessment: the annex as data, what the records say of its rows, and the points that the office claims."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from docctl import audit, clock
from docctl.audit import Action
from docctl.people import Reader
from docctl.reports.facts import Fact, facts
from docctl.reports.figures import Year
from docctl.reports.table import Claim
from docctl.rules import NoRole, Refused, Sentence

TOTAL = "total"
ONLY_KEEPERS = Sentence(
    "Chỉ người kiểm soát tài liệu hoặc thư ký ISO được nhập báo cáo và tự chấm điểm.",
    "Only a document controller or the ISO secretary may enter figures and points.",
)


@dataclass(frozen=True)
class Row:
    """A row of the annex: its code, words, most points (in hundredths), and what docctl computes for it, if anything."""

    code: str
    title: str
    most: int
    facts: str = ""

    @property
    def parent(self) -> str:
        """The code of the row above: 7.2d is part of 7.2, and that of 7."""
        if self.code[-1:].isalpha():
            return self.code[:-1]
        return self.code.rsplit(".", 1)[0] if "." in self.code else ""


@dataclass(frozen=True)
class Annex:
    """A version of the annex."""

    version: str
    rows: tuple[Row, ...]

    def row(self, code: str) -> Row:
        """Return a row by its code; raises Refused where there is none."""
        found = next((row for row in self.rows if row.code == code.strip()), None)
        if found is None:
            raise Refused(
                Sentence("Phụ lục không có dòng {code}.", "The annex has no row {code}.").fill(code=code), field="row"
            )
        return found

    def children(self, code: str) -> list[Row]:
        """Return the rows right below a row, the criteria of the whole annex for the total."""
        return [row for row in self.rows if row.parent == ("" if code == TOTAL else code)]


@dataclass(frozen=True)
class Scored:
    """A row with its claim and what the records say; a parent's points are the sum of its children's."""

    row: Row
    claimed: int | None
    evidence: str
    fact: Fact | None
    is_sum: bool


@dataclass(frozen=True)
class Sheet:
    """The self-assessment of a year."""

    version: str
    rows: list[Scored] = field(default_factory=list)
    total: int = 0
    claimed_total: int | None = None


@cache
def annex() -> Annex:
    """Return the annex."""
    data = tomllib.loads((Path(__file__).parent / "annex.toml").read_text(encoding="utf-8"))
    return Annex(
        data["version"], tuple(Row(c, title, round(most * 100), facts) for c, title, most, facts in data["rows"])
    )


def keeping_refusal(*, by: Reader) -> Sentence | None:
    """Return why somebody may not enter figures and points, or None."""
    return None if by.has("controller", "format_reviewer") else ONLY_KEEPERS


def refuse_others(by: Reader) -> None:
    """Raise NoRole unless somebody may enter figures and points."""
    if sentence := keeping_refusal(by=by):
        raise NoRole(sentence)


def claim(session: Session, year: int, code: str, points: int, *, by: Reader, evidence: str = "") -> Claim:
    """Claim points (in hundredths) for a row in a year; of a row with parts the sum is taken, so none can be claimed.

    The claimed total of the whole annex is kept as it was typed: when it is not the sum, the report says so.
    """
    refuse_others(by)
    given = annex()
    most = 100_00 if code == TOTAL else given.row(code).most
    if code != TOTAL and given.children(code):
        raise Refused(
            Sentence(
                "Điểm của {code} là tổng điểm các dòng con; hãy chấm các dòng con.",
                "The points of {code} are the sum of its parts; claim for the parts.",
            ).fill(code=code),
            field="points",
        )
    if not 0 <= points <= most:
        raise Refused(
            Sentence("Điểm từ 0 đến {most}.", "Points go from 0 to {most}.").fill(most=written(most)), field="points"
        )
    row = session.scalars(select(Claim).where(Claim.year == year, Claim.row == code)).first()
    before = {"points": row.points, "evidence": row.evidence} if row else {}
    if row is None:
        row = Claim(year=year, row=code)
        session.add(row)
    row.version, row.points, row.evidence = given.version, points, " ".join(evidence.split())
    row.claimed_at, row.claimed_by_id, row.claimed_by = clock.now(), by.id, by.account
    session.flush()
    audit.record(
        session,
        Action.POINTS_CLAIMED,
        by=by.account,
        noun="claim",
        record_id=row.id,
        year=year,
        row=code,
        version=row.version,
        points=points,
        evidence=row.evidence,
        claimed_at=row.claimed_at,
        claimed_by_id=row.claimed_by_id,
        before=before,
    )
    return row


def sheet(session: Session, computed: Year) -> Sheet:
    """Return the self-assessment of a year: claims, sums, and what the records say of each row."""
    given = annex()
    claims = {row.row: row for row in session.scalars(select(Claim).where(Claim.year == computed.year))}
    points: dict[str, int | None] = {}

    def sum_of(code: str) -> int | None:
        below = given.children(code)
        if not below:
            return claims[code].points if code in claims else None
        parts = [sum_of(row.code) for row in below]
        return None if all(part is None for part in parts) else sum(part or 0 for part in parts)

    known = facts(session, computed)
    rows = []
    for row in given.rows:
        points[row.code] = sum_of(row.code)
        evidence = claims[row.code].evidence if row.code in claims else ""
        rows.append(Scored(row, points[row.code], evidence, known.get(row.facts), bool(given.children(row.code))))
    total = sum(points[row.code] or 0 for row in given.children(TOTAL))
    return Sheet(given.version, rows, total, claims[TOTAL].points if TOTAL in claims else None)


def written(points: int) -> str:
    """Write points as the annex does: `94,5`."""
    return f"{points / 100:g}".replace(".", ",")
