"""Child processes that never outlive their time, nor leave children of their own behind."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

PREFIX = "docctl-"  # Of every folder that a child process works in.


def run_and_kill(
    command: Sequence[str],
    *,
    timeout: float,
    stdout: BinaryIO | int = subprocess.DEVNULL,
    environment: Mapping[str, str] | None = None,
) -> int | None:
    """Run a command in a process group of its own; return its exit status, or None when `timeout` seconds ran out.

    A command that did not end by itself is killed with its group. Nothing is read from it but what it writes to `stdout`.
    """
    process = subprocess.Popen(  # noqa: S603 (commands are lists made by docctl; a file name is never a program)
        command,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    try:
        return process.wait(timeout)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def sweep(older_than_seconds: float = 86_400) -> int:
    """Remove the working folders that a killed process left behind, which hold copies of documents; returns how many."""
    cutoff = time.time() - older_than_seconds
    swept = 0
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            about = folder.lstat()
        except FileNotFoundError:
            continue  # Another process has swept it.
        if folder.is_dir() and not folder.is_symlink() and about.st_uid == os.getuid() and about.st_mtime < cutoff:
            shutil.rmtree(folder, ignore_errors=True)
            swept += 1
    return swept
