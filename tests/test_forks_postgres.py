"""Apps on PostgreSQL in processes that fork: each enqueue is there exactly once, and nobody hangs."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.postgres.databases import Databases
from tests.servers import migrated, said
from tests.test_forks import PATIENCE, PRELUDE


@pytest.fixture
def database(postgres: Databases) -> Iterator[str]:
    with migrated(postgres) as url:
        yield url


def play(database: str, script: str) -> str:
    """Run a script in a process of its own."""
    prelude = PRELUDE.replace("sqlite:///{path}", database).replace("{{", "{").replace("}}", "}")
    prelude = prelude.replace(f'"{database}"', f'"{database}", accept_unknown_types=True')
    done = subprocess.run(
        [sys.executable, "-c", prelude + script],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def stored(database: str) -> Counter[object]:
    """Who was enqueued how often."""
    return Counter(to for (to,) in said(database, "SELECT payload::json ->> 'to' FROM ferryman.job"))


def test_an_app_that_is_never_closed_ends_without_a_word(database: str) -> None:
    play(database, 'send.enqueue("once")')
    assert stored(database) == {"once": 1}


def test_children_enqueue_in_every_way_and_the_parent_goes_on(database: str) -> None:
    play(
        database,
        """
def child(n):
    send.enqueue(f"sync {n}")
    asyncio.run(send.aenqueue(f"async {n}"))

send.enqueue("before")
ends = (os._exit, os._exit, sys.exit, lambda code: app.close() or sys.exit(code))
children = [fork(lambda: child(n), end) for n, end in enumerate(ends)]
send.enqueue("beside")
join(children)
send.enqueue("after")
""",
    )
    each = [f"{how} {n}" for how in ("sync", "async") for n in range(4)]
    assert stored(database) == Counter(["before", "beside", "after", *each])


def test_a_child_that_ends_in_order_takes_no_connection_of_its_parent_along(database: str) -> None:
    play(
        database,
        """
import gc
send.enqueue("before")
for end in (os._exit, sys.exit):
    join([fork(gc.collect, end)])
    for n in range(10):
        send.enqueue("after")
""",
    )
    assert stored(database) == {"before": 1, "after": 20}


def test_forks_while_other_threads_are_in_the_middle_of_an_enqueue(database: str) -> None:
    told = play(
        database,
        """
done, counts = threading.Event(), [0] * 4

def work(n):
    while not done.is_set():
        send.enqueue(f"thread {n} {counts[n]}")
        counts[n] += 1

threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for each in threads: each.start()
try:
    for n in range(10):
        join([fork(lambda: send.enqueue(f"child {n}"), sys.exit if n % 2 else os._exit)])
finally:
    done.set()
for each in threads: each.join()
print(*counts)
""",
    )
    counts = [int(count) for count in told.split()]
    enqueued = [f"thread {n} {i}" for n, count in enumerate(counts) for i in range(count)]
    assert stored(database) == Counter([*enqueued, *(f"child {n}" for n in range(10))])


def test_a_fork_waits_for_the_driver_that_another_thread_is_loading(database: str) -> None:
    """What is half loaded at a fork could never be loaded in the child."""
    play(
        database,
        """
thread = threading.Thread(target=lambda: send.enqueue("thread"))
thread.start()
while "ferryman.store.postgres" not in sys.modules: pass
join([fork(lambda: send.enqueue("child"))])
thread.join()
""",
    )
    assert stored(database) == {"thread": 1, "child": 1}


def test_a_child_of_a_handler_enqueues_and_the_node_goes_on(database: str) -> None:
    play(
        database,
        """
from ferryman.embed import running

@app.job
def forks(to: str) -> None:
    join([fork(lambda: send.enqueue(to))])

@app.job
async def forks_on_the_loop(to: str) -> None:
    join([fork(lambda: None)])

async def main():
    async with running(app):
        for n in range(3):
            await (await forks.aenqueue(f"inner {n}")).aresult(60)
            await (await forks_on_the_loop.aenqueue(f"loop {n}")).aresult(60)
    await send.aenqueue("after")

asyncio.run(main())
""",
    )
    found = stored(database)
    assert found.pop("after") == 1
    assert found == {**{f"inner {n}": 2 for n in range(3)}, **{f"loop {n}": 1 for n in range(3)}}
