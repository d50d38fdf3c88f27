"""The tables as the whole program declares them, whichever test is run alone."""

from importlib import import_module
from pathlib import Path

from sqlalchemy import MetaData

import docctl
from docctl.database import Base

PACKAGE = Path(docctl.__file__).resolve().parent


def every_table() -> MetaData:
    """Import each module that declares a table, and return them all: a new noun need not be listed here."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if "__tablename__ =" in path.read_text(encoding="utf-8"):
            import_module(".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"))
    return Base.metadata
