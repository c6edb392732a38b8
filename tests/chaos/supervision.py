"""Kill node processes, their supervisor, and all of them at once, at each point of their work; account for every job.

    python -m tests.chaos.supervision --rounds 2 --seed 1 [--results FILE.json]

First under `ferryman serve --processes 2`, then under `ferryman work --processes 2`. In a round every kind of victim
dies at every moment. The exit code is 0 if every promise was kept, the claims of the dead were given back within a
second of somebody being there to do it, and no process outlived a killed supervisor; else 1.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from ferryman import Ferryman
from ferryman.testing.history import History, check, story
from ferryman.testing.history.entries import Calm, Killed
from tests import results
from tests.chaos.campaign import EXPECTED, environ, final_of, make_client, terms
from tests.chaos.clients import Addresses, Client
from tests.chaos.family import Family
from tests.chaos.figures import figures
from tests.chaos.fleet import Fleet, Slot
from tests.chaos.journal import NEMESIS, Journal, read
from tests.chaos.orders import CHILD, IDLE, MOMENTS, PARENT, VICTIMS
from tests.chaos.returns import returns, summary

COMMANDS: Final = ("serve", "work")
PROCESSES: Final = 2
PRODUCERS: Final = ("p", "q")
CLIENTS: Final = 3
GAP: Final = (0.2, 0.7)
"""Seconds between two acts."""
SETTLE_SECONDS: Final = 60.0
Act = tuple[str, str]
"""Who dies, and while doing what."""


@dataclass
class Campaign:
    """What came of one command."""

    history: History
    complaints: list[str]
    orphaned: list[float]
    missed: int
    acts: int


def acts(command: str) -> list[Act]:
    """One round: every kind of victim at every moment, a lone child thrice; only the parent of `serve` accepts jobs."""
    moments = dict.fromkeys(MOMENTS.values())
    victims = (CHILD, CHILD, *VICTIMS)
    among_nodes = [(each, during) for each in victims for during in moments if during != "accepting"]
    return among_nodes + ([(PARENT, "accepting")] * 2 if command == "serve" else [])


def run(folder: Path, command: str, wanted: Sequence[Act], seed: int) -> Campaign:
    """Play these acts in this order, in a folder of its own."""
    database = folder / "chaos.db"
    with ExitStack() as stack:
        journal, addresses, dice = Journal(folder, NEMESIS), Addresses(), random.Random(f"{seed} {command}")
        parent = Slot("s", "tests.chaos.supervised", (command,))
        producers = [Slot(name, "tests.chaos.producer") for name in PRODUCERS]
        settings = environ(database) | {"FERRYMAN_PROCESSES": str(PROCESSES)}
        fleet = Fleet([parent, *producers], folder, settings, journal, addresses, lambda _began: False)
        family = Family(fleet, parent, PROCESSES, folder, dice)
        stack.callback(family.end)
        stack.callback(fleet.end)
        load = Load(fleet, producers, folder, addresses, seed, CLIENTS if command == "serve" else 0)
        app = stack.enter_context(Ferryman(f"sqlite:///{database}"))
        fleet.wait_until(fleet.all_up, SETTLE_SECONDS)
        journal.note(Calm)  # nothing is ever made to fail here but by a kill, so P15 holds from the beginning
        load.begin()
        for victims, during in wanted:
            family.wait_until_up()
            fleet.wait(dice.uniform(*GAP))
            if during == IDLE:
                load.end()
                settle(fleet, app)
            family.die(victims, during)
            load.begin()
        finish(fleet, family, load, app, parent)
        history = asyncio.run(_history(database, folder, journal))
    complaints = [*fleet.complaints, *load.complaints]
    return Campaign(history, complaints, family.orphaned, family.missed, len(wanted))


class Load:
    """Who enqueues. `begin` and `end` may be called again and again."""

    def __init__(
        self, fleet: Fleet, producers: Sequence[Slot], folder: Path, addresses: Addresses, seed: int, clients: int
    ) -> None:
        self._fleet = fleet
        self._producers = producers
        self._folder = folder
        self._addresses = addresses
        self._seed = seed
        self._count = clients
        self._clients: list[Client] = []
        self._all: list[Client] = []

    def begin(self) -> None:
        """Let jobs come."""
        for slot in self._producers:
            if slot.start_at == math.inf:
                slot.start_at = 0.0
        if not self._clients:
            numbers = range(len(self._all) + 1, len(self._all) + 1 + self._count)
            self._clients = [make_client(self._folder, self._addresses, self._seed, number) for number in numbers]
            self._all += self._clients
            for client in self._clients:
                client.start()

    def end(self) -> None:
        """No more jobs come, from when this returns on."""
        for client in self._clients:
            client.end()
        self._fleet.wait_until(self._is_silent, SETTLE_SECONDS)
        self._clients = []

    def _is_silent(self) -> bool:
        """Asked again and again: whoever has stopped is kept from being started again."""
        for slot in self._producers:
            self._fleet.stop(slot)
            if slot.process is None:
                slot.start_at = math.inf
        alive = any(client.is_alive() for client in self._clients)
        return not alive and all(slot.process is None for slot in self._producers)

    @property
    def complaints(self) -> list[str]:
        """Answers that no client of such a system need live with."""
        codes = sum((client.caller.codes for client in self._all), Counter[str]())
        return [f"a client was answered {code}" for code in codes if code not in EXPECTED]


def settle(fleet: Fleet, app: Ferryman) -> bool:
    """Wait until no job is left to run."""
    return fleet.wait_until(lambda: not _open_jobs(app), SETTLE_SECONDS)


def _open_jobs(app: Ferryman) -> int:
    return sum(app._bridge.call(lambda client: client.counts(), "").standing.values())


def finish(fleet: Fleet, family: Family, load: Load, app: Ferryman, parent: Slot) -> None:
    """The end of a campaign: everything runs out, then everybody stops."""
    family.wait_until_up()
    load.end()
    if not settle(fleet, app):
        fleet.complaints.append(f"jobs were left after {SETTLE_SECONDS:g} s of calm")
    fleet.restarting = False
    fleet.stop(parent)
    fleet.wait_until(fleet.all_down, SETTLE_SECONDS)
    if family.kin():
        fleet.complaints.append(f"processes live on after the end of {family.name}: {family.kin()}")


async def _history(database: Path, folder: Path, journal: Journal) -> History:
    entries = read(folder)
    return History(entries=entries, final=await final_of(database, entries), terms=terms(journal))


# -- the program -------------------------------------------------------------------------------------


def main(arguments: list[str]) -> int:
    """Read the options, run, report."""
    options = _options(arguments)
    commit, faults = results.commit(), 0
    for command in COMMANDS:
        folder = Path(tempfile.mkdtemp(prefix="ferryman-supervision-"))
        dice = random.Random(f"{options.seed} order {command}")
        wanted = [act for _ in range(options.rounds) for act in dice.sample(acts(command), len(acts(command)))]
        began = time.monotonic()
        campaign = run(folder, command, wanted, options.seed)
        told = figures_of(campaign, command, options.seed, time.monotonic() - began)
        print(msgspec.json.format(msgspec.json.encode(told), indent=2).decode())
        violations = check(campaign.history)
        for violation in violations[:5]:
            print(f"\n{story(campaign.history, violation)}")
        for fault in [*campaign.complaints, *told["late"]]:
            print(fault)
        faults += told["faults"]
        if options.results is not None:
            results.add(options.results, "supervision", commit, told)
        if told["faults"] or options.keep:
            print(f"journals and logs are in {folder}")
        else:
            shutil.rmtree(folder)
    print(f"supervision: seed {options.seed}: {faults} faults")
    return int(bool(faults))


def figures_of(campaign: Campaign, command: str, seed: int, seconds: float) -> dict[str, Any]:
    """What a reader needs to judge it."""
    found, back = figures(campaign.history), summary(*returns(campaign.history.entries))
    violations = len(check(campaign.history))
    kills = Counter(each.during or "?" for each in campaign.history.entries if isinstance(each, Killed))
    return {
        "command": command,
        "seed": seed,
        "duration": round(seconds, 1),
        "acts": campaign.acts,
        "missed": campaign.missed,
        "violations": violations,
        "complaints": len(campaign.complaints),
        "faults": violations + len(campaign.complaints) + len(back.late),
        **{name: getattr(found, name) for name in ("accepted", "starts", "lost", "stuck", "double_commits", "fenced")},
        "kills": dict(sorted(kills.items())),
        **msgspec.to_builtins(back),
        "runs_cut_off": found.cut_off,
        "runs_again_median": found.recovery_median,
        "runs_again_worst": found.recovery_worst,
        "parents_killed": len(campaign.orphaned),
        "orphans_gone_worst": round(max(campaign.orphaned, default=0.0), 2),
    }


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.supervision", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--rounds", type=int, default=1, help="each takes about a minute and a half for each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="keep journals and logs even if nothing was wrong")
    parser.add_argument("--results", type=Path, help="a JSON file, a list, to which the figures are added")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
