"""Decides whether a log may be said to be dropped below an index: only what a proof connects with what was sealed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from inzage.schemas.errors import ContractError
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import HASH_BYTES
from inzage.sinks.ledger.proofs import ProofError, verify_consistency
from inzage.sinks.sealing.round import Prune
from inzage.sinks.sealing.state import Standing

_MOST_WORDS = 1000  # characters of reason and approver


class RequestRefusedError(ContractError):
    """The request asks for what cannot be said."""

    code = "pruning.refused"


def statement(
    request: Mapping[str, Any],
    standing: Standing | None,
    pruned_below: int,
    root_of: Callable[[str, int], bytes | None],
) -> Prune:
    """The statement that a `PruningRequest` asks for.

    `standing` is the log as it was last sealed; `root_of` gives the root it was sealed with at a size;
    `pruned_below` is the index of the statement before, 0 for none.

    Raises `RequestRefusedError`.
    """
    if standing is None:
        raise RequestRefusedError("the log was never sealed")
    index, size = request["minimum_index"], request["size"]
    if not pruned_below < index <= standing.tree.size:
        raise RequestRefusedError(f"index {index} is not above {pruned_below} and within {standing.tree.size}")
    if request["minimum_offset"] != standing.base + index:
        raise RequestRefusedError(f"index {index} is not offset {request['minimum_offset']}")
    root = root_of(standing.origin, size)
    if root is None:
        raise RequestRefusedError(f"the root at size {size} is not known: ask with a newer checkpoint")
    if any(len(found) != HASH_BYTES for found in request["frontier"]):
        raise RequestRefusedError("the frontier has hashes of another length")
    try:
        frontier = CompactRange.of(index, request["frontier"])
        verify_consistency(index, size, frontier.root(), root, request["consistency"])
    except ValueError as error:
        raise RequestRefusedError(f"the frontier is not one of {index} records") from error
    except ProofError as error:
        raise RequestRefusedError("the frontier does not lead to what was sealed") from error
    return Prune(
        standing.origin,
        index,
        request["minimum_offset"],
        standing.tree.size,
        standing.tree.root(),
        tuple(request["frontier"]),
        _line(request["reason"], "reason"),
        _line(request["approver"], "approver"),
    )


def _line(words: str, field: str) -> str:
    if not words.strip() or len(words) > _MOST_WORDS or not words.isprintable():
        raise RequestRefusedError(f"{field}: one line of text is expected")
    return words
