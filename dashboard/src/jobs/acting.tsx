/** The question before something is done to many jobs: to how many, and how. */

import { useSignal } from "@preact/signals";
import { many } from "../format";
import { useLoad } from "../load";
import type { Action, Change, Operation } from "../shapes/operation";
import { Field, FormDialog, type Said } from "../ui/form";
import { Shown } from "../ui/shown";
import { ACTS, each, howMany, start, type Target } from "./acts";

interface Props {
  action: Action;
  target: Target;
  close: () => void;
  /** It was done; or it was started, on so many jobs as far as that is known. */
  onDone: (operation: Operation | null, of: number | null) => void;
}

export function Acting({ action, target, close, onDone }: Props) {
  const { name, done } = ACTS[action];
  const few = "ids" in target ? target.ids : null;
  const load = useLoad(
    async () =>
      "ids" in target ? { count: target.ids.length, complete: true } : howMany(action, target.filter, target.status),
    [],
  );
  const told = load.data;
  const jobs = told ? `${told.complete ? "" : "at least "}${many(told.count, "job")}` : "jobs";
  const run = async (said: Said) => {
    if (told?.count === 0) throw new Error("There is nothing to do.");
    const change = action === "change" ? changeOf(said) : undefined;
    if (few) await each(action, few, change);
    const operation = "ids" in target ? null : await start(action, target.filter, change, said.text("rate"));
    onDone(operation, told?.complete ? told.count : null);
  };
  return (
    <FormDialog
      title={`${name} jobs`}
      yes={`${name} ${jobs}`}
      danger={action === "delete" || action === "cancel"}
      close={close}
      run={run}
    >
      {"filter" in target && (
        <p>
          All that match <code dir="auto">{target.filter}</code>
        </p>
      )}
      <Shown load={load} lines={1}>
        {({ count }) => (
          <p class="amount" role="status">
            {count ? `${jobs} will be ${done}` : `No job can be ${done}`}
          </p>
        )}
      </Shown>
      {action === "retry" && (
        <Field
          autofocus
          name="rate"
          label="At most so many a second (optional; also 20/m, 500/h)"
          placeholder="all at once"
        />
      )}
      {action === "change" && <Changes />}
      {action === "delete" && <p>With their results, errors and logs. This cannot be undone.</p>}
      {action === "cancel" && <p>Jobs that run are asked to end.</p>}
    </FormDialog>
  );
}

function Changes() {
  const when = useSignal("");
  return (
    <>
      <Field autofocus name="queue" label="Queue" placeholder="as it is" />
      <Field
        name="priority"
        label="Priority, 0 is first and 9 last"
        type="number"
        min="0"
        max="9"
        placeholder="as it is"
      />
      <label class="field">
        <span>Runs</span>
        <select value={when.value} name="when" onChange={(event) => (when.value = event.currentTarget.value)}>
          <option value="">as it is</option>
          <option value="now">at once</option>
          <option value="at">at a time</option>
        </select>
      </label>
      {when.value === "at" && <Field name="at" label="Time" type="datetime-local" step="1" required />}
    </>
  );
}

/** Raises Error: nothing was written into the form. */
function changeOf({ text, number }: Said): Change {
  const change: Change = {
    queue: text("queue") || undefined,
    priority: number("priority"),
    delay: text("when") === "now" ? 0 : undefined,
    run_at: text("at") ? new Date(text("at")).toISOString() : undefined,
  };
  if (Object.values(change).every((each) => each === undefined)) throw new Error("Say what is to be changed.");
  return change;
}
