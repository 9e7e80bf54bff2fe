"""Evaluates expressions twice, over a table of awkward values: by ClickHouse and by the closures made of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import sqlglot
from sqlglot.errors import ParseError

from inzage.streams.screening.column_types import Declined, Type, read_type, shown
from inzage.streams.screening.engine import engine
from inzage.streams.screening.expressions import Expression, Unsupported
from inzage.streams.screening.interpreter import Interpreter
from inzage.streams.screening.telling import insert_texts, row_text

_TEXTS = ["", "a", "A", "b", "ab", "é", "aÉb", "UNKNOWN", "a,b", "%", "日a"]
_INSTANTS = [
    *("1970-01-01 00:00:00.000000", "2026-03-28 01:30:00.000000", "2026-03-29 01:00:00.000000"),
    *("2026-02-28 01:30:00.999999", "2026-01-31 23:30:00.000000", "2024-02-29 12:00:00.000001"),
    *("2026-10-25 00:30:00.000000", "2026-10-25 01:30:00.000000", "2026-09-25 00:59:59.999999"),
    *("2025-03-30 00:30:00.000000", "1905-06-30 23:59:59.000000", "2200-01-01 00:00:00.000000"),
    *("1969-12-31 23:59:59.999999", "1943-03-29 00:30:00.000000", "2026-12-31 23:00:00.000000"),
]
_POOLS: dict[str, list[Any]] = {
    "String": _TEXTS,
    "UInt8": [0, 1, 2, 255],
    "Bool": [0, 1],
    "Int64": [0, 1, -1, 2, 255, -3, 1 << 40],
    "UInt16": [0, 1, 300, 65535],
    "Float64": [0.0, 1.0, 1.5, -1.5, 3.999, 70000.25, 1e12],
    "DateTime64(6, 'UTC')": _INSTANTS,
    "Date32": ["1970-01-01", "2024-02-29", "2026-01-31", "1912-12-31", "2199-06-30", "2026-03-29"],
}
COLUMNS = {
    **{"s": "String", "s2": "String", "ns": "Nullable(String)", "u": "UInt8", "nu": "Nullable(UInt8)"},
    **{"b": "Bool", "nb": "Nullable(Bool)", "i": "Int64", "ni": "Nullable(Int64)", "w": "UInt16", "f": "Float64"},
    **{"t": "DateTime64(6, 'UTC')", "t2": "DateTime64(6, 'UTC')", "nt": "Nullable(DateTime64(6, 'UTC'))"},
    **{"d": "Date32", "nd": "Nullable(Date32)", "sa": "Array(String)", "sa2": "Array(String)"},
    **{"sna": "Array(Nullable(String))", "ia": "Array(Int64)", "ina": "Array(Nullable(Int64))"},
    **{
        "ta": "Array(DateTime64(6, 'UTC'))",
        "tna": "Array(Nullable(DateTime64(6, 'UTC')))",
        "m": "Map(String, String)",
    },
    **{"ssa": "Array(Array(String))", "ba": "Array(Bool)"},
    **{"tt": "Array(Tuple(name String, at DateTime64(6, 'UTC'), ok Bool, k Nullable(Int64), tags Array(String)))"},
}
_LITERALS = ("'a'", "'é'", "0", "1", "300", "1.5", "true", "NULL", "[]", "['a', 'b']", "['a', NULL]", "[1, 2]")


def table(random: Random, count: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """`count` rows of every column, as the engine reads them and as closures do."""
    written, own = [], []
    for number in range(count):
        row = {name: _made(kind, random) for name, kind in COLUMNS.items()}
        row["t"] = _INSTANTS[number % len(_INSTANTS)]
        written.append(row)
        own.append({name: _own(read_type(kind), row[name]) for name, kind in COLUMNS.items()})
    return written, own


def _made(kind: str, random: Random) -> Any:
    if kind.startswith("Nullable"):
        return None if random.random() < 0.3 else _made(kind[9:-1], random)
    if kind.startswith("Array"):
        return [_made(kind[6:-1], random) for _ in range(random.choice([0, 1, 2, 2, 3]))]
    if kind.startswith("Map"):
        return {name: random.choice(_TEXTS) for name in random.sample(["a", "b", "é"], random.randint(0, 2))}
    if kind.startswith("Tuple"):
        made = read_type(kind)
        return {name: _made(str(inner), random) for name, inner in zip(made.names, made.inner, strict=True)}
    return random.choice(_POOLS[kind])


def _own(kind: Type, value: Any) -> Any:
    if value is None:
        return kind.default
    if kind.name == "Array":
        return tuple(_own(kind.element, item) for item in value)
    if kind.name == "Tuple":
        return tuple(_own(inner, value[name]) for name, inner in zip(kind.names, kind.inner, strict=True))
    if kind.name == "DateTime64":
        return _micros(value)
    if kind.name == "Date32":
        return _micros(f"{value} 00:00:00.000000") // 86_400_000_000
    return value


def _micros(text: str) -> int:
    since = datetime.fromisoformat(text).replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def expressions() -> Iterator[str]:
    """Every function and operator on every combination of columns and literals."""
    names = [name for name in COLUMNS if name not in ("s2", "t2", "sa2", "tt", "ssa", "m")]
    simple = [*names, *_LITERALS]
    for one in [*simple, "ssa", "m", "tt", "[ssa]", "[t, nt]", "[ta]"]:
        for function in _OF_ONE:
            yield f"{function}({one})"
        yield f"{one} IS NULL"
        yield f"NOT {one}"
        for unit in ("Millisecond", "Second", "Hour", "Day", "Month", "Year"):
            for moment in (
                "t",
                "nt",
                "toTimeZone(t, 'Europe/Brussels')",
                "toTimeZone(nt, 'Europe/Brussels')",
                "d",
                "nd",
            ):
                if one in ("u", "nu", "w", "0", "1", "300", "NULL", "b"):
                    yield f"{moment} + toInterval{unit}({one})"
                    yield f"{moment} - toInterval{unit}({one})"
    for one, other in itertools.product(simple, repeat=2):
        for function in _OF_TWO:
            yield f"{function}({one}, {other})"
        for operator in ("=", "<>", "<", ">=", "AND", "OR", "+", "-"):
            yield f"{one} {operator} {other}"
    for one in simple:
        for literals in ("'a'", "'a', 'é'", "1", "0, 255, 300", "1.5"):
            yield f"{one} IN ({literals})"
            yield f"{one} NOT IN ({literals})"
        for pattern in ("a%", "%", "_", "a_b", "A%", "%é%", "", "日_"):
            yield f"{one} LIKE '{pattern}'"
        for index in ("0", "1", "2", "-1", "-9", "u", "nu", "u + 1"):
            yield f"{one}[{index}]"
    for one, two, three in itertools.product(("u", "nu", "b", "NULL", "nb"), _CHOSEN, _CHOSEN):
        yield f"if({one}, {two}, {three})"
        yield f"multiIf({one}, {two}, nu, {three}, {two})"
        yield f"CASE WHEN {one} THEN {two} WHEN b THEN {three} END"
        yield f"{one} AND {two} OR NOT {three} AND b"
        yield f"coalesce({one}, {two}, {three})"
        yield f"greatest({two}, {three}, {one})"
    for array, body in itertools.product(("sa", "sna", "ia", "ina", "ta", "tna", "ba", "[]", "[1, NULL]"), _BODIES):
        for function in ("arrayExists", "arrayAll", "arrayFilter", "arrayCount", "arrayMap", "arraySum"):
            yield f"{function}(x -> {body}, {array})"
    yield from _OTHERS


def some(random: Random, count: int) -> list[str]:
    """Some of all expressions, and those by the calendar."""
    every = list(expressions())
    return [*random.sample(every, count), *(text for text in every if "Brussels" in text and "toInterval" in text)]


def _written(expression: str, kind: Type) -> str | None:
    """The expression as something that both can show; None when there is no such thing."""
    if kind.name == "DateTime64":
        return f"toTimeZone({expression}, 'UTC')"
    if kind.name == "Date32":
        return f"toDateTime64('2026-01-01 00:00:00', 6, 'UTC') < ({expression})"
    if kind.name == "Float64":
        return f"({expression}) > 1.25"
    try:
        shown(kind)
    except Declined:
        return None
    return expression


class Probe:
    """Compiles and evaluates over rows of the table."""

    def __init__(self) -> None:
        self._columns: dict[str, Expression] = {}
        self._interpreter = Interpreter(self._column, lambda *_: _never(), 1)

    def _column(self, name: str) -> Expression:
        if name not in COLUMNS:
            raise Unsupported(f"column {name}")
        return Expression(read_type(COLUMNS[name]), lambda row: row[0][name])

    def compiled(self, text: str) -> Expression:
        try:
            tree = sqlglot.parse_one(f"SELECT ({text}\n)", read="clickhouse").expressions[0]
        except ParseError as error:
            raise Unsupported("what cannot be parsed") from error
        return self._interpreter.alone(tree)

    def values(self, expression: Expression, rows: Sequence[dict[str, Any]]) -> list[Any]:
        show = shown(expression.type)
        found = []
        for row in rows:
            try:
                found.append(show(expression.run([row, *self._interpreter.blank[1:]])))
            except Declined:
                found.append(Declined)
        return found


def _never() -> Expression:
    raise Unsupported("a table")


def differences(
    texts: Sequence[str], rows: tuple[list[dict[str, Any]], list[dict[str, Any]]]
) -> tuple[int, list[str]]:
    """How many expressions both evaluate, and what they do not agree on."""
    probe, wrong = Probe(), []
    compiled: list[tuple[str, Expression]] = []
    for text in texts:
        try:
            written = _written(text, probe.compiled(text).type)
            if written is not None:
                compiled.append((written, probe.compiled(written)))
        except Unsupported:
            continue
    _load(rows[0])
    for begin in range(0, len(compiled), 300):
        part = compiled[begin : begin + 300]
        for (text, expression), kind, theirs in zip(part, *_by_engine([text for text, _ in part]), strict=True):
            ours = probe.values(expression, rows[1])
            if not kind:
                continue
            if _plainly(kind) != _plainly(str(expression.type)):
                wrong.append(f"{text}: ClickHouse has {kind}, without {expression.type}")
                continue
            for number, (one, other) in enumerate(zip(theirs, ours, strict=True)):
                if other is not Declined and repr(one) != repr(other):
                    wrong.append(f"{text}: ClickHouse {one!r}, without {other!r}, of {rows[0][number]}")
                    break
    return len(compiled), wrong


def _plainly(kind: str) -> str:
    """A type without what shows in no value."""
    return kind.replace("Nullable(Nothing)", "Nothing").replace("`", "").replace("\\", "")


def _load(rows: Sequence[dict[str, Any]]) -> None:
    query = engine()._query
    query("CREATE DATABASE IF NOT EXISTS probe")
    query("DROP TABLE IF EXISTS probe.probe")
    columns = ", ".join(f"`{name}` {kind}" for name, kind in {"n": "UInt32", **COLUMNS}.items())
    query(f"CREATE TABLE probe.probe ({columns}) ENGINE = Memory")
    texts = [row_text({"n": number, **row}) for number, row in enumerate(rows)]
    insert_texts(engine()._embedded, "probe.probe", texts)


def _by_engine(texts: Sequence[str]) -> tuple[list[str], list[list[Any]]]:
    """The type of each expression, and its values by row; empty for what ClickHouse makes no table of."""
    listed = [sqlglot.parse_one(f"SELECT ({text}\n)", read="clickhouse").expressions[0] for text in texts]
    made = [tree.sql(dialect="clickhouse") for tree in listed]
    columns = ", ".join(f"{sql} AS r{number}" for number, sql in enumerate(made))
    lines: list[bytes] = []
    try:
        types = engine()._query(f"DESCRIBE (SELECT {columns} FROM probe.probe)", "TSVRaw").decode().splitlines()
    except RuntimeError:
        types = []
    try:
        if types:
            lines = (
                engine()._query(f"SELECT {columns} FROM probe.probe ORDER BY n", "JSONCompactEachRow").splitlines()
            )
    except RuntimeError as error:
        if len(texts) == 1:
            return [f"throws {error}"[:200]], [[]]
    if not lines:
        if len(texts) == 1:
            return [""], [[]]
        middle = len(texts) // 2
        first, second = _by_engine(texts[:middle]), _by_engine(texts[middle:])
        return first[0] + second[0], first[1] + second[1]
    values = [json.loads(line) for line in lines]
    return [line.split("\t")[1] for line in types], [list(column) for column in zip(*values, strict=True)]


_OF_ONE = (
    *("empty", "notEmpty", "length", "upper", "lower", "isNull", "isNotNull", "arrayFlatten", "arrayMin", "arrayMax"),
    *("arraySort", "arrayUniq", "mapKeys", "toUInt8", "toUInt16", "toUInt32", "toDate32", "coalesce", "not"),
)
_OF_TWO = (
    *("has", "hasAll", "hasAny", "ifNull", "nullIf", "coalesce", "concat", "arrayConcat", "startsWith", "endsWith"),
    *("position", "greatest", "least", "arrayStringConcat", "multiSearchAny", "toTimeZone", "array", "arrayElement"),
)
_CHOSEN = (
    "u",
    "nu",
    "b",
    "nb",
    "NULL",
    "1",
    "0",
    "300",
    "s",
    "ns",
    "t",
    "toTimeZone(nt, 'Europe/Brussels')",
    "sa",
    "[]",
)
_BODIES = (
    *("x", "x = s", "x IN ('a', '')", "x > 0", "NULL", "x IS NULL", "has(sa, x)", "x = ns", "ifNull(x, 0)", "x < t"),
    *(
        "NOT x",
        "[x]",
        "concat(x, s)",
        "arrayExists(y -> y = x, sna)",
        "nu",
        "if(x = s, NULL, u)",
        "x + toIntervalDay(u)",
    ),
)
_OTHERS = (
    *("arrayExists(x -> x.at <= t AND x.ok, tt)", "arrayFilter(x -> x.k > 0, tt)[1].name", "tt[1].k", "tt[2].at"),
    *("arrayMap(x -> x.tags, tt)", "arrayFlatten(arrayMap(x -> x.tags, tt))", "arrayMax(arrayMap(x -> x.at, tt))"),
    *("arrayExists(x -> arrayExists(y -> y = x.name, sa), tt)", "arrayAll(x -> x.k IS NULL, tt)", "tt[u].tags[1]"),
    *("arrayMin(arrayMap(x -> arrayMax(arrayMap(y -> length(y), x.tags)), tt))", "length(tt)", "empty(tt)"),
    *("toDate32(toTimeZone(t, 'Europe/Brussels')) >= d + toIntervalYear(if(u = 0, 18, u))", "d < t", "nt >= nd"),
    *(
        "ifNull(s IN ('a'), 0) OR NOT (ns = 'a')",
        "NOT ns IN ('a', 'b')",
        "[1, 0, 2][u + 1]",
        "concat(s, '|', ns, s2)",
    ),
    *("t > toDateTime64('2026-03-29 01:00:00', 6, 'UTC')", "arrayStringConcat(arraySort(sa), ',')", "s = upper(s2)"),
    *("coalesce(nt, toTimeZone(t, 'Europe/Brussels')) + toIntervalDay(u)", "and(u, nb, b)", "or(nu, nb)", "not(nb)"),
    *("if(b, toTimeZone(t, 'Europe/Brussels'), t2) + toIntervalMonth(u)", "greatest(nt, t, t2)", "least(ns, s, s2)"),
    *(
        "i + ni - u",
        "w + w - i",
        "u - w + 5",
        "f + u",
        "f - 1.5 > u",
        "arraySum(x -> x + 1, ia)",
        "f < ni",
        "(u AND s = 'a')",
    ),
    *("nu <> 1 AND (ni > 3 OR NOT b)", "if(empty(sa), NULL, hasAll(sa2, sa))", "multiSearchAny(s, ['a', 'é'])"),
)
