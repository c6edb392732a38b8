"""`@app.cron`: what it declares, what it refuses, and that a node puts it into the store."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ferryman import Context, Ferryman, errors
from ferryman.declare import CronOptions
from ferryman.domain.cron import Ambiguous, Cron, Missed, Nonexistent
from ferryman.domain.schedule import Order, Overlap, Schedule
from ferryman.embed import running
from tests.http.world import talk


@pytest.fixture
def app() -> Iterator[Ferryman]:
    with Ferryman("memory://") as app:
        yield app


def clean(days: int = 3, *, label: str = "") -> str:
    return f"{days}{label}"


def test_it_schedules_a_job_and_leaves_it_as_it_was(app: Ferryman) -> None:
    job = app.job(queue="slow", priority=1, max_attempts=2)(clean)
    assert app.cron("@daily")(job) is job
    expected = Schedule("clean", Cron("@daily"), Order("clean", "{}", "slow", 1, 2))
    assert app.registry.schedules == {"clean": expected}


def test_directly_above_a_function_it_declares_the_job(app: Ferryman) -> None:
    job = app.cron("@daily")(clean)
    assert (job.type, job(4)) == ("clean", "4")
    assert app.registry.get("clean") is not None
    assert list(app.registry.schedules) == ["clean"]


def test_every_option_is_kept(app: Ferryman) -> None:
    app.cron(
        "30 1 * * *",
        name="nightly",
        tz="America/New_York",
        missed="all",
        max_missed=7,
        overlap="wait",
        ambiguous="both",
        nonexistent="skip",
        payload={"days": 5, "label": "x"},
        tags=["a", "b"],
    )(clean)
    order = Order("clean", '{"days":5,"label":"x"}', tags=("a", "b"))
    cron = Cron("30 1 * * *", "America/New_York", Ambiguous.BOTH, Nonexistent.SKIP)
    assert app.registry.schedules == {"nightly": Schedule("nightly", cron, order, Missed.ALL, 7, Overlap.WAIT)}


def test_a_job_may_have_several_schedules_of_different_names(app: Ferryman) -> None:
    @app.cron("@daily", name="daily", payload={"count": 1})
    @app.cron("@hourly")
    @app.job_with_context
    async def tell(ctx: Context, count: int = 0) -> None: ...

    assert sorted(app.registry.schedules) == ["daily", "tell"]
    with pytest.raises(errors.BadOption, match="name cannot be 'tell'"):
        app.cron("@weekly")(tell)


@pytest.mark.parametrize(
    ("declare", "error", "said"),
    [
        (lambda app: app.cron("* * *"), errors.BadSchedule, "no cron expression"),
        (lambda app: app.cron("@daily", tz="Mars/Olympus"), errors.BadSchedule, "no time zone"),
        (lambda app: app.cron(5), errors.BadOption, "the expression"),
        (lambda app: app.cron("@daily", tz=None), errors.BadOption, "tz"),
        (lambda app: app.cron("@daily", missed="never"), errors.BadOption, "missed"),
        (lambda app: app.cron("@daily", max_missed=-1), errors.BadOption, "max_missed"),
        (lambda app: app.cron("@daily", overlap=True), errors.BadOption, "overlap"),
        (lambda app: app.cron("@daily", ambiguous="second"), errors.BadOption, "ambiguous"),
        (lambda app: app.cron("@daily", nonexistent="x"), errors.BadOption, "nonexistent"),
        (lambda app: app.cron("@daily", name="a b"), errors.BadOption, "name"),
        (lambda app: app.cron("@daily", tags="ab"), errors.BadOption, "tags"),
        (lambda app: app.cron("@daily", payload=[1]), errors.BadOption, "payload"),
        (lambda app: app.cron("@daily", zone="UTC"), errors.BadOption, "an option of a schedule cannot be 'zone'"),
        (lambda app: app.cron("@daily", payload={"days": "x"}), errors.WrongArgumentType, "days"),
        (lambda app: app.cron("@daily", payload={"day": 1}), errors.UnknownArgument, "day"),
    ],
)
def test_what_is_refused_when_the_function_is_declared(
    app: Ferryman, declare: Callable[[Any], Any], error: type[errors.FerrymanError], said: str
) -> None:
    with pytest.raises(error, match=said):
        declare(app)(clean)
    assert app.registry.schedules == {}


def test_an_argument_without_default_needs_a_payload(app: Ferryman) -> None:
    def send(to: str) -> None: ...

    with pytest.raises(errors.MissingArgument, match="to"):
        app.cron("@daily")(send)


def test_a_job_of_another_app_is_refused(app: Ferryman) -> None:
    other = Ferryman("memory://").job(clean)
    app.job(clean)
    with pytest.raises(errors.BadOption, match="a job of the same app"):
        app.cron("@daily")(other)


@pytest.mark.anyio
async def test_a_node_puts_it_into_the_store_and_fires_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = asyncio.Event()
    with Ferryman(f"sqlite:///{tmp_path}/jobs.db", stop_deadline=0.1) as app:

        @app.cron("* * * * * *")
        @app.job_with_context
        async def tick(ctx: Context) -> datetime | None:
            ran.set()
            return ctx.job.run_at

        async with running(app) as server, talk(server.asgi) as http:
            [kept] = (await http.get("/schedules")).json()
            assert (kept["name"], kept["source"]) == ("tick", "code")
            await asyncio.wait_for(ran.wait(), 60)
            [job, *_] = (await http.get("/jobs")).json()
            assert job["run_at"].endswith(".000000Z"), "the tick"
            assert job["created_at"] >= job["run_at"]
            done = await tick.handle(job["id"]).aresult(60)
            assert done == datetime.fromisoformat(job["run_at"])


def test_the_table_of_options_is_that_of_declarations() -> None:
    text = (Path(__file__).parent.parent / "docs" / "cron.md").read_text(encoding="utf-8")
    table = text.partition("## Expressions")[0]
    assert set(re.findall(r"^\| `(\w+)` \| ", table, re.MULTILINE)) == set(CronOptions.__annotations__)
