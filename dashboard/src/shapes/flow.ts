/** What the API says of queues, types, nodes, rules, and schedules. */

export interface QueueJson {
  queue: string;
  pending: number;
  scheduled: number;
  processing: number;
  waiting: number;
  oldest_pending_seconds: number | null;
}

export interface RuleJson {
  scope: "queue" | "type";
  name: string;
  paused: boolean;
  concurrency: number | null;
  rate: number | null;
  burst: number | null;
}

export interface NodeJson {
  id: string;
  host: string;
  pid: number;
  version: string;
  workers: number;
  queues: string[] | null;
  types: string[] | null;
  started_at: string;
  ended_at: string | null;
  live: boolean;
  claimed: number;
  beat_at: string | null;
  rss_bytes: number | null;
  /** Whether it claims no more; null where it does not say. */
  quiet: boolean | null;
  busy: number | null;
  /** What somebody wants of it, which it hears with its next beat. */
  wish: "quiet" | "resume" | "stop" | null;
}

export interface NodeJob {
  id: string;
  type: string;
  queue: string;
  worker_id: string | null;
  attempt: number;
  claim: number;
  started_at: string;
}

export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  format?: string;
  default?: unknown;
  description?: string;
  writeOnly?: boolean;
  minimum?: number;
  maximum?: number;
  $ref?: string;
  $defs?: Record<string, Schema>;
}

export interface TypeJson {
  type: string;
  queue: string;
  priority: number;
  max_attempts: number;
  secrets: string[];
  after_crashes: { crashes: number; queue: string } | null;
  key: { argument: string | null; rule: Record<string, unknown> } | null;
  arguments: Schema | null;
  nodes: string[];
}

export interface ScheduleJson {
  name: string;
  cron: string;
  time_zone: string;
  ambiguous: string;
  nonexistent: string;
  missed: string;
  max_missed: number;
  overlap: string;
  type: string;
  payload: Record<string, unknown>;
  queue: string;
  priority: number;
  max_attempts: number;
  timeout: number | null;
  unique_key: string | null;
  tags: string[];
  paused: boolean;
  source: string;
  overridden: boolean;
  in_words: string | null;
  next_runs: string[];
  last_job: string | null;
  fired: number;
  skipped: number;
  created_at: string;
  changed_at: string;
}

export interface ScheduleRun {
  id: string;
  due_at: string;
  created_at: string;
  status: import("../live").Status;
  started_at: string | null;
  finished_at: string | null;
}
