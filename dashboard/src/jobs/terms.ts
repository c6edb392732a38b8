/** The text of a filter (docs/filters.md), as far as one has to understand it to help who writes it. The server judges it. */

import { STATUSES, type Status } from "../live";

const TERM = /(?:"(?:[^"\\]|\\.)*"?|[^\s"])+/g;
const TIMES = ["<1h", "<1d", "<7d", ">7d", "7d..1d"];
/** Each with what it is about. */
const FIELDS: Record<string, string> = {
  "status:": "failed,cancelled",
  "type:": "mail.*",
  "queue:": "default",
  "tag:": "nightly",
  "error:": "a part of its text",
  "group:": "a group of errors",
  "payload.": "user.id:42",
  "created:": "<1h, 2026-01-31",
  "finished:": "7d..1d",
};

export function terms(text: string): string[] {
  return text.match(TERM) ?? [];
}

/** A value as it is written in a filter. */
export function written(value: string): string {
  return /[\s,"]/.test(value) || !value ? JSON.stringify(value) : value;
}

/** The filter with a term, or without it where it has it. */
export function toggled(text: string, field: string, value: string): string {
  const wanted = `${field}:${written(value)}`;
  const found = terms(text);
  return (found.includes(wanted) ? found.filter((each) => each !== wanted) : [...found, wanted]).join(" ");
}

/** The one status that a filter says, which is shown as a tab, and the rest of the filter. */
export function parted(text: string): [Status | null, string] {
  const found = terms(text);
  const about = found.filter((each) => /^-?status:/.test(each));
  const status = STATUSES.find((each) => about.length === 1 && about[0] === `status:${each}`);
  return status ? [status, found.filter((each) => each !== about[0]).join(" ")] : [null, text];
}

export interface Completion {
  /** Which part of the text an option takes the place of. */
  from: number;
  to: number;
  options: { text: string; about?: string | undefined }[];
}

/** What may be meant by what stands before the caret. */
export function complete(text: string, caret: number, known: Record<string, readonly string[]>): Completion {
  const before = text.slice(0, caret);
  const word = /\s$/.test(before) ? "" : (terms(before).at(-1) ?? "");
  const [, minus = "", field, values = ""] = /^(-?)(\w+):(.*)$/s.exec(word) ?? [, word.startsWith("-") ? "-" : ""];
  if (field === undefined) {
    const said = word.slice(minus.length);
    const fields = Object.entries(FIELDS).filter(([name]) => name.startsWith(said));
    return { from: caret - said.length, to: caret, options: fields.map(([name, about]) => ({ text: name, about })) };
  }
  const said = /[^,]*$/.exec(values)?.[0] ?? "";
  const all = { ...known, status: STATUSES, created: TIMES, finished: TIMES }[field] ?? [];
  const wanted = said.replace(/^"/, "").toLowerCase();
  const fits = all.filter((each) => each !== said && each.toLowerCase().includes(wanted));
  return { from: caret - said.length, to: caret, options: fits.slice(0, 8).map((each) => ({ text: written(each) })) };
}
