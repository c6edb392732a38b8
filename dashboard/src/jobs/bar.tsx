/** Above the table: what is marked, what can be done to it, and the way to other pages. */

import type { Signal } from "@preact/signals";
import { count } from "../format";
import type { Status } from "../live";
import { may } from "../session";
import type { Job } from "../shapes/job";
import type { Action } from "../shapes/operation";
import { Button } from "../ui/button";
import { ACTIONS, ACTS } from "./acts";

interface Props {
  status: Status | null;
  rows: readonly Job[];
  marked: Signal<ReadonlySet<string>>;
  /** Not only those of this page. */
  all: Signal<boolean>;
  act: (action: Action) => unknown;
  onPrevious: (() => void) | null;
  onNext: (() => void) | null;
  oldest: boolean;
}

export function Bar({ status, rows, marked, all, act, onPrevious, onNext, oldest }: Props) {
  const none = () => {
    all.value = false;
    marked.value = new Set();
  };
  const any = all.value || marked.value.size > 0;
  const statuses = all.value
    ? status
      ? [status]
      : null
    : rows.filter((row) => marked.value.has(row.id)).map((row) => row.status);
  const possible = ACTIONS.filter(
    (action) => any && (statuses === null || statuses.some((each) => ACTS[action].of.includes(each))),
  );
  return (
    <div class="bar-of-jobs">
      {may("operate") && (
        <div class="row" role="group" aria-label="Marked jobs">
          {any && (
            <strong role="status" class="nowrap">
              {all.value ? "All that match" : `${count(marked.value.size)} marked`}
            </strong>
          )}
          {possible.map((action) => (
            <Button
              key={action}
              kind={action === "delete" ? "danger" : "plain"}
              title={ACTS[action].key}
              onClick={() => act(action)}
            >
              {ACTS[action].name}
            </Button>
          ))}
          {!all.value && (
            <Button kind="quiet" onClick={() => (all.value = true)}>
              {any ? "All that match" : "Mark all that match"}
            </Button>
          )}
          {any && (
            <Button kind="quiet" onClick={none}>
              None
            </Button>
          )}
        </div>
      )}
      <nav class="row push" aria-label="Pages of jobs">
        <Button title="p" disabled={!onPrevious} onClick={onPrevious ?? undefined}>
          ‹ {oldest ? "Older" : "Newer"}
        </Button>
        <Button title="n" disabled={!onNext} onClick={onNext ?? undefined}>
          {oldest ? "Newer" : "Older"} ›
        </Button>
      </nav>
    </div>
  );
}
