/** A job and what is told of it, as the API has them. */

import type { Status } from "../live";

export interface JobError {
  code: string;
  type: string;
  message: string;
}

export interface Job {
  id: string;
  type: string;
  queue: string;
  priority: number;
  status: Status;
  attempt: number;
  max_attempts: number;
  claim: number;
  payload: unknown;
  result: unknown;
  error: JobError | null;
  run_at: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  expires_at: string | null;
  worker_id: string | null;
  node: string | null;
  unique_key: string | null;
  tags: string[];
}

/** Whether it changes no more by itself. */
export function hasEnded({ status }: { status: Status }): boolean {
  return ["completed", "failed", "cancelled"].includes(status);
}

export interface Attempt {
  claim: number;
  what: "done" | "failed" | "snoozed" | "cancelled" | "released" | "interrupted" | "lost" | "retried";
  /** That of the job afterwards. */
  status: Status;
  attempt: number;
  error: (JobError & { traceback: string | null; group: string | null }) | null;
  /** null where nothing ran. */
  started_at: string | null;
  finished_at: string;
  worker_id: string | null;
  node: string | null;
}

export interface Progress {
  done: number | null;
  total: number | null;
  message: string | null;
  /** From 0 to 1. */
  fraction: number | null;
  at: string | null;
  claim: number | null;
}

export interface LogLine {
  at: string;
  level: string;
  logger: string;
  message: string;
  claim: number;
  attempt: number;
}

export interface Explanation {
  status: Status;
  summary: string;
  conditions: { name: string; holds: boolean; text: string }[];
  ahead: number | null;
  estimated_start: string | null;
}
