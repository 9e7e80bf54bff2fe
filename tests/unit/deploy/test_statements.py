"""A statement is recognised before the engine sees it, and none reaches the machine's files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inzage.deploy.local.clickhouse.replies import QueryError
from inzage.deploy.local.clickhouse.statements import read_insert, read_statement, refuse_files


@pytest.mark.parametrize(
    ("text", "head", "format_name", "data"),
    [
        (b"INSERT INTO t FORMAT Native\n\x01\x02", "INSERT INTO t ", "Native", b"\x01\x02"),
        (
            b"insert into d.t (a, `FORMAT`) format CSV \n1,2\n",
            "insert into d.t (a, `FORMAT`) ",
            "CSV",
            b"1,2\n",
        ),
        (b"/* x */ INSERT INTO t SETTINGS a='FORMAT b' FORMAT Avro\nObj", None, "Avro", b"Obj"),
        (b"INSERT INTO t FORMAT Avro\n", "INSERT INTO t ", "Avro", b""),
        (b"INSERT INTO t FORMAT JSONEachRow {}", "INSERT INTO t ", "JSONEachRow", b"{}"),
        (b"INSERT INTO t FORMAT RawBLOB\n\n;file(", "INSERT INTO t ", "RawBLOB", b"\n;file("),
    ],
)
def test_insert_is_split_from_its_data(text: bytes, head: str | None, format_name: str, data: bytes) -> None:
    insert = read_insert(text)
    assert insert is not None
    assert insert.format == format_name
    assert text[insert.data_offset :] == data
    if head is not None:
        assert insert.head == head


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1 FORMAT CSV\n",
        b"INSERT INTO t SELECT 1 FORMAT CSV",
        b"INSERT INTO t VALUES (1)",
        b"INSERT INTO t FORMAT Values (1)",
        b"INSERT INTO t (a) WITH 1 AS x SELECT x",
        b"",
    ],
)
def test_other_statements_carry_no_data(text: bytes) -> None:
    assert read_insert(text) is None


@pytest.mark.parametrize(
    ("text", "keyword", "format_name", "body"),
    [
        (b"select 1", "SELECT", None, b"select 1"),
        (b"SELECT 1 FORMAT JSON ;", "SELECT", "JSON", b"SELECT 1 "),
        (b"-- FORMAT x\nWITH 1 AS a SELECT a;", "WITH", None, b"-- FORMAT x\nWITH 1 AS a SELECT a"),
        (b"(SELECT ' FORMAT CSV')", "SELECT", None, b"(SELECT ' FORMAT CSV')"),
        (b"INSERT INTO t VALUES (1)", "INSERT", None, b"INSERT INTO t VALUES (1)"),
    ],
)
def test_kind_and_format_of_a_statement(text: bytes, keyword: str, format_name: str, body: bytes) -> None:
    statement = read_statement(text)
    assert (statement.keyword, statement.format) == (keyword, format_name)
    assert text[: statement.body_end] == body


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT file('/etc/hostname')",
        b"SELECT `file`('/etc/hostname')",
        b"SELECT `f\\x69le`('/etc/hostname')",
        b"SELECT * APPLY(file) FROM (SELECT '/etc/hostname')",
        b"SELECT arrayMap(file, ['/etc/hostname'])",
        b"SELECT 1 INTO OUTFILE '/tmp/x'",
        b"insert into t from infile '/etc/hostname' format RawBLOB",
        b"SELECT /* /* */ ' */ file('/etc/hostname') --'",
        b"SELECT $$'$$, file('/etc/hostname') --'",
        "SELECT ‘'’, file('/etc/hostname') --'".encode(),
        b"INSERT INTO t FORMAT Values (file('/etc/hostname'))",
    ],
)
def test_files_of_the_machine_are_refused(text: bytes) -> None:
    with pytest.raises(QueryError) as refused:
        read_statement(text)
    assert refused.value.number == 497


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 'file', filesystem, profile FROM t WHERE x = 'a file('",
        b"SELECT 1 -- no file here",
        b"SELECT 'it''s a \\'file\\'' AS \"name\"",
    ],
)
def test_the_word_as_data_is_no_reason_to_refuse(text: bytes) -> None:
    refuse_files(text)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(text: bytes) -> None:
    """Whatever is sent, reading it ends in an answer."""
    try:
        read_insert(text)
        read_statement(text)
    except (QueryError, UnicodeDecodeError):
        pass


@pytest.mark.parametrize(
    "text",
    [b"SELECT 1", b"-- it's one; or two\n with 1 as x SELECT x", b"/* a; b */ SELECT {x:String} FORMAT Native"],
)
def test_a_select_leaves_a_connection_as_it_was(text: bytes) -> None:
    assert read_statement(text).selects


@pytest.mark.parametrize(
    "text",
    [
        b"SET ROLE inzage_sink",
        b"USE other",
        b"SHOW TABLES",
        b"EXPLAIN SELECT 1",
        b"(SELECT 1)",
        b"INSERT INTO t SELECT 1",
        b"'a' SELECT 1",
        b"SELECT $x$'$x$, '",
        "SELECT \u2018'\u2019, '".encode(),
        b"",
    ],
)
def test_of_nothing_else_that_is_claimed(text: bytes) -> None:
    """Nor of a SELECT that ClickHouse's lexer may read differently."""
    assert not read_statement(text).selects


@pytest.mark.parametrize("text", [b"/* /* */ SELECT */ SET ROLE inzage_sink", b"SELECT 1 /* /* */ , */ + 1"])
def test_a_comment_within_a_comment_hides_no_statement(text: bytes) -> None:
    """ClickHouse ends it with the last of as many ends: the first of these takes a role there."""
    with pytest.raises(QueryError):
        read_statement(text)


def test_what_only_looks_like_a_comment_within_a_comment_is_read() -> None:
    assert read_statement(b"SELECT '/* /* */', 1 -- /* /*\n").keyword == "SELECT"
