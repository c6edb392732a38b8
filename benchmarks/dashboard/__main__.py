"""How soon the dashboard shows something of a large store, and what those who look cost.

    python -m benchmarks.dashboard [--jobs 1000000] [--store sqlite|postgres] [--rate 2000] [--seconds 20]

It prints measurements, and judges nothing.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Browser

from benchmarks.dashboard import busy, first
from benchmarks.dashboard.serving import ROOT, Served, fed, served
from benchmarks.postgres.places import place, server_for
from tests.browser.building import BUILT, files
from tests.browser.chromium import launched

VIEWERS = (0, 1, 10)
FRAMED = ("overview", "jobs", "queues")


def main() -> None:
    """Read the options and measure."""
    parser = argparse.ArgumentParser(description="Measure the dashboard.")
    parser.add_argument("--jobs", type=int, default=1_000_000)
    parser.add_argument("--store", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--rate", type=int, default=2_000, help="jobs a second that run meanwhile")
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each look lasts")
    options = parser.parse_args()
    sizes()
    with server_for(options.store) as server, place(server) as url:
        seed = [sys.executable, "-m", "benchmarks.dashboard.seeding", url, "--jobs", str(options.jobs)]
        subprocess.run(seed, cwd=ROOT, check=True)
        with launched(os.environ) as chromium, served(url) as site:
            show(chromium, site, options)


def show(chromium: Browser, site: Served, options: argparse.Namespace) -> None:
    """First what stands still, then what runs."""
    print(f"\n{options.jobs:,} jobs on {options.store}: milliseconds, of {first.ROUNDS} looks the median one")
    heads = f"{'':32} {'loaded':>7} {'turned to':>9} {'API':>7}"
    print(heads)
    rows(first.measure(chromium, site.url, names(site.url)))
    print(f"\n{'filter of jobs':32} {'loaded':>7} {'turned to':>9} {'API':>7}")
    rows(first.filters(chromium, site.url, groups(site.url)))
    with fed(site.url, options.rate):
        print(f"\nwhile {options.rate:,} jobs a second come in")
        print(f"{'frames, milliseconds':32} {'p50':>7} {'p95':>7} {'p99':>7}   long tasks")
        for name in FRAMED:
            told = busy.frames(chromium, site.url, name, options.seconds)
            longest = f"{told.long}, at most {told.longest:.0f} ms" if told.long else "none"
            print(f"{name:32} {told.p50:7.1f} {told.p95:7.1f} {told.p99:7.1f}   {longest}", flush=True)
        print(f"{'viewers':32} {'server':>7} {'each':>7} {'ended/s':>7}")
        nobody = 0.0
        for viewers in VIEWERS:
            found = busy.cost(chromium, site, viewers, options.seconds)
            nobody = found.cores if viewers == 0 else nobody
            each = f"{(found.cores - nobody) / viewers:7.1%}" if viewers else " " * 7
            print(f"{viewers:<32} {found.cores:7.1%} {each} {found.ended_per_second:7,.0f}", flush=True)


def rows(found: Iterable[first.Measured]) -> None:
    """A line each, as soon as it is known."""
    for each in found:
        print(f"{each.name:32} {each.loaded:7.0f} {each.turned:9.0f} {each.api:7.0f}  {each.path[:70]}", flush=True)


def sizes() -> None:
    """What a browser loads, compressed."""
    found = {name: (len(body), len(gzip.compress(body, 9, mtime=0))) for name, body in sorted(files(BUILT).items())}
    for name, (plain, packed) in found.items():
        print(f"{name:40} {plain:9,} bytes, {packed:7,} compressed")
    code = sum(packed for name, (_, packed) in found.items() if name.endswith((".js", ".css")))
    print(f"JavaScript and CSS together: {code / 1024:.1f} KiB compressed")


def names(url: str) -> Mapping[str, str]:
    """What pages of one thing are to show; what the store does not have is left out."""
    found = {"queue": "mail", "type": "mail.send"}
    wanted = {
        "job": ("/jobs?status=completed&limit=1", "id"),
        "failed": ("/jobs?status=failed&limit=1", "id"),
        "node": ("/nodes", "id"),
        "group": ("/errors?limit=1", "group"),
    }
    for name, (path, member) in wanted.items():
        told = ask(url, path)
        if told:
            found[name] = told[0][member]
    return found


def groups(url: str) -> tuple[str, ...]:
    """A filter for the greatest group of errors, if there are groups."""
    found = ask(url, "/errors?limit=1")
    return (f"status:failed group:{quote(found[0]['group'])}",) if found else ()


def ask(url: str, path: str) -> Any:
    """The JSON of an answer."""
    with urllib.request.urlopen(url + path, timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    main()
