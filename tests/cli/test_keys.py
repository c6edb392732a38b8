"""`ferryman keys`, and `enqueue --key`."""

from __future__ import annotations

import json

import pytest

from ferryman.domain.keys import GateRule
from ferryman.domain.outcome import What
from ferryman.testing.conformance.bench import Bench
from tests.cli.shop import Shop

FAILED: list[str] = []


async def sequence(bench: Bench) -> None:
    first = await bench.add(key="account-7", gate=GateRule(strict=True))
    await bench.add(key="account-7", gate=GateRule(strict=True))
    await bench.finish(await bench.claim_one(), What.FAILED, retryable=False)
    FAILED[:] = [first]


@pytest.mark.parametrize(
    "command", [["ls"], ["show", "k"], ["set", "k"], ["pause", "k"], ["resume", "k"], ["pass", "k"]]
)
def test_a_missing_database_is_exit_3_and_is_not_made(shop: Shop, command: list[str]) -> None:
    result = shop.call("keys", *command)
    assert (result.code, result.out) == (3, "")
    assert list(shop.folder.iterdir()) == []


def test_keys_alone_shows_its_help(shop: Shop) -> None:
    assert "pause" in shop.call("keys").out


def test_keys_are_listed_and_shown(shop: Shop) -> None:
    shop.do()
    assert shop.call("keys", "ls").out == "No key is in use.\n"
    assert shop.call("keys", "ls", "--json").out == "[]\n"
    shop.do(sequence)
    (line,) = shop.call("keys", "ls").out.splitlines()[1:]
    assert line.startswith("account-7")
    assert "one after the other, a failed one holds" in line
    assert f"held up by {FAILED[0]}" in line
    assert shop.call("keys", "show", "account-7").out.splitlines()[1] == line
    assert shop.call("keys", "show", "account-7", "--json").json["held_by"] == FAILED
    assert shop.call("keys", "ls", "--after", "account-7").out == "No key is in use.\n"
    result = shop.call("keys", "show", "other")
    assert (result.code, "FM418" in result.err) == (1, True)


def test_a_rule_is_set_and_unset(shop: Shop) -> None:
    shop.do()
    told = shop.call("keys", "set", "k", "--concurrency", "2", "--rate", "10/s", "--burst", "20", "--json").json
    assert (told["concurrency"], told["rate"], told["burst"], told["pinned"]) == (2, 10.0, 20, True)
    line = shop.call("keys", "show", "k").out.splitlines()[1]
    assert "2 at once, 10/s, 20 in a burst" in line
    assert "set by hand" in line
    assert shop.call("keys", "set", "k", "--unset", "--json").json["pinned"] is False
    assert "everybody, share 3" in shop.call("keys", "set", "k", "--share", "3").out
    assert shop.call("keys", "show", "k", "--json").json["share"] == 3
    assert "share" not in shop.call("keys", "set", "k").out.lower()
    assert "everybody" in shop.call("keys", "show", "k").out
    assert "passes" in shop.call("keys", "set", "k", "--sequence", "--on-failure", "pass").out
    assert shop.call("keys", "set", "k", "--unset", "--rate", "1/s").code == 2
    result = shop.call("keys", "set", "k", "--rate", "much")
    assert (result.code, "rate cannot be 'much'" in result.err) == (2, True)
    assert shop.call("keys", "set", "k", "--rate", "5", "--json").json["rate"] == 5.0


@pytest.mark.parametrize("option", ["--concurrency", "--burst", "--share"])
def test_none_at_all_is_refused_and_not_taken_for_no_bound(shop: Shop, option: str) -> None:
    shop.do()
    result = shop.call("keys", "set", "k", "--rate", "5/s", option, "0")
    assert (result.code, f"{option[2:]} cannot be 0" in result.err) == (1, True)
    assert shop.call("keys", "ls").out == "No key is in use.\n"


@pytest.mark.parametrize("said", [["--on-failure", "pass"], ["--on-failure", "hold", "--rate", "5/s"]])
def test_what_a_failed_job_does_is_asked_of_a_sequence_only(shop: Shop, said: list[str]) -> None:
    shop.do()
    result = shop.call("keys", "set", "k", *said)
    assert (result.code, result.out) == (1, "")
    assert "on_failure is only for a sequence" in result.err
    assert shop.call("keys", "ls").out == "No key is in use.\n"


def test_a_key_is_paused_and_resumed(shop: Shop) -> None:
    shop.do()
    assert "paused" in shop.call("keys", "pause", "k").out
    assert shop.call("keys", "resume", "k", "--json").json["paused"] is False


def test_a_sequence_goes_on(shop: Shop) -> None:
    shop.do(sequence)
    assert shop.call("keys", "pass", "account-7").out == f"It goes on without 1 job: {FAILED[0]}.\n"
    assert shop.call("keys", "pass", "account-7").out == "It waits for nobody.\n"
    assert shop.call("keys", "pass", "account-7", "--json").json == []


def test_enqueue_takes_a_key(shop: Shop) -> None:
    (shop.folder / "jobs.py").write_text(
        "from ferryman import Ferryman\napp = Ferryman()\n@app.job\ndef f() -> None: ...\n"
    )
    result = shop.call("enqueue", "f", "--key", "k", "--target", "jobs.py", "--json")
    assert json.loads(result.out)["status"] == "waiting"
    assert shop.call("keys", "show", "k", "--json").json["slots"] == 1
