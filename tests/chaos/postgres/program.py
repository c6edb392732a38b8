"""The campaign on PostgreSQL as a program: run, judge, tell."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from ferryman.testing.history import Violation, check, sometimes, story
from ferryman.testing.history.entries import Killed, Registered, Rescued
from tests import results
from tests.chaos.figures import FULL_LENGTH, TIMES_EACH, figures, missing
from tests.chaos.postgres.campaign import FleetCampaign, run
from tests.chaos.postgres.order import conclusive
from tests.chaos.postgres.pooler import NEEDED, available
from tests.chaos.postgres.recoveries import Recovery, after_deaths, after_troubles, late, summary
from tests.chaos.postgres.sweeps import hand_overs
from tests.chaos.report import page

SHOWN = 5
"""How many broken promises are told as stories."""


def main(options: argparse.Namespace) -> int:
    """Run and report; the exit code."""
    if options.pooler and not available():
        sys.stderr.write(NEEDED + "\n")
        return 3
    folder, commit = Path(tempfile.mkdtemp(prefix="ferryman-chaos-")), results.commit()
    campaign = run(folder, options.duration, options.seed, options.breakages, pooled=options.pooler)
    entries = campaign.history.entries
    violations = list(conclusive(check(campaign.history), entries, campaign.troubles))
    recovered = [*after_deaths(entries, campaign.troubles), *after_troubles(entries, campaign.troubles)]
    told = _told(options, commit, campaign, len(violations), recovered)
    # a campaign against a broken store has one task, which is to find that out
    gaps = [] if options.breakages else [*_missing(campaign, options.duration), *late(recovered)]
    faults = [*map(str, violations), *campaign.complaints, *gaps]
    print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    for fault in [*_stories(campaign, violations), *faults[: 10 * SHOWN]]:
        print(fault)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    spans = [(each.began, each.ended) for each in campaign.troubles]
    names = [each.name for each in campaign.troubles]
    options.report.write_text(page(told, entries, spans, faults, names), "utf-8")
    if options.results is not None:
        results.add(options.results, "chaos on PostgreSQL", commit, told)
    kept = bool(faults) or options.keep
    where = f"; journals and logs are in {folder}" if kept else ""
    print(f"chaos: seed {options.seed}: {len(violations)} violations; the report is {options.report}{where}")
    if not kept:
        shutil.rmtree(folder)
    return int(bool(faults))


def _stories(campaign: FleetCampaign, violations: Sequence[Violation]) -> list[str]:
    return ["\n" + story(campaign.history, each) for each in violations[:SHOWN]]


def _told(
    options: argparse.Namespace, commit: str, campaign: FleetCampaign, violations: int, recovered: Sequence[Recovery]
) -> dict[str, Any]:
    """The figures, and what a reader needs to judge them."""
    entries = campaign.history.entries
    over = hand_overs(entries, campaign.sweeps, campaign.troubles)
    return {
        "commit": commit,
        "store": options.store,
        "server": campaign.version,
        "pooler": options.pooler,
        "seed": options.seed,
        "duration": options.duration,
        "broken": options.breakages,
        "violations": violations,
        "complaints": len(campaign.complaints),
        **msgspec.to_builtins(figures(campaign.history)),
        "hand_overs": len(over),
        "hand_over_worst": round(max((each.seconds for each in over), default=0.0), 2),
        "recoveries": msgspec.to_builtins(summary(recovered, campaign.troubles)),
        "rescuers": dict(sorted(rescuers(campaign).items())),
        "answers": dict(sorted(campaign.codes.items())),
        "sometimes": dict(sorted(sometimes(campaign.history).items())),
    }


def rescuers(campaign: FleetCampaign) -> Counter[str]:
    """Who gave back the claims of whose dead process, by place, and how often."""
    entries = campaign.history.entries
    owner = {each.node: each.by for each in entries if isinstance(each, Registered)}
    rescued = [each for each in entries if isinstance(each, Rescued) and each.node in owner]
    return Counter(f"{_slot(each.by)} for {_slot(owner[each.node])}" for each in rescued)


def _slot(process: str) -> str:
    return process.partition(".")[0]


def _missing(campaign: FleetCampaign, duration: float) -> list[str]:
    """The classes of deaths and troubles that did not occur often enough for a campaign of this length."""
    target = max(1, round(TIMES_EACH * duration / FULL_LENGTH))
    times = Counter(each.name for each in campaign.troubles)
    few = [f"only {count} times {name}, of {target} that are wanted" for name, count in times.items() if count < target]
    died = sum(isinstance(each, Killed) for each in campaign.history.entries)
    swept = hand_overs(campaign.history.entries, campaign.sweeps)
    return [
        *missing(figures(campaign.history), duration),
        *few,
        *(["no chore was handed over"] if died and not swept else []),
    ]
