"""The endpoint's directory: closed to the outside, one owner, nothing lost and nothing left after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import clickhouse_connect
import pytest
from clickhouse_connect.driver.exceptions import ClickHouseError, DatabaseError

from inzage.deploy.local.clickhouse.access import Access
from inzage.deploy.local.clickhouse.accounts import account_of
from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.roles import Role

Factory = Callable[..., Endpoint]
TABLE = "CREATE TABLE trail (id UInt64, raw String) ENGINE = MergeTree ORDER BY id"

OUTSIDE = [
    "SELECT * FROM file('x.csv', 'CSV', 'a String')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'CSV', 'a String')",
    "SELECT * FROM '/etc/hostname'",
    "INSERT INTO FUNCTION file('x.csv', 'CSV', 'a String') VALUES ('x')",
    "INSERT INTO FUNCTION url('http://127.0.0.1:1/', 'CSV', 'a String') VALUES ('x')",
    "SELECT * FROM remote('127.0.0.1', 'system.one')",
    "SELECT * FROM executable('cat /etc/hostname', 'TSV', 'a String')",
    "SELECT file('/etc/hostname')",
    "SELECT 1 INTO OUTFILE 'x.csv'",
    "INSERT INTO inzage.schemas FROM INFILE '/etc/hostname' FORMAT RawBLOB",
]


def test_nobody_reaches_outside(tmp_path: Path, clickhouse_factory: Factory) -> None:
    """Files, programs and other machines are refused to whoever may insert and select (what a row suffers is in
    test_roles.py).
    """
    endpoint = clickhouse_factory(tmp_path / "clickhouse", access=Access.APPEND_ONLY, migrate=True)
    settings = Settings(data_dir=tmp_path, clickhouse={"url": endpoint.url, "database": "inzage"})
    client = open_clickhouse(account_of(settings, Role.SINK), answer_within=30)
    allowed = []
    for statement in OUTSIDE:
        try:
            client.command(statement)
            allowed.append(statement)
        except DatabaseError as refused:
            if refused.code != 497:
                allowed.append(f"{statement}: {refused.code}")
    assert allowed == []
    with pytest.raises(DatabaseError) as refused:
        client.command("SET dialect = 'prql'")
    assert refused.value.code == 452
    client.close()


def test_kill_loses_no_acknowledged_row_and_leaves_no_file(tmp_path: Path, clickhouse_factory: Factory) -> None:
    """SIGKILL in the middle of inserts: what was acknowledged is there after the next start."""
    endpoint = clickhouse_factory(tmp_path)
    client = clickhouse_connect.get_client(host=endpoint.host, port=endpoint.port)
    client.command(TABLE)
    acknowledged: list[int] = []

    def insert_until_the_end() -> None:
        try:
            for number in range(10_000):
                client.insert("trail", [[number, f"secret-{number}"]], column_names=["id", "raw"])
                acknowledged.append(number)
        except ClickHouseError:
            pass

    writer = threading.Thread(target=insert_until_the_end)
    writer.start()
    while len(acknowledged) < 20:
        writer.join(0.01)
    assert endpoint.pid is not None
    os.kill(endpoint.pid, signal.SIGKILL)
    writer.join()
    leftover = tmp_path / "tmp" / "spilled"
    leftover.write_text("secret-0")

    again = clickhouse_factory(tmp_path)
    reader = clickhouse_connect.get_client(host=again.host, port=again.port)
    kept = {row[0] for row in reader.query("SELECT id FROM trail").result_rows}
    assert set(acknowledged) <= kept
    assert kept <= set(range(len(acknowledged) + 1))
    assert list((tmp_path / "tmp").iterdir()) == []
    assert (tmp_path / "tmp").stat().st_mode & 0o777 == 0o700
    reader.close()


def test_second_process_on_the_directory_is_refused(tmp_path: Path, clickhouse_factory: Factory) -> None:
    """It ends with exit code 2 and names the directory; the first one goes on."""
    endpoint = clickhouse_factory(tmp_path)
    second = Endpoint(tmp_path, migrate=False)
    done = subprocess.run(second.command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr and "in use" in done.stderr
    assert endpoint.ready()


def test_taken_port_is_refused_with_its_setting(tmp_path: Path, clickhouse: Endpoint) -> None:
    second = Endpoint(tmp_path, port=clickhouse.port, migrate=False)
    done = subprocess.run(second.command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 2
    assert f"port {clickhouse.port} is taken (clickhouse.url)" in done.stderr


def test_migrations_run_before_the_grants(tmp_path: Path) -> None:
    """`prepare` may do what the owner may; what is executed after it may not drop a table."""
    script = (
        "import pathlib, sys\n"
        "from inzage.deploy.local.clickhouse.engine import Engine\n"
        "from inzage.deploy.local.clickhouse.replies import QueryError\n"
        "said = []\n"
        "def prepare(execute):\n"
        "    execute('CREATE DATABASE inzage')\n"
        f"    execute({TABLE.replace('trail', 'inzage.trail')!r})\n"
        "    said.append(execute('SELECT 1, NULL'))\n"
        "engine = Engine(pathlib.Path(sys.argv[1]), prepare=prepare)\n"
        "assert said == ['1\\t\\\\N\\n'], said\n"
        "try:\n"
        "    engine._execute('DROP TABLE inzage.trail')\n"
        "except QueryError as refused:\n"
        "    print(refused.number)\n"
        "engine.close()\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=240)
    assert (done.stdout, done.returncode) == ("497\n", 0), done.stderr
