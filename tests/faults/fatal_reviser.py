"""Runs a reviser that ends after it published and before it commits, as often as a file says; or in another group."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from inzage.console.process_log import log_as_json
from inzage.console.revising.reviser import GROUP, Reviser
from inzage.schemas.settings import load_settings


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--deaths", type=Path, required=True, help="a file of as many bytes as deaths are left")
    parser.add_argument("--group", default=GROUP)
    arguments = parser.parse_args()

    class Fatal(Reviser):
        async def _publish(self, *given: Any, **named: Any) -> None:
            await Reviser._publish(self, *given, **named)
            left = arguments.deaths.read_bytes()
            if left:
                arguments.deaths.write_bytes(left[1:])
                os._exit(70)

    log_as_json()
    Fatal(load_settings(), group=arguments.group, every=0.5).run()


if __name__ == "__main__":
    main()
