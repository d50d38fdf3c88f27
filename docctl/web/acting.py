"""How the acts of a workflow and the rows of findings are shown on the pages of audits and of slips."""

from types import SimpleNamespace

from flask import request, url_for

from docctl.internal_audits import GRADES, Nonconformity, findings
from docctl.rules import Refused
from docctl.web import edge, language, show
from docctl.workflow import Act

LOOKS = {"open": "in_review", "answered": "in_approval", "closed": "approved", "cancelled": "discarded"}


def shown(given: Act, refused: Refused | None) -> SimpleNamespace:
    """Return an act as the macro of acts takes it; a refused attempt comes back with what was typed."""
    locale = language.locale()
    asked = refused is not None and refused.field in ("reason", "password")
    return SimpleNamespace(
        trigger=given.trigger,
        label=given.label.get(locale),
        primary=given.main,
        refusal=given.refusal.get(locale) if given.refusal else None,
        asks=given.asks,
        signs=bool(given.signs),
        happens=given.happens.get(locale),
        typed={"reason": request.form.get("reason", "")} if refused else {},
        errors={refused.field: refused.sentence.get(locale)} if refused and asked else {},
    )


def slip_row(row: Nonconformity) -> SimpleNamespace:
    """Return a slip as a row of a list."""
    locale, sample = language.locale(), row.sample
    return SimpleNamespace(
        id=row.id,
        url=url_for("nonconformity.show_one", slip_id=row.id),
        number=row.number_text,
        code=sample.document.code if sample else "",
        title=row.statement,
        grade=show.say(GRADES[row.grade]),
        unit_name=row.unit.name(locale),
        due_on=row.due_on,
        days=row.days_left,
        late=findings.is_late(row),
        waits=findings.is_pending(row),
        look=LOOKS[row.state],
        label=show.say(findings.label(edge.reading(), row)),
    )
