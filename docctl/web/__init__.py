"""The pages: each asks, shows, and calls one verb; nothing here decides."""

from flask import Flask
from flask_bootstrap import Bootstrap5

from docctl import config
from docctl.site import Site
from docctl.web import (
    accounts,
    assets,
    chains,
    changes,
    decisions,
    delegations,
    distribution,
    documents,
    edge,
    errors,
    evidence,
    external,
    health,
    home,
    in_force,
    internal_audits,
    language,
    metrics,
    nonconformity,
    notices,
    posting,
    procedures,
    public,
    reading,
    recalls,
    registers,
    renditions,
    reports,
    requests,
    retention,
    reviews,
    revisions,
    search,
    search_index,
    searches,
    security,
    show,
    sign_in,
    status,
    style,
    trail,
    units,
    watch,
)

# The order is that of the listing; none depends on another.
PAGES = (
    accounts,
    assets,
    chains,
    changes,
    decisions,
    delegations,
    distribution,
    documents,
    evidence,
    external,
    health,
    home,
    in_force,
    internal_audits,
    language,
    metrics,
    nonconformity,
    notices,
    posting,
    procedures,
    public,
    reading,
    recalls,
    registers,
    retention,
    renditions,
    reports,
    requests,
    reviews,
    revisions,
    search,
    search_index,
    searches,
    sign_in,
    status,
    style,
    trail,
    units,
    watch,
)


def create(site: Site) -> Flask:
    """Build the Flask application over an opened site."""
    settings = site.settings
    app = Flask("docctl.web", static_folder=str(config.PACKAGE / "static"), template_folder=None)
    app.config.update(
        SECRET_KEY=config.secret_key(settings),
        MAX_CONTENT_LENGTH=(settings.max_upload_mb + 1) * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        BOOTSTRAP_SERVE_LOCAL=True,
        WTF_CSRF_TIME_LIMIT=None,  # The token lives as long as the sign-in session does.
    )
    app.extensions["site"] = site
    Bootstrap5(app)
    language.install(app)
    security.install(app)
    edge.install(app)
    errors.install(app)
    show.install(app)
    metrics.install(app)
    for page in PAGES:
        app.register_blueprint(page.blueprint)
    return app
