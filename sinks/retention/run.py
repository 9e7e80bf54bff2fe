"""Decides in what order things go, so that it can be broken off anywhere and run again.

First what was stated before and still stands is dropped. Then the sealer is asked for statements about what is due,
and only when all of them stand in the trail, and are true, the rows are dropped, month by month, and Kafka's records
deleted.
Nothing is dropped that no public statement covers; a hold that was placed meanwhile keeps what was stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from kafka.structs import TopicPartition

from inzage.schemas.errors import TamperError
from inzage.schemas.settings import Settings
from inzage.schemas.topics import ControllerTopics, Theme
from inzage.sinks.ledger.note import Verifier
from inzage.sinks.logs import Cluster, read_cluster, topics_of
from inzage.sinks.retention.holdings import holds_of, plan_for, stretches_of, topics_that_expire
from inzage.sinks.retention.plan import TopicPlan
from inzage.sinks.retention.statement import Warrant, await_statements, request, stated, trusted_keys
from inzage.sinks.retention.topics import ask, delete_below, offsets_at
from inzage.sinks.sealing.round import Prune
from inzage.sinks.status import read_extents
from inzage.sinks.trail import Trail

Point = Literal["before-request", "after-request", "after-statement", "after-drop", "before-delete", "after-delete"]
"""Where a run can be broken off by a test."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a run dropped of one topic."""

    topic: str
    months: tuple[int, ...]
    rows: int


class Run:
    """One run over one controller. `reader` may read the trail, `owner` may drop partitions of it.

    `within` is how long the sealer has to state, in seconds. `passes` is told each point the run comes to.
    """

    def __init__(
        self,
        settings: Settings,
        controller: str,
        reader: Trail,
        owner: Trail,
        warrant: Warrant,
        now: datetime,
        *,
        within: float = 60.0,
        passes: Callable[[Point], None] = lambda point: None,
    ) -> None:
        self._settings = settings
        self._controller = controller
        self._reader = reader
        self._owner = owner
        self._warrant = warrant
        self._now = now
        self._within = within
        self._passes = passes
        self._keys: tuple[Verifier, ...] = trusted_keys(settings)
        self._cluster: Cluster = read_cluster(settings.kafka, topics_of([controller]))

    def run(self) -> list[Dropped]:
        """Do all that is due; returns what was dropped.

        Raises `ConfigError` for a controller without a period, `TransientError` when Kafka, ClickHouse or the sealer
        does not answer, `TamperError` when the trail contradicts what was sealed or stated.
        """
        dropped = self._drop_stated(self._plan())
        due = self._plan()
        self._state(due)
        dropped += self._drop_stated(self._plan())
        self._delete_from_kafka()
        return dropped

    def _plan(self) -> list[TopicPlan]:
        return plan_for(self._settings, self._reader, self._controller, self._now)

    def _state(self, plans: Sequence[TopicPlan]) -> None:
        """Return when what goes is publicly stated."""
        logs = [log for plan in plans for log in plan.logs]
        before = self._stated([log.log_id for log in logs])
        missing = [
            log for log in logs if log.log_id not in before or before[log.log_id].minimum_index < log.minimum_index
        ]
        if not missing:
            return
        at = datetime.now(UTC)
        requests = [request(self._reader, log, before.get(log.log_id), self._warrant, at) for log in missing]
        self._passes("before-request")
        ask(self._settings.kafka, requests)
        self._passes("after-request")
        wanted = {log.log_id: log.minimum_index for log in missing}
        await_statements(self._reader, wanted, self._keys, self._within)
        self._passes("after-statement")

    def _stated(self, log_ids: Iterable[str]) -> dict[str, Prune]:
        return stated(self._reader, log_ids, self._keys)

    def _drop_stated(self, plans: Sequence[TopicPlan]) -> list[Dropped]:
        """Drop those months of a plan that statements cover whole."""
        dropped = []
        for plan in plans:
            said = self._stated([log.log_id for log in plan.logs])
            minimums = {log_id: statement.minimum_index for log_id, statement in said.items()}
            stretches = stretches_of(self._reader, [plan.topic])
            covered = [
                month
                for month in plan.months
                if all(one.last < minimums.get(one.log_id, 0) for one in stretches if one.month <= month)
            ]
            for table, month in plan.partitions:
                if month in covered:
                    self._drop(table, plan.topic, month, minimums)
            if covered:
                rows = sum(one.records for one in stretches if one.month in covered)
                dropped.append(Dropped(plan.topic, tuple(covered), rows))
        return dropped

    def _drop(self, table: str, topic: str, month: int, minimums: Mapping[str, int]) -> None:
        where = {"table": table, "topic": topic, "month": month}
        ((uncovered,),) = self._reader.select(
            "uncovered", logs=list(minimums), minimums=list(minimums.values()), **where
        )
        if uncovered:
            text = f"{table}: {uncovered} records of {topic} in {month} are covered by no statement"
            raise TamperError(text, code="tamper.pruning")
        self._owner.command("drop_partition", **where)
        self._passes("after-drop")

    def _delete_from_kafka(self) -> None:
        """Delete what was stated and is gone from the trail, and violations as old as the verdicts that are."""
        known, topics = topics_of([self._controller]), topics_that_expire(self._controller)
        logs = self._cluster.logs(known[name] for name in topics)
        said = self._stated([log.id for log in logs])
        stands = {one.log_id: one.first for one in reversed(stretches_of(self._reader, topics))}
        begins = {extent.log.id: extent.begin for extent in read_extents(self._settings.kafka, logs)}
        below = {
            TopicPartition(log.topic.name, log.partition): said[log.id].minimum_offset
            for log in logs
            if log.id in said
            and begins[log.id] < said[log.id].minimum_offset
            and stands.get(log.id, said[log.id].minimum_index) >= said[log.id].minimum_index
        }
        self._passes("before-delete")
        delete_below(self._settings.kafka, {**below, **self._violations()})
        self._passes("after-delete")

    def _violations(self) -> dict[TopicPartition, int]:
        """What goes of the topics of violations: what is older than the period and than every verdict that stays."""
        names = ControllerTopics(self._controller)
        first = self._settings.retention.period_of(self._controller).first_month_kept(self._now)
        months = [one.month for one in stretches_of(self._reader, [names.verdicts])]
        months += [hold.first_month for hold in holds_of(self._reader, [names.events, names.verdicts], self._now)]
        kept = min([first, *months])
        at = datetime(kept // 100, kept % 100, 1, tzinfo=UTC)
        return offsets_at(self._settings.kafka, [names.violations(theme) for theme in Theme], at)
