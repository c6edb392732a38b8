"""A plugin of pytest: what hypothesis finds is neither made smaller, which takes minutes, nor remembered.

Remembered, it would be tried first on the next mutant, and the verdicts would depend on their order.
"""

from __future__ import annotations

from hypothesis import Phase, settings

settings.register_profile("unshrunk", phases=[Phase.explicit, Phase.generate], database=None)
settings.load_profile("unshrunk")
