"""Every verb on a job in every status: the edges of domain/state.py that it takes, and no other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

import pytest

from ferryman.domain.job import MICROS, ClaimedJob, Lane
from ferryman.domain.outcome import What
from ferryman.domain.state import EDGES, Status, allowed
from ferryman.store.controlling import Placement
from ferryman.testing.conformance.bench import Bench

Verb = Callable[[Bench, str], Awaitable[object]]
STANDING: Final = (Status.PENDING, Status.SCHEDULED)
ENDED_BADLY: Final = (Status.FAILED, Status.CANCELLED)
REACHABLE: Final = tuple(status for status in Status if status is not Status.WAITING)


async def _insert(bench: Bench, id: str) -> object:
    return await bench.insert(bench.job(id=id, run_at=bench.now + 9 * MICROS))


async def _claim(bench: Bench, id: str) -> object:  # noqa: ARG001 - the one job there is
    return await bench.claim()


async def _promote(bench: Bench, id: str) -> object:  # noqa: ARG001 - as above
    return await bench.store.promote(bench.now + 7200 * MICROS, 10)


async def _expire(bench: Bench, id: str) -> object:  # noqa: ARG001 - as above
    return await bench.store.expire(bench.now + 7200 * MICROS, 10)


async def _cancel(bench: Bench, id: str) -> object:
    return await bench.store.cancel(id, bench.now)


async def _force_cancel(bench: Bench, id: str) -> object:
    await bench.store.cancel(id, bench.now)
    return await bench.store.force_cancel(bench.now + 1, bench.now + 1)


async def _unasked_force_cancel(bench: Bench, id: str) -> object:  # noqa: ARG001 - as above
    return await bench.store.force_cancel(bench.now + 1, bench.now + 1)


async def _retry(bench: Bench, id: str) -> object:
    return await bench.store.retry(id, bench.now)


async def _retry_later(bench: Bench, id: str) -> object:
    return await bench.store.retry(id, bench.now, bench.now + MICROS)


async def _put_off(bench: Bench, id: str) -> object:
    return await bench.store.place([id], Placement(run_at=bench.now + 60 * MICROS), bench.now)


async def _bring_forward(bench: Bench, id: str) -> object:
    return await bench.store.place([id], Placement(run_at=bench.now), bench.now)


async def _cancel_waiting(bench: Bench, id: str) -> object:
    return await bench.store.cancel_waiting([id], bench.now)


async def _release(bench: Bench, id: str) -> object:  # noqa: ARG001 - every batch there ever was
    return [await bench.store.release(await bench.home(), job.batch, bench.now) for job in bench.claimed]


async def _prune(bench: Bench, id: str) -> object:  # noqa: ARG001 - everything there is
    return await bench.store.prune(bench.now, 10)


async def _rescue(bench: Bench, id: str) -> object:  # noqa: ARG001 - everything there is
    return await bench.bury(await bench.home())


def _finish(what: What) -> Verb:
    async def verb(bench: Bench, id: str) -> object:
        """The outcome of the last claim, or of one that never was."""
        job = next((job for job in bench.claimed if job.id == id), _never_claimed(bench, id))
        return await bench.write(bench.ended(job, what, delay=5.0))

    return verb


def _never_claimed(bench: Bench, id: str) -> ClaimedJob:
    return ClaimedJob(
        id=id,
        number=1,
        attempt=1,
        crashes=0,
        interruptions=0,
        batch=bench.ids.number(),
        lane=Lane("default", "echo", 5),
        payload="{}",
        max_attempts=5,
        timeout=None,
        created_at=bench.now,
        run_at=None,
        expires_at=None,
        unique_key=None,
        tags=(),
    )


def _from(before: tuple[Status, ...], after: Status) -> dict[Status, Status]:
    return dict.fromkeys(before, after)


VERBS: Final[Mapping[str, tuple[Verb, Mapping[Status, Status]]]] = MappingProxyType(
    {
        "insert": (_insert, {}),
        "claim": (_claim, _from((Status.PENDING,), Status.PROCESSING)),
        "promote": (_promote, _from((Status.SCHEDULED,), Status.PENDING)),
        "expire": (_expire, _from(STANDING, Status.CANCELLED)),
        "cancel": (_cancel, _from(STANDING, Status.CANCELLED)),
        "force_cancel": (_force_cancel, _from((*STANDING, Status.PROCESSING), Status.CANCELLED)),
        "unasked force_cancel": (_unasked_force_cancel, {}),
        "retry": (_retry, _from(ENDED_BADLY, Status.PENDING)),
        "retry later": (_retry_later, _from(ENDED_BADLY, Status.SCHEDULED)),
        "place later": (_put_off, _from(STANDING, Status.SCHEDULED)),
        "place now": (_bring_forward, _from((Status.SCHEDULED,), Status.PENDING)),
        "cancel_waiting": (_cancel_waiting, _from(STANDING, Status.CANCELLED)),
        "release": (_release, _from((Status.PROCESSING,), Status.PENDING)),
        "prune": (_prune, {}),
        "rescue": (_rescue, _from((Status.PROCESSING,), Status.PENDING)),
        "finish done": (_finish(What.DONE), _from((Status.PROCESSING,), Status.COMPLETED)),
        "finish failed": (_finish(What.FAILED), _from((Status.PROCESSING,), Status.SCHEDULED)),
        "finish snoozed": (_finish(What.SNOOZED), _from((Status.PROCESSING,), Status.SCHEDULED)),
        "finish cancelled": (_finish(What.CANCELLED), _from((Status.PROCESSING,), Status.CANCELLED)),
        "finish released": (_finish(What.RELEASED), _from((Status.PROCESSING,), Status.PENDING)),
        "finish interrupted": (_finish(What.INTERRUPTED), _from((Status.PROCESSING,), Status.PENDING)),
        "finish lost": (_finish(What.LOST), _from((Status.PROCESSING,), Status.PENDING)),
    }
)
"""verb -> how to say it, and which statuses it changes to which; what is not named it leaves alone."""


class Edges:
    """A store rejects every edge that the transition table does not have."""

    @pytest.mark.parametrize("before", REACHABLE, ids=str)
    @pytest.mark.parametrize("name", VERBS)
    async def test_a_verb_takes_its_edges_and_no_other(self, bench: Bench, name: str, before: Status) -> None:
        verb, edges = VERBS[name]
        id = await bench.bring(before, expires_at=bench.now + 7200 * MICROS)
        job, attempts = await bench.read(id), list(await bench.store.attempts(id))
        await verb(bench, id)
        after = edges.get(before)
        if after is None:
            assert await bench.read(id) == job
            assert list(await bench.store.attempts(id)) == attempts
        else:
            assert await bench.status(id) is after

    def test_the_verbs_together_take_every_edge_of_the_table(self) -> None:
        """All that can be reached: what waits for a limit has no verb yet."""
        taken = {edge for _, edges in VERBS.values() for edge in edges.items()}
        assert all(allowed(*edge) for edge in taken)
        table = {(before, after) for before, afters in EDGES.items() for after in afters}
        reachable = {edge for edge in table if Status.WAITING not in edge}
        # a last attempt that fails has tests of its own
        assert reachable - taken == {(Status.PROCESSING, Status.FAILED)}
