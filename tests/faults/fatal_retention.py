"""A run of retention that kills itself at a named point; a program of the fault tests.

    python -m tests.faults.fatal_retention SETTINGS POINT NOW

SETTINGS is JSON, POINT one of `inzage.sinks.retention.run.Point`, NOW a time in RFC 3339.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import datetime

from inzage.schemas.settings import Settings
from inzage.sinks.connection import open_clickhouse
from inzage.sinks.retention.run import Point, Run
from inzage.sinks.trail import Trail
from tests.aged_trail import WARRANT


def main(text: str, fatal: str, now: str) -> None:
    """Run until `fatal`, the first time it is come to."""

    def passes(point: Point) -> None:
        if point == fatal:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)

    settings = Settings.model_validate_json(text)
    trail = Trail(open_clickhouse(settings.clickhouse, answer_within=60), settings.clickhouse.database, 60.0)
    at = datetime.fromisoformat(now)
    Run(settings, settings.controllers[0], trail, trail, WARRANT, at, within=30, passes=passes).run()


if __name__ == "__main__":
    main(*sys.argv[1:])
