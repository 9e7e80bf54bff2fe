"""Decodes many datums of one schema at once, in an engine of the verifier's own, into the bytes of typed columns.

An accelerator: where the embedded engine cannot be had, rows are decoded one by one instead, with the same result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from inzage.schemas.codec import Schema
from inzage.schemas.splice import container, long_bytes, wrapped
from inzage.sinks.verification.row_binary import Column

_LAST = {"name": "inzage_last", "type": "long"}
"""After each datum its number: one that is longer or shorter than its schema says cannot shift its neighbours."""


class Decoder:
    """An embedded engine in memory. One a process; close it."""

    def __init__(self) -> None:
        import chdb

        self._engine: Any = chdb.connect(":memory:")
        self._tables: dict[tuple[str, ...], str] = {}
        try:
            self._engine.query(
                "SET input_format_avro_allow_missing_fields = 1, session_timezone = 'UTC', max_threads = 1,"
                " allow_experimental_nullable_tuple_type = 1"
            )
        except BaseException:
            self._engine.close()
            raise

    @classmethod
    def open(cls) -> Decoder | None:
        """A decoder, None where the engine is not installed or is in use for something else."""
        try:
            return cls()
        except (ImportError, RuntimeError):
            return None

    def close(self) -> None:
        self._engine.close()

    def decode(self, schema: Schema, values: Sequence[bytes], columns: Mapping[str, Column]) -> bytes | None:
        """`columns` of the records `values`, all of `schema`, as RowBinary; None when the engine refuses one."""
        table = self._table(columns)
        last, size = range(len(values)), len(schema.header)
        parts = [
            part for value, number in zip(values, last, strict=True) for part in (value[size:], long_bytes(number))
        ]
        text = wrapped(schema, (), (_LAST,))
        names = ", ".join(f"`{name}`" for name in columns)
        try:
            stream = self._engine.send_insert(f"INSERT INTO {table}", "Avro")
            try:
                stream.append(container(text, parts, len(values)))
                stream.finish()
            finally:
                stream.close()
            aligned = (
                f"SELECT count() = {len(values)} AND countIf(inzage_last != rowNumberInAllBlocks()) = 0 FROM {table}"
            )
            if self._engine.query(aligned, "TSV").bytes().strip() != b"1":
                return None
            found: bytes = self._engine.query(
                f"SELECT {names} FROM {table} ORDER BY inzage_last", "RowBinary"
            ).bytes()
            return found
        except RuntimeError:
            return None
        finally:
            self._engine.query(f"TRUNCATE TABLE {table}")

    def _table(self, columns: Mapping[str, Column]) -> str:
        key = tuple(columns)
        table = self._tables.get(key)
        if table is None:
            table = self._tables[key] = f"decoded_{len(self._tables)}"
            listed = ", ".join(f"`{name}` {column.type}" for name, column in columns.items())
            self._engine.query(f"CREATE TABLE {table} ({listed}, inzage_last Int64) ENGINE = Memory")
        return table
