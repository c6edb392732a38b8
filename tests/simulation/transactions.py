"""The transactions of handlers as a process of the simulation sees them: refused, failing, answered by nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ferryman.domain.errors import StoreBusy, StoreClosed
from ferryman.domain.job import ClaimedJob
from ferryman.domain.outcome import Finish
from ferryman.store.transactions import OpenTransaction, Transactions
from ferryman.testing.history import entries
from tests.simulation.calls import faulted
from tests.simulation.filelock import FileLock
from tests.simulation.notes import Notes
from tests.simulation.weather import Fate, Weather


class SimTransactions:
    """Implements `Transactions` over the real ones, for one process. What happens, happens at one moment."""

    def __init__(
        self,
        inner: Transactions,
        lock: FileLock,
        weather: Weather,
        notes: Notes,
        process: str,
        *,
        stop: Callable[[], None],
        die: Callable[[str], None],
    ) -> None:
        """`stop` asks the process to stop; `die` ends it on the spot, and is told what was under way."""
        self.open: SimTransaction | None = None
        self._inner = inner
        self._lock = lock
        self._weather = weather
        self._notes = notes
        self._process = process
        self._stop = stop
        self._die = die
        self._gone = False

    def begin(self, node: int, job: ClaimedJob) -> OpenTransaction:
        """See `Transactions.begin`."""
        self._require_life()
        fate = self.fate("begin")
        if fate is not None:
            if fate.startswith("die"):
                self.die("running")
            raise self.failure("stop before" if fate.startswith("stop") else "before")
        if self._lock.held:
            raise StoreBusy("Somebody else has kept on writing for too long.")
        opened = self._inner.begin(node, job)
        self._lock.take()
        self.open = SimTransaction(self, opened, node)
        return self.open

    def let_go(self) -> None:
        """The process is gone: what it had open is rolled back, by whoever looks at the file next."""
        self._gone = True
        if self.open is not None:
            self.open.rollback()

    # -- for its transaction ---------------------------------------------------------------------

    def ended(self) -> None:
        """What was open has ended, in whatever way."""
        if self.open is not None:
            self.open = None
            self._lock.free()

    def committed(self, node: int, finish: Finish) -> None:
        """Note it, as it takes effect."""
        self._notes.note(entries.Committed, self._process, node=node, job=finish.id, number=finish.number)

    def fate(self, verb: str) -> Fate | None:
        """What becomes of a call. The desk's thread waits for each, so that a slow one is no other."""
        fate = self._weather.fate(verb)
        if fate is None or fate == "slow":
            return None
        faulted(self._notes, self._process, verb, fate)
        return fate

    def failure(self, fate: Fate) -> Exception:
        """What the desk gets to see; at that moment its process may be asked to stop."""
        if fate.startswith("stop"):
            self._stop()
        return self._weather.error(fate)

    def die(self, during: str = entries.IN_A_TRANSACTION) -> None:
        """Kill the process; what it would do next in this step happens to nobody. Raises StoreClosed."""
        self._die(during)
        self._require_life()

    def _require_life(self) -> None:
        if self._gone:
            raise StoreClosed("The process is gone.")


class SimTransaction:
    """Implements `OpenTransaction`."""

    def __init__(self, owner: SimTransactions, inner: OpenTransaction, node: int) -> None:
        self._owner = owner
        self._inner = inner
        self._node = node

    @property
    def connection(self) -> Any:
        """See `OpenTransaction.connection`."""
        return self._inner.connection

    def finish(self, finish: Finish, now: int) -> bool:
        """See `OpenTransaction.finish`."""
        owner = self._owner
        fate = owner.fate("commit") if owner.open is self else None
        if fate in ("die before", "die within"):
            owner.die()
        if fate in ("before", "stop before"):
            self.rollback()
            raise owner.failure(fate)
        try:
            won = self._inner.finish(finish, now)
        finally:
            self._ended()
        if won:
            owner.committed(self._node, finish)
        if fate == "die after":
            owner.die()
        if fate in ("after", "stop after"):
            raise owner.failure(fate)
        return won

    def rollback(self) -> None:
        """See `OpenTransaction.rollback`."""
        self._inner.rollback()
        self._ended()

    def expire(self) -> None:
        """See `OpenTransaction.expire`."""
        self._inner.expire()
        self._ended()

    def _ended(self) -> None:
        if self._owner.open is self:
            self._owner.ended()
