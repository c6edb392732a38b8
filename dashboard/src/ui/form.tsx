/** Forms in dialogs: their fields, and what went wrong beside them. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { Problem, parse } from "../api";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Trouble } from "./shown";

/** What was typed: the text of a field, and of one that has several values each of them. */
export class Said {
  constructor(private readonly data: FormData) {}

  text = (name: string): string => String(this.data.get(name) ?? "").trim();

  /** undefined where nothing was typed, so that it is left out of a body. */
  number = (name: string): number | undefined => (this.text(name) ? Number(this.text(name)) : undefined);

  all = (name: string): string[] => this.data.getAll(name).map(String);

  /** Raises Error where it is no JSON. */
  json = (name: string): unknown => {
    try {
      return parse(this.text(name) || "{}");
    } catch (error) {
      throw new Error(`${name} is no JSON: ${(error as Error).message}`);
    }
  };
}

interface Props {
  title: string;
  /** What the button says that does it. */
  yes: string;
  danger?: boolean;
  close: () => void;
  /** Does it; then the dialog closes. What goes wrong is told in it. */
  run: (said: Said) => Promise<unknown>;
  children: ComponentChildren;
  class?: string;
}

export function FormDialog({ title, yes, danger, close, run, children, class: kind }: Props) {
  const trouble = useSignal<Problem | null>(null);
  const busy = useSignal(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (busy.peek()) return;
    busy.value = true;
    trouble.value = null;
    try {
      await run(new Said(new FormData(event.target as HTMLFormElement)));
      close();
    } catch (error) {
      trouble.value = error instanceof Problem ? error : new Problem(0, "", (error as Error).message);
    } finally {
      busy.value = false;
    }
  };
  return (
    <Dialog title={title} class={kind} onClose={close}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        {children}
        {trouble.value && <Trouble problem={trouble.value} />}
        <footer>
          <Button onClick={close}>Do nothing</Button>
          <Button kind={danger ? "danger" : "main"} submit aria-busy={busy.value}>
            {yes}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

type Value = string | number | null | undefined;

function asText(value: Value): string {
  return value === null || value === undefined ? "" : String(value);
}

/** A field, with its label above it. */
export function Field({
  label,
  value,
  ...rest
}: Omit<JSX.IntrinsicElements["input"], "value" | "label"> & { label: ComponentChildren; value?: Value }) {
  return (
    <label class="field">
      <span>{label}</span>
      <input {...(rest as object)} defaultValue={asText(value)} autocomplete="off" />
    </label>
  );
}

/** A field of several lines. */
export function Area({
  label,
  value,
  ...rest
}: Omit<JSX.IntrinsicElements["textarea"], "value" | "label"> & { label: ComponentChildren; value?: Value }) {
  return (
    <label class="field">
      <span>{label}</span>
      <textarea rows={6} spellcheck={false} {...(rest as object)} defaultValue={asText(value)} />
    </label>
  );
}
