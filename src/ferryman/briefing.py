"""What the settings mean to a node, and to the worker processes of one."""

from __future__ import annotations

import logging
from typing import Final

from ferryman.engine.world import NodeOptions
from ferryman.settings import TABLE, Settings
from ferryman.store.factory import SQLITE, sqlite_path

OF_THE_CLIENT: Final = frozenset(
    {"database_url", "max_body", "max_pending", "max_age", "accept_unknown_types", "retention"}
)
"""Settings that decide what becomes of a job that is enqueued."""

OFF: Final = "off"


def for_worker_processes(settings: Settings) -> dict[str, str]:
    """What their clients need of the settings, as text: the rest is read there as in any process that enqueues.

    The file's path is absolute, since a process that starts later may find itself in another folder.
    """
    told = {each.field: each.kind.show(getattr(settings, each.field)) for each in TABLE if each.field in OF_THE_CLIENT}
    path = sqlite_path(settings.database_url)
    if path is not None:
        told["database_url"] = f"{SQLITE}{path.absolute()}"
    return told


def node_options(settings: Settings) -> NodeOptions:
    """What a node needs of the settings."""
    return NodeOptions(
        workers=settings.worker_count,
        capacity=settings.job_queue_capacity,
        queues=settings.queues,
        priority_factor=settings.priority_factor,
        lease=settings.lease,
        beat=settings.beat,
        stop_deadline=settings.stop_deadline,
        default_timeout=settings.default_timeout,
        loop_stall=settings.loop_stall,
        max_result=settings.max_result,
        process_max_jobs=settings.process_max_jobs,
        process_max_rss=settings.process_max_rss,
        transaction_timeout=settings.transaction_timeout,
        log_capture=None
        if settings.log_capture == OFF
        else logging.getLevelNamesMapping()[settings.log_capture.upper()],
    )
