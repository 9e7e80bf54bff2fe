"""Says what the sealer asks of whoever looks for what never arrived: it reads every record, in order, anyway."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol

from inzage.schemas.codec import Schema
from inzage.schemas.emitter.message import Message


class Completeness(Protocol):
    """Fed with the records of events topics; its state is kept together with how far the logs are sealed.

    Records may be shown again after a restart. Messages may be published twice, so they carry an id that says so.
    """

    def see(
        self, topic: str, partition: int, records: Sequence[Any], *, also: Mapping[bytes, Schema] | None = None
    ) -> Sequence[Message]:
        """Take in records that follow each other in a partition; returns what is to be published of that.

        `also` holds schemas read from the schemas topic.
        """
        ...

    def caught_up(self, topic: str, partition: int, at: int) -> None:
        """Nothing was left to read in a partition at `at`, milliseconds since 1970."""
        ...

    def due(self) -> Sequence[Message]:
        """What is to be published now that the partitions were read so far."""
        ...

    def changed(self) -> dict[str, Any]:
        """What changed since the last call: by topic `read` and, by key, `sources`; None: forget that source."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from all that `changed` gave."""
        ...


MakeCompleteness = Callable[[Collection[str]], Completeness]
"""Makes it for topics; those named are not read from their beginning, so what came before is unknown."""
