"""Decodes with the verifier's engine in a process of its own, for tests of a process that has another one open."""

from __future__ import annotations

from functools import cache

from inzage.schemas.codec import RecordName, current
from inzage.sinks.verification.decoder import Decoder
from inzage.sinks.verification.row_binary import columns_of


def decoded(name: RecordName, values: list[bytes]) -> bytes | None:
    """The columns of `values`, messages of the current schema `name`, as RowBinary."""
    return _decoder().decode(current(name), values, columns_of(current(name).text))


@cache
def _decoder() -> Decoder:
    return Decoder()
