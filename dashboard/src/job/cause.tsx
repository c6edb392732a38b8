/** Why the latest attempt failed: what was raised, where in the user's code, and how it came there. */

import { useMemo } from "preact/hooks";
import type { Attempt, Job } from "../shapes/job";
import { Copy } from "../ui/bits";
import { culprit, takeApart } from "../ui/frames";
import { Text } from "../ui/text";
import { Trace } from "../ui/trace";

export function Cause({ job, attempts }: { job: Job; attempts: readonly Attempt[] | undefined }) {
  const { error } = job;
  const trace = attempts?.findLast((each) => each.error)?.error?.traceback ?? "";
  const frame = useMemo(() => culprit(takeApart(trace)), [trace]);
  if (!error) return null;
  return (
    <section class="card cause" aria-label="Cause">
      <header>
        <h2>
          <bdi>{error.type}</bdi> <code class="dim">{error.code}</code>
        </h2>
        <Copy text={trace || `${error.type}: ${error.message}`} />
      </header>
      <p class="said">
        <Text text={error.message} most={1_000} />
      </p>
      {frame && (
        <p>
          in <code>{frame.name}</code> at <code>{frame.place}</code>
        </p>
      )}
      {trace && <Trace text={trace} />}
    </section>
  );
}
