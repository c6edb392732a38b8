/** Where one is: the fragment of the address says it, as `#/jobs?filter=status:failed`. */

import { signal } from "@preact/signals";

export interface Place {
  path: string;
  query: URLSearchParams;
}

function read(): Place {
  const text = location.hash.replace(/^#/, "") || "/";
  const at = text.indexOf("?");
  const path = at < 0 ? text : text.slice(0, at);
  return {
    path: path.startsWith("/") ? path : `/${path}`,
    query: new URLSearchParams(at < 0 ? "" : text.slice(at + 1)),
  };
}

export const place = signal(read());

addEventListener("hashchange", () => {
  place.value = read();
});

type Query = Record<string, string | readonly string[] | null | undefined>;

/** The address of a page; of the query what is null, undefined or empty is left out. */
export function href(path: string, query: Query = {}): string {
  const said = changed(new URLSearchParams(), query).toString();
  return `#${path}${said && `?${said}`}`;
}

/** The address of what has a name or an id of its own, which may be any text. */
export function hrefTo(page: string, name: string): string {
  return `#${page}/${encodeURIComponent(name)}`;
}

export function go(address: string): void {
  location.hash = address;
}

/** Change the query of this page. A change that one would not want to go back to replaces the address. */
export function setQuery(changes: Query, keep: "replace" | "push" = "replace"): void {
  const address = href(place.value.path, Object.fromEntries(changed(place.value.query, changes)));
  if (address === location.hash) return;
  if (keep === "push") {
    location.hash = address;
  } else {
    history.replaceState(null, "", address);
    place.value = read();
  }
}

function changed(before: URLSearchParams, changes: Query): URLSearchParams {
  const query = new URLSearchParams(before);
  for (const [name, value] of Object.entries(changes)) {
    query.delete(name);
    for (const each of Array.isArray(value) ? value : [value]) if (each) query.append(name, each);
  }
  return query;
}

/** The parameters of a path under a pattern such as `/jobs/:id`; null where it is another path. */
export function match(pattern: string, path: string): Record<string, string> | null {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  if (wanted.length !== parts.length) return null;
  const found: Record<string, string> = {};
  for (const [at, each] of wanted.entries()) {
    const part = parts[at] ?? "";
    if (each.startsWith(":")) {
      try {
        found[each.slice(1)] = decodeURIComponent(part);
      } catch {
        return null; // no text was encoded so
      }
    } else if (each !== part) {
      return null;
    }
  }
  return found;
}
