"""The description of every call: OpenAPI 3.1 as JSON, and as one page that fetches nothing from elsewhere."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, jsonify, render_template

from docctl import __version__
from docctl.api import shapes
from docctl.api.calling import PREFIX, Operation, Schema
from docctl.web import security

_NAMED = re.compile(r"<(?:\w+:)?(\w+)>")


def add_to(blueprint: Blueprint, operations: Sequence[Operation]) -> None:
    """Add the two addresses of the description; they hold no data and need no token."""
    described = describe(operations)
    for path, view, said in (
        ("openapi", partial(jsonify, described), "Give the description of every call, OpenAPI 3.1."),
        ("docs", partial(_page, described), "Show the description of every call as a page."),
    ):
        shown = security.public(view)
        shown.__doc__ = said
        address = "/openapi.json" if path == "openapi" else "/docs"
        blueprint.add_url_rule(address, path, shown, methods=["GET"])


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the OpenAPI description of the calls."""
    paths: dict[str, dict[str, Any]] = {}
    for given in operations:
        paths.setdefault(_NAMED.sub(r"{\1}", given.path), {})[given.method.lower()] = _operation(given)
    return {
        "openapi": "3.1.0",
        "info": {"title": "docctl", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "servers": [{"url": PREFIX}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": shapes.PROBLEM},
        },
    }


def _page(described: dict[str, Any]) -> str:
    return render_template("api/docs.html", described=described, prefix=PREFIX)


def _operation(given: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": given.name,
        "summary": given.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": shapes.NUMBER}
            for name in _NAMED.findall(given.path)
        ],
        "responses": {
            str(given.status): {"description": given.summary, "content": _content(given.answers)},
            "default": {
                "description": "A refusal, with a title for a person.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    for name, schema in given.query.items():
        place = {"name": name.rstrip("*"), "in": "query", "required": name.endswith("*"), "schema": schema}
        found["parameters"].append(place)
    if given.method in ("POST", "PATCH"):
        header = "Idempotency-Key" if given.method == "POST" else "If-Match"
        found["parameters"].append({"name": header, "in": "header", "required": False, "schema": shapes.TEXT})
    if given.body:
        found["requestBody"] = {"content": _accepted(given)}
    return found


def _content(schema: Schema) -> dict[str, Any]:
    kind = "*/*" if schema is shapes.BINARY else schema.get("contentMediaType", "application/json")
    return {kind: {"schema": schema}}


def _accepted(given: Operation) -> dict[str, Any]:
    plain = {name: schema for name, schema in given.body.items() if schema is not shapes.BINARY}
    kinds = {"application/json": {"schema": _object(plain)}}
    if given.files:
        kinds["multipart/form-data"] = {"schema": _object(given.body)}
    return kinds


def _object(fields: Mapping[str, Schema]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name.rstrip("*"): schema for name, schema in fields.items()},
        "required": [name.rstrip("*") for name in fields if name.endswith("*")],
    }
