"""Kill `ferryman serve` with SIGKILL again and again under load, then account for every job.

    python -m tests.chaos.kill --rounds 20 --seed 1

Clients submit over HTTP and repeat a submission whose answer was lost under the same Idempotency-Key.
Handlers write every start and end into a journal outside the store. When the last server has drained
the queue, the journal, the clients' lists and the database must agree. Exit code 1 on any violation.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from ferryman.testing.serving import Server

CLIENTS = 4
SETTLE_SECONDS = 120.0


class Client(threading.Thread):
    """Submits jobs until told to stop; never gives a submission up before it is accepted."""

    def __init__(self, number: int, address: Address, seed: int) -> None:
        super().__init__(daemon=True)
        self.accepted: list[str] = []
        self._number = number
        self._address = address
        self._random = random.Random(seed * 1000 + number)
        self._ending = threading.Event()

    def run(self) -> None:
        """One submission after another."""
        count = 0
        while not self._ending.is_set():
            count += 1
            self._submit(f"{self._number}-{count}")
            # about half of what ten workers can do, so that recovery is not measured behind a backlog
            self._ending.wait(self._random.uniform(0, 0.03))

    def end(self) -> None:
        """Stop after the submission under way."""
        self._ending.set()
        self.join()

    def _submit(self, key: str) -> None:
        seconds = round(self._random.choice([0.0, 0.0, 0.001, 0.01, 0.1]), 3)
        type = self._random.choice(["nap", "work"])
        body = json.dumps({"type": type, "payload": {"seconds": seconds}})
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        while True:
            place = urlsplit(self._address.wait())
            connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=10)
            try:
                connection.request("POST", "/jobs", body, headers)
                answer = connection.getresponse()
                data = json.loads(answer.read())
            except (OSError, http.client.HTTPException, ValueError):
                self._address.pause()
                continue
            finally:
                connection.close()
            if answer.status == 201:
                self.accepted.append(data["id"])
                return
            self._address.pause()


class Address:
    """Where the present server listens; clients wait here while there is none."""

    def __init__(self) -> None:
        self._up = threading.Event()
        self._never = threading.Event()
        self._url = ""

    def set(self, url: str) -> None:
        """A server is up."""
        self._url = url
        self._up.set()

    def clear(self) -> None:
        """It is about to die."""
        self._up.clear()

    def wait(self) -> str:
        """The address, once there is one."""
        self._up.wait()
        return self._url

    def pause(self) -> None:
        """A moment between two tries."""
        self._never.wait(0.02)


def campaign(rounds: int, seed: int, folder: Path) -> list[str]:
    """Run it. Returns the violations."""
    journal = folder / "journal"
    os.environ["CHAOS_JOURNAL"] = str(journal)
    journal.touch()
    target, database = Path(__file__).with_name("target.py"), folder / "chaos.db"
    randomness, address, recoveries = random.Random(seed), Address(), list[float]()
    clients = [Client(number, address, seed) for number in range(CLIENTS)]
    server = Server(target, database)
    address.set(server.url)
    for client in clients:
        client.start()
    for number in range(1, rounds + 1):
        threading.Event().wait(randomness.uniform(0.2, 1.2))
        address.clear()
        server.kill()
        open_runs = still_open(journal)
        began = time.time()
        server = Server(target, database)
        address.set(server.url)
        recovery = recovered(journal, open_runs, began)
        recoveries += [] if recovery is None else [recovery]
        shown = "-" if recovery is None else f"{recovery * 1000:.0f} ms"
        print(f"kill {number}/{rounds}: {len(open_runs)} runs cut off, first of them again after {shown}", flush=True)
    for client in clients:
        client.end()
    settled = settle(server)
    code = server.stop()
    accepted = [id for client in clients for id in client.accepted]
    violations = list(account(database, journal, accepted))
    violations += [] if settled else ["the queue did not drain"]
    violations += [f"the last server ended with code {code}"] if code else []
    summarise(accepted, journal, recoveries)
    return violations


def still_open(journal: Path) -> set[str]:
    """Jobs that had started and not ended."""
    started, ended = set[str](), set[str]()
    for what, id, _, _ in lines(journal):
        (started if what == "start" else ended).add(id)
    return started - ended


def recovered(journal: Path, open_runs: set[str], began: float) -> float | None:
    """Seconds from the restart until the first cut-off job started again; None if none was cut off."""
    deadline = time.monotonic() + 10
    while open_runs and time.monotonic() < deadline:
        for what, id, _, at in lines(journal):
            if what == "start" and id in open_runs and float(at) > began:
                return float(at) - began
        threading.Event().wait(0.02)
    return None


def lines(journal: Path) -> Iterator[tuple[str, str, str, str]]:
    """(start or end, job id, claim, time) of every whole line."""
    for line in journal.read_text("utf-8").splitlines():
        fields = line.split()
        if len(fields) == 4:
            yield fields[0], fields[1], fields[2], fields[3]


def settle(server: Server) -> bool:
    """Wait until nothing is left to run."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < deadline:
        _, _, metrics = server.call("GET", "/metrics")
        if not metrics["jobs_pending"] + metrics["jobs_scheduled"] + metrics["jobs_in_progress"]:
            return True
        threading.Event().wait(0.05)
    return False


def account(database: Path, journal: Path, accepted: list[str]) -> Iterator[str]:
    """Every way in which the books do not balance."""
    connection = sqlite3.connect(database)
    stored = {row[0] for row in connection.execute("SELECT id FROM job")}
    commits = Counter(row[0] for row in connection.execute("SELECT id FROM outcome WHERE status = 'completed'"))
    lost = Counter(row[0] for row in connection.execute("SELECT id FROM outcome WHERE what = 'lost'"))
    claims = {(row[0], row[1]) for row in connection.execute("SELECT id, number FROM outcome")}
    left = connection.execute("SELECT (SELECT count(*) FROM ready) + (SELECT count(*) FROM claim)").fetchone()[0]
    connection.close()
    starts: Counter[tuple[str, int]] = Counter()
    for what, id, claim, _ in lines(journal):
        if what == "start":
            starts[id, int(claim)] += 1
    started = Counter(id for id, _ in starts.elements())
    for id in accepted:
        if id not in stored:
            yield f"lost: {id} was accepted and is not in the store"
        elif not commits[id]:
            yield f"lost: {id} was accepted and never completed"
    yield from (f"doubled: {id} was accepted twice" for id, n in Counter(accepted).items() if n > 1)
    yield from (f"doubled: {id} committed {n} times" for id, n in commits.items() if n > 1)
    yield from (f"doubled: {run} started {n} times" for run, n in starts.items() if n > 1)
    yield from (f"invented: {id} is in the store, nobody had it accepted" for id in stored - set(accepted))
    yield from (
        f"unbounded: {id} started {n} times, its node died {lost[id]} times"
        for id, n in started.items()
        if n > lost[id] + 1
    )
    yield from (f"unfenced: {run} started without a claim that the store knows" for run in starts if run not in claims)
    if left:
        yield f"stuck: {left} rows are still ready or claimed"


def summarise(accepted: list[str], journal: Path, recoveries: list[float]) -> None:
    """The figures."""
    starts = Counter(id for what, id, _, _ in lines(journal) if what == "start")
    most = max(starts.values(), default=0)
    print(f"{len(accepted)} jobs accepted, {sum(starts.values())} starts, at most {most} starts of one job")
    if recoveries:
        median, worst = statistics.median(recoveries) * 1000, max(recoveries) * 1000
        print(f"recovery, from spawn to the first cut-off job again: median {median:.0f} ms, worst {worst:.0f} ms")


def main() -> int:
    """Read the options, run, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ferryman-chaos-") as folder:
        violations = campaign(options.rounds, options.seed, Path(folder))
    for violation in violations[:20]:
        print(violation)
    print(f"chaos: {options.rounds} kills, seed {options.seed}: {len(violations)} violations")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
