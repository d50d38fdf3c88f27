"""The language of a page: the address's, the person's choice, the account's, the browser's, then the office's."""

import io
from functools import lru_cache

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import Blueprint, Flask, g, has_app_context, redirect, request, session
from flask_babel import Babel, Domain, get_locale
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from docctl import config
from docctl.web import edge, security

LOCALES = ("vi", "en")

blueprint = Blueprint("language", __name__)


class Catalogues(Domain):  # type: ignore[misc]  # flask_babel has no types.
    """Message catalogues read straight from the `.po` files: no compiled copy that could be older than its source."""

    def get_translations(self) -> NullTranslations:
        """Return the messages of the request's language."""
        return messages(locale() if has_app_context() else "en")


@lru_cache
def messages(locale: str) -> NullTranslations:
    """Return the catalogue of a language; English is what the programs and templates say themselves."""
    path = config.PACKAGE / "translations" / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def install(app: Flask) -> None:
    """Choose the language of each request, and read its catalogue."""
    babel = Babel(app, locale_selector=choose_locale, default_timezone="UTC")
    babel.domain_instance = Catalogues()
    app.jinja_env.globals.update(_=said, gettext=said)


def said(message: str, /, **values: object) -> Markup:
    """Return a text of a template in the language of the request, its values escaped and filled in.

    A page says three hundred texts: Jinja's and Flask-Babel's own way to each of them took a third of the page's time.
    """
    text = _translated(locale(), message)
    return text % values if values else _filled(text)


@lru_cache(maxsize=1 << 13)
def _translated(locale: str, message: str) -> Markup:
    return Markup(messages(locale).gettext(message))  # noqa: S704  # Our own catalogues, as Jinja's extension takes them.


@lru_cache(maxsize=1 << 13)
def _filled(text: Markup) -> Markup:
    return text % {}  # As with values: `%%` is a per cent sign.


def locale() -> str:
    """Return the language of the request: `vi` or `en`."""
    try:
        return str(g.spoken)
    except (AttributeError, RuntimeError):  # Not asked yet, or nobody asks: outside of a request.
        found = get_locale()
    if found is None:
        return "vi"
    g.spoken = str(found.language)
    return str(g.spoken)


def choose_locale() -> str:
    """Return the language that the address asks for, or the chosen, the account's, the browser's or the office's."""
    if (asked := request.args.get("lang")) in LOCALES:
        return str(asked)
    chosen = session.get("locale") or (current_user.locale if current_user.is_authenticated else None)
    if chosen in LOCALES:
        return str(chosen)
    return request.accept_languages.best_match(LOCALES) or edge.site().settings.locale


@blueprint.post("/language")
@security.public
def choose() -> Response:
    """Keep the chosen language for this browser and go back to the page."""
    if request.form.get("lang") in LOCALES:
        session["locale"] = request.form["lang"]
    return redirect(security.inside(request.form.get("next")) or "/", 303)
