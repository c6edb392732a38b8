/** Light, dark, or what the system has. */

import { effect, signal } from "@preact/signals";

export type Theme = "auto" | "light" | "dark";
const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const KEPT = "ferryman.theme";

function kept(): Theme {
  try {
    const found = localStorage.getItem(KEPT);
    return THEMES.find((each) => each === found) ?? "auto";
  } catch {
    return "auto"; // the browser keeps nothing for us
  }
}

export const theme = signal<Theme>(kept());
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

export function turn(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "auto";
  try {
    localStorage.setItem(KEPT, theme.value);
  } catch {
    // then it holds for this tab
  }
}
