"""Keeps the archive in an S3-compatible bucket: `s3://bucket/prefix`, credentials as AWS's own tools find them.

Objects are created on the condition that they are not there. That they cannot be removed either is the bucket's own
setting: object lock in compliance mode with a default retention.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import S3Store

from inzage.schemas.errors import ConfigError, TamperError, TransientError

GIVE_UP_AFTER = timedelta(seconds=60)
"""Nothing is sealed while the archive does not answer; then the process ends, and is started again."""


class Bucket:
    """An archive in a bucket. `AWS_ENDPOINT_URL` and the like decide where it is (see the docs of obstore)."""

    def __init__(self, url: str) -> None:
        try:
            self._store = S3Store.from_url(url, retry_config={"retry_timeout": GIVE_UP_AFTER})
        except (BaseError, ValueError) as error:
            raise ConfigError(f"sealing.archive: {url} names no bucket", code="config.archive") from error

    def put(self, name: str, content: bytes) -> None:
        try:
            self._store.put(name, content, mode="create")
        except AlreadyExistsError:
            if self.get(name) != content:
                raise TamperError(f"archive: {name} holds another round", code="tamper.archive") from None
        except (BaseError, OSError) as error:
            text = f"archive: {name} cannot be written: {type(error).__name__}"
            raise TransientError(text, code="transient.archive") from error

    def names(self) -> Iterator[str]:
        try:
            found = [entry["path"] for page in self._store.list() for entry in page]
        except (BaseError, OSError) as error:
            raise TransientError("archive: the bucket cannot be listed", code="transient.archive") from error
        yield from sorted(name for name in found if name.endswith(".json"))

    def get(self, name: str) -> bytes:
        try:
            return bytes(self._store.get(name).bytes())
        except (BaseError, OSError) as error:
            raise TransientError(f"archive: {name} cannot be read", code="transient.archive") from error
