/** What a person may say of a queue or a type: pause, resume, limit. */

import { useSignal } from "@preact/signals";
import { part, post, put, remove } from "../api";
import { may } from "../session";
import type { RuleJson } from "../shapes/flow";
import { Button } from "./button";
import { Field, FormDialog, type Said } from "./form";
import { say } from "./toast";

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
      {limiting.value && (
        <LimitDialog path={path} name={name} rule={rule} changed={changed} close={() => (limiting.value = false)} />
      )}
    </>
  );
}

function LimitDialog({
  path,
  name,
  rule,
  changed,
  close,
}: {
  path: string;
  name: string;
  rule: RuleJson | undefined;
  changed: () => void;
  close: () => void;
}) {
  const limit = async ({ text, number }: Said) => {
    const rate = text("rate");
    const body = {
      concurrency: number("concurrency"),
      rate: Number.isNaN(Number(rate)) ? rate : number("rate"),
      burst: number("burst"),
    };
    await (Object.values(body).some((each) => each !== undefined)
      ? put(`${path}/limit`, body)
      : remove(`${path}/limit`));
    changed();
  };
  return (
    <FormDialog title={`Limit ${name}`} yes="Limit" close={close} run={limit}>
      <Field name="concurrency" label="At once, over all nodes" value={rule?.concurrency} type="number" min={1} />
      <Field name="rate" label="Starts: a number a second, or 20/h" value={rule?.rate} />
      <Field
        name="burst"
        label="Burst: how many at once after a time without"
        value={rule?.burst}
        type="number"
        min={1}
      />
      <p class="dim">What is empty is not bounded.</p>
    </FormDialog>
  );
}
