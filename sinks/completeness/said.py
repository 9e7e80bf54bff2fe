"""Reads from the headers of raw records who said each and as which number, without decoding any.

The emitter writes the same six headers in the same order, so two looks at places are enough; whoever writes them
otherwise is read by name.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from inzage.schemas.dead_letters import REPLAY_HEADER
from inzage.schemas.emitter.message import SEQUENCE_HEADER, SOURCE_HEADER

Headers = Sequence[tuple[str, bytes | None]]

_SOURCE_AT, _SEQUENCE_AT, _COUNT = 3, 5, 6  # as schemas/emitter/message.py writes them
_MOST = (1 << 63) - 1


def said_of(headers: Headers) -> tuple[bytes, int] | None:
    """Source and number, None for what has none. What was put back from a dead letter was numbered before."""
    named = dict(headers)
    source, number = named.get(SOURCE_HEADER), named.get(SEQUENCE_HEADER)
    if source is None or number is None or REPLAY_HEADER in named:
        return None
    return (source, int(number)) if _is_number(number) else None


def numbers_of(records: Iterable[Any]) -> tuple[dict[bytes, list[int]], list[Any]]:
    """The numbers of each source among Kafka records, and the records that have none."""
    raw: defaultdict[bytes, list[bytes]] = defaultdict(list)
    odd: list[Any] = []
    for record in records:
        headers = record.headers
        if len(headers) == _COUNT:
            name, number = headers[_SEQUENCE_AT]
            if number and name == SEQUENCE_HEADER:
                name, source = headers[_SOURCE_AT]
                if source and name == SOURCE_HEADER:
                    raw[source].append(number)
                    continue
        odd.append(record)
    found: dict[bytes, list[int]] = {}
    for source, numbers in raw.items():
        try:
            read = list(map(int, numbers))
        except ValueError:
            read = []
        if not read or max(read) > _MOST:
            read = [int(number) for number in numbers if _is_number(number)]
        if read:
            found[source] = read
    rest = []
    for record in odd:
        said = said_of(record.headers)
        if said is None:
            rest.append(record)
        else:
            found.setdefault(said[0], []).append(said[1])
    return found, rest


def _is_number(text: bytes) -> bool:
    return text.isdigit() and len(text) < 20 and int(text) <= _MOST
