"""A register or minutes as plain values: all that a writer needs to know, whatever type of file it writes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from docctl import clock
from docctl.audit import Head
from docctl.lifecycle import Signature
from docctl.rules import Sentence

Cell = str | int | date | None
Row = Sequence[Cell]

PRINTED = Sentence("In ngày {day}", "Printed on {day}")
PAGE = Sentence("Trang", "Page")
TRAIL = Sentence("Nhật ký đến mục {sequence}, mã băm {hash}", "Audit trail up to entry {sequence}, hash {hash}")
EMPTY = Sentence("Không có dòng nào.", "There are no rows.")
MOTTO = ("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc")
DRAFT = Sentence("Dự thảo, chưa ký", "Draft, not signed")
SIGNED = Sentence("Đã ký trên hệ thống: {who}, {title}, {at}.", "Signed in the system: {who}, {title}, {at}.")
SIGN = Sentence("(Ký, ghi rõ họ tên)", "(Signature and full name)")
# What XML 1.0 has no way to write.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Block:
    """A table: its caption, the headings of its columns, and its rows, each as long as the headings are many.

    `documents` says of each row which document it is about, for the page that links there.
    """

    caption: str
    headings: Sequence[str]
    rows: Sequence[Row]
    documents: Sequence[int] = ()


@dataclass(frozen=True)
class Signer:
    """A place to sign: in what capacity, and the name under it when it is known."""

    capacity: str
    name: str = ""


@dataclass(frozen=True)
class Paper:
    """A register or minutes: what stands in the head of each page, the paragraphs around the tables, and who signs.

    `code` is that of the form, `made_at` the instant that the values are of, `head` the end of the audit trail then:
    it is printed at the foot, so that whoever cuts the trail later can be shown the paper.
    """

    title: str
    office: str
    code: str
    made_at: datetime
    blocks: Sequence[Block] = ()
    subtitle: str = ""
    opening: Sequence[str] = ()
    closing: Sequence[str] = ()
    signers: Sequence[Signer] = ()
    head: Head | None = None
    locale: str = "vi"
    landscape: bool = True
    motto: bool = field(default=False)

    @property
    def printed(self) -> str:
        """When the values are of, in words."""
        return PRINTED.fill(day=clock.local(self.made_at).strftime("%d/%m/%Y %H:%M")).get(self.locale)

    @property
    def foot(self) -> str:
        """The end of the audit trail in words, empty when the paper carries none."""
        if self.head is None:
            return ""
        return TRAIL.fill(sequence=self.head.sequence, hash=self.head.hash).get(self.locale)

    def say(self, sentence: Sentence) -> str:
        """Return a sentence in the language of the paper."""
        return sentence.get(self.locale)


def signed_here(row: Signature) -> Sentence:
    """Say who signed a paper in the system, with the title of that day, and when."""
    return SIGNED.fill(who=row.person, title=row.title, at=clock.local(row.signed_at).strftime("%d/%m/%Y %H:%M"))


def written(value: Cell) -> str:
    """Return a value as it is read on paper: days as `26/10/2022`."""
    if value is None:
        return ""
    return value.strftime("%d/%m/%Y") if isinstance(value, date) else str(value)


def printable(text: str) -> str:
    """Return a text without the control characters that no document can hold."""
    return _UNWRITABLE.sub("", text)
