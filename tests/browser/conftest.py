"""Real Chromium in front of the real server: windows in which the cast signs in, and everything the browser complained of."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, sync_playwright

from docctl.site import Site
from tests.conftest import PASSWORD
from tests.reliability.serving import Server

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Window:
    """One browser window; it remembers errors of the console and requests that left the host."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda said: self._console(said.type, said.text, said.location.get("url", "")))
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", lambda request: self._request(request.url))

    def go(self, path: str) -> Response:
        """Open an address of the site."""
        answer = self.page.goto(self.url + path, wait_until="load")
        assert answer is not None
        return answer

    def sign_in(self, name: str) -> None:
        """Sign in through the page."""
        self.go("/sign-in")
        self.page.locator("input[name=name]").fill(name)
        self.page.locator("input[name=password]").fill(PASSWORD)
        with self.page.expect_navigation():
            self.page.locator("form:has(input[name=password]) button").click()
        assert not self.page.url.endswith("/sign-in"), self.main()

    def sign_out(self) -> None:
        """Press the button that ends the session."""
        with self.page.expect_navigation():
            self.page.locator('form[action="/sign-out"] button').click()

    def press(self, trigger: str, *, password: str = "", reason: str = "") -> None:
        """Press the button of an act, entering what it asks for."""
        panel = self.page.locator(f"details#act-{trigger}")
        if panel.count():
            panel.locator("summary").click()
            if reason:
                panel.locator("[name=reason]").fill(reason)
            if password:
                panel.locator("[name=password]").fill(password)
            button = panel.locator("form button[type=submit]")
        else:
            button = self.page.locator(f'.acts button[name=trigger][value="{trigger}"]')
        with self.page.expect_navigation():
            button.click()

    def main(self) -> str:
        """Return the words of the page."""
        return self.page.locator("main").inner_text()

    def state(self) -> str:
        """Return the sentence that opens the page."""
        return self.page.locator(".opening").first.inner_text()

    def _console(self, kind: str, said: str, about: str) -> None:
        # Chromium says so itself of a status that a test has asked for; a script or the policy says it otherwise.
        if kind in ("error", "warning") and "the server responded with a status of" not in said:
            self.complaints.append(f"console: {said} ({about})")

    def _request(self, address: str) -> None:
        if not address.startswith((self.url, "data:", "blob:")):
            self.complaints.append(f"left the host: {address}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Start Chromium once."""
    if not shutil.which(CHROMIUM):
        pytest.skip(f"Chromium is not installed at {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def server(site: Site) -> Iterator[Server]:
    """A server over the test's storage; a test may stop and start it."""
    running = Server(site.settings.storage).start()
    yield running
    running.stop()


@pytest.fixture
def open_window(chromium: Browser, server: Server) -> Iterator[Callable[..., Window]]:
    """Return a function that opens a window of its own: its width, language and colours are given."""
    contexts = []

    def open_one(
        name: str = "", *, width: int = 1440, locale: str = "en-GB", dark: bool = False, **given: Any
    ) -> Window:
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            locale=locale,
            color_scheme="dark" if dark else "light",
            **given,
        )
        contexts.append(context)
        window = Window(context.new_page(), server.url)
        if name:
            window.sign_in(name)
        return window

    yield open_one
    for context in contexts:
        context.close()


@pytest.fixture
def desk(open_window: Callable[..., Window]) -> Window:
    """A window as wide as a desk's screen."""
    return open_window()


@pytest.fixture
def phone(open_window: Callable[..., Window]) -> Window:
    """A window as narrow as a telephone."""
    return open_window(width=360)
