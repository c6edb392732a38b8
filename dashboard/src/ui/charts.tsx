/** The charts that several pages have: throughput, waiting and running, backlog. */

import { useMemo } from "preact/hooks";
import { brief, duration, rate } from "../format";
import { place, setQuery } from "../router";
import type { Numbers, Stats } from "../shapes/stats";
import { perSecond, useTimes } from "../stats";
import { Choice, Section } from "./bits";
import { Chart, type Line, WINDOWS, type Window } from "./chart";

/** The window that the address says; an hour without. */
export function windowOfPage(): Window {
  const said = place.value.query.get("window");
  return WINDOWS.find((each) => each[0] === said)?.[0] ?? "1h";
}

export function WindowChoice() {
  return (
    <Choice
      label="Period"
      options={WINDOWS.map(([window, text]) => [window, text])}
      value={windowOfPage()}
      onChange={(window) => setQuery({ window: window === "1h" ? null : window })}
    />
  );
}

/** Throughput, waiting, running and backlog of the first line of these statistics. */
export function Charts({ stats }: { stats: Stats }) {
  const at = useTimes(stats);
  const lines = useMemo(() => linesOf(stats), [stats]);
  return (
    <div class="charts">
      <Section title="Throughput" aside={<span class="dim">a second</span>}>
        <Chart label="Throughput" at={at} lines={lines.flow} format={rate} />
      </Section>
      <Section title="Backlog" aside={<span class="dim">pending jobs</span>}>
        <Chart label="Backlog" at={at} lines={lines.backlog} format={brief} />
      </Section>
      <Section title="Waiting" aside={<span class="dim">from due to started</span>}>
        <Chart label="Waiting" at={at} lines={lines.wait} format={duration} seconds />
      </Section>
      <Section title="Running" aside={<span class="dim">from started to ended</span>}>
        <Chart label="Running" at={at} lines={lines.run} format={duration} seconds />
      </Section>
    </div>
  );
}

function linesOf(stats: Stats): Record<"flow" | "backlog" | "wait" | "run", Line[]> {
  const [all] = stats.series;
  const none: Numbers = stats.at.map(() => null);
  const spread = (of: "wait" | "run"): Line[] => [
    { name: "p50", color: "--completed", values: all?.[of].p50 ?? none },
    { name: "p95", color: "--waiting", values: all?.[of].p95 ?? none },
    { name: "p99", color: "--failed", values: all?.[of].p99 ?? none, dashed: true },
  ];
  return {
    flow: [
      { name: "in", color: "--pending", values: perSecond(all?.enqueued, stats) },
      { name: "completed", color: "--completed", values: perSecond(all?.completed, stats), filled: true },
      { name: "failed", color: "--failed", values: perSecond(all?.failed, stats) },
    ],
    backlog: [{ name: "pending", color: "--pending", values: all?.pending ?? none, filled: true }],
    wait: spread("wait"),
    run: spread("run"),
  };
}
