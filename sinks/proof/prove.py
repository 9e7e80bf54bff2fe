"""Makes the proof of one record from the trail, and hands it out only when each of its steps holds.

Of the states of the meta log that cover the record, the earliest that was attested is taken, by witnesses and an
authority where there are both: it says most and dates it best. Nothing beyond the record itself is in the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from inzage.schemas import codec
from inzage.schemas.errors import ConfigError, InzageError
from inzage.sinks.ledger.note import Note
from inzage.sinks.ledger.proofs import ProofError
from inzage.sinks.ledger.tree import TILE_WIDTH, Tree
from inzage.sinks.proof.check import checked_without_keys
from inzage.sinks.proof.decoding import event_json, schema_known_here, stated_schema
from inzage.sinks.proof.evidence import (
    Around,
    Attestation,
    Place,
    Row,
    Sealed,
    Stated,
    around,
    checkpoint_over,
    dropped,
    meta_checkpoint,
    places_of,
    stated,
    tile_of,
)
from inzage.sinks.proof.proof_file import ProofFile
from inzage.sinks.proof.record import Record
from inzage.sinks.proof.tlog_proof import TlogProof
from inzage.sinks.proof.trail_reader import AT_ONCE, TrailReader
from inzage.sinks.proof.trees import Neighbourhood, Trees, subtrees_around
from inzage.sinks.trail import Trail


class NotSealedError(InzageError):
    """The record is in the trail, and the sealer has not signed for it yet, or the trail not yet that it did."""

    code = "proof.not-sealed"


@dataclass(frozen=True, slots=True)
class Proven:
    """A proof that holds. `said` is how often the trail has a record with this identifier; the first is proven."""

    file: ProofFile
    record: Record
    origin: str
    index: int
    said: int


class Prover:
    """Proves records of one trail; a context manager.

    It keeps its connections, and what never changes: the first statement of a schema, the smallest checkpoint over it
    and the leaves of the meta log about that. A proof of a record whose schema it has seen takes two questions less.
    """

    def __init__(self, trail: Trail) -> None:
        self._trail = TrailReader(trail)
        self._beside = ThreadPoolExecutor(AT_ONCE - 1, "prove")  # beside the one that is waited for
        self._stated: dict[str, Stated] = {}
        self._tiles: dict[str, Mapping[int, bytes]] = {}  # leaves of the meta log, by schema
        self._bases: dict[str, int] = {}  # nearly every log begins at offset 0, which is taken before it is known

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._beside.shutdown()
        self._trail.close()

    def prove(self, identifier: str, *, at: int | None = None) -> Proven:
        """Prove the record with this event_id, fact_id or verdict_id; `at`: a size of the meta log, if one is wanted.

        Raises `ConfigError` for an identifier that the trail does not have, `NotSealedError`, and `TamperError` when
        the trail contradicts what was sealed.
        """
        trail, beside = self._trail, self._beside
        # Nearly every record that is proven is an activity of today's schema, which is looked for before it is known.
        usual = codec.current("activity").fingerprint
        guessed = beside.submit(self._schema, usual)
        places = places_of(trail, identifier)
        if not places:
            raise ConfigError(
                "the trail has no event, fact or verdict with this identifier", code="config.identifier"
            )
        place = places[0]
        reading = beside.submit(Neighbourhood(place, self._bases.get(place.origin, 0)).read, trail)
        log = checkpoint_over(trail, place.origin, place.index)
        if log is None:
            raise NotSealedError(f"{place.origin}: index {place.index} is not sealed yet")
        self._bases[place.origin] = log.base
        climbing = beside.submit(subtrees_around, trail, place, log, log.meta_index)
        schema = guessed.result() if place.fingerprint == usual else self._schema(place.fingerprint)
        beyond = self._around(place, log, schema)
        trees = Trees(trail)
        for origin, hashes in climbing.result().items():
            trees.learn(origin, hashes)
        near = reading.result().within(trail, log)
        trees.learn(place.meta_origin, {(0, index): one for index, one in beyond.hashes.items()})
        trees.learn(place.origin, near.leaves)
        record = near.record or trees.record(place, log)
        return _made(trail, trees, place, log, schema, record, beyond, at, len(places))

    def _schema(self, fingerprint: str) -> Stated | None:
        """The statement of the schema that messages name so; None while it is not there, or not sealed."""
        found = self._stated.get(fingerprint) or stated(self._trail, fingerprint)
        if found:
            self._stated[fingerprint] = found
        return found

    def _around(self, place: Place, log: Sealed, schema: Stated | None) -> Around:
        """What stands around both checkpoints; the whole tile about a schema's is read once."""
        if schema is None:
            return around(self._trail, place.meta_origin, log, None, {})
        found = around(self._trail, place.meta_origin, log, schema.log, self._tiles.get(place.fingerprint, {}))
        if place.fingerprint not in self._tiles:
            first, last = tile_of(schema.log)
            tile = {index: found.hashes[index] for index in range(first, last + 1) if index in found.hashes}
            if len(tile) == TILE_WIDTH:
                self._tiles[place.fingerprint] = tile
        return found


def prove(trail: Trail, identifier: str, *, at: int | None = None) -> Proven:
    """Prove one record, as `Prover.prove` does."""
    with Prover(trail) as prover:
        return prover.prove(identifier, at=at)


def _made(
    trail: TrailReader,
    trees: Trees,
    place: Place,
    log: Sealed,
    schema: Stated | None,
    record: Record,
    beyond: Around,
    at: int | None,
    said: int,
) -> Proven:
    """The proof from its parts, when it holds."""
    meta, attested = _meta(trail, place, log, beyond, at)
    if schema and schema.log.meta_index >= meta.size:
        schema = None  # it was sealed after the state that is asked for
    if schema:
        trees.learn(schema.row.origin, {(0, index): one for index, one in schema.hashes.items()})
    note = _with_cosignatures(meta.note, attested)
    meta_tree = trees.meta(meta)

    def in_meta(one: Sealed) -> TlogProof:
        path = _path(meta_tree, one.meta_index, meta)
        return TlogProof(one.note.encode(), one.meta_index, path, note)

    file = ProofFile(
        record=TlogProof(record.leaf(), place.index, _path_in_log(trail, trees, place, log), log.note),
        checkpoint=in_meta(log),
        schema=_schema_in_log(trees, schema) if schema else None,
        schema_checkpoint=in_meta(schema.log) if schema else None,
        timestamps=tuple(one.token for one in attested if one.token and one.note == meta.note),
        event=_event(record, schema.row if schema else None),
    )
    checked_without_keys(file)
    return Proven(file, record, place.origin, place.index, said)


def _path_in_log(trail: TrailReader, trees: Trees, place: Place, log: Sealed) -> tuple[bytes, ...]:
    """The path of the record; only where leaves are missing it is asked whether they were stated to be dropped."""
    try:
        return _path(trees.log(log), place.index, log)
    except ProofError:
        gone = dropped(trail, place.origin)
        if not gone.size:
            raise
        return _path(trees.log(log, gone), place.index, log)


def _schema_in_log(trees: Trees, schema: Stated) -> TlogProof:
    path = _path(trees.log(schema.log), schema.row.index, schema.log)
    return TlogProof(schema.row.record.leaf(), schema.row.index, path, schema.log.note)


def _path(tree: Tree, index: int, sealed: Sealed) -> tuple[bytes, ...]:
    try:
        return tuple(tree.inclusion_proof(index))
    except ValueError as error:
        raise ProofError(f"{sealed.origin}: rows or checkpoints are missing: {error}") from error


def _meta(
    trail: TrailReader, place: Place, log: Sealed, beyond: Around, at: int | None
) -> tuple[Sealed, Sequence[Attestation]]:
    """The state of the meta log to prove in, and what was attested of it."""
    if not beyond.states:
        raise NotSealedError(f"{place.meta_origin}: index {log.meta_index} is not sealed yet")
    size = _best(beyond.attestations, beyond.states[0].size) if at is None else at
    known = {one.size: one for one in beyond.states}
    found = known.get(size) or meta_checkpoint(trail, place.meta_origin, size)
    if found is None or found.size <= log.meta_index:
        raise ConfigError(
            f"--at {size}: the trail has no such state of the meta log over this record", code="config.at"
        )
    return found, [one for one in beyond.attestations if one.size == found.size]


def _best(attested: Sequence[Attestation], otherwise: int) -> int:
    """The smallest size that has a time stamp and cosignatures, or one of them; `otherwise` when none has."""
    said: dict[int, set[bool]] = {}
    for one in attested:
        said.setdefault(one.size, set()).add(one.token is not None)
    return min(said, key=lambda size: (-len(said[size]), size)) if said else otherwise


def _with_cosignatures(note: str, attested: Sequence[Attestation]) -> str:
    read = Note.read(note)
    more = [signature for one in attested if not one.token for signature in Note.read(one.note).signatures]
    return str(read.with_signatures(more))


def _event(record: Record, schema: Row | None) -> str | None:
    found = stated_schema(schema.record) if schema else schema_known_here(record.value)
    return event_json(record, found) if found else None
