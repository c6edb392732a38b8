/** What one may do to a job: what its status allows, and who looks has the right to. */

import { useSignal } from "@preact/signals";
import { useKeys } from "../keys";
import { go } from "../router";
import { may } from "../session";
import { hasEnded, type Job } from "../shapes/job";
import { Button } from "../ui/button";
import { ask } from "../ui/dialog";
import { say } from "../ui/toast";
import { EditAndRetry, Move } from "./dialogs";
import { change, type Watch } from "./known";

interface Deed {
  name: string;
  keys: string;
  run: () => unknown;
  main?: boolean;
}

export function Actions({ watch, job }: { watch: Watch; job: Job }) {
  const open = useSignal<"move" | "edit" | null>(null);
  const deeds = deedsOf(watch, job, (dialog) => (open.value = dialog));
  // a key presses its button, which knows whether it is under way already
  useKeys(
    deeds.map(({ name, keys }) => ({
      keys,
      what: name,
      group: "This job",
      palette: true,
      run: () => document.getElementById(name)?.click(),
    })),
  );
  const props = { job, watch, close: () => (open.value = null) };
  return (
    <>
      {deeds.map(({ name, keys, run, main }) => (
        <Button key={name} id={name} kind={main ? "main" : "plain"} title={keys && `${name} (${keys})`} onClick={run}>
          {name}
        </Button>
      ))}
      {open.value === "move" && <Move {...props} />}
      {open.value === "edit" && <EditAndRetry {...props} />}
    </>
  );
}

function deedsOf(watch: Watch, job: Job, show: (dialog: "move" | "edit") => void): Deed[] {
  const ended = hasEnded(job);
  const waits = job.status === "pending" || job.status === "scheduled";
  const deeds: (Deed | false)[] = may("operate")
    ? [
        ended && job.status !== "completed" && { name: "Retry", keys: "r", main: true, run: () => retry(watch) },
        job.status === "scheduled" && {
          name: "Run now",
          keys: "n",
          main: true,
          run: () => change(watch, "PATCH", "", { delay: 0 }),
        },
        waits && { name: "Change", keys: "m", run: () => show("move") },
        !ended && { name: "Cancel", keys: "c", run: () => cancel(watch, job) },
      ]
    : [];
  deeds.push(ended && may("enqueue") && { name: "Edit and retry", keys: "e", run: () => show("edit") });
  deeds.push(ended && may("operate") && { name: "Delete", keys: "", run: () => remove(watch) });
  return deeds.filter((deed) => deed !== false);
}

async function retry(watch: Watch): Promise<void> {
  await change(watch, "POST", "/retry");
  say("The job runs again.");
}

function cancel(watch: Watch, job: Job): void {
  const runs = job.status === "processing";
  ask({
    title: "Cancel this job?",
    body: runs
      ? "Its handler is asked to end. What it has done so far stays done."
      : "It will not run. You can retry it later.",
    yes: "Cancel the job",
    danger: true,
    run: () => change(watch, "POST", "/cancel"),
  });
}

function remove(watch: Watch): void {
  ask({
    title: "Delete this job?",
    body: "It goes with its result, errors, attempts and log. This cannot be undone.",
    yes: "Delete",
    danger: true,
    run: async () => {
      await change(watch, "DELETE");
      go("#/jobs");
      say("The job was deleted.");
    },
  });
}
