"""Decides how somebody outside is asked over HTTP: in time, without redirects, reading no more than is expected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import urllib3
from urllib3.exceptions import HTTPError

from inzage.schemas.errors import TransientError

CONNECT_WITHIN = 3.0  # seconds
ANSWER_WITHIN = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `content_type` is the header as sent, empty when there is none."""

    status: int
    content_type: str
    body: bytes


class Correspondent:
    """One address that is posted to, over a connection that is kept. Raises what `post` says."""

    def __init__(self, url: str, ca_file: Path | None = None) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(
            num_pools=1,
            ca_certs=str(ca_file) if ca_file else None,
            timeout=urllib3.Timeout(connect=CONNECT_WITHIN, read=ANSWER_WITHIN),
            retries=False,
        )

    def post(self, body: bytes, headers: Mapping[str, str], at_most: int) -> Answer:
        """Send `body` and read at most `at_most` bytes of answer.

        Raises `TransientError` when nothing, too much, or that the server is busy or broken (429, 5xx) comes back.
        """
        try:
            reply = self._pool.request(
                "POST", self._url, body=body, headers=dict(headers), preload_content=False, redirect=False
            )
            try:
                read = reply.read(at_most + 1)
            finally:
                reply.release_conn()
        except (HTTPError, OSError) as error:
            raise TransientError(f"no answer: {type(error).__name__}", code="transient.no-answer") from error
        if reply.status == 429 or reply.status >= 500:
            raise TransientError(f"answered {reply.status}", code="transient.busy")
        if len(read) > at_most:
            reply.close()
            raise TransientError(f"answered more than {at_most} bytes", code="transient.too-much")
        return Answer(reply.status, reply.headers.get("content-type", ""), read)

    def close(self) -> None:
        self._pool.clear()
