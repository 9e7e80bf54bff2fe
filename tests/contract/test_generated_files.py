"""What is made by a command equals what the command makes now."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from inzage.schemas import asyncapi
from inzage.schemas.build import RECORDS, render
from inzage.schemas.emitter.declare import files as declared


@pytest.mark.parametrize("name", RECORDS)
def test_avro_schemas_are_those_of_the_definition(name: str) -> None:
    """`python -m inzage.schemas.build` rebuilds them."""
    assert files("inzage.schemas").joinpath("avro", f"{name}.avsc").read_text("utf-8") == render(name)


@pytest.mark.parametrize(("name", "text"), [pytest.param(*made, id=made[0]) for made in declared()])
def test_the_typed_face_is_that_of_the_schemas(name: str, text: str) -> None:
    """`python -m inzage.schemas.emitter.declare` rebuilds it."""
    assert files("inzage.schemas.emitter").joinpath("typed", name).read_text("utf-8") == text


def test_the_asyncapi_document_is_that_of_topics_and_schemas() -> None:
    """`python -m inzage.schemas.asyncapi` rebuilds it."""
    assert Path("docs/asyncapi.yaml").read_text("utf-8") == asyncapi.render()
