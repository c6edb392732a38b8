/** How far an operation is. */

import { useRef } from "preact/hooks";
import { get, part, post } from "../api";
import { now } from "../clock";
import { between, count, duration, rate } from "../format";
import { type Load, useLoad } from "../load";
import { href } from "../router";
import { may } from "../session";
import type { Operation } from "../shapes/operation";
import { Badge } from "../ui/bits";
import { Button } from "../ui/button";
import { ACTS } from "./acts";

/** An operation, looked at until it has ended. */
export function useOperation(id: string): Load<Operation> {
  const ended = useRef<Operation | null>(null);
  return useLoad(
    async (signal) => {
      if (ended.current?.id === id) return ended.current;
      const told = await get<Operation>(`operations/${part(id)}`, {}, signal);
      if (told.status !== "running") ended.current = told;
      return told;
    },
    [id],
    { every: 500 },
  );
}

/** How much of it is done; while nobody knows, that something is. */
export function Meter({
  operation: { status, changed, skipped },
  of = null,
}: {
  operation: Operation;
  of?: number | null;
}) {
  if (of === null && status !== "running" && status !== "completed") return null;
  const value = status === "completed" ? 1 : of ? Math.min((changed + skipped) / of, 0.99) : undefined;
  return <progress aria-label="Progress" value={value} />;
}

/** How far it is in words: how many of how many, how fast, and for how long it still goes on. */
export function Words({ operation, of }: { operation: Operation; of: number | null }) {
  const { status, changed, skipped, created_at, finished_at } = operation;
  const seconds = finished_at ? between(created_at, finished_at) : (now.value - Date.parse(created_at)) / 1000;
  const speed = changed / Math.max(seconds, 0.1);
  const left = of === null ? null : (of - changed - skipped) / ((changed + skipped) / Math.max(seconds, 0.1));
  return (
    <p>
      <strong>{count(changed)}</strong>
      {of !== null && of >= changed && ` of ${count(of)}`} {ACTS[operation.action].done}
      {skipped > 0 && `, ${count(skipped)} left alone`}{" "}
      <span class="dim">
        · {duration(seconds)}
        {changed > 0 && ` · ${rate(speed)} a second`}
        {status === "running" && left !== null && Number.isFinite(left) && left > 0 && ` · ${duration(left)} to go`}
      </span>
    </p>
  );
}

/** Stops it; there only for who may, and while there is something to be stopped. */
export function Stop({ operation, onDone }: { operation: Operation; onDone: () => void }) {
  if (operation.status !== "running" || !may("operate")) return null;
  const stop = async () => {
    try {
      await post(`operations/${part(operation.id)}/cancel`);
    } finally {
      onDone();
    }
  };
  return (
    <Button kind="danger" onClick={stop}>
      Stop
    </Button>
  );
}

/** An operation that was started here. */
export function Started({ id, of, onClose }: { id: string; of: number | null; onClose: () => void }) {
  const load = useOperation(id);
  const operation = load.data;
  if (!operation) return null;
  return (
    <section class="card started" aria-label="Operation">
      <div class="row">
        <Badge status={operation.status} />
        <Words operation={operation} of={of} />
        <span class="push row">
          <a href={href(`/operations/${part(id)}`, { of: of === null ? null : String(of) })}>Details</a>
          <Stop operation={operation} onDone={load.again} />
          <Button kind="quiet" aria-label="Close" onClick={onClose}>
            ✕
          </Button>
        </span>
      </div>
      <Meter operation={operation} of={of} />
      {operation.error && <p class="dim">{operation.error}</p>}
    </section>
  );
}
