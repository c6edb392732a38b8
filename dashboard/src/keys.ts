/** The keyboard: what each key does just now. Pages and dialogs bind keys while they are there; `?` shows them all. */

import { signal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";

export interface Binding {
  /** As `KeyboardEvent.key` has it: "j", "?", "Enter"; "g j" is one after the other, "Ctrl+k" both at once. */
  keys: string;
  /** What it does, as the help says it. */
  what: string;
  group: string;
  run: () => void;
  /** Also offered by the palette under this name; no key is needed then. */
  palette?: boolean;
}

const PATIENCE_MS = 1500;
/** Every binding that holds now, the latest last. */
export const bindings = signal<readonly Binding[]>([]);
/** Selects what text is typed into. */
const EDITABLE = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

let begun = "";
let begunAt = 0;

/** Bind keys while a component is there; what a key does may change with every rendering. */
export function useKeys(wanted: readonly Binding[]): void {
  const latest = useRef(wanted);
  latest.current = wanted;
  const names = wanted.map((each) => `${each.keys}\n${each.what}`).join("\n\n");
  // with what is shown, not after it: a key pressed on sight of a button is never lost
  useLayoutEffect(() => {
    const bound = latest.current.map((each, at) => ({ ...each, run: () => latest.current[at]?.run() }));
    bindings.value = [...bindings.value, ...bound];
    return () => {
      bindings.value = bindings.value.filter((each) => !bound.includes(each));
    };
  }, [names]);
}

function pressed(event: KeyboardEvent): string {
  const with_ = event.ctrlKey || event.metaKey ? "Ctrl+" : event.altKey ? "Alt+" : "";
  return with_ + (with_ ? event.key.toLowerCase() : event.key);
}

function press(event: KeyboardEvent): void {
  const key = pressed(event);
  const target = event.target instanceof Element ? event.target : null;
  const typing = target?.closest(EDITABLE) !== null && target !== null;
  if (event.defaultPrevented || event.isComposing || (typing && !key.startsWith("Ctrl+"))) return;
  if (document.querySelector("dialog[open]")) return; // a dialog is by itself
  if (key === "Enter" && target?.closest("a, button, summary, [role=tab]")) return; // it is theirs
  const sequence = begun && event.timeStamp - begunAt < PATIENCE_MS ? `${begun} ${key}` : key;
  const found =
    bindings.value.findLast((each) => each.keys === sequence) ?? bindings.value.findLast((each) => each.keys === key);
  begun = "";
  if (found) {
    event.preventDefault();
    found.run();
  } else if (bindings.value.some((each) => each.keys.startsWith(`${key} `))) {
    begun = key;
    begunAt = event.timeStamp;
  }
}

addEventListener("keydown", press);
