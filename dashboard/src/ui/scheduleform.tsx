/** A schedule as a form: a new one, or another clock and other arguments for one that is there. */

import { part, put } from "../api";
import type { ScheduleJson } from "../shapes/flow";
import { Area, Field, FormDialog, type Said } from "./form";

/** What a PUT says of a schedule besides what the form asks for. */
const KEPT = [
  "ambiguous",
  "nonexistent",
  "missed",
  "max_missed",
  "overlap",
  "queue",
  "priority",
  "max_attempts",
  "timeout",
  "unique_key",
  "tags",
] as const;

export function EditSchedule({
  schedule,
  close,
  changed,
}: {
  schedule?: ScheduleJson;
  close: () => void;
  changed: () => void;
}) {
  const save = async ({ text, json }: Said) => {
    const kept = schedule
      ? Object.fromEntries(KEPT.filter((name) => schedule[name] !== null).map((name) => [name, schedule[name]]))
      : {};
    const body = {
      ...kept,
      cron: text("cron"),
      time_zone: text("time_zone") || undefined,
      type: text("type"),
      payload: json("payload"),
    };
    await put(`schedules/${part(schedule?.name ?? text("name"))}`, body);
    changed();
  };
  return (
    <FormDialog title={schedule ? `Edit ${schedule.name}` : "Add a schedule"} yes="Save" close={close} run={save}>
      {!schedule && <Field name="name" label="Name" required />}
      <Field name="cron" label="Cron expression: minute hour day month weekday" value={schedule?.cron} required />
      <Field name="time_zone" label="Time zone, such as Europe/Berlin; UTC without" value={schedule?.time_zone} />
      <Field name="type" label="Type of its jobs" value={schedule?.type} required />
      <Area name="payload" label="Payload, as JSON" value={JSON.stringify(schedule?.payload ?? {}, null, 2)} />
      {schedule?.source === "code" && (
        <p class="dim">What people change holds until the code declares something else.</p>
      )}
    </FormDialog>
  );
}
