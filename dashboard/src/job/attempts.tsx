/** The attempts of a job below one another, their waits and runs drawn to one scale. */

import { useSignal } from "@preact/signals";
import { now } from "../clock";
import { count, duration, moment } from "../format";
import { href, hrefTo } from "../router";
import { type Attempt, hasEnded, type Job } from "../shapes/job";
import { Badge, Facts, Section } from "../ui/bits";
import { Button } from "../ui/button";
import { Fold } from "../ui/fold";
import { Raised } from "./cause";
import { type Bar, type Row, rowsOf, type Scale, scaled } from "./timeline";

const FIRST = 20;

export function Attempts({ job, attempts }: { job: Job; attempts: readonly Attempt[] }) {
  const all = useSignal(false);
  const every = rowsOf(job, attempts, hasEnded(job) ? 0 : now.value);
  const rows = all.value ? every : every.slice(-FIRST);
  const { bars, squeezed } = scaled(rows);
  const left = every.length - rows.length;
  return (
    <Section title="Timeline" aside={<span class="dim">{squeezed ? "Lengths are logarithmic" : "To scale"}</span>}>
      {left > 0 && (
        <Button kind="quiet" onClick={() => (all.value = true)}>
          Show {count(left)} earlier
        </Button>
      )}
      <div class="timeline">
        {rows.map((row, at) => (
          <Line
            key={row.attempt ? `${row.attempt.claim} ${row.attempt.what}` : "now"}
            row={row}
            bars={bars[at] ?? []}
            job={job}
          />
        ))}
      </div>
    </Section>
  );
}

const length = (bar: Bar) => duration((bar.to - bar.from) / 1000);
const from = (bar: Bar) => moment(new Date(bar.from).toISOString());

function Line({ row, bars, job }: { row: Row; bars: Scale["bars"][number]; job: Job }) {
  const { attempt } = row;
  const run = attempt ?? job;
  const ran = row.bars.some((bar) => bar.name === "Run");
  const name = (
    <>
      <span class="nowrap">{ran ? `Attempt ${run.attempt}` : attempt ? "No run" : "Now"}</span>
      <Badge status={attempt?.what === "failed" ? "failed" : run.status}>{attempt?.what ?? run.status}</Badge>
      <span class="track" aria-hidden="true">
        {row.bars.map((bar, at) => (
          <i
            key={bar.name}
            style={{ left: `${bars[at]?.left}%`, width: `${bars[at]?.width}%`, background: `var(--${bar.status})` }}
          />
        ))}
      </span>
      <span class="dim">{row.bars.map((bar) => `${bar.name} ${length(bar)}`).join(", ")}</span>
    </>
  );
  return (
    <Fold name={name} class="line">
      {() => (
        <div class="stack">
          <Facts
            facts={[
              ...row.bars.map((bar) => [bar.name, `${length(bar)} from ${from(bar)}`] as const),
              ran && (["Ran on", <RanOn {...run} />] as const),
              ran &&
                ([
                  "Log",
                  <a href={href(`/jobs/${job.id}`, { run: String(run.claim) })}>Lines of run {run.claim}</a>,
                ] as const),
            ]}
          />
          {attempt?.error && (
            <div>
              <strong>{attempt.error.type}</strong>
              <Raised message={attempt.error.message} trace={attempt.error.traceback} />
            </div>
          )}
        </div>
      )}
    </Fold>
  );
}

/** The worker: its number, after the end of its node's id. */
export function RanOn({ worker_id, node }: Pick<Attempt, "worker_id" | "node">) {
  return (
    node && (
      <a href={hrefTo("/nodes", node)} title={node}>
        …{(worker_id ?? node).slice(node.length - 6)}
      </a>
    )
  );
}
