"""Makes the two tables a batch goes through: what Avro says, and what is computed of it.

The policies are the second table's definition: derived columns and results are expressions, and what was found is
one SELECT. Only the leaves and derived columns that some policy needs are declared: Avro fields that nobody names are
skipped without being decoded, and what a verdict is not made of is computed but not kept (EPHEMERAL).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files

from inzage.schemas.errors import ConfigError
from inzage.schemas.revealing import revealing_fields
from inzage.streams.dossier.kinds import FAMILIES, NAMED_BY
from inzage.streams.dossier.registers import BY_TABLE
from inzage.streams.dossier.time import FAR
from inzage.streams.screening.column import LEAST, LENGTH, UNUSUAL, Column, key_of, keys_of, said, sizes
from inzage.streams.screening.event_fields import leaves
from inzage.streams.screening.pack import LOOK, Policies, Rule
from inzage.streams.screening.plain_yaml import load
from inzage.streams.screening.predicate import Compiled, Scope, compile_predicate

OK, VIOLATION, NOT_EVALUABLE, WARNING = 0, 1, 2, 3
"""Codes of a policy's result. The hits of a row are bytes of four codes each, that of the first rule lowest, in the
order of `Policies.rules`."""

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
WHOSE = "_of"
"""Column of a row of many: the number under which its dossiers, counters and references are looked up."""

_OF_ROW = {
    "_offset": "Int64",
    "_time": "DateTime64(6, 'UTC')",
    "_horizon": "Int64",
    "_now": "DateTime64(6, 'UTC')",
    "_fact": "String",
}
"""What is said about a row beside its datum."""
_MILLIS = "x -> intDiv(toUnixTimestamp64Micro(toDateTime64(x, 6, 'UTC')) + 999, 1000)"
_FAR_MILLIS = int(FAR.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Derived:
    """One derived column as written."""

    name: str
    sql: str
    doc: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The tables of one controller, and the query that tells what was found in the last."""

    read: tuple[Column, ...]
    """What is decoded from Avro."""
    given: tuple[Column, ...]
    """What each row of the table of what is computed is given, in this order: about the row, then what was read."""
    judged: tuple[Column, ...]
    """All of that table."""
    found: str
    columns: tuple[str, ...]
    """What `found` answers, in order."""
    by_clock: tuple[str, ...]
    """Entries that look at the clock and do not say when (`due`): time alone may change their results whenever."""

    @property
    def named(self) -> tuple[Column, ...]:
        """What the rows of an INSERT that leaves nothing out are given."""
        return tuple(column for column in self.given if column.name not in (LENGTH, LEAST))


@cache
def derived_columns() -> Mapping[str, Derived]:
    """The derived columns of view.yaml."""
    text = files("inzage.streams.screening").joinpath("view.yaml").read_text(encoding="utf-8")
    return {name: Derived(name, sql, doc) for name, (sql, doc) in load(text).items()}


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

    def plan(self, policies: Policies, seen: Sequence[str] | None = None) -> Plan:
        """The tables that judge a batch by `policies`.

        `seen` are the columns that are wanted of a hit; None: those a verdict is made of, and then a row that counts
        for later ones is a hit as well.
        """
        rules = policies.rules
        results = [self._result(policies, rule) for rule in rules]
        lesser = {
            position: self.compile(entry.lower_severity.when, f"{entry.id}.lower_severity")
            for position, entry in enumerate(policies.entries)
            if entry.lower_severity
        }
        due = [self._due(policies, rule) for rule in rules]
        reads = {name for compiled in (*results, *lesser.values(), *due) for name in compiled.reads}
        shown = _shown(policies) if seen is None else tuple(seen)
        computed = self._computed({*reads, *shown})
        by_clock = tuple(
            rule.entry.id
            for rule, result in zip(rules, results, strict=True)
            if not rule.due and _looks_at_clock(result.reads, computed)
        )
        lower = [f"if({compiled.sql}, {position}, -1)" for position, compiled in lesser.items()]
        bytes_of = _bytes(rules, results)
        results_kept = (
            *(Column(f"hits_{number}", "UInt8", sql, kept=True) for number, sql in enumerate(bytes_of)),
            Column("lower", "Array(Int32)", f"CAST([{', '.join(lower)}], 'Array(Int32)')", kept=True),
            Column("due", "Array(Nullable(Int64))", _instants(rules, due), kept=True),
        )
        shown_here = ("_offset", "_horizon", "_now", "_fact", *self._apart, *shown)
        hits = [f"`hits_{number}`" for number in range(len(bytes_of))]
        columns = (*shown_here, "hits", "lower", "due", UNUSUAL)
        digits = ", ".join(f"hex({hit})" for hit in hits)
        asked = [self._column(name) for name in shown_here] + [f"concat('', {digits})", "`lower`", "`due`", UNUSUAL]
        some = [f"{_either(hits)} != 0", "notEmpty(`due`)", UNUSUAL]
        if seen is None:
            some.append(f"notEmpty({self._column('counted_as')})")
        found = f"SELECT {', '.join(asked)} FROM {self._database}.judged WHERE {' OR '.join(some)}"
        kept = {self.physical(name) for name in shown_here}
        read, given, own = self._declared(computed, {*reads, *shown}, kept)
        return Plan(read, given, (*given, *own, *results_kept), found, columns, by_clock)

    def _declared(
        self, computed: Mapping[str, Compiled], shown: set[str], kept: set[str]
    ) -> tuple[tuple[Column, ...], tuple[Column, ...], tuple[Column, ...]]:
        """What is read from Avro, what is given to the table of what is computed, and what is computed there.

        UNKNOWN is NULL there, and the dossier is as known at the event.
        """
        names = {name for compiled in computed.values() for name in compiled.reads} | shown
        event = [leaves()[name] for name in sorted(names) if name in leaves()]
        from_avro = [Column(name, "Int64", kept=name in kept) for name in self._apart]
        from_avro += [said(leaf.path, leaf.type, kept=leaf.path in kept) for leaf in event]
        by = {self._key(name) for name in names if name.startswith("dossier_")}
        keys = [key for key in keys_of(self._database) if key.name in by]
        of_row = [Column(name, kind, kept=name in kept) for name, kind in _OF_ROW.items()]
        own = {f"e_{leaf.name}": f"nullIf(`{leaf.path}`, 'UNKNOWN')" for leaf in event if leaf.is_symbol}
        own |= {name: self._known(name) for name in sorted(names) if name.startswith("dossier_")}
        own |= {f"d_{name}": compiled.sql for name, compiled in computed.items()}
        made = tuple(Column(name, sql=sql, kept=name in kept) for name, sql in own.items())
        length, least, unusual = sizes()
        return tuple(from_avro), (*of_row, length, *from_avro, *keys, least), (*made, unusual)

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

    def _key(self, name: str) -> str:
        """The column of the key by which a family is looked up; of many always the person."""
        return "subject.pseudonym" if self._apart else key_of(name.removeprefix("dossier_"))

    def _known(self, family: str) -> str:
        column = family.removeprefix("dossier_")
        found = f"joinGet('{self._database}.dossier', '{column}', {self._whose}`{self._key(family)}`)"
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


def _bytes(rules: tuple[Rule, ...], results: list[Compiled]) -> list[str]:
    """The hits of a row, four rules a byte: those of activities, or those of the kind of fact the row stands for.

    A look at the trail is judged by the rules of looks alone. Measured: an array of the results costs a sixth more of
    all that is evaluated; a mask costs less than a condition that decides whether to evaluate what seldom is not.
    """
    is_look = f"ifNull({leaves()['event_type'].sql} = '{LOOK}', 0)"
    made = []
    for first in range(0, len(rules), 4):
        by_kind: dict[str, list[str]] = {}
        looks = 0
        for place, (rule, result) in enumerate(
            zip(rules[first : first + 4], results[first : first + 4], strict=True)
        ):
            shifted = f"bitShiftLeft({result.sql}, {2 * place})" if place else result.sql
            by_kind.setdefault(rule.judges, []).append(shifted)
            looks |= (3 << 2 * place) if rule.of_looks else 0
        parts = []
        for kind, codes in by_kind.items():
            together = _either(codes)
            if kind:
                parts.append(f"if(`_fact` = '{kind}', {together}, toUInt8(0))")
            else:
                mask = f"toUInt8(multiIf(`_fact` != '', 0, {is_look}, {looks}, 255))"
                parts.append(f"bitAnd({together}, {mask})")
        made.append(_either(parts))
    return made


@lru_cache(maxsize=10_000)
def codes(hits: str) -> tuple[tuple[int, int], ...]:
    """Positions of rules and their results, of a row's bytes in hexadecimal digits; what is OK is left out."""
    return tuple(
        (4 * number + place, code)
        for number, four in enumerate(bytes.fromhex(hits))
        if four
        for place in range(4)
        if (code := four >> 2 * place & 3)
    )


def _either(parts: list[str]) -> str:
    text = parts[0]
    for part in parts[1:]:
        text = f"bitOr({text}, {part})"
    return text
