"""`ferryman queues`, `nodes`, `prune`, `migrate`, `completion`, and what `check` sees of a database."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ferryman.domain.nodes import Condition
from ferryman.domain.state import Status
from ferryman.store.protocol import NodeInfo
from ferryman.store.sqlite import database
from ferryman.store.sqlite.statements import migrations
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop


@pytest.mark.parametrize("command", ["queues", "nodes", "prune"])
def test_a_missing_database_is_exit_3_and_is_not_made(shop: Shop, command: str) -> None:
    result = shop.call(command)
    assert (result.code, result.out) == (3, "")
    assert "FM214" in result.err
    assert list(shop.folder.iterdir()) == []


# -- queues --------------------------------------------------------------------------------------


async def queues(bench: Bench) -> None:
    await bench.bring(Status.PROCESSING, queue="b")
    await bench.bring(Status.COMPLETED, queue="done")
    await bench.bring(Status.SCHEDULED, queue="a")
    await bench.add(queue="b")
    bench.clock.advance(70)
    await bench.add(queue="b")
    bench.clock.advance(5.5)


def test_queues_says_what_stands_where_and_how_long(shop: Shop) -> None:
    shop.do(queues)
    result = shop.call("queues")
    assert result.out.splitlines()[0].split()[:5] == ["QUEUE", "PENDING", "SCHEDULED", "PROCESSING", "WAITING"]
    assert result.rows == [["a", "0", "1", "0", "0"], ["b", "2", "0", "1", "0", "1m", "15s"]]
    told = shop.call("queues", "--json").json
    assert [list(each.values())[:5] for each in told] == [["a", 0, 1, 0, 0], ["b", 2, 0, 1, 0]]
    assert list(told[0])[1:5] == ["pending", "scheduled", "processing", "waiting"]
    assert told[0]["oldest_pending_seconds"] is None
    assert told[1]["oldest_pending_seconds"] == pytest.approx(75.5, abs=0.001)


def test_where_nothing_stands_queues_says_so(shop: Shop) -> None:
    shop.do()
    assert shop.call("queues").out == "No job waits or runs.\n"
    assert shop.call("queues", "--json").out == "[]\n"


# -- nodes ---------------------------------------------------------------------------------------


@pytest.fixture
def three_nodes(shop: Shop) -> Iterator[Shop]:
    """One that lives elsewhere and holds a job, one whose process is gone, one that ended a minute ago."""

    async def some(bench: Bench) -> None:
        for name, queues in (("ended", None), ("dead", frozenset({"q", "p"}))):
            number = await bench.store.register(NodeInfo(name, "ferry", 7, "0.1", frozenset(), queues, 4), bench.now)
            if name == "ended":
                await bench.store.retire(number, bench.now)
        bench.clock.advance(60)

    shop.do(some)
    held = shop.bench.store

    async def live() -> None:
        await held.open()
        info = NodeInfo("live", "ferry", 8, "0.1", frozenset({"echo"}), None, 2)
        number = await held.register(info, shop.clock.now())
        await shop.bench.add()
        await shop.bench.claim(number)

    async def end() -> None:
        await held.close()

    asyncio.run(live())
    yield shop
    asyncio.run(end())


def test_nodes_tells_the_living_the_dead_and_the_ended(three_nodes: Shop) -> None:
    result = three_nodes.call("nodes")
    assert " ".join(result.out.splitlines()[0].split()) == "ID HOST PID VERSION WORKERS QUEUES SINCE STATE CLAIMED BUSY"
    since, now = "2026-01-01T00:00:00Z", "2026-01-01T00:01:00Z"
    assert sorted(result.rows) == [
        ["dead", "ferry", "7", "0.1", "4", "p,q", since, "dead", "0"],
        ["ended", "ferry", "7", "0.1", "4", "all", since, "ended", "1m", "ago", "0"],
        ["live", "ferry", "8", "0.1", "2", "all", now, "live", "1"],
    ]


def test_nodes_as_json(three_nodes: Shop) -> None:
    found = {each["id"]: each for each in three_nodes.call("nodes", "--json").json}
    started = "2026-01-01T00:01:00.000000Z"
    assert (
        " ".join(found["live"])
        == "id host pid version workers queues types started_at ended_at live claimed beat_at rss_bytes quiet busy wish"
    )
    assert list(found["live"].values()) == [
        "live",
        "ferry",
        8,
        "0.1",
        2,
        None,
        ["echo"],
        started,
        None,
        True,
        1,
        *[None] * 5,
    ]
    assert (found["dead"]["live"], found["dead"]["ended_at"], found["dead"]["queues"]) == (False, None, ["p", "q"])
    assert (found["ended"]["live"], found["ended"]["ended_at"]) == (False, "2026-01-01T00:00:00.000000Z")


def test_nodes_by_id(three_nodes: Shop) -> None:
    assert [row[0] for row in three_nodes.call("nodes", "show", "live", "dead", "live").rows] == ["live", "dead"]
    result = three_nodes.call("nodes", "show", "lives")
    assert (result.code, result.out) == (1, "")
    assert "error FM416: There is no node 'lives'.\n  why: Did you mean live?" in result.err


def test_a_node_that_is_quiet_is_shown_as_such(three_nodes: Shop) -> None:
    bench = three_nodes.bench

    async def say() -> None:
        node = await bench.store.register(NodeInfo("live", "ferry", 8, "0.1", frozenset(), None, 2), bench.now)
        await bench.store.check_in(node, Condition(bench.now, None, quiet=True, busy=1))

    asyncio.run(say())
    [row] = [row for row in three_nodes.call("nodes").rows if row[0] == "live"]
    assert row[-3:] == ["quiet", "1", "1"]


@pytest.mark.parametrize(
    ("wish", "told"), [("quiet", "claims no more"), ("resume", "claims again"), ("stop", "stops in order")]
)
def test_nodes_are_told_what_to_do_wherever_they_are(three_nodes: Shop, wish: str, told: str) -> None:
    assert three_nodes.call("nodes", wish, "live").out == f"live {told} from its next beat on.\n"
    [node] = three_nodes.call("nodes", wish, "live", "live", "--json").json
    assert (node["id"], node["wish"]) == ("live", wish)
    [*_, deed] = three_nodes.call("audit", "--json").json
    assert (deed["action"], deed["target"]) == (f"node.{wish}", "live")
    for id, code in (("dead", "FM419"), ("ended", "FM419"), ("lives", "FM416")):
        result = three_nodes.call("nodes", wish, id)
        assert (result.code, code in result.err) == (1, True)


def test_quiet_reaches_the_nodes_that_live_on_this_machine(three_nodes: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert three_nodes.call("quiet").out == "No live nodes on this machine.\n"
    monkeypatch.setattr("socket.gethostname", lambda: "ferry")
    assert three_nodes.call("quiet").out == "live (process 8) claims no more.\n"
    assert three_nodes.call("quiet", "live").code == 0
    assert three_nodes.signals == [(8, signal.SIGUSR1)] * 2


@pytest.mark.parametrize(
    ("host", "id", "why"),
    [("ferry", "dead", "Its process has ended."), ("quay", "live", "It is on ferry."), ("ferry", "lives", "live?")],
)
def test_quiet_says_why_a_node_cannot_be_reached(
    three_nodes: Shop, monkeypatch: pytest.MonkeyPatch, host: str, id: str, why: str
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: host)
    result = three_nodes.call("quiet", id)
    assert result.code == 1
    assert "FM416" in result.err
    assert why in result.err
    assert three_nodes.signals == []


def test_where_there_is_no_node_it_says_so(shop: Shop) -> None:
    shop.do()
    assert shop.call("nodes").out == "No nodes.\n"


# -- prune ---------------------------------------------------------------------------------------


async def alternating(bench: Bench) -> None:
    """Long stretches of jobs that stay lie between those that go."""
    for _ in range(2):
        await bench.insert(*(bench.job() for _ in range(1500)))
        bench.clock.advance(1)
        await bench.bring(Status.CANCELLED)
        bench.clock.advance(1)
    bench.clock.advance(3600)


def test_prune_goes_over_all_jobs_in_rounds(shop: Shop) -> None:
    shop.do(alternating)
    assert shop.call("prune").out == "0 jobs deleted.\n"
    assert shop.call("prune", "--completed", "0s", "--failed", "0s").out == "0 jobs deleted.\n"
    result = shop.call("prune", "--cancelled", "1h")
    assert (result.code, result.out, result.err) == (0, "2 jobs deleted.\n", "")
    assert shop.count() == 3000


def test_prune_keeps_what_it_is_told_to_keep(shop: Shop) -> None:
    async def two(bench: Bench) -> None:
        await bench.bring(Status.COMPLETED)
        bench.clock.advance(100)
        await bench.bring(Status.COMPLETED)
        await bench.bring(Status.FAILED)

    shop.do(two)
    assert shop.call("prune", "--completed", "99s", "--json").json == {"deleted": 1}
    assert shop.call("prune", "--completed", "0s").out == "1 job deleted.\n"
    shop.environ["FERRYMAN_RETENTION"] = "failed=1s"
    assert shop.call("prune").out == "0 jobs deleted.\n"
    shop.clock.advance(1)
    assert shop.call("prune").out == "1 job deleted.\n"


def test_prune_refuses_what_is_no_duration(shop: Shop) -> None:
    shop.do()
    result = shop.call("prune", "--failed", "yesterday")
    assert (result.code, result.out) == (2, "")
    assert "'yesterday' is no duration" in result.err


# -- migrate -------------------------------------------------------------------------------------


def test_migrate_makes_the_file_and_says_so_once(shop: Shop) -> None:
    newest = database.newest_schema()
    assert shop.call("migrate").out == f"{shop.path} has schema {newest}.\n"
    assert database.inspect(shop.path) == newest
    assert shop.call("migrate").out == f"{shop.path} has schema {newest} already; there was nothing to do.\n"
    assert shop.call("migrate", "--json").json == {"database": str(shop.path), "from": newest, "to": newest}


def test_migrate_says_from_which_schema(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.call("migrate")
    monkeypatch.setattr(database, "migrations", lambda: [*migrations(), (99, "CREATE TABLE more (x TEXT) STRICT;\n")])
    assert "CREATE TABLE more" in shop.call("migrate", "--sql").out
    assert "CREATE TABLE lane" not in shop.call("migrate", "--sql").out
    newest = migrations()[-1][0]
    assert shop.call("migrate").out == f"{shop.path} was migrated from schema {newest} to 99.\n"
    with closing(sqlite3.connect(shop.path)) as connection:
        assert connection.execute("SELECT count(*) FROM more").fetchone() == (0,)


def test_migrate_sql_prints_what_makes_the_schema_and_touches_nothing(shop: Shop) -> None:
    printed = shop.call("migrate", "--sql")
    assert (printed.code, printed.err) == (0, "")
    assert list(shop.folder.iterdir()) == []
    told = shop.call("migrate", "--sql", "--json").json
    assert (told["from"], told["to"]) == (0, database.newest_schema())
    with closing(sqlite3.connect(shop.path, isolation_level=None)) as connection:
        connection.executescript(printed.out)
    assert shop.call("migrate").out.endswith("there was nothing to do.\n")
    assert shop.call("migrate", "--sql").out == "\n"


def test_a_database_of_a_newer_version_is_refused(shop: Shop) -> None:
    shop.call("migrate")
    with closing(sqlite3.connect(shop.path)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    for command in (["migrate"], ["jobs", "ls"], ["queues"]):
        result = shop.call(*command)
        assert (result.code, "FM205" in result.err) == (3, True)


def test_memory_has_no_schema(shop: Shop) -> None:
    assert shop.call("migrate", "--database-url", "memory://").code == 3


# -- completion ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_names_the_program_and_its_variable(shop: Shop, shell: str) -> None:
    result = shop.call("completion", shell)
    assert (result.code, result.err) == (0, "")
    assert "_FERRYMAN_COMPLETE" in result.out and f"{shell}_complete" in result.out
    found = shutil.which(shell)
    if found is not None:  # a shell that is there understands it
        flag = "--no-execute" if shell == "fish" else "-n"
        subprocess.run([found, flag], input=result.out, text=True, check=True, capture_output=True)


def test_another_shell_is_refused(shop: Shop) -> None:
    result = shop.call("completion", "bsh")
    assert (result.code, result.out) == (2, "")
    assert "Did you mean bash?" in result.err


@pytest.mark.parametrize(
    ("words", "completed"),
    [("ferryman que", ["queues"]), ("ferryman jobs ta", ["tail"]), ("ferryman jobs ls --que", ["--queue"])],
)
def test_a_shell_completes_commands_and_options(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, words: str, completed: list[str]
) -> None:
    monkeypatch.setenv("_FERRYMAN_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(len(words.split()) - 1))
    assert [line.partition(",")[2] for line in shop.call().out.split()] == completed


# -- check ---------------------------------------------------------------------------------------


def findings(shop: Shop, *arguments: str) -> dict[str, dict[str, str]]:
    return {each["about"]: each for each in shop.call("check", *arguments, "--json").json}


def test_check_warns_of_pending_jobs_that_the_target_does_not_declare(shop: Shop) -> None:
    async def pending(bench: Bench) -> None:
        await bench.add("greet")
        await bench.add("great")
        await bench.add("great", queue="q")

    shop.do(pending)
    result = shop.call("check", shop.target())
    assert result.code == 0
    assert "warning  types    2 jobs of type great pending, and the target does not declare it.\n" in result.out
    assert "Did you mean greet?" in result.out
    assert "1 job" not in result.out


def test_check_warns_of_an_old_schema(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.call("migrate")
    assert "schema" not in findings(shop, shop.target())
    monkeypatch.setattr(database, "migrations", lambda: [*migrations(), (99, "CREATE TABLE more (x TEXT) STRICT;\n")])
    found = findings(shop, shop.target())
    assert found["schema"]["level"] == "warning"
    assert "works with 99" in found["schema"]["what"] and "ferryman migrate" in found["schema"]["hint"]


def test_check_says_a_new_schema_is_an_error(shop: Shop) -> None:
    shop.call("migrate")
    with closing(sqlite3.connect(shop.path)) as connection:
        connection.execute("PRAGMA user_version = 1000")
    assert findings(shop, shop.target())["database"]["code"] == "FM205"


def test_check_says_who_else_has_the_file_open_where_that_is_dangerous(three_nodes: Shop) -> None:
    three_nodes.sqlite = (3, 51, 2)
    found = findings(three_nodes, three_nodes.target())["sqlite"]
    assert found["level"] == "warning"
    assert found["what"].endswith("1 process has this file open now.")
    three_nodes.sqlite = (3, 51, 3)
    assert findings(three_nodes, three_nodes.target())["sqlite"]["level"] == "ok"


def test_check_changes_nothing(shop: Shop) -> None:
    shop.do(queues)
    before = contents(shop.folder)
    shop.call("check")
    assert contents(shop.folder) == before


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
