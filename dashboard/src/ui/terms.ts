/** Parts of payloads as terms of a filter (docs/filters.md). */

import { Exact } from "../api";

const LONGEST = 500; // a filter, and the address that has it, are bounded

/** `payload.user.id:42`; null where no term means this value. */
export function term(path: readonly string[], value: unknown): string | null {
  const said =
    value instanceof Exact ? value.text : value !== null && typeof value === "object" ? "" : JSON.stringify(value);
  if (!said || said.length > LONGEST) return null;
  return `${path.map((name) => (/^[^\s,".:]+$/.test(name) ? name : JSON.stringify(name))).join(".")}:${said}`;
}
