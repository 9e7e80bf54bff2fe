"""Makes the tables a batch goes through: the event's columns as raw Avro leaves, everything else computed.

The policies are the tables' definition: derived columns are MATERIALIZED expressions, a batch is one INSERT from
Avro and one from stage to stage, and what was found is one SELECT. Only the leaves and derived columns that some
policy needs are declared: Avro fields that nobody names are skipped without being decoded. ClickHouse puts the text
of a MATERIALIZED column in place of its name, so what rests on much goes to a later stage, where it is a column.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml

from inzage.schemas.errors import ConfigError
from inzage.schemas.revealing import revealing_fields
from inzage.streams.dossier.kinds import FAMILIES, NAMED_BY
from inzage.streams.dossier.registers import BY_TABLE
from inzage.streams.dossier.time import FAR
from inzage.streams.screening.event_fields import leaves
from inzage.streams.screening.pack import LOOK, Policies, Rule
from inzage.streams.screening.predicate import Compiled, Scope, compile_predicate

OK, VIOLATION, NOT_EVALUABLE, WARNING = 0, 1, 2, 3
"""Codes of a policy's result in the hits of a row; a hit is `4 * position + code`, a position in `Policies.rules`."""

_SHOWN = (
    *(
        "event_id",
        "event_type",
        "subject.pseudonym",
        "occurred_at",
        "org_key",
        "destination",
        "actor.org_id",
        "actor.role",
    ),
    *("purpose", "plan", "instrument", "third_party", "has_transfer", "counted_as", "receiver"),
)
_MOST_TEXT = 2_500  # characters; measured: fewer stages cost longer texts, more stages each their own analysis
WHOSE = "_of"
"""Column of a row of many: the number under which its dossiers, counters and references are looked up."""

_FIXED = ("`_offset`", "`_time`", "`_horizon`", "`_now`", "`_fact`", "`_end`")
_MILLIS = "x -> intDiv(toUnixTimestamp64Micro(toDateTime64(x, 6, 'UTC')) + 999, 1000)"
_FAR_MILLIS = int(FAR.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived column as written."""

    name: str
    sql: str
    doc: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One table of the way. `own` are its column definitions; `carried` the columns it takes from the one before."""

    name: str
    own: tuple[str, ...]
    carried: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """The tables of one controller, and the query that tells what was found in the last."""

    stages: tuple[Stage, ...]
    found: str
    columns: tuple[str, ...]
    by_clock: tuple[str, ...]
    """Entries that look at the clock and do not say when (`due`): time alone may change their results whenever."""


@cache
def derived_columns() -> Mapping[str, Derived]:
    """The derived columns of view.yaml."""
    text = files("inzage.streams.screening").joinpath("view.yaml").read_text(encoding="utf-8")
    return {name: Derived(name, sql, doc) for name, (sql, doc) in yaml.safe_load(text).items()}


class View:
    """The view of one controller's policies in database `database`.

    `of_many`: rows of many tell apart whose they are, and every lookup has that for its first key (together.py).
    """

    def __init__(self, database: str, *, of_many: bool = False) -> None:
        self._database = database
        self._apart = (WHOSE,) if of_many else ()
        self._whose = f"`{WHOSE}`, " if of_many else ""
        self._physical = {name: leaf.sql for name, leaf in leaves().items()}
        self._physical |= {name: f"`d_{name}`" for name in derived_columns()}
        self._physical |= {"known_at": "`_time`", "now": "`_now`"}
        self._enums = {name: leaf.enum for name, leaf in leaves().items() if leaf.enum}
        self._enums |= {"recipient_category": "Recipient", "registered_category": "Recipient"}
        self._enums |= {
            "instrument": "TransferInstrument",
            "consulted": "RegisterType",
            "supplied_by": "SourceType",
            "requested": "RequestType",
            "record_state": "RecordState",
        }
        encrypted = frozenset(revealing_fields("activity"))
        self.scope = Scope(self._physical, self._enums, encrypted=encrypted)
        inner = {f"dossier_{family}": f"`dossier_{family}`" for family in FAMILIES}
        inner |= {name: f"`{name}`" for name in ("_offset", *self._apart)}
        self._inner = Scope(self._physical | inner, self._enums, trusted=True, encrypted=encrypted)
        self._compiled: dict[str, Compiled] = {}
        self._columns: dict[str, Compiled] = {}

    def compile(self, text: str, where: str) -> Compiled:
        """Check and compile the SQL of a policy."""
        if text not in self._compiled:
            self._compiled[text] = compile_predicate(text, self.scope, where=where)
        return self._compiled[text]

    def column(self, name: str) -> Compiled:
        """Check and compile the SQL of a derived column."""
        if name not in self._columns:
            self._columns[name] = compile_predicate(self._resolved(name), self._inner, where=f"view column {name}")
        return self._columns[name]

    def physical(self, name: str) -> str:
        """The column of the engine that has what a policy calls `name`."""
        return self._physical.get(name, name).strip("`")

    @property
    def names(self) -> list[str]:
        """Every name a policy may use."""
        return sorted(self._physical)

    def plan(self, policies: Policies) -> Plan:
        """The tables that judge a batch by `policies`."""
        rules = policies.rules
        results = [self._result(policies, rule) for rule in rules]
        lesser = {
            position: self.compile(entry.lower_severity.when, f"{entry.id}.lower_severity")
            for position, entry in enumerate(policies.entries)
            if entry.lower_severity
        }
        due = [self._due(policies, rule) for rule in rules]
        reads = {name for compiled in (*results, *lesser.values(), *due) for name in compiled.reads}
        shown = _shown(policies)
        computed = self._computed({*reads, *shown})
        by_clock = tuple(
            rule.entry.id
            for rule, result in zip(rules, results, strict=True)
            if not rule.due and _looks_at_clock(result.reads, computed)
        )
        lower = ", ".join(f"if({compiled.sql}, {position}, -1)" for position, compiled in lesser.items())
        select = ", ".join(
            self._column(name) for name in ("_offset", "_horizon", "_now", "_fact", *self._apart, *shown)
        )
        stages = self._stages(computed, {*reads, *shown})
        found = (
            f"SELECT {select}, {_hits(rules, results)} AS hits, [{lower}] AS lower, {_instants(rules, due)} AS due "
            f"FROM {self._database}.{stages[-1].name} "
            f"WHERE notEmpty(hits) OR notEmpty({self._column('counted_as')}) OR notEmpty(due)"
        )
        columns = ("_offset", "_horizon", "_now", "_fact", *self._apart, *shown, "hits", "lower", "due")
        return Plan(stages, found, columns, by_clock)

    def _stages(self, computed: Mapping[str, Compiled], shown: set[str]) -> tuple[Stage, ...]:
        """The columns cut into stages, none of which has to spell out more than `_MOST_TEXT` for one of them."""
        stage: dict[str, int] = {}
        text: dict[str, int] = {}
        for name, compiled in computed.items():
            number = max((stage[read] for read in compiled.reads if read in stage), default=0)
            beneath = sum(text[read] for read in compiled.reads if stage.get(read) == number)
            if beneath and beneath + len(compiled.sql) > _MOST_TEXT:
                number, beneath = number + 1, 0
            stage[name], text[name] = number, beneath + len(compiled.sql)
        last = max(stage.values())
        stages = []
        for number in range(last + 1):
            own = [f"`d_{name}` MATERIALIZED {computed[name].sql}" for name in computed if stage[name] == number]
            if number == 0:
                stages.append(Stage("stage_0", (*self._raw(computed, shown), *own), ()))
                continue
            later = {read for name in computed if stage[name] >= number for read in computed[name].reads} | shown
            carried = sorted({self._column(name) for name in later if stage.get(name, 0) < number})
            fixed = (*_FIXED, *(f"`{name}`" for name in self._apart))
            stages.append(Stage(f"stage_{number}", tuple(own), (*fixed, *(c for c in carried if c not in fixed))))
        return tuple(stages)

    def _raw(self, computed: Mapping[str, Compiled], shown: set[str]) -> list[str]:
        """What comes from Avro, with UNKNOWN as NULL, and the dossier as known at the event."""
        read = {name for compiled in computed.values() for name in compiled.reads} | shown
        event = [leaves()[name] for name in sorted(read) if name in leaves()]
        columns = [
            "`_offset` Int64",
            "`_time` DateTime64(6, 'UTC')",
            "`_horizon` Int64",
            "`_now` DateTime64(6, 'UTC')",
        ]
        columns += ["`_fact` String", "`_end` Int64", *(f"`{name}` Int64" for name in self._apart)]
        columns += [f"`{leaf.path}` {leaf.type}" for leaf in event]
        columns += [
            f"`e_{leaf.name}` MATERIALIZED nullIf(`{leaf.path}`, 'UNKNOWN')" for leaf in event if leaf.is_symbol
        ]
        families = sorted(name for name in read if name.startswith("dossier_"))
        return columns + [f"`{family}` MATERIALIZED {self._known(family)}" for family in families]

    def _column(self, name: str) -> str:
        if name == "_now":
            return "toUnixTimestamp64Milli(`_now`)"
        return self._physical.get(name, f"`{name}`")

    def _result(self, policies: Policies, rule: Rule) -> Compiled:
        where = f"pack {policies.pack_of[rule.entry.id].pack}, entry {rule.entry.id}"
        violated = self.compile(rule.violated_when, where)
        sql = f"ifNull(toUInt8({violated.sql}), {NOT_EVALUABLE})"
        if rule.warned_when is None:
            return Compiled(sql, violated.reads)
        warned = self.compile(rule.warned_when, f"{where}, warned_when")
        both = f"if({sql} = {OK} AND ifNull({warned.sql}, 0), {WARNING}, {sql})"
        return Compiled(both, violated.reads | warned.reads)

    def _due(self, policies: Policies, rule: Rule) -> Compiled:
        """The instants of a rule as one array, in milliseconds since 1970: the first at or after each."""
        where = f"pack {policies.pack_of[rule.entry.id].pack}, entry {rule.entry.id}, due"
        instants = [self.compile(text, where) for text in rule.due]
        sql = ", ".join(f"arrayMap({_MILLIS}, arrayFlatten([{one.sql}]))" for one in instants)
        return Compiled(sql, frozenset(name for one in instants for name in one.reads))

    def _computed(self, wanted: Iterable[str]) -> dict[str, Compiled]:
        """Derived columns that `wanted` needs, each after those it reads."""
        done: dict[str, Compiled] = {}

        def add(name: str, above: tuple[str, ...]) -> None:
            if name in done or name not in derived_columns():
                return
            if name in above:
                raise ConfigError(f"view column {name} rests on itself", code="config.view")
            compiled = self.column(name)
            for read in sorted(compiled.reads):
                add(read, (*above, name))
            done[name] = compiled

        for name in sorted(wanted):
            add(name, ())
        return done

    def _resolved(self, name: str) -> str:
        """A derived column with its lookups spelt out."""
        whose, setting = self._whose, f"joinGet('{self._database}.setting'"
        sql = derived_columns()[name].sql
        sql = re.sub(r"\b(?:ref|counter)\.(\w+)\.(\w+)\(", rf"joinGet('{self._database}.\1', '\2', {whose}", sql)
        sql = re.sub(r"\bsetting\.(\w+)\(\)", rf"{setting}, 'value', {whose}'\1')", sql)
        sql = re.sub(r"\bsetting_list\.(\w+)\(\)", rf"{setting}, 'list', {whose}'\1')", sql)
        sql = re.sub(r"\bdossier\.(\w+)", r"dossier_\1", sql)
        return sql

    def _known(self, family: str) -> str:
        column = family.removeprefix("dossier_")
        found = f"joinGet('{self._database}.dossier', '{column}', {self._whose}`subject.pseudonym`)"
        return f"arrayFilter(x -> x.known_from < `_horizon` AND `_horizon` <= x.known_to, {found})"


def _shown(policies: Policies) -> tuple[str, ...]:
    """The columns a verdict needs: the usual ones, and the keys of registers and rows that entries name as facts."""
    families = {family for entry in policies.entries for family in entry.facts}
    registers = {name for family in families & BY_TABLE.keys() for name in BY_TABLE[family].looked_up_by}
    rows = {NAMED_BY[family][1] for family in families & NAMED_BY.keys()}
    return (*_SHOWN, *sorted((registers | rows) - {*_SHOWN}))


def _looks_at_clock(reads: Iterable[str], computed: Mapping[str, Compiled]) -> bool:
    """Whether one of these names is the clock, or rests on it."""
    return any(
        name == "now" or (name in computed and _looks_at_clock(computed[name].reads, computed)) for name in reads
    )


def _instants(rules: tuple[Rule, ...], due: list[Compiled]) -> str:
    """One array of instants at which time alone may change a result, for activities or the kind of fact."""
    by_kind: dict[str, list[str]] = {}
    for rule, compiled in zip(rules, due, strict=True):
        if compiled.sql:
            by_kind.setdefault(rule.judges, []).append(compiled.sql)
    stated = f"x -> isNotNull(x) AND x < {_FAR_MILLIS}"
    branches = [
        f"`_fact` = '{kind}', arrayDistinct(arrayFilter({stated}, arrayConcat({', '.join(instants)})))"
        for kind, instants in by_kind.items()
    ]
    none = "CAST([], 'Array(Nullable(Int64))')"
    return f"multiIf({', '.join(branches)}, {none})" if branches else none


def _hits(rules: tuple[Rule, ...], results: list[Compiled]) -> str:
    """One array of hits: those of activities, or those of the kind of fact the row stands for.

    A look at the trail is judged by the rules of looks alone.
    """
    of_looks = [position for position, rule in enumerate(rules) if rule.of_looks]
    by_kind: dict[str, list[str]] = {"": []}
    for position, (rule, result) in enumerate(zip(rules, results, strict=True)):
        by_kind.setdefault(rule.judges, []).append(f"toUInt16({4 * position} + {result.sql})")
    none = "emptyArrayUInt16()"
    look = f"ifNull({leaves()['event_type'].sql} != '{LOOK}', 1)"
    branches = [
        f"`_fact` = '{kind}', arrayFilter(x -> bitAnd(x, 3) > 0 AND "
        f"({look} OR has({of_looks}::Array(UInt16), bitShiftRight(x, 2))), [{', '.join(codes)}])"
        for kind, codes in by_kind.items()
        if codes
    ]
    return f"multiIf({', '.join(branches)}, {none})" if branches else none
