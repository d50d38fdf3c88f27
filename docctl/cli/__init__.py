"""The command line: the same verbs as the pages, with the actor named."""

from docctl.cli import (
    asking,
    decisions,
    distribution,
    documents,
    exporting,
    importing,
    keeping,
    organisation,
    requests,
    tokens,
)
from docctl.cli.main import main

for module in (
    *(organisation, documents, requests, decisions, distribution, importing, asking, exporting, keeping, tokens),
):
    module.add_to(main)

__all__ = ["main"]
