"""Decides how a witness is reached: C2SP tlog-witness over HTTP, with limits on what it takes and how long it waits.

    POST /add-checkpoint                          cosigns
    GET /<SHA-256 of the origin>/checkpoint       the newest checkpoint cosigned, for whoever watches the log

It is told sizes, roots and signatures, and says no more than that. The log lines name origin, size and answer.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import structlog
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from inzage.schemas.errors import ConfigError, TransientError
from inzage.sinks.ledger.note import COSIGNATURE, Signer, Verifier
from inzage.sinks.ledger.signing_key import signing_key
from inzage.sinks.witness.protocol import ADD_CHECKPOINT, LARGEST_BODY, SIZE_TYPE
from inzage.sinks.witness.register import Register
from inzage.sinks.witness.witness import RefusedError, Witness

SENT_WITHIN = 10.0
"""Seconds a client gets to send its request."""

AT_ONCE = 64
"""Requests under way; more are answered 503."""

KEEP_ALIVE_SECONDS = 75

_log = structlog.get_logger("inzage.witness")


def application(witness: Witness) -> Starlette:
    """The witness as a web application."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            async with asyncio.timeout(SENT_WITHIN):
                body = await _body(request)
            signature = await asyncio.to_thread(witness.add_checkpoint, body)
        except TimeoutError:
            return _refused(RefusedError(408, "the request took too long"))
        except RefusedError as refusal:
            return _refused(refusal)
        except TransientError as error:
            _log.error("not cosigned", code=error.code, why=str(error))
            return _refused(RefusedError(503, str(error)))
        _log.info("cosigned", key=signature.name)
        return Response(signature.line, media_type="text/plain; charset=utf-8")

    async def newest(request: Request) -> Response:
        note = await asyncio.to_thread(witness.newest, request.path_params["name"])
        if note is None:
            return PlainTextResponse("nothing was cosigned under this name\n", status_code=404)
        return Response(note, media_type="text/plain; charset=utf-8")

    return Starlette(
        routes=[
            Route(ADD_CHECKPOINT, add_checkpoint, methods=["POST"]),
            Route("/{name}/checkpoint", newest, methods=["GET"]),
        ]
    )


def open_witness(key: Path, name: str, state: Path, logs: Mapping[str, Sequence[Verifier]]) -> tuple[Witness, Signer]:
    """The witness of this key and state, both made when neither is there.

    Raises `ConfigError` when only the key is: a witness that forgot what it cosigned must not go on under its name.
    """
    kept = state.exists() and state.stat().st_size > 0
    if key.exists() and not kept:
        raise ConfigError(
            f"{state}: the key is there but its state is not",
            code="config.witness-state",
            hint="restore the state as it was last; where it is lost, begin with a new key and tell the logs",
        )
    register = Register(state)  # before the key, so that a key without a state is one that lost it
    if not key.exists() and register.owned():
        raise ConfigError(f"{key}: the state is there but its key is not", code="config.witness-state")
    signer = signing_key(key, name, COSIGNATURE)
    register.belong_to(signer.verifier)
    return Witness(signer, logs, register), signer


def serve(
    witness: Witness, host: str, port: int, *, tls_cert: Path | None = None, tls_key: Path | None = None
) -> None:
    """Serve until signalled; raises `ConfigError` for an address that is taken or a TLS file that cannot be read.

    Port 0 takes a free one; the log line `listening` says which.
    """
    with closing(_listen(host, port)) as listening:
        try:
            config = uvicorn.Config(
                application(witness),
                ssl_certfile=tls_cert,
                ssl_keyfile=tls_key,
                log_level="warning",
                access_log=False,
                server_header=False,
                limit_concurrency=AT_ONCE,
                timeout_keep_alive=KEEP_ALIVE_SECONDS,
                timeout_graceful_shutdown=5,
            )
            config.load()
        except OSError as error:
            raise ConfigError("--tls-cert, --tls-key: cannot be read as certificate and key") from error
        bound, at = listening.getsockname()[:2]
        _log.info("listening", host=bound, port=at, tls=tls_cert is not None)
        uvicorn.Server(config).run(sockets=[listening])


def log_to_stderr() -> None:
    """One JSON object per line on stderr; stdout is for data."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise ConfigError(f"--listen {host}:{port}: {error.strerror}", code="config.listen") from error


async def _body(request: Request) -> bytes:
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > LARGEST_BODY:
                raise RefusedError(413, f"a submission has at most {LARGEST_BODY} bytes")
            chunks.append(chunk)
    except ClientDisconnect as error:
        raise RefusedError(400, "the request ended early") from error
    return b"".join(chunks)


def _refused(refusal: RefusedError) -> Response:
    _log.warning("refused", status=refusal.status, why=str(refusal))
    if refusal.size is not None:
        # Written out, because starlette adds a charset to every text type, and clients compare the header whole.
        return Response(f"{refusal.size}\n", status_code=409, headers={"content-type": SIZE_TYPE})
    return PlainTextResponse(f"{refusal}\n", status_code=refusal.status)
