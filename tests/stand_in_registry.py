"""Stands in for a schema registry: Confluent's HTTP interface, as far as it is used, over real sockets.

It keeps what registries promise: an id belongs to one text for ever, a text has one id under every subject, and a
subject refuses what its newest version cannot be resolved with (backward compatibility, by the `avro` package).
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.errors import AvroException
from avro.schema import parse

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
FIRST_ID = 100_001


@dataclass
class StandInRegistry:
    """What it holds, and what it was asked: `asked` has one line for each request."""

    url: str = ""
    texts: dict[int, str] = field(default_factory=dict)
    subjects: dict[str, list[int]] = field(default_factory=dict)
    other: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Ids with an answer of their own."""
    asked: list[str] = field(default_factory=list)
    password: tuple[str, str] | None = None
    away: bool = False

    def add(self, text: str, subject: str = "") -> int:
        """Register a text without any rule; its id."""
        canonical = json.dumps(json.loads(text))
        known = next((one for one, kept in self.texts.items() if kept == canonical), None)
        identifier = known if known is not None else FIRST_ID + len(self.texts)
        self.texts[identifier] = canonical
        versions = self.subjects.setdefault(subject, [])
        if identifier not in versions:
            versions.append(identifier)
        return identifier

    def answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer to one request."""
        parts = [unquote(part) for part in path.strip("/").split("/")]
        match method, parts:
            case "GET", ["schemas", "ids", identifier]:
                return self._schema(int(identifier))
            case "POST", ["subjects", subject]:
                return self._find(subject, (body or {})["schema"])
            case "POST", ["subjects", subject, "versions"]:
                return self._register(subject, (body or {})["schema"])
        return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

    def _schema(self, identifier: int) -> tuple[int, dict[str, Any]]:
        if identifier in self.other:
            return 200, self.other[identifier]
        if identifier not in self.texts:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        return 200, {"schema": self.texts[identifier]}

    def _find(self, subject: str, text: str) -> tuple[int, dict[str, Any]]:
        if subject not in self.subjects:
            return 404, {"error_code": 40401, "message": "Subject not found"}
        canonical = json.dumps(json.loads(text))
        for version, identifier in enumerate(self.subjects[subject], start=1):
            if self.texts[identifier] == canonical:
                said = {"subject": subject, "version": version, "id": identifier, "schema": canonical}
                return 200, said
        return 404, {"error_code": 40403, "message": "Schema not found"}

    def _register(self, subject: str, text: str) -> tuple[int, dict[str, Any]]:
        try:
            new = parse(text)
        except AvroException:
            return 422, {"error_code": 42201, "message": "Invalid schema"}
        for identifier in self.subjects.get(subject, [])[-1:]:
            found = ReaderWriterCompatibilityChecker().get_compatibility(new, parse(self.texts[identifier]))
            if found.compatibility is not SchemaCompatibilityType.compatible:
                return 409, {"error_code": 409, "message": "Schema being registered is incompatible"}
        return 200, {"id": self.add(text, subject)}


@contextmanager
def stand_in_registry(**options: Any) -> Iterator[StandInRegistry]:
    """A registry that is empty, on a port of 127.0.0.1."""
    registry = StandInRegistry(**options)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(registry))
    server.daemon_threads = True
    registry.url = f"http://127.0.0.1:{server.server_port}"
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield registry
    finally:
        server.shutdown()
        server.server_close()
        serving.join()


def _handler(registry: StandInRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            read = self.rfile.read(int(self.headers.get("content-length", 0)))
            registry.asked.append(f"{self.command} {self.path}")
            status, said = 503, {"error_code": 50301, "message": "away"}
            if registry.password and not self._let_in(*registry.password):
                status, said = 401, {"error_code": 401, "message": "Unauthorized"}
            elif not registry.away:
                status, said = registry.answer(self.command, self.path, json.loads(read) if read else None)
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", CONTENT_TYPE)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = _serve  # noqa: N815 - the name the server looks for
        do_POST = _serve  # noqa: N815

        def _let_in(self, username: str, password: str) -> bool:
            expected = base64.b64encode(f"{username}:{password}".encode()).decode()
            return self.headers.get("authorization") == f"Basic {expected}"

        def log_message(self, format: str, *args: object) -> None:
            return None

    return Handler
