"""Periods of retention: whole months, and only when their last instant is older."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inzage.schemas.errors import ConfigError
from inzage.schemas.period import Period
from inzage.schemas.settings import RetentionSettings, load_settings


@pytest.mark.parametrize(
    ("period", "now", "kept"),
    [
        ("P10Y", datetime(2026, 7, 1, tzinfo=UTC), 201607),
        ("P10Y", datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC), 201606),
        ("P1M", datetime(2026, 1, 31, tzinfo=UTC), 202512),
        ("P18M", datetime(2026, 1, 15, tzinfo=UTC), 202407),
        ("P1Y6M", datetime(2026, 12, 1, tzinfo=UTC), 202506),
    ],
)
def test_the_first_month_kept(period: str, now: datetime, kept: int) -> None:
    assert Period.read(period).first_month_kept(now) == kept


@pytest.mark.parametrize("text", ["", "P", "10Y", "P0Y", "P10D", "P1.5Y", "P-1Y", "PT1M", "P10Y!"])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="years and months"):
        Period.read(text)


def test_who_has_a_period() -> None:
    settings = RetentionSettings(periods={"hmbs": "P7Y"})
    assert str(settings.period_of("HMBS")) == "P7Y"
    assert str(settings.period_of("cigna")) == "P10Y"
    assert str(RetentionSettings(periods={"CIGNA": "P120M"}).period_of("CIGNA")) == "P10Y"
    with pytest.raises(ConfigError, match="HMBS has no period"):
        RetentionSettings().period_of("HMBS")


def test_a_wrong_period_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INZAGE_RETENTION__PERIODS", '{"HMBS": "ten years"}')
    with pytest.raises(ConfigError, match=r"retention\.periods.*P10Y"):
        load_settings()
