"""A request is read as ClickHouse reads it, whatever carries the statement and however it is compressed."""

from __future__ import annotations

import gzip
import zlib

import lz4.frame
import pytest
import zstandard

from inzage.deploy.local.clickhouse.replies import QueryError
from inzage.deploy.local.clickhouse.requests import read_request

SENT = b"INSERT INTO t FORMAT Native\n\x00\x01\x02"


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("", SENT),
        ("lz4", lz4.frame.compress(SENT)),
        ("zstd", zstandard.compress(SENT)),
        ("gzip", gzip.compress(SENT, mtime=0)),
        ("deflate", zlib.compress(SENT)),
    ],
)
@pytest.mark.parametrize("in_query", [False, True])
def test_insert_in_every_encoding(encoding: str, body: bytes, in_query: bool) -> None:
    """The statement may stand in the query string or before the data in the body."""
    arguments = {"query": "INSERT INTO t FORMAT Native"} if in_query else {}
    request = read_request("POST", arguments, {"content-encoding": encoding}, body)
    assert request.insert is not None and request.insert.format == "Native"
    assert request.data == (SENT if in_query else b"\x00\x01\x02")


def test_a_body_that_is_not_what_its_header_says_is_refused() -> None:
    for encoding in ("lz4", "zstd", "gzip", "deflate", "br"):
        with pytest.raises(QueryError):
            read_request("POST", {}, {"content-encoding": encoding}, b"SELECT 1")


def test_settings_parameters_and_interface_are_told_apart() -> None:
    arguments = {
        "query": "SELECT {x:UInt8}",
        "param_x": "1",
        "max_threads": "2",
        "session_id": "s",
        "database": "inzage",
        "readonly": "1",
        "log_comment": "c",
    }
    request = read_request("POST", arguments, {}, b"")
    assert request.parameters == {"x": "1"}
    assert request.database == "inzage"
    assert list(request.settings) == ["max_threads", "log_comment", "readonly"]  # nothing is set after it


def test_get_is_read_only() -> None:
    assert read_request("GET", {"query": "SELECT 1"}, {}, b"").settings == {"readonly": "2"}
    assert read_request("GET", {"query": "SELECT 1", "readonly": "0"}, {}, b"").settings == {"readonly": "2"}
    assert read_request("POST", {"query": "SELECT 1"}, {}, b"").settings == {}


def test_form_fields_are_arguments() -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="query"\r\n\r\nSELECT {x:String}\r\n'
        b'--b\r\nContent-Disposition: form-data; name="param_x"\r\n\r\n\xc3\xbc\r\n--b--\r\n'
    )
    request = read_request("POST", {}, {"content-type": "multipart/form-data; boundary=b"}, body)
    assert request.text == b"SELECT {x:String}"
    assert request.parameters == {"x": "ü"}


def test_an_identifier_parameter_cannot_name_the_file_function() -> None:
    with pytest.raises(QueryError):
        read_request("POST", {"query": "SELECT arrayMap({f:Identifier}, ['x'])", "param_f": "file"}, {}, b"")
