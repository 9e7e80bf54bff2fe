"""Keeps what became of each message handed to Kafka: what failed is counted, kept and raised, never swallowed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from inzage.schemas.errors import TransientError


class DeliveryError(TransientError):
    """Kafka did not take messages that were handed over. `failed` says how many, `first` why the first failed."""

    code = "transient.delivery"

    def __init__(self, failed: int, first: BaseException | None) -> None:
        reason = type(first).__name__ if first else "no acknowledgement in time"
        super().__init__(f"{failed} messages were not delivered: {reason}")
        self.failed = failed
        self.first = first


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one message: its place on Kafka, or the error."""

    id: str
    topic: str
    partition: int | None = None
    offset: int | None = None
    error: BaseException | None = None


OnDelivery = Callable[[Delivery], None]


class Deliveries:
    """Counts messages on their way, by the flush that is to wait for them; told by the producer's own thread."""

    def __init__(self, on_delivery: OnDelivery | None) -> None:
        self._on_delivery = on_delivery
        self._changed = threading.Condition()
        self._round = 0
        self._pending: Counter[int] = Counter()
        self._failed = 0
        self._first: BaseException | None = None
        self._broken: BaseException | None = None

    @property
    def pending(self) -> int:
        """Messages handed over of which nothing was heard yet."""
        with self._changed:
            return self._pending.total()

    def follow(self, future: Any, identifier: str, topic: str) -> None:
        """Listen to what becomes of one message."""
        with self._changed:
            said_in = self._round
            self._pending[said_in] += 1
        future.add_callback(self._delivered, said_in, identifier)
        future.add_errback(self._lost, said_in, identifier, topic)

    def next_round(self) -> int:
        """Begin a new round; returns the one that ended, which holds all that was said so far."""
        with self._changed:
            self._round += 1
            return self._round - 1

    def settled(self, ended: int, *, within: float) -> bool:
        """Whether all that was said up to the round `ended` was heard of, waiting at most `within` seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: all(said_in > ended for said_in in self._pending), within)

    def raise_for_failures(self) -> None:
        """Raise `DeliveryError` for what failed since the last call, then whatever `on_delivery` raised."""
        with self._changed:
            failed, first, broken = self._failed, self._first, self._broken
            self._failed, self._first, self._broken = 0, None, None
        if failed:
            raise DeliveryError(failed, first) from first
        if broken is not None:
            raise broken

    def _delivered(self, said_in: int, identifier: str, placed: Any) -> None:
        self._tell(Delivery(identifier, placed.topic, placed.partition, placed.offset))
        self._settle(said_in)

    def _lost(self, said_in: int, identifier: str, topic: str, error: BaseException) -> None:
        with self._changed:
            self._failed += 1
            self._first = self._first or error
        self._tell(Delivery(identifier, topic, error=error))
        self._settle(said_in)

    def _settle(self, said_in: int) -> None:
        with self._changed:
            self._pending[said_in] -= 1
            if not self._pending[said_in]:
                del self._pending[said_in]
                self._changed.notify_all()

    def _tell(self, delivery: Delivery) -> None:
        if self._on_delivery is None:
            return
        try:
            self._on_delivery(delivery)
        except Exception as error:  # it runs in the producer's thread: raised at the next flush instead
            with self._changed:
                self._broken = self._broken or error
