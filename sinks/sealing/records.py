"""Decides what the sealer's consumer makes of a record: what the batch holds of it, and no object around that.

A consumer that is given `AS_IT_IS` for keys hands out the records of a batch themselves: offset, timestamp,
timestamp_type, key, value, headers. Making a `ConsumerRecord` of each took a seventh of the sealer's time. All
other consumers of the process are as they were. aiokafka offers no such choice, so its minor version is pinned.
"""

from __future__ import annotations

from typing import Any

from aiokafka.consumer import fetcher


def _key(key: bytes | None) -> bytes | None:
    return key


AS_IT_IS = _key
"""For `key_deserializer`: the key as it came, and the record too."""


class _Records(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one fetched partition."""

    def __init__(self, *fetched: Any) -> None:
        super().__init__(*fetched)
        if self._key_deserializer is AS_IT_IS:
            self._consumer_record = _itself


def _itself(_place: Any, record: Any) -> Any:
    return record


fetcher.PartitionRecords = _Records
