"""Time zones as people name them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.refusals import Refusal
from bot.domain.when import zone_named

NOW = datetime(2024, 6, 3, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["Europe/Berlin", "europe/berlin", "America/New York", "UTC", "GMT", "Z", "CET", "PDT"]
)
def test_zones_are_known_by_name(name: str) -> None:
    assert NOW.astimezone(zone_named(name)) == NOW


@pytest.mark.parametrize(
    ("name", "hours"), [("+05:30", 5.5), ("-04:00", -4), ("UTC+2", 2), ("+14", 14), ("EDT", -4)]
)
def test_zones_are_known_by_offset(name: str, hours: float) -> None:
    assert NOW.astimezone(zone_named(name)).utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("IST", "`Asia/Kolkata` or `Europe/Dublin` or `Asia/Jerusalem`"),
        ("bst", "`Europe/London`"),
        ("Europe/Berln", "Did you mean `Europe/Berlin`"),
        ("+25:00", "no zone"),
        ("../etc/passwd", "no time zone"),
        ("", "no time zone"),
        ("<!channel>", "“channel”"),
    ],
)
def test_an_unclear_zone_is_refused(name: str, why: str) -> None:
    with pytest.raises(Refusal) as refused:
        zone_named(name)
    assert why in refused.value.sentence
