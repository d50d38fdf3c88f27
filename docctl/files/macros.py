"""Macros in old office files: whether a VBA project holds any code ([MS-OVBA]); Excel leaves empty ones behind.

A workbook whose owner once opened the macro editor keeps a project of empty modules for ever. That is no program.
"""

import re
import struct

from docctl.files.compound import BrokenCompound, Compound

MAX_SOURCE = 4 << 20  # Bytes of one module, unpacked; one that is longer has code.
MAX_COMPILED = 4096  # Bytes before the source: an empty module compiles to about one thousand.
MAX_GLOBALS = 1 << 20  # Bytes at the beginning of a workbook in which its list of sheets stands.
_PROJECTS = re.compile(r"(?:^|/)(?:Macros|_VBA_PROJECT_CUR|_VBA_PROJECT)/VBA/(?P<name>[^/]+)$")
_NO_MODULE = re.compile(r"dir|_VBA_PROJECT|__SRP_\d+", re.IGNORECASE)
_IDLE = re.compile(r"\s*(?:Attribute\b.*|Option\s+(?:Explicit|Base|Compare|Private)\b.*|'.*|Rem\b.*)?", re.IGNORECASE)


def has_code(compound: Compound) -> bool:
    """Say whether a compound file has a VBA project with a line of code; what cannot be read counts as code."""
    found = [(path, _PROJECTS.search(path)) for path in compound.names]
    modules = [path for path, match in found if match and not _NO_MODULE.fullmatch(match["name"])]
    projects = any(match for _, match in found)
    if projects and not modules:
        return True
    return any(_module_has_code(compound, path) for path in modules)


def _module_has_code(compound: Compound, path: str) -> bool:
    try:
        data = compound.read(path, MAX_SOURCE)
    except BrokenCompound:
        return True
    # The source follows the compiled part; it always begins with the word Attribute, which no copy can shorten yet.
    at = data.rfind(b"\x00Attribut")
    if at < 3 or data[at - 3] != 1 or at > MAX_COMPILED:
        # A module can be compiled and its source taken out; then what is compiled is long.
        return True
    source = unpack(data[at - 3 :])
    if source is None:
        return True
    return any(not _IDLE.fullmatch(line) for line in source.decode("latin-1").splitlines())


def has_macro_sheet(workbook: bytes) -> bool:
    """Say whether a workbook stream lists a sheet of Excel 4 macros (BoundSheet8, [MS-XLS] 2.4.28)."""
    at = 0
    while at + 4 <= len(workbook):
        record, length = struct.unpack_from("<HH", workbook, at)
        if record == 0x85 and at + 10 <= len(workbook) and workbook[at + 9] in (1, 6):
            return True
        if record == 0x0A:
            return False
        at += 4 + length
    return False


def unpack(data: bytes) -> bytes | None:
    """Return a compressed container's content ([MS-OVBA] 2.4.1), None when it is damaged or longer than MAX_SOURCE."""
    out, at = bytearray(), 1
    while at + 2 <= len(data):
        header = int.from_bytes(data[at : at + 2], "little")
        if header >> 12 & 7 != 3:  # The signature of a chunk; what follows the last one is padding.
            break
        end = min(len(data), at + (header & 0xFFF) + 3)
        at += 2
        if not header & 0x8000:
            out += data[at:end]
        elif not _unpack_chunk(data[at:end], out):
            return None
        at = end
        if len(out) > MAX_SOURCE:
            return None
    return bytes(out)


def _unpack_chunk(chunk: bytes, out: bytearray) -> bool:
    begun, at = len(out), 0
    while at < len(chunk):
        flags = chunk[at]
        at += 1
        for bit in range(8):
            if at >= len(chunk):
                break
            if not flags >> bit & 1:
                out.append(chunk[at])
                at += 1
                continue
            token = int.from_bytes(chunk[at : at + 2], "little")
            at += 2
            # The further into the chunk, the more bits say how far back the copy lies.
            width = max(4, (len(out) - begun - 1).bit_length())
            length, back = (token & (0xFFFF >> width)) + 3, (token >> (16 - width)) + 1
            if back > len(out) - begun:
                return False
            for _ in range(length):
                out.append(out[-back])
    return True
