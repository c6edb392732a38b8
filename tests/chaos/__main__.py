"""Harm real processes in every way we know, for a while, then account for every job.

    python -m tests.chaos --duration 60 --seed 1 [--break fence] [--report FILE.html] [--results FILE.json]
    python -m tests.chaos --store postgres ...          see tests.chaos.postgres

Nodes on one SQLite file, clients over HTTP and a process that enqueues through the Python API are killed
at chosen points of their work, frozen past their lease, stopped, and given handlers that block, exit and
fork, and a disk that is full. Each notes what it sees; one checker reads it all. The exit code is 0 if
every promise was kept, 1 if not or if some class of deaths did not occur, 3 where it cannot be run.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from ferryman.testing.history import check, sometimes, story
from tests import results
from tests.chaos.campaign import Campaign, run
from tests.chaos.disk import NEEDED, enclose, enclosed
from tests.chaos.figures import Figures, figures, missing
from tests.chaos.postgres.program import main as on_postgres
from tests.chaos.report import page

POSTGRES = "postgres"
SHOWN = 5
"""How many broken promises are told as stories."""


def main(arguments: list[str]) -> int:
    """Read the options, run, report."""
    options = _options(arguments)
    if options.store == POSTGRES:
        return on_postgres(options)
    if not enclosed():
        enclose(arguments)
        sys.stderr.write(NEEDED + "\n")
        return 3
    folder, commit = Path(tempfile.mkdtemp(prefix="ferryman-chaos-")), results.commit()
    campaign = run(folder, options.duration, options.seed, options.breakages)
    violations = check(campaign.history)
    found = figures(campaign.history)
    # a campaign against a broken store has one task, which is to find that out
    gaps = [] if options.breakages else [*missing(found, options.duration), *_unharmed(campaign)]
    faults = [*map(str, violations), *campaign.complaints, *gaps]
    told = _told(options, commit, found, campaign, len(violations))
    print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
    for violation in violations[:SHOWN]:
        print("\n" + story(campaign.history, violation))
    for fault in faults[SHOWN if len(violations) > SHOWN else len(violations) :][: 10 * SHOWN]:
        print(fault)
    options.report.parent.mkdir(parents=True, exist_ok=True)
    options.report.write_text(page(told, campaign.history.entries, campaign.full, faults), "utf-8")
    if options.results is not None:
        results.add(options.results, "chaos", commit, told)
    kept = bool(faults) or options.keep
    where = f"; journals and logs are in {folder}" if kept else ""
    print(f"chaos: seed {options.seed}: {len(violations)} violations; the report is {options.report}{where}")
    if not kept:
        shutil.rmtree(folder)
    return int(bool(faults))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--duration", type=float, default=60.0, help="seconds; a full campaign takes 600")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=["sqlite", POSTGRES], default="sqlite")
    parser.add_argument(
        "--break", dest="breakages", choices=["fence"], action="append", default=[], help="run a store that is broken"
    )
    parser.add_argument("--pooler", action="store_true", help="with PostgreSQL: behind PgBouncer in transaction mode")
    parser.add_argument("--report", type=Path, default=Path("build/chaos.html"))
    parser.add_argument("--keep", action="store_true", help="keep journals and logs even if nothing was wrong")
    parser.add_argument("--results", type=Path, help="a JSON file, a list, to which the figures are added")
    return parser.parse_args(arguments)


def _unharmed(campaign: Campaign) -> list[str]:
    """What the campaign was to do, and has not come to."""
    return [] if campaign.refused_full else ["no request was refused because of the full disk"]


def _told(
    options: argparse.Namespace, commit: str, found: Figures, campaign: Campaign, violations: int
) -> dict[str, Any]:
    """The figures, and what a reader needs to judge them."""
    return {
        "commit": commit,
        "store": options.store,
        "seed": options.seed,
        "duration": options.duration,
        "broken": options.breakages,
        "violations": violations,
        "complaints": len(campaign.complaints),
        **msgspec.to_builtins(found),
        "refused_disk_full": campaign.refused_full,
        "answers": dict(sorted(campaign.codes.items())),
        "sometimes": dict(sorted(sometimes(campaign.history).items())),
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
