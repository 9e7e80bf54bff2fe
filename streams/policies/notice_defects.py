"""Keeps what is wrong with the notices themselves: what they say, what the law asks, and what to change.

A service can hold an organisation to its notice; where the notice contradicts itself or the law, that is the finding.
Each stands in `notices/<controller>.yaml`, in our own words. They are readings of a text, and nobody's legal advice.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from inzage.schemas.errors import ConfigError
from inzage.streams.screening.pack import Article, Severity
from inzage.streams.screening.plain_yaml import load


class Defect(BaseModel):
    """One defect. `entries` are the entries of the pack that it makes hard to keep or to judge."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Z]+-D\d{2}$")
    title: str = Field(min_length=5)
    severity: Severity
    articles: list[Article] = Field(min_length=1)
    headings: list[Annotated[str, BeforeValidator(str)]] = Field(min_length=1)
    says: str = Field(min_length=20)
    law_asks: str = Field(min_length=20)
    change: str = Field(min_length=20)
    entries: list[str]


class Notice(BaseModel):
    """A notice with its defects."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    notice: str
    controller: str
    defects: list[Defect]


@cache
def notice_of(controller: str, folder: Path | None = None) -> Notice | None:
    """The notice of `controller`, read in `folder` or as it ships; None where nobody has read it.

    Raises `ConfigError` naming the defect and the field.
    """
    name = f"{controller.lower()}.yaml"
    own = folder / "notices" / name if folder else None
    shipped = files("inzage.streams").joinpath("policies", "notices", name)
    path = own if own is not None and own.is_file() else shipped
    if not path.is_file():
        return None
    try:
        notice = Notice.model_validate(load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ConfigError(f"notices/{name}: not YAML: {error}", code="config.notice") from error
    except ValidationError as error:
        detail = error.errors()[0]
        where = ".".join(map(str, detail["loc"]))
        raise ConfigError(f"notices/{name}: {where}: {detail['msg']}", code="config.notice") from error
    if repeated := _repeated(defect.id for defect in notice.defects):
        raise ConfigError(f"notices/{name}: {repeated} stands twice", code="config.notice")
    return notice


def _repeated(identifiers: Iterable[str]) -> str | None:
    seen: set[str] = set()
    for one in identifiers:
        if one in seen:
            return one
        seen.add(one)
    return None
