"""What goes for every test of a property."""

from __future__ import annotations

from hypothesis import HealthCheck, settings


def test_no_property_is_about_how_fast_the_machine_is() -> None:
    said = settings()
    assert said.deadline is None
    assert HealthCheck.too_slow in said.suppress_health_check
