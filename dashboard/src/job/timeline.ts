/** What a job did when: waits, runs and backoffs between its beginning and now, and how long each is drawn. */

import { millis } from "../format";
import type { Status } from "../live";
import { type Attempt, hasEnded, type Job } from "../shapes/job";

export interface Bar {
  status: Status;
  /** What it is in words. */
  name: string;
  /** Milliseconds since 1970. */
  from: number;
  to: number;
}

export interface Row {
  bars: Bar[];
  /** null is what happens just now. */
  attempt: Attempt | null;
}

const ENDS: Partial<Record<Attempt["what"], Status>> = { done: "completed", failed: "failed", cancelled: "cancelled", lost: "failed" };

/** A row for each ended run, oldest first, and one for what is under way. */
export function rowsOf(job: Job, attempts: readonly Attempt[], now: number): Row[] {
  let at = millis(job.created_at);
  let before: Attempt | undefined;
  const until = (to: number): Bar[] => {
    if (before && hasEnded(before)) return [{ status: "cancelled", name: "Rest", from: at, to }];
    const due = !before ? Math.min(millis(job.run_at ?? job.created_at), to) : before.status === "scheduled" ? to : at;
    const bars: Bar[] = [
      { status: "scheduled", name: before ? "Backoff" : "Scheduled", from: at, to: due },
      { status: "pending", name: "Wait", from: Math.max(at, due), to },
    ];
    return bars.filter((bar) => bar.to > bar.from);
  };
  const rows = attempts.map((attempt): Row => {
    const end = millis(attempt.finished_at);
    const start = attempt.started_at === null ? end : millis(attempt.started_at);
    const bars = until(start);
    if (attempt.started_at !== null) bars.push({ status: ENDS[attempt.what] ?? "processing", name: "Run", from: start, to: Math.max(start, end) });
    at = end;
    before = attempt;
    return { bars, attempt };
  });
  if (job.status === "processing") {
    const start = millis(job.started_at ?? job.created_at);
    rows.push({ bars: [...until(start), { status: "processing", name: "Run", from: start, to: Math.max(now, start) }], attempt: null });
  } else if (job.status === "scheduled") {
    const due = Math.max(millis(job.run_at ?? job.created_at), at);
    rows.push({ bars: [{ status: "scheduled", name: before ? "Backoff" : "Scheduled", from: at, to: due }], attempt: null });
  } else if (job.status === "pending" || job.status === "waiting") {
    rows.push({ bars: [{ status: job.status, name: "Wait", from: at, to: Math.max(now, at) }], attempt: null });
  }
  return rows;
}

const FAR = 100;

export interface Scale {
  /** Where each bar of each row begins and how long it is, in hundredths of the whole. */
  bars: { left: number; width: number }[][];
  /** Whether lengths are logarithms: else short runs could not be seen between long waits. */
  squeezed: boolean;
}

/** Bars one after the other, drawn to one scale. */
export function scaled(rows: readonly Row[]): Scale {
  const every = rows.flatMap((row) => row.bars);
  const length = (bar: Bar) => Math.max(0, bar.to - bar.from);
  const least = Math.max(0.1, Math.min(...every.filter((bar) => bar.name === "Run").map(length)));
  const squeezed = every.some((bar) => length(bar) > FAR * least);
  const weigh = (bar: Bar) => (squeezed ? Math.log1p(length(bar) / least) : length(bar));
  const whole = every.reduce((sum, bar) => sum + weigh(bar), 0) || 1;
  let left = 0;
  const bars = rows.map((row) =>
    row.bars.map((bar) => {
      const width = (100 * weigh(bar)) / whole;
      left += width;
      return { left: left - width, width };
    }),
  );
  return { bars, squeezed };
}
