"""Decides how a process built on Faust logs: one JSON object a line on stderr; nothing in it is about a person."""

from __future__ import annotations

import logging
from typing import Any

import structlog


def log_as_json() -> None:
    """Log so from now on; what libraries say below a warning is left out."""
    shared: list[Any] = [structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in ("kafka", "aiokafka", "faust", "mode", "sqlglot"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
