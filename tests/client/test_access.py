"""What people say about API keys, over the memory store."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from ferryman.client.access import ApiKeys
from ferryman.client.deeds import Deeds
from ferryman.client.making import body_hash
from ferryman.domain.access import ApiKey, Right, read_text
from ferryman.domain.audit import PYTHON, Deed
from ferryman.domain.errors import ApiKeyNotFound, ApiKeyTaken, BadOption, StoreBusy
from ferryman.domain.job import MICROS
from ferryman.store.access import Added
from tests.client.world import World, send

pytestmark = pytest.mark.anyio
HOUR = 3600 * MICROS


@pytest.fixture
def keys(world: World) -> ApiKeys:
    return world.client.access


async def test_the_text_that_is_issued_opens_the_key_that_is_kept(keys: ApiKeys) -> None:
    issued = await keys.add("web", ["read"])
    shown = read_text(issued.text.reveal())
    [kept] = await keys.list()
    assert shown is not None
    assert shown.opens(kept)
    assert kept == issued.key


async def test_every_key_has_a_secret_of_its_own(keys: ApiKeys) -> None:
    one, other = await keys.add("a", ["read"]), await keys.add("b", ["read"])
    assert one.text != other.text
    assert one.key.digest != other.key.digest


async def test_randomness_is_what_it_is_given(world: World) -> None:
    keys = ApiKeys(world.memory, world.clock, Deeds(world.clock, PYTHON), bytes)
    assert (await keys.add("web", ["read"])).text.reveal() == f"ferryman_{'0' * 16}_{'A' * 43}"


async def test_a_key_that_follows_opens_the_same_and_lives_as_long(world: World, keys: ApiKeys) -> None:
    start = world.clock.now()
    before = await keys.add("web", ["enqueue"], queues=["mail"], rate="5/s", burst=9, expires_at=start + 10 * HOUR)
    world.clock.advance(3600)
    after = (await keys.rotate("web", 60)).key
    assert (after.rights, after.queues, after.rate, after.burst) == ((Right.ENQUEUE,), ("mail",), 5.0, 9)
    assert (after.created_at, after.expires_at) == (start + HOUR, start + 11 * HOUR)
    assert [key.expires_at for key in await keys.list() if key.id == before.key.id] == [start + HOUR + 60 * MICROS]


async def test_a_rotation_without_grace_ends_the_former_key_at_once(world: World, keys: ApiKeys) -> None:
    before = await keys.add("web", ["read"])
    world.clock.advance(1)
    await keys.rotate("web", 0)
    assert [key.lives(world.clock.now()) for key in await keys.list()] == [False, True]
    assert (await keys.list())[0].id == before.key.id


async def test_the_third_key_of_a_name_has_to_wait(world: World, keys: ApiKeys) -> None:
    first = (await keys.add("web", ["read"])).key
    world.clock.advance(1)
    await keys.rotate("web")
    with pytest.raises(ApiKeyTaken) as caught:
        await keys.rotate("web")
    assert first.id in caught.value.hint


async def test_a_key_that_ends_while_it_is_rotated_is_not_followed(world: World, keys: ApiKeys) -> None:
    await keys.add("web", ["read"])

    class Alone:
        api_keys = world.memory.api_keys

        async def add_api_key(
            self, key: ApiKey, now: int, *, until: int | None = None, deed: Deed | None = None
        ) -> Added:
            await world.memory.end_api_keys([each.id for each in await self.api_keys()], now)
            return await world.memory.add_api_key(key, now, until=until)

    racing: Any = Alone()
    with pytest.raises(ApiKeyNotFound):
        await ApiKeys(racing, world.clock, Deeds(world.clock, PYTHON)).rotate("web")


async def test_a_busy_store_is_asked_again(world: World, keys: ApiKeys) -> None:
    world.store.before["add_api_key"] = [StoreBusy("busy")]
    await keys.add("web", ["read"])
    assert len(await keys.list()) == 1


@pytest.mark.parametrize(
    "wrong", [{"expires_at": 5}, {"rate": "fast"}, {"burst": 2}, {"queues": []}, {"expires_at": 1 << 62}]
)
async def test_what_is_not_allowed_is_refused(keys: ApiKeys, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadOption):
        await keys.add("web", ["read"], **wrong)
    assert await keys.list() == []


async def test_who_is_unknown_cannot_be_revoked_or_rotated(keys: ApiKeys) -> None:
    await keys.add("web", ["read"])
    for verb in (keys.rotate, keys.revoke):
        with pytest.raises(ApiKeyNotFound):
            await verb("other")
    with pytest.raises(ApiKeyNotFound):
        await keys.revoke("web", "0" * 16)
    with pytest.raises(BadOption):
        await keys.rotate("web", -1)


async def test_to_forget_a_key_ends_it_and_those_before_it(world: World, keys: ApiKeys) -> None:
    await keys.add("web", ["read"])
    world.clock.advance(1)
    await keys.rotate("web", 0)
    await keys.add("other", ["read"])
    assert await keys.revoke("web", forget=True) == 1
    assert [key.name for key in await keys.list()] == ["other"]


@pytest.mark.parametrize("key", [None, "account-7"])
def test_a_request_is_the_same_one_whoever_sends_it(key: str | None) -> None:
    request = send(key=key)
    assert body_hash(request) == body_hash(replace(request, within=frozenset({"mail"})))
