/** Statistics as charts take them. */

import { useMemo } from "preact/hooks";
import { get } from "./api";
import { type Load, useLoad } from "./load";
import type { Numbers, Series, Stats } from "./shapes/stats";
import { periodOf, type Window } from "./ui/chart";

const REFRESH_MS = 15_000;

/** What happened in a window that ends now; `query` says of which jobs, and what has a line of its own. */
export function useStats(window: Window, query: Record<string, string> = {}): Load<Stats> {
  const load = (signal: AbortSignal) => get<Stats>("stats", { ...periodOf(window), by: "none", ...query }, signal);
  return useLoad(load, [window, JSON.stringify(query)], { live: REFRESH_MS, every: 4 * REFRESH_MS });
}

/** When each step begins, in seconds since 1970. */
export function useTimes(stats: Stats | undefined): number[] {
  return useMemo(() => (stats?.at ?? []).map((at) => Date.parse(at) / 1000), [stats]);
}

/** How often something happened in each second of a step. */
export function perSecond(numbers: Numbers | undefined, stats: Stats): Numbers {
  return (numbers ?? stats.at.map(() => null)).map((n) => (n === null ? null : n / stats.step));
}

/** How often it happened in all. */
export function total(numbers: Numbers): number {
  return numbers.reduce<number>((sum, n) => sum + (n ?? 0), 0);
}

/** The share of runs that failed; null where none ended. */
export function failureRate(series: Series): number | null {
  const ended = total(series.completed) + total(series.failed) + total(series.retried);
  return ended ? (total(series.failed) + total(series.retried)) / ended : null;
}

/** The latest that is known. */
export function latest(numbers: Numbers): number | null {
  return numbers.findLast((n) => n !== null) ?? null;
}

const LATELY = 5;

/** How many ended a second in the last steps; null where nothing is known of them. */
export function endedLately(series: Series | undefined, step: number): number | null {
  const known = series?.completed.slice(-LATELY).filter((n) => n !== null).length ?? 0;
  return series && known
    ? (total(series.completed.slice(-LATELY)) + total(series.failed.slice(-LATELY))) / (known * step)
    : null;
}
