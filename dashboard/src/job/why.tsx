/** Why a job has not started: what it waits for first, then everything that was looked at. */

import type { Signal } from "@preact/signals";
import { get } from "../api";
import { type Explanation, hasEnded } from "../shapes/job";
import { Ago, Section } from "../ui/bits";
import { Shown } from "../ui/shown";
import { type Known, pathOf, usePart } from "./known";

const waits = ({ job }: Known) => !hasEnded(job) && job.status !== "processing";

export function Why({ known }: { known: Signal<Known | null> }) {
  const load = usePart(known, (job, signal) => get<Explanation>(`${pathOf(job.id)}/explain`, undefined, signal), () => true);
  return (
    <Section title="Why it has not started">
      <Shown load={load} lines={2}>
        {(told) =>
          told && (
            <>
              <p class="said">
                <strong>{told.summary}</strong>
              </p>
              {told.estimated_start && (
                <p>
                  It starts <Ago at={told.estimated_start} />, as things go now.
                </p>
              )}
              <ul class="conditions">
                {told.conditions
                  .filter((each) => each.text !== told.summary)
                  .toSorted((a, b) => Number(a.holds) - Number(b.holds))
                  .map((each) => (
                    <li key={each.name + each.text} class={each.holds ? "dim" : ""}>
                      <span aria-label={each.holds ? "holds" : "does not hold"}>{each.holds ? "✓" : "✗"}</span> {each.text}
                    </li>
                  ))}
              </ul>
            </>
          )
        }
      </Shown>
    </Section>
  );
}

/** Only where there is something to explain. */
export function MaybeWhy({ known }: { known: Signal<Known | null> }) {
  return known.value && waits(known.value) ? <Why known={known} /> : null;
}
