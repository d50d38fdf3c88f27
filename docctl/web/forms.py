"""The forms of documents and revisions: their fields, rows that can grow, and files that survive a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import current_app, request
from flask_babel import lazy_gettext as _
from flask_wtf import FlaskForm
from itsdangerous import BadSignature, URLSafeSerializer
from wtforms import (
    BooleanField,
    FieldList,
    FileField,
    Form,
    FormField,
    HiddenField,
    SearchField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired

from docctl import contents
from docctl.contents import Content
from docctl.files import check
from docctl.files.kinds import Kind
from docctl.revisions import Change
from docctl.rules import Refused, Sentence
from docctl.web import asking, edge

EMPTY_ROWS = 3
ACCEPTED = ",".join(f".{kind}" for kind in Kind)


@dataclass(frozen=True)
class Upload:
    """A file that lies in the store already, though no record names it yet."""

    sha256: str
    size: int
    kind: str
    name: str

    def keep(self) -> Content:
        """Note the file in the database, within the request's act."""
        return contents.keep(edge.writing(), sha256=self.sha256, size=self.size, kind=self.kind)


class ChangeForm(Form):  # type: ignore[misc]  # wtforms has no types.
    """A row of the change table."""

    section = StringField(_("Section"))
    old = TextAreaField(_("Old content"))
    new = TextAreaField(_("New content"))
    basis = StringField(_("Basis"))

    @property
    def said(self) -> bool:
        """Whether anything is written in the row."""
        return any((field.data or "").strip() for field in self)


class ContentForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """What a revision holds: its file, kept over a refusal by a signed token, its summary and its change table."""

    file = FileField(_("File"))
    kept = HiddenField()
    change_summary = TextAreaField(_("Summary of the change"))
    changes = FieldList(FormField(ChangeForm))

    def rows(self) -> list[Change]:
        """Return the rows of the change table as typed."""
        return [
            Change(*((row[name].data or "") for name in ("section", "old", "new", "basis")))
            for row in self._row_forms()
        ]

    def grow(self) -> None:
        """End the change table with empty rows to write in, and with more of them when more were asked for."""
        blank = 0 if wants_rows() else sum(not row.said for row in self._row_forms())
        for _number in range(max(EMPTY_ROWS - blank, 0)):
            self.changes.append_entry()

    def mark(self, refused: Refused | None) -> str:
        """Put a refusal on the field it is about; returns its sentence when it is about none."""
        rest = asking.mark(self, refused)
        if refused and refused.field == "changes":
            wrong = next((row for row in self._row_forms() if row.said and not _complete(row)), None)
            if wrong is not None:
                field = wrong.section if not (wrong.section.data or "").strip() else wrong.new
                field.errors = self.changes.errors
        return rest

    def _row_forms(self) -> list[Any]:
        return [entry.form for entry in self.changes]


class DocumentForm(ContentForm):
    """A new document, with or without its first draft."""

    title = StringField(_("Title"), [InputRequired()])
    type = SelectField(_("Document type"), [InputRequired()], validate_choice=False)
    unit = SelectField(_("Unit"), [InputRequired()], validate_choice=False)
    code = StringField(_("Code"), description=_("Left empty, it gets the next code of its type and unit."))
    field = StringField(
        _("Field"), description=_("As civil status or notarisation: codes of different fields do not clash.")
    )
    confidential = BooleanField(
        _("Confidential title"),
        description=_(
            "The status page that a print points to, open to everybody, then gives the code and not the title."
        ),
    )


class RevisionForm(ContentForm):
    """A draft."""

    title = StringField(_("Title"), [InputRequired()])
    edition = StringField(_("Edition number"), [InputRequired()], description=_("Rises at a full rewrite."))
    amendment = StringField(_("Amendment number"), [InputRequired()], description=_("Rises inside an edition."))
    major = BooleanField(
        _("A major change: everybody on the distribution list reads it again"),
        description=_("Otherwise only those are asked who have not confirmed an earlier edition."),
    )
    lock = HiddenField()


class CodeForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """How a clash of codes is settled."""

    code = StringField(_("Code"), [InputRequired()])
    field = StringField(_("Field"))


class RegisterForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The questions of the register; they change nothing, so they carry no token."""

    class Meta:
        """No token in the address."""

        csrf = False

    q = SearchField(_("Code or title"))
    unit = SelectField(_("Unit"), validate_choice=False)
    type = SelectField(_("Document type"), validate_choice=False)
    field = SelectField(_("Field"), validate_choice=False)
    state = SelectField(_("State"), validate_choice=False)
    on = StringField(
        _("On the day"), render_kw={"inputmode": "numeric", "placeholder": "26/10/2022", "autocomplete": "off"}
    )
    sort = HiddenField()


def upload(form: ContentForm) -> Upload | None:
    """Stream the chosen file to the store, or take up the one that an earlier attempt left there; None for no file.

    Raises Refused with the sentence of the upload rule that says no. The form remembers the file by a signed token,
    so that a refusal of something else does not lose it.
    """
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return _taken_up(form)
    name, found = check.clean_name(sent.filename), []
    limit = edge.site().settings.max_upload_mb * 1024 * 1024
    stored = edge.site().store.put(
        sent.stream,  # type: ignore[arg-type]  # Werkzeug's stream is a binary one.
        limit_bytes=limit,
        inspect=lambda path: found.append(check.check(path, name)),
    )
    kept = Upload(stored.sha256, stored.size, str(found[0]), name)
    form.kept.data = _signer().dumps([kept.sha256, kept.size, kept.kind, kept.name, edge.me().id])
    return kept


def whole_number(field: Any) -> int:
    """Read a whole number from 0 to 999; raises Refused, with the field at fault, for anything else."""
    typed = (field.data or "").strip()
    if typed.isascii() and typed.isdigit() and len(typed) <= 3:
        return int(typed)
    raise Refused(
        Sentence(
            "Hãy ghi một số từ 0 đến 999, ví dụ 2 (bạn đã ghi “{typed}”).",
            "Write a number from 0 to 999, for example 2 (you wrote “{typed}”).",
        ).fill(typed=typed[:20]),
        field=field.name,
    )


def content_of(form: ContentForm, kept: Upload | None) -> dict[str, Any]:
    """Return what a form says of a revision's content, as `revisions.draft` and `revisions.edit` take it."""
    return {
        "change_summary": form.change_summary.data or "",
        "content": kept.keep() if kept else None,
        "file_name": kept.name if kept else "",
        "changes": form.rows(),
    }


def refuse_overtaken(form: RevisionForm, lock: int) -> None:
    """Refuse a form that was opened before the record last changed; unlike a stale act it is shown again, as typed."""
    if asking.read_number(form.lock.data, default=-1) != lock:
        raise Refused(
            Sentence(
                "Dự thảo đã được lưu ở một trang khác sau khi bạn mở trang này. Hãy xem lại nội dung dưới đây rồi lưu, hoặc mở lại trang.",
                "The draft was saved from another page after you opened this one. Look over what you wrote below and save, or open the page anew.",
            )
        )


def kept_name(form: ContentForm) -> str:
    """Return the name of the file that an earlier attempt left in the store."""
    kept = _taken_up(form)
    return kept.name if kept else ""


def wants_rows() -> bool:
    """Say whether the button for more rows was pressed, not the one that saves."""
    return "more" in request.form


def choices(pairs: Sequence[tuple[str, str]], first: str) -> list[tuple[str, str]]:
    """Return the options of a question, the one that asks for nothing first."""
    return [("", first), *pairs]


def _taken_up(form: ContentForm) -> Upload | None:
    try:
        sha256, size, kind, name, account_id = _signer().loads(form.kept.data or "")
    except (BadSignature, ValueError):
        return None
    return Upload(sha256, size, kind, name) if account_id == edge.me().id else None


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(str(current_app.secret_key), salt="upload")


def _complete(row: Any) -> bool:
    said = {field.name.rsplit("-", 1)[-1]: bool((field.data or "").strip()) for field in row}
    return said["section"] and (said["old"] or said["new"])
