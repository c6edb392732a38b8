/** Why a job has not started: what it waits for first, then everything else that was looked at. */

import type { Signal } from "@preact/signals";
import type { Explanation } from "../shapes/job";
import { Ago, Section } from "../ui/bits";
import { Shown } from "../ui/shown";
import { type Known, usePart } from "./known";

export function Why({ known }: { known: Signal<Known | null> }) {
  const load = usePart<Explanation>(known, "/explain", () => true);
  return (
    <Section title="Why it has not started">
      <Shown load={load} lines={2}>
        {(told) => told && <Explained {...told.data} />}
      </Shown>
    </Section>
  );
}

function Explained({ summary, conditions, estimated_start }: Explanation) {
  const others = conditions.filter((each) => each.text !== summary).sort((a, b) => Number(a.holds) - Number(b.holds));
  return (
    <>
      <p class="said">
        <strong>{summary}</strong>
      </p>
      {estimated_start && (
        <p>
          It starts <Ago at={estimated_start} />, as things go now.
        </p>
      )}
      <ul class="conditions">
        {others.map(({ text, holds }) => (
          <li key={text} class={holds ? "dim" : ""}>
            <span aria-label={holds ? "holds:" : "does not hold:"}>{holds ? "✓" : "✗"}</span> {text}
          </li>
        ))}
      </ul>
    </>
  );
}
