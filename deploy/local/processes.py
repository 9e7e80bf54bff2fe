"""Decides how a child process begins and how it ends.

A child gets its own process group, so that Ctrl-C reaches only the parent, and is tethered, so that no child
outlives a parent that was killed. It ends by SIGTERM, then SIGKILL after a deadline, to its whole group.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from inzage.deploy.local import tether

STOP_WITHIN = timedelta(seconds=20)


def start_child(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, output: Path | BinaryIO
) -> subprocess.Popen[bytes]:
    """Start `argv`; stdout and stderr are appended to `output`. Call from a thread that stays alive."""
    if isinstance(output, Path):
        output.parent.mkdir(parents=True, exist_ok=True)
        with output.open("ab") as file:
            return start_child(argv, env=env, output=file)
    tied = [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *argv]
    return subprocess.Popen(
        tied,
        env=None if env is None else {**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        process_group=0,
    )


def stop_child(process: subprocess.Popen[bytes], *, within: timedelta = STOP_WITHIN) -> int:
    """End `process` and its group; returns its exit code (negative: the signal)."""
    ask_to_stop(process)
    try:
        process.wait(timeout=within.total_seconds())
    except subprocess.TimeoutExpired:
        pass
    signal_group(process.pid, signal.SIGKILL)  # also what the child itself left behind
    return process.wait()


def ask_to_stop(process: subprocess.Popen[bytes]) -> None:
    """Send SIGTERM unless the process has already ended."""
    if process.poll() is None:
        signal_group(process.pid, signal.SIGTERM)


def signal_group(group: int, number: signal.Signals) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:  # nobody left
        pass
