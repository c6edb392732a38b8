/** What is folded away is not made before it is unfolded. */

import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

interface Props {
  name: ComponentChildren;
  open?: boolean;
  class?: string;
  children: () => ComponentChildren;
}

export function Fold({ name, open = false, class: kind, children }: Props) {
  const shown = useSignal(open);
  return (
    <details class={kind} open={shown.value} onToggle={(event) => (shown.value = event.currentTarget.open)}>
      <summary>{name}</summary>
      {shown.value && children()}
    </details>
  );
}
