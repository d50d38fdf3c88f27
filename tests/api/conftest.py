"""Programs that speak to the real application with tokens of the cast, and hold every answer to its description."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.test import TestResponse

from docctl import create_app, people, tokens
from docctl.api import PARTS
from docctl.site import Site

OPERATIONS = [operation for part in PARTS for operation in part.OPERATIONS]


class Program:
    """A program with somebody's token; what it is answered must have the shape that the description promises."""

    def __init__(self, client: FlaskClient, token: str) -> None:
        self.client, self.token = client, token

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        """Send a call; files go as a form."""
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        files = isinstance(body, dict) and any(isinstance(value, tuple) for value in body.values())
        how = {"data": body, "content_type": "multipart/form-data"} if files else {"json": body} if body else {}
        answer = self.client.open(f"/api/v1{path}", method=method, headers=sent, buffered=True, **how)
        answer.request.environ["wsgi.input"].close()
        self._as_described(answer, method, path)
        return answer

    def get(self, path: str, **headers: str) -> Any:
        """Return what a question is answered; it must be."""
        answer = self.call("GET", path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json

    def post(self, path: str, body: Any = None, status: int = 201, **headers: str) -> Any:
        """Send something and return the answer, which must have this status."""
        answer = self.call("POST", path, body, **headers)
        assert answer.status_code == status, answer.text
        return answer.json

    def act(self, path: str, trigger: str, *, refused: int = 0, **body: str) -> Any:
        """Take a record through a trigger."""
        return self.post(f"{path}/transitions", {"trigger": trigger, **body}, status=refused or 200)

    def _as_described(self, answer: TestResponse, method: str, path: str) -> None:
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json", answer.text
            problem = json.loads(answer.text)
            assert problem["status"] == answer.status_code
            assert problem["title"]
            return
        where = path.partition("?")[0]
        endpoint, _ = self.client.application.url_map.bind("localhost").match(f"/api/v1{where}", method)
        for operation in OPERATIONS:
            if operation.method == method and endpoint == f"api.{operation.name}" and answer.is_json:
                Draft202012Validator(dict(operation.answers)).validate(answer.json)
                assert answer.status_code == operation.status


@pytest.fixture
def application(site: Site) -> Flask:
    """The real application, the interface included."""
    return create_app(site)


@pytest.fixture
def program(site: Site, application: Flask) -> Callable[..., Program]:
    """Return a function that gives a program one of the cast's tokens."""

    def start(name: str, *, read_only: bool = False) -> Program:
        with site.database.writing() as session:
            account = people.find(session, name)
            token = tokens.create(session, account, "test", read_only=read_only, by=account)
        return Program(application.test_client(), token)

    return start
