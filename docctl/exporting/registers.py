"""Every register by its name: what the pages list, and what `docctl export` takes."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from docctl.exporting import master_list
from docctl.exporting.paper import Paper
from docctl.people import Reader
from docctl.register import Asked
from docctl.rules import Refused, Sentence


@dataclass(frozen=True)
class Register:
    """A register: the code of its form, what it is called and what it is for, and what puts it together."""

    name: str
    code: str
    title: Sentence
    about: Sentence
    build: Callable[..., Paper]

    def paper(self, session: Session, asked: Asked, *, by: Reader, locale: str) -> Paper:
        """Return the register as the reader may see it."""
        return self.build(session, asked, by=by, locale=locale)


REGISTERS = {
    row.name: row
    for row in (
        Register(
            "master-list",
            "F2",
            master_list.TITLE,
            Sentence(
                "Tài liệu còn hiệu lực và hết hiệu lực vào một ngày, theo quyết định nào, ai duyệt.",
                "What is in force on a day and what no longer is, by which decision, approved by whom.",
            ),
            master_list.build,
        ),
    )
}


def find(name: str) -> Register:
    """Return a register by its name; raises Refused with the names there are."""
    found = REGISTERS.get(name.strip().lower())
    if found is None:
        raise Refused(
            Sentence(
                "Không có sổ “{name}”. Các sổ đang có: {known}.", "There is no register {name}. There are: {known}."
            ).fill(name=name, known=", ".join(REGISTERS)),
            field="name",
        )
    return found
