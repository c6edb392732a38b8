/** A form for a job, made of the schema of its type's arguments; what no field can say is written as JSON. */

import { Exact, parse, post } from "../api";
import { hrefTo } from "../router";
import type { Schema, TypeJson } from "../shapes/flow";
import { Area, Field, FormDialog, type Said } from "./form";
import { say } from "./toast";

export function EnqueueForm({ type, close }: { type: TypeJson; close: () => void }) {
  const schema = type.arguments;
  const fields = schema?.additionalProperties === false ? Object.entries(schema.properties ?? {}) : null;
  const enqueue = async ({ text, number, json }: Said) => {
    const payload = fields ? payloadOf(fields, text) : json("payload");
    const { id } = await post<{ id: string }>("jobs", {
      type: type.type,
      payload,
      delay: number("in seconds") || undefined,
    });
    say("The job is enqueued.", { text: "Show it", href: hrefTo("/jobs", id) });
  };
  return (
    <FormDialog title={`Enqueue ${type.type}`} yes="Enqueue" close={close} run={enqueue}>
      {fields?.map(([name, each]) => (
        <Argument key={name} name={name} schema={each} required={schema?.required?.includes(name) ?? false} />
      ))}
      {!fields && <Area name="payload" label="Payload, as JSON" value="{}" />}
      <Field name="in seconds" label="Delay in seconds" type="number" min={0} step="any" placeholder="0" />
    </FormDialog>
  );
}

/** Which field an argument has: choices, a switch, a number, a text, or JSON. */
function kindOf(schema: Schema): "choice" | "boolean" | "number" | "text" | "json" {
  if (schema.enum) return "choice";
  if (schema.type === "boolean") return "boolean";
  if (schema.type === "integer" || schema.type === "number") return "number";
  return schema.type === "string" ? "text" : "json";
}

function Argument({ name, schema, required }: { name: string; schema: Schema; required: boolean }) {
  const kind = kindOf(schema);
  const first =
    schema.default === undefined ? "" : kind === "text" ? String(schema.default) : JSON.stringify(schema.default);
  const label = (
    <>
      <bdi>{name}</bdi> {kind === "json" && "(JSON)"} {!required && "(optional)"}
    </>
  );
  const choices = kind === "boolean" ? [true, false] : schema.enum;
  if (kind === "json") return <Area name={name} label={label} rows={3} required={required} value={first} />;
  if (!choices)
    return (
      <Field
        name={name}
        label={label}
        type={schema.writeOnly ? "password" : "text"}
        inputMode={kind === "number" ? "decimal" : "text"}
        required={required}
        value={first}
      />
    );
  return (
    <label class="field">
      <span>{label}</span>
      <select name={name} required={required}>
        {!required && <option value="" />}
        {choices.map((each) => (
          <option key={String(each)} value={JSON.stringify(each)} selected={JSON.stringify(each) === first}>
            {String(each)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The payload that fields say; what is empty is left to the handler's default. Raises Error. */
function payloadOf(
  fields: readonly (readonly [string, Schema])[],
  textOf: (name: string) => string,
): Record<string, unknown> {
  const payload: [string, unknown][] = [];
  for (const [name, schema] of fields) {
    const text = textOf(name);
    if (text) payload.push([name, kindOf(schema) === "text" ? text : valueOf(name, schema, text)]);
  }
  return Object.fromEntries(payload);
}

function valueOf(name: string, schema: Schema, text: string): unknown {
  const wanted = kindOf(schema) === "number" ? "number" : "JSON";
  try {
    const value = parse(text);
    if (wanted === "JSON" || typeof value === "number" || value instanceof Exact) return value;
  } catch {
    // it is said below
  }
  throw new Error(`${name}: ${text.slice(0, 40)} is no ${wanted}.`);
}
