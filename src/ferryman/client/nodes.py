"""Nodes by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from ferryman.domain.errors import NodeNotFound
from ferryman.domain.suggest import did_you_mean
from ferryman.store.protocol import NodeStatus


def named(nodes: Sequence[NodeStatus], ids: Sequence[str]) -> Sequence[NodeStatus]:
    """Those with the ids, or all of them. Raises NodeNotFound."""
    known = {each.id: each for each in nodes}
    for id in ids:
        if id not in known:
            raise NodeNotFound(
                f"There is no node {id!a}.",
                why=did_you_mean(id, known) or "It never was, or ended more than an hour ago.",
                hint="`ferryman nodes` lists them.",
            )
    return [known[id] for id in dict.fromkeys(ids)] if ids else nodes
