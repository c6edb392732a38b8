"""Give a node handlers that do every harm to their worker process; look at slots, outcomes, neighbours and remains.

    python -m tests.chaos.hostile --rounds 8 --seed 1 [--results FILE.json]

The node lives in a control group with little memory, so that the kernel kills for want of it. The exit code is 0 if
every hostile job ended with its code after its attempts, no harmless one was harmed, each worker soon ran its next
job, and nobody was left behind by a stop and by a kill of the node; 1 if not; 3 where there is no such group.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec

from ferryman.domain.job import Job
from ferryman.domain.state import Status
from ferryman.engine.world import NodeOptions
from tests import results
from tests.chaos.harm import HARMLESS, Found, run
from tests.chaos.hostile_target import ATTEMPTS
from tests.chaos.memory import NEEDED, Group, available
from tests.chaos.sightings import slots

CODES: Final[Mapping[str, str | None]] = MappingProxyType(
    {
        "hogs": "FM518",
        "quits": "FM517",
        "crashes": "FM516",
        "ignores": "FM502",
        "spins": "FM502",
        "breeds": "FM502",
        "leaves": None,  # completes; what it leaves behind must not outlive its worker process
    }
)
"""The hostile types, and how each of their runs fails."""
GRACE: Final = NodeOptions().grace
LATEST: Final[Mapping[str, float]] = MappingProxyType({"ignores": GRACE, "spins": GRACE})
"""Seconds from the deadline to SIGKILL, for those that do not end by SIGTERM."""
HARMFUL: Final = tuple(type for type, code in CODES.items() if code is not None)
SLOT_SECONDS: Final = 2.0
"""In this time from a death, a deadline, or SIGKILL, a worker runs its next job; a process may have to be started."""
MEGABYTES: Final = 384


def main(arguments: list[str]) -> int:
    """Read the options, run, report."""
    options = _options(arguments)
    if not available():
        sys.stderr.write(NEEDED + "\n")
        return 3
    commit, began = results.commit(), time.monotonic()
    folder, group = Path(tempfile.mkdtemp(prefix="ferryman-hostile-")), Group(MEGABYTES)
    dice = random.Random(f"{options.seed} order")
    types = [type for _ in range(options.rounds) for type in dice.sample(sorted(CODES), len(CODES))]
    try:
        found = run(folder, types, options.seed, group)
    finally:
        group.remove()
    faults = [*found.faults, *judge(found), *late(found)]
    told = {"seed": options.seed, "duration": round(time.monotonic() - began, 1), "faults": len(faults)}
    told |= figures_of(found)
    print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    for fault in faults:
        print(fault)
    if options.results is not None:
        results.add(options.results, "hostile", commit, told)
    if faults or options.keep:
        print(f"log and database are in {folder}")
    else:
        shutil.rmtree(folder)
    print(f"hostile: seed {options.seed}: {len(faults)} faults")
    return int(bool(faults))


def judge(found: Found) -> Iterator[str]:
    """What is wrong with the jobs, in words."""
    jobs = {job.id: job for job in found.jobs}
    for id in found.attempts:
        yield from _judge_hostile(jobs[id], [each.error.code if each.error else None for each in found.attempts[id]])
    began = Counter(each.job for each in found.log if each.what == "begin")
    ended = {each.job for each in found.log if each.what == "end"}
    for job in found.jobs:
        unharmed = job.status is Status.COMPLETED and job.attempt == 1 and began[job.id] == 1 and job.id in ended
        if job.type in HARMLESS and not unharmed:
            yield f"the harmless job {job.id} of type {job.type} is {job.status.value}, after {began[job.id]} starts"


def late(found: Found) -> Iterator[str]:
    """Which workers took too long, in words."""
    for type, every in slots(found.log, HARMFUL).items():
        for seconds in every:
            if seconds > LATEST.get(type, 0.0) + SLOT_SECONDS:
                yield f"a worker ran its next job {seconds:.2f} s after the end of a job of type {type}"


def _judge_hostile(job: Job, codes: Sequence[str | None]) -> Iterator[str]:
    code = CODES[job.type]
    wanted = [None] if code is None else [code] * ATTEMPTS
    status = Status.COMPLETED if code is None else Status.FAILED
    if (job.status, codes) != (status, wanted):
        yield f"the job {job.id} of type {job.type} is {job.status.value}, its runs ended with {codes}, not {wanted}"


def figures_of(found: Found) -> dict[str, Any]:
    """What a reader needs to judge it. Times in seconds."""
    harmless = [job for job in found.jobs if job.type in HARMLESS]
    return {
        "hostile_jobs": len(found.attempts),
        "hostile_runs": sum(map(len, found.attempts.values())),
        "harmless_jobs": len(harmless),
        "harmless_harmed": sum(job.status is not Status.COMPLETED or job.attempt != 1 for job in harmless),
        "oom_kills": found.oom_kills,
        "slots": {
            type: {
                "code": CODES[type],
                "times": len(seconds),
                "median": round(statistics.median(seconds), 3) if seconds else None,
                "worst": round(max(seconds), 3) if seconds else None,
            }
            for type, seconds in slots(found.log, HARMFUL).items()
        },
        "gone_after_stop": found.after_stop,
        "gone_after_kill": found.after_kill,
    }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.hostile", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=8, help="each runs every hostile type once")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep log and database even if nothing was wrong")
    parser.add_argument("--results", type=Path, help="a JSON file, a list, to which the figures are added")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
