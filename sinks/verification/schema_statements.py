"""Decides whether the schemas topic contradicts itself: a registry never gives one id to two schemas.

The first statement of an id holds, whatever comes after it (docs/adr/0008). A later one that says otherwise changes
no reading, so it is no tampering; but one of the two is false, and only whoever knows the registry can say which.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ContractError
from inzage.schemas.statement import stated
from inzage.sinks.verification.expected import SCHEMAS_TABLE
from inzage.sinks.verification.finding import Finding, Severity


def contradictions(statements: Iterable[tuple[str, int, bytes]]) -> Iterator[Finding]:
    """The statements (log, leaf index, value), in the order they were said, that contradict the first of their id."""
    first: dict[int, tuple[str, int, Schema]] = {}
    for log, index, value in statements:
        try:
            schema = stated(value)[0]
        except ContractError:
            continue  # whether it may stand where it stands is said with the columns
        if schema.registry_id is None:
            continue  # a fingerprint follows from the text
        where, at, held = first.setdefault(schema.registry_id, (log, index, schema))
        if json.loads(held.text) != json.loads(schema.text):
            place = f"index {at}" if where == log else f"{where}, index {at}"
            what = (
                f"registry id {schema.registry_id} is stated to be schema {_told(schema, held)}; "
                f"the statement that holds ({place}) says {_told(held, schema)}"
            )
            yield Finding(Severity.WARNING, "schema.contradicted", log, what, index, index, SCHEMAS_TABLE)


def _told(schema: Schema, other: Schema) -> str:
    """Its fingerprint; logical types and defaults do not show in that, so where it is the same the text's as well."""
    if schema.fingerprint != other.fingerprint:
        return schema.fingerprint
    return f"{schema.fingerprint} (SHA-256 of its text {schema.sha256})"
