/** Ctrl K: pages, what one can do here, a job by its id, and jobs by a filter. */

import { signal, useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { bindings } from "./keys";
import { go, href, hrefTo } from "./router";
import { Dialog } from "./ui/dialog";

export const searching = signal(false);

interface Entry {
  name: string;
  group: string;
  keys: string;
  run: () => void;
}

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/i;
const MOST = 12;

/** Whether the letters of `wanted` come in `text`, in this order. */
function fits(text: string, wanted: string): boolean {
  let at = 0;
  for (const letter of wanted) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return true;
}

function entries(text: string): Entry[] {
  const wanted = text.trim().toLowerCase();
  const found: Entry[] = bindings.value
    .filter((each) => each.palette)
    .map((each) => ({ name: each.what, group: each.group, keys: each.keys, run: each.run }))
    .filter((each) => fits(`${each.group} ${each.name}`.toLowerCase(), wanted));
  const direct: Entry[] = [];
  if (ID.test(wanted))
    direct.push({ name: `Job ${wanted}`, group: "Jobs", keys: "", run: () => go(hrefTo("/jobs", wanted)) });
  else if (wanted)
    direct.push({
      name: `Jobs with ${text.trim()}`,
      group: "Jobs",
      keys: "",
      run: () => go(href("/jobs", { filter: asFilter(text.trim()) })),
    });
  return [...(ID.test(wanted) ? direct : []), ...found, ...(ID.test(wanted) ? [] : direct)].slice(0, MOST);
}

/** What is typed as a filter: one as it is, other words as a part of the type's name. */
function asFilter(text: string): string {
  return text.includes(":") ? text : `type:"*${text.replace(/["\\]/g, "")}*"`;
}

export function Palette() {
  const text = useSignal("");
  const at = useSignal(0);
  const id = useId();
  const found = entries(text.value);
  const close = () => (searching.value = false);
  const choose = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    setTimeout(entry.run); // once the dialog has given the focus back
  };
  const press = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by !== undefined) at.value = (at.value + by + found.length) % Math.max(1, found.length);
    else if (event.key === "Enter") choose(found[at.value]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title="Find" class="palette" onClose={close}>
      <input
        autofocus
        role="combobox"
        aria-label="A page, an action, the id of a job, or a filter"
        aria-expanded="true"
        aria-controls={id}
        aria-activedescendant={found.length ? `${id}-${at.value}` : undefined}
        placeholder="A page, an action, a job's id, or a filter such as status:failed"
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          at.value = 0;
        }}
        onKeyDown={press}
      />
      <ul id={id} role="listbox" aria-label="Found">
        {found.map((entry, n) => (
          <li
            key={`${entry.group} ${entry.name}`}
            id={`${id}-${n}`}
            role="option"
            aria-selected={n === at.value}
            onClick={() => choose(entry)}
          >
            <span class="dim">{entry.group}</span> {entry.name} {entry.keys && <kbd>{entry.keys}</kbd>}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
