/** Queues: how much stands where, how fast it goes, and what holds it up. */

import { get } from "../api";
import { brief, duration, percent, rate } from "../format";
import { pulse } from "../live";
import { useLoad } from "../load";
import { hrefTo } from "../router";
import { tellsAll } from "../session";
import type { NodeJson, QueueJson, RuleJson } from "../shapes/flow";
import type { Series, Stats } from "../shapes/stats";
import { endedLately } from "../stats";
import { Badge, Head } from "../ui/bits";
import { periodOf, Spark } from "../ui/chart";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";

interface About {
  queues: QueueJson[];
  rules: RuleJson[];
  nodes: NodeJson[];
  stats: Stats;
}

/** What there is to know of queues; a key that is limited to some may not ask for rules and nodes. */
async function lookAt(signal: AbortSignal): Promise<About> {
  const all = tellsAll();
  const [queues, stats, rules, nodes] = await Promise.all([
    get<QueueJson[]>("queues", {}, signal),
    get<Stats>("stats", { ...periodOf("1h"), by: "queue" }, signal),
    all ? get<RuleJson[]>("rules", {}, signal) : [],
    all ? get<NodeJson[]>("nodes", {}, signal) : [],
  ]);
  return {
    queues,
    stats,
    rules: rules.filter((rule) => rule.scope === "queue"),
    nodes: nodes.filter((node) => node.live),
  };
}

export function Queues() {
  const load = useLoad(lookAt, [], { live: 5_000, every: 15_000 });
  return (
    <>
      <Head title="Queues" about="A queue is there as soon as a job is put into it." />
      <Shown load={load}>{(about) => <All about={about} />}</Shown>
    </>
  );
}

function All({ about }: { about: About }) {
  const now = new Map((pulse.value?.queues ?? about.queues).map((each) => [each.queue, each]));
  const series = new Map(about.stats.series.map((each) => [each.queue ?? "", each]));
  const names = [...new Set([...now.keys(), ...series.keys(), ...about.rules.map((rule) => rule.name)])].sort();
  const queues = names.map(
    (queue) =>
      now.get(queue) ?? { queue, pending: 0, scheduled: 0, processing: 0, waiting: 0, oldest_pending_seconds: null },
  );
  if (!queues.length) return <Empty title="No job was enqueued yet.">A queue comes with its first job.</Empty>;
  return <QueueTable queues={queues} series={series} step={about.stats.step} rules={about.rules} nodes={about.nodes} />;
}

interface Props {
  queues: readonly QueueJson[];
  series?: ReadonlyMap<string, Series>;
  step?: number;
  rules?: readonly RuleJson[];
  nodes?: readonly NodeJson[];
  keys?: boolean;
}

export function QueueTable({ queues, series, step = 60, rules = [], nodes = [], keys = true }: Props) {
  const slots = (queue: string) =>
    nodes
      .filter((node) => !node.quiet && (node.queues?.includes(queue) ?? true))
      .reduce((sum, node) => sum + node.workers, 0);
  const lately = series && [
    { name: "Ended /s", number: true, extra: true, cell: (each: QueueJson) => ended(series.get(each.queue), step) },
    {
      name: "1 hour",
      extra: true,
      cell: (each: QueueJson) => (
        <Spark
          values={series.get(each.queue)?.completed ?? []}
          label={`Completed jobs of ${each.queue}`}
          color="--completed"
        />
      ),
    },
    {
      name: "In use",
      number: true,
      extra: true,
      cell: (each: QueueJson) => (slots(each.queue) ? percent(Math.min(1, each.processing / slots(each.queue))) : "–"),
    },
  ];
  return (
    <Table
      label="Queues"
      rows={queues}
      id={(each) => each.queue}
      href={(each) => hrefTo("/queues", each.queue)}
      keys={keys}
      columns={[
        { name: "Queue", cell: (each) => each.queue },
        { name: "", cell: (each) => <RuleBadge rule={rules.find((rule) => rule.name === each.queue)} /> },
        { name: "Pending", number: true, cell: (each) => brief(each.pending) },
        {
          name: "Oldest",
          number: true,
          cell: (each) => (each.oldest_pending_seconds === null ? "–" : duration(each.oldest_pending_seconds)),
        },
        { name: "Processing", number: true, cell: (each) => brief(each.processing) },
        { name: "Scheduled", number: true, extra: true, cell: (each) => brief(each.scheduled) },
        { name: "Waiting", number: true, extra: true, cell: (each) => brief(each.waiting) },
        ...(lately ?? []),
      ]}
    />
  );
}

function ended(series: Series | undefined, step: number): string {
  const speed = endedLately(series, step);
  return speed === null ? "–" : rate(speed);
}

export function RuleBadge({ rule }: { rule: RuleJson | undefined }) {
  if (rule?.paused) return <Badge status="paused" />;
  return rule && (rule.concurrency !== null || rule.rate !== null) ? (
    <span class="dim">{limitInWords(rule)}</span>
  ) : null;
}

export function limitInWords(rule: RuleJson): string {
  const said = [
    rule.concurrency !== null && `${rule.concurrency} at once`,
    rule.rate !== null && `${rate(rule.rate)}/s${rule.burst ? `, burst ${rule.burst}` : ""}`,
  ];
  return said.filter(Boolean).join(", ") || "no limit";
}
