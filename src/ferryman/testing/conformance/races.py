"""Every pair of verbs that write the same job, set up so that exactly one of the two can win."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ferryman.testing.conformance import races_controlled as controlled
from ferryman.testing.conformance import races_operating as operating
from ferryman.testing.conformance import races_running as running
from ferryman.testing.conformance import races_standing as standing
from ferryman.testing.conformance.heats import Race

RACES: Final[Mapping[str, Race]] = MappingProxyType(
    {
        race.__name__: race
        for race in (
            running.claim_claim,
            running.claim_cancel,
            running.claim_expire,
            running.claim_release,
            running.finish_finish,
            running.finish_rescue,
            running.finish_force_cancel,
            running.finish_cancel,
            running.release_rescue,
            controlled.place_claim,
            controlled.place_promote,
            controlled.place_place,
            controlled.place_cancel,
            controlled.cancel_waiting_claim,
            controlled.cancel_waiting_promote,
            operating.advance_advance,
            operating.advance_cancel_operation,
            operating.advance_claim,
            operating.advance_finish,
            operating.advance_retry,
            standing.promote_cancel,
            standing.promote_promote,
            standing.promote_expire,
            standing.cancel_cancel,
            standing.retry_retry,
            standing.retry_prune,
            standing.retry_enqueue,
            standing.enqueue_same_id,
            standing.enqueue_same_unique_key,
            standing.enqueue_same_idempotency_key,
        )
    }
)
