"""A browser for each of the cast: the real application over a real site, CSRF on, cookies kept."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from werkzeug.test import TestResponse

from docctl import web
from docctl.site import Site
from tests.conftest import PASSWORD

_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Browser(FlaskClient):
    """A client that sends English first and, with `send`, the CSRF token of the page it last looked at."""

    token = ""

    def open(self, *args: Any, **given: Any) -> TestResponse:
        """Ask for a page; remember the token of its forms, as a browser does, and leave no file open."""
        given.setdefault("headers", {}).setdefault("Accept-Language", "en")
        answer = super().open(*args, buffered=True, **given)
        answer.request.environ["wsgi.input"].close()  # A large form is sent from a temporary file.
        if answer.mimetype == "text/html" and (found := _TOKEN.search(answer.text)):
            self.token = found[1]
        return answer

    def send(self, path: str, **form: Any) -> TestResponse:
        """Post a form with the token of the page that was looked at last."""
        return self.post(path, data={"csrf_token": self.token, **form}, content_type="multipart/form-data")

    def read(self, path: str) -> str:
        """Return a page that must be there, its entities resolved."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status}"
        return unescape(answer.text)


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all tests: compiling them anew for each application took half of the time."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(site: Site, compiled: FileSystemBytecodeCache) -> Flask:
    """The real application; CSRF and everything else is on."""
    app = web.create(site)
    app.jinja_env.bytecode_cache = compiled
    app.test_client_class = Browser
    return app


@pytest.fixture
def sign_in(app: Flask) -> Callable[..., Browser]:
    """Return a function that gives one of the cast a browser of his own, signed in through the page."""

    def enter(name: str, locale: str = "en", password: str = PASSWORD) -> Browser:
        browser = app.test_client()
        assert isinstance(browser, Browser)
        browser.get("/sign-in")
        answer = browser.send("/sign-in", name=name, password=password)
        assert answer.status_code == 303, answer.text
        browser.get("/")
        if locale != "en":
            browser.send("/language", lang=locale)
        return browser

    return enter


@pytest.fixture
def stranger(app: Flask) -> Browser:
    """A browser that nobody has signed in with."""
    browser = app.test_client()
    assert isinstance(browser, Browser)
    return browser
