"""Tells the listeners of events what happened; one that fails must not undo it."""

from __future__ import annotations

import logging
from typing import Final

from ferryman.domain.events import Event, Events

log: Final = logging.getLogger("ferryman.engine")


def tell(events: Events, event: Event) -> None:
    """Emit an event; an error of a listener is logged."""
    try:
        events.emit(event)
    except Exception:
        log.exception("A listener of events failed.", extra={"event": "listener_failed"})
