"""What pages with papers share: papers as files, and the choices of filters."""

import io
from collections.abc import Sequence
from typing import Any

from flask import request, send_file, url_for
from werkzeug.wrappers import Response

from docctl import clock, exporting
from docctl.exporting import Cell, Paper, xlsx
from docctl.text import clean_name

A_DAY = {"inputmode": "numeric", "placeholder": "26/10/2022", "autocomplete": "off"}


def file(paper: Paper, format: str, name: str = "") -> Response:
    """Answer with a paper as a file, by default named by its title and today's day."""
    name = name or f"{paper.title} {clock.today().isoformat()}"
    return send_file(
        io.BytesIO(exporting.write(paper, format)),
        mimetype=exporting.FORMATS[format].mimetype,
        as_attachment=True,
        download_name=f"{name.replace('/', '-')}.{format}",
    )


def workbook(title: str, heads: Sequence[str], lines: Sequence[Sequence[Cell]]) -> Response:
    """Answer with rows as an Excel file, named by its title and today's day."""
    return send_file(
        io.BytesIO(xlsx.workbook(title, heads, lines)),
        mimetype=exporting.FORMATS["xlsx"].mimetype,
        as_attachment=True,
        download_name=f"{clean_name(title).replace('/', '-')[:80]} {clock.today().isoformat()}.xlsx",
    )


def again(endpoint: str, **changed: str) -> str:
    """Return the address of the same questions with something else asked besides."""
    asked: dict[str, Any] = {**request.args.to_dict(), **changed}
    return url_for(endpoint, **{name: value for name, value in asked.items() if not name.startswith("_")})


def chosen(given: str | None, known: Sequence[str], default: str) -> str:
    """Return what was chosen if it is one of the choices, else the default."""
    return given if given is not None and given in known else default
