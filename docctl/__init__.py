"""docctl: document control for ISO 9001 quality documents, with a versioned workflow."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from docctl.site import Site

__version__ = "0.1.0"


def create_app(site: "Site | None" = None) -> "Flask":
    """Return the web application over an opened site; opens the one of the settings when none is given."""
    # The web is imported here, so that the nouns and the command line never load it.
    from docctl import api, config, web
    from docctl.site import open_site

    app = web.create(site or open_site(config.load()))
    api.install(app)
    return app
