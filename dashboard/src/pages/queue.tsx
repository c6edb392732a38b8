/** One queue: its numbers and charts, and what one can do about it. */

import { useSignal } from "@preact/signals";
import { get, part, post } from "../api";
import { brief, count, duration, many, rate } from "../format";
import { pulse } from "../live";
import { useLoad } from "../load";
import { go, href, hrefTo } from "../router";
import type { PageProps } from "../routes";
import { may, tellsAll } from "../session";
import type { QueueJson, RuleJson } from "../shapes/flow";
import type { Stats } from "../shapes/stats";
import { endedLately, useStats } from "../stats";
import { Figure, Head, Section } from "../ui/bits";
import { Button } from "../ui/button";
import { Charts, WindowChoice, windowOfPage } from "../ui/charts";
import { ask } from "../ui/dialog";
import { RuleActions } from "../ui/rule";
import { Shown } from "../ui/shown";
import { limitInWords, RuleBadge } from "./queues";

export function QueuePage({ params }: PageProps) {
  const name = params.name ?? "";
  const load = useLoad((signal) => lookAt(name, signal), [name], { live: 5_000 });
  const stats = useStats(windowOfPage(), { queue: name });
  const rule = load.data?.rule;
  const from = useSignal<QueueJson | null>(null);
  return (
    <>
      <Head title={name} about={rule && (rule.paused ? <RuleBadge rule={rule} /> : limitInWords(rule))}>
        <RuleActions scope="queue" name={name} rule={rule} changed={load.again} />
        <Button onClick={() => (from.value = pulse.value?.queues.find((each) => each.queue === name) ?? null)}>
          Watch it drain
        </Button>
        {may("operate") && (
          <Button onClick={() => purge(name)} kind="danger">
            Purge
          </Button>
        )}
        <WindowChoice />
      </Head>
      <Shown load={load} lines={2}>
        {({ queue }) => {
          const now = pulse.value?.queues.find((each) => each.queue === name) ?? {
            ...queue,
            pending: 0,
            processing: 0,
          };
          return (
            <>
              <Numbers queue={pulse.value ? now : queue} stats={stats.data} />
              {from.value !== null && <Drain queue={now} from={from.value} close={() => (from.value = null)} />}
            </>
          );
        }}
      </Shown>
      <Shown load={stats} lines={12}>
        {(data) => <Charts stats={data} />}
      </Shown>
    </>
  );
}

async function lookAt(name: string, signal: AbortSignal): Promise<{ queue: QueueJson; rule: RuleJson | undefined }> {
  const [queue, rules] = await Promise.all([
    get<QueueJson>(`queues/${part(name)}`, {}, signal),
    tellsAll() ? get<RuleJson[]>("rules", {}, signal) : [],
  ]);
  return { queue, rule: rules.find((rule) => rule.scope === "queue" && rule.name === name) };
}

function Numbers({ queue, stats }: { queue: QueueJson; stats: Stats | undefined }) {
  const speed = stats && endedLately(stats.series[0], stats.step);
  return (
    <dl class="figures">
      {(["pending", "processing", "scheduled", "waiting"] as const).map((status) => (
        <Figure
          key={status}
          name={
            <a href={href("/jobs", { status, filter: `queue:${queue.queue}` })}>
              {status[0]?.toUpperCase() + status.slice(1)}
            </a>
          }
          value={brief(queue[status])}
        />
      ))}
      <Figure
        name="Oldest waits"
        value={queue.oldest_pending_seconds === null ? "–" : duration(queue.oldest_pending_seconds)}
      />
      <Figure name="Ended" value={speed === undefined || speed === null ? "–" : rate(speed)} unit="/s" />
      <Figure
        name="Empty"
        value={queue.pending ? (speed ? `in ${duration(queue.pending / speed)}` : "–") : "now"}
        title="If jobs end as in the last minutes, and no more come"
      />
    </dl>
  );
}

const left = (queue: QueueJson): number => queue.pending + queue.processing;

/** How much of what was pending or processing has ended since somebody began to watch. */
function Drain({ queue, from, close }: { queue: QueueJson; from: QueueJson; close: () => void }) {
  const most = Math.max(left(from), left(queue));
  return (
    <Section
      title={left(queue) ? `${many(left(queue), "job")} to go` : "Nothing is pending or processing"}
      aside={<Button onClick={close}>Close</Button>}
    >
      <progress class="whole" max={most || 1} value={most ? most - left(queue) : 1} aria-label="Drained" />
      <p class="dim">Jobs that come meanwhile count, too.</p>
    </Section>
  );
}

/** Cancel all that waits here, however much it is: an operation that one can watch and stop. */
async function purge(name: string): Promise<void> {
  const filter = `queue:${name} status:waiting,scheduled,pending`;
  const { count: n, complete } = await post<{ count: number; complete: boolean }>("operations", {
    action: "cancel",
    filter,
    dry_run: true,
  });
  ask({
    title: `Purge ${name}?`,
    body: (
      <p>
        {complete ? "" : "At least "}
        {count(n)} jobs that wait, are scheduled or pending are cancelled. What runs goes on. They can be retried
        afterwards, one by one or all together.
      </p>
    ),
    yes: "Cancel them",
    danger: true,
    type: name,
    run: async () => {
      const { id } = await post<{ id: string }>("operations", { action: "cancel", filter });
      go(hrefTo("/operations", id));
    },
  });
}
