"""Judges as much twice as one likes, by ClickHouse and without it.

`python -m tests.differential.twice --rows 200000`: events that nobody would say, then every example and scenario,
then every expression. Prints JSON lines; ends with 1 when something was judged differently.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from inzage.schemas.codec import current
from inzage.streams.screening.engine import Engine, engine
from inzage.streams.screening.examples import run_examples
from inzage.streams.screening.scenarios import run_scenarios
from inzage.streams.screening.together import Together
from tests.differential import probe, wild
from tests.differential.both import Both, judged_twice

SCENARIOS = [
    Path(__file__).parents[1] / "data" / "scenarios.jsonl",
    Path(__file__).parents[3] / "shared" / "domain" / "example-scenarios.jsonl",
]
_BATCH = 4_000
_wrong: list[str] = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for controller_id in ("CIGNA", "HMBS"):
        for seed in range(asked.seed, asked.seed + 2):
            random = Random(seed)
            for what, said in (
                ("examples", wild.of_examples(controller_id)),
                ("stream", wild.of_stream(controller_id, seed, 800)),
            ):
                both = Both()
                while both.rows < asked.rows / 8:
                    both.judge(engine(), said.controller, current("activity"), said.made(random, _BATCH))
                _tell(f"wild {what} {controller_id} seed {seed}", both)
    for controller_id in ("CIGNA", "HMBS"):
        with judged_twice() as both:
            run_examples(controller_id)
        _tell(f"examples {controller_id}", both)
    for path in SCENARIOS:
        if path.exists():
            with judged_twice() as both, patch.object(Together, "run", _one_by_one):
                run_scenarios(path)
            _tell(path.name, both)
    compiled, wrong = probe.differences(list(probe.expressions()), probe.table(Random(asked.seed), 60))
    _say({"what": "expressions", "compiled": compiled, "different": len(wrong)})
    _wrong.extend(wrong)
    sys.stderr.writelines(f"{text}\n" for text in _wrong[:20])
    sys.exit(1 if _wrong else 0)


def _one_by_one(_: Together, tasks: Sequence[Callable[[Engine], Any]]) -> list[Any]:
    """In place of screenings that share passes of the engine, which are judged by it alone."""
    return [task(engine()) for task in tasks]


def _tell(what: str, both: Both) -> None:
    counts = {"rows": both.rows, "hits": both.hits, "declined": len(both.declined), "found": len(both.found)}
    _say({"what": what, **counts, "different": len(both.different)})
    if both.different:
        _wrong.append(both.report())


def _say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
