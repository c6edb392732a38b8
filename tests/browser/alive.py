"""The shop of the demonstration with a past, that is busy: what the pictures in docs/screenshots show."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any, Final

from tests.browser.deployed import OPERATOR
from tests.browser.served import PATIENCE, Site, clean

READY: Final = "Look: "
JOBS: Final = Path(__file__).with_name("shop_jobs.py")
RATE: Final = 1.4
"""Jobs a second, as at the end of the past: see `past.DAY`."""
WHILE: Final = 80.0
"""Seconds for which it lives before anybody looks: all that is done by the minute has been done."""
HOLD: Final = 8.0
"""Seconds in which what was begun gets somewhere."""
LONG: Final = 600.0
"""Seconds that giving it a past may take."""
HELPERS: Final = ("shop-2", "shop-3")
KEYS: Final = {"web": ["enqueue"], "grafana": ["read"], "anna": ["operate"], "till": ["enqueue", "read"]}
"""The API keys beside that of the one who looks, and their scopes."""
SLOW: Final = "old.erp.example"
VIDEOS: Final = [{"type": "transcode_video", "payload": {"video": f"tour-{n}.mov"}} for n in range(12)]
ORDERS: Final = [
    {
        "type": "deliver_webhook",
        "payload": {
            "host": SLOW,
            "event": "order.paid",
            "body": {"order": 400_000 + n},
            "signing_key": "whsec_c2hhcmVk",
        },
    }
    for n in range(300)
]
RETRY: Final = {"action": "retry", "filter": "status:failed type:make_thumbnail", "rate": "4/s"}
WANTED: Final = {
    "job": ("/jobs?filter=status:completed+type:send_mail+finished:<6h&order=desc&limit=1000", "id"),
    "failed": ("/jobs?filter=status:failed+type:send_mail+error:MailServerAway&order=desc", "id"),
    "group": ("/errors?type=send_mail", "group"),
    "node": ("/jobs?filter=status:processing+type:transcode_video", "node"),
}
"""Where that is found of which a page shows one: the one of most attempts, or else the first."""


class Alive(Site):
    """A site of which three nodes run the jobs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, f"sqlite:///{folder}/jobs.db")
        self._folder = folder
        self._url = ""
        self.key = ""
        """The API key of one who may do everything."""
        self.names: dict[str, str] = {}
        """What `pages.PAGES` has in braces."""

    @property
    def url(self) -> str:
        """Where it is served."""
        return self._url

    @contextmanager
    def living(self) -> Iterator[None]:
        """Give it a past, then let it live as long as the block."""
        past = ("shop-0", "tests.browser.past", self.database, "--wait")
        self.program("tests.browser.deployed", *past, patience=LONG)
        with ExitStack() as processes:
            shop = processes.enter_context(self._node("shop-1", "demo", "--live", "--rate", str(RATE), "--port", "0"))
            assert shop.stdout is not None
            line = next(line for line in shop.stdout if line.startswith(READY))
            self._url = line.removeprefix(READY).split("/  ")[0]
            self.key = self._first_key()
            for name in HELPERS:
                processes.enter_context(self._node(name, "work", str(JOBS)))
            yield

    @contextmanager
    def _node(self, host: str, *command: str) -> Iterator[Popen[str]]:
        arguments = [sys.executable, "-m", "tests.browser.deployed", host, "ferryman", *command]
        environment = clean() | {"FERRYMAN_DATABASE_URL": self.database, "FERRYMAN_LOG_LEVEL": "error"}
        with (
            (self._folder / f"{host}.log").open("w") as log,
            Popen(arguments, env=environment, stdout=PIPE, stderr=log, text=True) as process,
        ):
            try:
                yield process
            finally:
                process.terminate()
                process.wait(PATIENCE)

    def _first_key(self) -> str:
        add = ("shop-1", "ferryman", "api-keys", "add", OPERATOR, "--scope", "admin", "--json")
        key: str = json.loads(self.program("tests.browser.deployed", *add))["key"]
        return key

    def tell(self, path: str) -> Any:
        """What it says to one who may ask."""
        return self.ask("GET", path, Authorization=f"Bearer {self.key}")

    def do(self, path: str, body: object) -> Any:
        """What it says to one who has it do something."""
        return self.ask("POST", path, body, Authorization=f"Bearer {self.key}")

    def begin(self) -> None:
        """Have much of what takes long under way, and find out the names."""
        time.sleep(WHILE)
        for name, scopes in KEYS.items():
            self.do("/api-keys", {"name": name, "scopes": scopes})
        self.do("/jobs/batch", {"jobs": VIDEOS})
        time.sleep(HOLD)
        found = {name: max(self.tell(path), key=_tries)[member] for name, (path, member) in WANTED.items()}
        fixed = {"queue": "mail", "type": "send_mail", "schedule": "count_carts", "key": SLOW}
        self.names = fixed | found

    def crowd(self) -> None:
        """Have many jobs wait for a key, and many tried again: charts would show little else."""
        self.names["operation"] = self.do("/operations", RETRY)["id"]
        self.do("/jobs/batch", {"jobs": ORDERS})


def _tries(one: dict[str, Any]) -> int:
    return int(one.get("attempt", 0))
