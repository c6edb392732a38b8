/** The first page: is it well, how fast does it go, what is in the way. */

import { get, list } from "../api";
import { brief, duration, many, rate } from "../format";
import { type Pulse, pulse, type Rates, rates } from "../live";
import { useLoad } from "../load";
import { href } from "../router";
import { may, tellsAll } from "../session";
import type { ErrorJson } from "../shapes/errors";
import type { NodeJson } from "../shapes/flow";
import { useStats } from "../stats";
import { Badge, Figure, Head, Section } from "../ui/bits";
import { Charts, WindowChoice, windowOfPage } from "../ui/charts";
import { Empty, Shown } from "../ui/shown";
import { ErrorTable } from "./errors";
import { NodeTable } from "./nodes";
import { QueueTable } from "./queues";

const FEW = 5;

export function Overview() {
  const stats = useStats(windowOfPage());
  return (
    <>
      <Head title="Overview">
        <WindowChoice />
      </Head>
      <Now />
      <div class="stack">
        <Shown load={stats} lines={12}>
          {(data) => <Charts stats={data} />}
        </Shown>
        <LatestErrors />
        <Section title="Queues" aside={<a href="#/queues">All queues</a>}>
          {pulse.value?.queues.length ? (
            <QueueTable queues={pulse.value.queues.slice(0, 2 * FEW)} keys={false} />
          ) : (
            <Empty title="No queue holds jobs that have not ended." />
          )}
        </Section>
        {tellsAll() && <LiveNodes />}
      </div>
    </>
  );
}

/** The numbers of this moment. */
function Now() {
  const now = pulse.value;
  if (!now) return null;
  const { counts } = now;
  const oldest = Math.max(0, ...now.queues.map((each) => each.oldest_pending_seconds ?? 0));
  const speed = rates.value;
  return (
    <dl class="figures">
      <Figure name="In" value={speed ? rate(speed.enqueued) : "–"} unit="/s" />
      <Figure name="Completed" value={speed ? rate(speed.completed) : "–"} unit="/s" />
      <Figure
        name="Failed"
        value={speed ? rate(speed.failed) : "–"}
        unit="/s"
        tone={speed && speed.failed > 0 ? "bad" : undefined}
      />
      <Figure name={<Jobs status="processing" />} value={brief(counts.processing)} />
      <Figure name={<Jobs status="pending" />} value={brief(counts.pending)} />
      <Figure
        name={<Jobs status="failed" now />}
        value={brief(counts.failed)}
        tone={counts.failed ? "bad" : undefined}
        title="Failed for good, and still stored"
      />
      <Figure
        name="Oldest waits"
        value={counts.pending ? duration(oldest) : "–"}
        tone={oldest > 60 ? "warn" : undefined}
      />
      <Figure
        name="Backlog ends"
        value={end(now, speed)}
        title="If jobs go on to come and end as in the last seconds"
      />
    </dl>
  );
}

/** @param now says so, where what happens a second has the same name */
function Jobs({ status, now }: { status: "processing" | "pending" | "failed"; now?: boolean }) {
  return (
    <a href={href("/jobs", { status })}>
      {status[0]?.toUpperCase() + status.slice(1)}
      {now && " now"}
    </a>
  );
}

/** When nothing is pending any more, as far as the last seconds tell. */
function end({ counts, nodes }: Pulse, speed: Rates | null): string {
  if (!counts.pending) return "none";
  if (nodes === 0) return "no node";
  if (!speed) return "–";
  const drain = speed.completed + speed.failed - speed.enqueued;
  return drain > 0 ? `in ${duration(counts.pending / drain)}` : speed.enqueued > 0 ? "grows" : "–";
}

function LatestErrors() {
  const load = useLoad((signal) => list<ErrorJson>("errors", { limit: FEW }, signal), [], { live: 3_000 });
  return (
    <Section title="Latest errors" aside={<a href="#/errors">All errors</a>}>
      <Shown load={load} lines={3}>
        {({ rows }) =>
          rows.length ? <ErrorTable errors={rows} keys={false} /> : <Empty title="Nothing has failed." />
        }
      </Shown>
    </Section>
  );
}

function LiveNodes() {
  const load = useLoad((signal) => get<NodeJson[]>("nodes", {}, signal), [], { live: 3_000, every: 10_000 });
  const live = (load.data ?? []).filter((node) => node.live);
  const quiet = live.filter((node) => node.quiet).length;
  return (
    <Section
      title="Nodes"
      aside={
        <>
          {quiet > 0 && <Badge status="quiet">{many(quiet, "node")} quiet</Badge>} <a href="#/nodes">All nodes</a>
        </>
      }
    >
      <Shown load={load} lines={2}>
        {() =>
          live.length ? (
            <NodeTable nodes={live.slice(0, 2 * FEW)} keys={false} />
          ) : (
            <Empty title="No node runs, so no job starts.">
              {may("read") && <code>ferryman work</code>} starts one.
            </Empty>
          )
        }
      </Shown>
    </Section>
  );
}
