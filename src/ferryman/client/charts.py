"""What happened lately, as points in time."""

from __future__ import annotations

from ferryman.domain.charts import Stats, chart
from ferryman.domain.series import By, Which, period
from ferryman.store.protocol import Clock, Store


class Charts:
    """Draws what the store has sampled, and what nodes have timed; see `domain.series`."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def draw(
        self,
        which: Which,
        by: By = By.NONE,
        *,
        start: int | None = None,
        end: int | None = None,
        step: int | None = None,
    ) -> Stats:
        """The lines of a period: what happened in each step, and how long it took.

        Args:
            which: the jobs that count.
            by: what has a line of its own.
            start: microseconds; an hour before the end where nobody says.
            end: the last full minute where nobody says.
            step: seconds; see `domain.series.period` for what becomes of it.

        Raises:
            BadParameter: nothing is kept of that period.
        """
        asked = period(self._clock.now(), start, end, step)
        return chart(asked, await self._store.sampled(asked, which), by)
