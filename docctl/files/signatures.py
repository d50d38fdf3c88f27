"""The digital signatures in a PDF, checked without any network: whole or changed, by whom, and how far that is known.

Runs in the worker only (`docctl.files.pdf_worker`). The answer is judged by pyHanko's bottom line, never by parts of it.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from asn1crypto.x509 import Certificate
from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import SignatureCoverageLevel, validate_pdf_signature
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError, ValidationInfoReadingError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import ValidationContext

VALID, UNCHECKED, CHANGED, UNKNOWN, REVOKED, EXPIRED = (
    "valid",
    "unchecked",  # Valid, but whether the certificate was revoked could not be looked up here.
    "changed",
    "unknown",
    "revoked",
    "expired",
)
_USAGE = KeyUsageConstraints(key_usage={"non_repudiation", "digital_signature"}, match_all_key_usages=False)


def check(path: Path, roots: Path) -> list[dict[str, Any]]:
    """Return every signature of a PDF in the order of the file: field, signer, time, verdict."""
    trusted = list(_certificates(roots))
    with path.open("rb") as file:
        # Strict reading would refuse real files that others open; what was altered shows in the digests.
        reader = PdfFileReader(file, strict=False)
        return [_told(signature, trusted) for signature in reader.embedded_regular_signatures]


def _told(signature: EmbeddedPdfSignature, trusted: list[Certificate]) -> dict[str, Any]:
    try:
        certificate = signature.signer_cert
        signer, at = _name(certificate.subject), signature.self_reported_timestamp
        issuer = _name(certificate.issuer)
    except (PdfError, SignatureValidationError, ValueError, TypeError, KeyError, IndexError):
        return {
            "field": str(signature.field_name),
            "signer": "",
            "issuer": "",
            "at": "",
            "stamped": False,
            "verdict": CHANGED,
        }
    verdict, stamped = _verdict(signature, trusted)
    return {
        "field": str(signature.field_name),
        "signer": signer,
        "issuer": issuer,
        "at": at.isoformat() if at else "",
        "stamped": stamped,
        "verdict": verdict,
    }


def _name(name: Any) -> str:
    """Return what people call the holder of a certificate: its common name, else the whole of it."""
    common = name.native.get("common_name")
    return str(common) if isinstance(common, str) else str(name.human_friendly)


def _verdict(signature: EmbeddedPdfSignature, trusted: list[Certificate]) -> tuple[str, bool]:
    """Return the verdict, and whether a time stamp of another party tells the time."""
    try:
        status = _status(signature, trusted, "soft-fail")
    except (PdfError, SignatureValidationError, ValueError, TypeError, KeyError, OverflowError):
        return CHANGED, False  # Altered bytes break the structures in ways without number.
    if not (status.intact and status.valid and _untouched(status)):
        return CHANGED, False
    stamped = status.timestamp_validity is not None and bool(status.timestamp_validity.trusted)
    strict = _looked_up(signature, trusted)
    if status.revoked or (strict and strict.revoked):
        return REVOKED, stamped
    if status.bottom_line:
        return (VALID if strict and strict.bottom_line else UNCHECKED), stamped
    problem = str(status.trust_problem_indic or "").upper()
    return (EXPIRED if "EXPIRED" in problem or "OUT_OF_BOUNDS" in problem else UNKNOWN), stamped


def _status(signature: EmbeddedPdfSignature, trusted: list[Certificate], revocation: str) -> Any:
    given: dict[str, Any] = {"trust_roots": trusted, "allow_fetching": False, "revocation_mode": revocation}
    kept = _kept_beside(signature)
    context = kept.as_validation_context(given) if kept else ValidationContext(**given)
    return validate_pdf_signature(signature, signer_validation_context=context, key_usage_settings=_USAGE)


def _looked_up(signature: EmbeddedPdfSignature, trusted: list[Certificate]) -> Any:
    """Return the status by the lists of revoked certificates that the file itself brings; None when it brings none."""
    kept = _kept_beside(signature)
    return _status(signature, trusted, "require") if kept and (kept.crls or kept.ocsps) else None


def _kept_beside(signature: EmbeddedPdfSignature) -> DocumentSecurityStore | None:
    try:
        return DocumentSecurityStore.read_dss(signature.reader)
    except (NoDSSFoundError, ValidationInfoReadingError):
        return None


def _untouched(status: Any) -> bool:
    """Say whether what came after the signature, if anything, is only what it allows."""
    return status.coverage >= SignatureCoverageLevel.ENTIRE_REVISION and bool(status.docmdp_ok)


def _certificates(folder: Path) -> Iterator[Certificate]:
    for file in sorted(folder.glob("*")) if folder.is_dir() else ():
        if file.suffix.lower() in (".pem", ".crt", ".cer", ".der"):
            try:
                yield from load_certs_from_pemder([str(file)])  # type: ignore[no-untyped-call]
            except ValueError:
                continue  # Not a certificate: it makes nobody known.
