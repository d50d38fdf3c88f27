"""The page that shows every element of the pages in every state, with sample data."""

from datetime import UTC, date, datetime
from types import SimpleNamespace

from flask import Blueprint, render_template
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    IntegerField,
    RadioField,
    SearchField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired

blueprint = Blueprint("style", __name__)

STATES = [
    "draft",
    "in_review",
    "in_approval",
    "approved",
    "scheduled",
    "in_force",
    "superseded",
    "withdrawn",
    "discarded",
]
DECISION_STATES = ["draft", "checked", "signed", "executed", "cancelled"]
TONES = ["", "good", "wait", "warn", "stop"]
TITLES = [
    "Quy trình giải quyết thủ tục đăng ký lại khai sinh",
    "Quy trình tiếp nhận và xử lý văn bản đến qua hệ thống quản lý văn bản và điều hành, gồm cả văn bản mật, văn bản khẩn "
    "và văn bản gửi ngoài giờ hành chính",
    "Sổ tay chất lượng",
]


class SampleForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """One field of each kind."""

    code = StringField("Mã hiệu", [InputRequired()])
    title = TextAreaField("Tên tài liệu", [InputRequired()], description="Ghi đúng như trên trang bìa.")
    unit = SelectField("Đơn vị", choices=[("tp", "Phòng Tư pháp"), ("nv", "Phòng Nội vụ")])
    edition = IntegerField("Lần ban hành")
    effective_from = DateField("Ngày hiệu lực")
    file = FileField("Tệp", description=".doc, .docx, .odt, .pdf")
    reissue = BooleanField("Ban hành lại toàn bộ")
    medium = RadioField("Hình thức", choices=[("e", "Điện tử"), ("p", "Giấy")])


class SampleFilters(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types.
    """The questions that a register asks."""

    class Meta:
        """Filters change nothing, so they carry no token."""

        csrf = False

    words = SearchField("Mã hoặc tên")
    of_unit = SelectField("Đơn vị", choices=[("", "Tất cả"), ("tp", "Phòng Tư pháp"), ("nv", "Phòng Nội vụ")])
    on = DateField("Còn hiệu lực vào ngày")
    ended = BooleanField("Cả tài liệu hết hiệu lực")


@blueprint.get("/style")
def show() -> str:
    """Show every element of the pages."""
    form = SampleForm(formdata=None, data={"code": "QT 01/CX-HCTP", "title": TITLES[0], "edition": 2, "medium": "e"})
    form.code.errors = [
        _("Another document of this unit and field has this code. Give another, or open that document.")
    ]
    return render_template(
        "style/show.html",
        states=STATES,
        decision_states=DECISION_STATES,
        tones=TONES,
        rows=sample_rows(),
        sort=sample_sort(),
        hits=sample_hits(),
        changes=sample_changes(),
        acts=sample_acts(),
        asked=[sample_act("approve", _("Approve"), primary=True, signs=True, asks=["reason"], **refused_attempt())],
        entries=sample_entries(),
        form=form,
        filters=SampleFilters(formdata=None),
        page=SimpleNamespace(first=51, last=100, total=1273, prev_url="#rows", next_url="#rows"),
        day=date(2022, 10, 26),
        instant=datetime(2022, 10, 25, 17, 0, tzinfo=UTC),
    )


def sample_rows() -> list[SimpleNamespace]:
    """Return one row in each state of a revision, with short and long titles."""
    return [
        SimpleNamespace(
            code=f"QT {number:02}/CX-HCTP",
            title=TITLES[number % len(TITLES)],
            edition_text=f"{number // 3 + 1}/{number % 3}",
            effective_from=None if number < 4 else date(2022, number, 26),
            status=status,
            unit_name="Văn phòng HĐND và UBND" if number % 2 else "Phòng Tư pháp",
            url="#rows",
            note="Chờ từ 12/10/2022",
        )
        for number, status in enumerate(STATES)
    ]


def sample_hits() -> list[SimpleNamespace]:
    """Return what a search found: one in force, one superseded."""
    pieces = [("… thủ tục ", False), ("đăng ký lại khai sinh", True), (" được nộp tại bộ phận một cửa …", False)]
    in_force, superseded = (row for row in sample_rows() if row.status in ("in_force", "superseded"))
    return [
        SimpleNamespace(**vars(in_force), snippet=pieces, offer_url=None),
        SimpleNamespace(**vars(superseded), snippet=pieces, offer_url="#rows"),
    ]


def sample_changes() -> list[SimpleNamespace]:
    """Return the rows of a change table."""
    return [
        SimpleNamespace(
            section="5.2",
            old="Thời hạn giải quyết: 05 ngày làm việc.",
            new="Thời hạn giải quyết: 03 ngày làm việc.",
            basis="Quyết định công bố thủ tục hành chính",
        ),
        SimpleNamespace(section="7", old="", new="Thêm biểu mẫu BM.02.", basis="Phiếu yêu cầu sửa đổi số 12"),
    ]


def sample_sort() -> dict[str, SimpleNamespace]:
    """Return the sorting links of a list that stands in the order of its codes."""
    directions = {"code": "ascending", "title": None, "effective": None}
    return {column: SimpleNamespace(url="#rows", direction=direction) for column, direction in directions.items()}


def sample_act(trigger: str, label: str, **other: object) -> SimpleNamespace:
    """Return an act as the pages of a revision and a decision hand it to the template."""
    plain: dict[str, object] = {"primary": False, "refusal": None, "asks": [], "signs": False, "happens": ""}
    return SimpleNamespace(**{"trigger": trigger, "label": label, **plain, **other})


def sample_acts() -> list[SimpleNamespace]:
    """Return my act, the others, and a refused one."""
    endorsed = _("The revision goes to the approver when every reviewer of this round has endorsed it.")
    returned = _("The revision becomes a draft again; the signatures of this round are void but kept.")
    return [
        sample_act("endorse", _("Endorse"), primary=True, signs=True, happens=endorsed),
        sample_act("send_back", _("Send back"), asks=["reason"], happens=returned),
        sample_act("submit", _("Submit")),
        sample_act("approve", _("Approve"), refusal=_("The author cannot approve the revision.")),
        sample_act("take_back", _("Take back"), refusal=_("Only the author can take this back.")),
    ]


def refused_attempt() -> dict[str, dict[str, str]]:
    """Return what a panel shows again after a wrong password."""
    return {
        "typed": {"reason": "Đã đủ căn cứ."},
        "errors": {"password": _("The password is wrong. Nothing was signed.")},
    }


def sample_entries() -> list[SimpleNamespace]:
    """Return a history with a comment, a signature and a link to evidence."""
    lines: list[tuple[int, str, str, str, str, bool]] = [
        (3, "Soạn thảo", "author", "Chuyên viên Phòng Tư pháp", "", False),
        (5, "Trình xem xét", "author", "Chuyên viên Phòng Tư pháp", "", False),
        (7, "Trả lại", "reviewer", "Trưởng phòng Tư pháp", "Mục 5.2 chưa nêu thời hạn; bổ sung căn cứ.", False),
        (12, "Xem xét nội dung", "reviewer", "Trưởng phòng Tư pháp", "", True),
        (20, "Phê duyệt", "approver", "Phó Chủ tịch UBND", "", True),
    ]
    return [
        SimpleNamespace(
            at=datetime(2022, 10, day, 2, 30, tzinfo=UTC),
            what=what,
            who=who,
            title=title,
            comment=comment,
            signed=signed,
            evidence_url="#timeline" if signed else "",
            evidence_label="",
        )
        for day, what, who, title, comment, signed in lines
    ]
