/** One job as it is just now, kept up to date by its own stream of events, and what is told of it apart. */

import { type Signal, useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { type Answer, call, Problem, parse, part } from "../api";
import { useStream } from "../live";
import { type Load, useLoad } from "../load";
import { hasEnded, type Job } from "../shapes/job";

export interface Known {
  job: Job;
  /** Its version, as If-Match takes it. */
  version: string;
}

export interface Watch {
  known: Signal<Known | null>;
  load: Load<void>;
}

const pathOf = (id: string) => `jobs/${part(id)}`;

/** Watch a job. Without its stream it is asked for now and then, and answered with 304 while nothing has changed. */
export function useJob(id: string): Watch {
  const known = useSignal<Known | null>(null);
  const load = useLoad(
    async (signal) => {
      const headers = { "If-None-Match": known.peek()?.version ?? "" };
      keep(known, await call<Job | null>("GET", pathOf(id), { signal, headers, exact: true }));
    },
    [id],
    { live: 1_000 },
  );
  const on = known.value && !hasEnded(known.value.job);
  useStream(on ? `${pathOf(id)}/events` : null, "job", (data, tag) => {
    const version = `"${tag}"`;
    if (known.peek()?.version !== version) known.value = { job: parse(data) as Job, version };
    return hasEnded((known.peek() as Known).job);
  });
  return { known, load };
}

function keep(known: Signal<Known | null>, { data, headers }: Answer<Job | null>): void {
  if (data) known.value = { job: data, version: headers.get("ETag") ?? "" };
}

/** What the API tells of a job apart: asked for again when the job has changed, and each second where `lasts` says so. */
export function usePart<T>(
  known: Signal<Known | null>,
  path: string,
  lasts: (job: Job) => boolean,
): Load<Answer<T> | undefined> {
  const kept = useRef<{ version: string; told: Answer<T> } | null>(null);
  return useLoad(
    async (signal) => {
      const now = known.peek();
      if (now && (kept.current?.version !== now.version || lasts(now.job))) {
        kept.current = { version: now.version, told: await call<T>("GET", pathOf(now.job.id) + path, { signal }) };
      }
      return kept.current?.told;
    },
    [],
    { live: 100, every: 1_000 },
  );
}

/** Change the version of the job that one sees, and no other one. Raises Problem. */
export async function change({ known, load }: Watch, method: string, verb = "", body?: unknown): Promise<void> {
  const now = known.peek() as Known;
  try {
    keep(
      known,
      await call<Job | null>(method, pathOf(now.job.id) + verb, {
        body,
        headers: { "If-Match": now.version },
        exact: true,
      }),
    );
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 412) throw error;
    load.again();
    throw new Problem(
      412,
      error.code,
      "The job has changed since you saw it, so nothing was done.",
      "It is shown as it is now. Decide anew.",
    );
  }
}
