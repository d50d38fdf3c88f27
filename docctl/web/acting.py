"""How an act of a workflow is shown on every page that has one."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from flask import request

from docctl.rules import Refused
from docctl.web import language
from docctl.workflow import Act

ASKED = ("reason", "password")  # The fields of an act, beside which its refusal stands.


def shown(
    given: Act, refused: Refused | None = None, *, fields: Sequence[str] = ASKED, typed: Any = None, **more: Any
) -> SimpleNamespace:
    """Return an act as the macro of acts takes it, with what one page says besides; a refused attempt keeps what was typed."""
    locale = language.locale()
    at_fault = refused.field if refused is not None and refused.field in fields else None
    said: dict[str, Any] = {
        "trigger": given.trigger,
        "label": given.label.get(locale),
        "primary": given.main,
        "refusal": given.refusal.get(locale) if given.refusal else None,
        "asks": given.asks,
        "signs": bool(given.signs),
        "happens": given.happens.get(locale),
        "typed": (typed or {"reason": request.form.get("reason", "")}) if refused else {},
        "errors": {at_fault: refused.sentence.get(locale)} if refused and at_fault else {},
    }
    return SimpleNamespace(**said | more)
