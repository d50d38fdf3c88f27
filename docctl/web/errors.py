"""Refusals and errors as answers: recorded in a transaction of their own, told in one sentence, nothing typed lost."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Flask, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from docctl import audit, people
from docctl.audit import Action
from docctl.lifecycle import Stale
from docctl.people import Account, Throttled, WrongPassword
from docctl.rules import NoRole, Refused
from docctl.web import edge, language

Answer = tuple[str, int]
log = logging.getLogger(__name__)


def install(app: Flask) -> None:
    """Register one handler for each kind of refusal."""
    app.register_error_handler(Refused, refused)
    app.register_error_handler(IntegrityError, forbidden_by_database)
    app.register_error_handler(OperationalError, database_busy)
    app.register_error_handler(CSRFError, old_form)
    app.register_error_handler(HTTPException, http_error)
    app.register_error_handler(Exception, failed)


def show_again(page: Callable[[Refused], str]) -> None:
    """Name the page that shows what was typed again, should the act of this request be refused."""
    g.show_again = page


def refused(error: Refused) -> Answer:
    """Answer a refusal with its sentence: 409, or 403 when the person has no role of the act."""
    edge.close()
    record(error)
    status = status_of(error)
    page = g.pop("show_again", None)
    if page is not None and not isinstance(error, Stale):
        return str(page(error)), status
    return _page(status, error.sentence.get(language.locale())), status


def forbidden_by_database(error: IntegrityError) -> Answer:
    """Answer what the database's own guards refused: somebody else was faster, or a program tried to walk past."""
    log.warning("refused by the database: %s", error.orig)
    return refused(Stale())


def database_busy(error: OperationalError) -> Answer:
    """Answer a database that cannot be written just now."""
    edge.close()
    log.error("the database did not answer: %s", error.orig)
    sentence = _("The database is busy or cannot be reached. Nothing was changed. Wait a moment and try again.")
    return _page(HTTPStatus.SERVICE_UNAVAILABLE, sentence), HTTPStatus.SERVICE_UNAVAILABLE


def old_form(error: CSRFError) -> Answer:
    """Answer a form whose token is missing, forged, or of a session that has ended."""
    sentence = _(
        "This form is too old, or you signed in anew since it was opened. Go back, reload the page and send it again."
    )
    return _page(HTTPStatus.BAD_REQUEST, sentence), HTTPStatus.BAD_REQUEST


def http_error(error: HTTPException) -> Response | Answer:
    """Answer an HTTP error with a sentence that says what to do."""
    edge.close()
    code = error.code or 500
    if code == 401:
        return redirect(url_for("sign_in.show"), 303)
    if code < 400 and error.response is not None:
        return error.get_response()
    return _page(code, sentence_of(code)), code


def failed(error: Exception) -> Answer:
    """Answer a fault of the program itself; what happened goes to the log, never to the page."""
    edge.close()
    log.exception("%s %s failed", request.method, request.path)
    return _page(500, sentence_of(500)), 500


def sentence_of(code: int) -> str:
    """Return what to do about an HTTP status."""
    known = {
        400: _("The address or the form is not complete. Go back and try again."),
        403: _("You have no role for this. Ask the administrator if you think you should."),
        404: _("There is nothing at this address, or it is not for you to see. Search for it instead."),
        405: _("This address cannot be used like that. Go back to the page and press its button."),
        413: _(
            "The file is larger than %(n)s MB. Make it smaller (for example, save it as a PDF) and try again.",
            n=edge.site().settings.max_upload_mb,
        ),
        500: _(
            "Something went wrong in docctl itself. Nothing was changed. Try again; if it stays, tell the administrator."
        ),
    }
    return str(known.get(code) or known[400 if code < 500 else 500])


def status_of(error: Refused) -> int:
    """Return the HTTP status of a refusal: 409, or 403 without a role, 401 at sign-in, 429 after too many attempts."""
    if isinstance(error, Throttled):
        return HTTPStatus.TOO_MANY_REQUESTS
    if isinstance(error, WrongPassword) and not g.get("account_id"):
        return HTTPStatus.UNAUTHORIZED
    return HTTPStatus.FORBIDDEN if isinstance(error, NoRole) else HTTPStatus.CONFLICT


def record(error: Refused, trigger: str = "") -> None:
    """Write a refused attempt into the trail, in a transaction of its own."""
    detail: dict[str, Any] = {"path": request.path[:200], "sentence": error.sentence.en[:500]}
    if trigger := (trigger or request.form.get("trigger", ""))[:40]:
        detail["trigger"] = trigger
    if isinstance(error, WrongPassword):
        detail["name"] = error.name
    with edge.site().database.writing() as session:
        account_id = g.get("account_id")
        by = session.get(Account, account_id) if account_id else None
        audit.record(
            session,
            Action.ACT_REFUSED if by else Action.SIGN_IN_REFUSED,
            by=by,
            noun=request.blueprint or "",
            record_id=next((value for value in (request.view_args or {}).values() if isinstance(value, int)), None),
            **detail,
        )
        if isinstance(error, WrongPassword):
            people.record_failure(session, error.name, edge.address())


def _page(status: int, sentence: str) -> str:
    return render_template("error.html", status=int(status), sentence=sentence)
