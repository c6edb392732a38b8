/** What is done to every job that a filter means, as the API tells it. */

export type Action = "retry" | "cancel" | "delete" | "change";

/** What a job gets; what stays as it is is left out or null. */
export interface Change {
  queue?: string | null;
  priority?: number | null;
  run_at?: string | null;
  delay?: number;
}

export interface Operation {
  id: string;
  action: Action;
  status: "running" | "completed" | "cancelled" | "failed";
  filter: string;
  /** Only jobs in these, as the key of whoever asked is limited to them; null is all. */
  queues: string[] | null;
  change: Change | null;
  /** So many become pending in each second. */
  rate: number | null;
  examined: number;
  changed: number;
  skipped: number;
  by: string;
  created_at: string;
  finished_at: string | null;
  error: string | null;
}

/** How many jobs an operation would change. */
export interface DryRun {
  count: number;
  complete: boolean;
}
