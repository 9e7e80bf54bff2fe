"""Decides nothing itself: takes HTTP requests to the engine's two lanes and brings the answers back.

Writes run one at a time, reads a few at once beside them, so a long back-test holds up neither the sink nor
a dashboard, and the HTTP loop answers /ping meanwhile. Results are held in memory whole. Only loopback names
are accepted as Host and no browser page as Origin, so that a web page cannot speak to the endpoint. Who asks is
settled before the body is read.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from inzage.deploy.local.clickhouse.accounts import Accounts
from inzage.deploy.local.clickhouse.engine import Engine
from inzage.deploy.local.clickhouse.replies import (
    Answer,
    QueryError,
    common_headers,
    error_body,
    summary_header,
)
from inzage.deploy.local.clickhouse.requests import QueryRequest, read_request
from inzage.deploy.local.clickhouse.statements import refuse_engine_wide
from inzage.sinks.roles import Role

LARGEST_BODY = 256 << 20
"""Bytes of one request as sent; the sink's blocks are some 16 MB."""

READERS = 4

FINISH_WITHIN = 5.0
"""Seconds a running statement gets at the end; an insert cut off was never acknowledged."""

WORTH_A_THREAD = 64 << 10
"""Bytes of a body whose decompression would hold up the HTTP loop."""

_LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})


class HttpInterface:
    """ClickHouse's HTTP interface over `engine`; without `accounts` anybody may do what the engine allows."""

    def __init__(self, engine: Engine, accounts: Accounts | None = None) -> None:
        self._engine = engine
        self._accounts = accounts
        self._reads = ThreadPoolExecutor(READERS, "read")
        self._writes = ThreadPoolExecutor(1, "write")

    def application(self) -> Starlette:
        routes = [Route("/ping", _ping, methods=["GET"]), Route("/", self._answer, methods=["GET", "POST"])]
        return Starlette(routes=routes, lifespan=self._lifespan)

    async def _answer(self, request: Request) -> Response:
        if request.url.hostname not in _LOOPBACK_NAMES or "origin" in request.headers:
            return PlainTextResponse("only for programs of this machine\n", status_code=403)
        query_id = request.query_params.get("query_id") or str(uuid.uuid4())
        headers = common_headers(query_id, self._engine.timezone)
        try:
            arguments, sent = dict(request.query_params), dict(request.headers)
            role = self._accounts.role_of(arguments, sent) if self._accounts else None
            body = await _body(request)
            reading = (request.method, arguments, sent, body)
            asked = (
                read_request(*reading)
                if len(body) < WORTH_A_THREAD
                else await asyncio.to_thread(read_request, *reading)
            )
            lane = self._reads if asked.statement.reads and role is not Role.OWNER else self._writes
            answer = await asyncio.get_running_loop().run_in_executor(lane, self._run, asked, role)
        except QueryError as refused:
            headers["X-ClickHouse-Exception-Code"] = str(refused.number)
            text = error_body(refused, self._engine.version)
            return PlainTextResponse(text, status_code=refused.status, headers=headers)
        return Response(
            answer.body,
            headers=headers | summary_header(answer),
            media_type=_media_type(answer.format),
        )

    def _run(self, asked: QueryRequest, role: Role | None) -> Answer:
        if asked.insert:
            return self._engine.insert(
                asked.insert, asked.data, settings=asked.settings, database=asked.database, role=role
            )
        if role:
            refuse_engine_wide(asked.statement)
        return self._engine.query(
            asked.text,
            asked.statement,
            settings=asked.settings,
            parameters=asked.parameters,
            database=asked.database,
            default_format=asked.default_format,
            role=role,
        )

    @asynccontextmanager
    async def _lifespan(self, application: Starlette) -> AsyncIterator[None]:
        yield
        try:
            async with asyncio.timeout(FINISH_WITHIN):
                for lane in (self._reads, self._writes):
                    await asyncio.to_thread(lane.shutdown)
        except TimeoutError:
            os._exit(0)  # the engine cannot be closed under a running statement
        self._engine.close()


async def _ping(request: Request) -> Response:
    return PlainTextResponse("Ok.\n")


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > LARGEST_BODY:
            raise QueryError.of(62, "QUERY_IS_TOO_LARGE", f"The body exceeds {LARGEST_BODY} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _media_type(format_name: str | None) -> str:
    if format_name and format_name.startswith("JSON"):
        return "application/json; charset=UTF-8"
    if format_name in ("Native", "RowBinary", "Avro", "Parquet", "Arrow"):
        return "application/octet-stream"
    return "text/tab-separated-values; charset=UTF-8" if format_name else "text/plain; charset=UTF-8"
