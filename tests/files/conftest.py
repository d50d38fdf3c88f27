"""Files made on the spot for the tests of files: small, real, and each wrong in one way."""

import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Override PartName="/word/document.xml" ContentType="application/vnd.{}.main+xml"/></Types>'
)
RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)
WORD = "openxmlformats-officedocument.wordprocessingml.document"
NAMESPACES = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'


@pytest.fixture
def docx(tmp_path: Path) -> Callable[..., Path]:
    """Make a .docx of a body in WordprocessingML, with any further parts."""

    def make(body: str = "<w:p/>", *, kind: str = WORD, name: str = "a.docx", **parts: str | bytes) -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            package.writestr("[Content_Types].xml", TYPES.format(kind))
            package.writestr("_rels/.rels", RELATIONS)
            package.writestr("word/document.xml", f"<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>")
            for part, content in parts.items():
                package.writestr(part, content)
        return path

    return make


@pytest.fixture
def pdf(tmp_path: Path) -> Callable[..., Path]:
    """Make a PDF of pages with one line each; `trailer` goes into its trailer."""

    def make(*lines: str, trailer: str = "", objects: tuple[str, ...] = ()) -> Path:
        count = len(lines)
        kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(count))
        bodies = [
            "<</Type/Catalog/Pages 2 0 R>>",
            f"<</Type/Pages/Kids[{kids}]/Count {count}>>",
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        ]
        for n, line in enumerate(lines):
            content = f"BT /F1 12 Tf 72 720 Td ({line}) Tj ET"
            page = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F1 3 0 R>>>>"
            bodies += [f"{page}/Contents {5 + 2 * n} 0 R>>", f"<</Length {len(content)}>>stream\n{content}\nendstream"]
        bodies += objects
        out, offsets = b"%PDF-1.4\n", []
        for number, body in enumerate(bodies, 1):
            offsets.append(len(out))
            out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
        table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
        size = len(bodies) + 1
        end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R{trailer}>>\n"
        path = tmp_path / "a.pdf"
        path.write_bytes(out + end.encode() + f"startxref\n{len(out)}\n%%EOF\n".encode())
        return path

    return make


@pytest.fixture
def compound(tmp_path: Path) -> Callable[..., Path]:
    """Make a compound file of streams in its root folder, each at least 4096 bytes, and of empty storages."""

    def make(streams: dict[str, bytes], name: str = "a.doc", inside: tuple[str, ...] = ()) -> Path:
        fat, body = [0xFFFFFFFD, 2, 0xFFFFFFFE], b""
        entries = [_entry("Root Entry", 5, child=1)]
        names = list(streams)
        for number, (stream, data) in enumerate(streams.items(), 1):
            data = data.ljust(4096, b"\0")
            data += b"\0" * (-len(data) % 512)
            right = number + 1 if number < len(names) or inside else 0xFFFFFFFF
            entries.append(_entry(stream, 2, right=right, start=len(fat), size=len(data)))
            sectors = len(data) // 512
            fat += [*range(len(fat) + 1, len(fat) + sectors), 0xFFFFFFFE]
            body += data
        for depth, storage in enumerate(inside):
            entries.append(_entry(storage, 1, child=len(entries) + 1 if depth + 1 < len(inside) else 0xFFFFFFFF))
        header = bytes.fromhex("d0cf11e0a1b11ae1").ljust(24, b"\0") + struct.pack("<HHHHH", 62, 3, 0xFFFE, 9, 6)
        header = header.ljust(44, b"\0") + struct.pack("<IIIIIIIII", 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
        header += b"\xff" * 432
        directory = b"".join(entries).ljust(1024, b"\0")
        table = struct.pack(f"<{len(fat)}I", *fat).ljust(512, b"\xff")
        path = tmp_path / name
        path.write_bytes(header + table + directory + body)
        return path

    return make


def _entry(
    name: str, kind: int, *, child: int = 0xFFFFFFFF, right: int = 0xFFFFFFFF, start: int = 0, size: int = 0
) -> bytes:
    raw = name.encode("utf-16-le")
    head = (
        raw.ljust(64, b"\0")
        + struct.pack("<HBB", len(raw) + 2, kind, 1)
        + struct.pack("<III", 0xFFFFFFFF, right, child)
    )
    return head.ljust(116, b"\0") + struct.pack("<III", start, size, 0)
