"""Decides how the endpoint answers: the headers, statuses and error texts of ClickHouse's HTTP interface.

https://clickhouse.com/docs/interfaces/http; the statuses follow its exceptionCodeToHTTPStatus.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from http import HTTPStatus

from inzage.schemas.errors import InzageError

UNKNOWN_EXCEPTION = 1002

_BAD_REQUEST = (
    "BAD_ARGUMENTS CANNOT_COMPILE_REGEXP CANNOT_PARSE_TEXT CANNOT_PARSE_ESCAPE_SEQUENCE "
    "CANNOT_PARSE_QUOTED_STRING CANNOT_PARSE_DATE CANNOT_PARSE_DATETIME CANNOT_PARSE_NUMBER "
    "CANNOT_PARSE_DOMAIN_VALUE_FROM_STRING CANNOT_PARSE_IPV4 CANNOT_PARSE_IPV6 CANNOT_PARSE_UUID "
    "CANNOT_PARSE_INPUT_ASSERTION_FAILED DUPLICATE_COLUMN ILLEGAL_COLUMN THERE_IS_NO_COLUMN "
    "UNKNOWN_ELEMENT_IN_AST UNKNOWN_TYPE_OF_AST_NODE TOO_DEEP_AST TOO_BIG_AST UNEXPECTED_AST_STRUCTURE "
    "SYNTAX_ERROR INCORRECT_DATA TYPE_MISMATCH VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE"
)
_NOT_FOUND = (
    "UNKNOWN_TABLE UNKNOWN_FUNCTION UNKNOWN_IDENTIFIER UNKNOWN_TYPE UNKNOWN_STORAGE UNKNOWN_DATABASE "
    "UNKNOWN_SETTING UNKNOWN_DIRECTION_OF_SORTING UNKNOWN_AGGREGATE_FUNCTION UNKNOWN_FORMAT "
    "UNKNOWN_DATABASE_ENGINE UNKNOWN_TYPE_OF_QUERY UNKNOWN_ROLE"
)
_STATUS = {
    **dict.fromkeys(_BAD_REQUEST.split(), HTTPStatus.BAD_REQUEST),
    **dict.fromkeys(_NOT_FOUND.split(), HTTPStatus.NOT_FOUND),
    "ACCESS_DENIED": HTTPStatus.FORBIDDEN,
    "AUTHENTICATION_FAILED": HTTPStatus.FORBIDDEN,
    "QUERY_IS_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "NOT_IMPLEMENTED": HTTPStatus.NOT_IMPLEMENTED,
    "TIMEOUT_EXCEEDED": HTTPStatus.REQUEST_TIMEOUT,
    "UNSUPPORTED_MEDIA_TYPE": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
_CODE = re.compile(r"Code: (\d+)")
_NAME = re.compile(r"\(([A-Z][A-Z0-9_]+)\)")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the engine made of one request. `format` None: the statement has no result set."""

    body: bytes
    format: str | None = None
    rows_read: int = 0
    bytes_read: int = 0
    rows_written: int = 0
    bytes_written: int = 0
    elapsed: float = 0.0
    """Seconds in the engine."""


class QueryError(InzageError):
    """ClickHouse, or the endpoint in its place, says no.

    `text` is ClickHouse's own and may quote what was sent: it goes to the client, never to a log.
    """

    code = "clickhouse"

    def __init__(self, text: str) -> None:
        super().__init__("ClickHouse refused the statement")
        code, names = _CODE.search(text), _NAME.findall(text)
        self.text = text[code.start() :] if code else f"Code: {UNKNOWN_EXCEPTION}. {text}"
        self.number = int(code[1]) if code else UNKNOWN_EXCEPTION
        # Without a name it is a std::exception, as avro's is for a block that cannot be decoded.
        self.status = _STATUS.get(names[-1] if names else "", HTTPStatus.INTERNAL_SERVER_ERROR)

    @classmethod
    def of(cls, number: int, name: str, why: str) -> QueryError:
        """In the form ClickHouse gives its own."""
        return cls(f"Code: {number}. DB::Exception: {why}. ({name})")


def common_headers(query_id: str, timezone: str) -> dict[str, str]:
    """Headers of every reply to a query."""
    return {
        "X-ClickHouse-Server-Display-Name": "inzage-local",
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Timezone": timezone,
    }


def summary_header(answer: Answer) -> dict[str, str]:
    """X-ClickHouse-Summary, and X-ClickHouse-Format for a statement with a result set."""
    summary = {
        "read_rows": str(answer.rows_read),
        "read_bytes": str(answer.bytes_read),
        "written_rows": str(answer.rows_written),
        "written_bytes": str(answer.bytes_written),
        "result_rows": str(answer.rows_written or answer.rows_read),
        "result_bytes": str(len(answer.body)),
        "elapsed_ns": str(int(answer.elapsed * 1e9)),
    }
    headers = {"X-ClickHouse-Summary": json.dumps(summary)}
    if answer.format:
        headers["X-ClickHouse-Format"] = answer.format
    return headers


def error_body(refused: QueryError, version: str) -> str:
    """The text a ClickHouse server sends, version included (clients cut it off there)."""
    text = refused.text.strip()
    return f"{text}\n" if text.endswith(")") and "(version " in text else f"{text} (version {version})\n"
