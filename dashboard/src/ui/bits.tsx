/** Small things that are the same everywhere: statuses, times, numbers with names, heads of pages, sections. */

import type { ComponentChildren } from "preact";
import { now } from "../clock";
import { ago, moment } from "../format";
import type { Status } from "../live";
import { Button } from "./button";
import { say } from "./toast";

/** A status by its shape, its colour and its word. */
export function Badge({
  status,
  children,
}: {
  status: Status | "running" | "live" | "ended" | "paused" | "quiet";
  children?: ComponentChildren;
}) {
  return (
    <span class={`badge s-${status}`}>
      <i aria-hidden="true" />
      {children ?? status}
    </span>
  );
}

/** How long ago, with the time itself as its title. */
export function Ago({ at }: { at: string | null | undefined }) {
  if (!at) return <span class="dim">–</span>;
  return (
    <time dateTime={at} title={moment(at)} class="nowrap">
      {ago(at, now.value)}
    </time>
  );
}

/** The head of a page: its title, a line about it, and what one can do on it. */
export function Head({
  title,
  about,
  children,
}: {
  title: ComponentChildren;
  about?: ComponentChildren;
  children?: ComponentChildren;
}) {
  return (
    <header class="head">
      <div>
        <h1 tabIndex={-1}>{title}</h1>
        {about && <p class="dim">{about}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </header>
  );
}

export function Section({
  title,
  aside,
  children,
  class: kind = "",
}: {
  title?: ComponentChildren;
  aside?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}) {
  return (
    <section class={`card ${kind}`}>
      {(title || aside) && (
        <header>
          {title && <h2>{title}</h2>}
          {aside && <div class="aside">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** A number that matters, and its name. */
export function Figure({
  name,
  value,
  unit,
  tone,
  title,
}: {
  name: ComponentChildren;
  value: ComponentChildren;
  unit?: string;
  tone?: "bad" | "good" | "warn";
  title?: string;
}) {
  return (
    <div class={`figure ${tone ?? ""}`} title={title}>
      <dt>{name}</dt>
      <dd>
        {value}
        {unit && <small> {unit}</small>}
      </dd>
    </div>
  );
}

/** Names and values below one another. */
export function Facts({ facts }: { facts: readonly (readonly [string, ComponentChildren] | null | false)[] }) {
  return (
    <dl class="facts">
      {facts.map(
        (fact) =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1] === "" ? <None /> : (fact[1] ?? <None />)}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

function None() {
  return <span class="dim">–</span>;
}

/** A switch between a few things, as tabs that change what is shown. */
export function Choice<T extends string>({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: readonly (readonly [T, ComponentChildren])[];
  value: T;
  onChange: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={label}>
      {options.map(([option, text]) => (
        <button key={option} type="button" aria-pressed={option === value} onClick={() => onChange(option)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** Copies a text, and says so. */
export function Copy({
  text,
  what = "Copied",
  children = "Copy",
}: {
  text: string | (() => string);
  what?: string;
  children?: ComponentChildren;
}) {
  const copy = async () => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : text());
    say(what);
  };
  return (
    <Button kind="quiet" class="copy" onClick={copy}>
      {children}
    </Button>
  );
}

/** The beginning of an id, which people compare; all of it as the title. Times are at its beginning, chance at its end. */
export function ShortId({ id }: { id: string }) {
  return (
    <code class="id" title={id}>
      {id.slice(0, 8)}…{id.slice(-6)}
    </code>
  );
}
