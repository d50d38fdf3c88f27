"""Collects the texts of pages and templates into the Vietnamese catalogue: `make messages`."""

import io
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[2]
CATALOGUE = Path(__file__).parent / "vi" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
WHERE = {
    ROOT / "docctl" / "web": [("**.py", "python")],
    ROOT / "docctl" / "api": [("**.py", "python")],
    ROOT / "templates": [("**.html", "jinja2")],
}


# Fixed, so that the catalogue changes only with what the pages say.
BEGUN = datetime(2026, 11, 24, tzinfo=UTC)


def collected() -> Catalog:
    """Return every text that the pages say, in English."""
    found = Catalog(domain="messages", charset="utf-8", fuzzy=False, creation_date=BEGUN)
    for folder, methods in WHERE.items():
        options = {"**.html": {"trimmed": "true"}}
        for _, _, message, comments, context in extract_from_dir(folder, methods, options, KEYWORDS):
            found.add(message, None, auto_comments=comments, context=context)
    return found


def written() -> Catalog:
    """Return the Vietnamese catalogue as it lies there."""
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="vi")


def main() -> None:
    """Bring the catalogue up to date: new texts come in empty, for a translator; texts no longer said go."""
    catalogue = written() if CATALOGUE.exists() else Catalog(locale="vi", fuzzy=False)
    catalogue.update(collected(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    text = io.BytesIO()
    write_po(text, catalogue, width=140, omit_header=False, sort_output=True, no_location=True, ignore_obsolete=True)
    CATALOGUE.parent.mkdir(parents=True, exist_ok=True)
    CATALOGUE.write_bytes(text.getvalue())


if __name__ == "__main__":
    main()
