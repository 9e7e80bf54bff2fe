"""Runs the policies: an embedded ClickHouse, one database a controller, one INSERT and one SELECT a batch.

A batch of Avro datums goes in as one spliced container; the table computes everything else. A datum that cannot be
read fails its whole block, so the block is halved until the culprit is alone and the rest is judged. Each datum is
followed by a number that nobody outside knows: one with bytes too many or too few cannot pass for its neighbour, nor
bring the end along.
After set-up `restrict()` leaves the engine no more than INSERT, SELECT and TRUNCATE on its own tables. That is the
second guard: it refuses table functions and DDL, but not the scalar `file()`, so the first one, predicate.py, must
hold (docs/adr/0005-guards-around-predicates.md).
"""

from __future__ import annotations

import atexit
import itertools
import json
import logging
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, cast

import chdb

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ConfigError, InzageError
from inzage.schemas.splice import bytes_bytes, container, long_bytes, wrapped
from inzage.streams.dossier.reference_rows import Key, Tables
from inzage.streams.dossier.registers import REGISTERS
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.direct import Direct, direct
from inzage.streams.screening.held import Held
from inzage.streams.screening.pack import Policies
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.view import WHOSE, Plan, Stage, View

Counts = Mapping[str, Sequence[tuple[int, datetime, str]]]
"""Counters: key -> (offset, instant, who received) of each event."""

logger = logging.getLogger(__name__)

MOST_DIRECT = 500
"""Rows that are judged one by one. Measured: 0.3 to 0.4 ms each, against 0.4 to 0.5 s for a batch of the engine."""

_NOT_SEEN = frozenset({"_offset", "_horizon", "_now", "_fact", "hits", "lower", "due"})
_BEFORE = (
    {"name": "_offset", "type": "long"},
    {"name": "_time", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "_horizon", "type": "long"},
    {"name": "_now", "type": {"type": "long", "logicalType": "timestamp-micros"}},
    {"name": "_fact", "type": "string"},
)
_BEFORE_OF_MANY = (*_BEFORE, {"name": WHOSE, "type": "long"})
_AFTER = ({"name": "_end", "type": "long"},)
_KEYS = {
    "org": ("org_id",),
    "matrix": ("org_id", "role", "purpose"),
    "template": ("plan", "purpose"),
    "classification": ("key",),
    "consent_rule": ("key",),
    "interest": ("purpose",),
    "international_agreement": ("ref",),
    "country": ("code",),
    "setting": ("name",),
    "registry": ("name",),
    **{register.table: register.columns for register in REGISTERS.values()},
}


@dataclass
class Controller:
    """What the engine holds for one controller."""

    policies: Policies
    database: str
    view: View
    plan: Plan
    moves: tuple[str, ...]
    of_many: bool = False
    held: Held = field(default_factory=Held)
    told: dict[str, dict[Key, str]] = field(default_factory=dict)
    """The rows of references that the engine was told, as it was told them."""
    told_tables: Tables | None = None

    @cached_property
    def direct(self) -> Direct | None:
        """The policies for few rows; None when only the engine evaluates them: it alone tells apart rows of many."""
        if self.of_many:
            return None
        columns = self.plan.columns
        try:
            return direct(self.view, self.policies, [name for name in columns if name not in _NOT_SEEN])
        except ConfigError as error:
            logger.warning("pack %s: every event goes to ClickHouse: %s", self.policies.pack, error)
            return None


class Judging(Protocol):
    """What a screening needs: the engine itself, or a seat at one that many share (together.py)."""

    def add(self, policies: Policies) -> Controller: ...

    def forget_persons(self, controller: Controller) -> None: ...

    def load_dossiers(self, controller: Controller, dossiers: Iterable[PersonDossier]) -> None: ...

    def load_counts(self, controller: Controller, seen: Counts) -> None: ...

    def load_tables(self, controller: Controller, tables: Tables) -> None: ...

    def judge(self, controller: Controller, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]: ...


@cache
def engine() -> Engine:
    """The engine of this process: there can be only one."""
    return Engine()


class Engine:
    """The embedded ClickHouse with the tables of all controllers it was given."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # noqa: S108  # a private folder is made in it: batches never touch a disk
        self._folder = Path(tempfile.mkdtemp(prefix="inzage-", dir=memory if memory.is_dir() else None))
        self._folder.chmod(0o700)
        self._batch = self._folder / "batch"
        self._databases = itertools.count()
        self._owner = os.getpid()
        self._end = secrets.randbits(62)
        self._end_bytes = long_bytes(self._end)
        atexit.register(self.close)
        self._connection: Any = chdb.connect(f"{self._folder}/data")
        self._settle()

    def close(self) -> None:
        """Close the engine and remove what it kept; only the process that opened it does."""
        if self._owner == os.getpid():
            self._connection.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def restrict(self) -> None:
        """Keep INSERT, SELECT and TRUNCATE on the controllers' tables, and nothing else."""
        self._connection.close()
        users = files("inzage.streams.screening").joinpath("users.xml").read_text(encoding="utf-8")
        (self._folder / "users.xml").write_text(users, encoding="utf-8")
        config = f"<clickhouse><users_config>{self._folder}/users.xml</users_config></clickhouse>"
        (self._folder / "config.xml").write_text(config, encoding="utf-8")
        self._connection = chdb.connect(f"{self._folder}/data?config-file={self._folder}/config.xml")
        self._settle()

    def _settle(self) -> None:
        """One thread, and no compilation of expressions: a batch is too short for either to pay (measured).

        UTC whatever the machine's zone: a verdict must not depend on where it was made.
        """
        self._query(
            "SET max_threads = 1, max_insert_threads = 1, compile_expressions = 0, "
            "input_format_parallel_parsing = 0, input_format_avro_allow_missing_fields = 1, session_timezone = 'UTC'"
        )

    def add(self, policies: Policies, *, of_many: bool = False) -> Controller:
        """Make the tables for a controller; raises `ConfigError` when the predicates make none.

        `of_many`: tables that tell apart whose row it is; its number stands before each datum.
        """
        database = f"screening_{policies.controller_id.lower()}_{next(self._databases)}"
        view = View(database, of_many=of_many)
        plan = view.plan(policies)
        for statement in _state(of_many=of_many).replace("{db}", database).split(";\n"):
            if statement.strip():
                self._query(statement)
        try:
            moves = [self._create(database, stage, before) for stage, before in _pairs(plan.stages)]
        except RuntimeError as error:
            raise ConfigError(
                f"pack {policies.pack}: the predicates make no table: {_first_line(error)}", code="config.predicate"
            ) from error
        return Controller(policies, database, view, plan, tuple(moves[1:]), of_many)

    def _create(self, database: str, stage: Stage, before: Stage | None) -> str:
        """Create the table of a stage; the statement that fills it from the one before."""
        carried: list[str] = []
        if before is not None:
            asked = f"SELECT name, type FROM system.columns WHERE database = '{database}' AND table = '{before.name}'"
            lines = self._query(asked, "JSONCompactEachRow").splitlines()
            types = {f"`{name}`": kind for name, kind in map(json.loads, lines)}
            carried = [f"{name} {types[name]}" for name in stage.carried]
        columns = ",\n  ".join((*carried, *stage.own))
        self._query(f"CREATE TABLE {database}.{stage.name} (\n  {columns}\n) ENGINE = Memory")
        names = ", ".join(stage.carried)
        into = f"INSERT INTO {database}.{stage.name} ({names})"
        return f"{into} SELECT {names} FROM {database}.{before.name}" if before else ""

    def check(self, controller: Controller, sql: str, where: str) -> str:
        """The ClickHouse type of a compiled predicate; raises `ConfigError` naming `where` when it has none."""
        last = controller.plan.stages[-1].name
        try:
            described = self._query(f"DESCRIBE (SELECT {sql} AS p FROM {controller.database}.{last})", "TSV")
        except RuntimeError as error:
            raise ConfigError(f"{where}: {_first_line(error)}", code="config.predicate") from error
        return described.decode().split("\t")[1]

    def load_dossiers(self, controller: Controller, dossiers: Iterable[PersonDossier]) -> None:
        """Put the dossiers of persons in place of what was there."""
        for dossier in dossiers:
            controller.held.take_dossier(dossier)

    def load_counts(self, controller: Controller, seen: Counts) -> None:
        """Put counters in place: key -> (offset, instant, who received) of each event."""
        controller.held.take_counts(seen)

    def load_tables(self, controller: Controller, tables: Tables) -> None:
        """Make the references what `tables` says."""
        controller.held.take_tables(tables)

    def forget_persons(self, controller: Controller) -> None:
        """Empty the dossiers and counters, to begin afresh."""
        controller.held.forget_persons()

    def load_of_many(
        self,
        controller: Controller,
        tables: Mapping[int, Tables],
        persons: Mapping[int, Iterable[PersonDossier]],
        counts: Mapping[int, Counts],
    ) -> None:
        """Put the references, dossiers and counters of many in place of all there was, by their number."""
        texts: dict[str, list[str]] = {name: [] for name in (*_KEYS, "dossier", "count")}
        for of, own in tables.items():
            for name, rows in own.items():
                keys = (WHOSE, *_KEYS[name])
                texts[name] += [
                    _text({**dict(zip(keys, (of, *key), strict=True)), **row}) for key, row in rows.items()
                ]
        for of, dossiers in persons.items():
            texts["dossier"] += [_text({WHOSE: of, **_dossier_row(dossier)}) for dossier in dossiers]
        for of, counted in counts.items():
            texts["count"] += [_text({WHOSE: of, **row}) for row in _count_rows(counted)]
        for name, of_table in texts.items():
            self._query(f"TRUNCATE TABLE {controller.database}.{name}")
            self._insert_texts(f"{controller.database}.{name}", of_table)

    def judge(self, controller: Controller, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """The hits of `rows`, whose datums were written with `schema`, and the rows that could not be read."""
        if not rows:
            return [], []
        if len(rows) > MOST_DIRECT or controller.direct is None:
            return self.judge_at_once(controller, schema, rows)
        hits, declined = controller.direct.judge(controller.held, schema, rows)
        if not declined:
            return hits, []
        more_hits, unreadable = self.judge_at_once(controller, schema, declined)
        places = {(row.offset, row.horizon, row.now): place for place, row in enumerate(rows)}
        return sorted(hits + more_hits, key=lambda hit: places[hit.offset, hit.horizon, hit.now]), unreadable

    def judge_at_once(
        self, controller: Controller, schema: Schema, rows: Sequence[Row]
    ) -> tuple[list[Hit], list[Row]]:
        """The same, all in one batch of ClickHouse, however few."""
        self._tell(controller)
        if self._fill(controller, schema, rows):
            with suppress(UnicodeDecodeError):  # text in no encoding is no text: such a datum cannot be read
                return self._found(controller), []
        if len(rows) == 1:
            return [], list(rows)
        middle = len(rows) // 2
        hits, unreadable = self.judge(controller, schema, rows[:middle])
        more_hits, more_unreadable = self.judge(controller, schema, rows[middle:])
        return hits + more_hits, unreadable + more_unreadable

    def _tell(self, controller: Controller) -> None:
        """Write what was loaded since the engine judged last: the last row of a key wins."""
        held, database = controller.held, controller.database
        if held.begun_afresh:
            self._query(f"TRUNCATE TABLE {database}.dossier")
            self._query(f"TRUNCATE TABLE {database}.count")
            held.begun_afresh = False
        self._insert_rows(f"{database}.dossier", map(_dossier_row, held.untold_persons.values()))
        untold = [{"key": key, "seen": held.counts[key]} for key in sorted(held.untold_counts)]
        self._insert_rows(f"{database}.count", untold)
        held.untold_persons.clear()
        held.untold_counts.clear()
        self._tell_tables(controller)

    def _tell_tables(self, controller: Controller) -> None:
        """Write the references; only rows that differ from what was told."""
        tables = controller.held.tables
        if controller.told_tables is tables:
            return
        controller.told_tables = tables
        for name, rows in tables.items():
            told = controller.told.setdefault(name, {})
            texts = {key: _text({**dict(zip(_KEYS[name], key, strict=True)), **row}) for key, row in rows.items()}
            gone = {key: _text(dict(zip(_KEYS[name], key, strict=True))) for key in told if key not in rows}
            changed = [text for key, text in {**texts, **gone}.items() if told.get(key) != text]
            self._insert_texts(f"{controller.database}.{name}", changed)
            controller.told[name] = {**texts, **gone}

    def _fill(self, controller: Controller, schema: Schema, rows: Sequence[Row]) -> bool:
        """Insert `rows`; False when some datum among them cannot be read."""
        tables = [f"{controller.database}.{stage.name}" for stage in controller.plan.stages]
        for table in tables:
            self._query(f"TRUNCATE TABLE {table}")
        parts: list[bytes] = []
        times: dict[int, bytes] = {}
        for offset, known_at, datum, fact, horizon, now in rows:
            place = long_bytes(offset)
            time = times.get(known_at) or times.setdefault(known_at, long_bytes(known_at * 1000))
            seen = place if horizon == offset else long_bytes(horizon)
            clock = time if now == known_at else long_bytes(now * 1000)
            kind = bytes_bytes(fact.encode()) if fact else b"\x00"
            parts += (place, time, seen, clock, kind, datum, self._end_bytes)
        insert = self._connection.send_insert(f"INSERT INTO {tables[0]}", "Avro")
        try:
            insert.append(container(_wrapper(schema, controller.of_many), parts, len(rows)))
            insert.finish()
        except RuntimeError as error:
            if not _is_about_data(error):
                raise InzageError(f"the engine failed: {_first_line(error)}", code="engine") from None
            return False
        finally:
            insert.close()
        count, aligned = self._query(f"SELECT count(), countIf(_end = {self._end}) FROM {tables[0]}", "TSV").split()
        return int(count) == int(aligned) == len(rows)

    def _found(self, controller: Controller) -> list[Hit]:
        for move in controller.moves:
            self._query(move)
        columns = controller.plan.columns
        hits = []
        for line in self._query(controller.plan.found, "JSONCompactEachRow").splitlines():
            seen = dict(zip(columns, json.loads(line), strict=True))
            codes = tuple((code >> 2, code & 3) for code in seen.pop("hits"))
            lower = frozenset(seen.pop("lower"))
            due = tuple(sorted(map(int, seen.pop("due"))))
            place = int(seen.pop("_offset")), int(seen.pop("_horizon")), int(seen.pop("_now"))
            hits.append(Hit(*place, seen.pop("_fact"), codes, lower, seen, due))
        return hits

    def _insert_rows(self, table: str, rows: Iterable[Mapping[str, Any]]) -> None:
        self._insert_texts(table, [_text(row) for row in rows])

    def _insert_texts(self, table: str, texts: Sequence[str]) -> None:
        if texts:
            self._batch.write_text("\n".join(texts), encoding="utf-8")
            self._query(f"INSERT INTO {table} FROM INFILE '{self._batch}' FORMAT JSONEachRow")

    def _query(self, sql: str, form: str = "Null") -> bytes:
        return cast("bytes", self._connection.query(sql, form).bytes())


def _pairs(stages: Sequence[Stage]) -> list[tuple[Stage, Stage | None]]:
    return list(zip(stages, (None, *stages), strict=False))


def _state(*, of_many: bool) -> str:
    """The tables beside the batch; of many, each with the number of whose or which it is as its first key."""
    state = files("inzage.streams.screening").joinpath("state.sql").read_text(encoding="utf-8")
    if not of_many:
        return state
    state = re.sub(r"(CREATE TABLE \S+ \()", rf"\1 {WHOSE} Int64,", state)
    return state.replace("Join(ANY, LEFT, ", f"Join(ANY, LEFT, {WHOSE}, ")


@cache
def _wrapper(schema: Schema, of_many: bool) -> str:  # the key of a cache
    return wrapped(schema, _BEFORE_OF_MANY if of_many else _BEFORE, _AFTER)


def _dossier_row(dossier: PersonDossier) -> dict[str, Any]:
    return {"subject": dossier.subject, **dossier.versions}


def _count_rows(seen: Counts) -> list[dict[str, Any]]:
    return [
        {"key": key, "seen": [{"known": known, "at": at, "who": who} for known, at, who in counted]}
        for key, counted in seen.items()
    ]


def _text(row: Mapping[str, Any]) -> str:
    return json.dumps(_plain(row), ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items() if name != "fact_ids"}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value.strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value


def _first_line(error: Exception) -> str:
    return str(error).split("\n")[0].removeprefix("Code: ")[:300]


def _is_about_data(error: Exception) -> bool:
    """Whether ClickHouse could not read the block; anything else is not the datum's fault."""
    text = str(error)
    return any(
        word in text for word in ("INCORRECT_DATA", "AVRO", "Avro", "CANNOT_", "ATTEMPT_TO_READ", "EOF", "avro")
    )
