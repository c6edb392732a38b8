/** The four states of everything that is loaded: loading, there, empty, and gone wrong. */

import type { ComponentChildren } from "preact";
import type { Problem } from "../api";
import type { Load } from "../load";
import { Button } from "./button";

interface Props<T> {
  load: Load<T>;
  children: (data: T) => ComponentChildren;
  /** How many lines to draw while nothing is known. */
  lines?: number;
}

/** What was loaded. What is known stays while a later look goes wrong, with a word about it. */
export function Shown<T>({ load, children, lines = 5 }: Props<T>) {
  if (load.data === undefined) {
    return load.error ? <Trouble problem={load.error} again={load.again} /> : <Waiting lines={lines} />;
  }
  return (
    <>
      {load.error && <Trouble problem={load.error} again={load.again} small />}
      {children(load.data)}
    </>
  );
}

export function Waiting({ lines }: { lines: number }) {
  return (
    <div class="waiting" role="status" aria-label="Loading">
      {Array.from({ length: lines }, (_, at) => (
        <div key={at} class="bone" />
      ))}
    </div>
  );
}

export function Trouble({ problem, again, small }: { problem: Problem; again?: () => void; small?: boolean }) {
  return (
    <div class={small ? "trouble small" : "trouble"} role="alert">
      <p>
        <strong>{problem.message}</strong> {problem.code && <code>{problem.code}</code>}
      </p>
      {problem.errors.length > 1 && (
        <ul>
          {problem.errors.map((each) => (
            <li key={each.message}>
              {each.pointer && <code>{each.pointer}</code>} {each.message}
            </li>
          ))}
        </ul>
      )}
      {problem.hint && <p>{problem.hint}</p>}
      {again && <Button onClick={again}>Try again</Button>}
    </div>
  );
}

/** Nothing is there, and what one can do about it. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>
        <strong>{title}</strong>
      </p>
      {children && <div class="dim">{children}</div>}
    </div>
  );
}
