"""What the handlers in a worker process enqueue with their completion, which is written in another process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ferryman import at_first_use
from ferryman.client import JobRequest
from ferryman.domain.job import NewJob
from ferryman.engine.registry import Registry

if TYPE_CHECKING:
    from ferryman.client.admission import Admission


class FollowUps:
    """Admits them. Reads the settings at the first one."""

    def __init__(self, overrides: Mapping[str, object], registry: Registry) -> None:
        self._overrides = overrides
        self._registry = registry

    def admit(self, request: JobRequest) -> NewJob:
        """The job for a request, under an id that no other process mints. Raises EnqueueError, SettingsError."""
        return self._admission.admit(request)

    @cached_property
    def _admission(self) -> Admission:
        return at_first_use.admission(self._overrides, self._registry)
