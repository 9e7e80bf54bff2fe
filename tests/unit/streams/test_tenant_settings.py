"""A tenant's settings, by the names people give them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inzage.schemas.json_face import read
from inzage.streams.dossier.law import law
from inzage.streams.dossier.references import References
from inzage.streams.screening.pack import policies_of

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("key", "value", "setting", "wanted"),
    [
        ("derogation_limit", "5", "derogation_limit", 5.0),
        ("TIA_MAX_AGE_DAYS", "730", "assessment_max_days", 730.0),
        ("tia-max-age", "P2Y", "assessment_max_days", 730.0),
        ("SMALL_CELL_K", "7", "smallest_cell", 7.0),
        ("certification_grace", "PT2H", "certification_grace_seconds", 7200.0),
    ],
)
def test_a_setting_is_known_by_its_name_and_by_what_people_call_it(
    key: str, value: str, setting: str, wanted: float
) -> None:
    references = References("CIGNA", law(), policies_of("CIGNA").settings)
    fact = {
        "type": "TenantSetting",
        "fact_id": "s",
        "recorded_at": "2026-01-01T00:00:00Z",
        "key": key,
        "value": value,
    }
    references.take(NOW, read({"fact": fact}, controller_id="CIGNA").record)
    assert references.tables(NOW)["setting"][(setting,)]["value"] == wanted


def test_categories_of_processors_are_a_list() -> None:
    references = References("CIGNA", law(), policies_of("CIGNA").settings)
    fact = {"type": "TenantSetting", "fact_id": "s", "recorded_at": "2026-01-01T00:00:00Z",
            "key": "PROCESSOR_CATEGORIES", "value": '["TRANSLATOR", "BANK"]'}  # fmt: skip
    references.take(NOW, read({"fact": fact}, controller_id="CIGNA").record)
    assert references.tables(NOW)["setting"][("processor_categories",)]["list"] == ["TRANSLATOR", "BANK"]
