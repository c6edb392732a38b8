"""`Remote`, and an app whose DATABASE_URL is a server, against a server of its own process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ferryman import Ferryman, PerKey
from ferryman.domain.errors import (
    ApiKeyMissing,
    ApiKeyRefused,
    BadOption,
    BadSetting,
    JobCancelled,
    JobFailed,
    JobNotFound,
    NotSerialisable,
    ResultTimeout,
    ScopeMissing,
    ServerUnreachable,
    SyncInsideLoop,
    TransactionImpossible,
    UniqueKeyTaken,
    WrongArgumentType,
)
from ferryman.domain.state import Status
from ferryman.http.remote import Remote
from tests.http.remote.program import declared
from tests.http.remote.served import PATIENCE, PROGRAM, environment, served


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with served(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture
def remote(url: str) -> Iterator[Remote]:
    with Remote(url) as found:
        yield found


@pytest.fixture
def app(url: str) -> Iterator[Ferryman]:
    with Ferryman(url) as found:
        yield found


@pytest.fixture
def jobs(app: Ferryman) -> Mapping[str, Any]:
    return declared(app)


# -- Remote ------------------------------------------------------------------------------------------


def test_a_job_by_its_name(remote: Remote) -> None:
    handle = remote.enqueue("add", {"a": 40, "b": 2}, queue="sums", priority=1, tags=["x"], delay=timedelta(0))
    assert handle.result(timeout=PATIENCE) == 42
    assert handle.status() is Status.COMPLETED
    job = remote.get(handle.id)
    assert (job.queue, job.priority, job.tags, job.payload, job.result) == ("sums", 1, ("x",), '{"a":40,"b":2}', "42")
    assert [each.what for each in remote.attempts(handle.id)] == ["done"]
    assert remote.handle(handle.id) == handle
    assert remote.wait_for(handle.id, timeout=PATIENCE) == job


def test_a_call_of_a_declared_job_keeps_its_options_and_its_result(remote: Remote, jobs: Mapping[str, Any]) -> None:
    handle = remote.enqueue(jobs["greet"].call("Ada").options(tags=["t"]), priority=7)
    assert handle.result(timeout=PATIENCE) == ("Hello, Ada", b"Ada")
    job = remote.get(handle.id)
    assert (job.tags, job.priority) == (("t",), 7)


def test_many_from_a_generator_that_is_never_held(remote: Remote, jobs: Mapping[str, Any]) -> None:
    held: list[int] = []

    def calls() -> Iterator[Any]:
        for n in range(2500):
            held.append(n)
            yield jobs["add"].call(n).options(tags=["many"])

    assert remote.enqueue_many(calls()) == 2500
    assert len(held) == 2500
    assert sum(1 for _ in remote.list(tag="many", page=1000)) == 2500
    newest = next(iter(remote.list(tag="many", newest_first=True, page=1)))
    assert '"a":2499' in newest.payload


def test_a_refusal_in_the_middle_of_many_says_how_far_it_came(remote: Remote, jobs: Mapping[str, Any]) -> None:
    call = jobs["add"].call
    calls = [call(n).later(3600).options(unique_key="twice") if n in (1100, 1200) else call(n) for n in range(1300)]
    with pytest.raises(UniqueKeyTaken) as caught:
        remote.enqueue_many(calls)
    assert caught.value.__notes__ == ["1000 jobs in the chunks before this one were accepted."]


def test_a_handle_raises_how_the_job_ended(remote: Remote, jobs: Mapping[str, Any]) -> None:
    with pytest.raises(JobFailed) as caught:
        remote.enqueue(jobs["fail"].call("no \u00e9")).result(timeout=PATIENCE)
    assert (caught.value.error_type, caught.value.error_message) == ("ValueError", "no \u00e9")
    later = remote.enqueue(jobs["add"].call(1).later(3600))
    with pytest.raises(ResultTimeout):
        later.result(timeout=0)
    assert "It is scheduled" in remote.explain(later.id).summary
    assert remote.cancel(later.id).status is Status.CANCELLED
    with pytest.raises(JobCancelled):
        later.result(timeout=PATIENCE)
    assert remote.retry(later.id).status is not Status.CANCELLED, "it may run by now"
    assert later.result(timeout=PATIENCE) == 2
    with pytest.raises(JobNotFound):
        remote.handle("01890a5d-ac96-774b-bcce-b302099a8057").status()


def test_what_the_server_knows(remote: Remote) -> None:
    assert remote.metrics()["workers"] == 10
    [node] = [each for each in remote.nodes() if each.live]
    assert node.types == frozenset({"add", "fail", "greet", "bill", "talk"})
    assert [each.type for each in remote.types()] == ["add", "bill", "fail", "greet", "talk"]
    assert remote.pause("later").paused
    job = remote.enqueue("add", {"a": 1}, queue="later")
    assert [(each.queue, each.pending) for each in remote.queues() if each.queue == "later"] == [("later", 1)]
    assert job.status() is Status.PENDING
    assert not remote.resume("later").paused
    assert job.result(timeout=PATIENCE) == 2


def test_times_and_payloads_are_judged_here(remote: Remote) -> None:
    soon = datetime.now(UTC) + timedelta(hours=1)
    job = remote.get(remote.enqueue("add", {"a": 1}, run_at=soon, expires_at=soon + timedelta(hours=1)).id)
    assert job.run_at == round(soon.timestamp() * 1_000_000)
    assert job.status is Status.SCHEDULED
    with pytest.raises(BadOption, match="time zone"):
        remote.enqueue("add", {"a": 1}, run_at=datetime(2030, 1, 1))  # noqa: DTZ001 - that is what is wrong
    with pytest.raises(BadOption, match="delay"):
        remote.enqueue("add", {"a": 1}, delay=-1)
    with pytest.raises(NotSerialisable):
        remote.enqueue("add", {"a": object()})
    with pytest.raises(BadOption, match="tags"):
        remote.enqueue("add", {"a": 1}, tags="abc")
    with pytest.raises(WrongArgumentType):
        remote.enqueue("add", {"a": "x"})


def test_the_twins_work_on_any_loop_and_beside_threads(remote: Remote, jobs: Mapping[str, Any]) -> None:
    async def on_a_loop(tag: str) -> list[int]:
        async def calls() -> AsyncIterator[Any]:
            for n in range(5):
                yield jobs["add"].call(n).options(tags=[tag])

        handles = await asyncio.gather(*(remote.aenqueue(jobs["add"].call(n)) for n in range(50)))
        assert await remote.aenqueue_many(calls()) == 5
        assert len([job async for job in remote.alist(tag=tag, page=2)]) == 5
        first = handles[0].id
        assert (await remote.await_for(first, timeout=PATIENCE)).id == (await remote.aget(first)).id
        assert await handles[0].astatus() is Status.COMPLETED
        assert len(await remote.aattempts(first)) == 1
        assert (await remote.aexplain(first)).status is Status.COMPLETED
        assert (await remote.ametrics())["jobs_created"] >= 50
        assert await remote.anodes()
        assert await remote.atypes()
        await remote.aqueues()
        with pytest.raises(SyncInsideLoop, match=r"aget\(\)"):
            remote.get(first)
        with pytest.raises(SyncInsideLoop, match=r"aenqueue\(\)"):
            remote.enqueue("add", {"a": 1})
        return [await each.aresult(timeout=PATIENCE) for each in handles]

    assert asyncio.run(on_a_loop("one")) == list(range(1, 51))
    assert asyncio.run(on_a_loop("another")) == list(range(1, 51))
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda n=n: found.append(remote.enqueue("add", {"a": n}).result(timeout=PATIENCE)))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sorted(found) == list(range(1, 9))


async def _changed(remote: Remote) -> None:
    job = await remote.aenqueue("add", {"a": 1}, delay=3600)
    assert (await remote.acancel(job.id)).status is Status.CANCELLED
    assert (await remote.aretry(job.id)).status is not Status.CANCELLED, "it may run by now"
    assert (await remote.apause("q")).paused
    assert not (await remote.aresume("q")).paused


def test_the_twins_that_change_things(remote: Remote) -> None:
    asyncio.run(_changed(remote))


def test_what_is_closed_starts_anew(remote: Remote) -> None:
    id = remote.enqueue("add", {"a": 1}).id
    remote.close()
    remote.close()
    assert remote.get(id).id == id


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Only where processes fork.")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_that_is_forked_has_a_way_of_its_own(remote: Remote) -> None:
    id = remote.enqueue("add", {"a": 1}).id
    child = os.fork()
    if child == 0:
        signal.alarm(PATIENCE)  # one that waits for its parent's thread would wait for ever
        os._exit(0 if remote.get(id).id == id else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert remote.get(id).id == id


def test_where_nobody_answers_it_says_so_in_time() -> None:
    with Remote("http://127.0.0.1:9", retries=1) as nowhere, pytest.raises(ServerUnreachable, match="Nothing was done"):
        nowhere.enqueue("add", {"a": 1})


def test_help_shows_the_words_of_a_verb() -> None:
    assert "Raises JobNotFound" in (Remote.get.__doc__ or "")
    assert Remote.aget.__name__ == "get"


# -- an app whose jobs are behind the server ---------------------------------------------------------


def test_an_app_enqueues_by_the_url_of_a_server(jobs: Mapping[str, Any], remote: Remote) -> None:
    handle = jobs["add"].enqueue(1, b=2)
    assert handle.result(timeout=PATIENCE) == 3
    job = remote.get(handle.id)
    assert (job.queue, job.priority) == ("sums", 3)
    assert jobs["greet"].enqueue("Ada").result(timeout=PATIENCE) == ("Hello, Ada", b"Ada")
    with pytest.raises(JobFailed, match="boom"):
        jobs["fail"].enqueue("boom").result(timeout=PATIENCE)


def test_it_enqueues_many_and_on_any_loop(app: Ferryman, jobs: Mapping[str, Any], remote: Remote) -> None:
    assert app.enqueue_many(jobs["add"].call(n).options(tags=["of-app"]) for n in range(1500)) == 1500

    async def on_a_loop() -> int:
        assert await app.aenqueue_many(jobs["add"].call(n).options(tags=["of-app"]) for n in range(3)) == 3
        await app.awake()
        result: int = await (await jobs["add"].aenqueue(4)).aresult(timeout=PATIENCE)
        return result

    assert asyncio.run(on_a_loop()) == 5
    assert sum(1 for _ in remote.list(tag="of-app", page=1000)) == 1503


def test_what_only_this_process_knows_goes_along(url: str, remote: Remote) -> None:
    with Ferryman(url) as app:

        @app.job(queue="bills-of-mine", per_key=PerKey(lambda customer: f"mine-{customer}", concurrency=1))
        async def bill(customer: str) -> str:
            return customer

        remote.pause("bills-of-mine")
        assert remote.get(bill.enqueue("acme").id).queue == "bills-of-mine"
        with urllib.request.urlopen(f"{url}/keys/mine-acme", timeout=PATIENCE) as answer:
            assert json.load(answer)["key"] == "mine-acme"
        remote.resume("bills-of-mine")


def test_arguments_are_checked_before_anything_is_sent() -> None:
    with Ferryman("http://127.0.0.1:9") as app, pytest.raises(WrongArgumentType, match="argument a"):
        declared(app)["add"].enqueue("x")


def test_a_transaction_of_ones_own_is_refused(app: Ferryman, jobs: Mapping[str, Any]) -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(TransactionImpossible, match="behind HTTP"):
        jobs["add"].call(1).enqueue(tx=connection)
    with pytest.raises(TransactionImpossible):
        app.enqueue_many([jobs["add"].call(1)], tx=connection)
    connection.close()


def test_its_key_is_a_setting(url: str) -> None:
    with pytest.raises(BadSetting, match="not shown"):
        declared(Ferryman(url, api_key="a b"))["add"].enqueue(1)
    with Ferryman(url, api_key="sesame") as keyed:
        assert declared(keyed)["add"].enqueue(1).result(timeout=PATIENCE) == 2


def test_a_server_with_keys_wants_one_and_lets_it_do_what_it_may(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ferryman", "api-keys", "add", "web", "--scope", "enqueue", "--json"]
    made = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=True)
    key = json.loads(made.stdout)["key"]
    with served(tmp_path) as url:
        with Remote(url) as nobody, pytest.raises(ApiKeyMissing):
            nobody.enqueue("add", {"a": 1})
        with Remote(url, api_key=key[:-1]) as stranger, pytest.raises(ApiKeyRefused):
            stranger.enqueue("add", {"a": 1})
        with Remote(url, api_key=key) as web:
            job = web.enqueue("add", {"a": 1})
            with pytest.raises(ScopeMissing) as caught:
                job.status()
            assert caught.value.scope == "read"
        with Ferryman(url, api_key=key) as app:
            assert declared(app)["add"].enqueue(1).id


def test_nodes_and_commands_want_the_database_itself(url: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ferryman", "serve", str(PROGRAM), "--port", "0"]
    given = environment(FERRYMAN_DATABASE_URL=url)
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "a server, and this needs the database itself" in done.stderr


# -- what is loaded, and what is not there -----------------------------------------------------------


def said(script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return done.stdout


def test_without_the_extra_the_error_says_what_to_install() -> None:
    missing = "import sys; sys.modules['httpx2'] = None\nfrom ferryman import Ferryman, errors\n"
    for line in ("from ferryman.http.remote import Remote", "Ferryman('http://127.0.0.1:9').wake()"):
        told = said(f"{missing}try:\n    {line}\nexcept errors.ToolMissing as error:\n    print(error)")
        assert told.startswith("FM121: ")
        assert "pip install 'ferryman[client]'" in told


def test_a_client_loads_no_server_and_no_database() -> None:
    never = ("uvicorn", "prometheus_client", "click", "sqlite3", "ferryman.store.sqlite", "ferryman.engine.node")
    script = f"import ferryman.http.remote, sys\nprint([name for name in {never!r} if name in sys.modules])"
    assert said(script) == "[]\n"
    assert said("import ferryman, sys\nprint('httpx2' in sys.modules)") == "False\n"
