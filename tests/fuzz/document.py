"""Ask for everything that the OpenAPI document describes, rightly and wrongly, and compare the answers with it.

    python -m tests.fuzz.document --examples 500 --seed 1
    python -m tests.fuzz.document --as limited --as nobody

schemathesis makes requests of the document's schemas, and others that break them; each answer has to have a status,
a media type and a form that the document names, and a request that breaks a schema must not be accepted. Some of the
requests are about jobs, types and queues that are there.

Who asks, `--as` says (`tests.fuzz.callers`): everybody, where there are no API keys; where there are, somebody with a
key of a kind, or without. To whom an operation is closed it has to answer that and nothing else, whatever else is wrong
with the request; the jobs of a queue that is none of a caller's business must neither change nor be seen. The exit code
is 1 if an answer differs, else 0.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from starlette.types import ASGIApp

from ferryman.http.forms import NO_NUL
from tests.fuzz.callers import EVERYBODY, MARK, OTHER, OWN, WHO, Place

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
        # no schema says whether a key opens anything
        {
            "include-path": "/session",
            "checks": {"positive_data_acceptance": {"expected-statuses": [*_BODIES, "401"]}},
        },
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
ENDLESS: Final = ("/jobs/{id}/events", "/events", "/live")
"""An answer that goes on as long as its job does is not compared."""
OF_REQUESTS: Final = [positive_data_acceptance, negative_data_rejection]
"""Checks that ask whether the request was a good one; to whom an operation is closed that is not the question."""
KINDS: Final = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


def main(arguments: Sequence[str]) -> int:
    """Read the options, ask, tell."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz.document", description="Compare the API with its document."
    )
    parser.add_argument("--examples", type=int, default=500, help="requests for each operation, of each kind")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--as", dest="who", action="append", choices=WHO, help="who asks; everybody unless it is said")
    options = parser.parse_args(arguments)
    asked, faults = 0, 0
    for who in options.who or [EVERYBODY]:
        for told in differences(Place(WHO[who]), options.examples, options.seed):
            asked += told.asked
            faults += len(told.faults)
            verdict = "differs" if told.faults else "as described"
            print(f"{who:10} {told.operation:45} {told.asked:6} requests  {verdict}")
            for fault in told.faults:
                print(fault, file=sys.stderr)
    print(f"{asked} requests, {faults} differences")
    return 1 if faults else 0


class Told(msgspec.Struct):
    """What became of one operation."""

    operation: str
    asked: int
    faults: list[str]


def differences(
    place: Place, examples: int, number: int, only: str | None = None, api: ASGIApp | None = None
) -> Iterator[Told]:
    """Ask for each operation in turn, or only for those of one path; `api` is asked instead of the place's own."""
    config = SchemathesisConfig.from_dict(CONFIG)
    schema = schemathesis.openapi.from_asgi("/openapi.json", api or place.world.api, config=config)
    for operation in map(_read, schema.get_all_operations()):
        refusal = place.refusals[operation.label]
        if only not in (None, operation.path) or (operation.path in ENDLESS and refusal is None):
            continue
        told = Told(operation.label, 0, [])
        for kind in KINDS:
            _ask(operation, kind, place, examples, number, told)
        if not place.who.changes_all and not place.is_untouched():
            told.faults.append(f"{told.operation}: a job of the queue {OTHER} is another one now")
        yield told


def _read(found: Any) -> Any:
    """An operation of the document; all of them can be read."""
    return found.ok()


def _ask(operation: Any, kind: Any, place: Place, examples: int, number: int, told: Told) -> None:
    strategy = _strategy(operation, kind)
    if strategy is None:
        return

    def ask(case: Any, choice: int) -> None:
        told.asked += 1
        if kind is schemathesis.GenerationMode.POSITIVE:
            _put_into(case, choice, place)
        elif isinstance(case.body, dict) and case.body.get("atomic") is False:
            case.body["atomic"] = True  # else the wrong jobs of a batch are told in a good answer
        _compare(case, place, told)

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
    except (FailureGroup, AssertionError) as group:
        told.faults.append(f"{told.operation}: {group}")


def _compare(case: Any, place: Place, told: Told) -> None:
    """Send a request, and compare the answer. Raises FailureGroup, AssertionError."""
    refusal = place.refusals[told.operation]
    answer = case.call_and_validate(headers=place.headers, excluded_checks=[] if refusal is None else OF_REQUESTS)
    if refusal is not None:
        assert answer.status_code == refusal, f"{answer.status_code} for {case.as_curl_command()}, not {refusal}"
    if not place.who.sees_all:
        assert MARK not in answer.text, f"a job of another queue is told of for {case.as_curl_command()}"


def _strategy(operation: Any, kind: Any) -> Any:
    """How requests of a kind are made; None where there is nothing that could be wrong."""
    parameters = operation.iter_parameters()
    if kind is schemathesis.GenerationMode.NEGATIVE and not operation.body and all(map(_may_be_any, parameters)):
        return None
    return operation.as_strategy(generation_mode=kind)


def _may_be_any(parameter: Any) -> bool:
    """Nothing that a path can hold breaks it: a wrong one would be looked for 459 times, and never be found."""
    found: bool = parameter.definition["in"] == "path" and parameter.definition["schema"].get("pattern") == NO_NUL
    return found


def _put_into(case: Any, choice: int, place: Place) -> None:
    """Put what is there into a request, since random names only meet nothing; it stays as it is for choices 0 and 1."""
    if choice < 2:
        return
    in_path = case.path_parameters or {}
    if "id" in in_path and case.path.startswith("/jobs"):
        in_path["id"] = place.ids[choice % len(place.ids)]
    if "name" in in_path and case.path.startswith("/types"):
        in_path["name"] = "echo"
    if "name" in in_path and case.path.startswith("/queues"):
        in_path["name"] = OTHER if choice == 2 else OWN
    if "key" in in_path:
        in_path["key"] = "nightly"
    body = case.body
    for each in body["jobs"] if isinstance(body, dict) and "jobs" in body else [body]:
        if isinstance(each, dict) and "type" in each:
            each["type"] = "echo"
            if "id" in each:
                each["id"] = place.ids[choice % len(place.ids)]


@schemathesis.serializer("application/x-ndjson")
def _line(_context: object, value: object) -> bytes:
    return msgspec.json.encode(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
