"""Ferryman: declaring jobs, calling them, enqueueing them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ferryman import Context, Ferryman, PerKey, Secret, Sequence, errors
from ferryman.client import JobRequest
from ferryman.domain.job import AfterCrashes, Job
from ferryman.domain.keys import GateRule, OnFailure
from ferryman.domain.retry import Exponential, Fixed, Listed, RetryPolicy
from ferryman.domain.state import Status
from ferryman.engine.registry import Handler


@pytest.fixture
def app() -> Iterator[Ferryman]:
    with Ferryman("memory://") as app:
        yield app


def add(a: int, b: int = 2) -> int:
    return a + b


async def multiply(a: int, b: int = 2) -> int:
    return a * b


def with_context(ctx: Context, a: int) -> int:
    return a


def declared(app: Ferryman, type: str) -> Handler:
    handler = app.registry.get(type)
    assert handler is not None
    return handler


def read(app: Ferryman, id: str) -> Job:
    return app._bridge.call(lambda client: client.get(id), "")


# -- declaring ---------------------------------------------------------------------------------------


def test_a_function_becomes_a_job_of_its_name_with_the_defaults(app: Ferryman) -> None:
    job = app.job(add)
    handler = declared(app, "add")
    assert job.type == "add"
    assert (handler.queue, handler.priority, handler.max_attempts, handler.timeout) == ("default", 5, 5, "default")
    assert handler.retry == RetryPolicy(Exponential())
    assert handler.function is add
    assert not handler.is_async
    assert not handler.wants_context


def test_a_declaration_may_say_everything(app: Ferryman) -> None:
    job = app.job(name="maths:add", queue="slow", priority=0, max_attempts=1, timeout=None, retry=3)(add)
    handler = declared(app, "maths:add")
    assert job.type == "maths:add"
    assert (handler.queue, handler.priority, handler.max_attempts, handler.timeout) == ("slow", 0, 1, None)
    assert handler.retry == RetryPolicy(Fixed(3.0))


def test_async_functions_and_contexts_are_known(app: Ferryman) -> None:
    app.job(multiply)
    app.job_with_context(with_context)
    app.job_with_context(name="other")(with_context)
    assert declared(app, "multiply").is_async
    assert declared(app, "with_context").wants_context
    assert declared(app, "other").wants_context


@pytest.mark.parametrize(
    ("retry", "policy"),
    [
        (None, RetryPolicy()),
        (2, RetryPolicy(Fixed(2.0))),
        ([1, 5.5], RetryPolicy(Listed((1.0, 5.5)))),
        (Exponential(base=3), RetryPolicy(Exponential(base=3))),
        (RetryPolicy(Fixed(1.0)), RetryPolicy(Fixed(1.0))),
        ({OSError: 4, KeyError: None}, RetryPolicy(rules=((OSError, Fixed(4.0)), (KeyError, None)))),
    ],
)
def test_retries_are_spelled_in_many_ways(app: Ferryman, retry: Any, policy: RetryPolicy) -> None:
    app.job(retry=retry)(add)
    assert declared(app, "add").retry == policy


def test_where_a_job_goes_after_crashes_is_declared_to_the_store(app: Ferryman) -> None:
    app.job(after_crashes=(3, "poison"))(add)
    assert app.registry.declarations["add"].after_crashes == AfterCrashes(3, "poison")


@pytest.mark.parametrize("retry", [2, RetryPolicy(Fixed(2.0), ((OSError, None),)), {OSError: 3}])
def test_what_is_never_retried_goes_before_the_other_rules(app: Ferryman, retry: Any) -> None:
    app.job(retry=retry, never=(ValueError,))(add)
    found = declared(app, "add").retry
    assert found.rules[0] == (ValueError, None)
    assert found.delay(ValueError(), 1, 0.5) is None


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"name": "a b"}, "type"),
        ({"name": ""}, "type"),
        ({"queue": ""}, "queue"),
        ({"priority": -1}, "priority"),
        ({"max_attempts": 1001}, "max_attempts"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": "soon"}, "timeout"),
        ({"retry": -1}, "retry"),
        ({"retry": []}, "retry"),
        ({"retry": "5"}, "retry"),
        ({"retry": [1, float("nan")]}, "retry"),
        ({"retry": object()}, "retry"),
        ({"retry": {"OSError": 1}}, "retry"),
        ({"retry": {OSError: -1}}, "retry"),
        ({"never": ValueError}, "never"),
        ({"never": ["ValueError"]}, "never"),
        ({"never": [int]}, "never"),
        ({"after_crashes": 3}, "after_crashes"),
        ({"after_crashes": (3, "")}, "queue"),
        ({"per_key": "a"}, "per_key"),
        ({"sequence": True}, "sequence"),
        ({"per_key": PerKey("c")}, "the key"),
        ({"per_key": PerKey(7)}, "the key"),  # type: ignore[arg-type]
        ({"per_key": PerKey("a", concurrency=0)}, "concurrency"),
        ({"sequence": Sequence("a", on_failure="stop")}, "on_failure"),
    ],
)
def test_a_bad_declaration_is_refused_by_name(app: Ferryman, options: Any, option: str) -> None:
    with pytest.raises(errors.BadOption) as caught:
        app.job(**options)(add)
    assert caught.value.what.startswith(f"{option} cannot be")
    assert app.registry.types == frozenset()


def key_of(app: Ferryman, type: str, payload: str) -> str | None:
    keyed = declared(app, type).keyed
    assert keyed is not None
    return keyed.key_of(payload)


def test_a_declaration_may_say_how_its_jobs_have_keys(app: Ferryman) -> None:
    app.job(per_key=PerKey("a", concurrency=2))(add)
    app.job(name="seq", sequence=Sequence("b", on_failure="pass"))(add)
    app.job(name="by", per_key=PerKey(lambda a, b=1: f"{a}-{b}", rate="5/m"))(add)
    assert key_of(app, "add", '{"a":7}') == "7"
    assert key_of(app, "seq", '{"a":7}') == "2"
    assert key_of(app, "by", '{"a":7}') == "7-1"
    found = [app.registry.declarations[type].keyed for type in ("add", "seq", "by")]
    assert [each and each.rule for each in found] == [
        GateRule(concurrency=2),
        GateRule(strict=True, on_failure=OnFailure.PASS),
        GateRule(rate=5 / 60),
    ]
    assert [each and each.argument for each in found] == ["a", "b", None]


def test_a_job_has_one_key_and_no_secret_one(app: Ferryman) -> None:
    def pay(token: Secret[str]) -> None: ...

    with pytest.raises(errors.BadOption, match="per_key or sequence"):
        app.job(per_key=PerKey("a"), sequence=Sequence("a"))(add)
    with pytest.raises(errors.BadOption, match="cannot be its secret token"):
        app.job(per_key=PerKey("token"))(pay)


def test_a_call_may_have_another_key(app: Ferryman) -> None:
    job = app.job(sequence=Sequence("a"))(add)
    handles = [job.enqueue(1), job.enqueue(1), job.call(1).options(key="other").enqueue()]
    assert [read(app, handle.id).status for handle in handles] == [Status.PENDING, Status.WAITING, Status.PENDING]


def test_a_function_that_can_be_no_handler_is_refused(app: Ferryman) -> None:
    with pytest.raises(errors.BadHandler):
        app.job(lambda: 1)


def test_two_handlers_of_one_type_are_refused(app: Ferryman) -> None:
    app.job(add)
    with pytest.raises(errors.DuplicateType):
        app.job(name="add")(multiply)


def test_two_apps_know_nothing_of_each_other(app: Ferryman) -> None:
    with Ferryman("memory://") as other:
        first, second = app.job(add), other.job(add)
        app.job(name="only")(add)
        assert other.registry.types == {"add"}
        handle = first.enqueue(1)
        with pytest.raises(errors.JobNotFound):
            second.handle(handle.id).status()


# -- calling -----------------------------------------------------------------------------------------


def test_a_declared_function_is_still_the_function(app: Ferryman) -> None:
    job = app.job(add)
    assert job(1, b=5) == 6
    assert job.__name__ == "add"
    assert job.__wrapped__ is add
    assert app.job_with_context(with_context)(Context.__new__(Context), 3) == 3


@pytest.mark.anyio
async def test_a_declared_coroutine_function_is_still_one(app: Ferryman) -> None:
    assert await app.job(multiply)(4) == 8


def test_arguments_are_checked_where_they_are_bound(app: Ferryman) -> None:
    job: Any = app.job(add)
    with pytest.raises(errors.WrongArgumentType, match="argument a of add"):
        job.call("x")
    with pytest.raises(errors.UnknownArgument):
        job.enqueue(1, c=3)
    with pytest.raises(errors.MissingArgument):
        job.enqueue()
    with pytest.raises(errors.UnknownArgument):
        app.job_with_context(with_context).enqueue(1, 2)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_a_call_is_a_value_and_its_methods_give_others(app: Ferryman) -> None:
    call = app.job(add).call(1)
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    expected = JobRequest("add", '{"a":1}', checked=True)
    assert call.later(timedelta(minutes=1)).request.delay == 60.0
    assert call.at(moment).request.run_at == int(moment.timestamp()) * 1_000_000
    assert call.at(moment).later(5).request.run_at is None
    assert call.later(5).at(moment).request.delay is None
    assert call.request == expected


def test_options_keep_what_they_do_not_name(app: Ferryman) -> None:
    call = (
        app.job(add)
        .call(1)
        .options(priority=1, tags=["a"])
        .options(queue="x", expires_at=datetime(2040, 1, 1, tzinfo=UTC))
    )
    request = call.request
    assert (request.priority, request.tags, request.queue) == (1, ("a",), "x")
    assert request.expires_at == 2_208_988_800_000_000


def test_options_reach_the_store(app: Ferryman) -> None:
    call = app.job(queue="mail", priority=3, max_attempts=9)(add).call(1)
    plain = read(app, call.enqueue().id)
    assert (plain.queue, plain.priority, plain.max_attempts, plain.status) == ("mail", 3, 9, Status.PENDING)
    told = call.options(queue="q", priority=0, max_attempts=2, unique_key="k", tags=("t",)).later(60)
    job = read(app, told.enqueue().id)
    assert (job.queue, job.priority, job.max_attempts, job.unique_key, job.tags) == ("q", 0, 2, "k", ("t",))
    assert job.status is Status.SCHEDULED


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"queue": "a b"}, "queue"),
        ({"priority": 10}, "priority"),
        ({"max_attempts": 0}, "max_attempts"),
        ({"timeout": -1}, "timeout"),
        ({"unique_key": "\0"}, "unique_key"),
        ({"on_conflict": "shrug"}, "on_conflict"),
        ({"tags": "word"}, "tags"),
        ({"tags": ["x"] * 21}, "tags"),
        ({"tags": [5]}, "a tag"),
        ({"expires_at": datetime(2000, 1, 1, tzinfo=UTC)}, "expires_at"),
        ({"expires_at": datetime(2040, 1, 1)}, "expires_at"),  # noqa: DTZ001
        ({"expires_at": 5}, "expires_at"),
        ({"idempotency_key": "two words"}, "idempotency_key"),
    ],
)
def test_a_bad_option_is_refused_by_name(app: Ferryman, options: Any, option: str) -> None:
    call = app.job(add).call(1)
    with pytest.raises(errors.BadOption) as caught:
        call.options(**options).enqueue()
    assert caught.value.what.startswith(f"{option} cannot be")


@pytest.mark.parametrize("delay", [-1, float("inf"), "5", None])
def test_a_bad_delay_is_refused(app: Ferryman, delay: Any) -> None:
    with pytest.raises(errors.BadOption, match="delay"):
        app.job(add).call(1).later(delay)


@pytest.mark.parametrize("moment", [datetime(2030, 1, 1), 5, "2030-01-01T00:00:00Z"])  # noqa: DTZ001
def test_a_bad_moment_is_refused(app: Ferryman, moment: Any) -> None:
    with pytest.raises(errors.BadOption, match="time zone"):
        app.job(add).call(1).at(moment)


# -- enqueueing --------------------------------------------------------------------------------------


def test_keys_work_as_for_the_client(app: Ferryman) -> None:
    call = app.job(add).call(1)
    first = call.options(unique_key="k").enqueue()
    with pytest.raises(errors.UniqueKeyTaken) as caught:
        call.options(unique_key="k").enqueue()
    assert caught.value.holder == first.id
    assert call.options(unique_key="k", on_conflict="return").enqueue() == first
    replayed = call.options(idempotency_key="i")
    assert replayed.enqueue() == replayed.enqueue()


def test_many_calls_of_several_jobs_go_together(app: Ferryman) -> None:
    one, two = app.job(add), app.job(multiply)
    calls = (job.call(number) for number in range(700) for job in (one, two))
    assert app.enqueue_many(calls) == 1400
    counts = app._bridge.call(lambda client: client.counts(), "")
    assert counts.totals["created"] == 1400


def test_what_is_no_call_is_refused_among_many(app: Ferryman) -> None:
    job = app.job(add)
    mixed: list[Any] = [job.call(1), 7]
    with pytest.raises(errors.BadOption, match="a call cannot be 7"):
        app.enqueue_many(mixed)


def test_a_request_that_is_shown_in_an_error_shows_no_arguments(app: Ferryman) -> None:
    requests: list[Any] = [app.job(add).call(54321).request]
    with pytest.raises(errors.BadOption, match="a call cannot be <request for a job of type add>") as caught:
        app.enqueue_many(requests)
    assert "54321" not in str(caught.value)


def test_an_error_among_many_says_how_many_were_accepted(app: Ferryman) -> None:
    job = app.job(add)
    calls = [job.call(number) for number in range(1000)] + [job.call(1).options(priority=99)]
    with pytest.raises(errors.BadOption) as caught:
        app.enqueue_many(calls)
    assert caught.value.__notes__ == ["1000 jobs in the chunks before this one were accepted."]


# -- settings ----------------------------------------------------------------------------------------


def test_nothing_is_read_or_opened_before_the_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_MAX_BODY", "nonsense")
    app = Ferryman(f"sqlite:///{tmp_path}/jobs.db")
    app.job(add).call(1)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_setting_is_an_error_at_the_first_use_and_can_be_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERRYMAN_MAX_BODY", "nonsense")
    with Ferryman("memory://") as app:
        job = app.job(add)
        with pytest.raises(errors.BadSetting, match="FERRYMAN_MAX_BODY"):
            job.enqueue(1)
        monkeypatch.delenv("FERRYMAN_MAX_BODY")
        assert job.enqueue(1).status() is Status.PENDING


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"database_url": "mysql://x"}, errors.BadSetting, "database_url"),
        ({"database_url": "memory://", "max_pendin": 5}, errors.UnknownSetting, "max_pending"),
        ({"database_url": "sqlite:////nowhere/at/all/x.db"}, errors.DatabaseFolderMissing, "nowhere"),
    ],
)
def test_a_wrong_argument_of_the_app_is_named(settings: Any, error: type[Exception], words: str) -> None:
    with Ferryman(**settings) as app, pytest.raises(error, match=words):
        app.job(add).enqueue(1)


def test_settings_of_the_app_hold_for_its_enqueues() -> None:
    with Ferryman("memory://", max_pending=1) as app:
        job = app.job(add)
        job.enqueue(1)
        with pytest.raises(errors.QueueFull):
            job.enqueue(1)


def test_who_enqueues_may_wait_for_room() -> None:
    with Ferryman("memory://", max_pending=1) as app:
        call = app.job(add).call(1)
        call.enqueue(wait=timedelta(seconds=1))
        with pytest.raises(errors.QueueFull):
            call.enqueue(wait=0.01)
        with pytest.raises(errors.BadOption, match="wait cannot be -1"):
            call.enqueue(wait=-1)


@pytest.mark.anyio
async def test_who_enqueues_on_a_loop_may_wait_for_room_too() -> None:
    with Ferryman("memory://", max_age="mail:10m", max_pending="0,mail:1") as app:
        call = app.job(add).call(1).options(queue="mail")
        await call.aenqueue(wait=1)
        with pytest.raises(errors.QueueFull):
            await call.aenqueue(wait=0.01)


def test_the_settings_given_to_the_app_are_there_for_serve() -> None:
    assert Ferryman("memory://", worker_count=3).overrides == {"database_url": "memory://", "worker_count": 3}
    assert Ferryman().overrides == {}


def test_jobs_are_in_the_file_after_the_app_is_closed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/jobs.db"
    with Ferryman(url) as app:
        handle = app.job(add).enqueue(1)
    with Ferryman(url) as other:
        assert other.job(add).handle(handle.id).status() is Status.PENDING
