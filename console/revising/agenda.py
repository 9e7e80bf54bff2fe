"""Keeps which instants are coming at which time alone may change a result, as the trail and late facts say.

It is not kept anywhere else: reports of the screening in the trail say every event and fact that has a deadline, and
what later facts made of it follows when those are judged again, as the first look does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Agenda:
    """Coming instants of one topic of events, milliseconds since 1970: partition -> instant -> offsets."""

    _coming: dict[int, dict[int, set[int]]] = field(default_factory=dict)
    _seen: dict[str, int] = field(default_factory=dict)

    @property
    def seen(self) -> Mapping[str, int]:
        """The last report read, by log of verdicts."""
        return self._seen

    def read(self, deadlines: Iterable[tuple[str, int, int, int, int]]) -> None:
        """Take in deadlines of the trail: log and offset of the report; partition, offset of the event; instant."""
        for log_id, log_offset, partition, offset, at in deadlines:
            self._seen[log_id] = max(self._seen.get(log_id, -1), log_offset)
            self.add(partition, offset, (at,))

    def add(self, partition: int, offset: int, instants: Iterable[int]) -> None:
        for at in instants:
            self._coming.setdefault(partition, {}).setdefault(at, set()).add(offset)

    def take(self, until: int) -> dict[int, set[int]]:
        """Take out what has come by `until`: partition -> offsets."""
        come: dict[int, set[int]] = {}
        for partition, coming in self._coming.items():
            for at in [at for at in coming if at <= until]:
                come.setdefault(partition, set()).update(coming.pop(at))
        return come
