"""What ten thousand keys cost: jobs of which each key runs one at a time, and the same jobs without keys, in turns.

    python -m benchmarks.keys --store sqlite|postgres [--keys 10000] [--jobs 100000] [--rounds 5]

Each drain is a fresh process on a fresh database, and in every other round the jobs without keys go last. A ratio is
that of two neighbours, so that what else the machine does meanwhile meets both. It prints measurements, and judges
nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from benchmarks.bench import side
from benchmarks.figures import spread
from benchmarks.postgres.places import place, server_for

PLAIN = "plain"
FIGURES = {"inserted": "in", "drained": "drained"}
Rates = Mapping[str, float]


def drained(server: str, rule: str, arguments: str) -> Rates:
    """One measure of `keyed_side`, in an empty database."""
    with place(server) as url:
        return side("keyed_side", f"{url} {rule} {arguments}")


def in_turns(server: str, rules: Sequence[str], arguments: str, rounds: int) -> None:
    """Jobs under each of the rules, and without keys; every round as it is known, then all of them."""
    columns = [f"{rule} {shown}" for rule in (PLAIN, *rules) for shown in FIGURES.values()]
    print(f"\n{'jobs per second':16}" + "".join(f"{column:>18}" for column in columns), flush=True)
    runs: list[Mapping[str, Rates]] = []
    for number in range(rounds):
        turns = [PLAIN, *rules]
        ran = {rule: drained(server, rule, arguments) for rule in (reversed(turns) if number % 2 else turns)}
        print(f"round {number + 1:<10}" + "".join(f"{ran[r][f]:>18,.0f}" for r in turns for f in FIGURES), flush=True)
        runs.append(ran)
    for rule in rules:
        for figure, shown in FIGURES.items():
            ratios = [ran[rule][figure] / ran[PLAIN][figure] for ran in runs]
            print(f"{rule} to {PLAIN}, {shown}: {spread(ratios, 2)}", flush=True)


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure jobs of many keys, and the same jobs without, in turns.")
    parser.add_argument("--store", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--keys", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with server_for(asked.store) as server:
        print(f"{asked.store}: {asked.jobs:,} jobs of {asked.keys:,} keys, one at a time of each")
        in_turns(server, ["limited"], f"{asked.jobs} --keys {asked.keys}", asked.rounds)


if __name__ == "__main__":
    main()
