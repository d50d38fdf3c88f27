"""Who is signed in, sign-in by default, CSRF, cookies, and the headers of every answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as AnyResponse

from docctl import clock, people
from docctl.people import Account
from docctl.web import edge

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TOUCH_EVERY = timedelta(minutes=5)

View = TypeVar("View", bound=Callable[..., Any])
csrf = CSRFProtect()


class SignedIn(UserMixin):  # type: ignore[misc]  # flask_login has no types.
    """The person of a live sign-in session, as Flask-Login wants to see him or her."""

    def __init__(self, account: Account, token: str) -> None:
        self.account_id = account.id
        self.name = account.name
        self.title_vi = account.title_vi
        self.title_en = account.title_en or account.title_vi
        self.locale = account.locale
        self.must_change_password = account.must_change_password
        self.token = token

    def get_id(self) -> str:
        """Return the token of the session: the cookie names a session in the database, never an account."""
        return self.token


class Cookies(SecureCookieSessionInterface):
    """Cookies that are Secure whenever the request or the base address is HTTPS."""

    def get_cookie_secure(self, app: Flask) -> bool:
        """Say whether the cookie may only travel over TLS."""
        return request.is_secure or edge.site().settings.base_url.startswith("https:")


def install(app: Flask) -> None:
    """Set up cookies, sign-in, CSRF and headers."""
    app.config.update(
        SESSION_COOKIE_NAME="docctl",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=people.SESSION_LIFE,
        TRUSTED_HOSTS=_trusted_hosts(app.extensions["site"].settings.base_url),
    )
    _believe_proxies(app, app.extensions["site"].settings.proxies)
    app.session_interface = Cookies()
    csrf.init_app(app)
    manager = LoginManager(app)
    manager.session_protection = None  # Sessions live in the database and rotate there; an address may change.
    manager.user_loader(_load)
    app.before_request(_sign_in_first)
    app.after_request(_headers)


def public(view: View) -> View:
    """Mark a view that needs no sign-in; every other one does."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


def begin_session(account: Account) -> None:
    """Sign a person in on a new session; whatever the browser held before is forgotten."""
    token = people.open_session(edge.writing(), account)
    session.clear()
    login_user(SignedIn(account, token))
    g.account_id = account.id


def end_session() -> None:
    """End the session in the database, so that a copied cookie is dead too."""
    people.close_session(edge.writing(), current_user.token)
    logout_user()
    session.clear()


def inside(path: str | None) -> str | None:
    """Return a path to go on to if it stays on this site, else None."""
    if not path or not path.startswith("/") or path.startswith(("//", "/\\")):
        return None
    parts = urlsplit(path)
    return path if not parts.scheme and not parts.netloc else None


def _load(token: str) -> SignedIn | None:
    database_session = edge.reading()
    found = people.session_account(database_session, token)
    if found is None:
        return None
    account, sign_in = found
    if clock.now() - sign_in.seen_at > TOUCH_EVERY:
        with edge.site().database.writing() as writing:
            people.touch(writing, token)
    # Set here and not before the request: a refusal of routing or of CSRF shows the page of a signed-in person too.
    g.account_id, g.account = account.id, account  # Held, so that the session need not read the row again.
    return SignedIn(account, token)


def _sign_in_first() -> AnyResponse | None:
    from flask import current_app

    view = current_app.view_functions.get(request.endpoint or "")
    if request.endpoint == "static" or view is None:
        return None
    if current_user.is_authenticated:
        if current_user.must_change_password and request.endpoint not in ("accounts.password", "sign_in.leave"):
            return redirect(url_for("accounts.password"), 303)
        return None
    if getattr(view, "is_public", False):
        return None
    onward = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("sign_in.show", next=onward), 303)


def _headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint not in ("static", "assets.show"):
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _believe_proxies(app: Flask, proxies: int) -> None:
    """Take client address, scheme and host from what so many proxies of the office added; from none, when there are none."""
    if proxies:
        behind = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies)
        app.wsgi_app = behind  # type: ignore[method-assign]  # Flask's own way to put something before an application.


def _trusted_hosts(base_url: str) -> list[str] | None:
    host = urlsplit(base_url).hostname
    return [host, "localhost", "127.0.0.1"] if host else None
