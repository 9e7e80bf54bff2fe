"""What a policy may say: expressions over the view pass and mean the same, all else is refused with its reason."""

from __future__ import annotations

import json

import pytest

from inzage.schemas.errors import ConfigError
from inzage.streams.screening.engine import engine
from inzage.streams.screening.predicate import Scope, compile_predicate
from inzage.streams.screening.view import View

VIEW = View("screening_nowhere")

REFUSED = [
    ("(SELECT 1)", "one expression"),
    ("break_glass_reason = 'TRAUMA'", "break_glass_reason is encrypted"),
    ("break_glass_reason = 'x'", "break_glass_reason is encrypted"),
    ("unrecognised['purpose'] = 'x'", "unrecognised is encrypted"),
    ("arrayExists(r -> r = filter, ['x'])", "filter is encrypted"),
    ("length(break_glass_reason) > 3", "break_glass_reason is encrypted"),
    ("ifNull(filter, '') = ''", "filter is encrypted"),
    ("exists(SELECT 1)", "not allowed"),
    ("purpose IN (SELECT 1)", "IN takes"),
    ("purpose IN data_categories", "IN takes"),
    ("purpose IN (legal_basis)", "IN takes"),
    ("purpose IN ('MARKETING', legal_basis)", "IN takes"),
    ("purpose IN system.one", "IN takes"),
    ("file('/etc/hostname') = 'x'", "function file"),
    ("length(file('/etc/hostname')) > 0", "function file"),
    ("if(purpose IS NULL, file('/etc/hostname'), '') = ''", "function file"),
    ("url('http://127.0.0.1', 'CSV')", "function url"),
    ("dictGet('d', 'x', 1)", "function dictget"),
    ("joinGet('screening_x.setting', 'value', 'x') = 1", "function joinget"),
    ("ref.org.own('x')", "function own"),
    ("sleep(3)", "function sleep"),
    ("sleepEachRow(1)", "function sleepeachrow"),
    ("throwIf(1)", "function throwif"),
    ("now() > occurred_at", "function now"),
    ("hostName() = 'x'", "function hostname"),
    ("count() > 1", "function count"),
    ("row_number() OVER ()", "function row_number"),
    ("arrayJoin([1, 2])", "function arrayjoin"),
    ("toUInt8(purpose)", "function touint8"),
    ("CAST(purpose AS String) = 'x'", "cast can throw"),
    ("purpose::String = 'x'", "cast can throw"),
    ("DATE '2020-01-01' > occurred_at", "cast can throw"),
    ("1 DIV 0", "division by zero"),
    ("record_count % cell_sizes[1] = 0", "division by zero"),
    ("toDateTime64(actor.role, 6, 'UTC') > occurred_at", "literal"),
    ("toDateTime64('2020-01-01 00:00:00', 6) > occurred_at", "time zone"),
    ("1; DROP TABLE x", "cannot be parsed"),
    ("1) ; SELECT (1", "one expression"),
    ("1) FROM system.one WHERE (1", "one expression"),
    ("1) --", "cannot be parsed"),
    ("1 SETTINGS max_threads=1", "cannot be parsed"),
    ("1) SETTINGS max_threads=(1", "one expression"),
    ("1 FORMAT JSON", "cannot be parsed"),
    ("1) INTO OUTFILE '/tmp/x' FORMAT CSV --", "cannot be parsed"),
    ("1) ARRAY JOIN (data_items", "one expression"),
    ("1, 2", "one expression"),
    ("1) AS a, (2", "one expression"),
    ("*", "star"),
    ("{p:String} = purpose", "placeholder"),
    ("@@version", "parameter"),
    ("COLUMNS('x')", "function columns"),
    ("recipient.categry = 'EMPLOYER'", "did you mean recipient.category?"),
    ("arrayExists(x -> purposes = x, data_categories)", "did you mean purpose?"),
    ("_offset > 1", "no column _offset"),
    ("e_purpose = 'MARKETING'", "no column e_purpose"),
    ("dossier.consents", "no column dossier.consents"),
    ("arrayExists(purpose -> purpose = 'x', data_items)", "hides a column"),
    ("arrayExists(recipient -> recipient.category = 'x', data_items)", "hides a column"),
    ("arrayExists(e_purpose -> e_purpose = 'x', data_items)", "hides a column"),
    ("arrayExists(x -> arrayExists(x -> x = 'NAME', data_items), data_items)", "lambda around it"),
    ("arrayExists((x, y) -> x = y, data_categories, data_items)", "one parameter"),
]

MISSPELT = [
    "purpose = 'MARKETNG'",
    "'MARKETNG' = purpose",
    "purpose != 'MARKETNG'",
    "purpose NOT IN ('MARKETING', 'MARKETNG')",
    "NOT (purpose IN ('MARKETNG'))",
    "ifNull(purpose = 'MARKETNG', 0)",
    "ifNull(purpose, '') = 'MARKETNG'",
    "ifNull(purpose, 'MARKETNG') = 'MARKETING'",
    "coalesce(purpose, '') IN ('MARKETNG')",
    "(purpose) = ('MARKETNG')",
    "CASE WHEN purpose = 'MARKETNG' THEN 1 ELSE 0 END",
    "CASE purpose WHEN 'MARKETNG' THEN 1 ELSE 0 END",
    "purpose <=> 'MARKETNG'",
    "purpose LIKE 'MARKETNG%'",
    "has(['MARKETNG'], ifNull(purpose, ''))",
    "multiIf(purpose IS NULL, 0, purpose = 'MARKETNG', 1, 0)",
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_is_no_expression_over_the_view_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match="entry X") as refused:
        VIEW.compile(text, "entry X")
    assert reason in str(refused.value)
    assert refused.value.code == "config.predicate"


@pytest.mark.parametrize("text", MISSPELT)
def test_a_misspelt_term_is_refused_with_the_nearest_one(text: str) -> None:
    with pytest.raises(ConfigError, match="did you mean MARKETING"):
        VIEW.compile(text, "entry X")


@pytest.mark.parametrize(
    "text",
    [
        "has(data_categories, 'HEALTH_PHYSICL')",
        "hasAny(['HEALTH_PHYSICL'], data_categories)",
        "data_categories[1] = 'HEALTH_PHYSICL'",
        "arrayExists(c -> c = 'HEALTH_PHYSICL', data_categories)",
        "arrayExists(c -> c IN ('CRIMINAL', 'HEALTH_PHYSICL'), data_categories)",
        "arrayExists(c -> c = 'HEALTH_PHYSICL', arrayFilter(d -> d != 'CRIMINAL', data_categories))",
    ],
)
def test_terms_of_lists_are_checked_through_functions_and_lambdas(text: str) -> None:
    with pytest.raises(ConfigError, match="not a term of DataCategory; did you mean HEALTH_PHYSICAL"):
        VIEW.compile(text, "entry X")


def test_comparing_with_unknown_is_refused_since_it_reads_as_null() -> None:
    with pytest.raises(ConfigError, match="IS NULL"):
        VIEW.compile("purpose = 'UNKNOWN'", "entry X")
    VIEW.compile("has(data_categories, 'UNKNOWN')", "entry X")


@pytest.mark.parametrize(
    "text",
    [
        "1 -- */ + file('/etc/hostname') /*",
        "1 /* a */ -- b\n AND /* FROM x */ 1",
    ],
)
def test_comments_do_not_reach_the_engine(text: str) -> None:
    compiled = VIEW.compile(text, "entry X").sql
    assert not {"/*", "*/", "--", "file", "FROM"} & set(compiled.replace("(", " ").split())


def test_columns_are_rewritten_outside_of_lambdas_only() -> None:
    compiled = VIEW.compile("arrayExists(c -> c = 'CRIMINAL' AND purpose = 'MARKETING', data_categories)", "entry X")
    assert compiled.sql == "(arrayExists(c -> c = 'CRIMINAL' AND \"e_purpose\" = 'MARKETING', \"data_categories\"))"
    assert compiled.reads == {"purpose", "data_categories"}


SAME_MEANING = [
    "a = 1 AND b = 2 OR n IS NULL",
    "a = 1 AND (b = 2 OR n IS NULL)",
    "NOT a = 1 OR b = 2",
    "NOT (a = 1 OR b = 2)",
    "NOT s IN ('x', 'it''s')",
    "s NOT IN ('x')",
    "n NOT IN ('x', '')",
    "NOT (n = 'x' AND a = 1)",
    "a - (b - 1)",
    "-(a - b) * 2",
    "if(n = 'x', 1, 0)",
    "multiIf(n IS NULL, 2, n = 'x', 1, 0)",
    "CASE WHEN a = 1 THEN 1 WHEN b = 2 THEN 2 ELSE 0 END",
    "CASE s WHEN 'x' THEN 1 ELSE 0 END",
    "a = 1 ? 5 : 6",
    "ifNull(n = 'x', 0)",
    "coalesce(n, s, 'z')",
    "n <=> 'x'",
    "s LIKE 'a\\\\_%'",
    "s LIKE '%''%'",
    "s ILIKE 'IT%'",
    "s = 'a\\\\b'",
    "s || 'q' = 'xq'",
    "a BETWEEN 1 AND 2 AND b = 2",
    "has(l, s)",
    "hasAny(l, ['x', 'q'])",
    "length(l) + length(s)",
    "arrayExists(i -> i = s AND n IS NULL, l)",
    "arrayMap(i -> (i, a), l)",
    "arrayCount(i -> NOT i = 'x', l)",
    "l[1] = 'x' AND l[9] = ''",
    "nullIf(s, 'x')",
    "isNull(n) OR isNotNull(n) AND a = 7",
    "m > toDateTime64('2020-01-31 23:00:00', 6, 'UTC') - toIntervalDay(1)",
    "tuple(a, s)",
    "least(a, b) = greatest(a, b)",
    "true AND NOT false",
    "a = 0x01 AND b = 2e0",
]


def test_what_is_emitted_means_what_was_written() -> None:
    columns = ("a", "b", "s", "n", "l", "m")
    rows = """
        SELECT toInt64(1) AS a, 2 AS b, 'x' AS s, CAST(NULL AS Nullable(String)) AS n, ['x', 'y'] AS l,
               toDateTime64('2020-01-31 23:00:00', 6, 'UTC') AS m
        UNION ALL SELECT 0, 2, 'it''s', 'x', [], toDateTime64('1999-01-01 00:00:00', 6, 'UTC')
        UNION ALL SELECT 7, 9, 'a\\\\b', '', ['q'], toDateTime64('2031-01-01 00:00:00', 6, 'UTC')
        UNION ALL SELECT 1, 3, 'a_c', 'it', ['a_c'], toDateTime64('2020-01-30 23:00:00', 6, 'UTC')
    """
    scope = Scope({column: f"`{column}`" for column in columns}, {})
    written = ", ".join(f"({text})" for text in SAME_MEANING)
    emitted = ", ".join(compile_predicate(text, scope, where="x").sql for text in SAME_MEANING)
    found = [
        json.loads(line)
        for expressions in (written, emitted)
        for line in engine()
        ._query(f"SELECT {expressions} FROM ({rows}) ORDER BY m", "JSONCompactEachRow")
        .splitlines()
    ]
    assert len(found) == 8
    for as_written, as_emitted in zip(found[:4], found[4:], strict=True):
        for text, before, after in zip(SAME_MEANING, as_written, as_emitted, strict=True):
            assert before == after, text
    assert any(value is None for row in found for value in row) and {0, 1} <= {row[0] for row in found}
