"""What the broker needs is fetched once, completely, and its absence is said plainly."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from inzage.deploy.local import artefacts


def test_entry_is_complete_when_two_fill_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both callers get the same complete entry and no temporary folder stays."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    both = threading.Barrier(2)

    def fill(into: Path) -> None:
        (into / "first").touch()
        both.wait(timeout=5)
        (into / "second").touch()

    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(artefacts.cached("program-1", fill))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found == [tmp_path / "inzage" / "program-1"] * 2
    assert sorted(path.name for path in found[0].iterdir()) == ["first", "second"]
    assert [path.name for path in found[0].parent.iterdir()] == ["program-1"]


def test_failed_fill_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A download that breaks off is not taken for an entry the next time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def fill(into: Path) -> None:
        (into / "first").touch()
        raise artefacts.ArtefactError("broke off")

    with pytest.raises(artefacts.ArtefactError):
        artefacts.cached("program-1", fill)
    assert list((tmp_path / "inzage").iterdir()) == []


@pytest.mark.parametrize("said, accepted", [('openjdk version "17.0.2"', True), ('java version "1.8.0"', False)])
def test_java_must_be_17_or_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, accepted: bool) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\necho '{said}' >&2\n")
    java.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    if accepted:
        assert artefacts.java() == java
    else:
        with pytest.raises(artefacts.ArtefactError, match="no Java 17"):
            artefacts.java()
