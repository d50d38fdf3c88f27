"""Citations of laws found by reading a text: pure functions; what a number or a name means is for the register to say."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from docctl.text import code_key, fold, nfc

LONGEST_RANGE = 30

# What the number of a Vietnamese act ends with: its kind, then whoever issued it. `QT 01/CX-HCTP` is a procedure's code.
_KIND = r"(?:N[ĐDđd]|TTL[TB]|TT|Q[ĐDđd]|NQLT|NQ|UBTVQH\s?\d{1,2}|QH\s?\d{0,2}|PL|CT|SL|LCT|VBHN|CĐ|TTr|HD)"
_DASH = r"\s{0,2}[-–‑—./]\s{0,2}"
_ISSUER = rf"(?:(?:{_DASH})(?:[A-ZĐ][A-Za-zĐđƯưÂâ&]*\d{{0,2}}|(?-i:[a-z]{{2,9}}\b)))"
_SUFFIX = rf"{_KIND}(?![a-zà-ỹ]){_ISSUER}{{0,8}}"
_YEAR = r"(?:(?:19|20)\d{2}\s{0,2}/\s{0,2})"
_NUMBER = re.compile(
    rf"(?<![\w/.-])(?P<first>\d{{1,5}}[a-z]?)\s{{0,2}}/\s{{0,2}}(?P<year>{_YEAR})?(?P<suffix>{_SUFFIX})(?![\w])"
)
_LOWER = re.compile(
    r"(?<![\w/.-])(?P<first>\d{1,5})/(?P<year>(?:19|20)\d{2}/)(?P<suffix>(?:n[đd]|tt|q[đd]|nq|ttlt)-[a-zđ]{2,12}(?:-[a-zđ]{2,12})*)\b"
)
# Acts before 1996: `84-CP`, `19/CP`, `217-HĐBT`, after the word that says what they are.
_OLD = re.compile(
    r"(?P<kind>[Nn]ghị định|[Qq]uyết định|[Tt]hông tư|[Cc]hỉ thị|[Nn]ghị quyết)\s+(?:số\s*:?\s*)?"
    r"(?P<number>\d{1,4}\s?[-–/]\s?(?:CP|TTg|HĐBT|CT|TW|TC|TT))(?![\w/-])"
)
_STANDARD = re.compile(r"(?<!\w)(?P<number>TCVN\s+(?:ISO\s+)?(?:/IEC\s+)?\d{3,5}(?:-\d+)?(?::|-)\s?(?:19|20)\d{2})")
# `số 32, 33 và 34/2012/NĐ-CP`: numbers before the first whole one share its year and its end.
_SHARED = re.compile(
    r"\bsố\s*:?\s*(?P<heads>\d{1,4}[a-z]?(?:\s*(?:,|và|;)\s*\d{1,4}[a-z]?)*)\s*(?:,|và|;)\s*(?:số\s*)?$"
)
_RANGE = re.compile(r"^\s*(?:đến|tới|-|–)\s*(?:số\s*)?$")
_NAME = r"(?<!\w)(?P<name>(?:Bộ luật|Luật|Pháp lệnh|Hiến pháp)\s+(?=[^\W\d_]*[A-ZĐÂÊÔƠƯÁ-Ỹ])"
_NAMED = re.compile(
    _NAME + r"(?:(?!năm\b|số\b|ngày\b)[^\W\d_]+,?\s+){1,9}?)"
    r"(?:ngày\s+\d{1,2}(?:/\d{1,2}/|\s+tháng\s+\d{1,2}\s+năm\s+)|năm\s+)?(?P<year>(?:19|20)\d{2})\b(?!/)"
)
# Without a year a name is one only where it is clear where it ends.
_BARE = re.compile(
    _NAME + r"(?:(?!năm\b|số\b|ngày\b)[^\W\d_]+ ?){1,8}?)"
    r"(?=\s*(?:[;,.:)\n]|$)|\s+(?:và|hoặc)\s+(?:các\s+)?(?:[Nn]ghị|[Tt]hông tư|Luật|Bộ luật|Pháp lệnh|[Qq]uyết định))"
)
_RIGHT_AFTER = re.compile(r"^[\s(,;:]*(?:(?:Bộ luật|Luật|Pháp lệnh)\s+)?(?:số\s*:?\s*)?$")


@dataclass(frozen=True)
class Citation:
    """A law that a text names: by number, or by name and year; where it begins and ends in `nfc(text)`."""

    number: str
    start: int
    end: int
    name: str = ""
    year: int | None = None

    @property
    def key(self) -> str:
        """The form by which numbers are compared; of a law without a number its folded name and year."""
        return number_key(self.number) if self.number else f"{fold(self.name).upper()} {self.year or ''}".strip()

    @property
    def label(self) -> str:
        """What it is called in a list."""
        return self.number or f"{self.name} {self.year or ''}".strip()


def number_key(number: str) -> str:
    """Return the form by which numbers of laws are compared: `83/1998/NĐ.CP`, `83/1998/ND – CP` are one."""
    tidy = re.sub(r"\s*[-–‑—.]\s*", "-", nfc(number).strip().rstrip("-–."))
    return code_key(tidy)[:200]


def read(text: str) -> list[Citation]:
    """Return every citation in the order of the text, repeated ones too."""
    text = nfc(text)
    numbered = sorted([*_numbered(text), *_old(text), *_standards(text)], key=lambda found: (found.start, found.end))
    named = [found for found in _named(text) if not _repeated(text, found, numbered)]
    return sorted([*numbered, *named], key=lambda found: (found.start, found.end))


def different(text: str) -> dict[str, Citation]:
    """Return the first citation of each law that a text names, by key."""
    found: dict[str, Citation] = {}
    for citation in read(text):
        found.setdefault(citation.key, citation)
    return found


def _numbered(text: str) -> Iterator[Citation]:
    before: tuple[int, str, int, str] | None = None
    for match in sorted([*_NUMBER.finditer(text), *_LOWER.finditer(text)], key=lambda match: match.start()):
        first, year = match["first"], re.sub(r"\s", "", match["year"] or "")
        suffix = re.sub(r"\s*([-–‑—./])\s*", r"\1", match["suffix"]).rstrip("-–./")
        yield Citation(f"{first}/{year}{suffix}", match.start(), match.end())
        if shared := _SHARED.search(text, max(0, match.start() - 80), match.start()):
            for head in re.finditer(r"\d{1,4}[a-z]?", shared["heads"]):
                place = shared.start("heads") + head.start()
                yield Citation(f"{head[0]}/{year}{suffix}", place, place + len(head[0]))
        if before and before[1] == year + suffix and _RANGE.match(text[before[0] : match.start()]):
            yield from _between(text, before, match, year + suffix)
        before = (match.end(), year + suffix, match.start(), first)


def _between(text: str, before: tuple[int, str, int, str], match: re.Match[str], rest: str) -> Iterator[Citation]:
    """Yield the numbers between the ends of `từ số 01/2020/TT-BTP đến số 05/2020/TT-BTP`."""
    if not (before[3].isdigit() and match["first"].isdigit()):
        return
    low, high = int(before[3]), int(match["first"])
    if not text[max(0, before[2] - 12) : before[2]].rstrip().removesuffix("số").rstrip().endswith("từ"):
        return
    if low < high <= low + LONGEST_RANGE:
        for number in range(low + 1, high):
            yield Citation(f"{number:02d}/{rest}", before[2], match.end())


def _old(text: str) -> Iterator[Citation]:
    for match in _OLD.finditer(text):
        yield Citation(re.sub(r"\s", "", match["number"]), match.start("number"), match.end("number"))


def _standards(text: str) -> Iterator[Citation]:
    for match in _STANDARD.finditer(text):
        yield Citation(" ".join(match["number"].split()), match.start(), match.end())


def _named(text: str) -> Iterator[Citation]:
    dated = []
    for match in _NAMED.finditer(text):
        if "\n" not in match["name"].strip():
            dated.append(Citation("", match.start(), match.end(), _tidy(match["name"]), int(match["year"])))
    yield from dated
    for match in _BARE.finditer(text):
        if not any(found.start <= match.start() < found.end for found in dated):
            yield Citation("", match.start(), match.end(), _tidy(match["name"]))


def _tidy(name: str) -> str:
    return " ".join(name.split()).rstrip(",")


def _repeated(text: str, named: Citation, numbered: list[Citation]) -> bool:
    """Say whether the number of a law that was named stands inside or right after its name."""
    return any(
        named.start <= found.start <= named.end
        or (found.start > named.end and _RIGHT_AFTER.match(text[named.end : found.start]))
        for found in numbered
    )
