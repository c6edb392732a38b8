"""`ferryman operations`: have nodes change every job that a filter means."""

from __future__ import annotations

from ferryman.cli.group import LazyGroup

COMMANDS = {
    "add": ("ferryman.cli.operations.add:add", "Start one: retry, cancel, delete or change every job that fits."),
    "ls": ("ferryman.cli.operations.look:ls", "List operations, and how far each is."),
    "show": ("ferryman.cli.operations.look:show", "Show an operation."),
    "cancel": ("ferryman.cli.operations.cancel:cancel", "Stop an operation; what it has changed stays changed."),
}

operations = LazyGroup(
    "operations",
    commands_at=COMMANDS,
    help="""Have nodes change every job that a filter means, however many they are.

    A command that changes jobs by a filter does so itself, and ends with its terminal. An operation is carried out by
    the nodes, a portion at a time, tells how far it is, and can be stopped.
    """,
)
