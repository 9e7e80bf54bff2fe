"""The erasure of a person, which kills itself at a named point; a program of the fault tests.

    python -m tests.faults.fatal_erasure POINT ARGUMENT...

The arguments are those of `inzage`. The process ends itself with SIGKILL `before-` or `after-` one of the steps
`intend`, `destroy`, `say` and `note`; at `destroy-within` its transaction is not committed yet.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

from inzage.console.erasure import Eraser
from inzage.console.main import main
from inzage.schemas.emitter.vault_erasure import Erasures

STEPS: dict[str, tuple[type, str]] = {
    "intend": (Erasures, "intend"),
    "destroy": (Erasures, "destroy"),
    "destroy-within": (Erasures, "_number"),
    "say": (Eraser, "_say"),
    "note": (Erasures, "said"),
}
POINTS = tuple(f"{when}-{step}" for step in STEPS for when in ("before", "after"))


def fatal(step: Callable[..., Any], when: str) -> Callable[..., Any]:
    def run(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            _die()
        step(*arguments, **named)
        return _die()

    return run


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


if __name__ == "__main__":
    moment, _, name = sys.argv[1].partition("-")
    owner, method = STEPS[name]
    setattr(owner, method, fatal(getattr(owner, method), moment))
    main(sys.argv[2:])
