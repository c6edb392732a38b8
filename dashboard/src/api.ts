/** The public HTTP API, as the dashboard speaks it: same origin, relative addresses, errors as problem details. */

import { signedOut } from "./signedout";

/** What went wrong, in the words of the server (RFC 9457), or in ours where no server has answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly hint: string | null = null,
    readonly errors: readonly { pointer?: string; parameter?: string; message: string }[] = [],
    readonly members: Record<string, unknown> = {},
  ) {
    super(detail);
  }
}

/** A number that JavaScript cannot hold, or would write in another way; its text is as it was sent. */
export class Exact {
  constructor(readonly text: string) {}
  toJSON(): unknown {
    return rawJson(this.text);
  }
}

type Reviver = (this: unknown, key: string, value: unknown, context?: { source?: string }) => unknown;
const exact: Reviver = (_key, value, context) =>
  typeof value === "number" && context?.source !== undefined && String(value) !== context.source
    ? new Exact(context.source)
    : value;

/** JSON with its numbers as they were written. */
export function parse(text: string): unknown {
  return JSON.parse(text, exact as (key: string, value: unknown) => unknown);
}

function rawJson(text: string): unknown {
  const raw = (JSON as unknown as { rawJSON?: (text: string) => unknown }).rawJSON;
  return raw ? raw(text) : Number(text);
}

export interface Asked {
  query?: Record<string, string | number | readonly string[] | null | undefined>;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Whether numbers that JavaScript cannot hold, and such as 1.0, are kept as they were written (`Exact`). */
  exact?: boolean;
}

export interface Answer<T> {
  data: T;
  status: number;
  headers: Headers;
}

/** Ask the server. Where it knows from a header that we have the answer, that is null with 304. Raises Problem. */
export async function call<T>(method: string, path: string, asked: Asked = {}): Promise<Answer<T>> {
  const response = await send(method, path, asked);
  const text = await response.text();
  if (!response.ok && response.status !== 304) {
    const problem = read(response.status, text);
    if (response.status === 401 && path !== "session") signedOut.value = true;
    throw problem;
  }
  return {
    data: (text ? (asked.exact ? parse(text) : JSON.parse(text)) : null) as T,
    status: response.status,
    headers: response.headers,
  };
}

async function send(method: string, path: string, asked: Asked): Promise<Response> {
  const headers: Record<string, string> = { Accept: "application/json", ...asked.headers };
  if (asked.body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(address(path, asked.query), {
      method,
      headers,
      body: asked.body === undefined ? null : JSON.stringify(asked.body),
      signal: asked.signal ?? null,
      cache: "no-store",
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "", "The server does not answer.", "It may be restarting. This page tries again by itself.");
  }
}

/** The address of a path, which is one of the API's without the slash at its beginning. */
export function address(path: string, query: Asked["query"] = {}): string {
  const said = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const each of Array.isArray(value) ? value : [value]) {
      if (each !== null && each !== undefined && each !== "") said.append(name, String(each));
    }
  }
  const text = said.toString();
  return `./${path}${text && `?${text}`}`;
}

function read(status: number, text: string): Problem {
  try {
    const { code, detail, title, hint, errors, ...members } = JSON.parse(text);
    return new Problem(
      status,
      code ?? "",
      detail ?? title ?? `The server answered ${status}.`,
      hint ?? null,
      errors ?? [],
      members,
    );
  } catch {
    return new Problem(
      status,
      "",
      `The server answered ${status}, and not as Ferryman does.`,
      "Is there a proxy in between?",
    );
  }
}

export async function get<T>(path: string, query?: Asked["query"], signal?: AbortSignal): Promise<T> {
  return (await call<T>("GET", path, { query, signal })).data;
}

/** The same, with numbers as they were written: for what has payloads and results in it. */
export async function getExact<T>(path: string, signal?: AbortSignal): Promise<T> {
  return (await call<T>("GET", path, { signal, exact: true })).data;
}

export async function post<T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T> {
  return (await call<T>("POST", path, { body, headers })).data;
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  return (await call<T>("PUT", path, { body })).data;
}

export async function patch<T>(path: string, body: unknown, headers?: Record<string, string>): Promise<T> {
  return (await call<T>("PATCH", path, { body, headers })).data;
}

export async function remove(path: string): Promise<void> {
  await call("DELETE", path);
}

/** A part of a list: what there is, and where it goes on. */
export interface Page<T> {
  rows: T[];
  /** The path and query of the next page; null where this is the last one. */
  next: string | null;
  /** How many were looked at, where that was counted, and whether all were. */
  scanned: number | null;
  complete: boolean;
}

/** A page of a list, or the one that `next` of another page names. */
export async function list<T>(path: string, query?: Asked["query"], signal?: AbortSignal): Promise<Page<T>> {
  const { data, headers } = await call<T[]>("GET", path, { query, signal });
  const link = /<([^>]*)>\s*;\s*rel="?next"?/.exec(headers.get("Link") ?? "");
  const scanned = headers.get("Ferryman-Scanned");
  return {
    rows: data,
    next: link ? relative(link[1] ?? "") : null,
    scanned: scanned === null ? null : Number.parseInt(scanned, 10),
    complete: !/complete=\?0/.test(scanned ?? ""),
  };
}

/** What `call` takes as a path, out of a link that may name the mount, too. */
function relative(link: string): string {
  const base = new URL(".", document.baseURI);
  const target = new URL(link, base);
  const path = target.pathname.startsWith(base.pathname)
    ? target.pathname.slice(base.pathname.length)
    : target.pathname.slice(1);
  return path + target.search;
}

/** A text as a part of a path. */
export const part = encodeURIComponent;
