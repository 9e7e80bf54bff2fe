"""Reads a tenant's settings as people write them: which setting a key means, and what its value is."""

from __future__ import annotations

import re

_SWITCH = {"true": 1.0, "yes": 1.0, "on": 1.0, "allowed": 1.0, "false": 0.0, "no": 0.0, "off": 0.0, "forbidden": 0.0}


def setting_name(key: str) -> str:
    """The setting that `key` names: its own name, or the words by which the field calls it."""
    name = key.casefold().replace("-", "_").replace(".", "_")
    called = {
        "derogation": "derogation_limit",
        "occasional": "derogation_limit",
        "tia": "assessment_max_days",
        "transfer_assessment": "assessment_max_days",
        "cell": "smallest_cell",
        "certification_grace": "certification_grace_seconds",
        "archive": "archive_allowed",
        "anonym": "anonymity_k",
        "record_cap": "record_cap",
        "max_records": "record_cap",
        "client_system": "client_systems",
        "client_db": "client_systems",
    }
    return next((setting for word, setting in called.items() if word in name and "categories" not in name), name)


def setting_value(text: str, default: float | list[str]) -> float | list[str]:
    """The value of a setting: words, a number, or an ISO 8601 period in days (hours and minutes in seconds)."""
    if isinstance(default, list):
        return [word for word in re.split(r"[\s,\[\]\"']+", text) if word]
    if text.casefold() in _SWITCH:
        return _SWITCH[text.casefold()]
    period = re.fullmatch(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", text)
    if period is not None:
        years, months, days, hours, minutes = (int(part or 0) for part in period.groups())
        return float(hours * 3600 + minutes * 60) if hours or minutes else years * 365.0 + months * 30.5 + days
    found = re.search(r"\d+(\.\d+)?", text)
    return float(found.group()) if found else default
