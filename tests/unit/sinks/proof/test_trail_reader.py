"""A connection that the server let go of meanwhile is no reason to say that it does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from urllib3.util import Timeout

from inzage.sinks.proof.trail_reader import TrailReader
from inzage.sinks.trail import Trail


class _LettingGo(BaseHTTPRequestHandler):
    """Stands in for a server whose connections have been idle for too long: closes each and does not say so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _LettingGo) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_connections_that_were_closed_meanwhile_are_opened_again(url: str) -> None:
    client: Any = SimpleNamespace(url=url, headers={}, timeout=Timeout(5))
    with TrailReader(Trail(client, "any")) as reader:
        for _ in range(20):
            assert reader.select("proof_event", identifier="event-1") == []
