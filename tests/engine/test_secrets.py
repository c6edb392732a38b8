"""Secret arguments: the handler gets them, and nobody else sees them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from ferryman import Secret
from ferryman.domain.errors import BadHandler, EnqueueError, NotSerialisable, PayloadMismatch, WrongArgumentType
from ferryman.domain.job import JobError
from ferryman.domain.outcome import Outcome, What
from ferryman.engine import endings
from ferryman.engine.clock import SystemClock
from ferryman.engine.signals import Cancel, Retry
from ferryman.engine.signature import Signature
from ferryman.testing.virtual_loop import run_virtual
from tests.engine.world import Bench, handler, pause

pytestmark = pytest.mark.anyio

TOKEN = "hunter2-hunter2"
PAYLOAD = f'{{"to":"a@b.c","token":"{TOKEN}"}}'


NO_CODE = Secret(None)
DEFAULT = Secret(TOKEN)


def send(to: str, token: Secret[str], *, code: Secret[Literal["0123456"] | None] = NO_CODE) -> None: ...


@dataclass
class Holder:
    token: Secret[str]


# -- binding -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [Secret(TOKEN), TOKEN])
def test_a_secret_is_stored_as_what_it_holds_and_given_as_a_secret(given: Any) -> None:
    signature = Signature(send)
    assert signature.secrets == {"token", "code"}
    payload = signature.bind(("a@b.c", given), {})
    assert payload == PAYLOAD
    assert signature.decode(payload) == {"to": "a@b.c", "token": Secret(TOKEN)}


def in_a_list(tokens: list[Secret[str]]) -> None: ...
def optional(token: Secret[str] | None = None) -> None: ...
def rest(**tokens: Secret[str]) -> None: ...
def doubled(token: Secret[Secret[str]]) -> None: ...
def in_a_class(holder: Holder) -> None: ...


@pytest.mark.parametrize("function", [in_a_list, optional, rest, doubled, in_a_class])
def test_a_secret_that_is_only_a_part_of_a_parameter_is_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(BadHandler, match="Say it of a whole parameter that has a name") as caught:
        Signature(function)
    assert "ferryman.domain" not in str(caught.value)


def plain(value: Any) -> None: ...


@pytest.mark.parametrize("value", [Secret("x"), [Secret("x")], {"a": Secret("x")}])
def test_a_secret_for_a_parameter_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(NotSerialisable, match=r"argument value of plain: A Secret is not written .* as Secret\[...\]"):
        Signature(plain).bind((value,), {})


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"token": 5}, "The argument token of send has the wrong type: expected `str`, got `int`."),
        ({"token": TOKEN, "code": TOKEN}, "The argument code of send has the wrong type: invalid enum value '***'."),
        ({"token": [TOKEN, object()]}, "The argument token of send: What it holds has no JSON form that can be kept."),
        ({"token": {TOKEN: "\0"}}, "The argument token of send: What it holds has no JSON form that can be kept."),
    ],
)
def test_an_argument_that_does_not_fit_is_named_without_its_value(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises(EnqueueError) as caught:
        Signature(send).bind(("a@b.c",), keywords)
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_stored_payload_that_does_not_fit_any_more_says_so_without_its_value() -> None:
    old = f'{{"to":"a","token":"x","code":"{TOKEN}"}}'
    with pytest.raises(PayloadMismatch, match=r"invalid enum value '\*\*\*'"):
        Signature(send).decode(old)
    with pytest.raises(WrongArgumentType, match=r"invalid enum value '\*\*\*'"):
        Signature(send).check(old)


# -- running -----------------------------------------------------------------------------------------


def raises(error: Callable[[str], BaseException]) -> Callable[[str], Any]:
    def do(token: str) -> Any:
        raise error(token)

    return do


def chained(token: str) -> Any:
    try:
        raise KeyError(token)
    except KeyError as error:
        raise ValueError("no such token") from error


def with_note(error: BaseException, token: str) -> BaseException:
    error.add_note(f"the token was {token}")
    return error


def at_the_cut(token: str) -> Any:
    """The message is cut in the middle of the token, and the traceback too."""
    raise ValueError("x" * (endings.MESSAGE_MAX - 6) + token + "y" * endings.TRACEBACK_MAX)


def no_json(token: str) -> Any:
    return {token: float("nan")}


def bad_json(token: str) -> Any:
    return Secret(token)


ENDINGS: list[tuple[str, Callable[[str], Any], What]] = [
    ("message", raises(ValueError), What.FAILED),
    ("repr", raises(KeyError), What.FAILED),
    ("inside", raises(lambda token: ValueError(f"https://user:{token}@host/")), What.FAILED),
    ("cause", chained, What.FAILED),
    ("group", raises(lambda token: ExceptionGroup("all", [ValueError(token)])), What.FAILED),
    ("exit", raises(SystemExit), What.FAILED),
    ("retry with a note", raises(lambda token: with_note(Retry(5), token)), What.FAILED),
    ("cancel", raises(Cancel), What.CANCELLED),
    ("cut", at_the_cut, What.FAILED),
    ("result that is no JSON", no_json, What.FAILED),
    ("result that is the secret", bad_json, What.FAILED),
]


def unseen(outcome: Outcome) -> JobError:
    """The outcome's error, in which no four characters in a row are of the token."""
    error = outcome.error
    assert error is not None
    for text in (error.message, error.traceback or ""):
        assert not [TOKEN[at : at + 4] for at in range(len(TOKEN) - 3) if TOKEN[at : at + 4] in text]
    return error


@pytest.mark.parametrize(("end", "what"), [each[1:] for each in ENDINGS], ids=[each[0] for each in ENDINGS])
def test_what_a_coroutine_says_at_its_end_is_kept_without_its_secrets(end: Callable[[str], Any], what: What) -> None:
    async def job(to: str, token: Secret[str]) -> Any:
        await pause(1)
        return end(token.reveal())

    async def play() -> None:
        async with Bench(job) as bench:
            await bench.enqueue("job", PAYLOAD, max_attempts=1)
            await bench.until_ended(1)
            outcome = bench.ended[0].outcome
            assert outcome.what is what
            unseen(outcome)

    run_virtual(play())


async def test_what_a_thread_says_at_its_end_is_kept_without_its_secrets() -> None:
    def job(to: str, token: Secret[str]) -> None:
        raise ValueError(f"{to} may not use {token.reveal()}")

    async with Bench(job, clock=SystemClock()) as bench:
        await bench.enqueue("job", PAYLOAD, max_attempts=1)
        await bench.until_ended(1)
        assert unseen(bench.ended[0].outcome).message == "a@b.c may not use ***"


def test_what_a_handler_says_on_its_way_out_is_kept_without_its_secrets() -> None:
    async def job(to: str, token: Secret[str]) -> None:
        try:
            await pause(1000)
        finally:
            raise ValueError(token.reveal())

    async def play() -> None:
        async with Bench(handler(job, timeout=1.0)) as bench:
            await bench.enqueue("job", PAYLOAD, max_attempts=1)
            await bench.until_ended(1)
            error = unseen(bench.ended[0].outcome)
            assert error.code == "FM502"
            assert error.traceback is not None
            assert "ValueError: ***" in error.traceback

    run_virtual(play())


def test_a_default_is_a_secret_too() -> None:
    async def job(token: Secret[str] = DEFAULT) -> None:
        raise ValueError(token.reveal())

    async def play() -> None:
        async with Bench(job) as bench:
            await bench.enqueue("job", "{}", max_attempts=1)
            await bench.until_ended(1)
            assert unseen(bench.ended[0].outcome).message == "***"

    run_virtual(play())


def test_a_payload_that_does_not_fit_fails_the_job_without_its_secrets() -> None:
    async def job(token: Secret[Literal["a", "b"]]) -> None: ...

    async def play() -> None:
        async with Bench(job) as bench:
            await bench.enqueue("job", f'{{"token":"{TOKEN}"}}')
            await bench.until_ended(1)
            assert unseen(bench.ended[0].outcome).code == "FM508"

    run_virtual(play())


def test_other_arguments_stay_readable() -> None:
    async def job(to: str, token: Secret[str]) -> None:
        raise ValueError(f"{to} {token}")

    async def play() -> None:
        async with Bench(job) as bench:
            await bench.enqueue("job", PAYLOAD, max_attempts=1)
            await bench.until_ended(1)
            assert unseen(bench.ended[0].outcome).message == "a@b.c Secret(***)"

    run_virtual(play())


def test_a_scrubber_for_a_payload_that_fits_nothing_still_hides_what_it_holds() -> None:
    signature = Signature(send)
    assert signature.scrubber(f'{{"token":["{TOKEN}"]}}')(TOKEN) == "***"
    assert signature.scrubber("no JSON")("anything") == "anything"
