"""Sightings of error groups grow old; see `store.grouping`. Those of now are written with the outcomes."""

from __future__ import annotations

from ferryman.store.grouping import FOLDED, KEPT, folds_before
from ferryman.store.postgres.steps import Ask, Steps


def forget(now: int, limit: int) -> Steps[None]:
    """Have some old hours become parts of their days, and forget what is kept no longer. In a transaction."""
    yield Ask("age_sightings", (folds_before(now), FOLDED))
    yield Ask("prune_sightings", (now - KEPT, limit))
