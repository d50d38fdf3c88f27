"""Signing in and out."""

from flask import Blueprint, render_template, request, url_for
from flask_login import current_user
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, PasswordField, StringField

from docctl import audit, people
from docctl.audit import Action
from docctl.people import Account
from docctl.rules import Refused
from docctl.web import edge, errors, language, security

blueprint = Blueprint("sign_in", __name__)


class SignInForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """Name and password, and where to go on to."""

    name = StringField()
    password = PasswordField()
    next = HiddenField()


@blueprint.get("/sign-in")
@security.public
def show() -> str | Response:
    """Ask for name and password."""
    if current_user.is_authenticated:
        return redirect("/", 303)
    return _page(SignInForm(next=security.inside(request.args.get("next")) or ""))


@blueprint.post("/sign-in")
@security.public
def enter() -> Response:
    """Begin a new session for the person whose name and password these are."""
    form = SignInForm()
    errors.show_again(lambda refused: _page(form, refused))
    known = people.check_password(
        edge.reading(), form.name.data or "", form.password.data or "", address=edge.address()
    )
    session = edge.writing()
    account = session.get_one(Account, known.id)
    security.begin_session(account)
    audit.record(session, Action.SIGNED_IN, by=account, noun="account", record_id=account.id, address=edge.address())
    edge.commit()
    return redirect(security.inside(form.next.data) or url_for("home.show"), 303)


@blueprint.post("/sign-out")
def leave() -> Response:
    """End the session."""
    session = edge.writing()
    audit.record(session, Action.SIGNED_OUT, by=edge.me().account, noun="account", record_id=edge.me().id)
    security.end_session()
    edge.commit()
    return redirect(url_for("sign_in.show"), 303)


def _page(form: SignInForm, refused: Refused | None = None) -> str:
    error = refused.sentence.get(language.locale()) if refused else None
    return render_template("sign_in/show.html", form=form, error=error)
