"""What lies inside office packages and beside their end: other archives, programs, macros, pictures of absurd size, a second file."""

import struct
from pathlib import Path, PurePosixPath

MAX_PIXELS = 250_000_000  # Of one picture: A0 at 400 dpi has 240 million.

ARCHIVES = frozenset(["zip", "rar", "7z", "gz", "tar", "tgz", "bz2", "xz", "cab", "iso", "jar"])
PROGRAMS = frozenset(
    [
        "exe",
        "com",
        "dll",
        "scr",
        "msi",
        "bat",
        "cmd",
        "ps1",
        "vbs",
        "vbe",
        "js",
        "jse",
        "wsf",
        "hta",
        "lnk",
        "reg",
        "sh",
    ]
)
MACRO_KINDS = frozenset(["docm", "dotm", "xlsm", "xltm", "xlsb", "xlam", "pptm", "potm", "ppsm"])

_MAGIC = (
    (b"MZ", "program"),
    (b"\x7fELF", "program"),
    (b"Rar!", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"\x1f\x8b", "archive"),
    (b"BZh", "archive"),
    (b"\xfd7zXZ", "archive"),
)
_NATIVE = "\x01Ole10Native".encode("utf-16-le")


def strange(name: str, head: bytes) -> str:
    """Say what a part of a package is that no document needs: `archive`, `program`, `macros`, or nothing (empty)."""
    extension = PurePosixPath(name.lower()).suffix.lstrip(".")
    if extension in ARCHIVES:
        return "archive"
    if extension in PROGRAMS:
        return "program"
    if extension in MACRO_KINDS:
        return "macros"
    return next((what for magic, what in _MAGIC if head.startswith(magic)), "")


def packed(data: bytes) -> str:
    """Say what an OLE object brings that the office's packager put in: `program`, `archive`, or nothing; its name tells."""
    if _NATIVE not in data:
        return ""
    # The stream holds the original file's name and path in the code page, each ending with NUL.
    for word in data.replace(b"\0", b"\n").split(b"\n"):
        name = word[-260:].decode("latin-1").lower()
        extension = name.rpartition(".")[2] if "." in name else ""
        if 0 < len(word) < 260 and extension in PROGRAMS | ARCHIVES | MACRO_KINDS:
            return "archive" if extension in ARCHIVES else "program"
    return ""


def pixels(head: bytes) -> int:
    """Return how many pixels a PNG, GIF, BMP or JPEG says it has; 0 for anything else."""
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        width, height = struct.unpack_from(">II", head, 16)
    elif head.startswith(b"GIF8") and len(head) >= 10:
        width, height = struct.unpack_from("<HH", head, 6)
    elif head.startswith(b"BM") and len(head) >= 26:
        width, height = (abs(side) for side in struct.unpack_from("<ii", head, 18))
    elif head.startswith(b"\xff\xd8"):
        width, height = _jpeg(head)
    else:
        return 0
    return int(width * height)


def _jpeg(head: bytes) -> tuple[int, int]:
    at = 2
    while at + 9 <= len(head) and head[at] == 0xFF:
        marker = head[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", head, at + 5)
            return width, height
        at += 2 + int(struct.unpack_from(">H", head, at + 2)[0])
    return 0, 0


def follows_package(path: Path) -> bool:
    """Say whether something follows the end of a zip file: a second file that another program would show."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        return False
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    return bool(tail[at + 22 + comment :].strip(b"\0\r\n ")) or b"%PDF-" in tail[at + 22 :]


def second_file(path: Path) -> bool:
    """Say whether a PDF is also a zip file, whose table of contents ends where the file ends."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        return False
    comment = int.from_bytes(tail[at + 20 : at + 22], "little")
    entries = int.from_bytes(tail[at + 10 : at + 12], "little")
    return entries > 0 and at + 22 + comment >= len(tail)
