/** A group of failed runs, as `GET /errors` says it. */

export interface ErrorJson {
  group: string;
  exception: string;
  code: string;
  message: string;
  frame: string | null;
  count: number;
  /** How many jobs stand failed by it now; `at_least` where there are more than were looked at. */
  jobs: number;
  at_least: boolean;
  first_at: string;
  last_at: string;
  types: string[];
  queues: string[];
  versions: string[];
  job: string;
  lately: { step: number; from: string; counts: number[] };
}
