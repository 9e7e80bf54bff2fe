"""Keeps the words of the contract: every enumeration, each symbol with its W3C DPV 2.3 term where there is one.

`terms.csv` is the source; its order is the order of the Avro symbols, so a new symbol goes to the end of its
enumeration. The first symbol of each is UNKNOWN: the Avro default by which readers survive a newer writer, and
missing input to every policy. OTHER means stated, but in words this vocabulary does not have.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType

UNKNOWN = "UNKNOWN"
OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Term:
    """One symbol; `iri` is empty where DPV has no term, `match` is exact, close, broad, related or none."""

    enum: str
    symbol: str
    iri: str
    match: str
    label: str


@cache
def terms() -> Mapping[str, Mapping[str, Term]]:
    """All terms: enumeration name -> symbol -> term, in the order of the Avro symbols."""
    found: dict[str, dict[str, Term]] = {}
    text = files("inzage.schemas.vocabulary").joinpath("terms.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        term = Term(row["enum"], row["symbol"], row["iri"], row["match"], row["dpv_label"])
        found.setdefault(term.enum, {})[term.symbol] = term
    return MappingProxyType({enum: MappingProxyType(symbols) for enum, symbols in found.items()})


def symbols(enum: str) -> tuple[str, ...]:
    """The symbols of `enum` in Avro order; raises KeyError for a name that is no enumeration."""
    return tuple(terms()[enum])


def label(enum: str, symbol: str) -> str:
    """How a person calls a symbol: DPV's label where the term is exactly that, else the words of the symbol."""
    term = terms().get(enum, {}).get(symbol)
    if term is not None and term.match == "exact":
        return term.label
    if "_" in symbol or symbol.isupper():
        return symbol.replace("_", " ").lower()
    return re.sub(r"(?<!^)(?=[A-Z])", " ", symbol).lower()


def closest(enum: str, text: str) -> str | None:
    """The symbol of `enum` that `text` was probably meant to be, for an error message."""
    found = get_close_matches(text.upper(), symbols(enum), n=1, cutoff=0.7)
    return found[0] if found else None
