/** Which jobs are marked, and what is about to be done to them. */

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Job } from "../shapes/job";
import type { Action, Operation } from "../shapes/operation";
import { say } from "../ui/toast";
import { ACTS, each, type Target } from "./acts";
import { meant, type Wish } from "./wish";

/** @param changed is told what was done to some jobs */
export function useMarks(wish: Wish, key: string, rows: readonly Job[], changed: (action: Action) => void) {
  const marked = useSignal<ReadonlySet<string>>(new Set());
  const all = useSignal(false);
  const at = useSignal<string | null>(null);
  const asked = useSignal<{ action: Action; target: Target } | null>(null);
  const started = useSignal<{ id: string; of: number | null } | null>(null);
  const clear = () => {
    marked.value = new Set();
    all.value = false;
  };
  useEffect(clear, [key]);
  const done = (action: Action) => {
    clear();
    changed(action);
  };
  /** Do it to what is marked, or else to the job at which one is; where it is not easily undone, ask first. */
  const act = async (action: Action) => {
    const { of, done: said } = ACTS[action];
    const chosen = marked.value.size
      ? rows.filter((row) => marked.value.has(row.id))
      : rows.filter((row) => row.id === at.value);
    const ids = chosen.filter((row) => of.includes(row.status)).map((row) => row.id);
    if (all.value ? wish.status && !of.includes(wish.status) : !ids.length)
      say(`There is nothing marked that can be ${said}.`);
    else if (all.value) asked.value = { action, target: { filter: meant(wish), status: wish.status } };
    else if (action === "retry") await each(action, ids).finally(() => done(action));
    else asked.value = { action, target: { ids } };
  };
  /** What was asked for was done; or it was started, on so many jobs as far as that is known. */
  const answered = (action: Action, operation: Operation | null, of: number | null) => {
    if (operation) started.value = { id: operation.id, of };
    done(action);
  };
  return { marked, all, at, asked, started, act, answered };
}
