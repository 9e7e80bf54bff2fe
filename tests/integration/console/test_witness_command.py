"""The witness as a process: its key, its state, TLS, and what it says when it cannot begin."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import structlog
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from inzage.console.main import main
from inzage.schemas.settings import SealingSettings
from inzage.sinks.ledger.note import Signer, Verifier
from inzage.sinks.sealing.attestation import Sight
from inzage.sinks.witness.attestor import Attestor
from tests.meta_log import ORIGIN, MetaLog

SEALER = Signer.generate("sealer.example")
LOG = MetaLog(SEALER, leaves=20)


@pytest.fixture(autouse=True)
def own_log() -> Iterator[None]:
    """The command sends log lines to the stderr of its test; the next test has another."""
    yield
    structlog.reset_defaults()


def options(folder: Path) -> list[str]:
    where = ["--key", str(folder / "key"), "--name", "witness.example/w1", "--state", str(folder / "state")]
    return [*where, "--log", f"{ORIGIN}={SEALER.verifier}", "--listen", "127.0.0.1:0"]


@contextmanager
def running(folder: Path, *more: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The process and its line `listening`."""
    program = [sys.executable, "-m", "inzage.console.main", "witness", *options(folder), *more]
    child = subprocess.Popen(program, stderr=subprocess.PIPE, text=True)
    assert child.stderr
    try:
        for line in child.stderr:
            if line.startswith("{"):
                break
        else:
            raise AssertionError("it ended")
        yield child, json.loads(line)
    finally:
        child.kill()
        child.wait()
        child.stderr.close()


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["witness", *arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_a_witness_needs_no_more_than_its_extra() -> None:
    others = {"aiokafka", "kafka", "clickhouse_connect", "chdb", "rfc3161_client", "urllib3", "stamina"}
    program = f"import sys, inzage.sinks.witness.service; print(sorted({others} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", program], check=True, capture_output=True).stdout == b"[]\n"


def test_its_key_is_made_first_and_handed_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["witness", *options(tmp_path), "--init"])
    assert not ended.value.code
    assert Verifier.read(capsys.readouterr().out).name == "witness.example/w1"
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_it_cosigns_over_tls_until_it_is_told_to_end(tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    with running(tmp_path, "--tls-cert", str(certificate), "--tls-key", str(key)) as (child, listening):
        assert listening["host"] == "127.0.0.1"
        assert listening["tls"] is True
        url = f"https://127.0.0.1:{listening['port']}"
        told = {"url": url, "key": (tmp_path / "key.pub").read_text().strip(), "ca_file": certificate}
        sight = Sight(ORIGIN, 5, LOG.checkpoint(5).root, str(LOG.note(5)), LOG.tree(5))
        [record] = Attestor(SealingSettings(witnesses=(told,))).attest(sight)
        assert record["by"] == "witness.example/w1"
        assert Attestor(SealingSettings(witnesses=({**told, "ca_file": None},))).attest(sight) == []
        child.send_signal(signal.SIGTERM)
        assert child.wait(60) == 0


def test_a_key_without_its_state_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Begun again from nothing, it could cosign another story under the same name."""
    with pytest.raises(SystemExit):
        main(["witness", *options(tmp_path), "--init"])
    (tmp_path / "state").unlink()
    assert "the key is there but its state is not" in failed(capsys, *options(tmp_path))
    (tmp_path / "state").touch()
    assert "the key is there but its state is not" in failed(capsys, *options(tmp_path))
    (tmp_path / "state").write_text("something else, longer than a page of SQLite would be" * 100)
    assert "not a witness's state" in failed(capsys, *options(tmp_path))


def test_a_state_of_another_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("one", "other"):
        with pytest.raises(SystemExit):
            main(["witness", *options(tmp_path / name), "--init"])
    (tmp_path / "one" / "state").replace(tmp_path / "other" / "state")
    assert "it is the state of another key" in failed(capsys, *options(tmp_path / "other"))
    (tmp_path / "other" / "key").unlink()
    assert "the state is there but its key is not" in failed(capsys, *options(tmp_path / "other"))


def test_wrong_options_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = options(tmp_path)
    assert "--log" in failed(capsys, *right[:6])
    assert "expected ORIGIN=VKEY" in failed(capsys, *right, "--log", "nothing")
    assert "--listen here: expected HOST:PORT" in failed(capsys, *right, "--listen", "here")
    assert "go together" in failed(capsys, *right, "--tls-cert", "x")
    certificate, key = _certificate(tmp_path)
    key.chmod(0o644)
    assert "readable by others" in failed(capsys, *right, "--tls-cert", str(certificate), "--tls-key", str(key))
    key.chmod(0o600)
    assert "cannot be read" in failed(capsys, *right, "--tls-cert", str(key), "--tls-key", str(key))


@pytest.mark.slow
def test_a_taken_port_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path / "one") as (_, listening):
        port = listening["port"]
        assert urllib3.request("GET", f"http://127.0.0.1:{port}/", retries=False).status == 404
        other = [*options(tmp_path / "other"), "--listen", f"127.0.0.1:{port}"]
        assert f"--listen 127.0.0.1:{port}" in failed(capsys, *other)


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that is its own root, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(True, None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "tls.pem").write_text(ssl.DER_cert_to_PEM_cert(made.public_bytes(serialization.Encoding.DER)))
    (folder / "tls.key").write_bytes(key.private_bytes(pem, *private))
    (folder / "tls.key").chmod(0o600)
    return folder / "tls.pem", folder / "tls.key"
