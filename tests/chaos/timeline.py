"""The timeline of a campaign as an SVG drawing: who lived when, what was done to whom, how much was done meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final

from ferryman.testing.history.entries import (
    AnyEntry,
    Calm,
    Ended,
    Killed,
    Paused,
    Resumed,
    Spawned,
    Started,
    Stopped,
    Stopping,
)

WIDTH: Final = 1160
LEFT: Final = 40
RIGHT: Final = 10
ROW: Final = 26
BAR: Final = 14
PLOT: Final = 120
STEPS: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300)
"""Seconds between two marks of the time axis: the first that gives at most a dozen."""

FULL: Final = "the disk is full"

Span = tuple[float, float]


class Timeline:
    """Draws the entries of a history; `full` are the times at which the disk was full, or what `names` says of each
    was wrong for everybody."""

    def __init__(self, entries: Sequence[AnyEntry], full: Sequence[Span], names: Sequence[str] = ()) -> None:
        self._entries = entries
        self._full = full
        self._names = names or [FULL] * len(full)
        self._begin = entries[0].at if entries else 0.0
        self._end = entries[-1].at if entries else 1.0
        self._slots = sorted({_slot(entry.process) for entry in entries if isinstance(entry, Spawned)})
        self._floor = len(self._slots) * ROW + 16 + PLOT

    def svg(self) -> str:
        """The drawing."""
        parts = [*self._shades(), *self._axis(), *self._rows(), *self._rates()]
        size = f'viewBox="0 0 {WIDTH} {self._floor + 24}" width="100%"'
        return f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">{"".join(parts)}</svg>'

    def _x(self, at: float) -> float:
        share = (at - self._begin) / max(1e-9, self._end - self._begin)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def _y(self, process: str) -> int:
        return self._slots.index(_slot(process)) * ROW + 4

    # -- parts -------------------------------------------------------------------------------------

    def _shades(self) -> Iterator[str]:
        """What concerns everybody: a full disk, and the calm at the end."""
        spans = [("full", name, span) for name, span in zip(self._names, self._full, strict=True)]
        calm = next((entry.at for entry in self._entries if isinstance(entry, Calm)), None)
        if calm is not None:
            spans.append(("calm", "calm", (calm, self._end)))
        for style, title, (begin, end) in spans:
            yield self._box(style, begin, end, 0, self._floor, title)

    def _axis(self) -> Iterator[str]:
        length = self._end - self._begin
        step = next((step for step in STEPS if length / step <= 12), STEPS[-1])
        for second in range(0, int(length) + 1, step):
            x = self._x(self._begin + second)
            yield f'<line class="grid" x1="{x}" x2="{x}" y1="0" y2="{self._floor}"/>'
            yield f'<text x="{x}" y="{self._floor + 14}" text-anchor="middle">{second} s</text>'

    def _rows(self) -> Iterator[str]:
        """A row for each place, with a bar for each process that was there."""
        for slot in self._slots:
            yield f'<text x="4" y="{self._slots.index(slot) * ROW + 15}">{escape(slot)}</text>'
        begun: dict[str, float] = {}
        for entry in self._entries:
            match entry:
                case Spawned():
                    begun[entry.process] = entry.at
                case Killed():
                    yield self._bar("life", entry.process, begun.pop(entry.process, entry.at), entry.at)
                    yield self._mark("killed", entry.process, entry.at, f"killed: {entry.during or 'at any time'}")
                case Stopped():
                    yield self._bar("life", entry.process, begun.pop(entry.process, entry.at), entry.at)
                    yield self._mark("stopped", entry.process, entry.at, f"exit code {entry.code}")
                case _:
                    pass
        yield from self._overlays()

    def _overlays(self) -> Iterator[str]:
        """Times at which a process was frozen, blocked or stopping."""
        open: dict[tuple[str, str], float] = {}
        ended: list[tuple[str, str, Span]] = []
        for entry in self._entries:
            match entry:
                case Paused():
                    open["blocked" if entry.loop_only else "frozen", entry.process] = entry.at
                case Stopping():
                    open["stopping", entry.process] = entry.at
                case Resumed() | Killed() | Stopped():
                    mine = [key for key in open if key[1] == entry.process]
                    ended += [(*key, (open.pop(key), entry.at)) for key in mine]
                case _:
                    pass
        for style, process, (begin, end) in ended:
            yield self._bar(style, process, begin, end)

    def _rates(self) -> Iterator[str]:
        """Handlers that started, and that returned, in each second."""
        lines = {
            "started": _per_second(self._entries, self._begin, lambda entry: isinstance(entry, Started)),
            "returned": _per_second(
                self._entries, self._begin, lambda entry: isinstance(entry, Ended) and entry.how == "returned"
            ),
        }
        most = max((max(counts.values(), default=1) for counts in lines.values()), default=1)
        for level in (0, most // 2, most):
            y = self._floor - PLOT * level / most
            yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{LEFT - 4}" y="{y + 4:.1f}" text-anchor="end">{level}</text>'
        for style, counts in lines.items():
            points = " ".join(
                f"{self._x(self._begin + second + 0.5)},{self._floor - PLOT * counts[second] / most:.1f}"
                for second in range(int(self._end - self._begin))
            )
            yield f'<polyline class="{style}" points="{points}"><title>{style} per second</title></polyline>'

    # -- shapes ------------------------------------------------------------------------------------

    def _bar(self, style: str, process: str, begin: float, end: float) -> str:
        title = f"{process}: {style}, {end - begin:.1f} s"
        return self._box(style, begin, end, self._y(process), BAR, title)

    def _box(self, style: str, begin: float, end: float, y: int, height: int, title: str) -> str:
        x, width = self._x(begin), max(1.0, self._x(end) - self._x(begin))
        place = f'x="{x}" y="{y}" width="{width:.1f}" height="{height}"'
        return f'<rect class="{style}" {place}><title>{escape(title)}</title></rect>'

    def _mark(self, style: str, process: str, at: float, title: str) -> str:
        x, y = self._x(at), self._y(process)
        told = f"<title>{escape(f'{process}: {title}')}</title>"
        return f'<path class="{style}" d="M{x - 4} {y - 2}l8 {BAR + 4}m-8 0l8 -{BAR + 4}">{told}</path>'


def _slot(process: str) -> str:
    return process.partition(".")[0]


def _per_second(entries: Sequence[AnyEntry], begin: float, counts: Callable[[AnyEntry], bool]) -> Counter[int]:
    return Counter(int(entry.at - begin) for entry in entries if counts(entry))
