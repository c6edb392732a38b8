/** What `GET /stats` says. */

export type Numbers = (number | null)[];

export interface Spread {
  count: Numbers;
  p50: Numbers;
  p95: Numbers;
  p99: Numbers;
}

export interface Series {
  queue: string | null;
  type: string | null;
  enqueued: Numbers;
  completed: Numbers;
  failed: Numbers;
  cancelled: Numbers;
  retried: Numbers;
  rescued: Numbers;
  pending: Numbers;
  wait: Spread;
  run: Spread;
}

export interface Stats {
  step: number;
  at: string[];
  since: (string | null)[];
  series: Series[];
  left_out: number;
}
