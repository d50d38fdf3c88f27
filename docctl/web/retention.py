"""The pages of retention: periods by type, what is due, holds, and disposals with their minutes."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import HiddenField, StringField, TextAreaField

from docctl import audit, clock, documents, lifecycle, register
from docctl.exporting import minutes
from docctl.retention import Disposal, Record, disposal, schedule
from docctl.rules import NoRole, Refused, Sentence
from docctl.web import acting, asking, edge, errors, kept, language, show, telling

blueprint = Blueprint("retention", __name__)

NOT_YOURS = Sentence(
    "Chỉ người kiểm soát tài liệu, đánh giá viên và người xem xét, phê duyệt mới xem được thời hạn lưu.",
    "Only document controllers, auditors, reviewers and approvers see retention.",
)
PRINTED = ("docx", "pdf")


class DisposalForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """What the minutes of a disposal say beside their lines."""

    number = StringField(lazy_gettext("Number of the minutes"), render_kw={"autocomplete": "off"})
    held_on = StringField(
        lazy_gettext("Date of the minutes"), render_kw={"inputmode": "numeric", "placeholder": "26/10/2022"}
    )
    basis = TextAreaField(lazy_gettext("Basis"), render_kw={"rows": 2})
    council = TextAreaField(lazy_gettext("Council"), render_kw={"rows": 3})
    method = StringField(
        lazy_gettext("Method"), description=lazy_gettext("Such as shredding, and deletion of the file.")
    )
    done_by = StringField(lazy_gettext("Carried out by (person)"))
    witness = StringField(lazy_gettext("Witness"))
    lock = HiddenField()


@blueprint.get("/retention")
def index() -> str:
    """Show what ended with its period: what is due, kept, on hold and disposed of; holds, disposals and periods."""
    return _page()


@blueprint.post("/retention/types/<int:type_id>")
def set_period(type_id: int) -> Response:
    """Set how long what ended of a type is kept."""
    errors.show_again(_page)
    kind = next((row for row in documents.all_types(edge.writing()) if row.id == type_id), None) or abort(404)
    years = request.form.get("years", "").strip()
    schedule.set_period(
        edge.writing(),
        kind,
        by=edge.me(),
        years=_whole(years) if years else None,
        recall_days=_whole(request.form.get("recall_days", "")),
    )
    edge.commit()
    flash(_("The period is saved."), "success")
    return redirect(url_for("retention.index", _anchor="types"), 303)


@blueprint.post("/retention/holds")
def hold() -> Response:
    """Put a document on hold, by its code."""
    errors.show_again(_page)
    document = documents.find(edge.writing(), request.form.get("document", ""))
    if register.load(edge.writing(), document.id, by=edge.me()) is None:
        abort(404)
    schedule.hold(edge.writing(), document, by=edge.me(), reason=request.form.get("reason", ""))
    edge.commit()
    flash(_("The document is on hold."), "success")
    return redirect(url_for("retention.index", _anchor="holds"), 303)


@blueprint.post("/retention/holds/<int:hold_id>/release")
def release(hold_id: int) -> Response:
    """Release a hold, with the reason."""
    errors.show_again(_page)
    held = schedule.find_hold(edge.writing(), hold_id) or abort(404)
    schedule.release(edge.writing(), held, by=edge.me(), reason=request.form.get("reason", ""))
    edge.commit()
    flash(_("The hold is released."), "success")
    return redirect(url_for("retention.index", _anchor="holds"), 303)


@blueprint.post("/disposals")
def begin() -> Response:
    """Begin the minutes of a disposal with the ticked lines of the due list."""
    errors.show_again(_page)
    chosen = [number for number in map(asking.read_number, request.form.getlist("revision")) if number]
    made = disposal.draft(edge.writing(), by=edge.me(), revision_ids=chosen)
    edge.commit()
    return redirect(url_for("retention.show_disposal", disposal_id=made.id), 303)


@blueprint.get("/disposals/<int:disposal_id>")
def show_disposal(disposal_id: int) -> str:
    """Show a disposal: its lines, its minutes, and what can be done."""
    return _disposal_page(disposal_id)


@blueprint.post("/disposals/<int:disposal_id>")
def edit(disposal_id: int) -> Response:
    """Write what the minutes say."""
    form = DisposalForm()
    errors.show_again(lambda refused: _disposal_page(disposal_id, refused, form=form))
    found = _load(disposal_id, writing=True)
    words = {name: form[name].data or "" for name in disposal.WORDS}
    disposal.edit(
        edge.writing(),
        found,
        by=edge.me(),
        held_on=asking.read_day(form.held_on.data, "held_on"),
        seen=asking.read_number(form.lock.data, default=-1),
        **words,
    )
    edge.commit()
    flash(_("The minutes are saved."), "success")
    return redirect(url_for("retention.show_disposal", disposal_id=disposal_id), 303)


@blueprint.post("/disposals/<int:disposal_id>/transitions")
def act(disposal_id: int) -> Response:
    """Sign the minutes, carry them out, reopen or cancel them."""
    trigger, reason = request.form.get("trigger", ""), request.form.get("reason", "")
    errors.show_again(lambda refused: _disposal_page(disposal_id, refused, trigger=trigger))
    signing = edge.signing(request.form.get("password"))
    found = _load(disposal_id, writing=True)
    seen = asking.seen()
    disposal.act(edge.writing(), found, trigger, by=edge.me(), reason=reason, signing=signing, seen=seen)
    edge.commit()
    flash(_("Done. This is how the disposal stands now."), "success")
    return redirect(url_for("retention.show_disposal", disposal_id=disposal_id), 303)


@blueprint.get("/disposals/<int:disposal_id>/minutes.<format>")
def minutes_file(disposal_id: int, format: str) -> Response:
    """Give the minutes of a disposal as a Word document or a PDF."""
    if format not in PRINTED:
        abort(404)
    found = _load(disposal_id)
    paper = minutes.of_disposal(edge.reading(), found, locale=language.locale())
    return kept.file(paper, format, f"F7 {paper.title} {found.number or found.id}")


def _page(refused: Refused | None = None) -> str:
    if not schedule.may_see(edge.me()):
        raise NoRole(NOT_YOURS)
    session, me = edge.reading(), edge.me()
    wanted = request.args.get("standing", schedule.DUE)
    every = schedule.records(session)
    counted = {name: sum(row.standing == name for row in every) for name in schedule.STANDINGS}
    return render_template(
        "retention/index.html",
        error=refused.sentence.get(language.locale()) if refused else "",
        field=refused.field if refused else "",
        typed={name: request.form.get(name, "") for name in ("document", "reason")},
        standings=[(name, show.say(said), counted[name]) for name, said in schedule.STANDINGS.items()],
        wanted=wanted,
        rows=[_record(row) for row in every if row.standing == wanted or wanted == "all"],
        holds=schedule.open_holds(session),
        disposals=[_listed(row) for row in disposal.all_disposals(session)],
        types=documents.all_types(session),
        keeps=schedule.keeps(me),
        choosing=schedule.keeps(me) and wanted == schedule.DUE,
    )


def _disposal_page(
    disposal_id: int, refused: Refused | None = None, *, form: DisposalForm | None = None, trigger: str = ""
) -> str:
    found, session, me = _load(disposal_id), edge.reading(), edge.me()
    shown = form or _form_of(found)
    error = asking.mark(shown, refused) if form else refused.sentence.get(language.locale()) if refused else ""
    asked = refused is not None and refused.field in ("password", "reason")
    acts = [given for given in disposal.acts(session, found, by=me) if given.mine]
    return render_template(
        "retention/disposal.html",
        disposal=found,
        label=show.say(lifecycle.label(session, found)),
        error="" if asked else error,
        lines=disposal.lines_of(session, found),
        acts=[acting.shown(given, refused if given.trigger == trigger else None) for given in acts],
        form=shown if schedule.keeps(me) and disposal.is_draft(found) else None,
        signatures=lifecycle.signatures(session, found),
        entries=telling.history(audit.of_record(session, "disposal", found.id)),
    )


def _record(row: Record) -> SimpleNamespace:
    return SimpleNamespace(
        id=row.revision.id,
        code=row.revision.document.code,
        title=row.revision.title,
        edition_text=row.revision.edition_text,
        unit_name=row.revision.document.unit.name(language.locale()),
        ended=row.ended,
        years=row.years,
        keep_until=row.keep_until,
        standing=show.say(schedule.STANDINGS[row.standing]),
        why=row.hold.reason if row.hold else row.disposal,
        url=url_for("revisions.show", revision_id=row.revision.id),
    )


def _listed(row: Disposal) -> SimpleNamespace:
    return SimpleNamespace(
        id=row.id,
        number=row.number,
        held_on=row.held_on,
        label=show.say(lifecycle.label(edge.reading(), row)),
        lines=len(row.lines),
    )


def _form_of(found: Disposal) -> DisposalForm:
    data: dict[str, Any] = {name: getattr(found, name) for name in disposal.WORDS}
    data["number"] = found.number or disposal.next_number(edge.reading())
    data |= {"held_on": show.day(found.held_on or clock.today()), "lock": str(found.lock)}
    return DisposalForm(formdata=None, data=data)


def _load(disposal_id: int, *, writing: bool = False) -> Disposal:
    session = edge.writing() if writing else edge.reading()
    return disposal.load(session, disposal_id, by=edge.me()) or abort(404)


def _whole(typed: str) -> int:
    typed = typed.strip()
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 0
