"""Decides how a proof's questions reach ClickHouse, several at a time.

On this machine they go over connections of their own, and answers are read without a driver: what the driver does for
each, whatever the answer holds, is a tenth of what a proof costs. To another machine the driver's way is taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode, urlsplit

from clickhouse_connect.driver.binding import format_bind_value
from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import HTTPError
from urllib3.util import Retry

from inzage.sinks.connection import on_this_machine
from inzage.sinks.proof.native import NativeError, rows_of
from inzage.sinks.trail import Trail, judged, text_of

AT_ONCE = 4
"""Questions that are asked at once: connections that are kept."""
_AGAIN = Retry(connect=0, read=1, redirect=0, status=0, other=0, allowed_methods=None)
"""A connection may be closed just when it is used again; a question may be asked twice."""
_SETTINGS = {
    "max_threads": 1,  # what reads a few rows takes half the processor time with one
    "readonly": 1,
}
_SETTINGS_HERE = {  # planning that pays for rows by the million; the engine of this machine is known to know them
    "compile_expressions": 0,
    "enable_multiple_prewhere_read_steps": 0,
    "query_plan_optimize_lazy_materialization": 0,
    "use_top_k_dynamic_filtering": 0,
    **_SETTINGS,
}


class _RefusedError(Exception):
    """ClickHouse says no; `code` is its own."""

    def __init__(self, code: int) -> None:
        self.code = code


class TrailReader:
    """The trail as a proof reads it; a context manager. `select` may be called from several threads."""

    def __init__(self, trail: Trail, *, direct: bool | None = None) -> None:
        """`direct`: past the driver; when not stated, where ClickHouse is on this machine."""
        self._trail = trail
        self._address = urlsplit(trail.client.url)
        here = self._address.scheme == "http" and on_this_machine(self._address.hostname or "")
        self._direct = here if direct is None else direct
        self._pool = HTTPConnectionPool(
            self._address.hostname or "", self._address.port, timeout=trail.client.timeout, maxsize=AT_ONCE
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of its connections."""
        self._pool.close()

    def select(self, query: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of `queries/<query>.sql`, read-only, texts as bytes; raises `TransientError` and `ConfigError`."""
        text, named = text_of(query), {"database": self._trail.database, **parameters}
        try:
            return rows_of(self._asked(text, named) if self._direct else self._by_driver(text, named))
        except (ClickHouseError, HTTPError, _RefusedError) as error:
            raise judged(error) from error
        except (OSError, NativeError) as error:
            raise judged(OperationalError("no answer, or not a whole one")) from error

    def _by_driver(self, text: str, parameters: dict[str, Any]) -> bytes:
        answer: bytes = self._trail.client.raw_query(text, parameters=parameters, settings=_SETTINGS, fmt="Native")
        return answer

    def _asked(self, text: str, parameters: Mapping[str, Any]) -> bytes:
        said = {f"param_{name}": format_bind_value(value) for name, value in parameters.items()}
        path = f"/?{urlencode({**_SETTINGS_HERE, 'default_format': 'Native', **said})}"
        headers = self._trail.client.headers
        answer = self._pool.request("POST", path, body=text.encode(), headers=headers, retries=_AGAIN)
        if answer.status != 200:
            raise _RefusedError(int(answer.headers.get("X-ClickHouse-Exception-Code", 0)))
        return answer.data
