"""Child processes that never outlive their time, nor leave children of their own behind."""

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import BinaryIO


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
