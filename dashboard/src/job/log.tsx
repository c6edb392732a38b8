/** What one run has logged, and how far it is; both follow it while it runs. */

import type { Signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import { call, get } from "../api";
import { count, moment, percent } from "../format";
import { place } from "../router";
import type { Attempt, Job, LogLine, Progress } from "../shapes/job";
import { Ago, Copy, Section } from "../ui/bits";
import { Empty, Shown } from "../ui/shown";
import { Text } from "../ui/text";
import { type Known, pathOf, usePart } from "./known";

const isRunning = (job: Job) => job.status === "processing";
const ANSI = /\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-_])/g;

/** Text without what would colour it in a terminal. */
export function plain(text: string): string {
  return text.replace(ANSI, "");
}

interface Told {
  lines: LogLine[];
  dropped: number;
}

export function Log({ known, attempts }: { known: Signal<Known | null>; attempts: readonly Attempt[] | undefined }) {
  const latest = attempts?.findLast((each) => each.started_at)?.claim ?? 0;
  const job = known.value?.job;
  const run = Number(place.value.query.get("run")) || (job && isRunning(job) ? job.claim : latest);
  return <Lines key={run} known={known} run={run} />;
}

function Lines({ known, run }: { known: Signal<Known | null>; run: number }) {
  const load = usePart(
    known,
    async (job, signal): Promise<Told> => {
      const { data, headers } = await call<LogLine[]>("GET", `${pathOf(job.id)}/logs`, { query: { claim: run }, signal });
      return { lines: data, dropped: Number(headers.get("Ferryman-Dropped-Lines")) };
    },
    (job) => isRunning(job) && job.claim === run,
  );
  return (
    <Section
      title={`Log of run ${run}`}
      aside={load.data?.lines.length ? <Copy text={() => load.data?.lines.map((line) => `${line.at} ${line.level} ${line.message}`).join("\n") ?? ""} /> : null}
    >
      <Shown load={load} lines={2}>
        {(told) => (told?.lines.length ? <Room {...told} /> : <Empty title="This run has logged nothing." />)}
      </Shown>
    </Section>
  );
}

function Room({ lines, dropped }: Told) {
  const room = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useLayoutEffect(() => {
    if (atEnd.current && room.current) room.current.scrollTop = room.current.scrollHeight;
  }, [lines]);
  const scroll = ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: { currentTarget: HTMLElement }) => {
    atEnd.current = scrollTop + clientHeight > scrollHeight - 8;
  };
  return (
    <>
      <div ref={room} class="log" role="log" aria-label="Log" tabIndex={0} onScroll={scroll}>
        {lines.map((line, at) => (
          <div key={at} class={`is-${line.level}`}>
            <time dateTime={line.at}>{moment(line.at).slice(11)}</time> <b title={line.logger}>{line.level}</b>{" "}
            <Text text={plain(line.message)} />
          </div>
        ))}
      </div>
      {dropped > 0 && <p class="dim">{count(dropped)} more were not kept: of each run the first 500 lines are, up to 64 KiB.</p>}
    </>
  );
}

export function HowFar({ known }: { known: Signal<Known | null> }) {
  const { data } = usePart(known, (job, signal) => get<Progress>(`${pathOf(job.id)}/progress`, undefined, signal), isRunning);
  if (!data?.at) return null;
  const { done, total, fraction, message } = data;
  const said = `${done ?? ""}${total === null ? "" : ` of ${total}`}`;
  return (
    <Section title="Progress" aside={<Ago at={data.at} />}>
      <p class="row">
        <strong>{fraction === null ? said : percent(fraction)}</strong> {fraction !== null && <span class="dim">{said}</span>} {message && <Text text={message} />}
      </p>
      {fraction !== null && (
        <progress aria-label="Progress" value={fraction} />
      )}
    </Section>
  );
}
