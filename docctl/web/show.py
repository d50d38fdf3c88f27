"""What every template may use: the office, the navigation, and how days, moments, states and people are written."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from flask import Flask, g, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_login import current_user
from jinja2 import ChoiceLoader, FileSystemLoader

from docctl import clock, evidence, notices, register, units
from docctl.rules import Sentence
from docctl.search.finding import Hit
from docctl.web import edge, language

# What people open every day; the other links lie folded under one word, and an administrator's are the daily ones too.
DAILY = (
    *("home.show", "reading.index", "documents.index", "requests.index", "decisions.index"),
    *("accounts.index", "units.index"),
)

STATES = {
    "draft": lazy_gettext("draft"),
    "in_review": lazy_gettext("in review"),
    "in_approval": lazy_gettext("in approval"),
    "approved": lazy_gettext("approved"),
    "scheduled": lazy_gettext("scheduled"),
    "in_force": lazy_gettext("in force"),
    "superseded": lazy_gettext("superseded"),
    "withdrawn": lazy_gettext("withdrawn"),
    "discarded": lazy_gettext("discarded"),
    "checked": lazy_gettext("checked"),
    "signed": lazy_gettext("signed"),
    "executed": lazy_gettext("executed"),
    "cancelled": lazy_gettext("cancelled"),
    "accepted": lazy_gettext("accepted"),
    "in_decision": lazy_gettext("in a decision"),
    "done": lazy_gettext("done"),
    "returned": lazy_gettext("returned"),
    "to_correct": lazy_gettext("to be corrected"),
    "to_verify": lazy_gettext("to be verified"),
}


@dataclass(frozen=True)
class NavItem:
    """A link of the navigation; what is not of every day lies folded until it is the page shown."""

    label: str
    url: str
    current: bool
    daily: bool


def install(app: Flask) -> None:
    """Give the templates their folders, filters and globals."""
    folders = edge_folders(app)
    app.jinja_loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(day=day, moment=moment, iso_day=iso_day, say=say, state_word=state_word)
    app.jinja_env.globals.update(asset=lambda name: url_for("assets.show", name=name))
    app.context_processor(common)


def edge_folders(app: Flask) -> list[str]:
    """Return the template folders, the site's own first."""
    return [str(folder) for folder in app.extensions["site"].settings.template_folders()]


def common() -> dict[str, Any]:
    """Return what every page shows: office, language, navigation."""
    return {
        "office": office(),
        "locale": language.locale(),
        "nav": navigation(),
        "unread": unread(),
        "takes_evidence": current_user.is_authenticated and evidence.may_take(edge.me()),
        "account_url": url_for("accounts.password") if current_user.is_authenticated else None,
    }


def office() -> str:
    """Return the name of the office in the language of the page."""
    if "office" not in g:
        g.office = units.office_name(edge.reading(), language.locale()) or "docctl"
    return str(g.office)


def unread() -> int | None:
    """Return how many notices the person has not read, None where no notices are shown."""
    if not current_user.is_authenticated or current_user.must_change_password:
        return None
    return notices.unread_count(edge.reading(), by=edge.me())


def navigation() -> list[NavItem]:
    """Return the links of the pages that concern the person."""
    if not current_user.is_authenticated or current_user.must_change_password:
        return []
    me, here = edge.me(), request.blueprint or ""
    links = _links(frozenset(me.reach), register.sees_more(me), language.locale(), request.script_root)
    return [NavItem(label, url, endpoint.split(".")[0] == here, endpoint in DAILY) for label, url, endpoint in links]


@lru_cache(maxsize=256)
def _links(roles: frozenset[str], more: bool, locale: str, root: str) -> list[tuple[str, str, str]]:
    """Return label, address and endpoint of the pages for some roles; asked with every page, so kept by what decides it."""
    links = [
        (_("My work"), "home.show"),
        (_("Register"), "documents.index"),
        (_("Requests"), "requests.index"),
        (_("Decisions"), "decisions.index"),
    ]
    if roles - {"admin"}:
        links.insert(1, (_("To read"), "reading.index"))
    if roles & {"controller", "auditor", "reviewer", "format_reviewer", "approver"}:
        links += [
            (_("Distribution"), "distribution.index"),
            (_("Recall"), "recalls.index"),
            (_("Retention"), "retention.index"),
            (_("Internal audits"), "internal_audits.index"),
        ]
    links += [
        (_("External documents"), "external.index"),
        (_("Legal watch"), "watch.index"),
        (_("Procedures"), "procedures.index"),
        (_("Reports"), "reports.index"),
    ]
    if more:
        links.append((_("In force on a date"), "in_force.show"))
    links.append((_("Registers and forms"), "registers.index"))
    if roles & {"controller", "auditor"}:
        links.append((_("Public posting"), "posting.index"))
    if roles & {"controller", "auditor", "admin"}:
        links.append((_("Audit trail"), "trail.index"))
    if "admin" in roles:
        links += [
            (_("Accounts"), "accounts.index"),
            (_("Units"), "units.index"),
            (_("Search index"), "search_index.show"),
        ]
    return [(label, url_for(endpoint), endpoint) for label, endpoint in links]


def hit_row(hit: Hit, url: str, **more: Any) -> SimpleNamespace:
    """Return a hit of a search as a row of every list, with its passage and where it leads."""
    return SimpleNamespace(
        code=hit.code,
        title=hit.title,
        edition_text=hit.edition_text,
        effective_from=hit.effective_from,
        status=hit.state,
        unit_name=hit.unit_name(language.locale()),
        url=url,
        snippet=hit.snippet,
        **more,
    )


def day(value: date | datetime | None) -> str:
    """Write a day as the offices do, in both languages: `26/10/2022`."""
    if value is None:
        return ""
    return (clock.local(value) if isinstance(value, datetime) else value).strftime("%d/%m/%Y")


def iso_day(value: date | datetime | None) -> str:
    """Write a day in ISO form, for `datetime` attributes and date fields."""
    if value is None:
        return ""
    return (clock.local(value).date() if isinstance(value, datetime) else value).isoformat()


def moment(value: datetime | None) -> str:
    """Write an instant in the office's time zone: `26/10/2022 14:05`."""
    return clock.local(value).strftime("%d/%m/%Y %H:%M") if value else ""


def state_word(state: str) -> str:
    """Return the word of a state in the language of the page; a state of a workflow of the site's own is its own word."""
    return str(STATES.get(state, state))


def say(value: Sentence | None) -> str:
    """Write a sentence in the language of the page."""
    return value.get(language.locale()) if value else ""
