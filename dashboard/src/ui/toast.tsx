/** Short words about what was done, or why it was not; read out by screen readers. */

import { signal } from "@preact/signals";
import { Problem } from "../api";

interface Toast {
  id: number;
  text: string;
  hint: string | null;
  bad: boolean;
  /** Where one can see what has become of it. */
  link?: { text: string; href: string };
}

const toasts = signal<readonly Toast[]>([]);
const SHOWN_MS = 6_000;
let last = 0;

function show(toast: Omit<Toast, "id">): void {
  const id = ++last;
  const others = toasts.value.filter((each) => each.text !== toast.text);
  toasts.value = [...others.slice(-3), { ...toast, id }];
  if (!toast.bad) setTimeout(() => drop(id), SHOWN_MS);
}

function drop(id: number): void {
  toasts.value = toasts.value.filter((each) => each.id !== id);
}

/** Say that something was done. */
export function say(text: string, link?: Toast["link"]): void {
  show({ text, hint: null, bad: false, ...(link && { link }) });
}

/** Say what went wrong; it stays until it is closed. */
export function fail(error: unknown): void {
  if (error instanceof Problem) {
    const said = error.errors.map((each) => each.message).join(" ");
    show({ text: error.errors.length > 1 ? said : error.message, hint: error.hint, bad: true });
  } else {
    show({ text: String(error), hint: null, bad: true });
  }
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((each) => (
        <div key={each.id} class={each.bad ? "toast bad" : "toast"}>
          <p>
            {each.text} {each.link && <a href={each.link.href}>{each.link.text}</a>}
          </p>
          {each.hint && <p class="dim">{each.hint}</p>}
          <button type="button" class="button quiet" aria-label="Close this message" onClick={() => drop(each.id)}>
            ✕
          </button>
        </div>
      ))}
    </div>
  );
}
