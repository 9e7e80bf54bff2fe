"""Keeps every log sealed: reads each partition from where its tree ends, and seals what was read in rounds.

Reading goes on while a round is persisted, signed, published and archived; there is one round at a time. Nothing is
skipped: an error that is not understood ends the process, and the next one goes on from the state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from inzage.schemas.codec import decode
from inzage.schemas.emitter.message import Message
from inzage.schemas.errors import ContractError, TamperError, TransientError
from inzage.schemas.framing import registry_headers
from inzage.schemas.kafka_clients import for_aiokafka
from inzage.schemas.settings import Settings
from inzage.schemas.topics import PRUNING_REQUESTS
from inzage.sinks.ledger.note import Signer, Verifier
from inzage.sinks.logs import Cluster, Said, Topic
from inzage.sinks.schema_log import SchemaLog
from inzage.sinks.sealing import metrics
from inzage.sinks.sealing.archive import Archive
from inzage.sinks.sealing.attestation import Attesting, Attestor
from inzage.sinks.sealing.growth import Growth
from inzage.sinks.sealing.pruning import statement
from inzage.sinks.sealing.public import public_rounds
from inzage.sinks.sealing.publisher import Publisher
from inzage.sinks.sealing.reconciliation import growths, take_over
from inzage.sinks.sealing.records import AS_IT_IS
from inzage.sinks.sealing.round import Prune, Statement
from inzage.sinks.sealing.rounds import Passes, Rounds
from inzage.sinks.sealing.state import Standing, State
from inzage.sinks.sealing.watched import Completeness, MakeCompleteness
from inzage.sinks.status import Extent

GROUP = "inzage-sealer"
MOST_CUTS = 256
"""Cuts that wait for the round under way before reading waits too."""

_POLL_MS = 200
_POLL_RECORDS = 2_000  # what is taken at once stays in the processor's cache: measured, a fifth less time than 20,000
_FETCH_BYTES = 4 << 20  # of one partition
_FETCHED_WITHIN_MS = 1000  # what Kafka said last of a partition's end is at most so old
_ROUND_WITHIN = 10.0  # seconds
_REQUESTS = TopicPartition(PRUNING_REQUESTS, 0)

_log = structlog.get_logger("inzage.sealer")


class Sealer:
    """The process: `run` returns when `stop` was called and all that was read is sealed; it closes the state.

    `passes` is told each point a round comes to; tests end the process there.
    """

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        topics: Mapping[str, Topic],
        state: State,
        signer: Signer,
        archive: Archive,
        *,
        completeness: MakeCompleteness | None = None,
        attestor: Attestor | None = None,
        passes: Passes = lambda point: None,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._logs = {
            TopicPartition(log.topic.name, log.partition): log
            for log in cluster.logs(topic for topic in topics.values() if topic.sealed)
        }
        self._state = state
        self._signer = signer
        self._archive = archive
        self._make_completeness = completeness
        self._completeness: Completeness | None = None
        self._passes = passes
        self._publisher = Publisher(settings.kafka)
        self._schemas = SchemaLog(settings.kafka)
        self._rounds = Rounds(cluster.meta_origin, state, signer, archive, self._publisher, passes)
        self._attesting = Attesting(attestor, self._publisher.publish, state.path) if attestor else None
        self._consumer = AIOKafkaConsumer(
            **for_aiokafka(settings.kafka),
            group_id=GROUP,
            client_id="inzage-sealer",
            enable_auto_commit=False,
            key_deserializer=AS_IT_IS,
            auto_offset_reset="none",  # an offset that is gone is an alarm
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        self._growths: dict[TopicPartition, Growth] = {}
        self._requests: list[ConsumerRecord] = []
        self.answered_until = 0
        """The offset up to which requests were answered."""
        self._alerts: list[Message] = []
        self._watched_at = 0.0
        self._round: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Ask `run` to seal what was read and return; may be called from a signal's callback."""
        self._stopping.set()

    @property
    def sealed_until(self) -> dict[str, int]:
        """The offset up to which each log is sealed, by origin; empty until the logs are begun."""
        return {growth.origin: growth.base + (growth.sealed or 0) for growth in self._growths.values()}

    async def run(self) -> None:
        """Seal until `stop`; raises what nobody should go on after."""
        attesting = None
        try:
            await self._publisher.start()
            await self._take_over()
            await self._begin()
            if self._attesting:
                attesting = asyncio.create_task(self._attesting.run())
            while not self._stopping.is_set():
                await self._read()
                await self._proceed()
                await self._watch()
                if attesting and attesting.done():
                    attesting.result()
            await self._end()
        except OffsetOutOfRangeError as error:
            raise TamperError("Kafka lacks records that are not sealed", code="tamper.gap") from error
        except KafkaError as error:
            raise TransientError(f"Kafka: {type(error).__name__}", code="transient.kafka") from error
        finally:
            if self._round:  # what was begun is better ended than finished by the next
                await asyncio.wait({self._round}, timeout=_ROUND_WITHIN)
            running = [task for task in (attesting, self._round) if task]
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            await self._consumer.stop()
            await self._publisher.stop()
            self._state.close()

    async def _take_over(self) -> None:
        """Go on from what is public, and finish the round that is pending."""
        kafka, origin = self._settings.kafka, self._cluster.meta_origin
        rounds = public_rounds(kafka, origin, self._state.public_until)
        trusted = [self._signer.verifier, *map(Verifier.read, self._settings.sealing.trusted_keys)]
        newest = await take_over(self._state, rounds, trusted, self._archive)
        finished = await self._rounds.finish_pending()
        if finished:
            _log.info("finished the round that was begun", size=finished.meta["size"])
        meta = finished.meta if finished else newest.sealed.meta if newest else None
        if self._attesting and meta:
            self._attesting.note(meta)

    async def _begin(self) -> None:
        """Begin to read each log where its tree ends."""
        await self._consumer.start()
        self._consumer.assign([*self._logs, _REQUESTS])
        begins = await self._consumer.beginning_offsets([*self._logs, _REQUESTS])
        ends = await self._consumer.end_offsets(list(self._logs))
        extents = [Extent(log, begins[place], ends[place]) for place, log in self._logs.items()]
        made = await asyncio.to_thread(growths, self._state, extents, self._settings.sealing.every_records)
        self._growths = dict(zip(self._logs, made, strict=True))
        for place, growth in self._growths.items():
            self._consumer.seek(place, growth.due)
        answered_until = self._state.answered_until
        self.answered_until = begins[_REQUESTS] if answered_until is None else answered_until
        self._consumer.seek(_REQUESTS, self.answered_until)
        if self._make_completeness:
            self._completeness = self._begin_to_watch(self._make_completeness)
        await self._agree()

    def _begin_to_watch(self, make: MakeCompleteness) -> Completeness:
        """Go on watching, or begin: a topic that is not read from its beginning hides what came before."""
        watched = self._state.watched()
        late = {
            log.topic.name
            for place, log in self._logs.items()
            if log.topic.said is Said.EVENTS and place.topic not in watched and self._growths[place].due
        }
        not_whole = self._state.not_whole() | late
        completeness = make(not_whole)
        completeness.restore(watched)
        self._state.watch_begins(not_whole)
        return completeness

    async def _read(self) -> None:
        fetched = await self._consumer.getmany(timeout_ms=self._patience_ms(), max_records=_POLL_RECORDS)
        for place, records in fetched.items():
            growth = self._growths.get(place)
            if growth is None:
                self._requests += records
                continue
            growth.take(records, time.monotonic())
            metrics.LEAVES.inc(len(records))
            if self._completeness and self._logs[place].topic.said is Said.EVENTS:
                unknown = registry_headers((record.value for record in records), self._schemas.schemas)
                if unknown:
                    await self._schemas.look_up(unknown)
                self._alerts += self._completeness.see(
                    place.topic, place.partition, records, also=self._schemas.schemas
                )
        await self._agree()

    def _patience_ms(self) -> int:
        """How long to wait for records, so that a round is not late."""
        waiting = [growth.since for growth in self._growths.values() if growth.uncut]
        if not waiting or self._round:
            return _POLL_MS
        left = min(waiting) + self._settings.sealing.every_seconds - time.monotonic()
        return max(0, min(_POLL_MS, int(left * 1000) + 1))

    async def _agree(self) -> None:
        """Keep what came out of Kafka as it is public."""
        for growth in self._growths.values():
            if growth.agreed:
                watched = self._completeness.changed() if self._completeness else {}
                await asyncio.to_thread(self._state.agree, growth.sealed, growth.agreed, watched)
                growth.sealed, growth.agreed = growth.agreed.tree.size, None

    async def _proceed(self) -> None:
        """Begin a round when one is due and none is under way."""
        if self._round and self._round.done():
            self._round.result()
            self._round = None
        if self._round:
            if sum(len(growth.cuts) for growth in self._growths.values()) >= MOST_CUTS:
                await asyncio.wait({self._round})
            return
        late = time.monotonic() - self._settings.sealing.every_seconds
        if any(growth.uncut and growth.since <= late for growth in self._growths.values()):
            self._cut()
        if self._requests or any(growth.cuts for growth in self._growths.values()):
            self._round = asyncio.create_task(self._seal())

    def _cut(self) -> None:
        for growth in self._growths.values():
            if growth.uncut:
                growth.cut()

    async def _end(self) -> None:
        """Seal what was read."""
        if self._round:
            await self._round
        self._cut()
        await self._seal()

    async def _seal(self) -> None:
        """One round over every cut that waits, and every request."""
        requests, self._requests = self._requests, []
        statements: list[Statement] = [*await asyncio.to_thread(self._judge, requests)]
        moves: list[tuple[int | None, Standing]] = []
        moved = [growth for growth in self._growths.values() if growth.cuts]
        for growth in moved:
            cuts, growth.cuts = growth.cuts, []
            statements += [cut for cut, _ in cuts]
            moves.append((growth.sealed, cuts[-1][1]))
        answered = requests[-1].offset + 1 if requests else self.answered_until
        if statements:
            await self._say_alerts()
            watched = self._completeness.changed() if self._completeness else {}
            sealed = await self._rounds.make(statements, moves, answered, watched)
            for growth, (_, standing) in zip(moved, moves, strict=True):
                growth.sealed = standing.tree.size
            if self._attesting:
                self._attesting.note(sealed.meta)
            await self._commit(answered)
        self.answered_until = answered

    def _judge(self, requests: Sequence[ConsumerRecord]) -> list[Prune]:
        """The statements of those requests that can be made; the others are refused with a line in the log."""
        if not requests:
            return []
        standing, pruned = self._state.standing(), self._state.pruned()
        below = {origin: statement_.minimum_index for origin, statement_ in pruned.items()}
        made = []
        for request in requests:
            try:
                schema, asked = decode(request.value)
                if schema.name != "pruning_request":
                    raise ContractError(f"a {schema.name} is no request")
                origin = asked["origin"]
                said = statement(asked, standing.get(origin), below.get(origin, 0), self._state.root)
            except ContractError as error:
                metrics.REFUSED.inc()
                _log.warning("refused a request for a pruning", offset=request.offset, why=str(error))
                continue
            below[origin] = said.minimum_index
            made.append(said)
        return made

    async def _watch(self) -> None:
        """Say what is missing, at most as often as rounds are made."""
        now = time.monotonic()
        if self._completeness is None or now - self._watched_at < self._settings.sealing.every_seconds:
            return
        self._watched_at = now
        at = int(time.time() * 1000) - _FETCHED_WITHIN_MS
        for place, log in self._logs.items():
            if log.topic.said is Said.EVENTS and self._growths[place].due == self._consumer.highwater(place):
                self._completeness.caught_up(place.topic, place.partition, at)
        self._alerts += self._completeness.due()
        if self._alerts and not self._round:
            await self._say_alerts()
            await asyncio.to_thread(self._state.keep_watched, self._completeness.changed())

    async def _say_alerts(self) -> None:
        """Publish what is missing before the state forgets that it is to be said."""
        alerts, self._alerts = self._alerts, []
        if alerts:
            await self._publisher.say(alerts)

    async def _commit(self, answered_until: int) -> None:
        """Show operators how far the logs are sealed; where to go on is in the state."""
        self._passes("before-commit")
        places = {
            place: growth.base + growth.sealed for place, growth in self._growths.items() if growth.sealed is not None
        }
        for place, until in places.items():
            if (end := self._consumer.highwater(place)) is not None:
                metrics.LAG.labels(place.topic, place.partition).set(max(0, end - until))
        places[_REQUESTS] = answered_until
        try:
            await self._consumer.commit(places)
        except KafkaError as error:
            _log.warning("offsets not committed", why=type(error).__name__)
