"""Decides how a schema registry is asked: Confluent's HTTP interface, as other registries speak it too.

Three questions only: the text under an id, the id of a text under a subject, and to register it there. An answer is
taken for what it says: no schema of that id, not let in, refused; anything else is no answer, to be asked for again.
"""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from inzage.schemas.errors import ConfigError, TransientError
from inzage.schemas.framing import LARGEST_ID
from inzage.schemas.settings import SchemaRegistrySettings

if TYPE_CHECKING:
    import urllib3

CONTENT_TYPE = "application/vnd.schemaregistry.v1+json"
CONNECT_WITHIN = 3.0  # seconds
ANSWER_WITHIN = 10.0  # seconds
LARGEST_ANSWER = 4 << 20  # bytes

SUBJECT_NOT_FOUND = 40401
SCHEMA_NOT_FOUND = 40403


class SchemaRegistry:
    """One registry, over a connection that is kept.

    Everything raises `TransientError` when it does not answer, and `ConfigError` when it does not let us in.
    """

    def __init__(self, url: str, pool: urllib3.PoolManager, headers: dict[str, str]) -> None:
        self._url = url.rstrip("/")
        self._pool = pool
        self._headers = headers

    def text(self, identifier: int) -> str | None:
        """The text of the Avro schema under an id; None when there is none, or it is in another language.

        A schema that refers to others of the registry is read as if there were none: its text alone says too little.
        """
        status, said = self._ask("GET", f"/schemas/ids/{identifier}")
        if status == 404:
            return None
        self._expect(status, said, f"schema {identifier}")
        if said.get("schemaType", "AVRO") != "AVRO" or said.get("references"):
            return None
        if not isinstance(said.get("schema"), str):
            raise _unclear(f"schema {identifier}")
        return str(said["schema"])

    def find(self, subject: str, text: str) -> int:
        """The id of a schema that stands under `subject`; raises `ConfigError` when it does not."""
        status, said = self._ask("POST", f"/subjects/{quote(subject, safe='')}", {"schema": text})
        if status == 404:
            raise ConfigError(
                f"schema_registry: {subject}: this version's schema is not registered",
                code="config.schema-registry",
                hint="register schemas/avro/*.avsc of this version, or set schema_registry.auto_register_schemas",
            )
        return self._identifier(status, said, subject)

    def register(self, subject: str, text: str) -> int:
        """Register a schema under `subject`, if it is not there; its id. Raises `ConfigError` when it is refused."""
        status, said = self._ask("POST", f"/subjects/{quote(subject, safe='')}/versions", {"schema": text})
        if status in (409, 422):
            raise ConfigError(
                f"schema_registry: {subject}: its compatibility rules refuse it ({said.get('error_code', status)})",
                code="config.schema-registry",
            )
        return self._identifier(status, said, subject)

    def _identifier(self, status: int, said: dict[str, Any], subject: str) -> int:
        self._expect(status, said, subject)
        identifier = said.get("id")
        if type(identifier) is not int or not 0 <= identifier <= LARGEST_ID:
            raise _unclear(subject)
        return identifier

    def _expect(self, status: int, said: dict[str, Any], what: str) -> None:
        if status in (401, 403):
            raise ConfigError(
                f"schema_registry: it does not let us in ({status})",
                code="config.schema-registry",
                hint="INZAGE_SCHEMA_REGISTRY__USERNAME and __PASSWORD, or schema_registry.password_file",
            )
        if 400 <= status < 500 and status not in (408, 429):
            reason = f"answered {status} ({said.get('error_code', 'no code')})"
            raise ConfigError(f"schema_registry: {what}: {reason}", code="config.schema-registry")
        if status != 200:
            raise TransientError(f"the schema registry answered {status}", code="transient.schema-registry")

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        from urllib3.exceptions import HTTPError

        try:
            reply = self._pool.request(
                method,
                self._url + path,
                body=json.dumps(body).encode() if body else None,
                headers={**self._headers, **({"content-type": CONTENT_TYPE} if body else {})},
                preload_content=False,
                redirect=False,
            )
            try:
                read = reply.read(LARGEST_ANSWER + 1)
            finally:
                reply.release_conn()
        except (HTTPError, OSError) as error:
            text = f"the schema registry does not answer: {type(error).__name__}"
            raise TransientError(text, code="transient.schema-registry") from error
        if len(read) > LARGEST_ANSWER:
            reply.close()
            raise _unclear(path)
        try:
            said = json.loads(read)
        except ValueError:
            said = None
        if isinstance(said, dict):
            # A 404 of something else than a registry says nothing about ids.
            if reply.status == 404 and said.get("error_code") not in (SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND):
                raise _unclear(path)
            return reply.status, said
        if reply.status == 200 or reply.status == 404:
            raise _unclear(path)
        return reply.status, {}


def open_registry(settings: SchemaRegistrySettings) -> SchemaRegistry:
    """The registry at the configured address; it is not asked anything yet. Raises `ConfigError`."""
    import urllib3

    url = str(settings.url)
    headers = {"accept": f"{CONTENT_TYPE}, application/json"}
    secret = _secret(settings)
    if secret is not None:
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in ("127.0.0.1", "localhost", "::1"):
            raise ConfigError("schema_registry.url: a password goes over https only", code="config.schema-registry")
        headers |= urllib3.make_headers(basic_auth=f"{settings.username}:{secret}")
    pool = urllib3.PoolManager(
        num_pools=1,
        ca_certs=str(settings.ca_file) if settings.ca_file else None,
        timeout=urllib3.Timeout(connect=CONNECT_WITHIN, read=ANSWER_WITHIN),
        retries=False,
    )
    return SchemaRegistry(url, pool, headers)


def _secret(settings: SchemaRegistrySettings) -> str | None:
    """The password, from the environment or from a file that only its owner can read."""
    if settings.username is None:
        return None
    if settings.password is not None:
        return settings.password.get_secret_value()
    assert settings.password_file is not None  # the settings see to that
    return _read_private(settings.password_file)


def _read_private(path: Path) -> str:
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            text = f"schema_registry.password_file: {path.name} can be read by others"
            raise ConfigError(text, code="config.schema-registry", hint=f"chmod 600 {path.name}")
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        text = f"schema_registry.password_file: {path.name} cannot be read"
        raise ConfigError(text, code="config.schema-registry") from error


def _unclear(what: str) -> TransientError:
    """An answer that a registry does not give: a proxy's page, a broken one."""
    return TransientError(f"the schema registry gives no clear answer about {what}", code="transient.schema-registry")
