"""describe: what a store is, and how many jobs of each type are pending."""

from __future__ import annotations

from ferryman.testing.conformance.bench import Bench


class Describing:
    """It is for people, so little of it has to be so or so."""

    async def test_a_store_says_what_it_is(self, bench: Bench) -> None:
        said = await bench.store.describe()
        assert said.kind
        assert said.place
        assert said.size_bytes is None or said.size_bytes > 0
        assert (said.version is None) == (said.migration is None)
        assert said.pending == {}

    async def test_it_counts_the_pending_jobs_of_each_type(self, bench: Bench) -> None:
        await bench.start()
        await bench.add()
        await bench.add(run_at=bench.now + 1)
        for queue in ("a", "b"):
            await bench.add("mail", queue=queue)
        assert (await bench.store.describe()).pending == {"echo": 1, "mail": 2}
