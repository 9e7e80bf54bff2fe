"""Runs a PostgreSQL of one test's own, where this machine has one (Debian: `postgresql`)."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inzage.deploy.local.ports import free_port

_PASSWORD = "only for this test"


def programs() -> Path | None:
    """Where the newest server's programs are, None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database on a free port of 127.0.0.1; the server ends with the block."""
    programs_folder = programs()
    assert programs_folder is not None
    with tempfile.TemporaryDirectory(prefix="inzage-pg-") as name:
        folder, port = Path(name), free_port()
        (folder / "password").write_text(_PASSWORD)
        as_owner: list[str] = []
        if os.geteuid() == 0:  # the server refuses to run as root
            owner = pwd.getpwnam("postgres")
            for path in (folder, folder / "password"):
                os.chown(path, owner.pw_uid, owner.pw_gid)
            as_owner = [shutil.which("runuser") or "runuser", "-u", "postgres", "--"]
        data, log = folder / "data", folder / "log"
        make = ["--auth=scram-sha-256", "--username=inzage", f"--pwfile={folder / 'password'}", "--no-sync"]
        _run([*as_owner, str(programs_folder / "initdb"), f"--pgdata={data}", *make])
        control = [*as_owner, str(programs_folder / "pg_ctl"), f"--pgdata={data}", f"--log={log}", "-w"]
        _run([*control, "-o", f"-h 127.0.0.1 -p {port} -k {folder}", "start"])
        try:
            yield f"postgresql://inzage:{_PASSWORD.replace(' ', '%20')}@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"])


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", timeout=60)
