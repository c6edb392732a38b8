/** Two forms: another place for a job that waits, and a new job that begins as a copy of this one. */

import { post } from "../api";
import { go, hrefTo } from "../router";
import type { Job } from "../shapes/job";
import { Area, Field, FormDialog, type Said } from "../ui/form";
import { say } from "../ui/toast";
import { change, type Watch } from "./known";

interface Props {
  job: Job;
  watch: Watch;
  close: () => void;
}

export function Move({ job, watch, close }: Props) {
  const move = async ({ text, number }: Said) => {
    const body: Record<string, unknown> = {};
    if (text("queue") !== job.queue) body.queue = text("queue");
    if (number("priority") !== job.priority) body.priority = number("priority");
    if (text("time")) body.run_at = new Date(text("time")).toISOString();
    await change(watch, "PATCH", "", body);
    say("The job was changed.");
  };
  return (
    <FormDialog title="Change the job" yes="Change" close={close} run={move}>
      <Place job={job} />
      <Field name="time" label="Run at, in your time; empty leaves it as it is" type="datetime-local" step={1} />
    </FormDialog>
  );
}

function Place({ job }: { job: Job }) {
  return (
    <>
      <Field name="queue" label="Queue" required value={job.queue} />
      <Field
        name="priority"
        label="Priority, 0 runs first"
        type="number"
        min={0}
        max={9}
        required
        value={job.priority}
      />
    </>
  );
}

const HIDDEN = "***";

/** The names of secrets that were not typed in anew: the API shows none, so a copy has stars in their place. */
function veiled(before: unknown, payload: unknown): string[] {
  const old = before as Record<string, unknown>;
  return Object.entries(payload ?? {}).flatMap(([name, value]) =>
    value === HIDDEN && old[name] === HIDDEN ? [name] : [],
  );
}

export function EditAndRetry({ job, close }: Props) {
  const enqueue = async ({ text, number, json }: Said) => {
    const payload = json("payload");
    const secrets = veiled(job.payload, payload);
    if (secrets.length)
      throw new Error(`Type the values of what is secret in place of the stars: ${secrets.join(", ")}.`);
    const { unique_key, tags, max_attempts } = job;
    const { id } = await post<Job>("jobs", {
      type: text("type"),
      queue: text("queue"),
      priority: number("priority"),
      payload,
      unique_key,
      tags,
      max_attempts,
    });
    say("Enqueued. This is the new job.");
    go(hrefTo("/jobs", id));
  };
  return (
    <FormDialog title="Edit and retry as a new job" yes="Enqueue" class="wide" close={close} run={enqueue}>
      <Field name="type" label="Type" required value={job.type} />
      <Place job={job} />
      <Area name="payload" label="Payload, as JSON" rows={12} value={JSON.stringify(job.payload, null, 2)} />
      <p class="dim">Tags, unique key and the number of attempts are as before. The job you see stays as it is.</p>
    </FormDialog>
  );
}
