/** Two forms: another place for a job that waits, and a new job that begins as a copy of this one. */

import { call, parse, Problem } from "../api";
import { go, hrefTo } from "../router";
import type { Job } from "../shapes/job";
import { FormDialog } from "../ui/form";
import { say } from "../ui/toast";
import { change, type Watch } from "./known";

interface Props {
  job: Job;
  watch: Watch;
  close: () => void;
}

export function Move({ job, watch, close }: Props) {
  const move = async (said: (field: string) => string) => {
    const body: Record<string, unknown> = {};
    if (said("queue") !== job.queue) body.queue = said("queue");
    if (Number(said("priority")) !== job.priority) body.priority = Number(said("priority"));
    if (said("time")) body.run_at = new Date(said("time")).toISOString();
    await change(watch, "PATCH", "", body);
    say("The job was changed.");
  };
  return (
    <FormDialog title="Change the job" yes="Change" onClose={close} run={move}>
      <Place job={job} />
      <label class="field">
        <span>Run at, in your time; empty leaves it as it is</span>
        <input type="datetime-local" step={1} name="time" />
      </label>
    </FormDialog>
  );
}

function Place({ job }: { job: Job }) {
  return (
    <div class="row">
      <label class="field">
        <span>Queue</span>
        <input name="queue" required defaultValue={job.queue} autocomplete="off" />
      </label>
      <label class="field">
        <span>Priority, 0 runs first</span>
        <input name="priority" type="number" min={0} max={9} required defaultValue={String(job.priority)} />
      </label>
    </div>
  );
}

const HIDDEN = "***";

/** The names of secrets that were not typed in anew: the API shows none, so a copy has stars in their place. */
function veiled(before: unknown, payload: unknown): string[] {
  const old = before as Record<string, unknown>;
  const asked = payload as Record<string, unknown>;
  return Object.keys(asked ?? {}).filter((name) => old[name] === HIDDEN && asked[name] === HIDDEN);
}

function read(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new Problem(0, "", "The payload is not JSON.", String((error as Error).message));
  }
}

export function EditAndRetry({ job, close }: Props) {
  const enqueue = async (said: (field: string) => string) => {
    const payload = read(said("payload"));
    const secrets = veiled(job.payload, payload);
    if (secrets.length) throw new Problem(0, "", `Secret, so not known here: ${secrets.join(", ")}.`, "Type the values in place of the stars.");
    const { unique_key, tags, max_attempts } = job;
    const body = { type: said("type"), queue: said("queue"), priority: Number(said("priority")), payload, unique_key, tags, max_attempts };
    const { data } = await call<Job>("POST", "jobs", { body });
    say("Enqueued. This is the new job.");
    go(hrefTo("/jobs", data.id));
  };
  return (
    <FormDialog title="Edit and retry as a new job" yes="Enqueue" class="wide" onClose={close} run={enqueue}>
      <label class="field">
        <span>Type</span>
        <input name="type" required defaultValue={job.type} autocomplete="off" />
      </label>
      <Place job={job} />
      <label class="field">
        <span>Payload, as JSON</span>
        <textarea name="payload" rows={14} spellcheck={false} defaultValue={JSON.stringify(job.payload, null, 2)} />
      </label>
      <p class="dim">Tags, unique key and the number of attempts are as before. The job you see stays as it is.</p>
    </FormDialog>
  );
}
