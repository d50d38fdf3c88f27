"""Figures for a monitor at `/metrics`: requests as they are answered, and the state of the record when it is asked."""

import time
from ipaddress import ip_address
from typing import Any

from flask import Blueprint, Flask, Response, abort, current_app, g, request
from prometheus_client import CollectorRegistry, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from docctl import audit, clock, contents, revisions, tokens
from docctl.web import edge, security

blueprint = Blueprint("metrics", __name__)

SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


def install(app: Flask) -> None:
    """Time every answer, by the name of its view: addresses may hold what people looked for."""
    registry = CollectorRegistry()
    answered = Histogram(
        "docctl_request_seconds",
        "Seconds from a request to its answer.",
        ("method", "view", "status"),
        buckets=SECONDS,
        registry=registry,
    )
    app.extensions["metrics"] = registry

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        view = request.endpoint or "none"
        if began := g.get("began"):
            answered.labels(request.method, view, response.status_code).observe(time.perf_counter() - began)
        return response


@blueprint.get("/metrics")
@security.public
def show() -> Response:
    """Give the figures in Prometheus's text form, to this machine itself or to whoever has a token."""
    if not (_from_here() or _has_token()):
        abort(403)
    text = generate_latest(current_app.extensions["metrics"]) + generate_latest(_present())
    return Response(text, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _present() -> CollectorRegistry:
    session, engine = edge.reading(), edge.site().engine
    head, position = audit.head(session).sequence, engine.position()
    registry = CollectorRegistry()
    for name, said, value in (
        ("docctl_revisions_in_force", "Revisions in force now.", revisions.count_in_force(session, at=clock.now())),
        ("docctl_revisions_open", "Revisions on their way to being issued.", revisions.count_open(session)),
        ("docctl_trail_entries", "Entries of the audit trail.", head),
        ("docctl_index_behind_entries", "Entries of the trail that the search index has not seen.", head - position),
        ("docctl_texts_waiting", "Files whose text was not read yet.", contents.count_waiting(session)),
    ):
        Gauge(name, said, registry=registry).set(value)
    return registry


def _from_here() -> bool:
    """Say whether this machine itself asks; what a proxy hands on comes from elsewhere."""
    handed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP"))
    address = request.remote_addr or ""
    return not handed_on and _is_loopback(address)


def _is_loopback(address: str) -> bool:
    try:
        return bool(ip_address(address).is_loopback)
    except ValueError:
        return False


def _has_token() -> bool:
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    found: Any = tokens.bearer(edge.reading(), token.strip()) if scheme.casefold() == "bearer" else None
    return found is not None
