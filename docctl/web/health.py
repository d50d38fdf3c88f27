"""Whether the program lives, and whether it can serve: for monitors, without sign-in."""

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from docctl import database
from docctl.web import edge, security

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
@security.public
def alive() -> Response:
    """Say that the process answers."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
@security.public
def ready() -> tuple[Response, int]:
    """Say whether the database, the files and the index can be reached."""
    site = edge.site()
    checks = {
        "database": database.readable(edge.reading()),
        "files": site.settings.storage.is_dir(),
        "index": site.engine.position() >= 0,
    }
    good = all(checks.values())
    return jsonify(status="ok" if good else "failing", checks=checks), 200 if good else 503
