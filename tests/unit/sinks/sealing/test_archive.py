"""An archive's objects are created once, whole, and survive; in a directory and in a bucket alike."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from inzage.schemas.errors import ConfigError, TamperError, TransientError
from inzage.sinks.sealing.archive import Archive, Directory, open_archive
from inzage.sinks.verification import bucket
from inzage.sinks.verification.archive import read_archive

NAME = "inzage/meta/cluster/2026/03/01/12/00000000000000000007.json"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[str]:
    """moto's server stands in for S3: it speaks its protocol, but is none."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client(
        "s3", endpoint_url=url, region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    client.create_bucket(Bucket="ledger", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield url
    server.stop()


@pytest.fixture(params=["directory", "bucket"])
def archive(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Archive:
    if request.param == "directory":
        return open_archive(None, tmp_path)
    monkeypatch.setenv("AWS_ENDPOINT_URL", request.getfixturevalue("stand_in"))
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    return open_archive(f"s3://ledger/{tmp_path.name}", tmp_path)


def test_an_object_is_created_once(archive: Archive) -> None:
    archive.put(NAME, b"round")
    archive.put(NAME, b"round")
    with pytest.raises(TamperError, match="holds another round"):
        archive.put(NAME, b"forged")
    later = NAME.replace("7.json", "9.json")
    archive.put(later, b"next")
    assert (list(archive.names()), archive.get(NAME), archive.get(later)) == ([NAME, later], b"round", b"next")
    with pytest.raises(TransientError):
        archive.get("nothing.json")


def test_the_verifier_reads_what_was_archived(archive: Archive, tmp_path: Path) -> None:
    where = tmp_path / "archive" if isinstance(archive, Directory) else f"s3://ledger/{tmp_path.name}"
    note = f"inzage/meta/cluster\n7\n{base64.b64encode(bytes(32)).decode()}\n\nsigned\n"
    said = {"origin": "inzage/meta/cluster", "size": 7, "note": note, "checkpoints": [], "prunings": []}
    archive.put(NAME, json.dumps({**said, "sealed_at": "2026-03-01T12:00:00+00:00"}).encode())
    archive.put(NAME.replace("7.json", "8.json"), b"no round")
    told = read_archive(where)
    assert [(one.origin, one.size, one.root, one.note) for one in told.checkpoints] == [
        ("inzage/meta/cluster", 7, bytes(32), note)
    ]
    assert [finding.code for finding in told.findings] == ["archive.unreadable"]


def test_a_bucket_that_does_not_answer_is_no_finding(monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int) -> None:
    away = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{unused_tcp_port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "x"}
    for name, value in {**away, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(bucket, "GIVE_UP_AFTER", timedelta(milliseconds=1))
    with pytest.raises(TransientError):
        read_archive("s3://ledger")


def test_half_an_object_never_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended before the link, nothing is listed; the next attempt goes through."""
    archive = Directory(tmp_path)

    def ended(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as at, pytest.raises(KeyboardInterrupt):
        at.setattr(os, "link", ended)
        archive.put(NAME, b"round")
    assert list(archive.names()) == []
    archive.put(NAME, b"round")
    assert list(archive.names()) == [NAME]


def test_a_place_that_takes_nothing_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(TransientError, match="cannot be written"):
        Directory(tmp_path / "file").put(NAME, b"round")
    with pytest.raises(ConfigError):
        open_archive("s3://", tmp_path)
