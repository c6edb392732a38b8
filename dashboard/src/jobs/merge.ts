/** Rows that stay where they are while jobs come, change and go. */

import type { Job } from "../shapes/job";

export const ENDED: readonly string[] = ["completed", "failed", "cancelled"];

export interface Merged {
  rows: Job[];
  /** How many jobs fit now and are not shown. */
  news: number;
  /** Those of which the list tells no more and that may have changed: one has to ask for them by themselves. */
  missed: string[];
}

/**
 * What is shown, with what was heard of it just now.
 *
 * @param reach whether the list reaches as far as to a job, so that it is not there because it fits no more
 * @param settled ids that were asked for by themselves, and have ended
 */
export function merge(
  shown: readonly Job[],
  heard: readonly Job[],
  reach: (id: string) => boolean,
  settled: ReadonlySet<string>,
): Merged {
  const fresh = new Map(heard.map((job) => [job.id, job]));
  const rows = shown.map((job) => fresh.get(job.id) ?? job);
  const missed = shown.filter(
    ({ id, status }) => !fresh.has(id) && !settled.has(id) && (!ENDED.includes(status) || reach(id)),
  );
  for (const job of shown) fresh.delete(job.id);
  return { rows, news: fresh.size, missed: missed.map((job) => job.id) };
}
