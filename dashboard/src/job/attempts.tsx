/** The attempts of a job below one another, their waits and runs drawn to one scale. */

import { useSignal } from "@preact/signals";
import { now } from "../clock";
import { count, duration, many, moment } from "../format";
import { href, hrefTo } from "../router";
import type { Attempt, Job } from "../shapes/job";
import { Badge, Facts, Section } from "../ui/bits";
import { Button } from "../ui/button";
import { Fold } from "../ui/fold";
import { Text } from "../ui/text";
import { Trace } from "../ui/trace";
import { hasEnded } from "./known";
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
          <Line key={row.attempt ? `${row.attempt.claim} ${row.attempt.what}` : "now"} row={row} bars={bars[at] ?? []} job={job} />
        ))}
      </div>
    </Section>
  );
}

const length = (bar: Bar) => duration((bar.to - bar.from) / 1000);
const at = (time: number) => moment(new Date(time).toISOString());

function Line({ row, bars, job }: { row: Row; bars: Scale["bars"][number]; job: Job }) {
  const { attempt } = row;
  const ran = row.bars.find((bar) => bar.name === "Run");
  const said = row.bars.map((bar) => `${bar.name} ${length(bar)}`).join(", ");
  const name = (
    <>
      <span class="nowrap">{ran ? `Attempt ${attempt?.attempt || job.attempt}` : attempt ? "No run" : "Next"}</span>
      <Badge status={ran && attempt?.what === "failed" ? "failed" : (attempt?.status ?? job.status)}>{attempt?.what ?? job.status}</Badge>
      <span class="track" role="img" aria-label={said}>
        {row.bars.map((bar, n) => (
          <i
            key={bar.status}
            title={`${bar.name} ${length(bar)}, from ${at(bar.from)}`}
            style={{ left: `${bars[n]?.left}%`, width: `${bars[n]?.width}%`, background: `var(--${bar.status})` }}
          />
        ))}
      </span>
      <span class="took">{ran ? length(ran) : ""}</span>
    </>
  );
  return (
    <Fold name={name} class="line">
      {() => (
        <div class="stack">
          <Facts
            facts={[
              ...row.bars.map((bar) => [bar.name, `${length(bar)}, from ${at(bar.from)}`] as const),
              ...who(attempt ?? job),
              ran && (["Log", <a href={href(`/jobs/${job.id}`, { run: String((attempt ?? job).claim) })}>Lines of this run</a>] as const),
            ].filter((fact) => fact !== undefined)}
          />
          {attempt?.error && (
            <p class="said">
              <strong>{attempt.error.type}</strong> <Text text={attempt.error.message} most={1_000} />
            </p>
          )}
          {attempt?.error?.traceback && <Trace text={attempt.error.traceback} />}
        </div>
      )}
    </Fold>
  );
}

function who({ worker_id, node }: Pick<Attempt, "worker_id" | "node">) {
  return [
    ["Worker", worker_id?.split("/").at(-1)],
    ["Node", node && <a href={hrefTo("/nodes", node)}>{node}</a>],
  ] as const;
}

export const runsOf = (attempts: readonly Attempt[]) => many(attempts.filter((each) => each.started_at).length, "run");
