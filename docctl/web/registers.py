"""The registers that an office prints: each as a page with filters in its address, and as a file of four types."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from docctl import clock, documents, exporting, units
from docctl.exporting import Block, Paper, registers
from docctl.exporting.registers import Register
from docctl.register import Asked
from docctl.rules import Refused
from docctl.web import asking, edge, errors, forms, kept, language

SHOWN = 100

blueprint = Blueprint("registers", __name__)


@blueprint.get("/registers")
def index() -> str:
    """List the registers."""
    return render_template("registers/index.html", registers=registers.REGISTERS.values(), formats=exporting.FORMATS)


@blueprint.get("/registers/<name>")
def show(name: str) -> str | Response:
    """Show a register, or give it as a file: `format` is xlsx, docx, pdf or csv."""
    found = registers.REGISTERS.get(name) or abort(404)
    form = forms.RegisterForm(request.args)
    errors.show_again(lambda refused: _page(found, form, None, refused))
    paper = found.paper(edge.reading(), _asked(form), by=edge.me(), locale=language.locale())
    wanted = request.args.get("format", "")
    return _file(found, paper, wanted) if wanted in exporting.FORMATS else _page(found, form, paper)


def _asked(form: forms.RegisterForm) -> Asked:
    day = asking.read_day(form.on.data, "on")
    return Asked(
        words=form.q.data or "",
        unit=form.unit.data or "",
        type=form.type.data or "",
        field=form.field.data or "",
        at=clock.midnight(day) if day else None,
    )


def _file(found: Register, paper: Paper, format: str) -> Response:
    return kept.file(paper, format, f"{found.code} {paper.title} {clock.today().isoformat()}")


def _page(found: Register, form: forms.RegisterForm, paper: Paper | None, refused: Refused | None = None) -> str:
    session, locale = edge.reading(), language.locale()
    form.unit.choices = forms.choices([(u.code, u.name(locale)) for u in units.all_units(session)], _("All units"))
    form.type.choices = forms.choices([(t.code, t.name(locale)) for t in documents.all_types(session)], _("All types"))
    for name in ("field", "state", "sort"):
        del form[name]
    everything = request.args.get("rows") == "all"
    return render_template(
        "registers/show.html",
        register=found,
        form=form,
        error=asking.mark(form, refused),
        paper=paper,
        blocks=[_shown(block, None if everything else SHOWN) for block in paper.blocks] if paper else [],
        formats={format: _url(found, format=format) for format in exporting.FORMATS},
        all_url=_url(found, rows="all"),
    )


def _shown(block: Block, limit: int | None) -> SimpleNamespace:
    urls = [url_for("documents.show", document_id=row) for row in block.documents[:limit]]
    rows = [
        SimpleNamespace(cells=list(row), url=urls[number] if urls else "")
        for number, row in enumerate(block.rows[:limit])
    ]
    return SimpleNamespace(caption=block.caption, headings=block.headings, rows=rows, total=len(block.rows))


def _url(found: Register, **changed: str) -> str:
    """Return the address of the same questions, as a file or with every row."""
    asked: dict[str, Any] = {name: value for name, value in request.args.items() if not name.startswith("_")}
    return url_for("registers.show", **{**asked, **changed, "name": found.name})
