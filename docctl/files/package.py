"""Office packages: the zip container of .docx, .xlsx, .odt and .ods, opened without trusting what it says of itself."""

import io
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from docctl.files import inside
from docctl.files.kinds import Kind

MAX_ENTRIES = 10_000
MAX_DIRECTORY = 4 << 20  # Bytes of the zip's own table of contents.
MAX_PART = 256 << 20  # Bytes of one part, inflated.
MAX_TOTAL = 1 << 30  # Bytes of all parts, inflated.
MAX_RATIO = 200  # Inflated to packed, for a part above RATIO_FROM; the XML of long tables reaches about 60.
RATIO_FROM = 16 << 20

MAX_EMBEDDED = 64 << 20  # Bytes of an embedded object that is looked into.
LOOKED_AT = 64 << 10  # Bytes at the beginning of each part that tell what it is.

_RELATIONS = "_rels/.rels"
_OOXML = "application/vnd.openxmlformats-officedocument."
_MAIN_TYPES = {
    _OOXML + "wordprocessingml.document.main+xml": Kind.DOCX,
    _OOXML + "spreadsheetml.sheet.main+xml": Kind.XLSX,
}
_ODF_TYPES = {
    b"application/vnd.oasis.opendocument.text": Kind.ODT,
    b"application/vnd.oasis.opendocument.spreadsheet": Kind.ODS,
}


class BrokenPackage(ValueError):
    """The file is no zip, or a damaged one, or not an office package."""


class Bomb(ValueError):
    """The package would inflate to far more than any document needs."""


class UnsafeName(ValueError):
    """The package holds a part whose name leads out of the folder it would be unpacked to."""


def parse(data: bytes) -> etree._Element:
    """Return the root of an XML part; entities stay unread, nothing is fetched. Raises BrokenPackage."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.parse(io.BytesIO(data), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise BrokenPackage(str(error)) from error
    if root.docinfo.internalDTD is not None:
        # No office program writes a document type into a part; those who do mean entities.
        raise BrokenPackage("a part declares a document type")
    return root.getroot()


class Package:
    """An office package, checked for size and names before a byte is inflated; use it in a `with`.

    Raises BrokenPackage, Bomb, or UnsafeName.
    """

    def __init__(self, path: Path) -> None:
        try:
            _refuse_long_directory(path)
            self._zip = zipfile.ZipFile(path)
        except (BrokenPackage, Bomb):
            raise
        except Exception as error:  # Damaged bytes make zipfile raise much besides BadZipFile.
            raise BrokenPackage(str(error)) from error
        try:
            _refuse_bombs(self._zip.infolist())
            _refuse_names(self._zip.infolist())
        except ValueError:
            self._zip.close()
            raise

    def __enter__(self) -> "Package":
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The names of all parts."""
        return self._zip.namelist()

    def read(self, name: str, limit: int = MAX_PART) -> bytes:
        """Return one part inflated; raises BrokenPackage when it is missing, damaged, locked or above the limit."""
        try:
            if self._zip.getinfo(name).file_size > limit:
                raise BrokenPackage(f"{name} is larger than {limit} bytes")
            return self._zip.read(name)
        except BrokenPackage:
            raise
        except Exception as error:  # zipfile, zlib, bz2 and lzma each raise errors of their own over damaged bytes.
            raise BrokenPackage(str(error)) from error

    def locked(self) -> bool:
        """Say whether a password is needed: zip encryption, or OpenDocument's own."""
        if any(info.flag_bits & 1 for info in self._zip.infolist()):
            return True
        manifest = "META-INF/manifest.xml"
        return manifest in self.names and b"encryption-data" in self.read(manifest, 1 << 22)

    def has_macros(self) -> bool:
        """Say whether the package brings program code of its own."""
        lists = ("script-lb.xml", "script-lc.xml", "dialog-lb.xml", "dialog-lc.xml")
        for name in map(str.lower, self.names):
            if name.endswith("vbaproject.bin") or (name.startswith("scripts/") and not name.endswith("/")):
                return True
            if name.startswith("basic/") and name.endswith(".xml") and not name.endswith(lists):
                return True
        if "[Content_Types].xml" not in self.names:
            return False
        types = self._content_types()
        return b"macroEnabled.main+xml" in types or b"ms-excel.macrosheet+xml" in types

    def strange(self) -> Iterator[tuple[str, str]]:
        """Yield the parts that no document needs, with what they are: archives, programs, macros, absurd pictures."""
        for info in self._zip.infolist():
            if info.is_dir() or not info.file_size:
                continue
            try:
                with self._zip.open(info) as part:
                    head = part.read(LOOKED_AT)
            except Exception as error:  # Damaged bytes: zipfile and zlib raise errors of their own.
                raise BrokenPackage(str(error)) from error
            what = inside.strange(info.filename, head)
            if not what and inside.pixels(head) > inside.MAX_PIXELS:
                what = "picture"
            if not what and "embeddings/" in info.filename.lower() and info.file_size <= MAX_EMBEDDED:
                what = self._embedded(info.filename)
            if what:
                yield info.filename, what

    def _embedded(self, name: str) -> str:
        """Look one level into what is embedded: an office package of its own, or an object of the office's packager."""
        data = self.read(name, MAX_EMBEDDED)
        if not data.startswith(b"PK\x03\x04"):
            return inside.packed(data)
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as nested:
                names = [part.lower() for part in nested.namelist()]
        except Exception:  # What does not open as a zip file is none.
            return ""
        if any(part.endswith("vbaproject.bin") for part in names):
            return "macros"
        return "" if "[content_types].xml" in names or "mimetype" in names else "archive"

    def main(self) -> tuple[Kind, str] | None:
        """Return the kind and the main part, or None for a package of another sort."""
        if "mimetype" in self.names:
            kind = _ODF_TYPES.get(self.read("mimetype", 1 << 10).strip())
            return (kind, "content.xml") if kind else None
        if not {"[Content_Types].xml", _RELATIONS} <= set(self.names):
            return None
        relations = parse(self.read(_RELATIONS, 1 << 22)).iter("{*}Relationship")
        mains = [str(r.get("Target")) for r in relations if str(r.get("Type")).endswith("/officeDocument")]
        if len(mains) != 1:
            # Two programs would show two different documents, and only one of them was approved.
            raise BrokenPackage("not exactly one main part")
        part = mains[0].lstrip("/")
        overrides = parse(self._content_types()).iter("{*}Override")
        types = {str(o.get("PartName")).lstrip("/"): str(o.get("ContentType")) for o in overrides}
        kind = _MAIN_TYPES.get(types.get(part, ""))
        return (kind, part) if kind else None

    def _content_types(self) -> bytes:
        return self.read("[Content_Types].xml", 1 << 22)


def _refuse_long_directory(path: Path) -> None:
    """Look at the length of the table of contents before zipfile builds an object for each of its lines."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0:
        raise BrokenPackage("no table of contents")
    if int.from_bytes(tail[at + 12 : at + 16], "little") > MAX_DIRECTORY:
        raise Bomb("table of contents")


def _refuse_bombs(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_ENTRIES or sum(info.file_size for info in infos) > MAX_TOTAL:
        raise Bomb("entries or total size")
    for info in infos:
        if info.file_size > MAX_PART or info.file_size > max(RATIO_FROM, MAX_RATIO * info.compress_size):
            raise Bomb(info.filename)


def _refuse_names(infos: list[zipfile.ZipInfo]) -> None:
    for info in infos:
        parts = info.orig_filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in info.orig_filename:
            raise UnsafeName(info.orig_filename)
    if any(times > 1 for times in Counter(info.filename for info in infos).values()):
        raise BrokenPackage("two parts of one name")
