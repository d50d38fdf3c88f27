"""The command line: the same verbs as the pages, with the actor named."""

from docctl.cli import (
    asking,
    decisions,
    documents,
    exporting,
    importing,
    importing_registers,
    keeping,
    law,
    organisation,
    requests,
    tokens,
)
from docctl.cli.main import main

ORDER = (organisation, documents, requests, decisions, importing, importing_registers, asking, exporting, law, keeping)
for module in (*ORDER, tokens):
    module.add_to(main)

__all__ = ["main"]
