/** Data of the server in a component: loaded, kept up to date while one looks, and what went wrong. */

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { Problem } from "./api";
import { visible } from "./clock";
import { beat, connection } from "./live";

export interface Load<T> {
  /** The latest that was heard, also while there is something wrong. */
  data: T | undefined;
  error: Problem | null;
  /** Nothing was heard yet. */
  loading: boolean;
  /** Look again now. */
  again: () => void;
}

export interface Keeping {
  /** Look again once something has happened, but not more often than so (milliseconds). */
  live?: number;
  /** Look again after so long, whether anything has happened or not. */
  every?: number;
}

/** Grows when somebody wants everything to be looked at again. */
export const wanted = signal(0);

const REST = 4; // a look that takes long is not repeated at once: the server rests so many times as long

/**
 * Load what `load` gives, again whenever one of `deps` changes, which forgets what there was.
 *
 * Nothing is asked for while the tab is hidden.
 */
export function useLoad<T>(
  load: (signal: AbortSignal) => Promise<T>,
  deps: readonly unknown[],
  keeping: Keeping = {},
): Load<T> {
  const data = useSignal<T | undefined>(undefined);
  const error = useSignal<Problem | null>(null);
  const latest = useRef(load);
  latest.current = load;
  const loader = useMemo(() => new Loader(() => latest.current, data, error, keeping), []);
  useEffect(() => {
    data.value = undefined;
    error.value = null;
    return loader.start();
  }, deps);
  return {
    data: data.value,
    error: error.value,
    loading: data.value === undefined && error.value === null,
    again: loader.now,
  };
}

interface Cell<T> {
  value: T;
}

class Loader<T> {
  private control = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private seen = 0;
  private earliest = 0;
  private busy = false;

  constructor(
    private readonly load: () => (signal: AbortSignal) => Promise<T>,
    private readonly data: Cell<T | undefined>,
    private readonly error: Cell<Problem | null>,
    private readonly keeping: Keeping,
  ) {}

  /** Begin. Returns what ends it. */
  start(): () => void {
    this.now();
    let told = wanted.peek();
    const end = effect(() => {
      if (wanted.value !== told) {
        told = wanted.value;
        this.now();
      }
      void beat.value;
      void connection.value;
      if (visible.value) this.plan();
    });
    return () => {
      end();
      this.stop();
    };
  }

  now = (): void => {
    this.stop();
    void this.run();
  };

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.control.abort();
    this.busy = false;
  }

  /** Look again when it is time, if there is a reason. */
  private plan(): void {
    if (this.busy || this.timer !== undefined) return;
    const { live, every } = this.keeping;
    const stale = live !== undefined && (this.seen !== beat.peek() || this.error.value !== null);
    if (!stale && every === undefined) return;
    const wait = Math.max(this.earliest - performance.now(), stale ? 0 : (every ?? 0));
    this.timer = setTimeout(() => {
      this.timer = undefined;
      if (visible.peek()) void this.run();
    }, wait);
  }

  private async run(): Promise<void> {
    this.control = new AbortController();
    const { signal } = this.control;
    this.busy = true;
    this.seen = beat.peek();
    const began = performance.now();
    try {
      const told = await this.load()(signal);
      if (signal.aborted) return;
      this.data.value = told;
      this.error.value = null;
    } catch (error) {
      if (signal.aborted) return;
      this.error.value = error instanceof Problem ? error : new Problem(0, "", String(error));
    }
    const took = performance.now() - began;
    const pause = Math.max(this.error.value ? 2_000 : (this.keeping.live ?? this.keeping.every ?? 0), REST * took);
    this.earliest = performance.now() + pause;
    this.busy = false;
    this.plan();
  }
}
