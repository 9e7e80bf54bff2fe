"""Decides what a client of the local endpoint may do: append and read, and nothing that undoes a row.

ClickHouse enforces it from a users file, since chDB has no CREATE USER. It is a guard rail; the proof that
nothing was changed is the ledger's. `everything` is for tests and for a table somebody tries out.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from xml.sax.saxutils import escape


class Access(StrEnum):
    """What the connected user is granted."""

    APPEND_ONLY = "append-only"
    EVERYTHING = "everything"


_GRANTS = {Access.APPEND_ONLY: "GRANT SELECT, INSERT ON *.*", Access.EVERYTHING: "GRANT ALL ON *.*"}

# Statements are read before they run (statements.py); these would let text run that was not read.
_FIXED_SETTINGS = ("dialect", "allow_experimental_eval_table_function", "allow_experimental_ai_functions")


def write_configuration(directory: Path, access: Access, *, fsync: bool) -> Path:
    """Write the server's and the users' file for `access` into `directory`; returns the server's."""
    users = directory / f"users-{access}.xml"
    users.write_text(_users(_GRANTS[access]), encoding="utf-8")
    config = directory / f"config-{access}.xml"
    config.write_text(_config(users, fsync=fsync), encoding="utf-8")
    return config


def _users(grant: str) -> str:
    fixed = "".join(f"<{name}><const/></{name}>" for name in _FIXED_SETTINGS)
    return (
        f"<clickhouse><profiles><default><constraints>{fixed}</constraints></default></profiles>"
        "<users><default><password></password><networks><ip>::/0</ip></networks>"
        "<profile>default</profile><quota>default</quota>"
        f"<grants><query>{escape(grant)}</query></grants>"
        "</default></users><quotas><default/></quotas></clickhouse>"
    )


def _config(users: Path, *, fsync: bool) -> str:
    durable = str(int(fsync))
    return (
        f"<clickhouse><users_config>{escape(str(users))}</users_config><merge_tree>"
        f"<fsync_after_insert>{durable}</fsync_after_insert>"
        f"<fsync_part_directory>{durable}</fsync_part_directory>"
        "</merge_tree></clickhouse>"
    )
