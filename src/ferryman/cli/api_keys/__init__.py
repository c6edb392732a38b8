"""`ferryman api-keys`: who may use the HTTP API."""

from __future__ import annotations

from ferryman.cli.group import LazyGroup

COMMANDS = {
    "add": ("ferryman.cli.api_keys.change:add", "Make an API key, and print it: it is shown only now."),
    "ls": ("ferryman.cli.api_keys.look:ls", "List the API keys: who may do what, until when, used when."),
    "rotate": ("ferryman.cli.api_keys.change:rotate", "Make the key that follows one, which goes on for a while."),
    "revoke": ("ferryman.cli.api_keys.change:revoke", "End the API keys of a name."),
}

api_keys = LazyGroup(
    "api-keys",
    commands_at=COMMANDS,
    help="""Say who may use the HTTP API.

    As soon as there is one API key, every request has to show one. Running nodes follow within a second.
    """,
)
