/**
 * What happens just now: one stream of server-sent events for the whole tab, at most four events a second. It is
 * `GET /live`, or what the page that is open wants to hear in its place.
 *
 *     connecting --> live <--> lost (tried again by itself)       hidden tab: paused
 *                      \--> polling, where the server has no room for another stream
 */

import { computed, effect, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { get, Problem } from "./api";
import { now, visible } from "./clock";
import { session } from "./session";
import type { QueueJson } from "./shapes/flow";

export const STATUSES = ["waiting", "scheduled", "pending", "processing", "completed", "failed", "cancelled"] as const;
export type Status = (typeof STATUSES)[number];
export type Counts = Record<Status, number>;

/** What an event of `GET /live` says. `enqueued` and `ended` only grow. */
export interface Pulse {
  at: string;
  counts: Counts;
  queues: QueueJson[];
  enqueued: number;
  ended: { completed: number; failed: number; cancelled: number };
  /** null where the server tells no more than `poll` asks for. */
  nodes: number | null;
}

/** How many a second, over the last seconds. */
export interface Rates {
  enqueued: number;
  completed: number;
  failed: number;
}

export type Connection = "connecting" | "live" | "lost" | "polling" | "paused";

interface Heard {
  /** When, by the clock of this machine. */
  at: number;
  pulse: Pulse;
}

const latest = signal<Heard | null>(null);
/** What was told last, and how long the oldest jobs wait by now: while only time goes by, nothing is told. */
export const pulse = computed<Pulse | null>(() => {
  if (!latest.value) return null;
  const { at, pulse: told } = latest.value;
  const since = Math.max(0, now.value - at) / 1000;
  const queues = told.queues.map((each) =>
    each.oldest_pending_seconds === null
      ? each
      : { ...each, oldest_pending_seconds: each.oldest_pending_seconds + since },
  );
  return { ...told, queues };
});
/** null until there was some time to look at. */
export const rates = computed<Rates | null>(() => {
  const last = latest.value;
  const until = Math.max(now.value, last?.at ?? 0);
  const first = heard.findLast((each) => each.at <= until - SPAN_MS) ?? heard[0];
  if (!last || !first || until <= first.at) return null;
  return between(first.pulse, last.pulse, (until - Math.max(first.at, until - SPAN_MS)) / 1000);
});
export const connection = signal<Connection>("connecting");
/** Grows with everything that is heard: who shows something that may have changed looks at it. */
export const beat = signal(0);
/** When the connection was lost; null while there is one. */
export const lostAt = signal<number | null>(null);

/** What the tab's one stream is. */
export interface Stream {
  path: string;
  /** The event that counts. */
  event: string;
  /** Take in what it says, and the id that it has. Gives whether that was the last one. */
  hear: (data: string, id: string) => boolean;
}

const LIVE: Stream = { path: "live", event: "live", hear: (data) => hear(JSON.parse(data)) };
const chosen = signal(LIVE);

/** While a component is there, hear something else than `GET /live`; null is that. */
export function useStream(path: string | null, event: string, take: Stream["hear"]): void {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    if (path === null) return;
    chosen.value = { path, event, hear: (data, id) => latest.current(data, id) };
    return () => {
      chosen.value = LIVE;
    };
  }, [path]);
}

const POLL_MS = 2_000;
const RETRY_MS = 15_000;
const SPAN_MS = 10_000;

let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;
/** What was told in the last seconds, and the last before. */
let heard: Heard[] = [];
/** Grows whenever what was under way is not wanted any more. */
let turn = 0;

function hear(told: Pulse): false {
  const at = Date.now();
  heard = [
    ...heard.slice(
      Math.max(
        0,
        heard.findLastIndex((each) => each.at <= at - SPAN_MS),
      ),
    ),
    { at, pulse: told },
  ];
  latest.value = { at, pulse: told };
  return false;
}

function between(first: Pulse, last: Pulse, seconds: number): Rates {
  return {
    enqueued: (last.enqueued - first.enqueued) / seconds,
    completed: (last.ended.completed - first.ended.completed) / seconds,
    failed: (last.ended.failed - first.ended.failed) / seconds,
  };
}

function become(next: Connection): void {
  lostAt.value = next === "lost" ? (lostAt.value ?? Date.now()) : null;
  if (next === "live" && connection.value !== "live") beat.value++; // what was missed meanwhile is looked at
  connection.value = next;
}

function open(): void {
  close();
  heard = []; // of what happened meanwhile nobody knows when
  const stream = chosen.peek();
  source = new EventSource(`./${stream.path}`);
  source.addEventListener("open", () => become("live"));
  source.addEventListener(stream.event, (event) => {
    const { data, lastEventId } = event as MessageEvent<string>;
    become("live");
    if (stream.hear(data, lastEventId)) chosen.value = LIVE; // at once: the server closes a stream that has ended
    beat.value++;
  });
  source.addEventListener("error", () => {
    if (source?.readyState === EventSource.CLOSED) void poll();
    else become("lost");
  });
}

/** The server has answered, and not with a stream: ask for the counts now and then, and for a stream again later. */
async function poll(since = Date.now()): Promise<void> {
  close();
  const mine = turn;
  try {
    const [counts, queues] = await Promise.all([get<Counts>("counts"), get<QueueJson[]>("queues")]);
    if (mine !== turn) return; // nobody looks any more, or a stream is open again
    const before = latest.value?.pulse ?? {
      enqueued: 0,
      ended: { completed: 0, failed: 0, cancelled: 0 },
      nodes: null,
    };
    heard = []; // what was heard long ago says nothing of now
    latest.value = { at: Date.now(), pulse: { ...before, at: new Date().toISOString(), counts, queues } };
    become("polling");
    beat.value++;
  } catch (error) {
    if (mine !== turn || (error instanceof Problem && error.status === 401)) return;
    become("lost");
  }
  timer = setTimeout(() => (Date.now() - since > RETRY_MS ? open() : void poll(since)), POLL_MS);
}

function close(): void {
  turn++;
  clearTimeout(timer);
  source?.close();
  source = null;
}

/** Listen as long as somebody who may looks at this tab. Returns what ends it. */
export function listen(): () => void {
  const end = effect(() => {
    const on = visible.value && session.value?.rights.includes("read");
    void chosen.value;
    if (on) open();
    else close();
    if (!visible.value) become("paused");
  });
  return () => {
    end();
    close();
  };
}
