"""Makes the typed face of the emitter from the Avro schemas, so that an editor completes what the contract has.

`python -m inzage.schemas.emitter.declare` writes `typed/*.py`; a test compares, so neither can drift.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import fill
from typing import Any, cast

from inzage.schemas.codec import current
from inzage.schemas.json_face import SaidKind
from inzage.schemas.vocabulary import terms

_WIDTH = 116
_MADE = "Made by `python -m inzage.schemas.emitter.declare`; do not edit."
_RENAMED = {"Recipient": "RecipientCategory"}  # the record has the plain name
_ENVELOPE = ("fact_id", "recorded_at", "controller_id", "corrects")
_NOT_ASKED = frozenset(
    {
        "event_type",
        "controller_id",
        "subject",
        "source_system",
        "source_instance",
        "source_sequence",
        "other_data_items",
        "unrecognised",
    }
)
_PLAIN = {"string": "str", "long": "int", "double": "float", "boolean": "bool", "bytes": "bytes"}
_LOGICAL = {"timestamp-micros": "datetime | str", "date": "date | str"}


def files() -> Iterator[tuple[str, str]]:
    """Name and text of each file of `typed/`."""
    yield "__init__.py", f'"""The contract as an editor sees it.\n\n{_MADE}\n"""\n'
    yield "terms.py", _terms()
    yield "activities.py", _activities()
    yield "facts.py", _facts("fact", "What each fact about one data subject states.")
    yield "references.py", _facts("reference", "What each fact about organisations, agreements and law states.")
    yield "said.py", _said()


def main() -> None:
    """Write every file beside this one."""
    folder = Path(__file__).parent / "typed"
    folder.mkdir(exist_ok=True)
    for name, text in files():
        (folder / name).write_text(text, encoding="utf-8")


def _terms() -> str:
    declared = []
    for enum, symbols in terms().items():
        listed = ", ".join(f'"{symbol}"' for symbol in symbols)
        body = fill(listed, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False)
        declared.append(f"{_term(enum)} = Literal[\n{body},\n]")
    return _module("The terms of the vocabulary, one literal type for each enumeration.", "\n".join(declared), ())


def _term(enum: str) -> str:
    return _RENAMED.get(enum, enum)


def _activities() -> str:
    source = json.loads(current("activity").text)
    nested = [record for record in _records(source) if record["name"] not in ("Activity", "Subject")]
    declared = [_typed_dict(record["name"], record["doc"], record["fields"]) for record in nested]
    asked = [field for field in source["fields"] if field["name"] not in _NOT_ASKED]
    declared.append(_typed_dict("ActivityFields", "What an activity can state, beside whose data it is.", asked))
    used = [_term(enum) for enum in terms()]
    return _module("What an upstream system can state about an activity.", "\n\n".join(declared), used)


def _facts(name: SaidKind, title: str) -> str:
    source = json.loads(current(name).text)
    kinds = source["fields"][-1]["type"]
    envelope = [
        {"name": field["name"], "type": ["null", field["type"]]}
        for field in source["fields"]
        if field["name"] in _ENVELOPE
    ]
    declared = [_typed_dict("Statement", "What every statement may carry.", envelope)]
    named = {kind["name"] for kind in kinds}
    for record in (record for kind in kinds for record in _records(kind)):
        parent = "Statement" if record["name"] in named else "TypedDict"
        declared.append(_typed_dict(record["name"], record["doc"], record["fields"], parent))
    return _module(title, "\n\n".join(declared), [_term(enum) for enum in terms()])


def _said() -> str:
    body = ["class Says:", '    """Facts and references, said by the name of their kind."""', ""]
    for name, subject in (("fact", "subject: str, "), ("reference", "")):
        for kind in json.loads(current(cast("SaidKind", name)).text)["fields"][-1]["type"]:
            typed = f"{name}s.{kind['name']}"
            star = f"*, {subject}" if subject else ""
            body += [
                "    @overload",
                f"    def {name}(",
                f'        self, kind: Literal["{kind["name"]}"], /, {star}**said: Unpack[{typed}]',
                "    ) -> str: ...",
            ]
        passed = '{"subject": subject, **said}' if subject else "said"
        body += [
            f"    def {name}(self, kind: str, /, {star}**said: Any) -> str:",
            f'        """Say a {name} of this kind; returns its fact_id. Raises `ContractError` naming a field."""',
            f"        return self._say_fact(kind, {passed})",
            "",
        ]
    body += [
        "    def _say_fact(self, kind: str, said: dict[str, Any]) -> str:",
        "        raise NotImplementedError",
    ]
    title = "The methods of the emitter that say facts, one signature for each kind."
    return _module(title, "\n".join(body), ())


def _module(title: str, body: str, used: Iterable[str]) -> str:
    def names(name: str) -> bool:
        return re.search(rf'(?<![\w".`]){name}(?![\w"`:])', body) is not None

    noqa = "# ruff: noqa: E501\n" if any(len(line) > _WIDTH for line in body.splitlines()) else ""
    head = [f'"""{title}\n\n{_MADE}\n"""\n\n{noqa}from __future__ import annotations\n']
    if names("Sequence"):
        head.append("from collections.abc import Sequence")
    if moments := [name for name in ("date", "datetime") if names(name)]:
        head.append(f"from datetime import {', '.join(moments)}")
    typing = [name for name in ("Any", "Literal", "TypedDict", "Unpack", "overload") if names(name)]
    head.append(f"from typing import {', '.join(typing)}\n")
    if "facts." in body:
        head.append("from inzage.schemas.emitter.typed import facts, references\n")
    if listed := sorted(name for name in used if names(name)):
        names_used = "".join(f"    {name},\n" for name in listed)
        head.append(f"from inzage.schemas.emitter.typed.terms import (\n{names_used})\n")
    gap = "\n\n" if body.startswith("class") else "\n"
    return "\n".join(head) + f"\n# fmt: off{gap}{body}\n"


def _records(avro: Any) -> Iterator[dict[str, Any]]:
    """Every record in a schema, the inner ones first."""
    if isinstance(avro, list):
        for branch in avro:
            yield from _records(branch)
    elif isinstance(avro, dict):
        if avro.get("type") == "record":
            for field in avro["fields"]:
                yield from _records(field["type"])
            yield cast("dict[str, Any]", avro)
        elif avro.get("type") == "array":
            yield from _records(avro["items"])


def _typed_dict(name: str, doc: str, fields: Iterable[dict[str, Any]], parent: str = "TypedDict") -> str:
    listed = [(field["name"], _type(field["type"])) for field in fields]
    if any(field == "class" for field, _ in listed):
        inner = ", ".join(f'"{field}": {kind}' for field, kind in listed)
        return f'{name} = TypedDict("{name}", {{{inner}}}, total=False)'
    body = "\n".join(f"    {field}: {kind}" for field, kind in listed)
    return f'class {name}({parent}, total=False):\n    """{doc}"""\n{body}'


def _type(avro: Any) -> str:
    if isinstance(avro, list):
        return f"{_type(avro[1])} | None"
    if isinstance(avro, str):
        return _PLAIN.get(avro) or _term_or_record(avro)
    if logical := avro.get("logicalType"):
        return _LOGICAL[logical]
    if avro["type"] == "array":
        inner = _type(avro["items"])
        return f"Sequence[{inner} | str]" if inner == "DataItem" else f"Sequence[{inner}]"
    if avro["type"] == "map":
        return "dict[str, str]"
    return _term_or_record(f"{avro['namespace']}.{avro['name']}")


def _term_or_record(full: str) -> str:
    namespace, _, name = full.rpartition(".")
    return _term(name) if namespace == "inzage.vocabulary" else name


if __name__ == "__main__":
    main()
