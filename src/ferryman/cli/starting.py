"""What `serve` and `work` have in common: from a TARGET and flags to a running process."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ferryman.app import Ferryman
from ferryman.cli.options import arguments, given
from ferryman.cli.target import load_target
from ferryman.cli.upgrading import upgrade_of
from ferryman.cli.world import World
from ferryman.program import run
from ferryman.settings import Settings, load
from ferryman.store.factory import MEMORY
from ferryman.supervise.role import Role


def start(
    world: World,
    target: str | None,
    flags: Mapping[str, Any],
    *,
    http: bool,
    report_to: int | None = None,
    migrate: bool = False,
) -> int:
    """Run the jobs of TARGET until a signal; gives the exit code. With `migrate` the database is brought up to date.

    Raises:
        SettingsError, StoreError, PortInUse: as `run`, and what is wrong with the target.
    """
    app = load_target(target, world.folder)
    loaded = load(given(flags), world.environ, world.folder, app.overrides)
    if migrate and loaded.settings.database_url != MEMORY:
        upgrade_of(world, loaded.settings).apply()
    role = Role(http=http, command=node_command(target, flags), report_to=report_to)
    return (world.run or _run)(loaded.settings, app, role)


def node_command(target: str | None, flags: Mapping[str, Any]) -> tuple[str, ...]:
    """What a supervisor starts: `work` with the same target and flags, as one node.

    The environment and the files that settings come from are the same for the child.
    """
    passed = arguments({field: value for field, value in given(flags).items() if field != "processes"})
    place = () if target is None else (target,)
    return (sys.executable, "-m", "ferryman", "work", *place, *passed, "--processes=0")


def _run(settings: Settings, app: Ferryman, role: Role) -> int:
    app.configure(settings)
    return run(settings, app.registry, role, attach=app.attach)
