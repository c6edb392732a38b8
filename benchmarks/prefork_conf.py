"""gunicorn's settings for benchmarks/prefork.py."""

from __future__ import annotations

from benchmarks.prefork_site import application, count

wsgi_app = f"{application.__module__}:application"
workers = 4
preload_app = True


def when_ready(_server: object) -> None:
    """Enqueue in the parent: its connection and its thread are there before the workers are forked."""
    count.enqueue(0)
