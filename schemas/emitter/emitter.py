"""Says what an upstream system does with personal data: validated at the call, pseudonymised, kept in order.

What is guaranteed when `flush` or the context manager returns: every accepted message was acknowledged by all
in-sync replicas exactly once, and none of them carries the identifier of a person, or words that may reveal
something about one, unless encrypted under that person's key. What was not acknowledged is
raised as `DeliveryError`. Numbers are those of `SourceSequence`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack

from kafka.errors import KafkaError

from inzage.schemas.codec import RecordName
from inzage.schemas.emitter.delivery import Deliveries, DeliveryError, OnDelivery
from inzage.schemas.emitter.heartbeats import PERIOD, Heartbeats
from inzage.schemas.emitter.message import (
    Message,
    can_have_topics,
    dead_letter_of,
    message_of,
    schema_message,
    topic_of,
)
from inzage.schemas.emitter.producer import Compression, open_producer
from inzage.schemas.emitter.reader import Reader, said_id
from inzage.schemas.emitter.registry_framing import configured_framing
from inzage.schemas.emitter.sequence import SourceSequence
from inzage.schemas.emitter.typed.activities import ActivityFields
from inzage.schemas.emitter.typed.said import Says
from inzage.schemas.emitter.typed.terms import EventType, SubjectRelation
from inzage.schemas.emitter.vault import SqlVault, Vault
from inzage.schemas.emitter.words import encrypt_words
from inzage.schemas.errors import ConfigError, ContractError, TransientError
from inzage.schemas.json_face import Said
from inzage.schemas.settings import KafkaSettings, Settings


class Emitter(Says):
    """One upstream system's way to say things. Construct once, share between threads, close at the end.

    `controller_id` is the controller whose notice applies, `source_system` the name of the system that speaks.
    `settings` or `bootstrap_servers` says where Kafka is, `settings` also whether there is a schema registry. Without
    a `vault` it is the one at `INZAGE_VAULT_URL`, or `vault.sqlite` under the data directory of the settings;
    `AlreadyPseudonyms()` takes identifiers as references.
    `sequence_store` keeps identity and numbers over restarts. `on_delivery` is told of each message, in a thread of
    the producer. Times are in seconds: `delivery_timeout` until a message is given up, `block` until a full buffer
    raises, `heartbeat` between two signs of life (0: only that it ends is said).

    Raises `TransientError` when no broker answers, `ConfigError` for settings and keys that cannot be right.
    """

    def __init__(
        self,
        *,
        controller_id: str,
        source_system: str,
        settings: Settings | None = None,
        bootstrap_servers: str | None = None,
        vault: Vault | None = None,
        sequence_store: Path | None = None,
        compression: Compression | None = "gzip",
        on_delivery: OnDelivery | None = None,
        delivery_timeout: float = 120.0,
        block: float = 60.0,
        heartbeat: float = PERIOD,
    ) -> None:
        if not source_system:
            raise ConfigError("source_system: a name is needed", code="config.emitter")
        if not can_have_topics(controller_id):
            raise ConfigError("controller_id: letters, digits, . _ and - only", code="config.emitter")
        kafka = settings.kafka if settings else KafkaSettings()
        if bootstrap_servers:
            kafka = kafka.model_copy(update={"bootstrap_servers": bootstrap_servers})
        self.controller_id = controller_id
        self.source_system = source_system
        data_dir = settings.data_dir if settings else Path("var")
        self.vault: Vault = vault or SqlVault.of(data_dir)
        self._reader = Reader(controller_id, source_system, self.vault)
        self._sequence = SourceSequence(sequence_store)
        self._deliveries = Deliveries(on_delivery)
        self._framing = configured_framing(settings.schema_registry if settings else None)
        self._logged: set[RecordName] = set()
        self._patience = delivery_timeout + block
        self._closed = False
        try:
            self._heartbeats = Heartbeats(
                controller_id, source_system, self._sequence, self._give_producer, heartbeat, self._framing
            )
            self._producer = open_producer(
                kafka, compression=compression, delivery_timeout=delivery_timeout, block=block
            )
        except BaseException:
            self._sequence.close()
            raise
        self._heartbeats.begin()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def access(self, *, subject: str, relation: SubjectRelation | None = None, **said: Unpack[ActivityFields]) -> str:
        """Somebody looked at personal data."""
        return self._say_activity("AccessEvent", subject, relation, said)

    def disclosure(
        self, *, subject: str, relation: SubjectRelation | None = None, **said: Unpack[ActivityFields]
    ) -> str:
        """Personal data went to a recipient, or were made available to one."""
        return self._say_activity("DisclosureEvent", subject, relation, said)

    def transfer(
        self, *, subject: str, relation: SubjectRelation | None = None, **said: Unpack[ActivityFields]
    ) -> str:
        """Personal data went to a third country or an international organisation."""
        return self._say_activity("TransferEvent", subject, relation, said)

    def collection(
        self, *, subject: str, relation: SubjectRelation | None = None, **said: Unpack[ActivityFields]
    ) -> str:
        """Personal data were obtained, from the person or from another source."""
        return self._say_activity("CollectionEvent", subject, relation, said)

    def processing(
        self, *, subject: str, relation: SubjectRelation | None = None, **said: Unpack[ActivityFields]
    ) -> str:
        """Personal data were used, changed, stored or erased."""
        return self._say_activity("ProcessingEvent", subject, relation, said)

    def decision(
        self, *, subject: str, relation: SubjectRelation | None = None, **said: Unpack[ActivityFields]
    ) -> str:
        """A decision was taken about the person."""
        return self._say_activity("DecisionEvent", subject, relation, said)

    def activity(
        self,
        event_type: EventType,
        /,
        *,
        subject: str,
        relation: SubjectRelation | None = None,
        **said: Unpack[ActivityFields],
    ) -> str:
        """Any kind of activity, by name.

        `subject` is the identifier of the data subject. Without `occurred_at` it happened now. Returns the
        event_id; raises `ContractError` naming the field.
        """
        return self._say_activity(event_type, subject, relation, said)

    def emit(self, line: Mapping[str, Any], *, pseudonymised: bool = True) -> str:
        """Say an event or a fact in its JSON face; returns its id.

        Persons are references already unless `pseudonymised` is false. Raises `ContractError` naming the field.
        """
        return self.send(self._reader.read(line, pseudonymised=pseudonymised))

    def send(self, said: Said) -> str:
        """Hand over what was read already; its persons are references. Returns its id.

        A number that the source gave is kept; otherwise this emitter's own is set in `said`. Words that may reveal
        something are encrypted there.
        """
        encrypt_words((said,), self.vault)
        record = said.record
        if record["source_sequence"] is not None:
            if said.kind != "reference":
                self._heartbeats.repeats(topic_of(said), record)
            self._hand_over(said.kind, said_id(said), message_of(said, self._framing))
        else:
            topic = topic_of(said)
            if said.kind != "reference":
                self._heartbeats.speaks(topic, record["controller_id"])
            with self._sequence.next(topic) as (instance, number):
                record["source_instance"], record["source_sequence"] = instance, number
                try:
                    self._hand_over(said.kind, said_id(said), message_of(said, self._framing))
                except BaseException:
                    record["source_sequence"] = None
                    raise
        return said_id(said)

    def refuse(self, original: bytes | None, error: ContractError, *, line: int) -> str:
        """Put what could not be said on the dead letters topic of the controller; returns its id.

        `original` is kept as it is: pass None where it holds identifiers of persons.
        """
        identifier, message = dead_letter_of(self.controller_id, self.source_system, original, error, line)
        self._hand_over("dead_letter", identifier, message)
        return identifier

    def flush(self) -> None:
        """Wait until everything said is acknowledged; raises `DeliveryError` for what was not."""
        ended = self._deliveries.next_round()
        deadline = time.monotonic() + self._patience
        while not self._deliveries.settled(ended, within=0):
            patience = deadline - time.monotonic()
            if patience <= 0:
                self._deliveries.raise_for_failures()
                raise DeliveryError(self._deliveries.pending, None)
            try:
                self._producer.flush(timeout=patience)
            except KafkaError:
                pass  # out of time, or a batch was split under the flush: what is pending decides
            self._deliveries.settled(ended, within=min(patience, 0.05))
        self._deliveries.raise_for_failures()

    def close(self) -> None:
        """Flush and let go of the producer; again is harmless. Raises `DeliveryError`."""
        if self._closed:
            return
        self._closed = True
        try:
            self.flush()
        finally:
            self._let_go()
            self._sequence.close()

    def find_topics(self, topics: Iterable[str]) -> None:
        """Ask Kafka where `topics` are, which the first message on each would wait for; raises `TransientError`."""
        try:
            for topic in topics:
                self._producer.partitions_for(topic)
        except KafkaError as error:
            raise TransientError("Kafka does not say where topics are", code="transient.kafka") from error

    def _let_go(self) -> None:
        self._heartbeats.stop()
        settled = not self._deliveries.pending and self._heartbeats.end()
        try:
            self._producer.close(timeout=self._patience if settled else 0)
        except KafkaError:
            pass  # messages are pending still: `flush` raised for them

    def _say_activity(self, event_type: str, subject: str, relation: str | None, said: Mapping[str, Any]) -> str:
        now = datetime.now(UTC)
        event = {
            "occurred_at": now,
            "recorded_at": now,
            **said,
            "event_type": event_type,
            "subject": {"pseudonym": subject, "relation": relation},
        }
        return self.emit({"event": event}, pseudonymised=False)

    def _say_fact(self, kind: str, said: dict[str, Any]) -> str:
        fact = {"recorded_at": datetime.now(UTC), **said, "type": kind}
        return self.emit({"fact": fact}, pseudonymised=False)

    def _hand_over(self, kind: RecordName, identifier: str, message: Message) -> None:
        if kind not in self._logged:
            self._log_schema(kind)
        self._produce(identifier, message)

    def _log_schema(self, kind: RecordName) -> None:
        """A trail that cannot decode its rows is worth nothing: what is written with is itself written down."""
        message = schema_message(kind, self._framing)
        future = self._produce((message.key or b"").decode(), message)
        if self._framing:  # a registry's id says nothing to a reader who has not read what it stands for
            try:
                future.get(timeout=self._patience)
            except KafkaError as error:
                raise TransientError("the schema could not be said", code="transient.kafka") from error
        self._logged.add(kind)

    def _produce(self, identifier: str, message: Message) -> Any:
        if self._closed:
            raise ConfigError("the emitter is closed", code="config.emitter-closed")
        try:
            future = self._give_producer(message)
            if future.failed():  # refused on the spot, not on its way
                raise future.exception
        except KafkaError as error:
            text = f"{message.topic}: not taken: {type(error).__name__}"
            hint = "the buffer stayed full, or the topic is not there: `inzage topics` creates it"
            raise TransientError(text, code="transient.kafka", hint=hint) from error
        self._deliveries.follow(future, identifier, message.topic)
        return future

    def _give_producer(self, message: Message) -> Any:
        return self._producer.send(message.topic, key=message.key, value=message.value, headers=message.headers)
