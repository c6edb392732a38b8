"""The report of a campaign: one page of HTML that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from ferryman.testing.history.entries import AnyEntry
from tests.chaos.timeline import FULL, Span, Timeline

STYLE: Final = """
body { font: 14px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem; color: #1c2530 }
h1 { font-size: 1.4rem; margin-bottom: .2rem } h2 { font-size: 1.05rem; margin-top: 1.6rem }
table { border-collapse: collapse } td { padding: .15rem 1.2rem .15rem 0; vertical-align: top }
td + td { font-variant-numeric: tabular-nums } .columns { display: flex; gap: 3rem; flex-wrap: wrap }
.good { color: #146c43 } .bad { color: #b02a37 } li { margin: .2rem 0; overflow-wrap: anywhere }
svg text { font-size: 11px; fill: #57606a } .grid { stroke: #d8dee4; stroke-width: .6 }
.full { fill: #f6c344; opacity: .35 } .calm { fill: #2da44e; opacity: .1 }
.life { fill: #9db8d9 } .frozen { fill: #3b4a5a } .blocked { fill: #a371f7 } .stopping { fill: #e3b341 }
.killed { stroke: #b02a37; stroke-width: 1.8 } .stopped { stroke: #57606a; stroke-width: 1.8 }
.started { fill: none; stroke: #3576b8; stroke-width: 1.4 } .returned { fill: none; stroke: #2da44e; stroke-width: 1.4 }
.key svg { width: 14px; height: 12px; vertical-align: -1px; margin-left: 1rem }
"""
KEY: Final = (
    ("life", "a process"),
    ("frozen", "frozen (SIGSTOP)"),
    ("blocked", "its event loop is blocked"),
    ("stopping", "stopping (SIGTERM)"),
    ("full", FULL),
    ("calm", "calm"),
)

GROUPS: Final = ("deaths", "stops", "recoveries", "rescuers", "answers", "sometimes")
"""Figures that have a table of their own."""


def page(
    told: Mapping[str, Any],
    entries: Sequence[AnyEntry],
    full: Sequence[Span],
    faults: Sequence[str],
    names: Sequence[str] = (),
) -> str:
    """The page: `told` has the figures, `faults` what was wrong; `full` and `names` as `Timeline` has them."""
    verdict = f'<p class="bad">{len(faults)} faults</p>' if faults else '<p class="good">Every promise was kept.</p>'
    listed = "".join(f"<li>{escape(fault)}</li>" for fault in faults)
    words = ("commit", "store", "seed", "duration")
    what = ", ".join(f"{word} {told[word]}" for word in words)
    broken = f", with a broken {', '.join(told['broken'])}" if told["broken"] else ""
    plain = {name: value for name, value in told.items() if not isinstance(value, dict | list) and name not in words}
    groups = [("Figures", plain), *((name, told[name]) for name in GROUPS if name in told)]
    tables = "".join(_table(name, rows) for name, rows in groups)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Ferryman: chaos</title><style>{STYLE}</style>'
        f"<h1>Ferryman: chaos with real processes</h1><p>{escape(what + broken)}</p>{verdict}<ul>{listed}</ul>"
        f"<h2>What happened</h2>{Timeline(entries, full, names).svg()}{_key('trouble' if names else FULL)}"
        f'<div class="columns">{tables}</div></html>\n'
    )


def _table(name: str, rows: Mapping[str, Any]) -> str:
    cells = "".join(f"<tr><td>{escape(_words(key))}</td><td>{_value(value)}</td></tr>" for key, value in rows.items())
    return f"<div><h2>{escape(name.capitalize())}</h2><table>{cells}</table></div>"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _value(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{_words(str(name))} {_value(each)}" for name, each in value.items())
    return "-" if value is None else escape(f"{value:,}" if isinstance(value, int | float) else str(value))


def _key(shade: str) -> str:
    words = {**dict(KEY), "full": shade}
    boxes = "".join(f'<svg><rect class="{style}" width="14" height="12"/></svg> {words[style]}' for style in words)
    cross = '<svg><path class="killed" d="M2 1l9 10m-9 0l9 -10"/></svg> killed'
    lines = "".join(
        f'<svg><path class="{style}" d="M0 6h14"/></svg> handlers {style}, per second'
        for style in ("started", "returned")
    )
    return f'<p class="key">{boxes}{cross}{lines}</p>'
