/** What is around every page: the menu, whether the connection stands, who looks. */

import { signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { now } from "./clock";
import { ago, brief } from "./format";
import { Help, helping } from "./help";
import { useKeys } from "./keys";
import { connection, lostAt, pulse } from "./live";
import { wanted } from "./load";
import { Palette, searching } from "./palette";
import { go, place } from "./router";
import { isOpen, ROUTES, type Route } from "./routes";
import { session, signOut } from "./session";
import { theme, turn } from "./theme";
import { Button } from "./ui/button";
import { say } from "./ui/toast";

const menu = signal(false);
const THEMES = { auto: "◐", light: "☀", dark: "☾" };

export function Frame({ children }: { children: ComponentChildren }) {
  const pages = ROUTES.filter((route) => route.letter && isOpen(route));
  useKeys([
    ...pages.map((route) => ({
      keys: `g ${route.letter}`,
      what: route.title,
      group: "Go to",
      run: () => go(`#${route.path}`),
      palette: true,
    })),
    { keys: "?", what: "All keys", group: "Everywhere", run: () => (helping.value = true) },
    {
      keys: "Ctrl+k",
      what: "Find a page, a job or an action",
      group: "Everywhere",
      run: () => (searching.value = true),
    },
    { keys: ".", what: "Look again now", group: "Everywhere", run: () => wanted.value++ },
    { keys: "T", what: "Light, dark or as the system", group: "Everywhere", run: turn, palette: true },
  ]);
  useEffect(() => {
    menu.value = false;
  }, [place.value.path]);
  return (
    <div class={menu.value ? "frame open" : "frame"}>
      <a class="skip" href="#main" onClick={skip}>
        To the content
      </a>
      <header class="bar">
        <Button kind="quiet" aria-label="Menu" aria-expanded={menu.value} onClick={() => (menu.value = !menu.value)}>
          ☰
        </Button>
        <Brand />
        <State />
      </header>
      <aside class="side">
        <Brand />
        <Menu pages={pages} />
        <footer>
          <State />
          <div class="row">
            <Button
              kind="quiet"
              aria-label={`Colours: ${theme.value}`}
              title={`Colours: ${theme.value}`}
              onClick={turn}
            >
              {THEMES[theme.value]}
            </Button>
            <Button kind="quiet" aria-label="Find" title="Find (Ctrl K)" onClick={() => (searching.value = true)}>
              ⌕
            </Button>
            <Button kind="quiet" aria-label="All keys" title="All keys (?)" onClick={() => (helping.value = true)}>
              ?
            </Button>
          </div>
          <Who />
        </footer>
      </aside>
      <main id="main" tabIndex={-1}>
        <Banner />
        {children}
      </main>
      {helping.value && <Help />}
      {searching.value && <Palette />}
    </div>
  );
}

/** The address is the router's, so the link does by itself what links to fragments do. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function Brand() {
  return (
    <a class="brand" href="#/">
      <img src="./icon.svg" alt="" width="24" height="24" /> Ferryman
    </a>
  );
}

function Menu({ pages }: { pages: readonly Route[] }) {
  const counts = pulse.value?.counts;
  const shown: Record<string, number | undefined> = {
    "/jobs": counts && counts.pending + counts.processing,
    "/nodes": pulse.value?.nodes ?? undefined,
  };
  return (
    <nav aria-label="Pages">
      {pages.map((route) => {
        const { path } = place.value;
        const here = path === route.path || (route.path !== "/" && path.startsWith(`${route.path}/`));
        const n = shown[route.path];
        return (
          <a
            key={route.path}
            href={`#${route.path}`}
            aria-current={here ? "page" : undefined}
            title={`g ${route.letter}`}
          >
            {route.title}
            {n !== undefined && <span class="n">{brief(n)}</span>}
          </a>
        );
      })}
    </nav>
  );
}

const STATES = {
  connecting: "Connecting",
  live: "Live",
  lost: "Disconnected",
  polling: "Every 2 s",
  paused: "Paused",
};

function State() {
  const state = connection.value;
  return (
    <span class={`state is-${state}`} role="status">
      <i aria-hidden="true" /> {STATES[state]}
    </span>
  );
}

/** Says that the connection is lost, and that it is there again. */
function Banner() {
  const lost = useRef(false);
  const since = lostAt.value;
  useEffect(() => {
    if (since !== null) lost.current = true;
    else if (lost.current && connection.value !== "paused") {
      lost.current = false;
      say("Connected again. Everything is up to date.");
    }
  }, [since, connection.value]);
  if (since === null) return null;
  return (
    <div class="banner" role="alert">
      <strong>Disconnected</strong> {ago(new Date(since).toISOString(), now.value)}. What you see is from then. The page
      tries again by itself.
    </div>
  );
}

function Who() {
  const busy = useSignal(false);
  const who = session.value;
  if (!who || who.open) return <p class="dim">No sign-in needed here</p>;
  return (
    <p class="who">
      <span title={who.rights.join(", ")}>{who.name}</span>
      <Button kind="quiet" disabled={busy.value} onClick={signOut}>
        Sign out
      </Button>
    </p>
  );
}
