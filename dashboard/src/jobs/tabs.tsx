/** The statuses as tabs, each with how many jobs have it just now. */

import { useEffect, useRef } from "preact/hooks";
import { brief, count } from "../format";
import { pulse, STATUSES, type Status } from "../live";
import { href } from "../router";
import type { Wish } from "./wish";

export const TABS: readonly (Status | null)[] = [null, ...STATUSES];

/** Another tab begins at its first page. */
export function tabHref({ filter, oldest }: Wish, status: Status | null): string {
  return href("/jobs", { status, filter, order: oldest ? "asc" : null });
}

export function Tabs({ wish }: { wish: Wish }) {
  const counts = pulse.value?.counts;
  const room = useRef<HTMLElement>(null);
  useEffect(
    () => room.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }),
    [wish.status],
  );
  return (
    <nav ref={room} class="tabs" aria-label="Statuses">
      {TABS.map((tab, n) => {
        const many = counts && (tab ? counts[tab] : STATUSES.reduce((sum, each) => sum + counts[each], 0));
        return (
          <a
            key={tab}
            href={tabHref(wish, tab)}
            aria-current={tab === wish.status ? "page" : undefined}
            title={`${many === undefined ? "" : `${count(many)} in all; `}key ${n + 1}`}
          >
            <span class={tab ? `badge s-${tab}` : ""}>
              {tab && <i aria-hidden="true" />}
              {tab ?? "all"}
            </span>
            <span class="n">{many === undefined ? "–" : brief(many)}</span>
          </a>
        );
      })}
    </nav>
  );
}
