"""The pages of units: the list with its history, and renaming, merging and splitting, each after what will move was shown."""

from flask import Blueprint, abort, flash, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from werkzeug.utils import redirect
from werkzeug.wrappers import Response
from wtforms import SelectField, StringField
from wtforms.validators import InputRequired

from docctl import reorganising, units
from docctl.rules import NoRole, Refused, Sentence
from docctl.units import Unit
from docctl.web import asking, edge, errors, language

blueprint = Blueprint("units", __name__)


class UnitForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """A new unit."""

    code = StringField(
        lazy_gettext("Code"),
        [InputRequired()],
        description=lazy_gettext("Short, as in codes of documents; it never changes."),
    )
    name_vi = StringField(lazy_gettext("Name in Vietnamese"), [InputRequired()])
    name_en = StringField(lazy_gettext("Name in English"))
    parent = SelectField(lazy_gettext("Below"), validate_choice=False)


class NameForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """Another name for a unit."""

    name_vi = StringField(lazy_gettext("Name in Vietnamese"), [InputRequired()])
    name_en = StringField(lazy_gettext("Name in English"))


@blueprint.get("/units")
def index() -> str:
    """List the units, those that ended with what follows them."""
    return _index_page(UnitForm(formdata=None))


@blueprint.post("/units")
def add() -> Response:
    """Add a unit."""
    _refuse_unless_admin()
    form = UnitForm()
    errors.show_again(lambda refused: _index_page(form, refused))
    session = edge.writing()
    made = reorganising.add(
        session,
        by=edge.me(),
        code=form.code.data or "",
        name_vi=form.name_vi.data or "",
        name_en=form.name_en.data or "",
        parent=units.find(session, form.parent.data) if form.parent.data else None,
    )
    code = made.code
    edge.commit()
    flash(_("The unit %(code)s was added.", code=code), "success")
    return redirect(url_for("units.index"), 303)


@blueprint.get("/units/<int:unit_id>")
def show(unit_id: int) -> str:
    """Show what hangs on a unit, and ask whether it is renamed, merged or split."""
    return _page(unit_id)


@blueprint.post("/units/<int:unit_id>/name")
def rename(unit_id: int) -> Response:
    """Give a unit another name."""
    _refuse_unless_admin()
    form = NameForm()
    errors.show_again(lambda refused: _page(unit_id, form, refused))
    reorganising.rename(
        edge.writing(), _load(unit_id), by=edge.me(), name_vi=form.name_vi.data or "", name_en=form.name_en.data or ""
    )
    edge.commit()
    flash(_("The new name holds from now on; records of before keep the old one."), "success")
    return redirect(url_for("units.show", unit_id=unit_id), 303)


@blueprint.post("/units/<int:unit_id>/merger")
def merge(unit_id: int) -> Response:
    """Merge a unit into another one."""
    _refuse_unless_admin()
    errors.show_again(lambda refused: _page(unit_id, refused=refused))
    unit, into = _load(unit_id), _chosen(request.form.get("into"))
    reorganising.merge(edge.writing(), [unit], into, by=edge.me())
    done = _("%(code)s goes on in %(into)s.", code=unit.code, into=into.code)
    edge.commit()
    flash(done, "success")
    return redirect(url_for("units.show", unit_id=unit_id), 303)


@blueprint.post("/units/<int:unit_id>/division")
def split(unit_id: int) -> Response:
    """Split a unit into others."""
    _refuse_unless_admin()
    errors.show_again(lambda refused: _page(unit_id, refused=refused))
    unit = _load(unit_id)
    first = request.form.get("main")
    chosen = dict.fromkeys([*([first] if first else []), *request.form.getlist("parts")])
    parts = [_chosen(code) for code in chosen]
    fields = {
        name: _chosen(code)
        for name, code in zip(request.form.getlist("field"), request.form.getlist("field_to"), strict=False)
        if code
    }
    reorganising.split(edge.writing(), unit, parts, by=edge.me(), fields=fields)
    done = _("%(code)s goes on in %(into)s.", code=unit.code, into=", ".join(part.code for part in parts))
    edge.commit()
    flash(done, "success")
    return redirect(url_for("units.show", unit_id=unit_id), 303)


def _index_page(form: UnitForm, refused: Refused | None = None) -> str:
    _refuse_unless_admin()
    session, locale = edge.reading(), language.locale()
    listed = units.all_units(session)
    form.parent.choices = [(row.code, row.name(locale)) for row in listed if not row.ended]
    return render_template(
        "units/index.html",
        units=listed,
        names={row.id: row for row in listed},
        followed={row.id: reorganising.successors(session, row) for row in listed if row.ended},
        form=form,
        error=asking.mark(form, refused),
    )


def _page(unit_id: int, form: NameForm | None = None, refused: Refused | None = None) -> str:
    _refuse_unless_admin()
    session = edge.reading()
    unit = session.get(Unit, unit_id) or abort(404)
    below = units.with_descendants(session, unit.id)
    form = form or NameForm(formdata=None, name_vi=unit.name_vi, name_en=unit.name_en)
    return render_template(
        "units/show.html",
        unit=unit,
        holding=reorganising.holding(session, unit),
        followed=reorganising.successors(session, unit),
        others=[row for row in units.all_units(session) if not row.ended and row.id not in below],
        form=form,
        error=asking.mark(form, refused),
        into=request.form.get("into", ""),
        main=request.form.get("main", ""),
        parts=request.form.getlist("parts"),
    )


def _load(unit_id: int) -> Unit:
    return edge.writing().get(Unit, unit_id) or abort(404)


def _chosen(code: str | None) -> Unit:
    if not code:
        raise Refused(Sentence("Hãy chọn đơn vị tiếp nhận.", "Choose the unit that takes over."), field="into")
    return units.find(edge.writing(), code)


def _refuse_unless_admin() -> None:
    if not edge.me().has("admin"):
        raise NoRole(
            Sentence("Chỉ quản trị hệ thống được sửa cơ cấu đơn vị.", "Only an administrator changes the units.")
        )
