"""The JSON edge for other programs, over the same verbs as the pages: `/api/v1`."""

from flask import Flask

from docctl.api import (
    asking,
    calling,
    decisions,
    describing,
    distribution,
    documents,
    law,
    recalls,
    requests,
    revisions,
    trail,
)
from docctl.web import security

# The order is that of the description; none depends on another.
PARTS = (documents, revisions, requests, decisions, distribution, recalls, law, asking, trail)


def install(app: Flask) -> None:
    """Put the interface into the application; its calls carry tokens, not cookies, and so no form's token."""
    operations = [operation for part in PARTS for operation in part.OPERATIONS]
    blueprint = calling.blueprint_of(operations)
    describing.add_to(blueprint, operations)
    security.csrf.exempt(blueprint)
    app.register_blueprint(blueprint)
