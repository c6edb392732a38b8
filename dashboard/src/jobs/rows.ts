/** A page of jobs, kept up to date in place while one looks at it. */

import { useRef } from "preact/hooks";
import { get, list, type Page, Problem, part } from "../api";
import { type Load, useLoad, wanted } from "../load";
import type { Job } from "../shapes/job";
import { ENDED, merge } from "./merge";
import type { Wish } from "./wish";

export const LIMIT = 50;
/** Jobs that are asked for by themselves in one go. */
const ALONE = 10;
/** Where so many had to be read for a page, it is not read again by itself. */
const HEAVY = 2_000;

export interface Rows {
  rows: Job[];
  news: number;
  /** Shown, and deleted meanwhile. */
  gone: ReadonlySet<string>;
  /** After which job the next page begins, and before which the one before ends; null where there is none. */
  next: string | null;
  previous: string | null;
  scanned: number | null;
  complete: boolean;
}

interface Kept {
  key: string;
  /** Which of the wishes to look again was followed. */
  told: number;
  turn: number;
  settled: Set<string>;
  rows: Rows;
}

export interface RowsLoad extends Load<Rows> {
  /** Show what there is now. */
  renew: () => void;
}

export function useRows(wish: Wish, key: string): RowsLoad {
  const kept = useRef<Kept | null>(null);
  const load = useLoad(
    async (signal) => {
      const before = kept.current;
      const told = wanted.peek();
      const known = before?.key === key && before.told === told;
      const now = known
        ? await keepUp(before, wish, signal)
        : { key, told, turn: 0, settled: new Set<string>(), rows: await look(wish, signal) };
      if (!signal.aborted) kept.current = now;
      return now.rows;
    },
    [key],
    { live: 1000 },
  );
  const renew = () => {
    kept.current = null;
    load.again();
  };
  return { ...load, renew };
}

async function look(wish: Wish, signal: AbortSignal): Promise<Rows> {
  const { status, filter, before, after } = wish;
  const back = before !== null;
  const order = wish.oldest === back ? "desc" : "asc";
  const page: Page<Job> = await list(
    "jobs",
    { status, filter, order, limit: LIMIT, cursor: before ?? after, bodies: "false" },
    signal,
  );
  const on = page.next && new URLSearchParams(page.next.split("?")[1]).get("cursor");
  const rows = back ? page.rows.toReversed() : page.rows;
  const first = rows[0]?.id ?? null;
  return {
    rows,
    news: 0,
    gone: new Set(),
    next: back ? (rows.at(-1)?.id ?? null) : on,
    previous: (back ? on : after) && first,
    scanned: page.scanned,
    complete: page.complete,
  };
}

async function keepUp(kept: Kept, wish: Wish, signal: AbortSignal): Promise<Kept> {
  const { rows: shown, settled } = kept;
  const heavy = (shown.scanned ?? 0) > HEAVY;
  const heard = heavy ? { ...shown, rows: [] } : await look(wish, signal);
  if (!shown.rows.length) return { ...kept, rows: heavy ? shown : heard };
  const last = heard.rows.at(-1)?.id;
  const reach = (id: string) =>
    !heavy && (heard.next === null || (last !== undefined && (wish.oldest ? id < last : id > last)));
  const { rows, news, missed } = merge(shown.rows, heard.rows, reach, settled);
  const from = kept.turn % Math.max(1, missed.length);
  const gone = new Set(shown.gone);
  const asked = [...missed.slice(from), ...missed.slice(0, from)].slice(0, ALONE);
  const found = new Map(await Promise.all(asked.map(async (id) => [id, await alone(id, signal)] as const)));
  for (const [id, job] of found) {
    if (!job) gone.add(id);
    if (!job || ENDED.includes(job.status)) settled.add(id);
  }
  const brought = rows.map((job) => found.get(job.id) ?? job);
  return { ...kept, turn: kept.turn + ALONE, rows: { ...heard, rows: brought, news, gone } };
}

/** A job; null where it was deleted. */
async function alone(id: string, signal: AbortSignal): Promise<Job | null> {
  try {
    return await get<Job>(`jobs/${part(id)}`, {}, signal);
  } catch (error) {
    if (error instanceof Problem && error.status === 404) return null;
    throw error;
  }
}
