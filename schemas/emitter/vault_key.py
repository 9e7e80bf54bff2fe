"""Finds the key of a vault, or makes one at first use and says so.

The key is what keeps the vault's index blind: whoever holds vault and key can test identifiers against it. It is
read from the environment or from a file that only its owner can read, and is never printed.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import secrets
import stat
from pathlib import Path

from pydantic import SecretBytes

from inzage.schemas.errors import ConfigError

KEY_VARIABLE = "INZAGE_VAULT_KEY"
KEY_FILE_VARIABLE = "INZAGE_VAULT_KEY_FILE"
KEY_BYTES = 32

_log = logging.getLogger(__name__)


def key_for(vault: Path) -> SecretBytes:
    """The key of the vault in the file `vault`; a new vault gets a new key in `<vault>.key`.

    Raises `ConfigError` for a key that is malformed, readable by others, or lost.
    """
    if stated := _stated():
        return stated
    beside = vault.with_name(vault.name + ".key")
    if not beside.exists():
        if vault.exists() and vault.stat().st_size:
            raise ConfigError(
                "the vault is there but its key is not",
                code="config.vault-key",
                hint=f"restore it, or name it with {KEY_FILE_VARIABLE} or {KEY_VARIABLE}",
            )
        _make(beside)
    return _read(beside)


def key_kept_elsewhere() -> SecretBytes:
    """The key of a vault on a server; raises `ConfigError` when it is malformed, open to others or not stated."""
    if stated := _stated():
        return stated
    raise ConfigError(
        "the key of the vault is not stated",
        code="config.vault-key",
        hint=f"a vault on a server has its key in {KEY_VARIABLE}, or in the file that {KEY_FILE_VARIABLE} names",
    )


def private_file(path: Path) -> None:
    """Make the file `path` readable by its owner only; raises `ConfigError` when it is open to others."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise ConfigError(f"{path.name}: cannot be opened", code="config.vault-file") from error
    _check_private(path)


def _stated() -> SecretBytes | None:
    if text := os.environ.get(KEY_VARIABLE):
        return _key(text, KEY_VARIABLE)
    if named := os.environ.get(KEY_FILE_VARIABLE):
        return _read(Path(named))
    return None


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # refuses when another process was first: then its key holds
        _log.warning("made a new vault key in %s: keep a copy apart, without it nobody is found again", path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _read(path: Path) -> SecretBytes:
    try:
        _check_private(path)
        return _key(path.read_text(encoding="ascii"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path.name}: the vault key cannot be read", code="config.vault-key") from error


def _check_private(path: Path) -> None:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigError(
            f"{path.name}: readable by others than its owner",
            code="config.vault-file",
            hint="chmod 600 it, and consider who may have read it",
        )


def _key(text: str, where: str) -> SecretBytes:
    try:
        key = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) < KEY_BYTES:
        raise ConfigError(f"{where}: expected {KEY_BYTES} bytes or more in base64url", code="config.vault-key")
    return SecretBytes(key)
