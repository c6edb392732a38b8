/** Nodes: the processes that run jobs. */

import { get } from "../api";
import { bytes } from "../format";
import { useLoad } from "../load";
import { hrefTo } from "../router";
import type { NodeJson } from "../shapes/flow";
import { Ago, Badge, Head } from "../ui/bits";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";

export function Nodes() {
  const load = useLoad((signal) => get<NodeJson[]>("nodes", {}, signal), [], { live: 2_000, every: 5_000 });
  return (
    <>
      <Head title="Nodes" about="The processes that run jobs, and those that ended within the last hour." />
      <Shown load={load}>
        {(nodes) =>
          nodes.length ? (
            <NodeTable nodes={[...nodes].sort((a, b) => Number(b.live) - Number(a.live))} />
          ) : (
            <Empty title="No node runs, so no job starts.">
              <code>ferryman serve jobs.py</code> or <code>ferryman work jobs.py</code> starts one.
            </Empty>
          )
        }
      </Shown>
    </>
  );
}

export function NodeTable({ nodes, keys = true }: { nodes: readonly NodeJson[]; keys?: boolean }) {
  return (
    <Table
      label="Nodes"
      rows={nodes}
      id={(node) => node.id}
      href={(node) => hrefTo("/nodes", node.id)}
      keys={keys}
      columns={[
        { name: "Node", cell: (node) => `${node.host} · ${node.pid}` },
        { name: "", cell: (node) => <NodeBadge node={node} /> },
        { name: "Slots in use", cell: (node) => <Slots node={node} /> },
        { name: "Queues", extra: true, cell: (node) => node.queues?.join(", ") ?? "all" },
        { name: "Beat", cell: (node) => <Ago at={node.beat_at} /> },
        { name: "Memory", number: true, extra: true, cell: (node) => (node.rss_bytes ? bytes(node.rss_bytes) : "–") },
        { name: "Version", extra: true, cell: (node) => node.version },
        { name: "Started", extra: true, cell: (node) => <Ago at={node.started_at} /> },
      ]}
    />
  );
}

export function NodeBadge({ node }: { node: NodeJson }) {
  return <Badge status={!node.live ? "ended" : node.quiet ? "quiet" : "live"} />;
}

function Slots({ node }: { node: NodeJson }) {
  const busy = Math.min(node.busy ?? node.claimed, node.workers);
  return (
    <span class="slots">
      <meter min={0} max={node.workers} value={busy} aria-label={`${busy} of ${node.workers} in use`} /> {busy} /{" "}
      {node.workers}
    </span>
  );
}
