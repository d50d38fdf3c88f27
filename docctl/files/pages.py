"""Pictures of pages, kept beside the store by content: they can be deleted at any time and are drawn anew."""

import json
import shutil
import tempfile
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docctl.files import pdf
from docctl.text import fold

WIDTHS = (900, 1350, 1800)  # Pixels: as read on a telephone or a desk, and enlarged.
AHEAD = 2  # Pages that are drawn together: whoever reads one turns over next.
LONG_ENOUGH = 3  # Letters beyond which the start of a word counts; many Vietnamese words are shorter.
KEPT = 1 << 30  # Bytes of pictures that are kept.


@dataclass(frozen=True)
class Drawn:
    """A page as a picture: where it lies, its size in pixels, and its words with their boxes in fractions of it."""

    path: Path
    width: int
    height: int
    words: list[tuple[str, float, float, float, float]]


@dataclass(frozen=True)
class Pages:
    """The pictures of the pages of PDFs, below a folder."""

    folder: Path

    def page(self, source: Path, sha256: str, number: int, of: int, *, width: int, forms: bool = False) -> Drawn:
        """Return a page (from 1) of a PDF as a picture, drawing it when it was not drawn yet.

        Raises pdf.CannotBeShown, and LookupError for a page or a width that there is not.
        """
        if width not in WIDTHS or not 1 <= number <= of:
            raise LookupError(number)
        place = self.folder / sha256[:2] / f"{sha256}-{width}"
        picture, told = place / f"{number}.png", place / f"{number}.json"
        if not (picture.exists() and told.exists()):
            wanted = [
                page for page in range(number, min(number + AHEAD, of + 1)) if not (place / f"{page}.png").exists()
            ]
            self._draw(source, place, wanted or [number], width, forms)
        if not picture.exists():
            raise pdf.CannotBeShown(pdf.DAMAGED)
        facts: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        words = [(str(word), *map(float, box)) for word, *box in facts["words"]]
        return Drawn(picture, facts["width"], facts["height"], words)  # type: ignore[arg-type]  # Four numbers each.

    def found(self, source: Path, sha256: str, asked: str) -> list[int]:
        """Return the numbers of the pages of a PDF on which one of the words stands; accents count only where typed."""
        kept = self.folder / sha256[:2] / f"{sha256}-text" / "pages.json"
        if not kept.exists():
            texts = pdf.texts(source)
            kept.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile("w", dir=kept.parent, delete=False, encoding="utf-8") as file:
                json.dump(texts, file, ensure_ascii=False)
            Path(file.name).replace(kept)
        wanted = _wanted(asked)
        told: list[str] = json.loads(kept.read_text(encoding="utf-8"))
        return [n for n, page in enumerate(told, start=1) if any(_is_hit(word, wanted) for word in page.split())]

    def forget(self, sha256: str) -> None:
        """Take away every picture and text that was made of a PDF."""
        for place in (self.folder / sha256[:2]).glob(f"{sha256}-*"):
            shutil.rmtree(place, ignore_errors=True)

    def tidy(self, most: int = KEPT) -> None:
        """Take away the pictures that were drawn first, until what is left is at most so many bytes."""
        folders = sorted(self.folder.glob("??/*"), key=lambda place: place.stat().st_mtime, reverse=True)
        total = 0
        for place in folders:
            total += sum(file.stat().st_size for file in place.iterdir())
            if total > most:
                shutil.rmtree(place, ignore_errors=True)

    def _draw(self, source: Path, place: Path, numbers: list[int], width: int, forms: bool) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.folder, prefix=".drawing-") as folder:
            drawn = pdf.draw(source, numbers, width=width, into=Path(folder), forms=forms)
            place.mkdir(parents=True, exist_ok=True)
            for number in drawn:
                for suffix in ("json", "png"):  # The picture last: where it lies, its words do too.
                    (Path(folder) / f"{number}.{suffix}").replace(place / f"{number}.{suffix}")


def hits(words: list[tuple[str, float, float, float, float]], asked: str) -> list[tuple[float, float, float, float]]:
    """Return the boxes of the words of a page that were asked for, with accents or without, or that begin so."""
    wanted = _wanted(asked)
    return [(x0, y0, x1, y1) for word, x0, y0, x1, y1 in words if _is_hit(word, wanted)]


def _wanted(asked: str) -> list[tuple[str, bool]]:
    """Return the words asked for in small letters, and of each whether its accents count: typed ones do."""
    words = unicodedata.normalize("NFC", asked).lower().split()
    return [(word, fold(word) != word) for word in words if any(letter.isalnum() for letter in word)]


def _is_hit(word: str, wanted: list[tuple[str, bool]]) -> bool:
    plain = unicodedata.normalize("NFC", word).lower().strip("\"'“”‘’()[]{}<>.,;:!?…-–—/")
    bare = fold(plain)
    for asked, accented in wanted:
        seen = plain if accented else bare
        if seen == asked or (len(asked) > LONG_ENOUGH and seen.startswith(asked)):
            return True
    return False
