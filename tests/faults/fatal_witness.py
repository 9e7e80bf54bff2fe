"""A witness that kills itself at a named point; what a child of the fault tests runs.

The process ends itself with SIGKILL when it comes to POINT for a checkpoint of more than 5 leaves: `before-persist`,
`after-persist`, `after-sign` (nothing was answered yet), or `never`.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import structlog

from inzage.sinks.ledger.note import COSIGNATURE, Signature, Verifier
from inzage.sinks.ledger.signing_key import signing_key
from inzage.sinks.witness import service
from inzage.sinks.witness.register import Cosigned, Register
from inzage.sinks.witness.witness import Witness
from tests.meta_log import ORIGIN


class FatalRegister(Register):
    point = "never"

    def advance(self, before: Cosigned | None, to: Cosigned) -> bool:
        if to.checkpoint.size > 5 and self.point == "before-persist":
            _die()
        advanced = super().advance(before, to)
        if to.checkpoint.size > 5 and self.point == "after-persist":
            _die()
        return advanced


class FatalWitness(Witness):
    point = "never"

    def add_checkpoint(self, body: bytes) -> Signature:
        signed = super().add_checkpoint(body)
        if self.point == "after-sign" and b"\n5\n" not in body:
            _die()
        return signed


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)


def main(folder: str, port: str, log_key: str, point: str) -> None:
    """Serve on `port`, with key and state in `folder`."""
    signer = signing_key(Path(folder) / "key", "witness.example", COSIGNATURE)
    register = FatalRegister(Path(folder) / "state")
    register.belong_to(signer.verifier)
    witness = FatalWitness(signer, {ORIGIN: [Verifier.read(log_key)]}, register)
    register.point = witness.point = point
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    service.serve(witness, "127.0.0.1", int(port))
