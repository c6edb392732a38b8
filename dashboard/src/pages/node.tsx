/** One node: what it is, what it runs just now; quiet, resume, stop. */

import { get, part, post } from "../api";
import { bytes } from "../format";
import { useLoad } from "../load";
import { hrefTo } from "../router";
import type { PageProps } from "../routes";
import { may } from "../session";
import type { NodeJob, NodeJson } from "../shapes/flow";
import { Ago, Facts, Head, Section, ShortId } from "../ui/bits";
import { Button } from "../ui/button";
import { ask } from "../ui/dialog";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";
import { say } from "../ui/toast";
import { NodeBadge } from "./nodes";

export function NodePage({ params }: PageProps) {
  const path = `nodes/${part(params.id ?? "")}`;
  const node = useLoad((signal) => get<NodeJson>(path, {}, signal), [path], { live: 2_000, every: 2_000 });
  return (
    <>
      <Head
        title={node.data ? `${node.data.host} · ${node.data.pid}` : "Node"}
        about={node.data && <NodeBadge node={node.data} />}
      >
        {node.data && <Orders path={path} node={node.data} changed={node.again} />}
      </Head>
      <Shown load={node}>{(told) => <About node={told} path={path} />}</Shown>
    </>
  );
}

function Orders({ path, node, changed }: { path: string; node: NodeJson; changed: () => void }) {
  if (!may("operate") || !node.live) return null;
  const order = async (word: "quiet" | "resume" | "stop", done: string) => {
    await post(`${path}/${word}`);
    say(done);
    changed();
  };
  const stop = () =>
    ask({
      title: "Stop this node?",
      body: (
        <p>
          It claims no more, lets what runs come to its end as its settings say, gives back the rest and ends. A
          supervisor may start it again.
        </p>
      ),
      yes: "Stop it",
      danger: true,
      run: () => order("stop", "It stops at its next beat."),
    });
  return (
    <>
      {node.quiet ? (
        <Button kind="main" onClick={() => order("resume", "It claims jobs again from its next beat on.")}>
          Resume
        </Button>
      ) : (
        <Button
          onClick={() => order("quiet", "From its next beat on it claims no more, and goes on with what it has.")}
        >
          Quiet
        </Button>
      )}
      <Button kind="danger" onClick={stop}>
        Stop
      </Button>
    </>
  );
}

function About({ node, path }: { node: NodeJson; path: string }) {
  const jobs = useLoad((signal) => get<NodeJob[]>(`${path}/jobs`, {}, signal), [path], { live: 1_000 });
  return (
    <div class="stack">
      <Section>
        <Facts
          facts={[
            ["Id", <code>{node.id}</code>],
            ["Version", node.version],
            ["Slots", String(node.workers)],
            ["Claimed", String(node.claimed)],
            ["Memory", node.rss_bytes && bytes(node.rss_bytes)],
            node.wish !== null && ["Asked to", node.wish],
            ["Last beat", <Ago at={node.beat_at} />],
            ["Started", <Ago at={node.started_at} />],
            node.ended_at !== null && ["Ended", <Ago at={node.ended_at} />],
            ["Queues", node.queues?.join(", ") ?? "all"],
          ]}
        />
        {node.types && <p class="end dim">Types: {node.types.join(", ")}</p>}
      </Section>
      <Section title="What it runs now">
        <Shown load={jobs} lines={3}>
          {(rows) => (rows.length ? <Running jobs={rows} /> : <Empty title="Nothing just now." />)}
        </Shown>
      </Section>
    </div>
  );
}

function Running({ jobs }: { jobs: readonly NodeJob[] }) {
  return (
    <Table
      label="Jobs that run"
      rows={jobs}
      id={(job) => job.id}
      href={(job) => hrefTo("/jobs", job.id)}
      columns={[
        { name: "Job", cell: (job) => <ShortId id={job.id} /> },
        { name: "Type", cell: (job) => <bdi>{job.type}</bdi> },
        { name: "Queue", cell: (job) => job.queue },
        { name: "Worker", extra: true, cell: (job) => job.worker_id?.split("/").at(-1) ?? "–" },
        { name: "Attempt", number: true, cell: (job) => job.attempt },
        { name: "Since", cell: (job) => <Ago at={job.started_at} /> },
      ]}
    />
  );
}
