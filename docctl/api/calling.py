"""A call of another program: its token, its body, its one answer, and refusals as problems (RFC 9457)."""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, Response, g, jsonify, request
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException

from docctl import audit, clock, tokens
from docctl.lifecycle import Stale
from docctl.people import WrongPassword
from docctl.rules import Refused, Sentence
from docctl.text import number as digits
from docctl.tokens import KeyReused
from docctl.web import edge, errors, language, security

PREFIX = "/api/v1"
PAGE, MOST = 50, 500
Schema = Mapping[str, Any]


class Wrong(Refused):
    """The call itself cannot be read: a body that is no JSON, a field that is missing or of another kind."""


@dataclass(frozen=True)
class Answer:
    """What a call answers: plain values, or a whole response such as a file."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One call: what it is for, what it takes, what it answers, and the view that does it.

    `query` and `body` name their fields with a JSON Schema each; a name that ends in `*` is required.
    """

    method: str
    path: str
    summary: str
    answers: Schema
    view: Callable[..., Answer | Response]
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Mapping[str, Schema] = field(default_factory=dict)
    files: bool = False
    status: int = 200

    @property
    def name(self) -> str:
        """The name by which the description and the routes know the call."""
        return f"{self.view.__module__.rpartition('.')[2]}_{self.view.__name__}"


def blueprint_of(operations: Iterable[Operation]) -> Blueprint:
    """Return the routes of all calls, with one handler for each kind of refusal."""
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    blueprint.before_request(_let_in)
    for given in operations:
        view = security.public(partial(_run, given))  # Let in by its token, not by a sign-in.
        view.__doc__ = given.summary
        blueprint.add_url_rule(given.path, given.name, view, methods=[given.method])
    nothing = security.public(partial(_nothing))
    nothing.__doc__ = "Answer that there is no such call."
    blueprint.add_url_rule("/<path:rest>", "nothing", nothing, methods=["GET", "POST", "PATCH", "PUT", "DELETE"])
    blueprint.register_error_handler(Refused, _refused)
    blueprint.register_error_handler(IntegrityError, lambda error: _refused(Stale()))
    blueprint.register_error_handler(OperationalError, _busy)
    blueprint.register_error_handler(HTTPException, _http_error)
    blueprint.register_error_handler(Exception, _failed)
    return blueprint


def problem(status: int, title: str, **more: Any) -> Response:
    """Return an answer as `application/problem+json` whose title a person can read."""
    answer = jsonify({"type": "about:blank", "status": int(status), "title": title, **more})
    answer.status_code = int(status)
    answer.mimetype = "application/problem+json"
    return answer


def body() -> dict[str, Any]:
    """Return the fields of the call's JSON object, or of its form; raises Wrong for anything else."""
    if request.mimetype in ("multipart/form-data", "application/x-www-form-urlencoded"):
        return dict(request.form)
    read = request.get_json(silent=True, force=True) if request.get_data(cache=True) else {}
    if not isinstance(read, dict):
        raise Wrong(
            Sentence(
                "Nội dung gửi lên phải là một đối tượng JSON. Hãy kiểm tra cú pháp.",
                "The body must be one JSON object. Check its syntax.",
            )
        )
    return read


def text(name: str, *, required: bool = False, default: str = "") -> str:
    """Return a field that is text; raises Wrong when it is missing though required, or something else."""
    value = body().get(name)
    if value is None and not required:
        return default
    if not isinstance(value, str) or (required and not value.strip()):
        raise wrong(name, Sentence("một chuỗi", "text"))
    return value


def number(name: str, *, default: int | None = None) -> int | None:
    """Return a field that is a whole number from 0 to 999,999,999; text of digits counts, as a form sends it."""
    value = body().get(name)
    if value is None or value == "":
        return default
    if isinstance(value, str) and (typed := digits(value)) is not None:
        return typed
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise wrong(name, Sentence("một số nguyên không âm", "a whole number that is not negative"))
    return value


def day(name: str) -> date | None:
    """Return a field that is a day, None for nothing; an instant counts as its day in the office's time zone."""
    written = text(name)
    try:
        return clock.local(clock.parse(written)).date() if written else None
    except (ValueError, OverflowError):
        raise wrong(name, Sentence("một ngày dạng YYYY-MM-DD", "a day as YYYY-MM-DD")) from None


def items(name: str) -> list[dict[str, Any]] | None:
    """Return a field that is a list of objects, None when it is missing; a form sends it as JSON text."""
    value = body().get(name)
    if isinstance(value, str) and request.mimetype != "application/json":
        try:
            value = json.loads(value)
        except ValueError:
            value = "no list"
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise wrong(name, Sentence("một danh sách các đối tượng", "a list of objects"))
    return value


def texts(name: str) -> list[str]:
    """Return a field that is a list of texts with something in it."""
    value = body().get(name)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item.strip() for item in value):
        raise wrong(name, Sentence("một danh sách các chuỗi", "a list of texts"))
    return value


def asked_number(name: str) -> int | None:
    """Return a question of the address that is a number, None when it is not asked."""
    written = request.args.get(name, "").strip()
    if written and not (written.isascii() and written.isdigit() and len(written) < 10):
        raise wrong(name, Sentence("một số nguyên không âm", "a whole number that is not negative"))
    return int(written) if written else None


def asked_among(name: str, known: Sequence[str]) -> str:
    """Return a question of the address that is one of a few words, empty when it is not asked."""
    written = request.args.get(name, "").strip()
    if written and written not in known:
        words = ", ".join(known)
        raise wrong(name, Sentence(f"một trong: {words}", f"one of: {words}"))
    return written


def wrong(name: str, kind: Sentence) -> Wrong:
    """Return the refusal of a field that is missing or of another kind."""
    return Wrong(
        Sentence("Trường “{name}” phải là {kind}.", "The field “{name}” must be {kind}.").fill(name=name, kind=kind),
        field=name,
    )


def limit() -> int:
    """Return how many items a page of a list holds: `?limit=`, 50 unless told, at most 500."""
    asked = request.args.get("limit", "")
    found = digits(asked)
    return PAGE if found is None else min(max(found, 1), MOST)


def cursor() -> int:
    """Return where a page of a list begins: `?cursor=`, as the page before it named it in `next`."""
    asked = request.args.get("cursor", "")
    return digits(asked) or 0


def page(found: list[Any], *, first: int, total: int) -> Answer:
    """Return one page of a list with the cursor of the next, None at the end."""
    after = first + len(found)
    return Answer({"items": found, "next": str(after) if after < total and found else None})


def tag(lock: int) -> dict[str, str]:
    """Return the ETag header of a record: it changes with every change of the record."""
    return {"ETag": f'"{lock}"'}


def refuse_stale(lock: int) -> None:
    """Raise Stale, which answers 412, when `If-Match` names another state of the record than the present one."""
    if request.if_match and not request.if_match.contains(str(lock)):
        raise Stale


def _run(given: Operation, **named: Any) -> Response:
    key = request.headers.get("Idempotency-Key", "").strip() if request.method == "POST" else ""
    if len(key) > tokens.LONGEST_KEY:
        raise Wrong(
            Sentence("Idempotency-Key dài tối đa {n} ký tự.", "An Idempotency-Key has at most {n} characters.").fill(
                n=tokens.LONGEST_KEY
            )
        )
    if request.method == "GET":
        return _response(given.view(**named))
    fingerprint = _fingerprint() if key else ""
    if key and (earlier := _earlier(key, fingerprint)):
        return earlier
    try:
        answer = _response(given.view(**named))
        if key:
            _keep(key, fingerprint, answer)
        edge.commit()
    except (Refused, IntegrityError):
        # A request that came twice at once is refused as stale; it gets the answer of the one that was first.
        edge.close()
        if key and (earlier := _earlier(key, fingerprint)):
            return earlier
        raise
    return answer


def _response(answer: Answer | Response) -> Response:
    if isinstance(answer, Response):
        return answer
    made = jsonify(answer.body)
    made.status_code = answer.status
    made.headers.update(answer.headers)
    return made


def _let_in() -> Response | None:
    """Let in whoever carries a live token; a token that only reads changes nothing."""
    if request.endpoint in ("api.openapi", "api.docs"):
        return None
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    bearer = tokens.bearer(edge.reading(), token.strip()) if scheme.casefold() == "bearer" and token.strip() else None
    if bearer is None:
        answer = problem(401, _("Send a live token: Authorization: Bearer …; make one with “docctl token create”."))
        answer.headers["WWW-Authenticate"] = 'Bearer realm="docctl"'
        return answer
    g.account_id, g.read_only = bearer.account_id, bearer.read_only
    if bearer.read_only and request.method != "GET":
        return problem(403, _("This token may only read. Make another one without --read-only."))
    return None


def _nothing(rest: str) -> Response:
    return problem(404, _("There is no such call. See %(where)s.", where=f"{PREFIX}/docs"))


def _earlier(key: str, fingerprint: str) -> Response | None:
    row = tokens.answered(edge.reading(), g.account_id, key, fingerprint)
    edge.close()
    if row is None:
        return None
    answer = Response(row.body, status=row.status, mimetype="application/json")
    answer.headers.update(json.loads(row.headers))
    answer.headers["Idempotency-Replayed"] = "true"
    return answer


def _keep(key: str, fingerprint: str, answer: Response) -> None:
    headers = {name: answer.headers[name] for name in ("Location", "ETag") if name in answer.headers}
    tokens.keep_answer(
        edge.writing(),
        g.account_id,
        key,
        fingerprint,
        status=answer.status_code,
        headers=json.dumps(headers),
        body=answer.get_data(as_text=True),
    )


def _fingerprint() -> str:
    """Return a hash of everything the call asks for, so that a key cannot be used for another call."""
    asked: list[Any] = [request.method, request.path, body()]
    for name, file in sorted(request.files.items()):
        digest = hashlib.file_digest(file.stream, "sha256").hexdigest()  # type: ignore[arg-type]  # A binary stream.
        file.stream.seek(0)
        asked.append([name, file.filename, digest])
    return hashlib.sha256(audit.canonical(asked).encode()).hexdigest()


def _refused(error: Refused) -> Response:
    edge.close()
    title = error.sentence.get(language.locale())
    if isinstance(error, Wrong | KeyReused):
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, title, **({"field": error.field} if error.field else {}))
    read = request.get_json(silent=True) if request.is_json else None
    errors.record(error, trigger=str(read.get("trigger", "")) if isinstance(read, dict) else "")
    if isinstance(error, Stale) and request.if_match:
        return problem(HTTPStatus.PRECONDITION_FAILED, title)
    status = HTTPStatus.FORBIDDEN if isinstance(error, WrongPassword) else errors.status_of(error)
    return problem(status, title, **({"field": error.field} if error.field else {}))


def _busy(error: OperationalError) -> Response:
    errors.database_busy(error)
    return problem(503, _("The database is busy or cannot be reached. Nothing was changed. Try again in a moment."))


def _http_error(error: HTTPException) -> Response:
    edge.close()
    code = error.code or 500
    return problem(code, errors.sentence_of(code))


def _failed(error: Exception) -> Response:
    errors.failed(error)
    return problem(500, errors.sentence_of(500))
