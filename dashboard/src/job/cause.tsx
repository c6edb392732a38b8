/** Why the latest attempt failed: what was raised, where in the user's code, and how it came there. */

import { useMemo } from "preact/hooks";
import { hrefTo } from "../router";
import type { Attempt, JobError } from "../shapes/job";
import { Copy } from "../ui/bits";
import { takeApart } from "../ui/frames";
import { Text } from "../ui/text";
import { Trace } from "../ui/trace";

export function Cause({ error, attempts }: { error: JobError; attempts: readonly Attempt[] | undefined }) {
  const last = attempts?.findLast((each) => each.error)?.error;
  const trace = last?.traceback ?? "";
  return (
    <section class="card cause" aria-label="Cause">
      <header>
        <h2>
          <bdi>{error.type}</bdi> <code class="dim">{error.code}</code>
        </h2>
        {last?.group && <a href={hrefTo("/errors", last.group)}>All of this error</a>}
        <Copy text={trace || `${error.type}: ${error.message}`} />
      </header>
      <Raised message={error.message} trace={trace} />
    </section>
  );
}

export function Raised({ message, trace }: { message: string; trace: string | null }) {
  const told = useMemo(() => takeApart(trace ?? ""), [trace]);
  return (
    <>
      <p class="said">
        <Text text={message} most={1_000} />
      </p>
      {told.culprit && (
        <p>
          in <code>{told.culprit}</code>
        </p>
      )}
      {trace && <Trace of={told} />}
    </>
  );
}
