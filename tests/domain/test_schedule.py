"""A schedule: what it refuses, which ticks it hands in, what becomes of them."""

from __future__ import annotations

from itertools import count

import msgspec
import pytest

from ferryman.domain.cron import Cron, Missed
from ferryman.domain.errors import BadOption, BadSchedule
from ferryman.domain.job import MICROS, NewJob
from ferryman.domain.schedule import MISSED_MOST, Firing, Order, Overlap, Schedule

MINUTE = 60 * MICROS
HOUR = 60 * MINUTE
OFTEN = Schedule("often", Cron("* * * * *"), Order("t"))


def test_a_good_one_is_not_refused() -> None:
    OFTEN.check()
    msgspec.structs.replace(OFTEN, name="a:b.c-D_9", max_missed=0).check()
    msgspec.structs.replace(OFTEN, max_missed=MISSED_MOST).check()


@pytest.mark.parametrize("name", ["", "a b", "a/b", "ä", "x" * 129, "a\n"])
def test_a_name_that_fits_into_no_path_is_refused(name: str) -> None:
    with pytest.raises(BadOption, match="name cannot be"):
        msgspec.structs.replace(OFTEN, name=name).check()


@pytest.mark.parametrize("most", [-1, MISSED_MOST + 1, True, 1.0, "5", None])
def test_how_many_missed_ticks_may_count(most: object) -> None:
    with pytest.raises(BadOption, match="max_missed cannot be"):
        msgspec.structs.replace(OFTEN, max_missed=most).check()


@pytest.mark.parametrize("cron", [Cron("* *"), Cron("61 * * * *"), Cron("* * * * *", "Mars/Olympus")])
def test_an_expression_that_is_none_is_refused(cron: Cron) -> None:
    with pytest.raises(BadSchedule):
        msgspec.structs.replace(OFTEN, cron=cron).check()
    with pytest.raises(BadSchedule):
        next(cron.ticks(0))


@pytest.mark.parametrize(
    ("overlap", "ticks"),
    [(Overlap.ALLOW, [58, 59, 60]), (Overlap.SKIP, [58, 59, 60]), (Overlap.WAIT, [58])],
    ids=str,
)
def test_ticks_that_are_due(overlap: Overlap, ticks: list[int]) -> None:
    schedule = msgspec.structs.replace(OFTEN, missed=Missed.ALL, max_missed=2, overlap=overlap)
    assert schedule.due(0, HOUR + 1) == [tick * MINUTE for tick in ticks]
    assert schedule.due(HOUR, HOUR + 1) == []


def test_a_firing_has_a_job_for_each_tick() -> None:
    order = Order("t", '{"a":1}', "q", 1, 2, 3.5, "k", ("x",))
    schedule = msgspec.structs.replace(OFTEN, order=order)
    numbers = count()
    firing = schedule.firing(5, 6, [10, 20], lambda: f"id-{next(numbers)}", 30)
    jobs = [
        NewJob(
            id=f"id-{n}",
            type="t",
            payload='{"a":1}',
            created_at=30,
            queue="q",
            priority=1,
            max_attempts=2,
            timeout=3.5,
            run_at=tick,
            unique_key="k",
            tags=("x",),
        )
        for n, tick in enumerate((10, 20))
    ]
    assert firing == Firing("often", 5, 6, 20, jobs)
