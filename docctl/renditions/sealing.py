"""The office's own certificate: it signs the stamped PDF of what was issued, last of all, so that nothing comes after it."""

import asyncio
import io
import urllib.request
from functools import lru_cache
from pathlib import Path
from typing import Any

from docctl.config import Settings
from docctl.rules import Refused, Sentence

FIELD = "CoQuan"
WAIT_SECONDS = 15
LARGEST_ANSWER = 1 << 20

UNUSABLE = Sentence(
    "Không mở được chứng thư của cơ quan (DOCCTL_SEAL_FILE, DOCCTL_SEAL_PASSWORD); hãy báo quản trị hệ thống.",
    "The office's certificate cannot be opened (DOCCTL_SEAL_FILE, DOCCTL_SEAL_PASSWORD); tell the administrator.",
)
NO_TIME = Sentence(
    "Máy chủ dấu thời gian không trả lời nên chưa ký được bản PDF; hãy thử lại sau, hoặc đọc trên trình duyệt.",
    "The timestamp authority does not answer, so the PDF cannot be signed now; try again later, or read in the browser.",
)
WITH_TIME = "Ký số bằng chứng thư của cơ quan, có dấu thời gian (PAdES B-T)."
WITHOUT_TIME = "Ký số bằng chứng thư của cơ quan (PAdES B-B: không có dấu thời gian)."


def words(settings: Settings) -> str:
    """Return what a sheet says of the office's signature that will be put on it; nothing where there is no certificate."""
    if settings.seal_file is None:
        return ""
    return WITH_TIME if settings.timestamp_url else WITHOUT_TIME


def seal(pdf: bytes, settings: Settings, *, reason: str) -> bytes:
    """Return a PDF signed with the office's certificate (PAdES B-T with a timestamp authority, else B-B).

    Raises Refused when the certificate cannot be opened, or the authority that was configured does not answer: a
    signature is never quietly less than it says.
    """
    if settings.seal_file is None:
        return pdf
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign import fields, signers

    signer = _signer(settings.seal_file, settings.seal_password, settings.seal_file.stat().st_mtime_ns)
    told = signers.PdfSignatureMetadata(
        field_name=FIELD, subfilter=fields.SigSeedSubFilter.PADES, reason=reason, md_algorithm="sha256"
    )
    stamper = _stamper(settings.timestamp_url) if settings.timestamp_url else None
    try:
        made = signers.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf)), told, signer=signer, timestamper=stamper)
    except OSError as error:  # pyHanko's own word for an authority that does not answer is one too.
        raise Refused(NO_TIME) from error
    return bytes(made.getvalue())


@lru_cache(maxsize=2)
def _signer(file: Path, password: str, changed: int) -> Any:
    """Open the certificate; `changed` is when the file was, so that a new one is taken up."""
    from pyhanko.sign import signers

    try:
        signer = signers.SimpleSigner.load_pkcs12(str(file), passphrase=password.encode() or None)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise Refused(UNUSABLE) from error
    if signer is None:
        raise Refused(UNUSABLE)
    return signer


def _stamper(url: str) -> Any:
    """Return what asks a timestamp authority (RFC 3161) over HTTP."""
    from asn1crypto import tsp
    from pyhanko.sign.timestamps.api import TimeStamper
    from pyhanko.sign.timestamps.common_utils import TimestampRequestError

    def ask(request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}
        asked = urllib.request.Request(url, data=request, headers=headers)  # noqa: S310 - the scheme was checked with the setting.
        with urllib.request.urlopen(asked, timeout=WAIT_SECONDS) as answer:  # noqa: S310
            return bytes(answer.read(LARGEST_ANSWER))

    class OverHttp(TimeStamper):
        async def async_request_tsa_response(self, req: Any) -> Any:
            answer = await asyncio.to_thread(ask, req.dump())
            try:
                return tsp.TimeStampResp.load(answer)
            except ValueError as error:
                raise TimestampRequestError("not an answer of a timestamp authority") from error

    return OverHttp()  # type: ignore[no-untyped-call]
