"""Clients over HTTP: they repeat what they got no answer to, under the same Idempotency-Key, at any node."""

from __future__ import annotations

import http.client
import json
import math
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from ferryman.testing.history.entries import (
    Answered,
    Asked,
    CancelAnswered,
    CancelAsked,
    Looked,
    RetryAnswered,
    RetryAsked,
)
from tests.chaos.journal import Journal, moment
from tests.chaos.target import ATTEMPTS

ANSWER_SECONDS: Final = 2.0
"""How long a client waits for one answer: less than a pause of a node."""
PAUSE: Final = 0.12
"""Most seconds between two requests of a client."""
REMEMBERED: Final = 50
"""How many of its own jobs a client may come back to."""


@dataclass(frozen=True)
class Wanted:
    """A job that a client wants."""

    type: str
    payload: Mapping[str, Any] = field(default_factory=dict[str, Any])
    queue: str = "default"
    priority: int = 5
    max_attempts: int = ATTEMPTS
    delay: float | None = None
    unique_key: str | None = None

    @property
    def asked(self) -> dict[str, Any]:
        """What `Asked` says of it, and the body of a request as well."""
        names = ("type", "queue", "priority", "max_attempts", "unique_key")
        return {name: getattr(self, name) for name in names}


@dataclass(frozen=True)
class Reply:
    """What a node answered."""

    status: int
    data: Any
    replayed: bool


class Addresses:
    """Where nodes listen just now."""

    def __init__(self) -> None:
        self._urls: dict[str, str] = {}

    def add(self, process: str, url: str) -> None:
        """A node listens."""
        self._urls = self._urls | {process: url}

    def remove(self, process: str) -> None:
        """It does not any more."""
        self._urls = {name: url for name, url in self._urls.items() if name != process}

    def pick(self, dice: random.Random) -> str | None:
        """Any of them."""
        urls = list(self._urls.values())
        return dice.choice(urls) if urls else None


class Caller:
    """Asks nodes for things, and notes what it asked and was told. Each thread has its own."""

    def __init__(self, journal: Journal, addresses: Addresses, dice: random.Random) -> None:
        self.codes: Counter[str] = Counter()
        """Every error code that was answered, by how often."""
        self._journal = journal
        self._addresses = addresses
        self._dice = dice
        self._count = 0
        self._never = threading.Event()

    def submit(self, wanted: Wanted, patience: float = math.inf) -> str | None:
        """Ask for a job until there is an answer, for so many seconds. Gives the job's id."""
        self._count += 1
        request = f"{self._journal.name}-{self._count}"
        note, until = self._journal.note, time.monotonic() + patience
        note(Asked, request=request, job=None, scheduled=wanted.delay is not None, **wanted.asked)
        body = wanted.asked | {"payload": wanted.payload, "delay": wanted.delay}
        body = {name: value for name, value in body.items() if value is not None}
        code: str | None = None
        while time.monotonic() < until:
            reply = self.call("POST", "/jobs", body, {"Idempotency-Key": request})
            if reply is not None and reply.status in (200, 201):
                verdict = "existed" if reply.status == 200 else "replayed" if reply.replayed else "accepted"
                note(Answered, request=request, job=reply.data["id"], verdict=verdict)
                return str(reply.data["id"])
            code = None if reply is None else reply.data["code"]
            if reply is not None and reply.status < 500:
                note(Answered, request=request, job=None, verdict="refused", code=code)
                return None
            self._never.wait(self._dice.uniform(0.02, 0.1))
        note(Answered, request=request, job=None, verdict="unknown", code=code)
        return None

    def cancel(self, job: str) -> None:
        """Ask once to cancel a job."""
        self._journal.note(CancelAsked, job=job)
        reply = self.call("POST", f"/jobs/{job}/cancel")
        after = reply.data["status"] if reply is not None and reply.status in (200, 202) else None
        self._journal.note(CancelAnswered, job=job, after=after)

    def retry(self, job: str) -> None:
        """Ask once to retry a job."""
        self._journal.note(RetryAsked, job=job)
        reply = self.call("POST", f"/jobs/{job}/retry")
        self._journal.note(RetryAnswered, job=job, done=reply is not None and reply.status == 200)

    def look(self, job: str) -> None:
        """Read a job."""
        asked = moment()
        reply = self.call("GET", f"/jobs/{job}")
        if reply is not None and reply.status == 200:
            seen = {name: reply.data[name] for name in ("status", "attempt", "claim")}
            self._journal.note(Looked, asked=asked, job=job, **seen)

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply | None:
        """One request to any node; None where there was no answer."""
        url = self._addresses.pick(self._dice)
        if url is None:
            return None
        place = urlsplit(url)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=ANSWER_SECONDS)
        content = None if body is None else json.dumps(body)
        typed = {"Accept": "application/json"} | ({} if content is None else {"Content-Type": "application/json"})
        try:
            connection.request(method, path, content, typed | dict(headers or {}))
            answer = connection.getresponse()
            reply = Reply(answer.status, json.loads(answer.read()), answer.headers["Idempotent-Replayed"] == "true")
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()
        if reply.status >= 400:
            self.codes[reply.data["code"]] += 1
        return reply


class Client(threading.Thread):
    """Enqueues until told to stop, and now and then cancels, retries or reads one of its jobs."""

    def __init__(self, caller: Caller, dice: random.Random) -> None:
        super().__init__(daemon=True)
        self.caller = caller
        self._dice = dice
        self._ending = threading.Event()
        self._jobs: list[str] = []

    def run(self) -> None:
        """One request after another."""
        while not self._ending.wait(self._dice.uniform(0, PAUSE)):
            act = self._dice.random()
            if act < 0.12 and self._jobs:
                verb = self._dice.choice([self.caller.cancel, self.caller.retry, self.caller.look])
                verb(self._dice.choice(self._jobs))
            elif (job := self.caller.submit(self._any())) is not None:
                self._jobs = [*self._jobs[1 - REMEMBERED :], job]

    def end(self) -> None:
        """Stop after the request under way."""
        self._ending.set()

    def _any(self) -> Wanted:
        """A job of some type; most are short, a few are in the way of every stop and kill."""
        dice = self._dice
        seconds = dice.choice([0.0, 0.001, 0.01, 0.05, 0.2, 0.2, 0.5, 1.0, 3.0])
        kinds: list[tuple[str, dict[str, Any], int]] = [
            ("nap", {"seconds": seconds}, ATTEMPTS),
            ("nap", {"seconds": seconds}, ATTEMPTS),
            ("work", {"seconds": seconds}, ATTEMPTS),
            ("once", {"seconds": min(seconds, 0.5)}, 1),
            ("flaky", {"failures": dice.choice([1, 1, 3])}, dice.choice([2, ATTEMPTS])),
            ("snooze", {"times": dice.choice([1, 2, 3])}, ATTEMPTS),
            ("hang", {}, 2),
        ]
        type, payload, most = dice.choice(kinds)
        return Wanted(
            type,
            payload,
            queue=dice.choice(["default", "default", "other"]),
            priority=dice.choice([1, 5, 5, 9]),
            max_attempts=most,
            delay=dice.choice([None, None, None, 0.3, 1.5]),
            unique_key=dice.choice([None, None, None, f"key-{dice.randrange(10)}"]),
        )
