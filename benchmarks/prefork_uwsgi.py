"""The site of benchmarks/prefork.py under uWSGI, which imports it before it forks: the parent has enqueued by then."""

from __future__ import annotations

import uwsgi  # type: ignore[import-not-found,import-untyped,unused-ignore]  # there only inside of uWSGI

from benchmarks.prefork_site import application, count

__all__ = ["application"]

if uwsgi.worker_id() == 0:  # the parent; with lazy-apps each worker imports this, and the parent does not
    count.enqueue(0)
