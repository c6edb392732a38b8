/** A schedule as a form: a new one, or another clock and other arguments for one that is there. */

import { parse, part, put } from "../api";
import type { ScheduleJson } from "../shapes/flow";
import { Button } from "./button";
import { Dialog } from "./dialog";
import { Field } from "./rule";
import { fail } from "./toast";

/** What a PUT says of a schedule besides what the form asks for. */
const KEPT = ["ambiguous", "nonexistent", "missed", "max_missed", "overlap", "queue", "priority", "max_attempts", "timeout", "unique_key", "tags"] as const;

export function EditSchedule({ schedule, close, changed }: { schedule?: ScheduleJson; close: () => void; changed: () => void }) {
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const said = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(said.get(name) ?? "").trim();
    try {
      const kept = schedule ? Object.fromEntries(KEPT.filter((name) => schedule[name] !== null).map((name) => [name, schedule[name]])) : {};
      const body = { ...kept, cron: text("cron"), time_zone: text("time_zone") || undefined, type: text("type"), payload: parse(text("payload") || "{}") };
      await put(`schedules/${part(schedule?.name ?? text("name"))}`, body);
      changed();
      close();
    } catch (error) {
      fail(error instanceof SyntaxError ? `The arguments are no JSON: ${error.message}` : error);
    }
  };
  return (
    <Dialog title={schedule ? `Edit ${schedule.name}` : "Add a schedule"} onClose={close}>
      <form class="stack" onSubmit={(event) => void save(event as unknown as SubmitEvent)}>
        {!schedule && <Field name="name" label="Name" required />}
        <Field name="cron" label="Cron expression: minute hour day month weekday" value={schedule?.cron} required />
        <Field name="time_zone" label="Time zone, such as Europe/Berlin; UTC without" value={schedule?.time_zone} />
        <Field name="type" label="Type of its jobs" value={schedule?.type} required />
        <label class="field">
          <span>Arguments, as JSON</span>
          <textarea name="payload" rows={5} defaultValue={JSON.stringify(schedule?.payload ?? {}, null, 2)} />
        </label>
        {schedule && schedule.source === "code" && <p class="dim">What people change holds until the code declares something else.</p>}
        <footer>
          <Button onClick={close}>Do nothing</Button>
          <Button kind="main" submit>
            Save
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
