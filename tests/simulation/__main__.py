"""Simulate many seeds, and say what was found.

    python -m tests.simulation --seeds 10000 --from 0
    python -m tests.simulation --story 4711
    python -m tests.simulation --world holder --seeds 1000

Exit code 1 if a promise was broken, or if a situation that must be met was not (from 1,000 seeds on).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import get_args

import msgspec

from ferryman.testing.history import ON_A_SERVER, SOMETIMES, WITH_TRANSACTIONS, Violation, story
from ferryman.testing.history.entries import Registered
from tests import results
from tests.simulation import campaign
from tests.simulation.outcome import judge
from tests.simulation.plan import Kind, World
from tests.simulation.shrink import shrink
from tests.simulation.worlds import draw_in

ENOUGH = 1000
"""Seeds in which every situation must have been met."""
WHOLE = 400
"""Lines of the story of a seed in which nothing went wrong."""
SHOWN = 3
"""Failing seeds whose story is told."""


class Report(msgspec.Struct):
    """What a run of this command did."""

    start: int
    commit: str
    total: campaign.Tally
    fresh: int = 0
    """Seeds that were run now, and not before."""
    seconds: float = 0.0

    @property
    def missed(self) -> list[str]:
        """Situations that were never met."""
        possible = set(SOMETIMES)
        if not self.total.mean(campaign.ON_SQLITE):
            possible -= WITH_TRANSACTIONS
        if not self.total.mean(campaign.ON_POSTGRES):
            possible -= ON_A_SERVER
        return [name for name in SOMETIMES if name in possible and not self.total.reached.get(name)]

    @property
    def failed(self) -> bool:
        """Whether the exit code is 1."""
        return bool(self.total.failing) or (bool(self.missed) and self.total.seeds >= ENOUGH)

    @property
    def rate(self) -> float:
        """Seeds per second."""
        return self.fresh / max(self.seconds, 1e-9)


def main() -> int:
    """Read the options, run, report."""
    options = _options()
    if options.story is not None:
        return _tell(options.world, options.story, options.store, shorten=not options.whole)
    report = _run(options)
    _say(report)
    if options.results:
        _keep(Path(options.results), report)
    if options.json:
        print(_as_json(report))
    else:
        for seed, _ in report.total.failing[:SHOWN]:
            _tell(options.world, seed, options.store, shorten=True)
    return 1 if report.failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description="Simulate many seeds.")
    parser.add_argument("--seeds", type=_positive, default=1000)
    parser.add_argument("--from", type=int, default=0, dest="start", metavar="K")
    parser.add_argument("--store", choices=get_args(Kind), help="instead of what each seed draws")
    parser.add_argument("--world", choices=get_args(World), help="one in which something happens in every seed")
    parser.add_argument("--processes", type=_positive, default=campaign.cores())
    parser.add_argument("--stop-at-first", action="store_true")
    parser.add_argument("--journal", help="a file that remembers what is done, so that the run can go on later")
    parser.add_argument("--results", help="a JSON file to which the figures are added")
    parser.add_argument("--json", action="store_true", help="end with one line of JSON, and tell no stories")
    parser.add_argument("--story", type=int, metavar="SEED", help="run one seed and tell what happened")
    parser.add_argument("--whole", action="store_true", help="do not shorten the story's seed")
    return parser.parse_args()


def _positive(text: str) -> int:
    """A number of seeds or processes: none at all would pass without having tried anything."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def _run(options: argparse.Namespace) -> Report:
    """Judge what is not done yet."""
    report = Report(options.start, results.commit(), campaign.Tally())
    same = not report.commit.endswith(results.CHANGED)  # a changed tree is another one each time
    journal = campaign.Journal(Path(options.journal), report.commit) if options.journal and same else None
    done = journal.done() if journal else {}
    tasks = campaign.cut(options.start, options.seeds, options.store, options.world)
    for task in tasks:
        if task in done:
            report.total.add(done[task])
    began = time.perf_counter()
    for task, tally in campaign.run_all([task for task in tasks if task not in done], options.processes):
        report.total.add(tally)
        report.fresh += tally.seeds
        if journal:
            journal.add(task, tally)
        _progress(f"{report.total.seeds}/{options.seeds} seeds, {len(report.total.failing)} failing")
        if options.stop_at_first and report.total.failing:
            break
    report.seconds = time.perf_counter() - began
    return report


def _say(report: Report) -> None:
    """The figures, for people."""
    total = report.total
    print(
        f"{total.seeds} seeds from {report.start}: {total.violations} violations in {len(total.failing)} seeds; "
        f"{report.fresh} run now in {report.seconds:.0f} s, {report.rate:.1f} seeds/s"
    )
    means = ", ".join(f"{total.mean(name):.1f} {name}" for name in campaign.MEANS)
    stores = ", ".join(f"{total.mean(name):.0%} run {name}" for name in (campaign.ON_SQLITE, campaign.ON_POSTGRES))
    print(f"a seed has on average {means}; {stores}")
    for name, what in SOMETIMES.items():
        print(f"  {total.reached.get(name, 0):>8} seeds  {name}: {what}")
    for name in report.missed:
        print(f"never met: {name}")


def _tell(world: World | None, seed: int, store: Kind | None, *, shorten: bool) -> int:
    """Run one seed again, shortened, and tell what happened."""
    plan = draw_in(world, seed, store)
    outcome, history = judge(plan)
    print(f"\nseed {seed} on {plan.store}: {len(outcome.violations)} violations")
    if outcome.violations and shorten:
        plan = shrink(plan, outcome.violations[0].promise)
        outcome, history = judge(plan)
        asked, people, faults = sum(job.burst for job in plan.jobs), len(plan.people), len(plan.faults)
        print(f"shortened to {asked} jobs, {people} wishes of people, {faults} faults")
    for violation in outcome.violations[:SHOWN]:
        print(violation)
        if history is not None:
            print(story(history, violation))
    if not outcome.violations and history is not None:
        nodes = tuple(each.node for each in history.entries if isinstance(each, Registered))
        print(story(history, Violation("All", "promises were kept.", tuple(history.final.jobs), nodes), limit=WHOLE))
    return 1 if outcome.violations else 0


def _as_json(report: Report) -> str:
    total = report.total
    seed, promise = min(total.failing, default=(None, None))
    return json.dumps({"seeds": total.seeds, "violations": total.violations, "first": seed, "promise": promise})


def _keep(path: Path, report: Report) -> None:
    """Add the figures to the file of results."""
    total = report.total
    found = {
        "from": report.start,
        "seeds": total.seeds,
        "violations": total.violations,
        "failing": total.failing,
        "seeds_per_second": round(report.rate, 1),
        "means": {
            name: round(total.mean(name), 2) for name in (*campaign.MEANS, campaign.ON_SQLITE, campaign.ON_POSTGRES)
        },
        "reached": total.reached,
        "never_met": report.missed,
    }
    results.add(path, "simulation", report.commit, found)


def _progress(text: str) -> None:
    """On a terminal only."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{text}")
        sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
