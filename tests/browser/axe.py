"""axe-core in a page: what keeps people out who hear it, or see it badly."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

from playwright.sync_api import Page

GRAVE: Final = frozenset({"serious", "critical"})
RUN: Final = """async () => {
  const found = await axe.run(document, {
    resultTypes: ["violations"],
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  });
  return found.violations.map(({ id, impact, help, nodes }) => ({
    id, impact, help, nodes: nodes.map((node) => [node.target.join(" "), node.html.slice(0, 200), node.failureSummary]),
  }));
}"""


def source() -> str:
    """The script, as the package axe-playwright-python has it."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


def grave(page: Page) -> list[str]:
    """What is serious or critical, a line for each place in the page."""
    # in a page with a strict policy only the debugger may say what is run
    session = page.context.new_cdp_session(page)
    try:
        session.send("Runtime.evaluate", {"expression": f"{source()}\n;0", "allowUnsafeEvalBlockedByCSP": True})
        asked = {"expression": f"({RUN})()", "awaitPromise": True, "returnByValue": True}
        answer = session.send("Runtime.evaluate", asked)
    finally:
        session.detach()
    if "exceptionDetails" in answer:
        raise RuntimeError(f"axe failed: {answer['exceptionDetails']}")
    found: list[dict[str, Any]] = answer["result"]["value"]
    return [
        f"{each['impact']}: {each['help']} ({each['id']}): {' | '.join(str(part) for part in place)}"
        for each in found
        if each["impact"] in GRAVE
        for place in each["nodes"]
    ]
