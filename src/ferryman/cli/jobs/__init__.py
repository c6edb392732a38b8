"""`ferryman jobs`: look at jobs, and change them."""

from __future__ import annotations

from ferryman.cli.group import LazyGroup

COMMANDS = {
    "ls": ("ferryman.cli.jobs.ls:ls", "List jobs, the newest first."),
    "show": ("ferryman.cli.jobs.show:show", "Show everything about a job, with each of its attempts."),
    "logs": ("ferryman.cli.jobs.logs:logs", "Show what the runs of a job have logged."),
    "explain": ("ferryman.cli.jobs.explain:explain", "Say why a job has not started."),
    "cancel": ("ferryman.cli.jobs.change:cancel", "Cancel jobs, by id or by what they have in common."),
    "retry": ("ferryman.cli.jobs.retry:retry", "Send failed or cancelled jobs back, at once or at a rate."),
    "reprioritise": ("ferryman.cli.jobs.place:reprioritise", "Give jobs that wait another priority."),
    "reschedule": ("ferryman.cli.jobs.place:reschedule", "Give jobs that wait another time."),
    "move": ("ferryman.cli.jobs.place:move", "Put jobs that wait into another queue."),
    "purge": ("ferryman.cli.jobs.purge:purge", "Cancel every job that waits in a queue."),
    "delete": ("ferryman.cli.jobs.delete:delete", "Delete jobs that have ended."),
    "tail": ("ferryman.cli.jobs.tail:tail", "Print jobs as they change, until Ctrl-C."),
}

jobs = LazyGroup("jobs", commands_at=COMMANDS, help="Look at jobs, and change them.")
