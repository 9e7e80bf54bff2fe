"""What each role may do with the trail, and what the running engine refuses it."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlencode

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.accounts import account_of
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.schemas.errors import ConfigError
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.migrations import migrate, migrations, waiting
from inzage.sinks.roles import Role

INSERT = "INSERT INTO inzage.schemas (log_id, offset, block, block_end) VALUES ('log', 1, 'aaaaaaaa', 'aaaaaaaa')"
COUNT = "SELECT count() FROM inzage.schemas"

UNDOING = [
    "ALTER TABLE inzage.schemas UPDATE log_id = '' WHERE 1",
    "ALTER TABLE inzage.schemas DELETE WHERE 1",
    "UPDATE inzage.schemas SET log_id = '' WHERE 1",
    "DELETE FROM inzage.schemas WHERE 1",
    "TRUNCATE TABLE inzage.schemas",
    "TRUNCATE DATABASE inzage",
    "DROP TABLE inzage.schemas",
    "DROP VIEW inzage.log",
    "DROP DATABASE inzage",
    "ALTER TABLE inzage.schemas DROP PARTITION ID 'all'",
    "ALTER TABLE inzage.schemas DETACH PARTITION ID 'all'",
    "ALTER TABLE inzage.schemas REPLACE PARTITION ID 'all' FROM inzage.schemas",
    "ALTER TABLE inzage.schemas DROP COLUMN raw",
    "ALTER TABLE inzage.schemas MODIFY TTL broker_time + INTERVAL 1 DAY",
    "ALTER TABLE inzage.schemas MODIFY SETTING fsync_after_insert = 0",
    "ALTER TABLE inzage.log MODIFY QUERY SELECT 1",
    "RENAME TABLE inzage.schemas TO inzage.other",
    "EXCHANGE TABLES inzage.schemas AND inzage.facts",
    "CREATE TABLE inzage.other (id UInt8) ENGINE = MergeTree ORDER BY id",
    "CREATE OR REPLACE TABLE inzage.schemas (id UInt8) ENGINE = MergeTree ORDER BY id",
    "CREATE OR REPLACE VIEW inzage.log AS SELECT 1",
    "CREATE TEMPORARY TABLE other (id UInt8)",
    "CREATE DATABASE other",
    "CREATE FUNCTION f AS x -> x",
    "CREATE ROW POLICY hiding ON inzage.schemas USING 0 TO ALL",
    "CREATE USER other",
    "GRANT ALL ON *.* TO default",
    "ATTACH TABLE inzage.other",
    "DETACH TABLE inzage.schemas",
    "DETACH TABLE inzage.schemas PERMANENTLY",
    "OPTIMIZE TABLE inzage.schemas FINAL",
    "BACKUP TABLE inzage.schemas TO Disk('default', 'x')",
    "KILL QUERY WHERE 1",
    "KILL MUTATION WHERE 1",
    "SYSTEM STOP MERGES inzage.schemas",
    "SYSTEM FLUSH LOGS",
    "SELECT name FROM system.users",
]

ANSWERS = {
    Role.OWNER: {INSERT, COUNT},
    Role.SINK: {INSERT, COUNT},
    Role.SEALER: set(),
    Role.ANALYST: {COUNT},
    Role.VERIFIER: {COUNT, "SELECT count() FROM system.row_policies", "SELECT count() FROM system.mutations"},
}

ANSWERED_TO_VERIFIERS = "SELECT count() FROM system.row_policies"


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of an endpoint with the trail's tables, which keeps to roles."""
    data_dir = tmp_path_factory.mktemp("roles")
    with Endpoint(data_dir / "clickhouse", access=Access.APPEND_ONLY, fsync=False) as running:
        yield Settings(data_dir=data_dir, clickhouse={"url": running.url})


@pytest.fixture
def connect(settings: Settings) -> Iterator[Callable[[Role], Client]]:
    """Opens a client of the user with a role."""
    clients = []

    def connected(role: Role) -> Client:
        clients.append(open_clickhouse(account_of(settings, role), answer_within=30))
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


def _refused_with(client: Client, statement: str) -> int:
    """The code with which ClickHouse refuses `statement`, 0 when it does not."""
    try:
        client.command(statement)
    except DatabaseError as refused:
        return int(refused.code or -1)
    return 0


@pytest.mark.parametrize("role", list(Role))
def test_a_role_may_do_what_it_is_for(role: Role, connect: Callable[[Role], Client]) -> None:
    client = connect(role)
    for statement in (INSERT, COUNT, *ANSWERS[Role.VERIFIER]):
        if statement in ANSWERS[role]:
            client.command(statement)
        elif "mutations" not in statement:  # anybody may ask; nothing stands there that one may not see
            assert _refused_with(client, statement) == 497, statement


@pytest.mark.parametrize("role", [Role.SINK, Role.SEALER, Role.ANALYST, Role.VERIFIER])
def test_nobody_undoes_a_row(role: Role, connect: Callable[[Role], Client]) -> None:
    """The engine says that it is not allowed, and what stood stands."""
    connect(Role.SINK).command(INSERT)
    before = connect(Role.ANALYST).command(COUNT)
    client = connect(role)
    refused = {statement: _refused_with(client, statement) for statement in UNDOING}
    assert {statement: code for statement, code in refused.items() if code != 497} == {}
    assert connect(Role.ANALYST).command(COUNT) == before


def test_the_sink_does_not_say_what_was_done_to_the_tables(connect: Callable[[Role], Client]) -> None:
    forged = "INSERT INTO inzage.migrations (number, name, sha256) VALUES (999, 'forged', '')"
    assert _refused_with(connect(Role.SINK), forged) == 497


def test_the_owner_lets_a_partition_expire_and_drops_no_table(connect: Callable[[Role], Client]) -> None:
    """While the owner's statement runs the engine has the owner's rights and nobody else is in it."""
    owner, sink, analyst = (connect(role) for role in (Role.OWNER, Role.SINK, Role.ANALYST))
    sink.command(INSERT)
    (partition,), *_ = owner.query(
        "SELECT DISTINCT partition_id FROM system.parts WHERE database = 'inzage' AND table = 'schemas' AND active"
    ).result_rows
    owner.command(f"ALTER TABLE inzage.schemas DROP PARTITION ID '{partition}'")
    assert analyst.command(COUNT) == 0
    for statement in (
        "DROP TABLE inzage.schemas",
        "TRUNCATE TABLE inzage.schemas",
        "DROP DATABASE inzage",
        UNDOING[0],
    ):
        assert _refused_with(owner, statement) == 497
    assert _refused_with(sink, f"ALTER TABLE inzage.schemas DROP PARTITION ID '{partition}'") == 497


def test_owner_and_others_take_turns(connect: Callable[[Role], Client]) -> None:
    """Readers and the sink wait for the owner and go on after it, whichever comes when."""
    readers = [connect(Role.ANALYST) for _ in range(3)]
    sink, owner = connect(Role.SINK), connect(Role.OWNER)
    failures: list[BaseException] = []
    over = time.monotonic() + 3
    turns = 0

    def repeat(client: Client, statement: str) -> None:
        try:
            while time.monotonic() < over:
                client.command(statement)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=repeat, args=(client, COUNT)) for client in readers]
    threads.append(threading.Thread(target=repeat, args=(sink, INSERT)))
    for thread in threads:
        thread.start()
    while time.monotonic() < over:
        owner.command("DELETE FROM inzage.schemas WHERE log_id = 'nothing'")
        turns += 1
    for thread in threads:
        thread.join()
    assert failures == []
    assert turns > 3


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1; SELECT 2",
        "SET ROLE inzage_sink; INSERT INTO inzage.schemas (log_id) VALUES ('x')",
        "SELECT 1 PARALLEL WITH SELECT 2",
        "SELECT 1 parallel /* x */ with SELECT 2",
        "SELECT $x$;$x$, 1; SELECT 2",
    ],
)
def test_a_request_is_one_statement(statement: str, connect: Callable[[Role], Client]) -> None:
    """Or the first would take a role for the second."""
    assert _refused_with(connect(Role.ANALYST), statement) == 62


def test_a_role_taken_ends_with_its_request(connect: Callable[[Role], Client]) -> None:
    analyst = connect(Role.ANALYST)
    analyst.command("SET ROLE inzage_sink")
    assert _refused_with(analyst, INSERT) == 497
    assert _refused_with(analyst, "SET ROLE inzage_owner") == 511  # the engine does not know it now


_SAID = "SELECT currentRoles()[1], currentDatabase(), getSetting('max_block_size'), getSetting('max_threads')"


@pytest.mark.parametrize(
    "before",
    [
        "SET ROLE inzage_sink",
        "USE inzage",
        "SET max_block_size = 7",
        "/* /* */ SELECT */ SET ROLE inzage_sink",
        "SELECT 1 SETTINGS max_threads = 7, max_block_size = 7, param_x = '1'",
        "SELECT throwIf(1) SETTINGS max_block_size = 7",
        "EXPLAIN SELECT 1 SETTINGS max_block_size = 7",
        "WITH 1 AS x SELECT x FORMAT JSON SETTINGS max_block_size = 7",
    ],
)
def test_a_request_leaves_nothing_to_the_next(before: str, connect: Callable[[Role], Client]) -> None:
    """Though the next may be answered by the same handle of the engine."""
    analyst = connect(Role.ANALYST)
    said = analyst.query(_SAID).result_rows
    assert said[0][0] == "inzage_analyst"
    _refused_with(analyst, before)
    assert analyst.query(_SAID).result_rows == said
    assert _refused_with(analyst, "SELECT {x:String}") == 456


def test_settings_and_parameters_hold_for_one_request(connect: Callable[[Role], Client]) -> None:
    analyst = connect(Role.ANALYST)
    asked = "SELECT getSetting('max_block_size'), {x:UInt64}"
    usual = analyst.query("SELECT getSetting('max_block_size')").result_rows[0][0]
    for size in (usual, 3000, usual, 4000, 4000, usual):
        settings = {"max_block_size": size} if size != usual else {}
        assert analyst.query(asked, parameters={"x": size}, settings=settings).result_rows == [(size, size)]
    assert _refused_with(analyst, asked) == 456


def test_everybody_asks_at_once_with_rights_of_their_own(connect: Callable[[Role], Client]) -> None:
    """Answers come from handles that were used before, of several roles, with the owner in between."""
    roles = [Role.SINK, Role.SEALER, Role.ANALYST, Role.VERIFIER]
    wrong: list[object] = []
    over = time.monotonic() + 2

    def repeat(role: Role, client: Client) -> None:
        try:
            while time.monotonic() < over:
                if client.query("SELECT currentRoles()").result_rows != [([role.name_in()],)]:
                    wrong.append(role)
                if role in (Role.SEALER, Role.ANALYST) and _refused_with(client, ANSWERED_TO_VERIFIERS) != 497:
                    wrong.append(f"{role} reads as the verifier")
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=repeat, args=(role, connect(role))) for role in roles]
    owner = connect(Role.OWNER)
    for thread in threads:
        thread.start()
    while time.monotonic() < over:
        owner.command("DELETE FROM inzage.schemas WHERE log_id = 'nothing'")
        time.sleep(0.1)
    for thread in threads:
        thread.join()
    assert wrong == []


def _ask(settings: Settings, headers: dict[str, str] | None = None, **arguments: str) -> tuple[int, str, str]:
    """Status, exception code and body of a request for the roles one has."""
    port = int(settings.clickhouse.url.rpartition(":")[2])
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        query = urlencode({"query": "SELECT currentRoles()[1]", **arguments})
        connection.request("GET", f"/?{query}", headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("X-ClickHouse-Exception-Code", ""), answer.read().decode().strip()
    finally:
        connection.close()


def test_users_authenticate_as_with_clickhouse(settings: Settings) -> None:
    """By its headers, by Basic and in the query string, not by two of them at once; without a name as an analyst."""
    sink = account_of(settings, Role.SINK)
    assert sink.password
    name, password = sink.username, sink.password.get_secret_value()
    own = {"X-ClickHouse-User": name, "X-ClickHouse-Key": password}
    basic = {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
    assert _ask(settings, own) == (200, "", "inzage_sink")
    assert _ask(settings, basic) == (200, "", "inzage_sink")
    assert _ask(settings, user=name, password=password) == (200, "", "inzage_sink")
    assert _ask(settings) == (200, "", "inzage_analyst")
    refused = [
        _ask(settings, {**own, "X-ClickHouse-Key": "wrong"}),
        _ask(settings, {"X-ClickHouse-User": name}),
        _ask(settings, {"X-ClickHouse-User": "nobody"}),
        _ask(settings, {"X-ClickHouse-User": "nobody", "X-ClickHouse-Key": ""}),
        _ask(settings, {"X-ClickHouse-User": "default", "X-ClickHouse-Key": password}),
        _ask(settings, {**own, **basic}),
        _ask(settings, {"Authorization": "Bearer x"}),
        _ask(settings, {"Authorization": "Basic ??"}),
    ]
    assert [(status, code) for status, code, _ in refused] == [(403, "516")] * len(refused)
    assert not any(password in body for *_, body in refused)


def test_passwords_are_private_and_stay(tmp_path: Path, clickhouse_factory: Callable[..., Endpoint]) -> None:
    first = clickhouse_factory(tmp_path, access=Access.APPEND_ONLY)
    files = sorted((tmp_path / "passwords").iterdir())
    assert [file.name for file in files] == sorted(role.name_in() for role in Role)
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    kept = [file.read_text() for file in files]
    assert len(set(kept)) == len(Role)
    first.stop()
    clickhouse_factory(tmp_path, access=Access.APPEND_ONLY).stop()
    assert [file.read_text() for file in files] == kept
    files[0].chmod(0o644)
    with pytest.raises(Exception, match="ended"):
        clickhouse_factory(tmp_path, access=Access.APPEND_ONLY)


def test_a_local_password_is_for_the_local_endpoint_only(settings: Settings) -> None:
    """What is configured comes first, and no password goes to another machine."""
    own = settings.clickhouse
    away = settings.model_copy(update={"clickhouse": own.model_copy(update={"url": "https://ch.example:8443"})})
    assert account_of(away, Role.SINK).password is None
    named = settings.model_copy(update={"clickhouse": own.model_copy(update={"username": "somebody"})})
    assert account_of(named, Role.SINK).username == "somebody"
    wrong = own.model_copy(update={"username": "inzage_sink"})
    with pytest.raises(ConfigError, match="refused"):
        open_clickhouse(wrong, answer_within=5)


def test_steps_about_roles_wait_where_no_role_can_be_kept(clickhouse: Endpoint) -> None:
    """They are named, not passed over; everything else is applied."""
    client = open_clickhouse(Settings(clickhouse={"url": clickhouse.url}).clickhouse, answer_within=30)

    def execute(statement: str) -> str:
        if statement.startswith("SELECT"):
            return bytes(client.raw_query(statement, fmt="TSV")).decode()
        client.command(statement)
        return ""

    expected = tuple(step.name for step in migrations() if step.about_roles)
    taken = migrate(execute, "roles_wait")
    assert taken == tuple(step.name for step in migrations() if not step.about_roles)
    assert waiting(execute, "roles_wait") == expected
    assert (expected[0], len(expected)) == ("roles", 7)
    client.command("DROP DATABASE roles_wait")
    client.close()


def test_a_server_that_keeps_roles_is_told_all_of_them(clickhouse: Endpoint) -> None:
    """In statements that ClickHouse's own parser takes; the names are those of the trail's database."""
    said: list[str] = []

    def server(statement: str) -> str:
        said.append(statement)
        return "local_directory\n" if "user_directories WHERE" in statement else ""

    migrate(server, "other")
    roles = [statement for statement in said if "other_sink" in statement]
    assert "CREATE ROLE IF NOT EXISTS" in roles[0]
    assert [grant for grant in roles if "INSERT ON `other`.* TO `other_sink`" in grant]
    client = open_clickhouse(Settings(clickhouse={"url": clickhouse.url}).clickhouse, answer_within=30)
    for statement in said:
        if "other_" in statement:
            assert client.query("SELECT formatQuery({text:String})", parameters={"text": statement}).row_count == 1
    client.close()
