from __future__ import annotations

import random
import uuid

from hypothesis import given
from hypothesis import strategies as st

from ferryman.domain.ids import IdMinter, _after

times = st.integers(0, (1 << 48) * 1000 - 1)


class Fullest(random.Random):
    """Random bits that are all ones: the next id of the same time always overflows."""

    def getrandbits(self, k: int) -> int:
        return (1 << k) - 1


def minter(seed: int = 0) -> IdMinter:
    return IdMinter(random.Random(seed))


@given(st.integers(), times)
def test_an_id_is_a_uuid_of_version_7(seed: int, now: int) -> None:
    id = minter(seed).mint(now)
    parsed = uuid.UUID(id)
    assert str(parsed) == id
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


@given(st.integers(), times)
def test_an_id_tells_its_time_to_the_quarter_of_a_microsecond(seed: int, now: int) -> None:
    value = uuid.UUID(minter(seed).mint(now)).int
    milliseconds, fraction = value >> 80, value >> 64 & 0xFFF
    assert milliseconds == now // 1000
    assert fraction == now % 1000 * 4096 // 1000


@given(st.integers(), st.lists(times, min_size=2, max_size=50))
def test_ids_grow_whatever_the_clock_does(seed: int, clock: list[int]) -> None:
    ids = minter(seed)
    minted = [ids.mint(now) for now in clock]
    assert minted == sorted(set(minted))


@given(st.integers(), st.integers(), times, times)
def test_ids_of_two_minters_sort_by_their_time(one: int, two: int, first: int, second: int) -> None:
    early, late = sorted((first, second))
    if late - early >= 1:
        assert minter(one).mint(early) < minter(two).mint(late)


def test_a_clock_that_stands_still_keeps_the_time_in_the_ids() -> None:
    ids = minter()
    now = 1_767_225_600_000_000
    assert {uuid.UUID(ids.mint(now)).int >> 80 for _ in range(1_000)} == {now // 1000}


def test_a_time_whose_ids_are_used_up_gives_way_to_the_next() -> None:
    ids = IdMinter(Fullest())
    now = 1_767_225_600_000_999
    minted = [ids.mint(now) for _ in range(20)]
    assert minted == sorted(set(minted))
    assert {fraction(id) for id in minted} == {fraction(minted[0]), fraction(minted[0]) + 1}


def test_a_millisecond_whose_ids_are_used_up_gives_way_to_the_next() -> None:
    last = uuid.UUID("019b76da-a800-7fff-bfff-ffffffffffff")
    assert uuid.UUID(int=_after(last.int, 1)) == uuid.UUID("019b76da-a801-7000-8000-000000000000")


def fraction(id: str) -> int:
    parsed = uuid.UUID(id)
    assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)
    return parsed.int >> 64 & 0xFFF


@given(st.integers())
def test_numbers_are_never_zero_and_fit_63_bits(seed: int) -> None:
    assert all(0 < minter(seed + each).number() < 1 << 63 for each in range(20))


def test_one_seed_mints_the_same_ids() -> None:
    assert [minter(7).mint(5), minter(7).number()] == [minter(7).mint(5), minter(7).number()]
