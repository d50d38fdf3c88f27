"""The edge of a request: its session with the database, who asks, and the explicit commit."""

from typing import cast

from flask import Flask, abort, current_app, g, request
from sqlalchemy.orm import Session
from werkzeug.routing import IntegerConverter

from docctl import authority, jobs, people
from docctl.people import Reader, Reauthenticated
from docctl.site import Site


class Key(IntegerConverter):
    """The id in an address: a whole number of so many digits that it fits a column of any database."""

    regex = r"\d{1,9}"


def install(app: Flask) -> None:
    """Close the request's database sessions when it ends; an id that no database has room for leads nowhere (404)."""
    app.url_map.converters["int"] = Key
    app.teardown_request(lambda error: close())


def site() -> Site:
    """Return the opened site."""
    return cast(Site, current_app.extensions["site"])


def reading() -> Session:
    """Return the request's reading session: every read of the request sees one snapshot."""
    if "session" not in g:
        g.session = site().database.session_for_reading()
    return cast(Session, g.session)


def writing() -> Session:
    """Return the request's writing session, which holds the write lock until `commit` or the end of the request."""
    if not g.get("writes"):
        close()
        g.session, g.writes = site().database.session_for_writing(), True
        g.pop("reader", None)
    return cast(Session, g.session)


def commit() -> None:
    """Commit the act; only then do the index and the extraction of texts follow."""
    writing().commit()
    close()
    jobs.wake(current_app.extensions["site"])


def close() -> None:
    """Give the database session back; what was not committed never happened."""
    session = g.pop("session", None)
    g.pop("writes", None)
    g.pop("reader", None)
    g.pop("account", None)
    if session is not None:
        session.close()


def me() -> Reader:
    """Return who asks, with today's roles, read in the request's own session."""
    if "reader" not in g:
        account_id = g.get("account_id")
        if account_id is None:
            abort(401)
        session = g.session if "session" in g else reading()
        g.reader = authority.reader(session, session.get_one(people.Account, account_id))
    return cast(Reader, g.reader)


def signing(password: str | None) -> Reauthenticated | None:
    """Check the password of an act that signs, before the write lock is taken; None when none was asked for."""
    if not password:
        return None
    proof = people.reauthenticate(reading(), me().account, password, address=address())
    close()
    return proof


def address() -> str:
    """Return the address of the client."""
    return request.remote_addr or ""
