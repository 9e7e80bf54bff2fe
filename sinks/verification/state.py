"""Keeps what a verifier accepted the time before, and how far a run came that was interrupted.

One JSON file, replaced as a whole, so that it is either the old one or the new one. It belongs to the verifier: a
trail that was cut short on all sides is noticed only by comparison with it.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.sinks.verification.finding import Finding, Severity

VERSION = 1


@dataclass(frozen=True, slots=True)
class Seen:
    """A tree that was accepted: `hashes` are its compact range, the largest subtree first."""

    size: int
    root: bytes
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a log was examined: `tree` is that of a checkpoint whose root came out, `findings` those before it."""

    tree: Seen
    decoded: int
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class VerifierState:
    """`seen`: logs and meta logs by origin. `reached`: an unfinished run, by origin, of the run named `run`."""

    seen: dict[str, Seen] = field(default_factory=dict)
    run: str = ""
    reached: dict[str, Reached] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> VerifierState:
        """The state in `file`, empty when there is none; raises `ConfigError` for a file that is no state."""
        if not file.exists():
            return cls()
        try:
            said = json.loads(file.read_text(encoding="utf-8"))
            if said["version"] != VERSION:
                raise ConfigError(f"--state: {file}: written by another version", code="config.state")
            return cls(
                {origin: _seen(one) for origin, one in said["seen"].items()},
                said["run"],
                {origin: _reached(one) for origin, one in said["reached"].items()},
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            hint = "it says what was accepted before: restore it rather than delete it"
            raise ConfigError(
                f"--state: {file}: cannot be read as a state", code="config.state", hint=hint
            ) from error

    def write(self, file: Path) -> None:
        """Replace `file`; raises `ConfigError` when that cannot be."""
        said = {
            "version": VERSION,
            "seen": {origin: _plain(seen) for origin, seen in sorted(self.seen.items())},
            "run": self.run,
            "reached": {
                origin: {
                    "tree": _plain(one.tree),
                    "decoded": one.decoded,
                    "findings": [asdict(finding) for finding in one.findings],
                }
                for origin, one in sorted(self.reached.items())
            },
        }
        draft = file.with_name(f"{file.name}.{os.getpid()}")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("w", encoding="utf-8") as opened:
                json.dump(said, opened)
                opened.flush()
                os.fsync(opened.fileno())
            draft.replace(file)
        except OSError as error:
            raise ConfigError(f"--state: {file}: cannot be written", code="config.state") from error


def _plain(seen: Seen) -> dict[str, Any]:
    hashes = [base64.b64encode(one).decode() for one in seen.hashes]
    return {"size": seen.size, "root": base64.b64encode(seen.root).decode(), "hashes": hashes}


def _seen(said: Mapping[str, Any]) -> Seen:
    hashes = tuple(base64.b64decode(one, validate=True) for one in said["hashes"])
    return Seen(int(said["size"]), base64.b64decode(said["root"], validate=True), hashes)


def _reached(said: Mapping[str, Any]) -> Reached:
    findings = tuple(Finding(**{**one, "severity": Severity(one["severity"])}) for one in said["findings"])
    return Reached(_seen(said["tree"]), int(said["decoded"]), findings)
