/** What a person may say of a queue or a type: pause, resume, limit. */

import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { part, post, put, remove } from "../api";
import { may } from "../session";
import type { RuleJson } from "../shapes/flow";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { fail, say } from "./toast";

interface Props {
  scope: "queue" | "type";
  name: string;
  rule: RuleJson | undefined;
  /** Something was changed. */
  changed: () => void;
}

export function RuleActions({ scope, name, rule, changed }: Props) {
  const limiting = useSignal(false);
  if (!may("operate")) return null;
  const path = `${scope}s/${part(name)}`;
  const pause = async () => {
    await post(`${path}/${rule?.paused ? "resume" : "pause"}`);
    say(rule?.paused ? `${name} goes on.` : `${name} is paused. What runs goes on to its end.`);
    changed();
  };
  return (
    <>
      <Button kind={rule?.paused ? "main" : "plain"} onClick={pause}>
        {rule?.paused ? "Resume" : "Pause"}
      </Button>
      <Button onClick={() => (limiting.value = true)}>Limit</Button>
      {limiting.value && <LimitDialog path={path} name={name} rule={rule} changed={changed} close={() => (limiting.value = false)} />}
    </>
  );
}

function LimitDialog({ path, name, rule, changed, close }: { path: string; name: string; rule: RuleJson | undefined; changed: () => void; close: () => void }) {
  const limit = async (event: SubmitEvent) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget as HTMLFormElement);
    const text = (field: string) => String(said.get(field) ?? "").trim();
    const body = {
      ...(text("concurrency") && { concurrency: Number(text("concurrency")) }),
      ...(text("rate") && { rate: Number.isNaN(Number(text("rate"))) ? text("rate") : Number(text("rate")) }),
      ...(text("burst") && { burst: Number(text("burst")) }),
    };
    try {
      await (Object.keys(body).length ? put(`${path}/limit`, body) : remove(`${path}/limit`));
      changed();
      close();
    } catch (error) {
      fail(error);
    }
  };
  return (
    <Dialog title={`Limit ${name}`} onClose={close}>
      <form class="stack" onSubmit={(event) => void limit(event as unknown as SubmitEvent)}>
        <Field name="concurrency" label="At once, over all nodes" value={rule?.concurrency} type="number" min={1} />
        <Field name="rate" label="Starts: a number a second, or 20/h" value={rule?.rate} />
        <Field name="burst" label="Burst: how many at once after a time without" value={rule?.burst} type="number" min={1} />
        <p class="dim">What is empty is not bounded.</p>
        <footer>
          <Button onClick={close}>Do nothing</Button>
          <Button kind="main" submit>
            Limit
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** A field of a form, with its label above it. */
export function Field({ label, value, ...rest }: Omit<JSX.IntrinsicElements["input"], "value" | "label"> & { label: string; value?: string | number | null }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input {...(rest as object)} defaultValue={value === null || value === undefined ? "" : String(value)} autocomplete="off" />
    </label>
  );
}
