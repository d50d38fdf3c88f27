"""The administrator's page of the search: how the index is, and what people look for in vain, without saying who."""

from types import SimpleNamespace

from flask import Blueprint, flash, render_template, url_for
from flask_babel import format_decimal
from flask_babel import gettext as _
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from docctl import jobs, searches
from docctl.rules import Refused, Sentence
from docctl.searches.asking import KEPT_DAYS, SLOW_MS
from docctl.web import edge

blueprint = Blueprint("search_index", __name__)

NO_WORKERS = Sentence(
    "Tiến trình này không có việc nền; hãy chạy `docctl reindex` trên máy chủ.",
    "This process works on nothing in the background: run `docctl reindex` on the server.",
)


@blueprint.get("/search-index")
def show() -> str:
    """Show how the index is, how far behind the trail, slow searches and those that found nothing."""
    searches.refuse_others(edge.me())
    session, site = edge.reading(), edge.site()
    health, found = searches.health(session, site.engine, site.settings), searches.figures(session)
    return render_template(
        "searches/index_health.html",
        health=SimpleNamespace(
            engine=health.engine,
            size=_size(health.size),
            files=health.files,
            position=max(0, health.position),
            head=health.head,
            behind=health.behind,
            built=health.position > 0,
        ),
        rebuilding=jobs.rebuilding(site),
        works=jobs.works(site),
        found=found,
        days=KEPT_DAYS,
        slow_ms=SLOW_MS,
    )


@blueprint.post("/search-index/builds")
def rebuild() -> Response:
    """Build the index anew in the background, while the old one answers."""
    searches.refuse_others(edge.me())
    if not jobs.works(edge.site()):
        raise Refused(NO_WORKERS)
    searches.ask_to_rebuild(edge.writing(), by=edge.me())
    edge.commit()
    jobs.rebuild_index(edge.site())
    flash(_("The index is being built anew; searching goes on meanwhile."), "success")
    return redirect(url_for("search_index.show"), 303)


def _size(size: int) -> str:
    if size < 1_000_000:
        return f"{format_decimal(round(size / 1000))} kB"
    return f"{format_decimal(round(size / 1_000_000, 1))} MB"
