"""Which documents cite which laws: read from the texts of what is in force, linked to the register, judged by people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from docctl import audit, citations, clock, external, procedures
from docctl.audit import Action
from docctl.citations import Citation
from docctl.contents import ContentText
from docctl.documents import Document
from docctl.external import ExternalDocument
from docctl.people import Reader
from docctl.procedures import Procedure
from docctl.revisions import Revision, in_force_at
from docctl.rules import NoRole, Refused, Sentence
from docctl.text import fold
from docctl.watch.table import CONFIRMED, REJECTED, CitationVerdict

_NAMED_KINDS = ("luat", "bo luat", "phap lenh", "hien phap")


@dataclass(frozen=True)
class Cited:
    """A law that a document in force cites: as found, what it is in the register if there, and what a person said of it."""

    document: Document
    revision: Revision
    citation: Citation
    law: ExternalDocument | None
    verdict: str = ""

    @property
    def counts(self) -> bool:
        """Whether it is a citation as far as anybody said."""
        return self.verdict != REJECTED


class Register:
    """The register of external documents, looked up by the number of a citation or by the name of a law."""

    def __init__(self, session: Session) -> None:
        rows = external.all_documents(session)
        self.by_number = {row.number_key: row for row in rows}
        self.by_name: dict[str, list[ExternalDocument]] = {}
        for row in rows:
            if fold(row.kind).strip() in _NAMED_KINDS:
                for name in {fold(row.title), f"{fold(row.kind)} {fold(row.title)}"}:
                    self.by_name.setdefault(" ".join(name.split()), []).append(row)

    def find(self, citation: Citation) -> ExternalDocument | None:
        """Return what a citation means: of several laws with one name the one of the year, else the newest."""
        if citation.number:
            return self.by_number.get(citation.key)
        named = self.by_name.get(" ".join(fold(citation.name).split()), [])
        if citation.year is not None:
            named = [row for row in named if _of_year(row, citation.year)]
        return max(named, key=lambda row: row.effective_from or date.min, default=None)


def all_cited(session: Session, documents: Iterable[int] | None = None) -> list[Cited]:
    """Return what the documents in force cite, one row a document and law, by code; of some documents or of all."""
    register, said = Register(session), verdicts(session)
    found = []
    for revision, text in _texts(session, documents):
        seen: set[str] = set()
        for citation in read(text):
            law = register.find(citation)
            identity = law.number_key if law else citation.key
            if identity not in seen:
                seen.add(identity)
                verdict = said.get((revision.document_id, identity), "")
                found.append(Cited(revision.document, revision, citation, law, verdict))
        for (document_id, key), verdict in said.items():
            if document_id == revision.document_id and key not in seen and verdict == CONFIRMED:
                added = Citation(key, 0, 0)
                law = register.by_number.get(key)
                added = Citation(law.number, 0, 0) if law else added
                found.append(Cited(revision.document, revision, added, law, verdict))
    return found


def citing(session: Session, law: ExternalDocument) -> list[Cited]:
    """Return the documents in force that cite a law, but for citations that a person rejected."""
    return [row for row in all_cited(session) if row.counts and row.law is not None and row.law.id == law.id]


def citing_procedures(session: Session, law: ExternalDocument) -> list[Procedure]:
    """Return the administrative procedures that apply today and whose legal basis names a law."""
    register, today = Register(session), clock.today()
    found = []
    for procedure in procedures.coverage.all_procedures(session):
        if procedure.basis and procedure.state_on(today) == "live":
            laws = (register.find(citation) for citation in read(procedure.basis))
            if any(each is not None and each.id == law.id for each in laws):
                found.append(procedure)
    return found


def unknown(session: Session) -> list[Cited]:
    """Return the citations of documents in force that are not in the register."""
    return [row for row in all_cited(session) if row.counts and row.law is None]


def expired(session: Session, day: date | None = None) -> list[Cited]:
    """Return the citations, in documents in force, of laws that are not in force any more on a day, today by default."""
    day = day or clock.today()
    return [row for row in all_cited(session) if row.counts and row.law and row.law.state_on(day) == external.EXPIRED]


def judge(session: Session, document: Document, label: str, verdict: str, *, by: Reader) -> CitationVerdict:
    """Say that a document does cite a law, or that what was read is no citation; the label is its number or name."""
    if not {"controller", "reviewer", "author"} & by.roles_in(document.unit_id):
        raise NoRole(
            Sentence(
                "Chỉ người soạn thảo, trưởng đơn vị hoặc người kiểm soát tài liệu được xác nhận căn cứ.",
                "Only an author, the unit head or a document controller may confirm what a document cites.",
            )
        )
    label = " ".join(label.split())[:300]
    if verdict not in (CONFIRMED, REJECTED) or not label:
        raise Refused(Sentence("Hãy ghi số hiệu văn bản.", "Give the number of the law."), field="label")
    register = Register(session)
    law = next(
        (register.find(found) for found in citations.read(label)), register.by_number.get(citations.number_key(label))
    )
    found = citations.read(label)
    key = law.number_key if law else found[0].key if found else citations.number_key(label)
    row = CitationVerdict(
        document_id=document.id, key=key[:220], label=label, verdict=verdict, given_at=clock.now(), given_by_id=by.id
    )
    row.given_by = by.account
    session.add(row)
    session.flush()
    audit.record(
        session,
        Action.CITATION_JUDGED,
        by=by.account,
        noun="citation_verdict",
        record_id=row.id,
        document_id=document.id,
        key=row.key,
        label=row.label,
        verdict=verdict,
        given_at=row.given_at,
        given_by_id=row.given_by_id,
    )
    return row


def verdicts(session: Session) -> dict[tuple[int, str], str]:
    """Return the newest verdict on each citation, by document and key."""
    rows = session.scalars(select(CitationVerdict).order_by(CitationVerdict.id))
    return {(row.document_id, row.key): row.verdict for row in rows}


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[Citation, ...]:
    """Return the first citation of each law that a text names; texts never change, so each is read once."""
    return tuple(citations.different(text).values())


def _texts(session: Session, documents: Iterable[int] | None) -> list[tuple[Revision, str]]:
    query = (
        select(Revision, ContentText.text)
        .join(Document, Document.id == Revision.document_id)
        .join(ContentText, ContentText.sha256 == Revision.file_sha256, isouter=True)
        .where(in_force_at(clock.now()))
        .options(joinedload(Revision.document).joinedload(Document.unit))
        .order_by(Document.code_key, Document.id)
    )
    if documents is not None:
        query = query.where(Revision.document_id.in_(list(documents)))
    return [(revision, text or "") for revision, text in session.execute(query)]


def _of_year(row: ExternalDocument, year: int) -> bool:
    return f"/{year}/" in row.number or (row.issued_on is not None and row.issued_on.year == year)
