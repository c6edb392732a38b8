/** The question before something is done to many jobs: to how many, and how. */

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Problem } from "../api";
import { many } from "../format";
import { useLoad } from "../load";
import type { Action, Change, Operation } from "../shapes/operation";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Shown, Trouble } from "../ui/shown";
import { ACTS, each, howMany, start, type Target } from "./acts";

interface Props {
  action: Action;
  target: Target;
  onClose: () => void;
  /** It was done; or it was started, on so many jobs as far as that is known. */
  onDone: (operation: Operation | null, of: number | null) => void;
}

export function Acting({ action, target, onClose, onDone }: Props) {
  const { name, done } = ACTS[action];
  const trouble = useSignal<Problem | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const load = useLoad(() => ("ids" in target ? Promise.resolve({ count: target.ids.length, complete: true }) : howMany(action, target.filter, target.status)), []);
  const told = load.data;
  const jobs = told && `${told.complete ? "" : "at least "}${many(told.count, "job")}`;
  const act = async (form: HTMLFormElement) => {
    trouble.value = null;
    try {
      const change = action === "change" ? read(new FormData(form)) : undefined;
      const rate = new FormData(form).get("rate");
      if ("ids" in target) await each(action, target.ids, change);
      const operation = "ids" in target ? null : await start(action, target.filter, change, String(rate ?? "").trim());
      onDone(operation, told?.complete ? told.count : null);
    } catch (error) {
      trouble.value = error instanceof Problem ? error : new Problem(0, "", String(error));
    }
  };
  return (
    <Dialog title={`${name} jobs`} onClose={onClose}>
      <form class="stack" ref={form} onSubmit={(event) => event.preventDefault()}>
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
          <label class="field">
            <span>At most so many a second (optional; also 20/m, 500/h)</span>
            <input name="rate" autocomplete="off" placeholder="all at once" />
          </label>
        )}
        {action === "change" && <Changes />}
        {action === "delete" && <p>With their results, errors and logs. This cannot be undone.</p>}
        {action === "cancel" && <p>Jobs that run are asked to end.</p>}
        {trouble.value && <Trouble problem={trouble.value} />}
        <footer>
          <Button onClick={onClose}>Do nothing</Button>
          <Button kind={action === "delete" || action === "cancel" ? "danger" : "main"} disabled={!told?.count} onClick={() => form.current && act(form.current)}>
            {name} {jobs}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

function Changes() {
  const when = useSignal("");
  return (
    <>
      <label class="field">
        <span>Queue</span>
        <input name="queue" autocomplete="off" placeholder="as it is" />
      </label>
      <label class="field">
        <span>Priority, 0 is first and 9 last</span>
        <input name="priority" type="number" min="0" max="9" placeholder="as it is" />
      </label>
      <label class="field">
        <span>Runs</span>
        <select value={when.value} name="when" onChange={(event) => (when.value = event.currentTarget.value)}>
          <option value="">as it is</option>
          <option value="now">at once</option>
          <option value="at">at a time</option>
        </select>
      </label>
      {when.value === "at" && <input type="datetime-local" name="at" step="1" aria-label="Time" required />}
    </>
  );
}

/** What was written into the form. Raises Problem: nothing was. */
function read(form: FormData): Change {
  const said = (name: string) => String(form.get(name) ?? "").trim();
  const at = new Date(said("at"));
  const change: Change = {
    ...(said("queue") && { queue: said("queue") }),
    ...(said("priority") && { priority: Number(said("priority")) }),
    ...(said("when") === "now" && { delay: 0 }),
    ...(said("when") === "at" && !Number.isNaN(at.getTime()) && { run_at: at.toISOString() }),
  };
  if (!Object.keys(change).length) throw new Problem(0, "", "Say what is to be changed.");
  return change;
}
