"""Reads YAML as an analyst means it: NO is a country, 2026-03-02 a text, only true and false are booleans."""

from __future__ import annotations

import re
from typing import Any

import yaml

_Safe: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""That of libyaml where PyYAML was built with it: a pack is read in a tenth of the time."""


class _Loader(_Safe):  # type: ignore[misc, valid-type]
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


def load_list(text: str) -> list[tuple[int, dict[str, int], Any]]:
    """The items of a list with the line each begins on, from 1, and the lines of its own fields.

    Raises `yaml.YAMLError`, and `ValueError` for what is no list.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return []
        if not isinstance(root, yaml.SequenceNode):
            raise ValueError("expected a list")
        return [(node.start_mark.line + 1, _lines(node), loader.construct_document(node)) for node in root.value]
    finally:
        loader.dispose()


def _lines(node: yaml.Node) -> dict[str, int]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return {str(name.value): name.start_mark.line + 1 for name, _ in pairs}
