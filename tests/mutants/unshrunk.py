"""A plugin of pytest: what hypothesis finds is neither made smaller, which takes minutes, nor remembered.

Remembered, it would be tried first on the next mutant, and the verdicts would depend on their order.
"""

from __future__ import annotations

from hypothesis import Phase, settings


def pytest_configure() -> None:
    """Once conftest.py has said what goes for every test."""
    settings.register_profile(
        "unshrunk", settings.get_profile("patient"), phases=[Phase.explicit, Phase.generate], database=None
    )
    settings.load_profile("unshrunk")
