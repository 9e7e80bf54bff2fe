"""Holds the controllers and what their rows are judged against, and judges: few rows directly, many in ClickHouse.

What was loaded is told to ClickHouse when it judges next, so what is judged directly does not wait for it.
"""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property, partial
from importlib.resources import files
from typing import Any, Protocol

from inzage.schemas.codec import Schema
from inzage.schemas.errors import ConfigError
from inzage.streams.dossier.reference_rows import Tables
from inzage.streams.dossier.versions import PersonDossier
from inzage.streams.screening.batch import MOST_DIRECT, Batch
from inzage.streams.screening.column import UNUSUAL
from inzage.streams.screening.direct import Direct, direct
from inzage.streams.screening.embedded import Embedded, first_line
from inzage.streams.screening.held import Held
from inzage.streams.screening.pack import Policies
from inzage.streams.screening.row import Hit, Row
from inzage.streams.screening.telling import KEYS, Telling, dossier_row, encoded, insert_texts, of_columns, row_text
from inzage.streams.screening.view import WHOSE, Plan, View

Counts = Mapping[str, Sequence[tuple[int, datetime, str]]]
"""Counters: key -> (offset, instant, who received) of each event."""

logger = logging.getLogger(__name__)

_NOT_SEEN = frozenset({"_offset", "_horizon", "_now", "_fact", "hits", "lower", "due", UNUSUAL})


@dataclass
class Controller:
    """What the engine holds for one controller."""

    policies: Policies
    database: str
    view: View
    plan: Plan
    batch: Batch
    held: Held
    telling: Telling
    of_many: bool = False

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

    def forget_dossiers(self, controller: Controller, subjects: Iterable[str]) -> None: ...

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
        self._embedded = Embedded()
        self._databases = itertools.count()

    def close(self) -> None:
        """Close it and remove what it kept."""
        self._embedded.close()

    def restrict(self) -> None:
        """Keep INSERT, SELECT, TRUNCATE and OPTIMIZE on the controllers' tables, and nothing else."""
        self._embedded.restrict()

    def add(self, policies: Policies, *, of_many: bool = False, shown: Sequence[str] | None = None) -> Controller:
        """Make the tables for a controller; raises `ConfigError` when the predicates make none.

        `of_many`: tables that tell apart whose row it is; its number stands before each datum. `shown`: the columns
        that are seen of a hit, in place of those a verdict is made of.
        """
        database = f"screening_{policies.controller_id.lower()}_{next(self._databases)}"
        view = View(database, of_many=of_many)
        plan = view.plan(policies, shown)
        for statement in _state(of_many=of_many).replace("{db}", database).split(";\n"):
            if statement.strip():
                self._query(statement)
        try:
            batch = Batch(self._embedded, database, plan, of_many=of_many)
        except RuntimeError as error:
            raise ConfigError(
                f"pack {policies.pack}: the predicates make no table: {first_line(error)}", code="config.predicate"
            ) from error
        held = Held()
        telling = Telling(self._embedded, database, held, batch.let_go)
        batch.before_computing = telling.tell_persons_read
        return Controller(policies, database, view, plan, batch, held, telling, of_many)

    def check(self, controller: Controller, sql: str, where: str) -> str:
        """The ClickHouse type of a compiled predicate; raises `ConfigError` naming `where` when it has none."""
        columns = ", ".join(column.definition(all_kept=True) for column in controller.plan.judged)
        table = f"{controller.database}.written_out"  # a query reads no column that is not kept
        try:
            self._query(f"CREATE TABLE IF NOT EXISTS {table} ({columns}) ENGINE = Null")
            described = self._query(f"DESCRIBE (SELECT {sql} AS p FROM {table})", "TSV")
        except RuntimeError as error:
            raise ConfigError(f"{where}: {first_line(error)}", code="config.predicate") from error
        return described.decode().split("\t")[1]

    def load_dossiers(self, controller: Controller, dossiers: Iterable[PersonDossier]) -> None:
        """Put the dossiers of persons in place of what was there."""
        for dossier in dossiers:
            controller.held.take_dossier(dossier)

    def tell_dossiers(self, controllers: Sequence[Controller], dossiers: Iterable[PersonDossier]) -> None:
        """Put the dossiers of persons in place of what ClickHouse holds for each of `controllers`.

        They are held nowhere else: for what is judged all at once, and for more persons than are worth holding.
        """
        text = encoded([of_columns(dossier_row(dossier.subject, dossier.versions)) for dossier in dossiers])
        for controller in controllers:
            controller.telling.tell()
            controller.telling.tell_texts({"dossier": [text]})

    def load_counts(self, controller: Controller, seen: Counts) -> None:
        """Put counters in place: key -> (offset, instant, who received) of each event."""
        controller.held.take_counts(seen)

    def load_tables(self, controller: Controller, tables: Tables) -> None:
        """Make the references what `tables` says."""
        controller.held.take_tables(tables)

    def forget_persons(self, controller: Controller) -> None:
        """Empty the dossiers and counters, to begin afresh."""
        controller.held.forget_persons()

    def forget_dossiers(self, controller: Controller, subjects: Iterable[str]) -> None:
        """Hold the dossiers of some persons no more; they are loaded again before somebody speaks of them."""
        controller.held.forget_dossiers(subjects)

    def load_of_many(
        self,
        controller: Controller,
        tables: Mapping[int, Tables],
        persons: Mapping[int, Iterable[PersonDossier]],
        counts: Mapping[int, Counts],
    ) -> None:
        """Put the references, dossiers and counters of many in place of all there was, by their number."""
        texts: dict[str, list[str]] = {name: [] for name in (*KEYS, "dossier", "count")}
        for of, own in tables.items():
            for name, rows in own.items():
                keys = (WHOSE, *KEYS[name])
                texts[name] += [
                    row_text({**dict(zip(keys, (of, *key), strict=True)), **row}) for key, row in rows.items()
                ]
        for of, dossiers in persons.items():
            texts["dossier"] += [
                row_text({WHOSE: of, **dossier_row(dossier.subject, dossier.versions)}) for dossier in dossiers
            ]
        for of, counted in counts.items():
            texts["count"] += [row_text({WHOSE: of, **row}) for row in _count_rows(counted)]
        for name, of_table in texts.items():
            self._query(f"TRUNCATE TABLE {controller.database}.{name}")
            insert_texts(self._embedded, f"{controller.database}.{name}", of_table)

    def judge(self, controller: Controller, schema: Schema, rows: Sequence[Row]) -> tuple[list[Hit], list[Row]]:
        """The hits of `rows`, whose datums were written with `schema`, and the rows that could not be read."""
        if not rows:
            return [], []
        if controller.direct is None:
            return self.judge_at_once(controller, schema, rows)
        few = partial(controller.direct.judge, controller.held)
        if len(rows) > MOST_DIRECT:
            controller.telling.tell()
            return controller.batch.judge(schema, rows, few)
        hits, declined = few(schema, rows)
        if not declined:
            return hits, []
        more_hits, unreadable = self.judge_at_once(controller, schema, declined)
        places = {(row.offset, row.horizon, row.now): place for place, row in enumerate(rows)}
        return sorted(hits + more_hits, key=lambda hit: places[hit.offset, hit.horizon, hit.now]), unreadable

    def judge_at_once(
        self, controller: Controller, schema: Schema, rows: Sequence[Row]
    ) -> tuple[list[Hit], list[Row]]:
        """The same, all in ClickHouse, however few."""
        controller.telling.tell()
        return controller.batch.judge(schema, rows)

    def judge_block(self, controller: Controller, block: bytes, rows: int) -> list[Hit] | None:
        """The same of so many rows that come as columns, those of `Plan.named` in Native format, all at once.

        None when an expression fails on what stands in some of them.
        """
        controller.telling.tell()
        controller.telling.tell_persons()
        return controller.batch.judge_block(block, rows)

    def _query(self, sql: str, form: str = "Null") -> bytes:
        return self._embedded.query(sql, form)


def _state(*, of_many: bool) -> str:
    """The tables beside the batch; of many, each with the number of whose or which it is as its first key."""
    state = files("inzage.streams.screening").joinpath("state.sql").read_text(encoding="utf-8")
    if not of_many:
        return state
    state = re.sub(r"(CREATE TABLE \S+ \()", rf"\1 {WHOSE} Int64,", state)
    return state.replace("Join(ANY, LEFT, ", f"Join(ANY, LEFT, {WHOSE}, ")


def _count_rows(seen: Counts) -> list[dict[str, Any]]:
    return [
        {"key": key, "seen": [{"known": known, "at": at, "who": who} for known, at, who in counted]}
        for key, counted in seen.items()
    ]
