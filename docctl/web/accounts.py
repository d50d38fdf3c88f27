"""The pages of accounts: one's own password, and the list that the administrator keeps."""

from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import BooleanField, EmailField, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import InputRequired

from docctl import audit, leaving, people, units
from docctl.audit import Action
from docctl.people import Account, Reader
from docctl.rules import ROLES, NoRole, Refused, Sentence
from docctl.web import asking, edge, errors, language, security

blueprint = Blueprint("accounts", __name__)


class PasswordForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The old password, and the new one twice."""

    password = PasswordField(
        lazy_gettext("Your present password"), [InputRequired()], render_kw={"autocomplete": "current-password"}
    )
    new_password = PasswordField(
        lazy_gettext("New password"),
        [InputRequired()],
        description=lazy_gettext("At least 10 characters; a short sentence is easy to remember."),
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        lazy_gettext("New password, again"), [InputRequired()], render_kw={"autocomplete": "new-password"}
    )


class AccountForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """A new account: who it is for, where, and in which roles."""

    name = StringField(
        lazy_gettext("Account name"),
        [InputRequired()],
        description=lazy_gettext("Small letters and digits, as it is typed when signing in."),
        render_kw={"autocapitalize": "none", "spellcheck": "false", "autocomplete": "off"},
    )
    full_name = StringField(lazy_gettext("Full name"), [InputRequired()], render_kw={"autocomplete": "off"})
    title_vi = StringField(
        lazy_gettext("Title in Vietnamese"),
        [InputRequired()],
        description=lazy_gettext("It stands beside every act and signature."),
        render_kw={"autocomplete": "off"},
    )
    title_en = StringField(lazy_gettext("Title in English"), render_kw={"autocomplete": "off"})
    email = EmailField(lazy_gettext("Address for mail"), render_kw={"autocomplete": "off"})
    unit = SelectField(lazy_gettext("Unit"), [InputRequired()], validate_choice=False)
    roles = SelectMultipleField(lazy_gettext("Roles"), validate_choice=False)
    in_unit = BooleanField(
        lazy_gettext("The roles hold in this unit and those below it only, not in the whole office.")
    )

    def ask(self) -> "AccountForm":
        """Fill in the units and roles to choose from, and return the form."""
        locale = language.locale()
        self.unit.choices = [(row.code, row.name(locale)) for row in units.all_units(edge.reading()) if not row.ended]
        self.roles.choices = [(role, label.get(locale)) for role, label in ROLES.items()]
        return self


@blueprint.route("/account/password", methods=["GET", "POST"])
def password() -> str | Response:
    """Change one's own password; every other session of the account ends, this one begins anew."""
    if request.method == "GET":
        return _password_page(PasswordForm(formdata=None))
    form = PasswordForm()
    errors.show_again(lambda refused: _password_page(form, refused))
    me = edge.me().account
    people.check_password(edge.reading(), me.name, form.password.data or "", address=edge.address())
    _refuse_unless_new(form)
    session = edge.writing()
    account = edge.me().account
    people.set_password(session, account, form.new_password.data or "")
    security.begin_session(account)
    audit.record(session, Action.PASSWORD_CHANGED, by=account, noun="account", record_id=account.id, name=account.name)
    edge.commit()
    flash(_("The password is changed. Every other session of yours is signed out."), "success")
    return redirect(url_for("home.show"), 303)


@blueprint.get("/accounts")
def index() -> str:
    """List the accounts."""
    _refuse_unless_admin(edge.me())
    return _index_page()


@blueprint.get("/accounts/new")
def new() -> str:
    """Ask who the new account is for."""
    _refuse_unless_admin(edge.me())
    return _new_page(AccountForm(formdata=None))


@blueprint.post("/accounts")
def add() -> str:
    """Add an account and show its one-time password, once."""
    _refuse_unless_admin(edge.me())
    form = AccountForm()
    errors.show_again(lambda refused: _new_page(form, refused))
    session = edge.writing()
    where = units.find(session, form.unit.data or "")
    one_time = people.one_time_password()
    account = people.add(
        session,
        name=form.name.data or "",
        password=one_time,
        roles=[(role, where) if form.in_unit.data else role for role in _roles(form)],
        unit=where,
        full_name=(form.full_name.data or "").strip(),
        title_vi=(form.title_vi.data or "").strip(),
        title_en=(form.title_en.data or "").strip(),
        email=form.email.data or "",
        must_change_password=True,
    )
    _record(Action.ACCOUNT_ADDED, account, roles=_roles(form), unit=where.code)
    name = account.name
    edge.commit()
    return _one_time_page(name, one_time)


@blueprint.get("/accounts/<int:account_id>/closure")
def closing(account_id: int) -> str:
    """Show everything that goes to a successor, and ask who that is."""
    _refuse_unless_admin(edge.me())
    return _closure_page(account_id)


@blueprint.post("/accounts/<int:account_id>/closure")
def close(account_id: int) -> Response:
    """Close an account; everything that is open goes to the successor who was named, in one transaction."""
    _refuse_unless_admin(edge.me())
    errors.show_again(lambda refused: _closure_page(account_id, refused))
    session = edge.writing()
    account, heir = _load(account_id), _successor(account_id)
    leaving.close(session, account, heir, by=edge.me().account, pass_roles="pass_roles" in request.form)
    done = _("%(name)s is closed; what was open is with %(heir)s now.", name=account.name, heir=heir.name)
    edge.commit()
    flash(done, "success")
    return redirect(url_for("accounts.index"), 303)


@blueprint.post("/accounts/<int:account_id>/one-time-password")
def reset(account_id: int) -> str:
    """Give an account a one-time password, shown once; its sessions end."""
    _refuse_unless_admin(edge.me())
    errors.show_again(lambda refused: _index_page(refused, account_id))
    session = edge.writing()
    account = _load(account_id)
    one_time = people.one_time_password()
    people.set_password(session, account, one_time, one_time=True)
    _record(Action.PASSWORD_CHANGED, account, one_time=True)
    name = account.name
    edge.commit()
    return _one_time_page(name, one_time)


def _password_page(form: PasswordForm, refused: Refused | None = None) -> str:
    error = asking.mark(form, refused)
    must = edge.me().account.must_change_password
    return render_template("accounts/password.html", form=form, error=error, must=must)


def _index_page(refused: Refused | None = None, about: int | None = None) -> str:
    session = edge.reading()
    return render_template(
        "accounts/index.html",
        accounts=people.all_accounts(session),
        units={row.id: row for row in units.all_units(session)},
        roles=ROLES,
        me=edge.me().id,
        error=refused.sentence.get(language.locale()) if refused else "",
        about=about,
    )


def _closure_page(account_id: int, refused: Refused | None = None) -> str:
    session = edge.reading()
    account = session.get(Account, account_id) or abort(404)
    return render_template(
        "accounts/closure.html",
        account=account,
        pending=leaving.pending(session, account),
        stranded=leaving.stranded(session, account),
        heirs=[row for row in people.all_accounts(session) if row.id != account_id and not row.disabled_at],
        units={row.id: row for row in units.all_units(session)},
        roles=ROLES,
        me=edge.me().id,
        chosen=asking.read_number(request.values.get("successor")),
        passing="pass_roles" in request.form,
        error=refused.sentence.get(language.locale()) if refused else "",
        about=refused.field if refused else "",
    )


def _new_page(form: AccountForm, refused: Refused | None = None) -> str:
    return render_template("accounts/new.html", form=form.ask(), error=asking.mark(form, refused))


def _one_time_page(name: str, one_time: str) -> str:
    return render_template("accounts/one_time.html", name=name, one_time=one_time)


def _refuse_unless_new(form: PasswordForm) -> None:
    people.check_new_password(form.new_password.data or "")
    if form.new_password.data == form.password.data:
        raise Refused(
            Sentence("Mật khẩu mới phải khác mật khẩu cũ.", "The new password must differ from the old one."),
            field="new_password",
        )
    if form.new_password.data != form.again.data:
        raise Refused(
            Sentence(
                "Hai lần nhập mật khẩu mới không giống nhau. Hãy nhập lại.",
                "The new password was not the same twice. Enter it again.",
            ),
            field="again",
        )


def _refuse_unless_admin(by: Reader) -> None:
    if not by.has("admin"):
        raise NoRole(
            Sentence("Chỉ quản trị hệ thống được xem và sửa tài khoản.", "Only an administrator keeps the accounts.")
        )


def _load(account_id: int) -> Account:
    account = edge.writing().get(Account, account_id) or abort(404)
    if account.id == edge.me().id:
        raise Refused(
            Sentence(
                "Đây là tài khoản của chính bạn. Hãy nhờ quản trị khác, hoặc tự đổi mật khẩu ở trang của bạn.",
                "This is your own account. Ask another administrator, or change your password on your own page.",
            )
        )
    if account.disabled_at:
        raise Refused(
            Sentence("Tài khoản “{name}” đã đóng.", "The account {name} is closed already.").fill(name=account.name)
        )
    return account


def _successor(account_id: int) -> Account:
    heir_id = asking.read_number(request.form.get("successor"))
    heir = edge.writing().get(Account, heir_id) if heir_id and heir_id != account_id else None
    if heir is None or heir.disabled_at:
        raise Refused(
            Sentence(
                "Hãy chọn người kế nhiệm đang có tài khoản hoạt động, khác với người nghỉ.",
                "Choose a successor: somebody else, whose account is open.",
            ),
            field="successor",
        )
    return heir


def _roles(form: AccountForm) -> list[str]:
    chosen = [role for role in form.roles.data or [] if role in ROLES]
    if not chosen:
        raise Refused(Sentence("Hãy chọn ít nhất một vai trò.", "Choose at least one role."), field="roles")
    return chosen


def _record(action: Action, account: Account, **detail: Any) -> None:
    by = edge.me().account
    audit.record(edge.writing(), action, by=by, noun="account", record_id=account.id, name=account.name, **detail)
