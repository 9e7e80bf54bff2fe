"""Decides what the engine lets a connection do: one of the trail's roles, or everything.

chDB reads users and roles from a file and cannot create any (docs/adr/0007). Its connections all belong to one user,
who has been given the roles; each connection takes one of them with SET ROLE, and ClickHouse enforces it. The owner's
role is in a file of its own, so nothing that is said to the engine in ordinary times can reach it. `everything` is
for tests and for a table somebody tries out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from xml.sax.saxutils import escape

from inzage.sinks.roles import Role, grants


class Access(StrEnum):
    """What the endpoint's users may do."""

    APPEND_ONLY = "append-only"
    EVERYTHING = "everything"


class Rights(StrEnum):
    """What the engine can be opened with; a connection never has more."""

    EVERYTHING = "everything"
    OWNER = "owner"
    ROLES = "roles"
    """Every role but the owner's, of which each connection takes one."""


# Statements are read before they run (statements.py); these would let text run that was not read.
_FIXED_SETTINGS = ("dialect", "allow_experimental_eval_table_function", "allow_experimental_ai_functions")


def write_configuration(directory: Path, rights: Rights, *, fsync: bool) -> Path:
    """Write the server's and the users' file for `rights` into `directory`; returns the server's."""
    users = directory / f"users-{rights}.xml"
    users.write_text(_users(*_roles_and_grants(rights)), encoding="utf-8")
    config = directory / f"config-{rights}.xml"
    config.write_text(_config(users, fsync=fsync), encoding="utf-8")
    return config


def _roles_and_grants(rights: Rights) -> tuple[Mapping[str, Sequence[str]], str]:
    """The roles there are, and what the engine's user is granted."""
    if rights is Rights.EVERYTHING:
        return {}, "GRANT ALL ON *.*"
    held = [role for role in Role if (role is Role.OWNER) == (rights is Rights.OWNER)]
    stated = grants()
    return {role.name_in(): stated[role] for role in held}, f"GRANT {', '.join(role.name_in() for role in held)}"


def _users(roles: Mapping[str, Sequence[str]], granted: str) -> str:
    fixed = "".join(f"<{name}><const/></{name}>" for name in _FIXED_SETTINGS)
    named = "".join(f"<{name}>{_grants(texts)}</{name}>" for name, texts in roles.items())
    return (
        f"<clickhouse><profiles><default><constraints>{fixed}</constraints></default></profiles>"
        f"<roles>{named}</roles>"
        "<users><default><password></password><networks><ip>::/0</ip></networks>"
        "<profile>default</profile><quota>default</quota>"
        f"{_grants([granted])}"
        "</default></users><quotas><default/></quotas></clickhouse>"
    )


def _grants(texts: Sequence[str]) -> str:
    queries = "".join(f"<query>{escape(text)}</query>" for text in texts)
    return f"<grants>{queries}</grants>" if queries else ""


def _config(users: Path, *, fsync: bool) -> str:
    durable = str(int(fsync))
    return (
        f"<clickhouse><users_config>{escape(str(users))}</users_config><merge_tree>"
        f"<fsync_after_insert>{durable}</fsync_after_insert>"
        f"<fsync_part_directory>{durable}</fsync_part_directory>"
        "</merge_tree></clickhouse>"
    )
