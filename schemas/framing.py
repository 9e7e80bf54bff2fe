"""Decides where the header of a message ends and what it names: the schema that the datum after it was written with.

Two framings stand on one topic, message by message. Avro single-object encoding (Avro 1.12): two marker bytes and the
64-bit Rabin fingerprint of the schema, little-endian. Confluent's wire format: a zero byte and the id that a schema
registry gave the schema, four bytes, big-endian. All messages of one schema in one framing have the same header.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

MARKER = b"\xc3\x01"  # Avro 1.12, single-object encoding
MAGIC = b"\x00"  # Confluent's wire format
SINGLE_OBJECT_BYTES = 10
REGISTRY_BYTES = 5
LARGEST_ID = (1 << 32) - 1


def header_of(message: bytes | None) -> bytes:
    """What a message begins with: five bytes of a registry's framing, of anything else ten, as many as there are."""
    if not message:
        return b""
    return message[: REGISTRY_BYTES if message[:1] == MAGIC else SINGLE_OBJECT_BYTES]


def single_object_header(fingerprint: bytes) -> bytes:
    """The header of messages that name their schema by its fingerprint, eight bytes."""
    return MARKER + fingerprint


def registry_header(identifier: int) -> bytes:
    """The header of messages that name their schema by a registry's id."""
    return MAGIC + identifier.to_bytes(4, "big")


def registry_id(header: bytes) -> int | None:
    """The registry's id that a header names, None for a header of another framing."""
    if len(header) < REGISTRY_BYTES or header[:1] != MAGIC:
        return None
    return int.from_bytes(header[1:REGISTRY_BYTES], "big")


def names_schema(header: bytes) -> bool:
    """Whether a header names a schema at all."""
    whole = SINGLE_OBJECT_BYTES if header[:2] == MARKER else REGISTRY_BYTES if header[:1] == MAGIC else 0
    return bool(whole) and len(header) >= whole


def schema_name(message: bytes | None) -> str:
    """How the trail says which schema a message names: 16 hexadecimal digits, `registry:<id>`, or nothing."""
    header = header_of(message)
    if header[:2] == MARKER:
        return header[2:].hex()
    identifier = registry_id(header)
    return "" if identifier is None else f"registry:{identifier}"


def headers_of(messages: Iterable[bytes | None]) -> set[bytes]:
    """The headers of all `messages`; those without any are left out."""
    starts = {message[:SINGLE_OBJECT_BYTES] for message in messages if message}
    return {header_of(start) for start in starts}


def registry_headers(messages: Iterable[bytes | None], known: Collection[bytes]) -> set[bytes]:
    """The headers that name a registry's id and are not `known`."""
    zero = MAGIC[0]
    found = {message[:REGISTRY_BYTES] for message in messages if message and message[0] == zero}
    return {header for header in found if header not in known and len(header) == REGISTRY_BYTES}
