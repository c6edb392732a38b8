"""A small stock: a few jobs of every kind, hostile texts wherever a text may stand."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from tests.browser.hostile import TEXTS, payload
from tests.browser.served import Site

LETTERS: Final = 64
"""So long may names be."""
DAY: Final = 86_400
KEY: Final = TEXTS["script"]


class Stock:
    """What a store has, by the names that pages are reached by."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.names: dict[str, str] = {}
        """What `pages.PAGES` has in braces."""

    def fill(self) -> None:
        """Enqueue all, and wait for those that end soon."""
        self._enqueue([{"type": "flaky", "payload": {"times": n}} for n in range(3)])
        self._enqueue([{"type": "echo", "payload": {"n": n}, "delay": DAY} for n in range(5)])
        hostile = {"type": "echo", "payload": payload(), "tags": ["hostile"]}
        [job, failed, *others] = self._enqueue([hostile, *self._failing(), *self._plain()])
        for id in [job, failed, *others]:
            self.site.ended(id)
        self.site.ask("PUT", f"/keys/{quote(KEY, safe='')}", {"concurrency": 2})
        operation = self.site.ask("POST", "/operations", {"action": "retry", "filter": "tag:nobody"})
        [node] = self.site.ask("GET", "/nodes")
        self.names = {
            "job": job,
            "failed": failed,
            "type": "echo",
            "queue": "default",
            "schedule": "echo",
            "key": KEY,
            "node": node["id"],
            "operation": operation["id"],
        }

    def _enqueue(self, jobs: list[dict[str, Any]]) -> list[str]:
        """The ids of new jobs."""
        ids: list[str] = self.site.ask("POST", "/jobs/batch?on_conflict=return", {"jobs": jobs})["ids"]
        return ids

    def _plain(self) -> list[dict[str, Any]]:
        return [
            *({"type": "echo", "payload": {"n": n}, "tags": ["plain"]} for n in range(20)),
            *({"type": "charge", "payload": {"customer": n}} for n in range(5)),
            *({"type": "report", "payload": {"steps": len(TEXTS)}} for _ in range(2)),
        ]

    def _failing(self) -> list[dict[str, Any]]:
        """Jobs that fail with hostile texts, and have them also where names stand."""
        named = [text[:LETTERS] for text in TEXTS.values() if _is_name(text[:LETTERS])]
        return [
            {"type": "explode", "payload": {"huge": True}},
            *({"type": "explode", "payload": {"text": text}} for text in TEXTS.values()),
            *({"type": "explode", "tags": [name], "unique_key": name, "key": name} for name in named),
            {"type": "echo", "queue": "q" * 128},
        ]


def _is_name(text: str) -> bool:
    """Whether a text may be the name of something."""
    return text != "" and text == text.strip() and text.isprintable()
