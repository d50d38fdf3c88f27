"""Handing out the PDF: stamped with what holds at this moment, and signed by the office last where it has a certificate."""

from sqlalchemy.orm import Session

from docctl.config import Settings
from docctl.files import pdf
from docctl.files.store import Store
from docctl.renditions import sealing, sheets
from docctl.renditions.table import Rendition
from docctl.revisions import Revision
from docctl.rules import Sentence

STILL_MADE = Sentence(
    "Bản PDF đang được tạo; hãy hỏi lại sau vài giây.", "The PDF is still being made; ask again in a few seconds."
)
NO_PDF = Sentence("Tệp này chưa có bản PDF: {why}", "There is no PDF of this file: {why}")


def printed(
    session: Session, store: Store, settings: Settings, revision: Revision, row: Rendition, *, url: str, copy: str = ""
) -> bytes:
    """Return the PDF of a revision as it is handed out now; what is stored stays as it is.

    `url` is the address of the status page, `copy` the number of a controlled copy. Raises pdf.CannotBeShown, and
    Refused where the office's certificate cannot sign.
    """
    issued = revision.effective_from is not None
    sealed = sealing.words(settings) if issued else ""
    sheet = sheets.sheet(session, revision, row, url=url, copy=copy, sealed=sealed)
    stamped = pdf.press(store.path(str(row.sha256)), sheet)
    if not issued:
        return stamped
    # Last of all: whatever came after the office's signature would be a change of what it signed.
    return sealing.seal(stamped, settings, reason=f"{revision.document.code} {revision.edition_text}")


def why_not(row: Rendition | None) -> Sentence:
    """Say why a PDF cannot be handed out yet."""
    if row is None or not row.reason_en:
        return STILL_MADE
    return NO_PDF.fill(why=Sentence(row.reason_vi, row.reason_en))
