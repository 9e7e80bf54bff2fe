"""Keeps a signing key in a file that only its owner can read, and its public half beside it for everybody."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from inzage.schemas.errors import ConfigError
from inzage.sinks.ledger.note import ED25519, Signer, Verifier

PUBLIC_SUFFIX = ".pub"


def signing_key(path: Path, name: str, algorithm: int = ED25519) -> Signer:
    """The key in the file `path`, made under `name` when it is not there; `<path>.pub` holds the verifier's text.

    Raises `ConfigError` for a file that is no key, that others can read, or whose key has another name.
    """
    if not path.exists():
        _make(path, Signer.generate(name, algorithm))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(
            f"{path.name}: readable by others than its owner",
            code="config.key",
            hint="chmod 600 it, or make a new one",
        )
    signer = Signer.read(path.read_text(encoding="ascii"))
    if (signer.name, signer.algorithm) != (name, algorithm):
        raise ConfigError(f"{path.name}: it is the key of {signer.name}, not of {name}", code="config.key")
    public = path.with_name(path.name + PUBLIC_SUFFIX)
    if not public.exists():
        public.write_text(f"{signer.verifier}\n", encoding="ascii")
    return signer


def read_verifiers(path: Path) -> tuple[Verifier, ...]:
    """The verifier keys of a file, one a line; `#` begins a comment. Raises `ConfigError`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the keys cannot be read", code="config.key") from error
    return tuple(Verifier.read(line) for line in lines if line.strip() and not line.startswith("#"))


def _make(path: Path, signer: Signer) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(signer.secret() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # refuses when another process was first: then its key holds
    except FileExistsError:
        pass
    finally:
        draft.unlink()
