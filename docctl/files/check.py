"""The rules of upload: name, content and structure of a file must agree, and nobody may be shut out of it later."""

import re
import struct
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from docctl import text
from docctl.files import inside, macros
from docctl.files.compound import MAGIC as COMPOUND
from docctl.files.compound import BrokenCompound, Compound
from docctl.files.extract import probe_pdf
from docctl.files.kinds import PLAIN, Kind
from docctl.files.package import Bomb, BrokenPackage, Package, UnsafeName
from docctl.rules import Refused, Sentence

MAX_PAGES = 5_000
MAX_NAME = 200  # Bytes of UTF-8; file systems take 255, and prints and exports add to the name.

_ACCEPTED = ", ".join(f".{kind}" for kind in Kind)
NO_NAME = Sentence(
    "Tệp không có tên; hãy đặt tên tệp rồi tải lên lại.", "The file has no name; name it, then upload it."
)
EMPTY = Sentence(
    "Tệp rỗng (0 byte); hãy kiểm tra lại tệp gốc rồi tải lên lại.",
    "The file is empty (0 bytes); check the original, then upload it again.",
)
NOT_ACCEPTED = Sentence(
    "Không nhận tệp có đuôi “{named}”; hãy lưu tài liệu ở một trong các dạng: " + _ACCEPTED + ".",
    "Files named “{named}” are not accepted; save the document as one of: " + _ACCEPTED + ".",
)
PICTURE = Sentence(
    "Đây là tệp ảnh; hãy quét hoặc lưu tài liệu thành PDF rồi tải lên.",
    "This is a picture; scan or save the document as a PDF, then upload that.",
)
MACROS = Sentence(
    "Tệp có chứa macro; hãy mở tệp, lưu lại ở dạng .docx hoặc .xlsx (không macro) rồi tải lên.",
    "The file contains macros; open it, save it as .docx or .xlsx (without macros), then upload that.",
)
LOCKED = Sentence(
    "Tệp được bảo vệ bằng mật khẩu; hãy mở tệp, bỏ mật khẩu, lưu lại rồi tải lên.",
    "The file is protected by a password; open it, remove the password, save it, then upload it.",
)
MISNAMED = Sentence(
    "Tệp có đuôi .{named} nhưng nội dung là {found}; hãy đổi đuôi tệp thành .{right} rồi tải lên lại, hoặc chọn đúng tệp.",
    "This file is named .{named} but is {found}; rename it to end in .{right} and upload it, or choose the right file.",
)
FOREIGN = Sentence(
    "Tệp có đuôi .{named} nhưng nội dung là {found}; hãy chọn đúng tệp, hoặc lưu lại bằng chương trình văn phòng.",
    "This file is named .{named} but is {found}; choose the right file, or save it again in an office program.",
)
DAMAGED = Sentence(
    "Tệp bị hỏng hoặc chưa đầy đủ, không mở được như {label}; hãy mở bản gốc, lưu lại rồi tải lên.",
    "The file is damaged or incomplete and does not open as {label}; open the original, save it, then upload it.",
)
BOMB = Sentence(
    "Tệp nén bung ra lớn bất thường nên không được nhận; hãy mở tệp, lưu lại rồi tải lên.",
    "The file would unpack to an abnormal size and is not accepted; open it, save it, then upload it.",
)
UNSAFE = Sentence(
    "Tệp chứa đường dẫn không an toàn bên trong nên không được nhận; hãy mở tệp, lưu lại rồi tải lên.",
    "The file contains unsafe paths inside and is not accepted; open it, save it, then upload it.",
)

PDF_ACTS = {
    "script": Sentence(
        "PDF có chứa mã lệnh (JavaScript); hãy mở tệp, in ra PDF mới (Microsoft Print to PDF) rồi tải lên.",
        "The PDF contains a script (JavaScript); open it, print it to a new PDF, then upload that.",
    ),
    "launch": Sentence(
        "PDF có lệnh khởi chạy chương trình khác; hãy mở tệp, in ra PDF mới (Microsoft Print to PDF) rồi tải lên.",
        "The PDF starts another program; open it, print it to a new PDF, then upload that.",
    ),
    "program": Sentence(
        "PDF có đính kèm chương trình bên trong; hãy gỡ tệp đính kèm, lưu lại rồi tải lên.",
        "The PDF has a program attached inside; remove the attachment, save it, then upload it.",
    ),
    "archive": Sentence(
        "PDF có đính kèm tệp nén hoặc tài liệu có macro bên trong; hãy gỡ tệp đính kèm rồi tải từng tài liệu lên riêng.",
        "The PDF has an archive or a document with macros attached inside; remove it and upload each document by itself.",
    ),
}
INSIDE = {
    "archive": Sentence(
        "Tệp chứa tệp nén bên trong ({part}) nên không được nhận; hãy gỡ bỏ rồi lưu lại, hoặc tải từng tài liệu lên riêng.",
        "The file holds an archive inside ({part}) and is not accepted; remove it and save, or upload each document by itself.",
    ),
    "program": Sentence(
        "Tệp chứa chương trình bên trong ({part}) nên không được nhận; hãy gỡ bỏ rồi lưu lại.",
        "The file holds a program inside ({part}) and is not accepted; remove it, then save and upload it.",
    ),
    "macros": Sentence(
        "Tệp chứa tài liệu có macro bên trong ({part}) nên không được nhận; hãy gỡ bỏ rồi lưu lại.",
        "The file holds a document with macros inside ({part}) and is not accepted; remove it, then save and upload it.",
    ),
    "picture": Sentence(
        "Tệp chứa một ảnh quá lớn ({part}), không chương trình nào cần đến; hãy thu nhỏ ảnh rồi lưu lại.",
        "The file holds a picture of absurd size ({part}); make the picture smaller, then save and upload it.",
    ),
}
TWO_FILES = Sentence(
    "Tệp vừa là {label} vừa là một tệp khác ghép vào, hai chương trình sẽ mở ra hai nội dung; hãy mở tệp, lưu lại rồi tải lên.",
    "The file is {label} and a second file as well, so that two programs would show two contents; open it, save it, then upload it.",
)
TOO_MANY_PAGES = Sentence(
    "Tệp PDF có {n} trang, nhiều hơn giới hạn {most}; hãy tách tài liệu rồi tải lên.",
    "The PDF has {n} pages, more than the limit of {most}; split the document, then upload it.",
)

ARCHIVE = Sentence(
    "Không nhận tệp nén; hãy giải nén rồi tải lên từng tài liệu.",
    "Archives are not accepted; unpack it and upload each document.",
)

_PICTURES = frozenset(["png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp", "heic"])
_ARCHIVES = frozenset(["zip", "rar", "7z", "gz", "tar"])
_MACRO_EXTENSIONS = frozenset(["docm", "dotm", "xlsm", "xltm", "xlsb"])

_PROGRAM = Sentence("một chương trình", "a program")
_ARCHIVE = Sentence("một tệp nén", "an archive")
_IMAGE = Sentence("một tệp ảnh", "a picture")
_WEB_PAGE = Sentence("một trang web", "a web page")
_OTHER_OFFICE = Sentence("một loại tệp văn phòng khác", "another kind of office file")
_OLD_SHEET = Sentence("bảng tính Excel đời cũ (trước 97)", "a workbook from before Excel 97")
_UNKNOWN = Sentence("dữ liệu không nhận ra được", "data of an unknown kind")

_SIGNATURES: tuple[tuple[bytes, Sentence], ...] = (
    (b"MZ", _PROGRAM),
    (b"\x7fELF", _PROGRAM),
    (b"#!", _PROGRAM),
    (b"\x89PNG\r\n\x1a\n", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF8", _IMAGE),
    (b"II*\0", _IMAGE),
    (b"MM\0*", _IMAGE),
    (b"Rar!", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"\x09\x00\x04\x00", _OLD_SHEET),
    (b"\x09\x02\x06\x00", _OLD_SHEET),
    (b"\x09\x04\x06\x00", _OLD_SHEET),
)
_BEFORE_PDF = re.compile(rb"(?:\xef\xbb\xbf)?[\s\0]*")
_WEB = re.compile(rb"\s*(<!doctype html|<html|mime-version:)", re.IGNORECASE)


def clean_name(name: str) -> str:
    """Return the file name to keep: NFC, no folder, no control or direction characters, at most MAX_NAME bytes.

    Raises Refused when nothing is left.
    """
    visible = text.clean_name(name)
    base = " ".join(visible.replace("\\", "/").rsplit("/", 1)[-1].split()).rstrip(".")
    stem, suffix = PurePosixPath(base or ".").stem, PurePosixPath(base or ".").suffix
    if not stem or stem in {".", ".."}:
        raise Refused(NO_NAME, field="file")
    room = max(1, MAX_NAME - len(suffix.encode()))
    return stem.encode()[:room].decode(errors="ignore").rstrip() + suffix.encode()[: MAX_NAME - 1].decode(
        errors="ignore"
    )


def check(path: Path, name: str) -> Kind:
    """Return the kind of an uploaded file; raises Refused with what to do when docctl does not take it.

    `path` is where the bytes lie, `name` what the person's file is called. The file is read, never run; a PDF is
    opened in a process of its own.
    """
    extension = PurePosixPath(clean_name(name)).suffix.lower().lstrip(".")
    if path.stat().st_size == 0:
        raise Refused(EMPTY, field="file")
    if extension in _PICTURES:
        raise Refused(PICTURE, field="file")
    if extension in _ARCHIVES:
        raise Refused(ARCHIVE, field="file")
    if extension in _MACRO_EXTENSIONS:
        raise Refused(MACROS, field="file")
    if extension not in tuple(Kind):
        raise Refused(NOT_ACCEPTED.fill(named=f".{extension}" if extension else clean_name(name)), field="file")
    named = Kind(extension)
    found = _content(path, named)
    if isinstance(found, Sentence):
        raise Refused(FOREIGN.fill(named=named, found=found), field="file")
    if found != named and not (found in PLAIN and named in PLAIN):
        raise Refused(MISNAMED.fill(named=named, found=found.label, right=found), field="file")
    return named


def _content(path: Path, named: Kind) -> Kind | Sentence:
    """Return what the bytes are, examined as deeply as their format allows, or what a person calls them."""
    head = _head(path)
    if head.startswith(COMPOUND):
        return _examined(lambda: _compound(path), named)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _examined(lambda: _package(path), named)
    if head.startswith(b"{\\rtf"):
        return Kind.RTF
    for signature, label in _SIGNATURES:
        if head.startswith(signature):
            return label
    if b"%PDF-" in head and (named not in PLAIN or head.startswith(b"%PDF-")):
        # Before it blanks and a byte order mark are often seen; anything else there is another file's beginning.
        if _BEFORE_PDF.fullmatch(head[: head.index(b"%PDF-")]) is None or inside.second_file(path):
            raise Refused(TWO_FILES.fill(label=Kind.PDF.label), field="file")
        return _pdf(path, named)
    if not _is_text(path):
        return _UNKNOWN
    return _WEB_PAGE if _WEB.match(head) and named not in PLAIN else Kind.TXT


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(1024)


def _examined(examine: Callable[[], Kind | Sentence], named: Kind) -> Kind | Sentence:
    try:
        return examine()
    except Bomb as error:
        raise Refused(BOMB, field="file") from error
    except UnsafeName as error:
        raise Refused(UNSAFE, field="file") from error
    except (BrokenPackage, BrokenCompound) as error:
        raise Refused(DAMAGED.fill(label=named.label), field="file") from error


def _package(path: Path) -> Kind | Sentence:
    with Package(path) as package:
        if package.locked():
            raise Refused(LOCKED, field="file")
        if package.has_macros():
            raise Refused(MACROS, field="file")
        main = package.main()
        if main is None:
            office = "[Content_Types].xml" in package.names or "mimetype" in package.names
            return _OTHER_OFFICE if office else _ARCHIVE
        kind, part = main
        if inside.follows_package(path) or b"%PDF-" in _head(path):
            raise Refused(TWO_FILES.fill(label=kind.label), field="file")
        for name, what in package.strange():
            raise Refused(INSIDE[what].fill(part=PurePosixPath(name).name[:80]), field="file")
        package.read(part)  # Inflates it and checks its CRC.
        return kind


def _compound(path: Path) -> Kind | Sentence:
    """Tell .doc and .xls apart and look for the marks of a password or of macros ([MS-DOC], [MS-XLS], [MS-OFFCRYPTO])."""
    compound = Compound(path)
    names = compound.names
    if "EncryptedPackage" in names:
        raise Refused(LOCKED, field="file")
    if macros.has_code(compound):
        raise Refused(MACROS, field="file")
    if "WordDocument" in names:
        # FibBase.fEncrypted: bit 8 of the flags at offset 10.
        if struct.unpack_from("<H", _part(compound, "WordDocument", 12), 10)[0] & 0x0100:
            raise Refused(LOCKED, field="file")
        return Kind.DOC
    for stream in ("Workbook", "Book"):
        if stream in names:
            if _workbook_is_locked(_part(compound, stream, 4096)):
                raise Refused(LOCKED, field="file")
            if macros.has_macro_sheet(compound.read(stream, macros.MAX_GLOBALS)):
                raise Refused(MACROS, field="file")
            return Kind.XLS
    return _OTHER_OFFICE


def _part(compound: Compound, stream: str, length: int) -> bytes:
    data = compound.read(stream, length)
    if len(data) < 12:
        raise BrokenCompound(f"{stream} is cut")
    return data


def _workbook_is_locked(data: bytes) -> bool:
    """Look for FilePass (0x2F), which stands before the first sheet (0x85) of the globals."""
    at = 0
    while at + 4 <= len(data):
        record, length = struct.unpack_from("<HH", data, at)
        if record in (0x2F, 0x85, 0x0A):
            return bool(record == 0x2F)
        at += 4 + length
    return False


def _pdf(path: Path, named: Kind) -> Kind:
    problem, pages = probe_pdf(path)
    if problem == "locked":
        raise Refused(LOCKED, field="file")
    if pages > MAX_PAGES:
        raise Refused(TOO_MANY_PAGES.fill(n=pages, most=MAX_PAGES), field="file")
    if problem in PDF_ACTS:
        raise Refused(PDF_ACTS[problem], field="file")
    if problem:
        raise Refused(DAMAGED.fill(label=Kind.PDF.label if named == Kind.PDF else named.label), field="file")
    return Kind.PDF


def _is_text(path: Path) -> bool:
    """Say whether the bytes are text: no NUL, except in UTF-16 that says so by its byte order mark."""
    with path.open("rb") as file:
        if file.read(2) in (b"\xff\xfe", b"\xfe\xff"):
            return True
        file.seek(0)
        return all(b"\0" not in chunk for chunk in iter(lambda: file.read(1 << 20), b""))
