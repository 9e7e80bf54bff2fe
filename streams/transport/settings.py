"""Decides how large a batch may grow, how long it may wait, and when a silent worker is taken for dead."""

from __future__ import annotations

from dataclasses import dataclass

from inzage.schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class BatchSettings:
    """Sizes in records and bytes, times in seconds.

    A batch is cut when it is full, or when its agent has nothing else to do: small when idle, large when
    behind. Raises `ConfigError` when values contradict one another.
    """

    max_records: int = 20_000
    max_bytes: int = 16 << 20
    max_poll_records: int = 20_000
    max_partition_fetch_bytes: int = 4 << 20
    fetch_max_wait: float = 0.1
    """How long the broker may hold an empty fetch; a partition can be left out of one for as long."""
    linger: float = 0.005
    """Least time between two thin batches of one partition; a lone record does not wait for it."""
    patience: float = 0.5
    """A thin batch this old queues behind the agent's other batches instead of waiting for an idle agent."""
    buffered_batches: int = 4
    commit_interval: float = 0.5
    session_timeout: float = 10.0
    rebalance_timeout: float = 60.0
    """Must exceed the longest batch: so long does the group wait for the one in hand."""
    watchdog_age: float = 180.0
    """A batch unfinished, or a fetch loop silent, for this long ends the process."""
    stop_within: float = 20.0
    """An orderly stop that takes longer ends the process: what is unfinished comes again."""

    def __post_init__(self) -> None:
        if min(self.max_records, self.max_bytes, self.max_poll_records, self.buffered_batches) < 1:
            raise ConfigError("batch sizes must be at least 1", code="config.batch")
        if self.watchdog_age <= self.rebalance_timeout:
            raise ConfigError("watchdog_age must exceed rebalance_timeout", code="config.batch")
