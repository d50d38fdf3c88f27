"""What the forms of several pages share: typed days, whole numbers, and the field that a refusal is about."""

import re
from datetime import date

from flask import request
from flask_wtf import FlaskForm

from docctl import clock, text
from docctl.rules import Refused, Sentence
from docctl.web import language

_DAY = re.compile(r"(\d{1,2})\s*[/.-]\s*(\d{1,2})\s*[/.-]\s*(\d{4})")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")


def read_day(typed: str | None, field: str) -> date | None:
    """Read a day as the offices write it (`26/10/2022`) or in ISO form; None for nothing.

    Raises Refused, with the field at fault, for anything else and for a day that does not exist.
    """
    typed = (typed or "").strip()
    if not typed:
        return None
    try:
        day = _day(typed)
        if day.year not in clock.YEARS:
            raise ValueError(typed)
        return day
    except ValueError:
        raise Refused(
            Sentence(
                "Không có ngày “{typed}”. Hãy ghi theo mẫu ngày/tháng/năm, ví dụ 26/10/2022.",
                "There is no day “{typed}”. Write day/month/year, for example 26/10/2022.",
            ).fill(typed=typed[:40]),
            field=field,
        ) from None


def read_number(typed: str | None, default: int = 0) -> int:
    """Read a whole number of an address or a hidden field; anything else counts as the default."""
    found = text.number(typed or "")
    return default if found is None else found


def seen() -> int:
    """Return the lock of the page that asked; a form without one is refused as stale."""
    return read_number(request.form.get("lock"), default=-1)


def mark(form: FlaskForm, refused: Refused | None) -> str:
    """Put a refusal's sentence on the field it is about; returns the sentence when it is about none of the form's."""
    if refused is None:
        return ""
    sentence = refused.sentence.get(language.locale())
    if refused.field and refused.field in form:
        form[refused.field].errors = [sentence]
        return ""
    return sentence


def _day(typed: str) -> date:
    if found := _DAY.fullmatch(typed):
        return date(int(found[3]), int(found[2]), int(found[1]))
    if found := _ISO.fullmatch(typed):
        return date(int(found[1]), int(found[2]), int(found[3]))
    raise ValueError(typed)
