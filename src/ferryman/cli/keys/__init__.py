"""`ferryman keys`: look at the keys of jobs, and change what their gates keep to."""

from __future__ import annotations

from ferryman.cli.group import LazyGroup

COMMANDS = {
    "ls": ("ferryman.cli.keys.look:ls", "List the keys in use."),
    "show": ("ferryman.cli.keys.look:show", "Show one key."),
    "set": ("ferryman.cli.keys.change:set_", "Pin what the gate of a key keeps to, or unpin it."),
    "pause": ("ferryman.cli.keys.change:pause", "Let no more jobs of a key in."),
    "resume": ("ferryman.cli.keys.change:resume", "Let jobs of a key in again."),
    "pass": ("ferryman.cli.keys.change:let_pass", "Let a sequence go on without its failed job."),
}

keys = LazyGroup("keys", commands_at=COMMANDS, help="Look at the keys of jobs, and change what their gates keep to.")
