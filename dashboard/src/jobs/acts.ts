/** What can be done to jobs, and to which. */

import { part, patch, post, remove } from "../api";
import { many } from "../format";
import { pulse, type Status } from "../live";
import type { Action, Change, DryRun, Operation } from "../shapes/operation";
import { say } from "../ui/toast";

interface Act {
  name: string;
  done: string;
  key: string;
  of: readonly Status[];
}

export const ACTS: Record<Action, Act> = {
  retry: { name: "Retry", done: "retried", key: "r", of: ["failed", "cancelled"] },
  cancel: { name: "Cancel", done: "cancelled", key: "c", of: ["waiting", "scheduled", "pending", "processing"] },
  change: { name: "Change", done: "changed", key: "", of: ["pending", "scheduled"] },
  delete: { name: "Delete", done: "deleted", key: "", of: ["completed", "failed", "cancelled"] },
};
export const ACTIONS = Object.keys(ACTS) as Action[];

/** A few jobs, or all that a filter means. */
export type Target = { ids: readonly string[] } | { filter: string; status: Status | null };

/** Do it to each of a few jobs. Raises the first Problem once all were tried. */
export async function each(action: Action, ids: readonly string[], change?: Change): Promise<void> {
  const ends = await Promise.allSettled(ids.map((id) => one(action, `jobs/${part(id)}`, change)));
  const wrong = ends.filter((end) => end.status === "rejected");
  if (wrong.length < ids.length) say(`${many(ids.length - wrong.length, "job")} ${ACTS[action].done}.`);
  if (wrong[0]) throw wrong[0].reason;
}

async function one(action: Action, path: string, change?: Change): Promise<unknown> {
  if (action === "delete") return remove(path);
  return action === "change" ? patch(path, change) : post(`${path}/${action}`);
}

/** Start an operation on all jobs that a filter means. */
export function start(action: Action, filter: string, change?: Change, rate?: string): Promise<Operation> {
  return post("operations", { action, filter, change, rate: rate ? Number(rate) || rate : undefined });
}

/** How many jobs are meant. The server looks at 50,000 at most; how many have a status is heard all the time. */
export async function howMany(action: Action, filter: string, status: Status | null): Promise<DryRun> {
  const change = action === "change" ? { priority: 5 } : undefined; // has to be there, and is not done
  const told = await post<DryRun>("operations", { action, filter, dry_run: true, change });
  const counts = pulse.peek()?.counts;
  const known = status && filter === `status:${status}` && counts;
  return known && !told.complete ? { count: counts[status], complete: true } : told;
}
