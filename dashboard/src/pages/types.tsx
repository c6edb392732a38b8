/** Types of jobs: how often each runs, how often it fails, how long it takes, and who runs it. */

import { get } from "../api";
import { brief, duration, percent } from "../format";
import { useLoad } from "../load";
import { hrefTo } from "../router";
import type { RuleJson, TypeJson } from "../shapes/flow";
import type { Series, Stats } from "../shapes/stats";
import { failureRate, latest, total } from "../stats";
import { Head } from "../ui/bits";
import { periodOf, Spark } from "../ui/chart";
import { WindowChoice, windowOfPage } from "../ui/charts";
import { Empty, Shown } from "../ui/shown";
import { Table } from "../ui/table";
import { RuleBadge } from "./queues";

export function Types() {
  const window = windowOfPage();
  const look = (signal: AbortSignal) =>
    Promise.all([
      get<TypeJson[]>("types", {}, signal),
      get<Stats>("stats", { ...periodOf(window), by: "type" }, signal),
      get<RuleJson[]>("rules", {}, signal),
    ]);
  const load = useLoad(look, [window], { live: 10_000 });
  return (
    <>
      <Head title="Types" about="Every type that a node has ever registered.">
        <WindowChoice />
      </Head>
      <Shown load={load}>
        {([types, stats, rules]) => {
          const series = new Map(stats.series.map((each) => [each.type, each]));
          const of = (type: TypeJson): Series | undefined => series.get(type.type);
          return types.length ? (
            <Table
              label="Types"
              rows={types}
              id={(each) => each.type}
              href={(each) => hrefTo("/types", each.type)}
              columns={[
                { name: "Type", cell: (each) => <bdi>{each.type}</bdi> },
                {
                  name: "",
                  cell: (each) => (
                    <RuleBadge rule={rules.find((rule) => rule.scope === "type" && rule.name === each.type)} />
                  ),
                },
                { name: "Queue", extra: true, cell: (each) => each.queue },
                { name: "Runs", number: true, cell: (each) => brief(total(of(each)?.run.count ?? [])) },
                { name: "Fail", number: true, cell: (each) => share(of(each)) },
                { name: "p95", number: true, cell: (each) => last95(of(each)) },
                {
                  name: "Completed",
                  extra: true,
                  cell: (each) => (
                    <Spark
                      values={of(each)?.completed ?? []}
                      label={`Completed jobs of ${each.type}`}
                      color="--completed"
                    />
                  ),
                },
                {
                  name: "Nodes",
                  number: true,
                  cell: (each) =>
                    each.nodes.length ? each.nodes.length : <strong title="No live node has its handler">none</strong>,
                },
              ]}
            />
          ) : (
            <Empty title="No node has registered a type yet." />
          );
        }}
      </Shown>
    </>
  );
}

function share(series: Series | undefined): string {
  const rate = series ? failureRate(series) : null;
  return rate === null ? "–" : percent(rate);
}

function last95(series: Series | undefined): string {
  const seconds = series ? latest(series.run.p95) : null;
  return seconds === null ? "–" : duration(seconds);
}
