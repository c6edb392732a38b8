/** What one run has logged, and how far it is; both follow it while it runs. */

import type { Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { count, moment, percent } from "../format";
import type { Job, LogLine, Progress } from "../shapes/job";
import { Ago, Copy, Section } from "../ui/bits";
import { Empty, Shown } from "../ui/shown";
import { Text } from "../ui/text";
import { plain } from "./ansi";
import { type Known, usePart } from "./known";

const runs = ({ status }: Job) => status === "processing";

/** The lines of a run, which is told by its claim number. */
export function Log({ known, run }: { known: Signal<Known | null>; run: number }) {
  const load = usePart<LogLine[]>(known, `/logs?claim=${run}`, (job) => runs(job) && job.claim === run);
  const lines = load.data?.data ?? [];
  const dropped = Number(load.data?.headers.get("Ferryman-Dropped-Lines"));
  return (
    <Section
      title={`Log of run ${run}`}
      aside={
        lines.length > 0 && (
          <Copy text={() => lines.map((line) => `${line.at} ${line.level} ${plain(line.message)}`).join("\n")} />
        )
      }
    >
      <Shown load={load} lines={2}>
        {() => (lines.length ? <Lines lines={lines} /> : <Empty title="This run has logged nothing." />)}
      </Shown>
      {dropped > 0 && (
        <p class="dim">{count(dropped)} more were not kept: of each run the first 500 lines are, up to 64 KiB.</p>
      )}
    </Section>
  );
}

/** Stays at the end where one is there, so that one sees what comes. */
function Lines({ lines }: { lines: LogLine[] }) {
  const room = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (atEnd.current) room.current?.scrollTo(0, room.current.scrollHeight);
  }, [lines]);
  const scroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: { currentTarget: HTMLElement }) => {
    atEnd.current = scrollTop + clientHeight > scrollHeight - 8;
  };
  return (
    <div ref={room} class="log" role="log" aria-label="Log" tabIndex={0} onScroll={scroll}>
      {lines.map((line, at) => (
        <div key={at} class={`is-${line.level}`}>
          <time>{moment(line.at).slice(11)}</time> <b title={line.logger}>{line.level}</b>{" "}
          <Text text={plain(line.message)} />
        </div>
      ))}
    </div>
  );
}

export function HowFar({ known }: { known: Signal<Known | null> }) {
  const told = usePart<Progress>(known, "/progress", runs).data?.data;
  if (!told?.at) return null;
  const { done, total, fraction, message } = told;
  return (
    <Section title="Progress" aside={<Ago at={told.at} />}>
      <p class="row">
        {fraction !== null && <strong>{percent(fraction)}</strong>}
        {done !== null && (
          <span class="dim">
            {done}
            {total !== null && ` of ${total}`}
          </span>
        )}
        {message && <Text text={message} />}
      </p>
      {fraction !== null && <progress aria-label="Progress" value={fraction} />}
    </Section>
  );
}
