"""Who imports: the named account, else the first document controller of the unit."""

from sqlalchemy.orm import Session

from docctl import people
from docctl.people import Reader
from docctl.rules import Refused, Sentence
from docctl.units import Unit


def importer(session: Session, name: str, unit: Unit) -> Reader:
    """Return who imports: the named account, else the office's first controller."""
    if name:
        return people.reader(session, people.find(session, name))
    for account in people.all_accounts(session):
        by = people.reader(session, account)
        if not account.disabled_at and "controller" in by.roles_in(unit.id):
            return by
    raise Refused(
        Sentence(
            "Chưa có người kiểm soát tài liệu. Hãy thêm bằng `docctl user add NAME --role controller`, hoặc ghi --as.",
            "There is no document controller yet. Add one with `docctl user add NAME --role controller`, or give --as.",
        )
    )
