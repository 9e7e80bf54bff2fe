"""Says at a period that a source is alive and which number it gave out last, and at its end that it ended.

What was lost at the end of a source shows only by this: nothing later is numbered. A heartbeat is repeated by the
next one, so one that Kafka does not take is no error, and it never holds up what is emitted. It is said for each
events topic the source speaks on; references are numbered too, but nobody listens for a silence of theirs.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from kafka.errors import KafkaError

from inzage.schemas.emitter.message import Message, heartbeat_message, schema_message
from inzage.schemas.emitter.registry_framing import RegistryFraming
from inzage.schemas.emitter.sequence import SourceSequence, begins_at_one
from inzage.schemas.errors import ConfigError, InzageError
from inzage.schemas.topics import ControllerTopics

PERIOD = 60.0
"""Seconds between heartbeats unless the caller says otherwise."""

END_WITHIN = 5.0
"""Seconds that closing waits for the last heartbeat: without it the source counts as silent, nothing is lost."""

Send = Callable[[Message], Any]
"""Hands a message to the producer; returns the future of its delivery."""


class Heartbeats:
    """The heartbeats of one source: `begin` starts them in a thread of their own, `end` says the last ones.

    `period` in seconds; 0 says nothing before the end.
    """

    def __init__(
        self,
        controller_id: str,
        source_system: str,
        sequence: SourceSequence,
        send: Send,
        period: float = PERIOD,
        framing: RegistryFraming | None = None,
    ) -> None:
        if not 0 <= period <= threading.TIMEOUT_MAX:
            raise ConfigError("heartbeat: a period in seconds, 0 for none", code="config.emitter")
        self._source_system = source_system
        self._sequence = sequence
        self._send = send
        self._period = period
        self._framing = framing
        self._own = {ControllerTopics(controller_id).events: controller_id}
        self._spoken: dict[str, str] = {}
        self._given: dict[tuple[str, str], tuple[str, str, int]] = {}
        self._logged = False
        self._ending = threading.Event()

    def begin(self) -> None:
        """Start to beat; the first heartbeat comes after one period."""
        if self._period:
            threading.Thread(target=self._run, name="inzage-heartbeat", daemon=True).start()

    def speaks(self, topic: str, controller_id: str) -> None:
        """Note that something with a number was said on the events topic `topic`."""
        self._spoken[topic] = controller_id

    def repeats(self, topic: str, record: Mapping[str, Any]) -> None:
        """Note that `record` was said with a number of its own.

        Where its instance numbers as emitters do, the end says that number too: somebody listens for a silence.
        """
        instance, number = record["source_instance"], record["source_sequence"]
        if begins_at_one(instance, topic):
            last = self._given.get((topic, instance), ("", "", 0))[2]
            self._given[topic, instance] = record["controller_id"], record["source_system"], max(last, number)

    def stop(self) -> None:
        """Say nothing more."""
        self._ending.set()

    def end(self) -> bool:
        """Say that the source ends, once everything it said was acknowledged; waits `END_WITHIN` seconds at most.

        Returns whether nothing is on its way any more. What was not taken makes the source count as silent.
        """
        self.stop()
        until = time.monotonic() + END_WITHIN
        said = [*self._say(dict(self._spoken), ended=True), *self._repeat()]
        for future in said:
            try:
                future.get(timeout=max(0.0, until - time.monotonic()))
            except KafkaError:
                pass  # out of time, or refused
        return all(future.is_done for future in said)

    def _repeat(self) -> Iterator[Any]:
        try:
            if self._given:
                self._log_schema()
            for (_, instance), (controller_id, source_system, last) in self._given.items():
                yield self._send(
                    heartbeat_message(
                        heartbeat(controller_id, source_system, (instance, last), ended=True), self._framing
                    )
                )
        except (KafkaError, InzageError):
            return

    def _log_schema(self) -> None:
        if not self._logged:
            self._send(schema_message("heartbeat", self._framing))
            self._logged = True

    def _run(self) -> None:
        while not self._ending.wait(self._period):
            for _ in self._say({**self._own, **self._spoken}, ended=False):
                pass

    def _say(self, topics: Mapping[str, str], *, ended: bool) -> Iterator[Any]:
        try:
            if topics:
                self._log_schema()
            for topic, controller_id in topics.items():
                last = self._sequence.last(topic, within=END_WITHIN)
                if last is None or (self._ending.is_set() and not ended):
                    return
                period = 0 if ended else self._period
                beat = heartbeat(controller_id, self._source_system, last, period=period, ended=ended)
                future = self._send(heartbeat_message(beat, self._framing))
                if not future.failed():
                    self._spoken[topic] = controller_id
                    yield future
        except (KafkaError, InzageError):
            return  # not taken now, or the registry is away: the next one says it


def heartbeat(
    controller_id: str, source_system: str, last: tuple[str, int], *, period: float = 0, ended: bool = False
) -> dict[str, Any]:
    """The record of a heartbeat said now. `last` is instance and last number; `period` in seconds until the next."""
    return {
        "controller_id": controller_id,
        "source_system": source_system,
        "source_instance": last[0],
        "last_sequence": last[1],
        "at": datetime.now(UTC),
        "ended": ended,
        "period": math.ceil(period),
    }
