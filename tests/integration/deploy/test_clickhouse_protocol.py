"""An unconfigured clickhouse-connect client works with the local endpoint as with a ClickHouse server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import clickhouse_connect
import fastavro
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from inzage.deploy.local.clickhouse.endpoint import Endpoint

COLUMNS = ["id", "recipient", "at", "note", "categories", "labels"]
AT = datetime(2026, 3, 1, 12, 30, 15, 123000)  # noqa: DTZ001 - as clickhouse-connect gives UTC back
ROWS = [
    [1, "insurer", AT, None, ["identity"], {"k": "v"}],
    [2, "employer", AT, "tab\there", [], {}],
]
DDL = """
CREATE TABLE events (
    id UInt64,
    recipient LowCardinality(String),
    at DateTime64(3, 'UTC'),
    note Nullable(String),
    categories Array(String),
    labels Map(String, String)
) ENGINE = MergeTree ORDER BY id SETTINGS non_replicated_deduplication_window = 100
"""


@pytest.fixture
def client(clickhouse: Endpoint) -> Iterator[Any]:
    """A client on a database of its own with the table `events`."""
    database = f"test_{uuid4().hex}"
    administrator = clickhouse_connect.get_client(host=clickhouse.host, port=clickhouse.port)
    administrator.command(f"CREATE DATABASE {database}")
    connected = clickhouse_connect.get_client(host=clickhouse.host, port=clickhouse.port, database=database)
    connected.command(DDL)
    yield connected
    administrator.command(f"DROP DATABASE {database}")
    connected.close()
    administrator.close()


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip"])
def test_inserted_rows_come_back(client: Any, clickhouse: Endpoint, compress: str | bool) -> None:
    """insert() sends chunked, compressed Native with the statement inside the body."""
    writer = clickhouse_connect.get_client(
        host=clickhouse.host, port=clickhouse.port, database=client.database, compress=compress
    )
    summary = writer.insert("events", ROWS, column_names=COLUMNS)
    assert summary.written_rows == 2
    rows = client.query("SELECT * FROM events ORDER BY id").result_rows
    assert [list(row) for row in rows] == ROWS
    writer.close()


@pytest.mark.parametrize("compression", [None, "lz4"])
def test_raw_insert_of_an_avro_block(client: Any, compression: str | None) -> None:
    schema = fastavro.parse_schema(
        {
            "type": "record",
            "name": "Event",
            "fields": [{"name": "id", "type": "long"}, {"name": "recipient", "type": "string"}],
        }
    )
    file = io.BytesIO()
    fastavro.writer(file, schema, [{"id": number, "recipient": "r"} for number in range(1000)])
    block = file.getvalue()
    if compression:
        import lz4.frame

        block = lz4.frame.compress(block)
    summary = client.raw_insert("events", ["id", "recipient"], block, fmt="Avro", compression=compression)
    assert summary.written_rows == 1000
    assert client.query("SELECT count(), sum(id) FROM events").first_row == (1000, 499500)


def test_a_broken_block_is_refused_whole(client: Any) -> None:
    with pytest.raises(DatabaseError) as refused:
        client.raw_insert("events", ["id"], b'{"id": 1}\n{"id": "x"}\n', fmt="JSONEachRow")
    assert refused.value.code in (27, 72, 26)
    assert client.command("SELECT count() FROM events") == 0


def test_the_same_token_inserts_once(client: Any) -> None:
    """The sink's retry: same block, same token, one set of rows."""
    for _ in range(2):
        client.raw_insert(
            "events", ["id"], b'{"id": 1}\n', fmt="JSONEachRow", settings={"insert_deduplication_token": "t"}
        )
    client.raw_insert("events", ["id"], b'{"id": 2}\n', fmt="JSONEachRow")
    assert client.query("SELECT id FROM events ORDER BY id").result_rows == [(1,), (2,)]


def test_server_side_parameters(client: Any) -> None:
    client.insert("events", ROWS, column_names=COLUMNS)
    found = client.query(
        "SELECT id FROM events WHERE note = {note:String} AND id IN {ids:Array(UInt64)}",
        parameters={"note": "tab\there", "ids": [1, 2]},
    )
    assert found.result_rows == [(2,)]
    odd = "it's\n\\ {x} ü"
    assert client.query("SELECT {odd:String}", parameters={"odd": odd}).first_row == (odd,)


def test_an_empty_result_still_names_its_columns(client: Any) -> None:
    result = client.query("SELECT id, recipient, labels FROM events WHERE id = {x:UInt64}", parameters={"x": 9})
    assert result.column_names == ("id", "recipient", "labels")
    assert result.result_rows == []


def test_errors_carry_clickhouse_codes_and_statuses(client: Any, clickhouse: Endpoint) -> None:
    with pytest.raises(DatabaseError) as refused:
        client.query("SELECT nowhere FROM events")
    assert refused.value.code == 47

    connection = HTTPConnection(clickhouse.host, clickhouse.port)
    for text, number, status in [
        ("SELECT * FROM nowhere", "60", 404),
        ("SELEC 1", "62", 400),
        ("SELECT throwIf(1)", "395", 500),
        ("SELECT file('/etc/hostname')", "497", 403),
    ]:
        connection.request("POST", "/", text)
        reply = connection.getresponse()
        body = reply.read().decode()
        assert (reply.headers["X-ClickHouse-Exception-Code"], reply.status) == (number, status)
        assert body.startswith(f"Code: {number}. ")
    connection.close()


def test_a_setting_of_one_request_does_not_reach_the_next(client: Any) -> None:
    asked = "SELECT getSetting('max_threads')"
    before = client.command(asked)
    assert client.command(asked, settings={"max_threads": 7}) == 7
    assert client.command(asked) == before
    with pytest.raises(DatabaseError):
        client.command("SELECT 1", settings={"no_such_setting": 1})


def test_get_reads_and_does_not_write(client: Any, clickhouse: Endpoint) -> None:
    connection = HTTPConnection(clickhouse.host, clickhouse.port)
    where = f"/?database={client.database}&query="
    connection.request("GET", where + quote("SELECT 1 AS one FORMAT JSONEachRow"))
    reply = connection.getresponse()
    assert (reply.status, reply.read()) == (200, b'{"one":1}\n')
    assert reply.headers["X-ClickHouse-Format"] == "JSONEachRow"
    connection.request("GET", where + quote("INSERT INTO events (id) VALUES (1)"))
    reply = connection.getresponse()
    assert (reply.headers["X-ClickHouse-Exception-Code"], reply.status) == ("164", 500)
    reply.read()
    connection.close()
    assert client.command("SELECT count() FROM events") == 0


def test_ping_and_inserts_go_on_while_a_query_runs(client: Any, clickhouse: Endpoint) -> None:
    """A long read holds up neither the loop nor the sink."""
    client.insert("events", ROWS, column_names=COLUMNS)  # the client's first insert imports for seconds
    connection = HTTPConnection(clickhouse.host, clickhouse.port, timeout=30)
    connection.request("POST", "/", "SELECT sleepEachRow(0.1) FROM numbers(30) FORMAT Null")
    assert clickhouse.ready()
    client.insert("events", ROWS, column_names=COLUMNS)
    connection.sock.settimeout(0.01)
    with pytest.raises(TimeoutError):
        connection.sock.recv(1)
    connection.close()


def test_a_web_page_cannot_speak_to_it(clickhouse: Endpoint) -> None:
    """Neither from another origin nor under a rebound name."""
    for headers in ({"Origin": "http://example.org"}, {"Host": "example.org"}):
        connection = HTTPConnection(clickhouse.host, clickhouse.port)
        connection.request("POST", "/", "SELECT 1", headers=headers)
        assert connection.getresponse().status == 403
        connection.close()


def test_an_insert_that_fails_while_it_is_computed_is_not_acknowledged(client: Any) -> None:
    """The engine says of what is streamed to it that it is written, whatever became of it."""
    client.command("CREATE TABLE kept (id UInt64, CONSTRAINT small CHECK id < 5) ENGINE = MergeTree ORDER BY id")
    client.command("CREATE TABLE parts (id UInt64) ENGINE = MergeTree PARTITION BY id ORDER BY id")
    with pytest.raises(DatabaseError, match="VIOLATED_CONSTRAINT"):
        client.insert("kept", [[1], [7]], column_names=["id"])
    with pytest.raises(DatabaseError, match="TOO_MANY_PARTS"):
        client.insert("parts", [[number] for number in range(200)], column_names=["id"])
    client.command("CREATE TABLE marked (id String, CONSTRAINT a CHECK id = 'a') ENGINE = MergeTree ORDER BY id")
    with pytest.raises(DatabaseError, match="VIOLATED_CONSTRAINT"):
        client.raw_insert("marked", insert_block=b"\x05\xff\xfe\x00\x81\x82", fmt="RowBinary")
    client.raw_insert("kept", insert_block=b"1\n2\n", fmt="TSV", settings={"max_insert_block_size": 1})
    client.command("INSERT INTO kept SETTINGS max_insert_block_size = 1 FORMAT TSV", data="3\n4\n")
    held = "SELECT (SELECT groupArray(id) FROM (SELECT id FROM kept ORDER BY id)), (SELECT count() FROM parts)"
    assert client.query(held).result_rows == [([1, 2, 3, 4], 0)]
