"""`inzage witness`: cosigns the checkpoints of somebody else's trail, for as long as it only grows."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from inzage.console.output import say
from inzage.schemas.errors import ConfigError

if TYPE_CHECKING:
    from inzage.sinks.ledger.note import Verifier

app = typer.Typer(help="Run a witness for another organisation's trail.")


@app.command()
def run(
    key: Annotated[Path, typer.Option(metavar="FILE", help="The witness's own signing key; made the first time.")],
    name: Annotated[str, typer.Option(help="Name of the key, a URL without scheme such as witness.example/w1.")],
    state: Annotated[Path, typer.Option(metavar="FILE", help="What was cosigned (SQLite); made with the key.")],
    log: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN=VKEY", help="A meta log and the key that signs it; may be repeated."),
    ] = None,
    listen: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where to listen.")] = "127.0.0.1:8910",
    tls_cert: Annotated[Path | None, typer.Option(metavar="FILE", help="Certificate chain, PEM.")] = None,
    tls_key: Annotated[Path | None, typer.Option(metavar="FILE", help="Key of the certificate, PEM.")] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Make key and state, print the verifier key, and end.")
    ] = False,
) -> None:
    """Cosign the checkpoints of the logs named, each only if it continues the one before (C2SP tlog-witness)."""
    from inzage.sinks.witness import service

    logs = _logs(log or [])
    if not logs and not init:
        raise ConfigError("--log: which log is to be witnessed?", hint="--init makes a key to hand out first")
    if (tls_cert is None) != (tls_key is None):
        raise ConfigError("--tls-cert and --tls-key go together")
    if tls_key is not None and tls_key.exists() and tls_key.stat().st_mode & 0o077:
        raise ConfigError(f"--tls-key {tls_key.name}: readable by others than its owner", hint="chmod 600 it")
    host, port = _address(listen)
    witness, signer = service.open_witness(key, name, state, logs)
    if init:
        sys.stdout.write(f"{signer.verifier}\n")
        return
    say(f"witness {signer.verifier}")
    service.log_to_stderr()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    service.serve(witness, host, port, tls_cert=tls_cert, tls_key=tls_key)


def _logs(stated: list[str]) -> dict[str, list[Verifier]]:
    from inzage.sinks.ledger.note import ED25519, Verifier

    logs: dict[str, list[Verifier]] = {}
    for one in stated:
        origin, found, text = one.partition("=")
        if not found or not origin:
            raise ConfigError("--log: expected ORIGIN=VKEY")
        verifier = Verifier.read(text)
        if verifier.algorithm != ED25519:
            raise ConfigError(f"--log {origin}: the key of a witness, not of a log")
        logs.setdefault(origin, []).append(verifier)
    return logs


def _address(listen: str) -> tuple[str, int]:
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise ConfigError(f"--listen {listen}: expected HOST:PORT")
    return host.strip("[]"), int(port)
