"""The scripts of other people that the pages use, served from the installed packages: nothing is fetched from elsewhere."""

from importlib.resources import files

from flask import Blueprint, Response, abort, send_file

from docctl.web import security

blueprint = Blueprint("assets", __name__)

FILES = {"htmx.min.js": ("js_lib_htmx", "static/htmx/htmx.min.js")}


@blueprint.get("/assets/<name>")
@security.public
def show(name: str) -> Response:
    """Send one file of a package."""
    if name not in FILES:
        abort(404)
    package, path = FILES[name]
    return send_file(str(files(package).joinpath(path)), max_age=86400, conditional=True)
