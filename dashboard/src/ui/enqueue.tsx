/** A form for a job, made of the schema of its type's arguments; what no field can say is written as JSON. */

import { useSignal } from "@preact/signals";
import { Exact, parse, post, Problem } from "../api";
import { hrefTo } from "../router";
import type { Schema, TypeJson } from "../shapes/flow";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Trouble } from "./shown";
import { say } from "./toast";

export function EnqueueForm({ type, close }: { type: TypeJson; close: () => void }) {
  const trouble = useSignal<Problem | null>(null);
  const schema = type.arguments;
  const fields = schema?.additionalProperties === false ? Object.entries(schema.properties ?? {}) : null;
  const enqueue = async (event: SubmitEvent) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget as HTMLFormElement);
    try {
      const payload = fields ? payloadOf(fields, said) : parse(String(said.get("payload")));
      const delay = Number(said.get("delay") || 0);
      const { id } = await post<{ id: string }>("jobs", { type: type.type, payload, ...(delay && { delay }) });
      say("The job is enqueued.", { text: "Show it", href: hrefTo("/jobs", id) });
      close();
    } catch (error) {
      trouble.value = error instanceof Problem ? error : new Problem(0, "", (error as Error).message);
    }
  };
  return (
    <Dialog title={`Enqueue ${type.type}`} onClose={close}>
      <form class="stack" onSubmit={(event) => void enqueue(event as unknown as SubmitEvent)}>
        {fields?.map(([name, each]) => <Argument key={name} name={name} schema={each} required={schema?.required?.includes(name) ?? false} />)}
        {!fields && (
          <label class="field">
            <span>Payload, as JSON</span>
            <textarea name="payload" rows={8} defaultValue="{}" />
          </label>
        )}
        <label class="field">
          <span>Delay in seconds</span>
          <input name="delay" type="number" min="0" step="any" placeholder="0" />
        </label>
        {trouble.value && <Trouble problem={trouble.value} />}
        <footer>
          <Button onClick={close}>Do nothing</Button>
          <Button kind="main" submit>
            Enqueue
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Which field an argument has: choices, a switch, a number, a text, or JSON. */
export function kindOf(schema: Schema): "choice" | "boolean" | "number" | "text" | "json" {
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "boolean";
  if (schema.type === "integer" || schema.type === "number") return "number";
  return schema.type === "string" ? "text" : "json";
}

function Argument({ name, schema, required }: { name: string; schema: Schema; required: boolean }) {
  const kind = kindOf(schema);
  const first = schema.default === undefined ? "" : kind === "text" ? String(schema.default) : JSON.stringify(schema.default);
  const choices = kind === "boolean" ? [true, false] : schema.enum;
  return (
    <label class="field">
      <span>
        <bdi>{name}</bdi> {kind === "json" && "(JSON)"} {!required && "(optional)"}
      </span>
      {choices ? (
        <select name={name} required={required}>
          {!required && <option value="" />}
          {choices.map((each) => (
            <option key={String(each)} value={JSON.stringify(each)} selected={JSON.stringify(each) === first}>
              {String(each)}
            </option>
          ))}
        </select>
      ) : kind === "json" ? (
        <textarea name={name} rows={3} required={required} defaultValue={first} />
      ) : (
        <input name={name} type={schema.writeOnly ? "password" : "text"} inputMode={kind === "number" ? "decimal" : "text"} required={required} defaultValue={first} autocomplete="off" />
      )}
    </label>
  );
}

/** The payload that a form says; what is empty and optional is left to the handler's default. Raises Error. */
export function payloadOf(fields: readonly (readonly [string, Schema])[], said: FormData): Record<string, unknown> {
  const payload: Record<string, unknown> = {};
  for (const [name, schema] of fields) {
    const text = String(said.get(name) ?? "");
    if (!text) continue;
    try {
      payload[name] = kindOf(schema) === "text" ? text : parse(text);
    } catch {
      throw new Error(`${name}: ${text.slice(0, 40)} is no ${kindOf(schema) === "number" ? "number" : "JSON"}.`);
    }
    if (kindOf(schema) === "number" && typeof payload[name] !== "number" && !(payload[name] instanceof Exact)) throw new Error(`${name}: ${text.slice(0, 40)} is no number.`);
  }
  return payload;
}
