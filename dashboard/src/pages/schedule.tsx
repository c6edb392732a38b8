/** One schedule: what it says, when it fires next, what it has made; run now, pause, edit. */

import { useSignal } from "@preact/signals";
import { get, getExact, part, post, remove } from "../api";
import { between, count, duration, moment } from "../format";
import { useKeys } from "../keys";
import { useLoad } from "../load";
import { go, hrefTo } from "../router";
import type { PageProps } from "../routes";
import { may } from "../session";
import type { ScheduleJson, ScheduleRun } from "../shapes/flow";
import { Ago, Badge, Facts, Head, Section, ShortId } from "../ui/bits";
import { Button } from "../ui/button";
import { ask } from "../ui/dialog";
import { EditSchedule } from "../ui/scheduleform";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";
import { fail, say } from "../ui/toast";

export function SchedulePage({ params }: PageProps) {
  const path = `schedules/${part(params.name ?? "")}`;
  const load = useLoad((signal) => getExact<ScheduleJson>(path, signal), [path], { live: 2_000, every: 10_000 });
  const schedule = load.data;
  return (
    <>
      <Head title={params.name} about={schedule?.paused && <Badge status="paused" />}>
        {schedule && may("operate") && <Orders path={path} schedule={schedule} changed={load.again} />}
      </Head>
      <Shown load={load}>{(told) => <Told schedule={told} path={path} />}</Shown>
    </>
  );
}

function Orders({ path, schedule, changed }: { path: string; schedule: ScheduleJson; changed: () => void }) {
  const editing = useSignal(false);
  const run = async () => {
    const job = await post<{ id: string }>(`${path}/run`);
    say("Its job is enqueued.", { text: "Show it", href: hrefTo("/jobs", job.id) });
    changed();
  };
  const pause = async () => {
    await post(`${path}/${schedule.paused ? "resume" : "pause"}`);
    changed();
  };
  const drop = () =>
    ask({
      title: `Drop ${schedule.name}?`,
      body: <p>It fires no more; its jobs stay.</p>,
      yes: "Drop it",
      danger: true,
      run: async () => {
        await remove(path);
        go("#/schedules");
      },
    });
  useKeys([
    { keys: "r", what: "Run the schedule now", group: "This page", run: () => void run().catch(fail), palette: true },
  ]);
  return (
    <>
      <Button kind="main" onClick={run}>
        Run now
      </Button>
      <Button onClick={pause}>{schedule.paused ? "Resume" : "Pause"}</Button>
      <Button onClick={() => (editing.value = true)}>Edit</Button>
      <Button kind="danger" onClick={drop}>
        Drop
      </Button>
      {editing.value && <EditSchedule schedule={schedule} changed={changed} close={() => (editing.value = false)} />}
    </>
  );
}

function Told({ schedule, path }: { schedule: ScheduleJson; path: string }) {
  return (
    <div class="stack">
      <div class="grid">
        <Section title={schedule.in_words ?? "This machine does not know its time zone"}>
          <Facts
            facts={[
              ["Cron", <code>{schedule.cron}</code>],
              ["Time zone", schedule.time_zone],
              ["Type", <a href={hrefTo("/types", schedule.type)}>{schedule.type}</a>],
              ["Queue", <a href={hrefTo("/queues", schedule.queue)}>{schedule.queue}</a>],
              ["Source", schedule.source + (schedule.overridden ? ", changed by people" : "")],
              ["Missed", schedule.missed],
              ["Overlap", schedule.overlap],
              ["Fired", count(schedule.fired)],
              ["Skipped", count(schedule.skipped)],
              ["Changed", <Ago at={schedule.changed_at} />],
            ]}
          />
        </Section>
        <Section title="Next runs">
          {schedule.paused ? <Empty title="None: it is paused." /> : <Next runs={schedule.next_runs} />}
        </Section>
        <Section title="Arguments">
          <pre tabIndex={0}>{JSON.stringify(schedule.payload, null, 2)}</pre>
        </Section>
      </div>
      <History path={path} />
    </div>
  );
}

function Next({ runs }: { runs: readonly string[] }) {
  return (
    <ol>
      {runs.map((at) => (
        <li key={at}>
          {moment(at).slice(0, 19)}{" "}
          <span class="dim">
            (<Ago at={at} />)
          </span>
        </li>
      ))}
    </ol>
  );
}

function History({ path }: { path: string }) {
  const load = useLoad((signal) => get<ScheduleRun[]>(`${path}/runs`, { limit: 30 }, signal), [path], { live: 2_000 });
  return (
    <Section title="What it has made">
      <Shown load={load}>
        {(runs) =>
          runs.length ? (
            <Table
              label="Jobs of this schedule"
              rows={runs}
              id={(run) => run.id}
              href={(run) => hrefTo("/jobs", run.id)}
              columns={[
                { name: "Job", cell: (run) => <ShortId id={run.id} /> },
                { name: "Status", cell: (run) => <Badge status={run.status} /> },
                { name: "Due", cell: (run) => <Ago at={run.due_at} /> },
                { name: "Made after", number: true, cell: (run) => duration(between(run.due_at, run.created_at)) },
                {
                  name: "Ran for",
                  number: true,
                  cell: (run) =>
                    run.started_at && run.finished_at ? duration(between(run.started_at, run.finished_at)) : "–",
                },
              ]}
            />
          ) : (
            <Empty title="It has made no job yet, or none that is still stored." />
          )
        }
      </Shown>
    </Section>
  );
}
