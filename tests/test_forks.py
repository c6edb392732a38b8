"""Apps in processes that fork: each enqueue is there exactly once, nothing hangs, no lock stays."""

from __future__ import annotations

import contextlib
import fcntl
import json
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ferryman.store.sqlite.liveness import nodes_folder
from ferryman.testing.serving import READY

ROOT = Path(__file__).parent.parent
PATIENCE = 120
"""Seconds after which a script counts as hung."""

PRELUDE = """
import asyncio, contextlib, multiprocessing, os, sys, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads: that is what is tested
from ferryman import Ferryman

app = Ferryman("sqlite:///{path}")

@app.job
def send(to: str) -> str: return to

def fork(child, end=os._exit):
    pid = os.fork()
    if pid:
        return pid
    try:
        child()
    except BaseException as error:
        print(f"{{type(error).__name__}}: {{error}}", file=sys.stderr, flush=True)
        os._exit(1)
    end(0)

def join(pids):
    for pid in pids:
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "jobs.db"


def play(database: Path, script: str) -> str:
    """Run a script in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", PRELUDE.format(path=database) + script],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout


def stored(database: Path) -> Counter[str]:
    """Who was enqueued how often; and nobody holds a lock on the file any more."""
    with contextlib.closing(sqlite3.connect(database, timeout=0)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        rows = connection.execute("SELECT payload FROM job").fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    for lock in nodes_folder(database).glob("*.lock"):
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return Counter(json.loads(payload)["to"] for (payload,) in rows)


def once(*names: str) -> Counter[str]:
    return Counter(names)


def test_children_enqueue_in_every_way_and_the_parent_goes_on(database: Path) -> None:
    play(
        database,
        """
def child(n):
    send.enqueue(f"sync {n}")
    assert app.enqueue_many(send.call(f"many {n} {i}") for i in range(1500)) == 1500
    asyncio.run(send.aenqueue(f"async {n}"))

send.enqueue("before")
ends = (os._exit, os._exit, sys.exit, lambda code: app.close() or sys.exit(code))
children = [fork(lambda: child(n), end) for n, end in enumerate(ends)]
send.enqueue("beside")
join(children)
send.enqueue("after")
""",
    )
    many = [f"many {n} {i}" for n in range(4) for i in range(1500)]
    single = [f"{how} {n}" for how in ("sync", "async") for n in range(4)]
    assert stored(database) == once("before", "beside", "after", *many, *single)


def test_what_a_child_enqueues_stays_when_its_parent_closes(database: Path) -> None:
    """SQLite would delete the log that the child still writes to, if the child counted on the parent's locks."""
    play(
        database,
        """
begun, go_on = os.pipe(), os.pipe()

def child():
    send.enqueue("child before")
    os.write(begun[1], b".")
    os.read(go_on[0], 1)
    send.enqueue("child after")

send.enqueue("parent")
pid = fork(child)
os.read(begun[0], 1)
app.close()
os.write(go_on[1], b".")
join([pid])
""",
    )
    assert stored(database) == once("parent", "child before", "child after")


def test_forks_while_other_threads_are_in_the_middle_of_an_enqueue(database: Path) -> None:
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
    for n in range(25):
        join([fork(lambda: send.enqueue(f"child {n}"))])
finally:
    done.set()
for each in threads: each.join()
print(*counts)
""",
    )
    counts = [int(count) for count in told.split()]
    enqueued = [f"thread {n} {i}" for n, count in enumerate(counts) for i in range(count)]
    assert stored(database) == once(*enqueued, *(f"child {n}" for n in range(25)))


def test_a_fork_inside_a_running_loop(database: Path) -> None:
    play(
        database,
        """
async def main():
    await asyncio.gather(*(send.aenqueue(f"before {n}") for n in range(50)))
    under_way = [asyncio.ensure_future(send.aenqueue(f"beside {n}")) for n in range(50)]
    children = [
        fork(lambda: send.enqueue("child sync")),
        fork(lambda: asyncio.run(send.aenqueue("child async"))),
    ]
    await asyncio.gather(*under_way)
    await asyncio.to_thread(join, children)
    await send.aenqueue("after")

asyncio.run(main())
""",
    )
    beside = [f"{when} {n}" for when in ("before", "beside") for n in range(50)]
    assert stored(database) == once(*beside, "child sync", "child async", "after")


def test_the_threads_of_a_child_share_one_client_from_the_first_moment(database: Path) -> None:
    told = play(
        database,
        """
def child():
    assert app._bridge._own is None, "no thread has to find out that this is a child, and none can be late"
    barrier = threading.Barrier(8)
    def work(n):
        barrier.wait()
        send.enqueue(f"thread {n}")
    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for each in threads: each.start()
    for each in threads: each.join()
    print(sum(each.name == "ferryman-client" for each in threading.enumerate()), flush=True)

send.enqueue("parent")
join([fork(child)])
""",
    )
    assert told == "1\n"
    assert stored(database) == once("parent", *(f"thread {n}" for n in range(8)))


def test_children_of_children_and_pools(database: Path) -> None:
    play(
        database,
        """
def grandchild():
    send.enqueue("grandchild")

def child():
    send.enqueue("child")
    join([fork(grandchild)])
    send.enqueue("child again")

def in_pool(n):
    send.enqueue(f"pool {n}")

send.enqueue("parent")
join([fork(child)])
with multiprocessing.get_context("fork").Pool(3) as pool:
    pool.map(in_pool, range(30))
    pool.close()
    pool.join()
""",
    )
    assert stored(database) == once("parent", "child", "child again", "grandchild", *(f"pool {n}" for n in range(30)))


def test_a_child_has_nothing_left_to_load(database: Path) -> None:
    """What another thread of the parent is loading while it forks could never be loaded in the child."""
    play(
        database,
        """
needed = {"ferryman.connecting", "ferryman.crossing", "ferryman.lodging", "ferryman.client.verbs"}
join([fork(lambda: None if needed <= set(sys.modules) else os._exit(1))])
""",
    )


def test_a_fork_that_calls_no_hooks_starts_anew_too(database: Path) -> None:
    """As embedded interpreters may do it: a client that is there is left alone, a file must be closed by then."""
    play(
        database,
        """
import ctypes
other = Ferryman("memory://")

@other.job
def kept(to: str) -> str: return to

kept.enqueue("parent")
send.enqueue("before")
app.close()
pid = ctypes.PyDLL(None).fork()
if pid == 0:
    send.enqueue("child")
    kept.enqueue("child")
    os._exit(0)
join([pid])
send.enqueue("parent")
""",
    )
    assert stored(database) == once("before", "child", "parent")


JOBS = """
import asyncio, os, warnings
warnings.simplefilter("ignore", DeprecationWarning)
from ferryman import Ferryman

app = Ferryman()

@app.job
async def send(to: str) -> str: return to

def fork(to: str) -> int:
    pid = os.fork()
    if pid == 0:
        try:
            send.enqueue(to)
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

@app.job
def forks_in_a_thread() -> None:
    assert fork("thread") == 0

@app.job
async def forks_on_the_loop() -> None:
    assert fork("loop") == 0
"""


def test_a_child_of_a_handler_enqueues_where_the_node_does_though_only_its_flags_say_so(
    database: Path, tmp_path: Path
) -> None:
    (tmp_path / "jobs.py").write_text(JOBS)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    command = [sys.executable, "-m", "ferryman", "serve", str(tmp_path / "jobs.py"), "--port", "0"]
    command += ["--database-url", f"sqlite:///{database}"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as node:
        try:
            assert node.stdout is not None
            url = node.stdout.readline().removeprefix(READY).strip()
            for type in ("forks_in_a_thread", "forks_on_the_loop") * 3:
                _post(f"{url}/jobs", {"type": type, "max_attempts": 1})
            _until_all_ended(url, 12)
        finally:
            node.send_signal(signal.SIGTERM)
            assert node.wait(PATIENCE) == 0
    assert list(folder.iterdir()) == [], "no database of the default's"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT payload FROM job WHERE payload <> '{}'").fetchall()
    assert Counter(json.loads(payload)["to"] for (payload,) in rows) == {"thread": 3, "loop": 3}


def _post(url: str, body: object) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert answer.status == 201


def _until_all_ended(url: str, count: int) -> None:
    """The children's jobs are there once their parents' have ended."""
    while True:
        with urllib.request.urlopen(f"{url}/jobs", timeout=PATIENCE) as answer:
            jobs = json.load(answer)
        assert not [job for job in jobs if job["status"] == "failed"], jobs
        if len(jobs) == count and {job["status"] for job in jobs} == {"completed"}:
            return


def test_a_web_application_under_a_preforking_server(database: Path) -> None:
    command = [sys.executable, "-m", "tests.prefork", str(database), "4"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = int(server.stdout.readline())

            def request(n: int) -> str:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/{n}", timeout=PATIENCE) as answer:
                    return str(answer.read(), "ascii")

            with ThreadPoolExecutor(8) as pool:
                ids = list(pool.map(request, range(200)))
        finally:
            server.send_signal(signal.SIGTERM)
            assert server.wait(PATIENCE) == 0
        assert server.stderr is not None
        assert server.stderr.read() == ""
    assert len(set(ids)) == 200
    assert stored(database) == once("import", "between", *(f"/{n}" for n in range(200)))


def test_a_child_that_a_handler_of_an_embedded_node_forks_enqueues_where_the_node_does(database: Path) -> None:
    other = database.with_name("other.db")
    play(
        database,
        f"""
from ferryman.embed import running

@app.job
def forks(to: str) -> None:
    join([fork(lambda: send.enqueue(to))])

async def main():
    async with running(app, database_url="sqlite:///{other}"):
        await (await forks.aenqueue("inner")).aresult(60)
    await send.aenqueue("after")

asyncio.run(main())
app.close()
""",
    )
    assert stored(other) == {"inner": 2}, "the forking job, and the one of its child"
    assert stored(database) == {"after": 1}, "the app goes where it went before"
