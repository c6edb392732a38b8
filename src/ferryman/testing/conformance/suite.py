"""All themes in one class, and the fixtures that they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from ferryman.testing.conformance import invariants
from ferryman.testing.conformance.access import KeepingApiKeys
from ferryman.testing.conformance.auditing import ReadingDeeds, WritingDeeds
from ferryman.testing.conformance.bench import Bench
from ferryman.testing.conformance.chores import Expiring, Promoting, Pruning
from ferryman.testing.conformance.claiming import Claiming, ClaimingWithCare
from ferryman.testing.conformance.commanding import Commanding
from ferryman.testing.conformance.controls import CancellingWhatWaits, Placing, RetryingLater
from ferryman.testing.conformance.deleting import Deleting
from ferryman.testing.conformance.describing import Describing
from ferryman.testing.conformance.detours import Detouring
from ferryman.testing.conformance.edges import Edges
from ferryman.testing.conformance.expecting import Expecting
from ferryman.testing.conformance.explaining import Explaining
from ferryman.testing.conformance.fencing import Fencing
from ferryman.testing.conformance.filtering import Filtering
from ferryman.testing.conformance.finding_by_group import FindingByGroup
from ferryman.testing.conformance.finishing import Finishing, FinishingWhenCancelled
from ferryman.testing.conformance.firing import FiringTicks, Overlapping
from ferryman.testing.conformance.follow_ups import FollowingUp
from ferryman.testing.conformance.forgetting import Forgetting
from ferryman.testing.conformance.grouping import Grouping, GroupsGrowOld, ListingGroups
from ferryman.testing.conformance.handing_in import HandingIn
from ferryman.testing.conformance.harness import Harness
from ferryman.testing.conformance.journaling import Journaling
from ferryman.testing.conformance.key_races import Crowding
from ferryman.testing.conformance.key_rates import Rating
from ferryman.testing.conformance.key_rules import Keeping, Pausing, RulingKeys
from ferryman.testing.conformance.key_sequences import Sequencing
from ferryman.testing.conformance.keyed_controls import ControllingKeys
from ferryman.testing.conformance.keys import Limiting
from ferryman.testing.conformance.model import Modelled
from ferryman.testing.conformance.nodes import Nodes
from ferryman.testing.conformance.operating import KeepingOperations, Operating
from ferryman.testing.conformance.operating_meanwhile import OperatingOnce, OperatingOnWhatChanges
from ferryman.testing.conformance.people import Cancelling, Retrying
from ferryman.testing.conformance.quotas import TakingQuotas
from ferryman.testing.conformance.racing import Racing
from ferryman.testing.conformance.reading import Counting, Reading
from ferryman.testing.conformance.reporting import FencingReports, Logging, Progressing
from ferryman.testing.conformance.ruling import Ruling
from ferryman.testing.conformance.sampling import GrowingOld, Sampling, Timings
from ferryman.testing.conformance.scheduling import KeepingSchedules
from ferryman.testing.conformance.shares import Sharing, SharingWithin


@pytest.mark.anyio
class StoreConformance(
    HandingIn,
    Claiming,
    ClaimingWithCare,
    Finishing,
    FinishingWhenCancelled,
    FollowingUp,
    Fencing,
    Nodes,
    Commanding,
    Describing,
    Cancelling,
    Retrying,
    RetryingLater,
    Placing,
    CancellingWhatWaits,
    Deleting,
    Expecting,
    Promoting,
    Expiring,
    Pruning,
    Detouring,
    Reading,
    Filtering,
    Counting,
    KeepingSchedules,
    FiringTicks,
    Overlapping,
    Limiting,
    RulingKeys,
    Pausing,
    Sequencing,
    Sharing,
    SharingWithin,
    Rating,
    Keeping,
    Crowding,
    Edges,
    Racing,
    Ruling,
    Progressing,
    Logging,
    FencingReports,
    Explaining,
    ControllingKeys,
    Operating,
    OperatingOnWhatChanges,
    OperatingOnce,
    KeepingOperations,
    KeepingApiKeys,
    TakingQuotas,
    WritingDeeds,
    ReadingDeeds,
    Sampling,
    Timings,
    GrowingOld,
    Grouping,
    ListingGroups,
    GroupsGrowOld,
    FindingByGroup,
    Journaling,
    Forgetting,
    Modelled,
):
    """Subclass it and give it a `make_harness` fixture. After every test all invariants must hold."""

    @pytest.fixture
    def make_harness(self) -> Callable[[], Harness]:
        """How to make one fresh, empty store; may be called several times in a test."""
        raise NotImplementedError("Give your subclass a fixture `make_harness`.")

    @pytest.fixture
    async def bench(self, make_harness: Callable[[], Harness]) -> AsyncIterator[Bench]:
        """A workbench over one fresh store."""
        harness = make_harness()
        bench = Bench(harness, await harness.open())
        try:
            yield bench
            await invariants.check(bench.store, bench.nodes, bench.now)
        finally:
            await harness.close()
