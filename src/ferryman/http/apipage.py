"""The OpenAPI document as a page to read: plain HTML, which needs no script and nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from html import escape
from typing import Any, Final

Json = dict[str, Any]

STYLE: Final = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --link: light-dark(#0550ae, #79c0ff) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem }
a { color: var(--link) }
code, pre, .path { font-family: ui-monospace, monospace; font-size: .9em }
pre { background: var(--soft); padding: .75rem; overflow-x: auto; border-radius: 4px }
details { border: 1px solid var(--line); border-radius: 4px; margin: .5rem 0; padding: 0 .75rem }
summary { cursor: pointer; padding: .5rem 0 }
.method { display: inline-block; min-width: 4.5rem; font-weight: 700 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-top: 1px solid var(--line) }
"""
POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-"
    + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    + "'"
)
"""The Content-Security-Policy of the page: its own style, and nothing else."""


def page(document: Json) -> str:
    """The page for a document of `openapi.document`."""
    info = document["info"]
    title = escape(f"{info['title']} {info['version']}")
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: the HTTP API</title>',
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head><body>',
        f"<h1>{title}: the HTTP API</h1>",
        '<p>This page is made of <a href="openapi.json">openapi.json</a>, an OpenAPI 3.1 document.</p>',
        *_groups(document),
        "<h2>Forms</h2>",
        *(_form(name, schema) for name, schema in sorted(document["components"]["schemas"].items())),
        "</body></html>",
    ]
    return "\n".join(parts)


def _groups(document: Json) -> Iterator[str]:
    tag = ""
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            if told["tags"] != [tag]:
                [tag] = told["tags"]
                yield f"<h2>{escape(tag)}</h2>"
            yield _operation(method, path, told)


def _operation(method: str, path: str, told: Json) -> str:
    parts = [
        f'<details id="{escape(told["operationId"])}"><summary><span class="method">{method.upper()}</span>',
        f' <span class="path">{escape(path)}</span> {escape(told["summary"])}</summary>',
    ]
    if "description" in told:
        parts.append(f"<p>{escape(told['description'])}</p>")
    if told["parameters"]:
        rows = [(each["name"], each["schema"], each["in"], each["required"]) for each in told["parameters"]]
        parts.append(_table(rows))
    if "requestBody" in told:
        for media, content in told["requestBody"]["content"].items():
            parts.append(f"<p>Takes <code>{escape(media)}</code>: {_in_words(content['schema'])}</p>")
    parts.append("<table><tr><th>Answer</th><th></th><th></th></tr>")
    parts += [_answer(status, answer) for status, answer in told["responses"].items()]
    parts.append("</table></details>")
    return "".join(parts)


def _answer(status: str, answer: Json) -> str:
    forms = {media: _in_words(content["schema"]) for media, content in answer.get("content", {}).items()}
    said = "<br>".join(f"<code>{escape(media)}</code>: {form}" for media, form in forms.items())
    return f"<tr><td>{status}</td><td>{escape(answer['description'])}</td><td>{said}</td></tr>"


def _form(name: str, schema: Json) -> str:
    needed = schema.get("required", ())
    rows = [(member, each, "", member in needed) for member, each in schema.get("properties", {}).items()]
    told = f"<p>{escape(schema.get('description', ''))}</p>"
    body = _table(rows) if rows else f"<p>{_in_words(schema)}</p>"
    return f'<details id="{escape(name)}"><summary>{escape(name)}</summary>{told}{body}</details>'


def _table(rows: list[tuple[str, Json, str, bool]]) -> str:
    lines = ["<table><tr><th>Name</th><th>Is</th><th></th></tr>"]
    for name, schema, place, needed in rows:
        notes = [place] if place else []
        notes += ["required"] if needed else _default(schema)
        about = escape(schema.get("description", ""))
        lines.append(
            f"<tr><td><code>{escape(name)}</code></td><td>{_in_words(schema)} {about}</td>"
            f"<td>{escape(', '.join(notes))}</td></tr>"
        )
    return "".join([*lines, "</table>"])


def _default(schema: Json) -> list[str]:
    return [f"default {json.dumps(schema['default'])}"] if schema.get("default") is not None else []


def _in_words(schema: Json) -> str:
    """What a value is, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_in_words(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"<code>{escape(json.dumps(each))}</code>" for each in schema["enum"])
    if schema.get("type") == "array":
        return f"a list of {_in_words(schema.get('items', {}))}"
    kind = escape(schema.get("format") or schema.get("type", "any JSON"))
    bounds = [
        f"{sign} {schema[bound]:g}"
        for bound, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"))
        if bound in schema
    ]
    return " ".join([kind, escape(", ".join(bounds))]).strip()
