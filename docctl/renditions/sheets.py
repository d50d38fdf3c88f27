"""What every sheet of a revision's PDF says at the moment at which it is handed out; on paper the words are Vietnamese."""

from datetime import datetime

from sqlalchemy.orm import Session

from docctl import clock, decisions, lifecycle, revisions, units
from docctl.files.stamp import Mark, Sheet
from docctl.lifecycle import Signature
from docctl.renditions.table import Rendition
from docctl.revisions import IN_FORCE, SCHEDULED, SUPERSEDED, WITHDRAWN, Revision
from docctl.rules import MEANINGS

_STAMPED_COPY = "Bản sao đóng dấu: chữ ký số của người ký chỉ có trong tệp gốc."
VOID = (SUPERSEDED, WITHDRAWN, "discarded")
_STATES = {
    IN_FORCE: "CÒN HIỆU LỰC từ {since}",
    SCHEDULED: "CHƯA CÓ HIỆU LỰC; có hiệu lực từ {since}",
    SUPERSEDED: "HẾT HIỆU LỰC từ {until} (đã được thay thế)",
    WITHDRAWN: "HẾT HIỆU LỰC từ {until} (đã hủy bỏ)",
    "discarded": "DỰ THẢO ĐÃ HỦY",
}
_WATERMARKS = {
    SCHEDULED: "CHƯA CÓ HIỆU LỰC",
    SUPERSEDED: "HẾT HIỆU LỰC",
    WITHDRAWN: "HẾT HIỆU LỰC",
    "discarded": "DỰ THẢO ĐÃ HỦY",
}


def sheet(
    session: Session,
    revision: Revision,
    row: Rendition,
    *,
    url: str,
    at: datetime | None = None,
    copy: str = "",
    sealed: str = "",
) -> Sheet:
    """Return what to stamp on a revision's PDF now.

    `url` is the address of its status page, `copy` the number of a controlled copy such as `003/010`; any other print
    of what is in force says of itself that it is uncontrolled; `sealed` says what the office's certificate will sign.
    """
    at = at or clock.now()
    status, document = revision.status(at), revision.document
    issued = revision.effective_from is not None
    decision = revisions.decision_of(session, revision)
    state = _STATES.get(status, "DỰ THẢO – chưa ban hành")
    state = state.format(since=_day(revision.effective_from), until=_day(revision.effective_to))
    by = f" · Quyết định {decision}" if decision and issued else ""
    return Sheet(
        office=units.office(session).name("vi"),
        code=document.code,
        title=revision.title,
        edition=f"Lần ban hành/sửa đổi {revision.edition_text}",
        state=state + by,
        printed=f"Tải về {_moment(at)}. Quét mã để biết giấy này còn hiệu lực không.",
        url=url,
        watermark=watermark(status, copy),
        void=status in VOID,
        note=" ".join(filter(None, [_STAMPED_COPY if row.signatures else "", sealed])),
        facts=_facts(revision, decision if issued else ""),
        marks=tuple(_mark(signature) for signature in _signatures(session, revision)),
        remark=_remark(revision),
        flatten=row.signatures > 0,
    )


def watermark(status: str, copy: str = "") -> str:
    """Return the words across every sheet: what no longer holds says so, also on a controlled copy."""
    if status in _WATERMARKS:
        return _WATERMARKS[status]
    if status == IN_FORCE:
        return f"BẢN KIỂM SOÁT số {copy}" if copy else "BẢN IN KHÔNG KIỂM SOÁT"
    return "DỰ THẢO"


def _signatures(session: Session, revision: Revision) -> list[Signature]:
    """Return the signatures that count: of the revision's present round, and of the decision that issued it."""
    found = lifecycle.signed_in_round(session, revision)
    if revision.decision_id is not None:
        decision = session.get_one(decisions.Decision, revision.decision_id)
        found += [row for row in lifecycle.signed_in_round(session, decision) if row.meaning == "signed"]
    return found


def _mark(row: Signature) -> Mark:
    return Mark(
        meaning=MEANINGS[row.meaning].vi,
        person=row.person,
        title=f"{row.title} ({row.authority})" if row.authority else row.title,
        at=_moment(row.signed_at),
        hash=row.content_hash,
    )


def _facts(revision: Revision, decision: str) -> tuple[tuple[str, str], ...]:
    facts = [
        ("Mã hiệu", revision.document.code),
        ("Tên tài liệu", revision.title),
        ("Lần ban hành/sửa đổi", revision.edition_text),
        ("Đơn vị", revision.document.unit.name("vi")),
        ("Quyết định", decision),
        ("Ngày hiệu lực", _day(revision.effective_from)),
        ("Hết hiệu lực từ", _day(revision.effective_to)),
        ("SHA-256 của tệp", revision.file_sha256 or ""),
        ("Mã băm nội dung", revision.content_hash or ""),
    ]
    return tuple((label, value) for label, value in facts if value)


def _remark(revision: Revision) -> str:
    if revision.origin == "import":
        return (
            "Tài liệu được nhập từ bộ tài liệu sẵn có của cơ quan; việc phê duyệt nằm ở quyết định nêu trên và bản gốc, "
            "không thực hiện trong hệ thống này."
        )
    return "Mỗi người ký bằng cách nhập lại mật khẩu; chữ ký gắn với mã băm của nội dung và được giữ trong nhật ký."


def _day(instant: datetime | None) -> str:
    return clock.local(instant).strftime("%d/%m/%Y") if instant else ""


def _moment(instant: datetime) -> str:
    return clock.local(instant).strftime("%d/%m/%Y %H:%M")
