"""Reads an archive in an S3-compatible bucket, `s3://bucket/prefix`; the writer has no part in it.

Credentials and the place of the bucket are found as AWS's own tools find them. A bucket that does not answer says
nothing of what it holds, so that is no finding but an end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any

from inzage.schemas.errors import ConfigError, TransientError

SCHEME = "s3://"
GIVE_UP_AFTER = timedelta(seconds=60)


def is_bucket(where: str) -> bool:
    """Whether an archive is a bucket and no folder."""
    return where.startswith(SCHEME)


def read_bucket(url: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The names of all rounds below a URL, in order, and how to read each.

    Raises `ConfigError` for what is no bucket or without the extra `s3`; here and on reading, `TransientError` when
    the bucket does not answer.
    """
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise ConfigError("--archive: an s3:// archive needs inzage[s3]", code="config.archive") from error
    store = _asked(partial(S3Store.from_url, url, retry_config={"retry_timeout": GIVE_UP_AFTER}), url)
    listed = _asked(lambda: [entry["path"] for page in store.list() for entry in page], url)
    for name in sorted(name for name in listed if name.endswith(".json")):
        yield name, partial(_asked, partial(_read, store, name), url)


def _read(store: Any, name: str) -> bytes:
    return bytes(store.get(name).bytes())


def _asked(ask: Callable[[], Any], url: str) -> Any:
    from obstore.exceptions import BaseError

    try:
        return ask()
    except ValueError as error:
        raise ConfigError(f"--archive: {url} names no bucket", code="config.archive") from error
    except (BaseError, OSError) as error:
        raise TransientError(f"{url} does not answer: {type(error).__name__}", code="transient.archive") from error
