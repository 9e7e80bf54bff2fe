"""Reads YAML as an analyst means it: NO is a country, 2026-03-02 a text, only true and false are booleans."""

from __future__ import annotations

import re
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """YAML 1.2 booleans, and no dates: the contract reads times itself."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")
    ]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))


def load(text: str) -> Any:
    """The content of `text`; raises `yaml.YAMLError`."""
    return yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
