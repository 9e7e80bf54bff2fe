"""Says what a file holds, or only tries it, and keeps count of what became of each line.

Nothing is passed over: what was read became events and facts, or stands among the refused with its line and reason.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from inzage.console.output import Output, say, show_object, show_rows
from inzage.schemas.emitter import Emitter, Vault
from inzage.schemas.emitter.message import message_of
from inzage.schemas.emitter.words import encrypt_words
from inzage.schemas.errors import ContractError
from inzage.schemas.json_face import Said

_FIELD = re.compile(r"([a-z_][\w.]*): ", re.IGNORECASE)


class Voice(Protocol):
    """Who says it."""

    def prepare(self, saids: list[Said]) -> None:
        """Encrypt what may reveal something and see that all of it can be said; raises `ContractError`."""
        ...

    def say(self, said: Said) -> None: ...

    def refuse(self, original: bytes | None, error: ContractError, *, line: int) -> None: ...


@dataclass(frozen=True, slots=True)
class LiveVoice:
    """Says it on Kafka."""

    emitter: Emitter

    def prepare(self, saids: list[Said]) -> None:
        _prepare(saids, self.emitter.vault)

    def say(self, said: Said) -> None:
        self.emitter.send(said)

    def refuse(self, original: bytes | None, error: ContractError, *, line: int) -> None:
        self.emitter.refuse(original, error, line=line)


@dataclass(frozen=True, slots=True)
class TrialVoice:
    """Makes the messages and keeps them to itself: no broker, nothing written."""

    vault: Vault

    def prepare(self, saids: list[Said]) -> None:
        _prepare(saids, self.vault)

    def say(self, said: Said) -> None:
        message_of(said)

    def refuse(self, original: bytes | None, error: ContractError, *, line: int) -> None:
        return None


@dataclass(slots=True)
class Emission:
    """What became of the lines of one file."""

    voice: Voice
    read: int = 0
    said: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def line(self, number: int, original: bytes | None, saids: Callable[[], list[Said]]) -> None:
        """Say what one line holds, all of it or, when anything in it is refused, none."""
        self.read += 1
        try:
            found = saids()
            self.voice.prepare(found)
            for said in found:
                self.voice.say(said)
                self.said["events" if said.kind == "activity" else "facts"] += 1
        except ContractError as error:
            self.voice.refuse(original, error, line=number)
            named = _FIELD.match(str(error))
            self.refused.append(
                {
                    "line": number,
                    "field": named.group(1) if named else None,
                    "reason": error.code,
                    "message": str(error),
                }
            )

    def counts(self, *, dry_run: bool) -> dict[str, Any]:
        """Read, events, facts, dead letters, and those by reason."""
        return {
            "read": self.read,
            "events": self.said["events"],
            "facts": self.said["facts"],
            "dead_letters": len(self.refused),
            "dead_letters_by_reason": dict(Counter(refused["reason"] for refused in self.refused)),
            "dry_run": dry_run,
        }

    def show(self, output: Output, *, dry_run: bool) -> None:
        """Print the counts, and the refused lines beside them."""
        counts = self.counts(dry_run=dry_run)
        if output is Output.TABLE:
            if self.refused:
                show_rows(sorted(self.refused, key=_line), ("line", "field", "reason", "message"), output)
            show_object(counts, output)
        else:
            show_object({**counts, "refused": sorted(self.refused, key=_line)}, output)
        if dry_run:
            say("nothing was sent")


def _prepare(saids: list[Said], vault: Vault) -> None:
    encrypt_words(saids, vault)
    if len(saids) > 1:
        for said in saids:
            message_of(said)


def _line(refused: Mapping[str, Any]) -> int:
    number: int = refused["line"]
    return number
