"""The kinds of file that docctl keeps, and what people call them."""

from enum import StrEnum

from docctl.rules import Sentence


class Kind(StrEnum):
    """A kind of file; the value is its extension without the dot."""

    DOC = "doc"
    DOCX = "docx"
    ODT = "odt"
    RTF = "rtf"
    PDF = "pdf"
    TXT = "txt"
    MD = "md"
    XLS = "xls"
    XLSX = "xlsx"
    ODS = "ods"

    @property
    def media_type(self) -> str:
        """The media type to send the file with (IANA registry)."""
        return _MEDIA_TYPES[self]

    @property
    def label(self) -> Sentence:
        """What a person calls such a file, in the middle of a sentence."""
        return _LABELS[self]


# Files of these kinds are text to every program; only the name tells them apart.
PLAIN = frozenset({Kind.TXT, Kind.MD})

_MEDIA_TYPES = {
    Kind.DOC: "application/msword",
    Kind.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Kind.ODT: "application/vnd.oasis.opendocument.text",
    Kind.RTF: "application/rtf",
    Kind.PDF: "application/pdf",
    Kind.TXT: "text/plain; charset=utf-8",
    Kind.MD: "text/markdown; charset=utf-8",
    Kind.XLS: "application/vnd.ms-excel",
    Kind.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Kind.ODS: "application/vnd.oasis.opendocument.spreadsheet",
}

_LABELS = {
    Kind.DOC: Sentence("tài liệu Word 97–2003", "a Word 97–2003 document"),
    Kind.DOCX: Sentence("tài liệu Word", "a Word document"),
    Kind.ODT: Sentence("tài liệu OpenDocument", "an OpenDocument text"),
    Kind.RTF: Sentence("tài liệu RTF", "an RTF document"),
    Kind.PDF: Sentence("tệp PDF", "a PDF"),
    Kind.TXT: Sentence("văn bản thuần", "plain text"),
    Kind.MD: Sentence("văn bản Markdown", "Markdown text"),
    Kind.XLS: Sentence("bảng tính Excel 97–2003", "an Excel 97–2003 workbook"),
    Kind.XLSX: Sentence("bảng tính Excel", "an Excel workbook"),
    Kind.ODS: Sentence("bảng tính OpenDocument", "an OpenDocument spreadsheet"),
}
