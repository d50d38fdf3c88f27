"""How a corrective-action slip stands in a list, on the pages of audits and on its own."""

from types import SimpleNamespace

from flask import url_for

from docctl import lifecycle
from docctl.internal_audits import GRADES, Nonconformity, findings
from docctl.web import edge, language, show

LOOKS = {"open": "in_review", "answered": "in_approval", "closed": "approved", "cancelled": "discarded"}


def row_of(row: Nonconformity) -> SimpleNamespace:
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
        label=show.say(lifecycle.label(edge.reading(), row)),
    )
