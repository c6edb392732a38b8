"""`ferryman schedules`: have jobs enqueued by the clock."""

from __future__ import annotations

from ferryman.cli.group import LazyGroup

COMMANDS = {
    "ls": ("ferryman.cli.schedules.look:ls", "List schedules, and when each fires next."),
    "show": ("ferryman.cli.schedules.look:show", "Show everything about a schedule, with its next five runs."),
    "add": ("ferryman.cli.schedules.add:add", "Add a schedule, or change the one of its name."),
    "pause": ("ferryman.cli.schedules.change:pause", "Have a schedule fire no more, until it is resumed."),
    "resume": ("ferryman.cli.schedules.change:resume", "Have a paused schedule fire again, from now on."),
    "run": ("ferryman.cli.schedules.change:run", "Hand a schedule's job in now, outside of its ticks."),
    "rm": ("ferryman.cli.schedules.change:rm", "Drop a schedule. The jobs that it made stay."),
}

schedules = LazyGroup(
    "schedules",
    commands_at=COMMANDS,
    help="""Have jobs enqueued by the clock, without a change of code.

    What code declares by @app.cron is listed here, too, and can be paused, run, and changed until the code changes.
    """,
)
