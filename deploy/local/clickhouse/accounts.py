"""Keeps who the endpoint's users are: one for each role, with a password in a file that only its owner can read.

`default` needs no password and reads as an analyst does. The files stand in `passwords/` below the data directory,
are made at the first start, and are what a process of ours on this machine presents without being told.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from inzage.deploy.local.clickhouse.replies import QueryError
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import ClickHouseSettings, Settings
from inzage.sinks.roles import Role

ANYBODY = "default"
PASSWORD_BYTES = 32

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Accounts:
    """The users of one data directory, by name, with their passwords."""

    passwords: Mapping[str, SecretStr]

    @classmethod
    def of(cls, data_dir: Path) -> Accounts:
        """Read the passwords, and make those that are missing; raises `ConfigError` for a file open to others."""
        return cls({role.name_in(): _read(data_dir, role) or _make(data_dir, role) for role in Role})

    def role_of(self, arguments: Mapping[str, str], headers: Mapping[str, str]) -> Role:
        """The role of whoever sends a request whose header names are in lower case; raises `QueryError`."""
        name, password = credentials(arguments, headers)
        if name == ANYBODY and not password:
            return Role.ANALYST
        kept = self.passwords.get(name, SecretStr("")).get_secret_value()
        if not hmac.compare_digest(kept.encode(), password.encode()) or not kept:
            why = "Authentication failed: password is incorrect, or there is no user with such name"
            raise QueryError.of(516, "AUTHENTICATION_FAILED", why)
        return next(role for role in Role if role.name_in() == name)


def credentials(arguments: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    """User and password, from wherever ClickHouse takes them: its own headers, Basic, or the query string.

    Raises `QueryError` when they stand in two places, as ClickHouse does, or cannot be read.
    """
    stated = [
        (headers.get("x-clickhouse-user"), headers.get("x-clickhouse-key")),
        _basic(headers.get("authorization")),
        (arguments.get("user"), arguments.get("password")),
    ]
    given = [pair for pair in stated if pair != (None, None)]
    if len(given) > 1:
        raise QueryError.of(516, "AUTHENTICATION_FAILED", "User and password stand in more than one place")
    name, password = given[0] if given else (None, None)
    return name or ANYBODY, password or ""


def account_of(settings: Settings, role: Role) -> ClickHouseSettings:
    """How a process with `role` reaches ClickHouse: as the settings say, else as that user of the local endpoint.

    The local endpoint is that of the settings' data directory, on a loopback address. Raises `ConfigError`.
    """
    clickhouse = settings.clickhouse
    configured = clickhouse.username != ANYBODY or clickhouse.password is not None
    if configured or urlsplit(clickhouse.url).hostname not in _LOOPBACK_NAMES:
        return clickhouse
    password = _read(settings.data_dir / "clickhouse", role)
    if password is None:
        return clickhouse
    return clickhouse.model_copy(update={"username": role.name_in(), "password": password})


def _basic(authorization: str | None) -> tuple[str | None, str | None]:
    if authorization is None:
        return None, None
    scheme, _, encoded = authorization.partition(" ")
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if scheme.lower() != "basic" or not colon:
        raise QueryError.of(516, "AUTHENTICATION_FAILED", "Authorization is not Basic with user and password")
    return name, password


def _file(data_dir: Path, role: Role) -> Path:
    return data_dir / "passwords" / role.name_in()


def _read(data_dir: Path, role: Role) -> SecretStr | None:
    path = _file(data_dir, role)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(
                f"{path}: readable by others than its owner",
                code="config.password-file",
                hint="delete it: the next start makes a new one",
            )
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read", code="config.password-file") from error
    if not text:
        raise ConfigError(f"{path}: holds no password", code="config.password-file", hint="delete it and start again")
    return SecretStr(text)


def _make(data_dir: Path, role: Role) -> SecretStr:
    """A new password. The data directory belongs to one process, so nobody else makes it at the same time."""
    path = _file(data_dir, role)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = secrets.token_urlsafe(PASSWORD_BYTES)
    draft = path.with_name(f".{path.name}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(password + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return SecretStr(password)
