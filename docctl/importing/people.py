"""Who imports: the named account, else the first document controller of the unit."""

from sqlalchemy.orm import Session

from docctl import people
from docctl.people import Reader
from docctl.rules import Refused, Sentence
from docctl.units import Unit


def importer(session: Session, name: str, unit: Unit) -> Reader:
    """Return who imports: the named account, else the office's first controller, else who sets the office up."""
    if name:
        return people.reader(session, people.find(session, name))
    readers = [people.reader(session, account) for account in people.all_accounts(session) if not account.disabled_at]
    if found := next((by for by in readers if "controller" in by.roles_in(unit.id)), None):
        return found
    # Before there is a controller and an author, whoever holds the machine brings in what the office already has.
    founder = next((by for by in readers if by.has("admin")), None)
    if founder is not None and not any(by.has("controller", "author") for by in readers):
        return Reader(founder.account, {**founder.reach, "controller": None, "author": None})
    raise Refused(
        Sentence(
            "Chưa có người kiểm soát tài liệu. Hãy thêm bằng `docctl user add NAME --role controller`, hoặc ghi --as.",
            "There is no document controller yet. Add one with `docctl user add NAME --role controller`, or give --as.",
        )
    )
