"""Packs say the same whether libyaml reads them or PyYAML does: which of them it is depends on the machine."""

from __future__ import annotations

from importlib.resources import files

import pytest
import yaml

from inzage.streams.screening import plain_yaml
from inzage.streams.screening.pack import packs_folder


class InPython(yaml.SafeLoader):
    """The same rules, without libyaml."""


InPython.yaml_implicit_resolvers = plain_yaml._Loader.yaml_implicit_resolvers
TEXTS = {
    one.name: one.read_text(encoding="utf-8")
    for folder in (packs_folder(), files("inzage.streams.screening"))
    for one in folder.iterdir()
    if one.name.endswith(".yaml")
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_a_text_that_ships_reads_the_same(name: str) -> None:
    assert plain_yaml.load(TEXTS[name]) == yaml.load(TEXTS[name], Loader=InPython)  # a SafeLoader


@pytest.mark.parametrize("loader", [plain_yaml._Loader, InPython])
def test_a_country_is_no_boolean_and_a_day_is_a_text(loader: type[yaml.SafeLoader]) -> None:
    text = "- {country: NO, on: 2026-03-02, at: 2026-03-02T10:00:00Z, kept: true, word: yes, none: null}\n"
    (read,) = yaml.load(text, Loader=loader)  # a SafeLoader
    assert read == {
        "country": "NO",
        "on": "2026-03-02",
        "at": "2026-03-02T10:00:00Z",
        "kept": True,
        "word": "yes",
        "none": None,
    }
    assert plain_yaml.load_list(text)[0][:2] == (1, dict.fromkeys(read, 1))
