"""What became of an import, source by source: the shape that every import answers with."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from docctl import authority, people
from docctl.people import Reader
from docctl.rules import Refused, Sentence


@dataclass
class Result:
    """Each source is in exactly one of the counts or lists; what needs a person was taken all the same."""

    read: int = 0
    created: int = 0
    revised: int = 0
    unchanged: int = 0
    conflicts: list[dict[str, str]] = field(default_factory=list)
    needs_a_person: list[dict[str, str]] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the result as the JSON of the interface."""
        return dict(vars(self))

    def doubtful(self, source: str, field: str, sentences: Sequence[Sentence], locale: str) -> None:
        """Note a source that was taken and should be looked at."""
        reason = " ".join(sentence.get(locale) for sentence in sentences)
        self.needs_a_person.append({"source": source, "field": field, "reason": reason})


def importer(session: Session, name: str) -> Reader:
    """Return who imports: the named account, else the first document controller."""
    if name:
        return authority.reader(session, people.find(session, name))
    for account in people.all_accounts(session):
        by = people.reader(session, account)
        if not account.disabled_at and by.has("controller"):
            return by
    raise Refused(
        Sentence(
            "Chưa có người kiểm soát tài liệu. Hãy thêm bằng `docctl user add NAME --role controller`, hoặc ghi --as.",
            "There is no document controller yet. Add one with `docctl user add NAME --role controller`, or give --as.",
        )
    )
