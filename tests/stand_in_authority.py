"""A stand-in for a time-stamp authority: a root and a signer made here, replies by `openssl ts`, HTTP on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PEM = serialization.Encoding.PEM
SERIAL = 4711
CONFIGURATION = """\
[authority]
serial = {0}/serial
signer_cert = {0}/signer.pem
signer_key = {0}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


@dataclass
class StandInAuthority:
    """Its files are in `directory`. `misread` changes a query before it is answered."""

    directory: Path
    valid_until: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(days=1))
    misread: Callable[[bytes], bytes] = lambda query: query
    asked: int = 0

    def __post_init__(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._root_key = ec.generate_private_key(ec.SECP256R1())
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._certificate("Stand-in root", self._root_key, None)
        self.signer = self._certificate("Stand-in authority", self._key, ExtendedKeyUsageOID.TIME_STAMPING)
        self._put("root.pem", self.root.public_bytes(PEM))
        self._put("signer.pem", self.signer.public_bytes(PEM))
        private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        self._put("signer.key", self._key.private_bytes(PEM, *private))
        self._put("serial", b"01\n")
        self._put("authority.cnf", CONFIGURATION.format(self.directory).encode())

    @property
    def ca_file(self) -> Path:
        return self.directory / "root.pem"

    def reply(self, query: bytes) -> bytes:
        """The response to a query, DER."""
        self.asked += 1
        self._put("query", self.misread(query))
        answer = ["-config", "authority.cnf", "-section", "authority", "-queryfile", "query", "-out", "reply"]
        subprocess.run(["openssl", "ts", "-reply", *answer], cwd=self.directory, check=True, capture_output=True)
        return (self.directory / "reply").read_bytes()

    def for_another_purpose(self, token: bytes) -> bytes:
        """`token` with a certificate of the same key, issuer and number that is for signing code."""
        shown = self.signer.public_bytes(serialization.Encoding.DER)
        other = b""
        while len(other) != len(shown):  # the length of a signature varies by a byte or two
            made = self._certificate("Stand-in authority", self._key, ExtendedKeyUsageOID.CODE_SIGNING)
            other = made.public_bytes(serialization.Encoding.DER)
        assert shown in token
        return token.replace(shown, other)

    def application(self) -> Starlette:
        async def stamp(request: Request) -> Response:
            assert request.headers["content-type"] == "application/timestamp-query"
            return Response(self.reply(await request.body()), media_type="application/timestamp-reply")

        return Starlette(routes=[Route("/", stamp, methods=["POST"])])

    def _certificate(
        self, name: str, key: ec.EllipticCurvePrivateKey, use: x509.ObjectIdentifier | None
    ) -> x509.Certificate:
        begin = self.valid_until - timedelta(days=2)
        made = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name("Stand-in root"))
            .public_key(key.public_key())
            .serial_number(SERIAL if use else 1)
            .not_valid_before(begin)
            .not_valid_after(self.valid_until)
            .add_extension(x509.BasicConstraints(use is None, None), critical=True)
        )
        if use:
            made = made.add_extension(x509.ExtendedKeyUsage([use]), critical=True)
        return made.sign(self._root_key, hashes.SHA256())

    def _put(self, name: str, content: bytes) -> None:
        (self.directory / name).write_bytes(content)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
