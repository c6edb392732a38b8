"""Startup and shutdown hooks of a worker process: those of each app that it runs handlers of."""

from __future__ import annotations

import logging
from asyncio import CancelledError
from collections import Counter
from collections.abc import Sequence
from typing import Final

from ferryman.domain.errors import ProcessNotStarted, StartupFailed
from ferryman.engine import endings
from ferryman.engine.hooks import Hooks
from ferryman.engine.lifecycle import Lifecycle
from ferryman.engine.parttime import PartTimeLoop
from ferryman.engine.registry import Registry

log: Final = logging.getLogger("ferryman.engine")


class ChildHooks:
    """Each startup hook is called once, before the first run after it was declared: modules are imported one by one."""

    def __init__(self, loop: PartTimeLoop) -> None:
        self._loop = loop
        self._lives: dict[Registry, Lifecycle] = {}

    def begun(self, registry: Registry) -> bool:
        """Whether every startup hook of an app has been called."""
        life = self._lives.get(registry)
        return life is not None and not life.behind

    def begin(self, registry: Registry, wanted: Sequence[str]) -> None:
        """Call those startup hooks of an app that have not been. `wanted` are the names of all hooks in the node.

        Raises:
            ProcessNotStarted: one raised, or its process was asked to end; the shutdown hooks have been called if
                another one had ended well before.
        """
        life = self._lives.get(registry)
        if life is None:
            life = self._lives[registry] = Lifecycle(registry.hooks)
            _tell_missing(wanted, registry.hooks)
        if not life.behind:
            return
        try:
            self._loop.run(life.start())
        except StartupFailed as error:
            cause = error.__cause__ or error
            log.error("A worker process did not start: %s", error, exc_info=cause, extra={"event": "hook_failed"})
            raise ProcessNotStarted(
                f"The worker process did not start. {error.what}",
                why=error.why,
                hint="The next attempt has a new process.",
                traceback=endings.traceback_of(cause),
            ) from error
        except CancelledError:
            raise ProcessNotStarted("The worker process was asked to end while it started.") from None

    def end(self) -> None:
        """Call all shutdown hooks; of the app that was begun last first. Raises CancelledError."""
        for registry, life in reversed(self._lives.items()):
            if registry.hooks.shutdown:
                self._loop.run(life.stop())


def _tell_missing(wanted: Sequence[str], hooks: Hooks) -> None:
    """A hook in a module that nothing imports here is never called, and nobody would notice."""
    missing = Counter(wanted) - Counter(hooks.around)
    if missing:
        log.warning(
            "A worker process has not these hooks of its node: %s. The handler's module has to import theirs.",
            ", ".join(sorted(missing)),
            extra={"event": "hooks_missing"},
        )
