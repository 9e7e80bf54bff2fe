"""Runs every benchmark of this folder in one go and prints one table: `python -m benchmarks [NAME ...]`.

Those that take `--bootstrap-servers` share a broker that is started here, those that take `--clickhouse` an endpoint;
the others start what they need. Each prints lines of JSON, which are kept under `build/benchmarks.jsonl`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from inzage.deploy.local.clickhouse.endpoint import Endpoint
from inzage.deploy.local.kafka import Broker

HERE = Path(__file__).parent
KEPT = HERE.parent / "build" / "benchmarks.jsonl"
WITHIN = 1800.0  # seconds for one benchmark; filling a trail of five million rows takes most of it


def main(wanted: list[str]) -> int:
    """Run the benchmarks `wanted`, all when empty; 1 when one of them fails or misses its aim."""
    files = sorted(file for file in HERE.glob("*.py") if not file.name.startswith("_"))
    chosen = [file for file in files if not wanted or file.stem in wanted]
    results: list[dict[str, Any]] = []
    failed = []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        servers = _Servers(Path(folder), running)
        for file in chosen:
            print(f"{file.stem} ...", file=sys.stderr, flush=True)
            ended = subprocess.run(
                [sys.executable, str(file), *servers.options(file)],
                env={**os.environ, "PYTHONPATH": str(HERE.parent)},
                stdout=subprocess.PIPE,
                text=True,
                check=False,
                timeout=WITHIN,
            )
            results += [{"benchmark": file.stem, **line} for line in _lines(ended.stdout)]
            if ended.returncode:
                failed.append(file.stem)
    _show(results)
    _keep(results)
    for name in failed:
        print(f"{name} failed or missed its aim", file=sys.stderr)
    return 1 if failed else 0


class _Servers:
    """Starts broker and endpoint for the first benchmark that asks for one."""

    def __init__(self, folder: Path, running: ExitStack) -> None:
        self._folder = folder
        self._running = running
        self._started: dict[str, str] = {}

    def options(self, file: Path) -> Iterator[str]:
        text = file.read_text(encoding="utf-8")
        for option in ("--bootstrap-servers", "--clickhouse"):
            if f'"{option}"' in text:
                yield from (option, self._address(option))

    def _address(self, option: str) -> str:
        if option not in self._started:
            if option == "--bootstrap-servers":
                broker = self._running.enter_context(Broker(self._folder / "kafka"))
                self._started[option] = broker.bootstrap_servers
            else:
                self._started[option] = self._running.enter_context(Endpoint(self._folder / "clickhouse")).url
        return self._started[option]


def _lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def _show(results: list[dict[str, Any]]) -> None:
    table = Table("benchmark", "of", "measured", header_style="bold")
    for result in results:
        words = [str(value) for name, value in result.items() if isinstance(value, str) and name != "benchmark"]
        figures = [
            f"{name.replace('_', ' ')} {value:,}"
            for name, value in result.items()
            if isinstance(value, (int, float)) and not isinstance(value, bool)
        ]
        table.add_row(result["benchmark"], ", ".join(words), "\n".join(figures))
    Console().print(table)


def _keep(results: list[dict[str, Any]]) -> None:
    KEPT.parent.mkdir(exist_ok=True)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    KEPT.write_text("".join(json.dumps({"at": at, **result}) + "\n" for result in results), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
