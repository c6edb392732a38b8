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

const ENDS: Partial<Record<Attempt["what"], Status>> = {
  done: "completed",
  failed: "failed",
  cancelled: "cancelled",
  lost: "failed",
};

/** A row for each ended run, oldest first, and one for what is under way. */
export function rowsOf(job: Job, attempts: readonly Attempt[], now: number): Row[] {
  const asked = millis(job.run_at ?? job.created_at);
  let at = millis(job.created_at);
  let before: Attempt | undefined;
  const later = () => (before ? "Backoff" : "Scheduled");
  const until = (to: number): Bar[] => {
    if (before && hasEnded(before)) return [{ status: "cancelled", name: "Rest", from: at, to }];
    const due = !before ? Math.min(asked, to) : before.status === "scheduled" ? to : at;
    const bars: Bar[] = [
      { status: "scheduled", name: later(), from: at, to: due },
      { status: "pending", name: "Wait", from: Math.max(at, due), to },
    ];
    return bars.filter((bar) => bar.to > bar.from);
  };
  const run = (status: Status, start: number, end: number): Bar[] => [
    ...until(start),
    { status, name: "Run", from: start, to: Math.max(start, end) },
  ];
  const rows = attempts.map((attempt): Row => {
    const end = millis(attempt.finished_at);
    const bars = attempt.started_at
      ? run(ENDS[attempt.what] ?? "processing", millis(attempt.started_at), end)
      : until(end);
    at = end;
    before = attempt;
    return { bars, attempt };
  });
  if (hasEnded(job)) return rows;
  const [name, to] = job.status === "scheduled" ? [later(), asked] : ["Wait", now];
  const bars =
    job.status === "processing" && job.started_at
      ? run("processing", millis(job.started_at), now)
      : [{ status: job.status, name, from: at, to: Math.max(at, to) }];
  return [...rows, { bars, attempt: null }];
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
