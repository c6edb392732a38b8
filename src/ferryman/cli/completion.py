"""`ferryman completion`: the script by which a shell completes commands and options."""

from __future__ import annotations

from typing import Final

import click
from click.shell_completion import get_completion_class

from ferryman.cli.words import one_of

SHELLS: Final = ("bash", "zsh", "fish")
PROGRAM: Final = "ferryman"
VARIABLE: Final = "_FERRYMAN_COMPLETE"


@click.command()
@click.argument("shell", type=one_of(SHELLS))
@click.pass_context
def completion(ctx: click.Context, /, shell: str) -> None:
    """Print the script that completes commands and options in SHELL: bash, zsh or fish.

    Put it where the shell reads it at its start:

    \b
      bash  ferryman completion bash > ~/.local/share/bash-completion/completions/ferryman
      zsh   ferryman completion zsh > ~/.zfunc/_ferryman
            (with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc)
      fish  ferryman completion fish > ~/.config/fish/completions/ferryman.fish

    To try it in the present shell only: eval "$(ferryman completion bash)"
    """
    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    click.echo(made.source_template % made.source_vars())
