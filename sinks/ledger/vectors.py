"""Runs proofs that were not made here: folders of JSON cases in the form of transparency-dev/merkle's test data.

A case of inclusion has `leafIdx`, `treeSize`, `leafHash`, `root`; one of consistency `size1`, `size2`, `root1`,
`root2`; both `proof` (base64, or null for none), `desc` and `wantErr`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inzage.schemas.errors import ConfigError
from inzage.sinks.ledger.proofs import ProofError, verify_consistency, verify_inclusion


@dataclass(frozen=True, slots=True)
class Ran:
    """One case. `found` is why the proof does not hold, empty when it does; `file` is relative to the folder."""

    file: str
    description: str
    wanted_error: bool
    found: str

    @property
    def passed(self) -> bool:
        return self.wanted_error == bool(self.found)


def run_vectors(folder: Path) -> Iterator[Ran]:
    """Run every `*.json` below `folder`, in order of name; raises `ConfigError` naming a file that is no case."""
    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder", code="config.vectors")
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise ConfigError(f"{folder}: no .json files in it", code="config.vectors")
    for file in files:
        name = str(file.relative_to(folder))
        try:
            case = json.loads(file.read_text(encoding="utf-8"))
            wanted, description = bool(case.get("wantErr", False)), str(case.get("desc", ""))
            found = _run(case)
        except (ValueError, TypeError, KeyError, AttributeError, binascii.Error) as error:
            why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
            raise ConfigError(f"{name}: not a case: {why}", code="config.vectors") from error
        yield Ran(name, description, wanted, found)


def _run(case: dict[str, Any]) -> str:
    """Why the proof does not hold, or nothing."""
    proof = [_bytes(part) for part in case.get("proof") or ()]
    try:
        if "leafIdx" in case:
            leaf, root = _bytes(case["leafHash"]), _bytes(case["root"])
            verify_inclusion(_size(case["leafIdx"]), _size(case["treeSize"]), leaf, proof, root)
        else:
            roots = _bytes(case["root1"]), _bytes(case["root2"])
            verify_consistency(_size(case["size1"]), _size(case["size2"]), *roots, proof)
    except ProofError as error:
        return str(error)
    return ""


def _size(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a whole number, not {value!r}")
    return value


def _bytes(text: str | None) -> bytes:
    return base64.b64decode(text or "", validate=True)
