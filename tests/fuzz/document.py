"""Ask for everything that the OpenAPI document describes, rightly and wrongly, and compare the answers with it.

    python -m tests.fuzz.document --examples 500 --seed 1

schemathesis makes requests of the document's schemas, and others that break them; each answer has to have a status,
a media type and a form that the document names, and a request that breaks a schema must not be accepted. Some of the
requests are about jobs, types and queues that are there. The exit code is 1 if an answer differs, else 0.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from starlette.types import ASGIApp

from ferryman.client import JobRequest
from ferryman.domain.outcome import Outcome, What
from tests.http.world import World

Headers = Mapping[str, str]

EXAMPLES: Final = 10
"""Requests for each operation and kind, unless somebody says how many."""
_GOOD: Final = ["2xx", "304", "403", "404", "409", "412", "429"]
# what no schema says: that a body is too long, a number has 64 bits, a type is known, a burst needs a rate
_BODIES: Final = [*_GOOD, "400", "413", "422"]
_WRONG: Final = ["400", "401", "403", "404", "405", "406", "409", "412", "413", "415", "422"]
CONFIG: Final = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": _GOOD},
        "negative_data_rejection": {"expected-statuses": _WRONG},
    },
    "operations": [
        {
            "include-method": ["POST", "PUT", "PATCH", "DELETE"],
            "checks": {"positive_data_acceptance": {"expected-statuses": _BODIES}},
        },
        # in a query one text is a list of one, and what is left out breaks nothing; schemathesis takes both for broken
        {
            "include-operation-id": "get_jobs",
            "checks": {
                "negative_data_rejection": {"enabled": False},
                # and whether the text of a filter can be read
                "positive_data_acceptance": {"expected-statuses": [*_GOOD, "400"]},
            },
        },
        # nor whether anything is kept of a period
        {
            "include-operation-id": "get_stats",
            "checks": {"positive_data_acceptance": {"expected-statuses": [*_GOOD, "400"]}},
        },
    ],
}
ENDLESS: Final = ("/jobs/{id}/events",)
"""An answer that goes on as long as its job does is not compared."""
KINDS: Final = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


def main(arguments: Sequence[str]) -> int:
    """Read the options, ask, tell."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.document", description="Compare the API with its document."
    )
    parser.add_argument("--examples", type=int, default=500, help="requests for each operation, of each kind")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    asked, faults = 0, 0
    for told in differences(furnished().api, options.examples, options.seed):
        asked += told.asked
        faults += len(told.faults)
        print(f"{told.operation:45} {told.asked:6} requests  {'differs' if told.faults else 'as described'}")
        for fault in told.faults:
            print(fault, file=sys.stderr)
    print(f"{asked} requests, {faults} differences")
    return 1 if faults else 0


class Told(msgspec.Struct):
    """What became of one operation."""

    operation: str
    asked: int
    faults: list[str]


def furnished() -> World:
    """A world in which there are jobs of every status, a schedule and a key."""
    world = World()

    async def furnish() -> None:
        await world.client.open()
        for outcome in (Outcome(What.DONE, "1"), Outcome(What.FAILED, retryable=False)):
            await world.client.enqueue(JobRequest(type="echo", tags=("nightly",)))
            await world.finish(outcome)
        await world.client.enqueue(JobRequest(type="echo", key="acme"))
        await world.claim()
        await world.client.enqueue(JobRequest(type="echo", delay=3600))
        await world.client.cancel((await world.client.enqueue(JobRequest(type="echo"))).id)
        await world.client.enqueue(JobRequest(type="echo"))

    asyncio.run(furnish())
    return world


def differences(
    api: ASGIApp, examples: int, number: int, headers: Headers | None = None, only: str | None = None
) -> Iterator[Told]:
    """Ask for each operation in turn, or only for those of one path."""
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_asgi("/openapi.json", api, config=config, headers=dict(headers or {}))
    real = _Real(api, headers or {})
    for operation in map(_read, schema.get_all_operations()):
        if only not in (None, operation.path) or operation.path in ENDLESS:
            continue
        told = Told(operation.label, 0, [])
        for kind in KINDS:
            _ask(operation, kind, real, examples, number, told)
        yield told


def _read(found: Any) -> Any:
    """An operation of the document; all of them can be read."""
    return found.ok()


def _ask(operation: Any, kind: Any, real: _Real, examples: int, number: int, told: Told) -> None:
    strategy = _strategy(operation, kind)
    if strategy is None:
        return

    def ask(case: Any, choice: int) -> None:
        told.asked += 1
        if kind is schemathesis.GenerationMode.POSITIVE:
            real.put_into(case, choice)
        elif isinstance(case.body, dict) and case.body.get("atomic") is False:
            case.body["atomic"] = True  # else the wrong jobs of a batch are told in a good answer
        case.call_and_validate(headers=real.headers)

    limits = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    try:
        seed(number)(limits(given(strategy, st.integers(0, 7))(ask)))()
    except Unsatisfiable:  # hardly anything breaks the schema, such as that of a path's text
        pass
    except FailureGroup as group:
        told.faults.append(f"{told.operation}: {group.message}\n{group}")


def _strategy(operation: Any, kind: Any) -> Any:
    """How requests of a kind are made; None where there is nothing that could be wrong."""
    if kind is schemathesis.GenerationMode.NEGATIVE and not operation.body and not list(operation.iter_parameters()):
        return None
    return operation.as_strategy(generation_mode=kind)


class _Real:
    """Puts what is there into some of the requests: random names would only ever meet nothing."""

    def __init__(self, api: ASGIApp, headers: Headers) -> None:
        self.headers = dict(headers)
        schema = schemathesis.openapi.from_asgi("/openapi.json", api, headers=self.headers)
        jobs = schema["/jobs"]["GET"].Case().call(headers=self.headers).json()
        self._ids = [job["id"] for job in jobs]
        assert self._ids, "there are no jobs to ask for"

    def put_into(self, case: Any, choice: int) -> None:
        """Change one request, or leave it as it is where `choice` is 0 or 1."""
        if choice < 2:
            return
        place = case.path_parameters or {}
        if "id" in place and case.path.startswith("/jobs"):
            place["id"] = self._ids[choice % len(self._ids)]
        if "name" in place and case.path.startswith(("/queues", "/types")):
            place["name"] = "echo" if case.path.startswith("/types") else "default"
        if "key" in place:
            place["key"] = "acme"
        body = case.body
        for each in body["jobs"] if isinstance(body, dict) and "jobs" in body else [body]:
            if isinstance(each, dict) and "type" in each:
                each["type"] = "echo"


@schemathesis.serializer("application/x-ndjson")
def _line(_context: object, value: object) -> bytes:
    return msgspec.json.encode(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
