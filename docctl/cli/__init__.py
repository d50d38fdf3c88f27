"""The command line: the same verbs as the pages, with the actor named."""

from docctl.cli import asking, decisions, documents, importing, importing_registers, keeping, law, organisation
from docctl.cli.main import main

for module in (organisation, documents, decisions, importing, importing_registers, asking, law, keeping):
    module.add_to(main)

__all__ = ["main"]
