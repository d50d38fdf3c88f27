"""LibreOffice in a sandbox without network: old office formats become ones that docctl reads itself."""

import functools
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from docctl.files.kinds import Kind
from docctl.files.process import run_and_kill
from docctl.rules import Sentence

# What LibreOffice makes of each kind. Documents pass through .docx, so that tracked deletions, text boxes and headers
# are treated as in any .docx; workbooks become one table of text for each sheet, numbers and dates as they are shown.
CONVERTED = {
    Kind.DOC: "docx:Office Open XML Text",
    Kind.RTF: "docx:Office Open XML Text",
    Kind.XLS: "csv:Text - txt - csv (StarCalc):9,34,76,1,,0,false,true,false,false,false,-1",
}
BATCH = 50  # Files in one run: enough to forget the second that a start takes.

NO_OFFICE = Sentence(
    "Chưa đọc được nội dung chữ: máy chủ chưa cài LibreOffice.",
    "Text not available: LibreOffice is not installed on the server.",
)
NO_BUBBLEWRAP = Sentence(
    "Chưa đọc được nội dung chữ: máy chủ chưa cài bubblewrap, nên không có vùng cách ly để chuyển đổi tệp an toàn.",
    "Text not available: bubblewrap is not installed on the server, so there is no sandbox to convert files safely.",
)
NO_SANDBOX = Sentence(
    "Chưa đọc được nội dung chữ: vùng cách ly không khởi động được trên máy chủ, nên không chuyển đổi tệp.",
    "Text not available: the sandbox does not start on the server, so no file is converted.",
)
LOST = Sentence(
    "LibreOffice không đọc được tệp này; hãy mở tệp, lưu lại ở dạng .docx hoặc .xlsx rồi tải lên.",
    "LibreOffice cannot read this file; open it, save it as .docx or .xlsx, then upload that.",
)

# Nothing is fetched from a document's links, and no macro runs, whatever the document asks for.
_PROFILE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="BlockUntrustedRefererLinks" \
oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="DisableMacrosExecution" \
oor:op="fuse"><value>true</value></prop></item>
<item oor:path="/org.openoffice.Office.Common/Security/Scripting"><prop oor:name="MacroSecurityLevel" \
oor:op="fuse"><value>3</value></prop></item>
</oor:items>
"""

# Kilobytes of address space, seconds of CPU, blocks of 512 bytes in one file; then the command.
_LIMITED = 'ulimit -v 4194304; ulimit -t "$1"; ulimit -f 1048576; ulimit -c 0; shift; exec "$@"'


@functools.cache
def available() -> Sentence | None:
    """Return None when files can be converted on this machine, else the sentence why not (found out once)."""
    if not shutil.which("soffice"):
        return NO_OFFICE
    if not shutil.which("bwrap"):
        return NO_BUBBLEWRAP
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
        work = _workplace(Path(folder))
        done = run_and_kill(
            [*_sandbox(work, 30), "/bin/sh", "-c", 'touch /box/out/yes && exec test -x "$0"', _office()], timeout=30
        )
        return None if done == 0 and (work / "out/yes").exists() else NO_SANDBOX


def convert_batch(files: Mapping[Path, Kind], into: Path, *, timeout: float = 60) -> dict[Path, Path | Sentence]:
    """Convert .doc and .rtf to .docx, .xls to .txt, many in one run; return where each lies, or why it is missing.

    `into` is a folder of the caller's. A file that brings LibreOffice down costs the others nothing but time: what a
    run leaves undone is tried again file by file, each within `timeout` seconds.
    """
    if not files:
        return {}
    problem = available()
    if problem:
        return dict.fromkeys(files, problem)
    made: dict[Path, Path] = {}
    for target in dict.fromkeys(CONVERTED[kind] for kind in files.values()):
        paths = [path for path, kind in files.items() if CONVERTED[kind] == target]
        for start in range(0, len(paths), BATCH):
            some = {path: files[path] for path in paths[start : start + BATCH]}
            made |= _convert(some, target, into, 15 + min(timeout, 5) * len(some) if len(some) > 1 else timeout)
            if len(some) > 1:
                for path in some.keys() - made.keys():
                    made |= _convert({path: files[path]}, target, into, timeout)
    return {path: made.get(path, LOST) for path in files}


# Sentences that speak of reading text, said again for a PDF that cannot be made.
NO_PDF = Sentence(
    "{why} Hãy tự xuất tệp thành PDF rồi tải bản PDF lên bên cạnh tệp gốc.",
    "{why} Save the file as a PDF yourself and upload the PDF beside it.",
)
NO_CONVERSION = Sentence(
    "Máy chủ chưa chuyển được tệp thành PDF (thiếu LibreOffice hoặc vùng cách ly bubblewrap).",
    "This server cannot make a PDF of the file (LibreOffice or the bubblewrap sandbox is missing).",
)
NOT_CONVERTED = Sentence(
    "LibreOffice không chuyển được tệp này thành PDF trong thời gian cho phép.",
    "LibreOffice could not make a PDF of this file in the time allowed.",
)
_WRITER = 'pdf:writer_pdf_Export:{"ExportNotes":{"type":"boolean","value":"false"},"ExportBookmarks":{"type":"boolean","value":"true"}}'
_TO_PDF = {
    **dict.fromkeys((Kind.DOC, Kind.DOCX, Kind.ODT, Kind.RTF), _WRITER),
    **dict.fromkeys((Kind.XLS, Kind.XLSX, Kind.ODS), "pdf:calc_pdf_Export"),
}


def to_pdf(path: Path, kind: Kind, into: Path, *, timeout: float = 90) -> Path | Sentence:
    """Make a PDF of an office file in the sandbox; return where it lies in the caller's folder, or why there is none."""
    if available():
        return NO_PDF.fill(why=NO_CONVERSION)
    made = _convert({path: kind}, _TO_PDF[kind], into, timeout).get(path)
    return made or NO_PDF.fill(why=NOT_CONVERTED)


@functools.cache
def version() -> str:
    """Return the name and version of what converts (asked once in a process)."""
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder, tempfile.TemporaryFile() as said:
        # In the sandbox as well: outside it leaves settings in the home folder of whoever runs the server.
        run_and_kill([*_sandbox(_workplace(Path(folder)), 20), _office(), "--version"], timeout=20, stdout=said)
        said.seek(0)
        words = said.read(200).decode(errors="replace").split()
    return " ".join(words[:2]).lower() if words[:1] == ["LibreOffice"] else "libreoffice"


def to_docx(path: Path, kind: Kind, into: Path, *, timeout: float = 90) -> Path | Sentence:
    """Make a .docx of another text document in the sandbox, tracked changes and all; or say why there is none."""
    if available():
        return NO_PDF.fill(why=NO_CONVERSION)
    made = _convert({path: kind}, CONVERTED[Kind.DOC], into, timeout).get(path)
    return made or NO_PDF.fill(why=NOT_CONVERTED)


def _convert(files: Mapping[Path, Kind], target: str, into: Path, timeout: float) -> dict[Path, Path]:
    """Run LibreOffice once; its exit status means nothing, so what counts is what lies in the folder afterwards."""
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
        work = _workplace(Path(folder))
        names = {}
        for number, (path, kind) in enumerate(files.items()):
            names[path] = f"{number:04}"
            shutil.copyfile(path, work / "in" / f"{number:04}.{kind}")
        office = [_office(), "-env:UserInstallation=file:///box/profile", "--headless", "--norestore", "--nolockcheck"]
        sources = [f"/box/in/{names[path]}.{kind}" for path, kind in files.items()]
        command = [*_sandbox(work, timeout), *office, "--convert-to", target, "--outdir", "/box/out", *sources]
        run_and_kill(command, timeout=timeout)
        found = ((path, _collect(work / "out", name, into)) for path, name in names.items())
        return {path: result for path, result in found if result}


def _collect(out: Path, name: str, into: Path) -> Path | None:
    """Move one result out of the sandbox's folder if it is what it should be; links are not followed."""
    for suffix, magic in ((".docx", b"PK\x03\x04"), (".pdf", b"%PDF")):
        document = out / f"{name}{suffix}"
        if document.is_file() and not document.is_symlink():
            with document.open("rb") as file:
                if file.read(4) == magic:
                    return Path(shutil.move(document, _free(into, suffix)))
    tables = [table for table in out.glob(f"{name}-*.csv") if table.is_file() and not table.is_symlink()]
    if not tables:
        return None
    tables.sort(key=lambda table: (table.stat().st_mtime_ns, table.name))  # The order of the sheets.
    result = _free(into, ".txt")
    result.write_bytes(b"\n".join(table.read_bytes() for table in tables))
    return result


def _free(into: Path, suffix: str) -> Path:
    handle, name = tempfile.mkstemp(dir=into, suffix=suffix)
    os.close(handle)
    return Path(name)


def _workplace(folder: Path) -> Path:
    for name in ("in", "out", "profile/user"):
        (folder / name).mkdir(parents=True)
    (folder / "profile/user/registrymodifications.xcu").write_text(_PROFILE, encoding="utf-8")
    return folder


def _office() -> str:
    """Return the real place of soffice, which is often a chain of links that the sandbox would have to repeat."""
    return str(Path(shutil.which("soffice") or "soffice").resolve())


def _sandbox(work: Path, timeout: float) -> list[str]:
    """Return the command that shuts the rest of it in: no network, no other processes, programs read-only."""
    command = [
        "bwrap",
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--cap-drop",
        "ALL",
        "--clearenv",
        "--ro-bind",
        "/usr",
        "/usr",
    ]
    for folder in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        if Path(folder).is_symlink():
            command += ["--symlink", str(Path(folder).readlink()), folder]
        elif Path(folder).is_dir():
            command += ["--ro-bind", folder, folder]
    # Only what the programs need of /etc: no passwords, no keys, no host names.
    for extra in (
        "/opt",
        "/etc/fonts",
        "/etc/libreoffice",
        "/etc/alternatives",
        "/etc/ld.so.cache",
        "/var/lib/libreoffice",
    ):
        command += ["--ro-bind-try", extra, extra]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", str(work / "in"), "/box/in"]  # noqa: S108 (a folder of the sandbox)
    command += ["--bind", str(work / "out"), "/box/out", "--bind", str(work / "profile"), "/box/profile"]
    command += ["--setenv", "HOME", "/box/profile", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8"]
    return [*command, "--chdir", "/box/out", "/bin/sh", "-c", _LIMITED, "sh", str(int(timeout) + 1)]
