/** Schedules: jobs by the clock. */

import { useSignal } from "@preact/signals";
import { get } from "../api";
import { count } from "../format";
import { useLoad } from "../load";
import { hrefTo } from "../router";
import { may } from "../session";
import type { ScheduleJson } from "../shapes/flow";
import { Ago, Badge, Head } from "../ui/bits";
import { Button } from "../ui/button";
import { EditSchedule } from "../ui/scheduleform";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";

export function Schedules() {
  const adding = useSignal(false);
  const load = useLoad((signal) => get<ScheduleJson[]>("schedules", {}, signal), [], { live: 3_000, every: 15_000 });
  return (
    <>
      <Head title="Schedules" about="Jobs by the clock: those that code declares, and those that people add.">
        {may("operate") && <Button onClick={() => (adding.value = true)}>Add</Button>}
      </Head>
      {adding.value && <EditSchedule close={() => (adding.value = false)} changed={load.again} />}
      <Shown load={load}>
        {(schedules) =>
          schedules.length ? (
            <Table
              label="Schedules"
              rows={schedules}
              id={(each) => each.name}
              href={(each) => hrefTo("/schedules", each.name)}
              columns={[
                { name: "Schedule", cell: (each) => each.name },
                { name: "", cell: (each) => each.paused && <Badge status="paused" /> },
                { name: "When", wide: true, cell: (each) => each.in_words ?? <code>{each.cron}</code> },
                { name: "Type", extra: true, cell: (each) => <bdi>{each.type}</bdi> },
                { name: "Next", cell: (each) => <Ago at={each.paused ? null : each.next_runs[0]} /> },
                { name: "Fired", number: true, extra: true, cell: (each) => count(each.fired) },
                { name: "Skipped", number: true, extra: true, cell: (each) => count(each.skipped) },
              ]}
            />
          ) : (
            <Empty title="There is no schedule.">
              <code>@app.cron("0 12 * * *")</code> declares one, <code>ferryman schedules add</code> adds one.
            </Empty>
          )
        }
      </Shown>
    </>
  );
}
