"""The real `docctl serve` in a process of its own, clients that speak plain HTTP to it, and `docctl` run as people run it."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.conftest import PASSWORD

DOCCTL = Path(sys.executable).with_name("docctl")
_SERVES = re.compile(r"serves on http://127\.0\.0\.1:(\d+)")
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def environment(storage: Path, **more: str) -> dict[str, str]:
    """Return the whole environment of a docctl process: this storage, the key of the tests, nothing of the machine's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "DOCCTL_STORAGE": str(storage), "DOCCTL_SECRET_KEY": "a key of the tests", **more}


def docctl(storage: Path, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own."""
    return subprocess.run(
        [str(DOCCTL), *arguments],
        env=environment(storage),
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def verified(storage: Path) -> dict[str, Any]:
    """Run `docctl verify` and return what it found."""
    done = docctl(storage, "verify", "--json")
    assert done.stdout, done.stderr
    return dict(json.loads(done.stdout))


@dataclass
class Server:
    """A serving process over a storage folder; it is stopped or killed by its own process id."""

    storage: Path
    threads: int = 8
    more: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What the process says; one file for all its lives."""
        return self.storage.parent / "serve.log"

    def spawn(self) -> None:
        """Start the process and return at once; the port stays the same over restarts."""
        self._said = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(DOCCTL), "serve", "--port", str(self.port), "--threads", str(self.threads)],
                env=environment(self.storage, **self.more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def ready(self, seconds: float = 60) -> None:
        """Wait until the process says that it can serve."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process is not None
            assert self.process.poll() is None, f"the server ended by itself: {self.said()}"
            if found := _SERVES.search(self.said()):
                self.port = int(found[1])
                asked = Client(self.port)
                status = asked.get("/readyz").status
                asked.close()
                if status == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"not ready after {seconds} s: {self.said()}")

    def start(self) -> "Server":
        """Start the process and wait until it serves."""
        self.spawn()
        self.ready()
        return self

    def said(self) -> str:
        """Return what the process has said in its present life."""
        return self.log.read_bytes()[self._said :].decode(errors="replace")

    def kill(self) -> None:
        """End the process as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)

    def stop(self) -> None:
        """Interrupt the process as a person does, or kill it when it does not listen."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    text: str
    location: str
    seconds: float


class Client:
    """What is left of a browser when nobody looks: one connection, its cookies, and the CSRF token of the last page."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.token = ""
        self.cookies: dict[str, str] = {}
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def close(self) -> None:
        """Hang up."""
        self.http.close()

    def get(self, path: str) -> Answer:
        """Ask for a page, on a fresh connection if the kept one has gone."""
        try:
            return self._ask("GET", path)
        except (http.client.HTTPException, ConnectionError):
            self.http.close()
            return self._ask("GET", path)

    def read(self, path: str) -> str:
        """Return a page that must be there."""
        answer = self.get(path)
        assert answer.status == 200, f"{path}: {answer.status}\n{answer.text[-2000:]}"
        return unescape(answer.text)

    def post(self, path: str, form: dict[str, Any], *, file: tuple[str, bytes] | None = None) -> Answer:
        """Send a form once, whatever happens: an act must never be sent twice by the client itself."""
        return self._ask("POST", path, *self._packed(form, file))

    def sign_in(self, name: str) -> "Client":
        """Sign in through the page, as everybody does."""
        self.get("/sign-in")
        answer = self.post("/sign-in", {"name": name, "password": PASSWORD})
        assert answer.status == 303, f"{name}: {answer.status} {answer.text}"
        self.read("/")
        return self

    def begin(self, path: str, form: dict[str, Any]) -> None:
        """Send all of a form but its last byte; the server can do nothing yet."""
        body, kind = self._packed(form, None)
        self.http.putrequest("POST", path)
        for name, value in self._headers(kind).items():
            self.http.putheader(name, value)
        self.http.putheader("Content-Length", str(len(body)))
        self.http.endheaders(body[:-1])
        self._last = body[-1:]

    def finish(self) -> None:
        """Send the last byte: now the server acts."""
        self.http.send(self._last)

    def answer(self, began: float) -> Answer:
        """Read what came back."""
        got = self.http.getresponse()
        text = got.read().decode(errors="replace")
        for cookie in got.headers.get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found := _TOKEN.search(text):
            self.token = unescape(found[1])
        return Answer(got.status, text, got.getheader("Location", ""), time.monotonic() - began)

    def _ask(self, method: str, path: str, body: bytes = b"", kind: str = "") -> Answer:
        began = time.monotonic()
        self.http.request(method, path, body=body or None, headers=self._headers(kind))
        return self.answer(began)

    def _headers(self, kind: str) -> dict[str, str]:
        given = {"Accept-Language": "en"}
        if self.cookies:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {**given, "Content-Type": kind} if kind else given

    def _packed(self, form: dict[str, Any], file: tuple[str, bytes] | None) -> tuple[bytes, str]:
        fields = {"csrf_token": self.token, **form}
        if file is None:
            return urlencode(fields, doseq=True).encode(), "application/x-www-form-urlencoded"
        boundary = uuid.uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, values in fields.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{file[0]}"\r\n'
            "Content-Type: application/octet-stream\r\n\r\n".encode()
            + file[1]
            + b"\r\n"
        )
        return b"".join([*parts, f"--{boundary}--\r\n".encode()]), f"multipart/form-data; boundary={boundary}"


def at_once(clients: Sequence[Client], path: str | Sequence[str], forms: Sequence[dict[str, Any]]) -> list[Answer]:
    """Send one form from every client at the same moment: the last bytes of all leave within about a millisecond."""
    paths = [path] * len(clients) if isinstance(path, str) else path
    for client, where, form in zip(clients, paths, forms, strict=True):
        client.begin(where, form)
    began = time.monotonic()
    for client in clients:
        client.finish()
    return [client.answer(began) for client in clients]
