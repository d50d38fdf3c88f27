"""Behind the office's own proxies the right client counts; what anybody writes into the headers of a proxy does not."""

import threading
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPConnection

import pytest
from flask import Flask
from jinja2 import FileSystemBytecodeCache
from waitress import wasyncore

from docctl import web
from docctl.cli.organisation import listening
from docctl.config import ConfigError, load
from docctl.site import Site
from docctl.web.throttle import Throttle
from tests.conftest import Made
from tests.web.conftest import Browser

PROXY = {"REMOTE_ADDR": "10.0.0.1"}


@pytest.fixture
def behind(site: Site, compiled: FileSystemBytecodeCache) -> Callable[[int], Flask]:
    """Return a function that gives the application as so many proxies stand before it; an address may ask twice."""

    def make(proxies: int) -> Flask:
        app = web.create(replace(site, settings=replace(site.settings, proxies=proxies)))
        app.jinja_env.bytecode_cache = compiled
        app.test_client_class = Browser
        app.extensions["public throttle"] = Throttle(burst=2, rate=1e-6)
        return app

    return make


def asked(app: Flask, *forwarded: str) -> list[int]:
    """Ask for the public pages once for every X-Forwarded-For, always from the same connection."""
    return [
        app.test_client().get("/public/", headers={"X-Forwarded-For": said}, environ_overrides=PROXY).status_code
        for said in forwarded
    ]


def test_without_a_proxy_a_forged_address_changes_nothing(behind: Callable[[int], Flask]) -> None:
    assert asked(behind(0), "192.0.2.1", "192.0.2.2", "192.0.2.3") == [200, 200, 429]


def test_behind_a_proxy_each_client_has_an_allowance_of_its_own(behind: Callable[[int], Flask]) -> None:
    assert asked(behind(1), "192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2") == [200, 200, 429, 200]


def test_what_a_client_wrote_before_the_proxy_did_is_not_believed(behind: Callable[[int], Flask]) -> None:
    assert asked(behind(1), "1.1.1.1, 192.0.2.1", "2.2.2.2, 192.0.2.1", "3.3.3.3, 192.0.2.1") == [200, 200, 429]


def test_behind_two_proxies_the_client_is_the_one_before_both(behind: Callable[[int], Flask]) -> None:
    app = behind(2)
    assert asked(app, "8.8.8.8, 192.0.2.1, 10.0.0.9", "192.0.2.1, 10.0.0.9", "192.0.2.1, 10.0.0.9") == [200, 200, 429]
    assert asked(app, "192.0.2.2, 10.0.0.9") == [200]


@pytest.mark.parametrize(
    ("proxies", "address", "secure"), [(0, "http://localhost", False), (1, "https://office.example", True)]
)
def test_links_and_cookies_follow_scheme_and_host_only_of_a_proxy(
    behind: Callable[[int], Flask], make_revision: Callable[..., Made], proxies: int, address: str, secure: bool
) -> None:
    made, browser = make_revision("in_force"), behind(proxies).test_client()
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "office.example", "X-Forwarded-For": "192.0.2.1"}
    feed = browser.get("/public/feed.atom", headers=dict(said), environ_overrides=PROXY).text
    assert f"{address}/public/documents/{made.document_id}" in feed
    page = browser.get("/sign-in", headers=dict(said), environ_overrides=PROXY)
    assert ("; Secure" in page.headers["Set-Cookie"]) is secure
    assert ("Strict-Transport-Security" in page.headers) is secure


@pytest.mark.parametrize(("proxies", "secure"), [(0, False), (1, True)])
def test_the_server_itself_hands_on_what_a_proxy_says(site: Site, proxies: int, secure: bool) -> None:
    server = listening(
        replace(site, settings=replace(site.settings, proxies=proxies)), host="127.0.0.1", port=0, threads=1
    )
    heard: list[tuple[int, bool]] = []

    def ask() -> None:
        said = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
        for path, headers in (("/metrics", {}), ("/metrics", said), ("/sign-in", said)):
            connection = HTTPConnection("127.0.0.1", server.effective_port, timeout=20)
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            heard.append((answer.status, "; Secure" in str(answer.headers["Set-Cookie"])))
            answer.read()
            connection.close()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        while asking.is_alive():
            wasyncore.loop(timeout=0.05, count=1, map=server._map)
    finally:
        asking.join(timeout=60)
        server.task_dispatcher.shutdown()
        wasyncore.close_all(server._map)  # The listener, and what a client left behind.
    # The figures are this machine's own to read: what came through a proxy was asked from elsewhere.
    assert heard == [(200, False), (403, secure), (200, secure)]


@pytest.mark.parametrize("value", ["-1", "one", "10", "1.5"])
def test_a_number_of_proxies_that_is_none_is_refused_in_one_sentence(value: str) -> None:
    with pytest.raises(ConfigError, match="how many reverse proxies"):
        load({"DOCCTL_PROXIES": value})
