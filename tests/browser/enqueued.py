"""Jobs for a test, put into a site by its API."""

from __future__ import annotations

from typing import Any

from tests.browser.served import Site


def enqueue(site: Site, count: int, type: str = "keep", **options: Any) -> list[str]:
    """The ids of so many jobs of a type, in their order."""
    jobs = [{"type": type, "payload": {}, **options} for _ in range(count)]
    ids: list[str] = site.ask("POST", "/jobs/batch", {"jobs": jobs})["ids"]
    return ids


def later(site: Site, count: int, **options: Any) -> list[str]:
    """Jobs that do nothing today."""
    return enqueue(site, count, delay=86_400, **options)


def failed(site: Site, count: int, text: str = "") -> list[str]:
    """Jobs that have failed, with this text if there is one."""
    ids = enqueue(site, count, "fail", payload={"text": text})
    for id in ids:
        site.ended(id)
    return ids
