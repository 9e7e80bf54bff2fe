"""Keeps a child process from outliving its parent: run as a script, it ties itself and becomes the command.

    python -I -S tether.py PARENT_PID COMMAND [ARGUMENT ...]

The kernel then sends SIGKILL to the command when the thread that started it ends, however it ends
(PR_SET_PDEATHSIG, prctl(2); it survives execve). So start tethered children from a thread that lives as long
as they should, in practice the main one. Outside Linux nothing ties them: there a parent that is itself
killed leaves its children behind. Standard library only: it must start in milliseconds.
"""

from __future__ import annotations

import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the tie was made
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - the point of this file
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        sys.exit(127)


if __name__ == "__main__":
    main(sys.argv[1:])
