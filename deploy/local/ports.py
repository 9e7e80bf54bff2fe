"""Decides which loopback port a service gets, and says whose setting it is when the port is taken."""

from __future__ import annotations

import socket

from inzage.schemas.errors import ConfigError

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port nobody listens on now; the operating system chooses it."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def require_free(port: int, setting: str) -> None:
    """Raise `ConfigError` naming `port` and `setting` unless `port` can be listened on."""
    with socket.socket() as probe:
        # Servers set this too: connections of a predecessor in TIME_WAIT do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as error:
            raise ConfigError(
                f"port {port} is taken ({setting})",
                code="config.port-taken",
                hint=f"stop what listens on {LOOPBACK}:{port} or change {setting}",
            ) from error


def answers(port: int, *, within: float = 0.5) -> bool:
    """Whether something accepts connections on `port` of this machine."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=within).close()
    except OSError:
        return False
    return True
