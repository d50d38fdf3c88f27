"""The digital signatures that a file brought with it, in plain words: whole or changed, and how far the signer is known."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from docctl.files import pdf
from docctl.rules import Sentence

_VERDICTS = {
    "valid": (
        "good",
        Sentence(
            "Hợp lệ: nội dung không đổi từ khi ký, người ký được tin cậy, chứng thư không bị thu hồi.",
            "Valid: nothing was changed after signing, the signer is trusted, the certificate was not revoked.",
        ),
    ),
    "unchecked": (
        "good",
        Sentence(
            "Hợp lệ: nội dung không đổi từ khi ký và người ký được tin cậy. Chưa kiểm tra việc thu hồi chứng thư, vì máy chủ "
            "không kết nối ra ngoài.",
            "Valid: nothing was changed after signing and the signer is trusted. Revocation was not checked, because this "
            "server asks nobody outside.",
        ),
    ),
    "changed": (
        "stop",
        Sentence(
            "Đã bị thay đổi sau khi ký: chữ ký này không còn chứng minh nội dung của tệp.",
            "Changed after signing: this signature no longer vouches for what the file says.",
        ),
    ),
    "unknown": (
        "warn",
        Sentence(
            "Không rõ người ký: nội dung không đổi từ khi ký, nhưng chứng thư không dẫn về chứng thư gốc nào trong thư mục "
            "“trust” của kho lưu trữ.",
            "Unknown signer: nothing was changed after signing, but the certificate leads to no root in the folder “trust” of "
            "the storage.",
        ),
    ),
    "revoked": (
        "stop",
        Sentence("Chứng thư của người ký đã bị thu hồi.", "The signer's certificate was revoked."),
    ),
    "expired": (
        "warn",
        Sentence(
            "Nội dung không đổi từ khi ký, nhưng chứng thư đã hết hạn và không có dấu thời gian tin cậy cho biết đã ký khi nào.",
            "Nothing was changed after signing, but the certificate has expired and no trusted time stamp says when it signed.",
        ),
    ),
}


@dataclass(frozen=True)
class Signed:
    """One digital signature: who says to have signed, when, and what the check found."""

    field: str
    signer: str
    issuer: str
    at: datetime | None
    stamped: bool
    verdict: str

    @property
    def tone(self) -> str:
        """The tone of the verdict on a page."""
        return _VERDICTS[self.verdict][0]

    @property
    def sentence(self) -> Sentence:
        """The verdict in plain words."""
        return _VERDICTS[self.verdict][1]


def signatures(path: Path, roots: Path) -> list[Signed]:
    """Check every digital signature of a PDF against the trust roots in a folder, offline; raises pdf.CannotBeShown."""
    found = pdf.work("signatures", {"path": str(path), "roots": str(roots)}, timeout=60)
    return [
        Signed(
            field=row["field"],
            signer=row["signer"],
            issuer=row["issuer"],
            at=datetime.fromisoformat(row["at"]) if row["at"] else None,
            stamped=row["stamped"],
            verdict=row["verdict"],
        )
        for row in found["signatures"]
    ]
