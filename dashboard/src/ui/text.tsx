/** Foreign text of any length, in any direction: its beginning, and all of it to who wants that. */

import { useSignal } from "@preact/signals";
import { bytes } from "../format";
import { Button } from "./button";

const PIECE = 16_000;

/** Parts of a text that the browser lays out one by one, as they come into sight; no character is torn. */
export function pieces(text: string, size = PIECE): string[] {
  return text.match(new RegExp(`[^]{1,${size}}(?:\\n|$)|[^]{1,${size}}`, "gu")) ?? [];
}

export function Text({ text, most = 2_000 }: { text: string; most?: number }) {
  const all = useSignal(false);
  if (text.length <= most + 2) {
    return (
      <span class="text" dir="auto">
        {text}
      </span>
    );
  }
  if (all.value) {
    return (
      <span class="text long" dir="auto" tabIndex={0} role="group" aria-label="All of it">
        {pieces(text).map((piece, at) => (
          <span key={at}>{piece}</span>
        ))}
      </span>
    );
  }
  return (
    <>
      <span class="text" dir="auto">
        {text.slice(0, most).replace(/[\ud800-\udbff]$/, "")}…
      </span>{" "}
      <Button kind="quiet" onClick={() => (all.value = true)}>
        Show all ({bytes(new Blob([text]).size)})
      </Button>
    </>
  );
}
