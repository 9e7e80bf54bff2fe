"""Checkpoints, statements and archive that were removed, changed, forged or contradicted are found and named."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from inzage.schemas.errors import ConfigError
from inzage.sinks.ledger.compact_range import CompactRange
from inzage.sinks.ledger.note import Signer
from inzage.sinks.sealing.round import Cut, Prune
from inzage.sinks.verification.finding import Severity
from tests.hostile.sealed_trail import ACTIVITIES, Case, SealedTrail, only

SIZE = ACTIVITIES + 4


def _rounds(case: Case) -> list[Path]:
    return sorted(case.archive.rglob("*.json"), key=lambda file: file.name)


# 5. The newest rows and the newest checkpoints together


def test_a_trail_cut_short_on_all_sides_is_shorter_than_it_was(case: Case) -> None:
    """Nothing in it is wrong: only who saw it before can tell."""
    for table in ("events", "facts", "other_records"):
        case.run(f"ALTER TABLE trail.{table} DELETE WHERE {{log}} AND offset >= 600")
    first = case.rows(
        "SELECT min(meta_index) FROM trail.checkpoints WHERE size > 600 AND meta_index >= 0 AND origin = '"
        f"{case.origin}'"
    )[0][0]
    case.run(
        f"ALTER TABLE trail.checkpoints DELETE WHERE meta_index >= {first} OR (meta_index < 0 AND size > {first})"
    )
    for file in _rounds(case):
        file.unlink()
    found = case.found(archive=None)
    assert (case.origin, 600, SIZE - 1) in [(one.log, one.first, one.last) for one in only(found, "state.shorter")]
    assert (case.origin, 600, SIZE - 1) in [(one.log, one.first, one.last) for one in only(found, "row.missing")]


def test_with_the_archive_it_is_seen_without_having_been_there_before(case: Case) -> None:
    case.run("ALTER TABLE trail.checkpoints DELETE WHERE size > 600")
    case.run("ALTER TABLE trail.events DELETE WHERE {log} AND offset >= 600")
    found = case.found(state=None)
    assert {one.source for one in only(found, "checkpoint.missing")} == {"ClickHouse"}
    [gone] = [one for one in only(found, "row.missing") if one.log == case.origin]
    assert (gone.first, gone.last) == (600, ACTIVITIES - 1)


def test_what_arrives_late_is_not_what_was_deleted(case: Case) -> None:
    [(last,)] = case.rows("SELECT max(meta_index) FROM trail.checkpoints")
    case.run(f"ALTER TABLE trail.checkpoints DELETE WHERE meta_index = {last} OR (meta_index < 0 AND size > {last})")
    case.late = timedelta(hours=1)
    findings = case.verify().findings
    assert {(one.severity, one.code) for one in findings} == {(Severity.NOTE, "source.behind")}


# 6. Checkpoints that are gone


@pytest.mark.parametrize("indexes", [(2, 3, 4), (0,), (1, 5)])
def test_every_deleted_checkpoint_is_listed(case: Case, indexes: tuple[int, ...]) -> None:
    listed = ", ".join(map(str, indexes))
    case.run(f"ALTER TABLE trail.checkpoints DELETE WHERE meta_index IN ({listed})")
    found = case.found()
    assert [(one.code, one.first, one.source) for one in found] == [
        ("checkpoint.missing", index, "ClickHouse") for index in indexes
    ]
    by_kafka = case.found(archive=None, kafka=True, state=None)
    assert [one.first for one in by_kafka] == list(indexes)


def test_a_checkpoint_that_is_gone_everywhere_is_listed_by_its_place(case: Case) -> None:
    case.run("ALTER TABLE trail.checkpoints DELETE WHERE meta_index IN (2, 3)")
    found = only(case.found(archive=None), "checkpoint.missing")
    assert [(one.first, one.source) for one in found] == [(2, ""), (3, "")]


def test_rounds_gone_from_the_archive_are_listed(case: Case) -> None:
    first, *_ = _rounds(case)
    held = case.rows(
        f"SELECT count() FROM trail.checkpoints WHERE meta_index < {int(first.stem)} AND meta_index >= 0"
    )
    first.unlink()
    found = only(case.found(), "checkpoint.missing")
    assert {one.source for one in found} == {"archive"}
    assert len(found) == held[0][0] + 1  # and the meta log's own


# 9. Two roots of one size, and a rollback


def _other_root(case: Case, size: int) -> bytes:
    tree = CompactRange()
    tree.extend([bytes([number % 251]) * 32 for number in range(size)])
    return tree.root()


def test_two_roots_of_one_size_signed_by_the_sealer(case: Case) -> None:
    case.seal(Cut(case.origin, 0, 300, _other_root(case, 300)))
    found = case.found()
    assert (case.origin, 300) in [(one.log, one.first) for one in only(found, "log.two-roots")]


def test_two_roots_of_the_meta_log(case: Case) -> None:
    """The archive tells another story of the same round than ClickHouse."""
    twin = case.folder / "twin"
    with case.trail.copy(_made(twin)) as other:
        other.seal(Cut(case.origin, 0, SIZE + 1, _other_root(case, SIZE + 1)))
        newest = _rounds(other)[-1]
        case.seal(Cut(case.origin, 0, SIZE + 1, case.tree(SIZE).root()))
        [standing] = [file for file in _rounds(case) if file.name == newest.name]
        standing.write_bytes(newest.read_bytes())
    meta = case.trail.stack.cluster().meta_origin
    found = only(case.found(state=None), "log.two-roots")
    assert {(one.log, one.first) for one in found} >= {(meta, int(newest.stem)), (case.origin, SIZE + 1)}


def test_a_rollback_to_a_smaller_size(case: Case) -> None:
    case.seal(Cut(case.origin, 0, 650, case.tree(650).root()))
    [finding] = only(case.found(), "log.rollback")
    assert (finding.log, finding.first) == (case.origin, 650)


def test_a_checkpoint_that_does_not_follow_from_the_rows(case: Case) -> None:
    case.seal(Cut(case.origin, 0, SIZE + 1, _other_root(case, SIZE + 1)))
    found = case.found()
    assert [(one.log, one.first) for one in only(found, "row.missing")] == [(case.origin, SIZE)]
    assert only(found, "log.root")


def test_a_round_signed_with_another_key(case: Case) -> None:
    """The name is the sealer's, the key is not."""
    case.seal(Cut(case.origin, 0, SIZE, case.tree(SIZE).root()), signer=Signer.generate("inzage-sealer"))
    found = only(case.found(), "checkpoint.signature")
    assert {one.source for one in found} == {"ClickHouse", "archive"}
    assert case.origin in {one.log for one in found}


def test_a_key_one_does_not_trust(case: Case) -> None:
    verdict = case.verify(keys=(Signer.generate("inzage-sealer").verifier,), state=None)
    assert len(only(list(verdict.findings), "checkpoint.signature")) >= 2 * verdict.checkpoints
    with pytest.raises(ConfigError, match="no key"):
        case.verify(keys=())


@pytest.mark.parametrize("column", ["size = size + 1", "root = reverse(root)", "origin = concat(origin, '1')"])
def test_columns_that_say_other_than_the_note(case: Case, column: str) -> None:
    case.run(f"ALTER TABLE trail.checkpoints UPDATE {column} WHERE meta_index = 2")
    found = only(case.found(), "checkpoint.columns")
    assert [one.first for one in found] == [2]


def test_a_changed_note(case: Case) -> None:
    case.run(
        "ALTER TABLE trail.checkpoints UPDATE note = replaceOne(note, '\\n300\\n', '\\n301\\n') WHERE meta_index = 2"
    )
    [finding] = only(case.found(), "checkpoint.signature")
    assert (finding.first, finding.source) == (2, "ClickHouse")


def test_changed_subtrees_do_not_mislead(case: Case) -> None:
    """They are not signed: that they were changed shows in their column, and no row is blamed."""
    case.run("ALTER TABLE trail.checkpoints UPDATE subtrees = [] WHERE length(subtrees) > 0")
    found = case.found()
    assert {(one.code, one.column) for one in found} == {("column.changed", "subtrees")}


@pytest.mark.parametrize("what", ["truncated", "no json", "other name"])
def test_a_file_of_the_archive_that_is_no_round(case: Case, what: str) -> None:
    file = _rounds(case)[0]
    content = file.read_bytes()
    if what == "other name":
        file.rename(file.with_name(f"{99:020}.json"))
    else:
        file.write_bytes(content[:50] if what == "truncated" else b"[]")
    [finding] = only(case.found(), "archive.unreadable")
    assert (f"{99:020}" if what == "other name" else file.name) in finding.what


def test_everything_truncated(case: Case) -> None:
    for (table,) in case.rows(
        f"SELECT name FROM system.tables WHERE database = '{case.database}' AND engine = 'MergeTree'"
    ):
        case.run(f"TRUNCATE TABLE trail.`{table}`")
    found = case.found()
    assert ("ClickHouse", "checkpoint.missing") in {(one.source, one.code) for one in found}
    assert (case.origin, 0, SIZE - 1) in {(one.log, one.first, one.last) for one in only(found, "row.missing")}
    for file in _rounds(case):
        file.unlink()
    assert {one.log for one in only(case.found(), "state.shorter")} >= {case.origin}


# 10. Retention without its statement, and with it


def _prune(case: Case, index: int, frontier: CompactRange | None = None) -> Prune:
    tree = frontier or case.tree(index)
    root = case.tree(SIZE).root()
    return Prune(
        case.origin, index, index, SIZE, root, tuple(tree.hashes()), "ten years are over", "the privacy officer"
    )


def test_a_prune_without_its_statement(case: Case) -> None:
    case.delete("offset < 300")
    found = case.found()
    [finding] = only(found, "prune.unstated")
    assert (finding.log, finding.first, finding.last) == (case.origin, 0, 299)


@pytest.mark.parametrize("index", [300, 256, 37])
def test_a_stated_prune_is_valid(case: Case, index: int) -> None:
    case.seal(_prune(case, index))
    case.delete(f"offset < {index}")
    assert not case.found()
    assert not case.found(sample=80, state=None)


def test_more_was_dropped_than_was_stated(case: Case) -> None:
    case.seal(_prune(case, 300))
    case.delete("offset < 350")
    [finding] = only(case.found(), "row.missing")
    assert (finding.first, finding.last) == (300, 349)


def test_a_statement_whose_frontier_leads_nowhere(case: Case) -> None:
    wrong = CompactRange()
    wrong.extend([bytes(32)] * 300)
    case.seal(_prune(case, 300, wrong))
    case.delete("offset < 300")
    [finding] = only(case.found(), "log.root")
    assert (finding.log, finding.first) == (case.origin, 300)


def test_a_deleted_statement(case: Case) -> None:
    case.seal(_prune(case, 300))
    case.delete("offset < 300")
    case.run("TRUNCATE TABLE trail.prunings")
    [finding] = only(case.found(), "checkpoint.missing")
    assert (finding.log, finding.source) == (case.origin, "ClickHouse")


# 10. A sealer that was killed


@pytest.mark.parametrize("point", ["after-persist", "before-sign", "after-publish"])
def test_a_sealer_killed_between_persist_and_sign(sealed: SealedTrail, tmp_path: Path, point: str) -> None:
    """It finishes the round it kept: nothing is signed twice, and nothing is missing."""
    stack = sealed.stack

    def killed(passed: str) -> None:
        if passed == point:
            raise KeyboardInterrupt

    before = stack.rows("SELECT max(meta_index) FROM trail.checkpoints")
    stack.send_activities(range(5_000, 5_010), partition=1)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(stack.seal(sealed.folder, passes=killed))
    asyncio.run(_finish(sealed))
    assert stack.rows("SELECT max(meta_index) FROM trail.checkpoints") > before
    with sealed.copy(tmp_path) as case:
        assert not case.found()


async def _finish(sealed: SealedTrail) -> None:
    await sealed.stack.seal(sealed.folder)
    await sealed.stack.keep_sealed()


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
