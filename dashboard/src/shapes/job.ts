/** A job, as the API tells it. */

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
  payload: unknown;
  unique_key: string | null;
  tags: string[];
  status: Status;
  attempt: number;
  max_attempts: number;
  claim: number;
  result: unknown;
  error: JobError | null;
  run_at: string | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  expires_at: string | null;
  worker_id: string | null;
  node: string | null;
}
