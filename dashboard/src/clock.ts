/** The time of now, for everything that says how long ago something was. It stands still while nobody looks. */

import { signal } from "@preact/signals";

export const now = signal(Date.now());

/** Whether somebody looks at this tab. */
export const visible = signal(document.visibilityState === "visible");

document.addEventListener("visibilitychange", () => {
  visible.value = document.visibilityState === "visible";
  now.value = Date.now();
});

setInterval(() => {
  if (visible.value) now.value = Date.now();
}, 1000);
