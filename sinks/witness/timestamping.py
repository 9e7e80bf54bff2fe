"""Decides how a note is stamped: its SHA-256 and a nonce go to the authority, and the token is verified before it is
believed (RFC 3161).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

from inzage.schemas.errors import InzageError
from inzage.sinks.witness.attestations import TimestampError, read_certificates, stamped_by, verify_timestamp
from inzage.sinks.witness.http_post import Correspondent

LARGEST_ANSWER = 256 << 10  # bytes; a token with its chain has some 5 kB
WITHIN = timedelta(minutes=5)
"""How far the authority's clock may be from ours: further off, one of them is wrong."""

_HEADERS = {"content-type": "application/timestamp-query", "accept": "application/timestamp-reply"}  # RFC 3161, 3.4


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified token: the whole response, DER; `at` is UTC."""

    by: str
    at: datetime
    token: bytes


class Authority:
    """A time-stamp authority, believed only under the certificates in `ca_file`. `clock` gives seconds since 1970."""

    def __init__(self, url: str, ca_file: Path, clock: Callable[[], float] = time.time) -> None:
        self._roots = read_certificates(ca_file)
        self._outside = Correspondent(url)
        self._clock = clock

    def stamp(self, note: str) -> Stamp:
        """Have the bytes of `note` stamped.

        Raises `TransientError` when the authority does not answer, `TimestampError` for a token that does not hold.
        """
        builder = TimestampRequestBuilder(note.encode(), HashAlgorithm.SHA256)
        request = builder.nonce(nonce=True).cert_request(cert_request=True).build()
        answer = self._outside.post(request.as_bytes(), _HEADERS, LARGEST_ANSWER)
        if answer.status != 200:
            raise InzageError(f"the time-stamp authority answers {answer.status}", code="timestamp.refused")
        at = verify_timestamp(note, answer.body, self._roots, nonce=request.nonce)
        if abs(datetime.fromtimestamp(self._clock(), UTC) - at) > WITHIN:
            raise TimestampError("the authority's time is not ours")
        return Stamp(stamped_by(answer.body), at, answer.body)

    def close(self) -> None:
        self._outside.close()
