"""Pages of long lists: the number stands in the address, so that back, reload and a shared link work."""

from types import SimpleNamespace

from flask import request, url_for

from docctl.web import asking


def number() -> int:
    """Return the page that the address asks for, from 1."""
    return max(1, asking.read_number(request.args.get("page"), default=1))


def of(total: int, size: int) -> SimpleNamespace:
    """Return what the pagination of a list shows: first and last row, total, and the addresses before and after."""
    here = number()
    first = min((here - 1) * size + 1, total)
    last = min(here * size, total)
    return SimpleNamespace(
        first=first,
        last=last,
        total=total,
        prev_url=_url(here - 1) if here > 1 else None,
        next_url=_url(here + 1) if last < total else None,
    )


def _url(page: int) -> str:
    # A name that begins with an underscore would be an order to url_for, not a question of the list.
    asked = {name: value for name, value in request.args.items() if name != "page" and not name.startswith("_")}
    given = {**(request.view_args or {}), **asked, **({"page": str(page)} if page > 1 else {})}
    return url_for(str(request.endpoint), **given)
