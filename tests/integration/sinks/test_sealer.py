"""The sealer on a real broker: what is on the topics becomes checkpoints, public, archived and in the trail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker
from inzage.sinks.ledger.checkpoint import Checkpoint
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.hashing import hash_leaf
from inzage.sinks.ledger.note import open_note
from inzage.sinks.ledger.signing_key import read_verifiers
from inzage.sinks.sealing.archive import Directory
from tests.trail_stack import Stack, stack_on

pytestmark = pytest.mark.kafka


@pytest.fixture
def stack(broker: Broker, clickhouse: Endpoint) -> Iterator[Stack]:
    with stack_on(broker, clickhouse, ledger=True, every_seconds=0.2, every_records=64) as made:
        yield made


async def test_everything_is_sealed(stack: Stack, tmp_path: Path) -> None:
    """Roots are those of the rows in the trail; the meta log is dense over the notes; the archive says the same."""
    stack.send_activities(range(300))
    stack.send_activities(range(20), partition=1)
    await stack.seal(tmp_path)
    stack.send_activities(range(300, 310))
    await stack.seal(tmp_path)
    await stack.keep_sealed()
    kept = stack.rows("SELECT origin, size, hex(root), note, meta_index FROM trail.checkpoints ORDER BY log_offset")
    keys = read_verifiers(tmp_path / "sealer" / "key.pub")
    meta = CompactRange()
    for origin, size, hexed, note, meta_index in kept:
        root = bytes.fromhex(hexed)
        assert Checkpoint.read(open_note(note, keys).text) == Checkpoint(origin, size, root)
        if meta_index < 0:
            assert (origin, size, root) == (stack.cluster().meta_origin, meta.size, meta.root())
        else:
            assert meta_index == meta.size
            meta.extend([hash_leaf(note.encode())])
            leaves = stack.rows(
                f"SELECT leaf_hash FROM trail.log WHERE log_id = '{origin}' ORDER BY offset LIMIT {size}"
            )
            tree = CompactRange()
            tree.extend([leaf for (leaf,) in leaves])
            assert (tree.size, tree.root()) == (size, root)
    sizes: dict[str, list[int]] = {}
    for origin, size, _, _, meta_index in kept:
        if meta_index >= 0:
            sizes.setdefault(origin.rpartition("/")[2], []).append(size)
    assert sizes == {"0": [64, 128, 192, 256, 300, 310], "1": [20]}
    archived = [json.loads(_archive(tmp_path).get(name)) for name in _archive(tmp_path).names()]
    notes = [note for *_, note, meta_index in kept if meta_index >= 0]
    assert [checkpoint["note"] for round_ in archived for checkpoint in round_["checkpoints"]] == notes


def _archive(folder: Path) -> Directory:
    return Directory(folder / "archive")
