"""The command line: the same verbs as the pages, with the actor named."""

from docctl.cli import (
    afterwards,
    asking,
    decisions,
    distribution,
    documents,
    exporting,
    importing,
    importing_registers,
    internal_audits,
    keeping,
    law,
    organisation,
    recall,
    requests,
    retention,
    tokens,
)
from docctl.cli.main import main

FIRST = (
    organisation,
    documents,
    requests,
    decisions,
    afterwards,
    distribution,
    recall,
    retention,
    internal_audits,
    importing,
    importing_registers,
    asking,
)
for module in (*FIRST, exporting, law, keeping, tokens):
    module.add_to(main)

__all__ = ["main"]
