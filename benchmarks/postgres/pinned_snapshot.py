"""What an old snapshot costs: full churn while another connection holds one, and without, for two table designs.

    python -m benchmarks.postgres.pinned_snapshot --seconds 120 [--only classic] [--server URL] [--json FILE]

The classic design (one table, a row that is updated at each step) stands beside ours as a reference: its claims walk
over the dead rows that the snapshot keeps. It prints measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.postgres.places import SQLITE, add_options, measured, server_of
from benchmarks.postgres.server import shown

Windows = list[dict[str, float]]


def show(design: str, length: float, free: Windows, pinned: Windows) -> None:
    """Both runs side by side."""
    print(f"\n{design}: ended runs/s, claim p50 and p99 in ms\n{'seconds':>10} {'free':>28} {'pinned':>28}")
    for number, (one, other) in enumerate(zip(free, pinned, strict=True)):
        print(f"{(number + 1) * length:10.0f} {_line(one):>28} {_line(other):>28}")
    ratio = _mean(pinned) / _mean(free) * 100 if _mean(free) else 0.0
    print(f"mean {_mean(free):,.0f} runs/s free, {_mean(pinned):,.0f} pinned: {ratio:.0f} %")
    print(f"claim p50, last window to the second one: {_trend(free)} free, {_trend(pinned)} pinned", flush=True)


def _line(window: dict[str, float]) -> str:
    if "p50_ms" not in window:
        return f"{window['per_second']:,.0f}  no claims"
    return f"{window['per_second']:,.0f}  {window['p50_ms']:7.2f}  {window['p99_ms']:7.2f}"


def _mean(windows: Windows) -> float:
    return statistics.fmean(window["per_second"] for window in windows)


def _trend(windows: Windows) -> str:
    """How claims changed over the run; its first window has the connecting and the planning in it."""
    waits = [window["p50_ms"] for window in windows[1:] if "p50_ms" in window]
    return f"{waits[-1] / waits[0]:.1f} x" if len(waits) > 1 else "-"


def designs(options: argparse.Namespace) -> Sequence[str]:
    """What is to run."""
    if options.server == SQLITE:
        return ["ferryman"]
    return [options.only] if options.only else ["ferryman", "classic"]


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Churn while another connection holds an old snapshot.")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--window", type=float, default=10.0)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--only", choices=["ferryman", "classic"])
    parser.add_argument("--json", type=Path, help="where to write all windows")
    add_options(parser)
    options = parser.parse_args()
    lengths = ("--seconds", options.seconds, "--window", options.window, "--nodes", options.nodes)
    results: dict[str, object] = {}
    with server_of(options) as server:
        results["server"] = {} if server == SQLITE else shown(server)
        print(json.dumps(results["server"]))
        for design in designs(options):
            patience = options.seconds * 2 + 60
            free: Windows = measured(server, "pinned_run", design, *lengths, timeout=patience)
            pinned: Windows = measured(server, "pinned_run", design, *lengths, "--pinned", timeout=patience)
            results[design] = {"free": free, "pinned": pinned}
            show(design, options.window, free, pinned)
    if options.json:
        options.json.write_text(json.dumps({**results, "window": options.window}, indent=2))


if __name__ == "__main__":
    main()
