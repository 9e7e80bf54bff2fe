"""Decides what an HTTP request asks for: statement, data, settings and parameters, as ClickHouse reads them.

The statement is the `query` parameter followed by the body; either may be missing, and the data of an insert
may begin in either. https://clickhouse.com/docs/interfaces/http
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import cast

import lz4.frame
import zstandard

from inzage.deploy.local.clickhouse.replies import QueryError
from inzage.deploy.local.clickhouse.statements import Insert, Statement, read_insert, read_statement

_INTERFACE = (
    "query database user password quota_key query_id role session_id session_timeout session_check stacktrace"
    " compress decompress buffer_size wait_end_of_query client_protocol_version default_format"
)
_REPLY_SETTINGS = (  # they only shape how a server sends its replies
    "enable_http_compression http_zlib_compression_level send_progress_in_http_headers"
    " http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close"
)
_NOT_SETTINGS = frozenset(f"{_INTERFACE} {_REPLY_SETTINGS}".split())
_PARAMETER = "param_"


@dataclass(frozen=True, slots=True)
class QueryRequest:
    """One request, read. `insert` is set when `data` goes to it; otherwise `text` is all there is."""

    statement: Statement
    text: bytes
    insert: Insert | None = None
    data: bytes = b""
    settings: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    database: str | None = None
    default_format: str = "TabSeparated"


def read_request(
    method: str, arguments: Mapping[str, str], headers: Mapping[str, str], body: bytes
) -> QueryRequest:
    """Read a request whose header names are in lower case; raises `QueryError`.

    A GET is read-only, as in ClickHouse: its settings may still be changed.
    """
    if arguments.get("decompress") == "1":
        raise QueryError.of(48, "NOT_IMPLEMENTED", "decompress=1: use Content-Encoding")
    body = decode_body(body, headers.get("content-encoding", ""))
    content_type = headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        arguments, body = {**arguments, **_form(content_type, body)}, b""
    settings = {
        name: value
        for name, value in arguments.items()
        if name not in _NOT_SETTINGS and not name.startswith(_PARAMETER) and name != "readonly"
    }
    readonly = arguments.get("readonly", "0")
    if method == "GET" and readonly == "0":
        readonly = "2"
    if readonly != "0":
        settings["readonly"] = readonly  # last: after it nothing can be set
    text, insert, data = _split(arguments.get("query", "").encode(), body)
    parameters = {
        name.removeprefix(_PARAMETER): value
        for name, value in arguments.items()
        if name.startswith(_PARAMETER)
    }
    _refuse_hidden_identifier(text, parameters)
    return QueryRequest(
        Statement("INSERT", None, len(text)) if insert else read_statement(text),
        text,
        insert,
        data,
        settings,
        parameters,
        arguments.get("database") or headers.get("x-clickhouse-database"),
        arguments.get("default_format") or headers.get("x-clickhouse-format") or "TabSeparated",
    )


def decode_body(body: bytes, encoding: str) -> bytes:
    """The bytes that were sent, decompressed by Content-Encoding; raises `QueryError`."""
    try:
        match encoding:
            case "" | "identity":
                return body
            case "lz4":
                return cast(bytes, lz4.frame.decompress(body))
            case "zstd":
                return zstandard.ZstdDecompressor().decompressobj().decompress(body)
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
    except (OSError, EOFError, RuntimeError, zlib.error, zstandard.ZstdError) as error:
        raise QueryError.of(432, "UNKNOWN_CODEC", f"The body is not {encoding}") from error
    raise QueryError.of(
        89, "UNKNOWN_COMPRESSION_METHOD", "Content-Encoding is not lz4, zstd, gzip or deflate"
    )


def _split(query: bytes, body: bytes) -> tuple[bytes, Insert | None, bytes]:
    """Text, insert and data; no copy of a large body when the statement stands in the query alone."""
    if query:
        insert = read_insert(query + b"\n")
        if insert:
            return query, insert, query[insert.data_offset :] + body
        return query + b"\n" + body if body else query, None, b""
    insert = read_insert(body)
    if insert:
        return insert.head.encode(), insert, body[insert.data_offset :]
    return body, None, b""


def _refuse_hidden_identifier(text: bytes, parameters: Mapping[str, str]) -> None:
    """`{x:Identifier}` with x = file is the word that `statements` refuses."""
    if b"Identifier" in text and any("file" in value or "\\" in value for value in parameters.values()):
        raise QueryError.of(497, "ACCESS_DENIED", "Files of the endpoint's machine are not for clients")


def _form(content_type: str, body: bytes) -> dict[str, str]:
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    fields = {}
    for part in message.iter_parts():
        if part.get_filename():
            raise QueryError.of(48, "NOT_IMPLEMENTED", "External tables are not for the local endpoint")
        name = part.get_param("name", header="content-disposition")
        value = cast(bytes, part.get_payload(decode=True))
        fields[str(name)] = value.decode()
    return fields
